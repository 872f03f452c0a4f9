"""What looks like a program where a page sends a lead: it is kept, unseen by its sender, until somebody releases it.
Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from marshmallow import ValidationError

from server.consent.stamp import Freshness, read_stamp
from server.errors import Refused
from server.leads.accept import stops
from server.leads.params import blank
from server.leads.plan import Plan
from server.leads.schemas import Time

# Nobody reads a consent text and ticks its box within it.
LEAST = timedelta(seconds=1)
# The clocks of visitors may be wrong, but not by more.
AHEAD = timedelta(days=1)

HONEYPOT, STALE_STAMP, BURST = "honeypot", "stale_stamp", "burst"
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
}


class Quarantined(Refused):
    """A lead that is kept apart; `why` is the step that says so."""

    why: dict[str, Any]


def suspicion(plan: Plan) -> str | None:
    """Why a lead looks as if no person had sent it; None if it does not. What stops calls is heard whoever says it, and
    what is taken once more was looked at by who has a key."""
    if not plan.public or plan.posting.original is not None or stops(plan):
        return None
    if plan.asked.fields.get("hp"):
        return HONEYPOT
    if plan.burst:
        return BURST
    consent = plan.posting.tree.get("consent")
    if isinstance(consent, dict) and not blank(consent.get("stamp")) and hasty(consent, plan.now) and worn(plan):
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
    if reason == STALE_STAMP:
        consent = plan.posting.tree["consent"]
        return {"stamp": freshness(plan).value} | {
            name: str(consent.get(name))[:100] for name in ("shown_at", "granted_at")
        }
    return {"hp": "filled in"} if reason == HONEYPOT else {"remote_ip": plan.posting.remote_ip}


def worn(plan: Plan) -> bool:
    """Whether the stamp is not one that a page has that was loaded lately."""
    return freshness(plan) is not Freshness.FRESH


def freshness(plan: Plan) -> Freshness:
    """What the stamp of a request shows."""
    grant = plan.grant
    text = plan.posting.tree["consent"]["stamp"]
    stamp = str(text) if isinstance(text, str) else ""
    return read_stamp(grant.stamp_key, grant.value, grant.disclosure_id, stamp, plan.now).freshness


def hasty(consent: Mapping[str, Any], now: datetime) -> bool:
    """Whether the box was ticked sooner after it was shown than people can, or at times that cannot be."""
    shown_at, granted_at = instant(consent.get("shown_at")), instant(consent.get("granted_at"))
    if shown_at is None or granted_at is None:
        return False
    return granted_at - shown_at < LEAST or shown_at - now > AHEAD


def instant(value: object) -> datetime | None:
    """A time that was sent; None for what is none. The script says the offset."""
    try:
        read: datetime = Time().deserialize(value)
        return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except (ValidationError, OverflowError):
        return None
