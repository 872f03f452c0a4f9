"""What a lead would be sent: the texts of its schedule's actions with its tokens filled in, for a dry run."""

from typing import Any

from server.leads.decide import Decision
from server.leads.payload import stored_lead
from server.leads.plan import Plan
from server.leads.substitute import render, values_of
from server.lib import json
from server.lib.ledger import Ledger

# Of a long schedule a dry run shows the beginning.
MOST = 20

ACTIONS = (
    "select schedule_action.id, schedule_action.position, schedule_action.kind, schedule_action.config"
    " from schedule_action where schedule_action.company_id = :company_id"
    " and schedule_action.schedule_id = :schedule_id and schedule_action.deleted_at is null"
    " and schedule_action.position >= coalesce((select position from schedule_action now_next"
    " where now_next.id = :next_action_id), 0) order by schedule_action.position"
)
NAMES = (
    "select (select name from offer where id = :offer_id and company_id = :company_id),"
    " (select name from schedule where id = :schedule_id and company_id = :company_id)"
)


def render_messages(ledger: Ledger, plan: Plan, decision: Decision) -> list[dict[str, Any]]:
    """The actions that are ahead of the lead, each with its texts as they would go out; none if nothing is planned."""
    lead = decision.lead
    if lead["next_action_at"] is None:
        return []
    asked = {name: lead[name] for name in ("company_id", "offer_id", "schedule_id", "next_action_id")}
    values = values_of(lead["data"], system_values(ledger, lead, asked))
    return [
        {"action_id": row[0], "position": row[1], "kind": row[2], "content": render(read(row[3]), values)}
        for row in ledger.rows(ACTIONS, asked)[:MOST]
    ]


def system_values(ledger: Ledger, lead: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    """The system tokens of a lead."""
    shown = stored_lead(lead, blocked=False, opt_out=False)
    offer_name, schedule_name = ledger.row(NAMES, asked) or (None, None)
    return shown | {
        "lead_id": lead["id"],
        "offer_name": offer_name,
        "schedule_name": schedule_name,
        "trackdrive_number": lead["trackdrive_number"],
        "sms_number": lead["sms_number"],
    }


def read(config: Any) -> Any:
    """A JSON column: text on SQLite."""
    return json.load(config) if isinstance(config, str) else config
