"""The numbers that a lead is shown: one for calls and one for messages, from the pools of its schedule. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from server.leads.match import Warnings
from server.leads.plan import Plan, Why
from server.numbers.rules import Pool, choose

# The wish, the kind of pool that answers it, and the lead's column.
WISHES = {
    "assign_trackdrive_number": ("dial", "trackdrive_number"),
    "assign_sms_number": ("sms", "sms_number"),
}


def assign_numbers(plan: Plan, lead: dict[str, Any]) -> tuple[Why, Warnings]:
    """Writes the numbers that were wished into the lead; why, and what to tell the sender. A lead keeps what it has."""
    why: Why = []
    warnings: Warnings = []
    pools: Sequence[Pool] = plan.grant.pools.get(lead["schedule_id"], ())
    for wish, (kind, column) in WISHES.items():
        if not plan.asked.fields.get(wish) or (plan.public and lead[column] is not None):
            continue
        number, step = choose(pools, kind, filterable(lead), lead["caller_id"], lead[column])
        lead[column] = number.number if number else None
        why.append(step)
        if number is None:
            text = f"{wish}: there is no number to assign, for {step['rule']}."
            warnings.append({"param": wish, "code": "no_number", "message": text})
    return why, warnings


def filterable(lead: Mapping[str, Any]) -> dict[str, Any]:
    """What a pool's filters may look at: the lead's tokens and its own fields."""
    return {
        **lead["data"],
        "caller_id": lead["caller_id"],
        "email": lead["email"],
        "traffic_source_id": lead["traffic_source_text"],
        "sub_id": lead["sub_id"],
    }
