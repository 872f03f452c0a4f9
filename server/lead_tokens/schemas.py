"""Lead tokens as the API and the console show them."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields

from server.lead_tokens.origins import BadOrigin, read_origin
from server.lead_tokens.rules import PREFIX
from server.lib.fields import Listing, RowId, Switch, Text, Time, Whole, Word

YEAR_HOURS = 365 * 24
DAY_HOURS = 24
MOST_PER_MINUTE = 1_000_000


class Origin(Text):
    """An origin, in the spelling in which browsers send it."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        try:
            return read_origin(value if isinstance(value, str) else "")
        except BadOrigin as error:
            raise ValidationError(f"{value!r:.80} {error}") from error


class Origins(Listing):
    """Origins, each of them once."""

    def __init__(self, description: str) -> None:
        one = Origin("An origin.", "https://shop.example")
        super().__init__(description, ["https://shop.example"], one, most=100, load_default=list)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> list[Any]:
        return list(dict.fromkeys(super()._deserialize(value, attr, data)))


class SeenOriginSchema(Schema):
    """A page that was seen to use a token."""

    origin = Text("The page's origin; `null` is what a page without one sends.", "https://shop.example", dump_only=True)
    first_seen_at = Time("When it first sent a lead with the token.", "2026-12-01T14:26:43Z", dump_only=True)
    last_seen_at = Time(
        "When it last sent one, as far as that was noted: at most once a minute, and once an hour after ten times.",
        "2026-12-01T14:26:43Z",
        dump_only=True,
    )
    uses = Whole("How often that was noted.", 1, dump_only=True)
    allowed = Switch("Whether it may use the token now.", dump_only=True)


class SeenOrigins(fields.List[Any]):
    """The pages that were seen to use a token, as they are shown."""

    def __init__(self) -> None:
        super().__init__(
            fields.Nested(SeenOriginSchema),
            dump_only=True,
            metadata={
                "description": "The pages that leads have come from, the hundred that are used most, the most used"
                " first: what `allowed_origins` may want.",
                "example": [
                    {
                        "origin": "https://shop.example",
                        "first_seen_at": "2026-12-01T14:26:43Z",
                        "last_seen_at": "2026-12-01T14:26:43Z",
                        "uses": 1,
                        "allowed": True,
                    }
                ],
            },
        )


class LeadTokenSchema(Schema):
    """A lead token; its owner is exactly one of a schedule, an offer and, for postbacks, a traffic source."""

    name = Text("What people call it: the vendor or the page that has it.", "Acme Leads", required=True)
    kind = Word(
        "`server` for programs; `publishable` may stand in a page and only adds; `postback` reports conversions.",
        "server",
        PREFIX,
        load_default="server",
    )
    schedule_id = RowId("The schedule that its leads enter.", 1, allow_none=True, load_default=None)
    offer_id = RowId("The offer that its leads wait for.", 1, allow_none=True, load_default=None)
    traffic_source_id = RowId("The traffic source whose postback token it is.", 1, allow_none=True, load_default=None)
    value = Text(
        "What is sent as `lead_token`. It is shown whole when it is made, and a publishable one always; after that as"
        " `3f2a…c9`.",
        "3f2a…c9",
        attribute="shown_value",
        dump_only=True,
    )
    default_traffic_source_id = RowId(
        "The traffic source of leads that name none.", 1, allow_none=True, load_default=None
    )
    disclosure_id = RowId(
        "The disclosure that the pages of a publishable token show.", 1, allow_none=True, load_default=None
    )
    shows_stored_lead = Switch(
        "Whether answers show the lead as it is stored, or only what the request sent.", load_default=False
    )
    allowed_origins = Origins("The pages that may use a publishable token; an empty list allows all.")
    allowed_redirects = Origins("Where a native form post may send its visitor on to.")
    per_minute_limit = Whole(
        "How many requests a minute it takes; null is the default of its kind. One with a number of its own suits a"
        " call centre, whose people share an address: what they send is not quarantined as a burst.",
        600,
        least=1,
        most=MOST_PER_MINUTE,
        allow_none=True,
        load_default=None,
    )
    allows_callbacks = Switch("Whether a publishable token may book callbacks.", load_default=False)
    payload_secret = Text(
        "What proves that a payload is Typeform's, Meta's or Google's: the secret of its signature, or google_key. Once"
        " it is set nothing else is taken with this token; null takes it off. It is never shown. Take a random one of"
        " 24 characters or more; one of fewer than 16 is taken with a warning.",
        "a-secret-of-the-form",
        load_only=True,
        allow_none=True,
        load_default=None,
    )
    has_payload_secret = Switch("Whether a payload has to prove its origin.", dump_only=True)
    reads_submissions = Switch(
        "Whether who has this server token may read what became of its own submissions; never once it is exposed.",
        load_default=False,
    )
    expires_at = Time(
        "From when on it is no longer taken; null is never.", "2027-01-01T00:00:00Z", allow_none=True, load_default=None
    )
    vendor_id = RowId(
        "Whose it is: tokens that rotations have made of one another share it, and with it the vendor's"
        " idempotency keys, its `vendor_lead_id`s and its submissions.",
        1,
        dump_only=True,
    )
    replaced_at = Time("When a rotation made its successor.", "2026-12-01T14:26:43Z", dump_only=True)
    disabled_at = Time("When it was deleted.", "2026-12-01T14:26:43Z", dump_only=True)
    exposed_at = Time("When a page was first seen to use a server token.", "2026-12-01T14:26:43Z", dump_only=True)
    exposed_origin = Text("The page that was seen to use it.", "https://shop.example", dump_only=True)
    last_used_at = Time("When it was last used, to the minute.", "2026-12-01T14:26:43Z", dump_only=True)
    seen_origins = SeenOrigins()


class LeadTokenFilter(Schema):
    """The filters of the list of lead tokens."""

    schedule_id = RowId("Only tokens of this schedule.", 1)
    offer_id = RowId("Only tokens of this offer.", 1)
    traffic_source_id = RowId("Only tokens of this traffic source.", 1)
    kind = Word("Only tokens of this kind.", "publishable", PREFIX)
    name = Text("Only tokens of exactly this name.", "Acme Leads")
    exposed = Switch("Only tokens that a page has exposed, or only the others.")


class RotationSchema(Schema):
    """What a rotation takes."""

    overlap_hours = Whole(
        "For how many hours the present token stays good.", DAY_HOURS, most=YEAR_HOURS, load_default=DAY_HOURS
    )
    name = Text(
        "What the new token is called; unless sent, as the present one was.", "Acme Leads 2027", load_default=None
    )
