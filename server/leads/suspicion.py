"""What looks like a program where a page sends a lead: it is kept, unseen by its sender, until somebody releases it.
Pure."""

from datetime import timedelta
from typing import Any

from server.consent.stamp import Freshness
from server.errors import Refused
from server.leads.accept import stops
from server.leads.plan import Plan

# Nobody reads a consent text and ticks its box within it.
LEAST = timedelta(seconds=1)
# The clocks of visitors may be wrong, but not by more.
AHEAD = timedelta(days=1)

HONEYPOT, STALE_STAMP, BURST, OPT_OUTS = "honeypot", "stale_stamp", "burst", "opt_outs"
# The parameter that each reason is about, what is said of it, and the rule.
SAID = {
    HONEYPOT: ("hp", "is filled in", "people do not see this field: a program has filled in the form"),
    STALE_STAMP: (
        "consent.stamp",
        "is not fresh, and the form was filled in faster than people do",
        "a page that was loaded lately sends a fresh stamp, and people take a second or more",
    ),
    BURST: (
        "remote_ip",
        "has sent more within a minute with this token than people fill in",
        "one address sends so many leads a minute only if a program does",
    ),
    OPT_OUTS: (
        "remote_ip",
        "has stopped more numbers within an hour than people have",
        "one address opts so many numbers out, or blocks them, only if a program does",
    ),
}


class Quarantined(Refused):
    """A lead that is kept apart; `why` is the step that says so."""

    why: dict[str, Any]


def suspicion(plan: Plan) -> str | None:
    """Why a lead looks as if no person had sent it; None if it does not. What stops calls is heard whoever says it, but
    not for a whole list of numbers; and what is taken once more was looked at by who has a key."""
    if not plan.public or plan.posting.original is not None:
        return None
    if stops(plan):
        return OPT_OUTS if plan.stops_many else None
    if plan.asked.fields.get("hp"):
        return HONEYPOT
    if plan.burst:
        return BURST
    if plan.consent.stamp is not None and plan.consent.stamp.freshness is not Freshness.FRESH and hasty(plan):
        return STALE_STAMP
    return None


def quarantined(plan: Plan, reason: str) -> Quarantined:
    """The refusal of which only the token's owner hears."""
    name, text, rule = SAID[reason]
    refusal = Quarantined("quarantined", f"{name} {text}", {name: [text]}, f"{name} {text}: {rule}.")
    refusal.why = {"step": "suspicion", "read": what_was_read(plan, reason), "decided": reason, "rule": rule}
    return refusal


def what_was_read(plan: Plan, reason: str) -> dict[str, Any]:
    """What the reason rests on; what was sent stands in the submission itself."""
    given, stamp = plan.consent.given, plan.consent.stamp
    if reason == STALE_STAMP and given is not None and stamp is not None:
        return {"stamp": stamp.freshness, "shown_at": given.shown_at, "granted_at": given.granted_at}
    return {"hp": "filled in"} if reason == HONEYPOT else {"remote_ip": plan.posting.remote_ip}


def hasty(plan: Plan) -> bool:
    """Whether the box was ticked sooner after it was shown than people can, or at times that cannot be."""
    given = plan.consent.given
    if given is None or given.shown_at is None or given.granted_at is None:
        return False
    return given.granted_at - given.shown_at < LEAST or given.shown_at - plan.now > AHEAD
