"""A lead as the API shows it: what is stored, or no more than what a request sent. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from server.leads.assign import assign_numbers
from server.leads.match import Warnings
from server.leads.plan import Plan
from server.lib import clock


def time(instant: datetime | None) -> str | None:
    """A time, or nothing."""
    return None if instant is None else clock.text(instant)


# What a caller may pick with `columns`, in the order of the answer.
SHOWN = tuple(
    [
        "id",
        "caller_id",
        "email",
        "offer_id",
        "schedule_id",
        "traffic_source_id",
        "sub_id",
        "contact_field_type",
        "status",
        "is_live",
        "test",
        "lead_priority",
        "contact_attempts",
        "max_contact_attempts",
        "next_action_at",
        "scheduled_callback_at",
        "expires_at",
        "deletes_at",
        "blocked",
        "opt_out",
        "trackdrive_number_plain",
        "sms_number_plain",
        "data",
        "created_at",
        "updated_at",
    ]
)


def stored_lead(lead: Mapping[str, Any], blocked: bool, opt_out: bool) -> dict[str, Any]:
    """The lead of the database; a deleted one says when."""
    deleted = {"deleted_at": time(lead["deleted_at"])} if lead.get("deleted_at") else {}
    shown = {
        "id": lead["id"],
        "caller_id": lead["caller_id"],
        "email": lead["email"],
        "offer_id": lead["offer_id"],
        "schedule_id": lead["schedule_id"],
        "traffic_source_id": lead["traffic_source_text"],
        "sub_id": lead["sub_id"],
        "contact_field_type": lead["contact_field_type"],
        "status": lead["status"],
        "is_live": lead["is_live"],
        "test": lead["test"],
        "lead_priority": lead["lead_priority"],
        "contact_attempts": lead["contact_attempts"],
        "max_contact_attempts": lead["max_contact_attempts"],
        "next_action_at": time(lead["next_action_at"]),
        "scheduled_callback_at": time(lead["scheduled_callback_at"]),
        "expires_at": time(lead["expires_at"]),
        "deletes_at": time(lead["deletes_at"]),
        "blocked": blocked,
        "opt_out": opt_out,
        "trackdrive_number_plain": lead["trackdrive_number"],
        "sms_number_plain": lead["sms_number"],
        "data": lead["data"],
        "created_at": time(lead["created_at"]),
        "updated_at": time(lead["updated_at"]),
    }
    return shown | deleted


def sent_lead(plan: Plan, lead_id: str) -> tuple[dict[str, Any], Warnings]:
    """The lead as if this request were the first that we ever saw, and what to say of it: nothing in it comes from the
    database. The number of a lead that was named by its id was not sent."""
    fields, grant, attribution = plan.asked.fields, plan.grant, plan.attribution
    blocked, opt_out = fields.get("blocked") is True, fields.get("opt_out") is True
    status = "blocked" if blocked else "opt_out" if opt_out else "scheduled" if grant.schedule_id else "waiting"
    lead = {
        "id": lead_id,
        "caller_id": plan.phone.e164 if named_by_number(plan) else None,
        "offer_id": grant.offer_id,
        "schedule_id": grant.schedule_id,
        "traffic_source_text": attribution.text,
        "sub_id": attribution.sub_id,
        "status": status,
        "is_live": True,
        "test": plan.phone.test,
        "contact_attempts": 0,
        "next_action_at": None if blocked or opt_out else plan.first_action_at,
        "scheduled_callback_at": None if blocked or opt_out else plan.callback_at,
        "trackdrive_number": None,
        "sms_number": None,
        "expires_at": plan.expires_at,
        "deletes_at": plan.deletes_at,
        "data": plan.asked.tokens,
        "created_at": plan.now,
        "updated_at": plan.now,
    }
    lead |= {
        name: fields.get(name) for name in ("email", "contact_field_type", "lead_priority", "max_contact_attempts")
    }
    _, warnings = assign_numbers(plan, lead)
    return stored_lead(lead, blocked, opt_out), warnings


# What a server token is not told that does not show stored leads. Whatever stood there would be made up, or would tell
# what somebody else has sent of the number; so it is null in every answer, whether the lead is new or not.
UNTOLD = (
    "offer_id",
    "schedule_id",
    "status",
    "is_live",
    "contact_attempts",
    "next_action_at",
    "scheduled_callback_at",
    "expires_at",
    "deletes_at",
    "created_at",
    "updated_at",
)
# These a request may say, and is told if it does.
TOLD_IF_SENT = ("blocked", "opt_out")


def vendors_lead(plan: Plan, lead_id: str) -> tuple[dict[str, Any], Warnings]:
    """The lead as far as this request itself says it, and what to say of it: all else is null."""
    lead, warnings = sent_lead(plan, lead_id)
    lead |= dict.fromkeys(UNTOLD) | {name: plan.asked.fields.get(name) for name in TOLD_IF_SENT}
    if not named_by_number(plan):
        # All of these follow from a number that was not sent.
        lead |= dict.fromkeys(("test", "trackdrive_number_plain", "sms_number_plain"))
    return lead, warnings


def named_by_number(plan: Plan) -> bool:
    """Whether the request itself said the number."""
    return plan.posting.verb is None or plan.posting.names_number


def success(plan: Plan, action: str, lead: dict[str, Any], warnings: list[dict[str, str]]) -> dict[str, Any]:
    """The whole answer to a lead that was taken."""
    answer: dict[str, Any] = {
        "success": True,
        "status": 200,
        "errors": {},
        "warnings": warnings,
        "action": action,
        "lead_id": lead["id"],
        "lead": lead,
        "metadata": {
            "root": "lead",
            "request_id": plan.posting.request_id,
            "submission_id": None if plan.dry_run else plan.submission_id,
        },
    }
    if plan.lifted is not None:
        answer["matched"] = plan.lifted.matched
    if plan.posting.endpoint == "capture":
        answer["dedupe"] = {"action": action, "matched_lead_id": None, "rule": None}
    if plan.dry_run:
        answer["dry_run"] = True
    return answer
