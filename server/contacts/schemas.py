"""Contacts as the API and the console show them."""

from marshmallow import Schema

from server.lib.fields import Switch, Text, Time

WHEN = "2026-12-01T14:26:43Z"


class ContactSchema(Schema):
    """One number of the company, and what must not be done with it."""

    caller_id = Text("The number, in any usual spelling; it is normalised to E.164.", "+17192221234", required=True)
    blocked = Switch("Whether nobody contacts the number: setting it stops all that is planned.", load_default=False)
    opt_out = Switch("Whether its owner has opted out: setting it stops all that is planned.", load_default=False)
    suppressed = Switch(
        "Whether it is on the suppression list: setting it stops all that is planned.", load_default=False
    )
    blocked_at = Time("When it was blocked.", WHEN, dump_only=True)
    opted_out_at = Time("When its owner opted out.", WHEN, dump_only=True)
    suppressed_at = Time("When it was put on the suppression list.", WHEN, dump_only=True)


class ContactFilter(Schema):
    """The filters of the list of contacts."""

    number = Text("Only this number, in any usual spelling.", "+17192221234")
    blocked = Switch("Only numbers that are blocked, or only the others.")
    opt_out = Switch("Only numbers that have opted out, or only the others.")
    suppressed = Switch("Only numbers on the suppression list, or only the others.")
