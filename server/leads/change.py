"""What a request makes of a lead: the new row, or the stored one changed; and what is planned for it. Pure."""

from datetime import datetime, timedelta
from typing import Any

from server.lead_tokens.rules import PUBLIC
from server.leads.accept import stops
from server.leads.match import Warnings, no_effect, overdue
from server.leads.plan import Plan, Why
from server.leads.state import COLUMNS, ContactState
from server.lib import secrets
from server.schedules.rules import Step, due

# Fields of the schema that are columns of the lead under the same name.
SAME_NAME = ("email", "contact_field_type", "lead_priority", "max_contact_attempts")
MILLISECOND = timedelta(milliseconds=1)


def new_lead(plan: Plan, contact: ContactState) -> dict[str, Any]:
    """The row of a lead that this request makes."""
    grant, fields, attribution = plan.grant, plan.asked.fields, plan.attribution
    lead: dict[str, Any] = dict.fromkeys(COLUMNS)
    lead.update(
        id=secrets.new_id(),
        company_id=grant.company_id,
        contact_id=contact.id,
        owner_kind=grant.owner_kind,
        owner_id=grant.owner_id,
        offer_id=grant.offer_id,
        schedule_id=grant.schedule_id,
        lead_token_id=grant.token_id,
        caller_id=plan.phone.e164,
        is_live=True,
        test=plan.phone.test,
        contact_attempts=0,
        expires_at=plan.expires_at,
        deletes_at=plan.deletes_at,
        held_at=plan.now if plan.consent.held else None,
        held_by=plan.powers if plan.consent.held else None,
        traffic_source_id=attribution.source_id,
        traffic_source_text=attribution.text,
        sub_id=attribution.sub_id,
        data=plan.asked.tokens,
        remote_ip=plan.posting.remote_ip,
        created_at=plan.now,
        updated_at=plan.now,
    )
    lead.update({name: fields.get(name) for name in SAME_NAME})
    return lead


def changed_lead(plan: Plan, stored: dict[str, Any], contact: ContactState) -> dict[str, Any]:
    """The stored lead with what was sent: replaced and merged, or, with publishable powers, only filled in."""
    lead = dict(stored)
    sent = {name: plan.asked.fields[name] for name in SAME_NAME if name in plan.asked.fields}
    sent |= {name: at for name in ("expires_at", "deletes_at") if (at := getattr(plan, name)) is not None}
    if plan.public:
        lead.update({name: value for name, value in sent.items() if lead[name] is None})
        lead["data"] = plan.asked.tokens | stored["data"]
    else:
        lead.update(sent)
        lead["data"] = stored["data"] | plan.asked.tokens
        # A vendor's test makes no test of a lead that is none: it would never be called again.
        test = plan.phone.test and (stored["test"] or plan.phone.e164 != stored["caller_id"])
        lead.update(caller_id=plan.phone.e164, contact_id=contact.id, test=test)
    attribute(plan, lead)
    lead["updated_at"] = later(stored["updated_at"], plan.now)
    if stored["is_live"] and overdue(stored, plan.now):
        lead.update(is_live=False, status="expired", ended_at=plan.now, next_action_at=None)
    return lead


def attribute(plan: Plan, lead: dict[str, Any]) -> None:
    """Keeps the first touch; a person who edits a lead may correct it."""
    attribution = plan.attribution
    untouched = lead["traffic_source_text"] is None and lead["sub_id"] is None
    if untouched or plan.posting.endpoint == "edit":
        sent = {"traffic_source_id": attribution.source_id, "traffic_source_text": attribution.text}
        lead.update(sent if untouched or "traffic_source_id" in plan.asked.fields else {})
        lead.update({"sub_id": attribution.sub_id} if untouched or attribution.sub_id is not None else {})


def lift_hold(plan: Plan, lead: dict[str, Any]) -> tuple[Why, Warnings]:
    """Frees a lead that only a page's consent has held, now that a server brings it: a stranger must not stop what is
    yet to come. A server's own consent to another text holds it on."""
    if lead["held_at"] is None or plan.public or stops(plan):
        return [], []
    if plan.consent.held:
        lead["held_by"] = plan.powers
        return [], []
    if lead["held_by"] != PUBLIC:
        return [], []
    why = {
        "step": "hold",
        "read": {"held_at": lead["held_at"], "held_by": lead["held_by"]},
        "decided": "released",
        "rule": "a page's consent held it, and a page holds nothing that a server token brings",
        "record": lead["id"],
    }
    lead.update(held_at=None, held_by=None)
    text = "The lead was held for the text that a page had sent; it is held no more, for a server token brings it."
    return [why], [{"param": "consent", "code": "hold_lifted", "message": text}]


def later(stored: datetime, now: datetime) -> datetime:
    """The next `updated_at`: now, and never the same twice."""
    return max(now, stored + MILLISECOND)


def plan_action(plan: Plan, lead: dict[str, Any], contact: ContactState, new: bool) -> tuple[dict[str, Any], Warnings]:
    """Plans the lead's next action, or stops it; why, and what to tell the sender."""
    step = plan.grant.first_steps.get(lead["schedule_id"])
    asked_at = plan.asked.fields.get("next_action_at")
    restarts = bool(plan.asked.fields.get("restart_schedule"))
    # A lead whose number was free again by itself waits for somebody who may do more than add.
    stopped = lead["status"] in ("blocked", "opt_out") or (lead["status"] == "held" and lead["held_at"] is None)
    resumes = stopped and not plan.public
    if contact.stopped:
        rule = "the number is blocked, suppressed or opted out: nothing is planned"
        if lead["is_live"]:
            lead.update(status=contact.stopped_status, next_action_at=None)
    elif lead["is_live"] and (new or resumes or (restarts and step is not None)):
        rule = enter(lead, step, asked_at, plan.now)
    elif asked_at is not None and lead["is_live"] and lead["next_action_id"] is not None:
        lead["next_action_at"] = asked_at
        rule = "moved to next_action_at"
    else:
        rule = "kept as it was planned"
    why = {
        "step": "plan",
        "read": {
            "first_action": step.id if step else None,
            "next_action_at": asked_at,
            "restart_schedule": restarts,
        },
        "decided": lead["next_action_at"],
        "rule": rule,
        "record": lead["next_action_id"],
    }
    idle = []
    if restarts and (contact.stopped or step is None or not lead["is_live"]):
        idle.append("restart_schedule")
    if asked_at is not None and lead["next_action_at"] != asked_at:
        idle.append("next_action_at")
    return why, [no_effect(name, rule) for name in idle]


def enter(lead: dict[str, Any], step: Step | None, asked_at: datetime | None, now: datetime) -> str:
    """Puts a lead at the beginning of its owner, unless it is held; the rule that said so."""
    if lead["held_at"] is not None:
        lead.update(status="held", next_action_id=None, next_action_at=None)
        return "held: the visitor agreed to another text than the one that was reviewed; it waits to be released"
    if lead["schedule_id"] is None:
        lead.update(status="waiting")
        return "parked for the next call"
    lead.update(status="scheduled", next_action_id=None, next_action_at=None)
    if step is None:
        return "the schedule has no action"
    lead.update(next_action_id=step.id, next_action_at=asked_at or due(step, now))
    return "the schedule's first action" if asked_at is None else "the schedule's first action, at next_action_at"


def end(lead: dict[str, Any], status: str, now: datetime) -> None:
    """Ends a lead, or renames the end of one that has ended: nothing is planned for it any more."""
    lead.update(status=status, is_live=False, ended_at=lead["ended_at"] or now, next_action_at=None)
