"""Which stored lead a request means, whether it came before, and what ends before a new one is made. Pure."""

from datetime import datetime, timedelta
from typing import Any

from server.leads.plan import Plan, Why
from server.leads.state import State

# An identical submission within this time is a double click.
DOUBLE_CLICK = timedelta(minutes=10)

DELETE, EXPIRE = "delete_existing", "expire_existing"
RULES = {
    DELETE: "every lead of this owner and number is deleted before a new one is made",
    EXPIRE: "the live lead of this owner and number expires before a new one is made",
}

Warnings = list[dict[str, str]]


def find_lead(plan: Plan, state: State) -> tuple[dict[str, Any] | None, dict[str, Any] | None, dict[str, Any]]:
    """The lead that is meant, the one that is overdue and must end first, and why; the losers are named too."""
    live, named = state.live, state.vendor_lead
    elsewhere = next((lead for lead in state.elsewhere if not overdue(lead, plan.now)), None)
    candidates = [
        {"record": lead["id"], "by": by, "status": lead["status"], "live": lead["is_live"]}
        for lead, by in ((named, "vendor_lead_id"), (live, "number"), (elsewhere, "offer"))
        if lead is not None
    ]
    if named is not None and gone(named, plan.now):
        named = None
    late = live is not None and overdue(live, plan.now)
    found, ended = live, None
    rule = "the live lead of this owner and number"
    if named is not None and state.vendor is not None and state.vendor.content_hash == plan.content_hash:
        found, rule = named, "the lead that the vendor's own id names, with the content that it has"
    elif live is not None and late and (named is None or named["id"] != live["id"]):
        found, ended, rule = elsewhere, live, "the live lead had run out of time: it ends, and a new one is made"
        if elsewhere is not None:
            rule = "the live lead had run out of time: it ends, and the latest elsewhere under the offer is meant"
    elif named is not None and (live is None or late):
        found, rule = named, "the lead that the vendor's own id names"
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
    return found, ended, why


def overdue(lead: dict[str, Any], now: datetime) -> bool:
    """Whether the lead has left its schedule or its life by time, though nothing has marked it yet."""
    return any(lead[name] is not None and lead[name] <= now for name in ("expires_at", "deletes_at"))


def gone(lead: dict[str, Any], now: datetime) -> bool:
    """Whether the lead is deleted, or was to be by now."""
    return lead["deleted_at"] is not None or (lead["deletes_at"] is not None and lead["deletes_at"] <= now)


def double_click(plan: Plan, state: State, found: dict[str, Any]) -> dict[str, Any] | None:
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
        rule = "identical to the latest submission, within ten minutes, and the lead has not changed since"
        return {"step": "repeat", "decided": "unchanged", "rule": rule}
    return None


def clear_existing(plan: Plan, live: dict[str, Any] | None) -> tuple[str | None, Why, Warnings]:
    """Whether what is there ends before a new lead is made, and how: deleting goes further than expiring, and who may
    only update takes nothing away."""
    wishes = [name for name in (DELETE, EXPIRE) if plan.asked.fields.get(name)]
    if not wishes:
        return None, [], []
    left: dict[str, str] = {}
    if plan.asked.fields.get("update_only"):
        left = dict.fromkeys(wishes, "update_only was sent, which takes nothing away")
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
