"""CallSchema: a call as it is reported."""

from marshmallow import Schema

from server.leads.schemas import Time, about
from server.lib.fields import Hash, RowId, Text, Whole, Word

WEEK_SECONDS = 7 * 86_400


class CallSchema(Schema):
    """The parameters of `POST /api/v1/calls`."""

    error_messages = {"unknown": "is no parameter of a call; put tokens into data"}  # noqa: RUF012 (marshmallow's)

    caller_id = Text("The number of the caller, in any usual spelling.", "+17192221234", required=True)
    lead_id = Text(
        "The lead that the call belongs to; without it the number's latest live lead is meant.",
        "74da9151-d988-4428-8087-c8dcf47ae9a2",
        allow_none=True,
    )
    offer_id = RowId("The offer that the call was for.", 1, allow_none=True)
    schedule_id = RowId("The schedule that placed the call.", 1, allow_none=True)
    external_id = Text("Your own id of the call: sending it again updates the call.", "CA-1042", allow_none=True)
    direction = Word("Who called.", "inbound", ("inbound", "outbound"))
    started_at = Time(**about("When the call began; now, unless it is said.", "2026-11-23 06:00:00 +0000"))
    duration_seconds = Whole("How long the call took, in seconds.", 312, most=WEEK_SECONDS, allow_none=True)
    data = Hash("Tokens of the call: any names and values.", {"disposition": "sold"})
