"""Which stored lead a request means, whether it came before, and what ends before a new one is made. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from server.leads.plan import Plan, Why
from server.leads.state import State
from server.periods import DOUBLE_CLICK, RESTORABLE, spoken

DELETE, EXPIRE = "delete_existing", "expire_existing"
RULES = {
    DELETE: "every lead of this owner and number is deleted before a new one is made",
    EXPIRE: "the live lead of this owner and number expires before a new one is made",
}

Lead = dict[str, Any]
Warnings = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Match:
    """The lead that is meant, the one that is overdue and must end first, and why."""

    found: Lead | None
    ended: Lead | None
    why: dict[str, Any]


def find_lead(plan: Plan, state: State, changes_contact: bool) -> Match:
    """Which lead is meant; why names the losers too.

    Where the number's state changes, the same content under a vendor's id is no mere repetition.
    """
    live, elsewhere = state.live, next((lead for lead in state.elsewhere if not overdue(lead, plan.now)), None)
    candidates = [
        {"record": lead["id"], "by": by, "status": lead["status"], "live": lead["is_live"]}
        for lead, by in (
            (state.vendor_lead, "vendor_lead_id"),
            (live, "number"),
            (state.rival, "number"),
            (elsewhere, "offer"),
        )
        if lead is not None
    ]
    late = live is not None and overdue(live, plan.now)
    named = state.vendor_lead if state.vendor_lead is not None and not gone(state.vendor_lead, plan.now) else None
    found, ended, rule = live, None, "the live lead of this owner and number"
    repeated = state.vendor is not None and state.vendor.content_hash == plan.content_hash and not changes_contact
    if named is not None and repeated:
        found, rule = named, "the lead that the vendor's own id names, with the content that it has"
    elif named is not None and (live is None or late):
        found, ended, rule = find_named(plan, state, named)
    elif late:
        found, ended, rule = elsewhere, live, "the live lead had run out of time: it ends, and a new one is made"
        if elsewhere is not None:
            rule = "the live lead had run out of time: it ends, and the latest elsewhere under the offer is meant"
    elif live is None and elsewhere is not None:
        found, rule = elsewhere, "the latest live lead of this number elsewhere under the offer"
    elif live is None:
        rule = "no live lead of this owner and number: a new one is made"
    why = {
        "step": "match",
        "read": {"candidates": candidates},
        "decided": found["id"] if found else "new lead",
        "rule": rule,
        "record": found["id"] if found else None,
    }
    return Match(found, ended, why)


def find_named(plan: Plan, state: State, named: Lead) -> tuple[Lead, Lead | None, str]:
    """The lead that the vendor's own id names, unless another live one has the number where it is at home; one that
    has it no longer, for it has run out of time, ends first."""
    other = state.rival or state.live
    if other is None or other["id"] == named["id"] or not at_home(other, named):
        return named, None, "the lead that the vendor's own id names"
    if overdue(other, plan.now):
        return named, other, "the live lead had run out of time: it ends, and the vendor's own id names another"
    return other, None, "the live lead that has the number where the vendor's own id names one"


def at_home(lead: Lead, named: Lead) -> bool:
    """Whether both are of one schedule or offer."""
    return bool((lead["owner_kind"], lead["owner_id"]) == (named["owner_kind"], named["owner_id"]))


def overdue(lead: Lead, now: datetime) -> bool:
    """Whether the lead has left its schedule or its life by time, though nothing has marked it yet."""
    return any(lead[name] is not None and lead[name] <= now for name in ("expires_at", "deletes_at"))


def deleted_since(lead: Lead, now: datetime) -> datetime | None:
    """Since when the lead is deleted, be it that somebody did so or that its time has come; None while it is not."""
    due: datetime | None = lead["deletes_at"]
    at: datetime | None = lead["deleted_at"]
    return at or (due if due is not None and due <= now else None)


def gone(lead: Lead, now: datetime) -> bool:
    """Whether the lead is deleted, or was to be by now."""
    return deleted_since(lead, now) is not None


def lost(lead: Lead, now: datetime) -> bool:
    """Whether the lead is deleted for so long that nobody can bring it back."""
    since = deleted_since(lead, now)
    return since is not None and now - since > RESTORABLE


def double_click(plan: Plan, state: State, found: Lead) -> dict[str, Any] | None:
    """The reason to do nothing: the same content again, on a lead that has not changed since."""
    vendor, latest = state.vendor, state.latest.get(found["id"])
    if vendor is not None and vendor.lead_id == found["id"] and vendor.content_hash == plan.content_hash:
        return {
            "step": "repeat",
            "decided": "replayed",
            "rule": "the vendor's own id came with this content before",
        }
    if latest is None or latest.at is None:
        return None
    same = latest.content_hash == plan.content_hash and latest.lead_updated_at == found["updated_at"]
    if same and plan.now - latest.at < DOUBLE_CLICK:
        within = spoken(DOUBLE_CLICK)
        rule = f"identical to the latest submission, within {within}, and the lead has not changed since"
        return {"step": "repeat", "decided": "unchanged", "rule": rule}
    return None


def clear_existing(plan: Plan, state: State, found: Lead | None) -> tuple[str | None, Why, Warnings]:
    """Whether what is there ends before a new lead is made, and how: deleting goes further than expiring, who may only
    update takes nothing away, and neither does who means a lead elsewhere under the offer."""
    live = state.live
    is_elsewhere = found is not None and found["id"] in [lead["id"] for lead in state.elsewhere]
    wishes = [name for name in (DELETE, EXPIRE) if plan.asked.fields.get(name)]
    if not wishes:
        return None, [], []
    left: dict[str, str] = {}
    if plan.asked.fields.get("update_only"):
        left = dict.fromkeys(wishes, "update_only was sent, which takes nothing away")
    elif live is None and is_elsewhere:
        left = dict.fromkeys(wishes, "the live lead is elsewhere under the offer, and is updated")
    elif plan.grant.schedule_id is None:
        left = {EXPIRE: "a lead of an offer is in no schedule"}
    if DELETE in wishes and EXPIRE in wishes:
        left.setdefault(EXPIRE, "delete_existing goes further")
    clears = next((name for name in wishes if name not in left), None)
    why = {
        "step": "clear",
        "read": {"wishes": wishes, "live": live["id"] if live else None},
        "decided": clears,
        "rule": RULES[clears] if clears else "nothing is taken away",
        "record": live["id"] if live and clears else None,
    }
    return clears, [why], [no_effect(name, left[name]) for name in wishes if name in left]


def no_effect(name: str, reason: str) -> dict[str, str]:
    """The warning that a wish changes nothing here."""
    return {"param": name, "code": "no_effect", "message": f"{name} has no effect: {reason}."}
