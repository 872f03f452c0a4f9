"""Schedules and their actions, as the API and the console show them."""

from marshmallow import Schema

from server.lib.fields import Hash, RowId, Text, Whole
from server.offers.schemas import AcceptanceField

TEN_YEARS = 10 * 365 * 86_400
LAST_POSITION = 1_000_000


class ScheduleSchema(Schema):
    """A schedule."""

    name = Text("What people call the schedule.", "Call now", required=True)
    offer_id = RowId("The offer that it belongs to; null for none.", 1, allow_none=True, load_default=None)
    acceptance = AcceptanceField()


class ScheduleFilter(Schema):
    """The filters of the list of schedules."""

    name = Text("Only schedules of exactly this name.", "Call now")
    offer_id = RowId("Only schedules of this offer.", 1)


class ScheduleActionSchema(Schema):
    """A step of a schedule."""

    schedule_id = RowId("The schedule whose step it is; it stays there.", 1, required=True)
    position = Whole(
        "Its place: a lead meets the actions of a schedule in this order. Null or absent: after the last.",
        1,
        least=1,
        most=LAST_POSITION,
        allow_none=True,
        load_default=None,
    )
    kind = Text("What it does; channels bring their own kinds.", "dial", longest=64, required=True)
    delay_seconds = Whole(
        "How long after the step before it runs, in seconds.", 300, least=0, most=TEN_YEARS, load_default=0
    )
    config = Hash("What the kind needs to know, as its channel says.", {"ring_seconds": 30}, load_default=dict)


class ScheduleActionFilter(Schema):
    """The filters of the list of schedule actions."""

    schedule_id = RowId("Only actions of this schedule.", 1)
    kind = Text("Only actions of this kind.", "dial")
