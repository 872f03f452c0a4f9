"""Create or update: what a plan does to what is stored. Pure; the database then judges whether the reading was true."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from server.errors import Refused
from server.leads.accept import accept
from server.leads.assign import assign_numbers
from server.leads.callbacks import CallbackChange, decide_callback
from server.leads.change import changed_lead, lift_hold, new_lead, plan_action
from server.leads.match import DELETE, clear_existing, double_click, find_lead, no_effect, overdue
from server.leads.plan import Plan, Why
from server.leads.state import ContactState, State
from server.lib import secrets


@dataclass(slots=True)
class Decision:
    """What is to be written: the lead as it will be, and the rows beside it."""

    action: str
    lead: dict[str, Any]
    contact: ContactState
    before: dict[str, Any] | None = None
    ended: dict[str, Any] | None = None
    # Further leads that this request updates too, as they were and as they will be.
    others: list[tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=list)
    callback: CallbackChange = field(default_factory=CallbackChange)
    writes_calls: bool = False
    deletes: bool = False
    contact_is_new: bool = False
    contact_changed: bool = False
    stops: bool = False
    why: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[dict[str, str]] = field(default_factory=list)

    @property
    def matched_by(self) -> str:
        """The rule that found the lead or found none."""
        return next(str(each["rule"]) for each in self.why if each["step"] == "match")

    @property
    def writes_lead(self) -> bool:
        """Whether the lead itself is written."""
        return self.action in ("created", "updated")

    @property
    def event(self) -> str:
        """What has happened to the lead, as it is told to others."""
        before = self.before
        if before is None:
            return "lead.created"
        if before["deleted_at"] != self.lead["deleted_at"]:
            return "lead.restored" if self.lead["deleted_at"] is None else "lead.deleted"
        return "lead.ended" if before["is_live"] and not self.lead["is_live"] else "lead.updated"


def decide(plan: Plan, state: State) -> Decision:
    """What this request does now; raises Refused when it may only update and there is nothing to update, or when an
    acceptance rule turns it away."""
    contact, stops, why_contact = decide_contact(plan, state.contact)
    changes_contact = contact is not state.contact
    match = find_lead(plan, state, changes_contact)
    found, ended = match.found, match.ended
    double = double_click(plan, state, found) if found is not None and not changes_contact else None
    if found is not None and double is not None:
        # The lead that a vendor's id names may have got another number since.
        known = state.contact_of(found, plan.phone.e164) or contact
        return Decision(double["decided"], found, known, found, why=[why_contact, match.why, double])
    clears, why_clear, warnings = clear_existing(plan, state, found)
    if clears:
        found, ended = None, state.live
    if found is None and plan.asked.fields.get("update_only"):
        raise nothing_to_update()
    why_accept = accept(plan, state, found)
    why_hold: Why = []
    if found is None:
        action, lead = "created", new_lead(plan, contact)
    else:
        action, lead = "updated", changed_lead(plan, found, contact)
        why_hold, lifted = lift_hold(plan, lead)
        warnings = [*warnings, *lifted]
    decision = Decision(
        action,
        lead,
        contact,
        before=found,
        ended=ended,
        deletes=clears == DELETE,
        contact_is_new=state.contact is None,
        contact_changed=changes_contact,
        stops=stops,
        why=[why_contact, match.why, *why_clear, *why_accept, *why_hold],
        warnings=warnings,
    )
    follow(plan, decision)
    update_others(plan, state, decision)
    return decision


def nothing_to_update() -> Refused:
    """The refusal of an update without a lead."""
    return Refused(
        "no_matching_lead",
        "There is no live lead of this number",
        {"caller_id": ["has no live lead"]},
        "Only a live lead was to be changed, and this number has none here. Send the lead to `POST /api/v1/leads`"
        " without update_only to make one.",
    )


def follow(plan: Plan, decision: Decision) -> None:
    """What follows for a lead that is written: its next action, its numbers, its callback, its calls."""
    lead, contact = decision.lead, decision.contact
    planned, idle = plan_action(plan, lead, contact, new=decision.before is None)
    why_numbers, missing = assign_numbers(plan, lead)
    decision.callback = decide_callback(plan, lead, contact)
    why_calls = apply_to_calls(plan, lead)
    decision.writes_calls = bool(why_calls and why_calls[0]["decided"])
    decision.why += [planned, *why_numbers, *decision.callback.why, *why_calls]
    decision.warnings += [*idle, *missing, *decision.callback.warnings]
    if why_calls and not decision.writes_calls:
        decision.warnings.append(no_effect("apply_to", why_calls[0]["rule"]))


def apply_to_calls(plan: Plan, lead: Mapping[str, Any]) -> Why:
    """Whether the tokens go to the calls of this number under the lead's offer or schedule as well."""
    if not plan.asked.fields.get("apply_to"):
        return []
    under = {"offer_id": lead["offer_id"], "schedule_id": lead["schedule_id"]}
    sent = bool(plan.asked.tokens)
    rule = "the number's calls under the offer get the tokens too" if sent else "no tokens were sent"
    return [{"step": "calls", "read": under, "decided": sent, "rule": rule}]


def update_others(plan: Plan, state: State, decision: Decision) -> None:
    """The rest of the number's live leads under the offer, where all of them are meant."""
    if not plan.asked.fields.get("update_all_matching_leads"):
        return
    written = {each["id"] for each in (decision.lead, decision.before, decision.ended) if each is not None}
    candidates = [lead for lead in (*state.elsewhere, state.live) if lead is not None and lead["id"] not in written]
    for lead in candidates:
        if overdue(lead, plan.now):
            continue
        after = changed_lead(plan, lead, decision.contact)
        if decision.contact.stopped:
            after.update(
                status=decision.contact.stopped_status,
                next_action_at=None,
                scheduled_callback_id=None,
                scheduled_callback_at=None,
            )
        decision.others.append((lead, after))
    decision.why.append(
        {
            "step": "update_all",
            "read": {"candidates": [lead["id"] for lead in candidates]},
            "decided": [lead["id"] for lead, _ in decision.others],
            "rule": "every other live lead of this number under the token's offer gets data and fields too",
        }
    )


def decide_contact(plan: Plan, stored: ContactState | None) -> tuple[ContactState, bool, dict[str, Any]]:
    """The number's state after this request, whether that stops its leads, and why."""
    before = stored or ContactState(secrets.new_id(), 1)
    fields = plan.asked.fields
    # A request that blocks and unblocks blocks: what stops calls wins.
    wish = False if fields.get("unblock_contact") and not fields.get("blocked") else fields.get("blocked")
    blocked_at = toggled(before.blocked_at, wish, plan.now)
    opted_out_at = toggled(before.opted_out_at, plan.asked.fields.get("opt_out"), plan.now)
    blocks = before.blocked_at is None and blocked_at is not None
    stops = blocks or (before.opted_out_at is None and opted_out_at is not None)
    changed = (blocked_at, opted_out_at) != (before.blocked_at, before.opted_out_at)
    after = before
    if changed:
        after = ContactState(before.id, before.version, blocked_at, opted_out_at, before.suppressed_at)
    if stored is None and not changed:
        decided, rule = "new contact", "the number is new to this company"
    elif changed:
        decided, rule = "changed", "the request set or lifted a block or an opt-out"
    else:
        decided, rule = "kept", "the request says nothing new of the number"
    read = {"blocked": before.blocked_at is not None, "opt_out": before.opted_out_at is not None}
    if before.suppressed_at is not None:
        read["suppressed"] = True
    return after, stops, {"step": "contact", "read": read, "decided": decided, "rule": rule, "record": before.id}


def toggled(stored: datetime | None, wish: bool | None, now: datetime) -> datetime | None:
    """A state that is a time: set once, cleared by false, kept by silence."""
    if wish is None:
        return stored
    return (stored or now) if wish else None
