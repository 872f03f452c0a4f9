"""What a request does to the one lead that its path names: update, opt out, remove, end, delete, restore,
release. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from server.errors import Refused
from server.lead_tokens.rules import Grant
from server.leads.accept import accept
from server.leads.callbacks import decide_callback
from server.leads.change import changed_lead, end, enter, later
from server.leads.decide import Decision, decide_contact, follow, nothing_to_update
from server.leads.match import gone
from server.leads.plan import Plan
from server.leads.state import State
from server.lib import clock

LIVE_STATUSES = frozenset({"scheduled", "waiting", "held", "blocked", "opt_out"})


def decide_named(plan: Plan, state: State) -> Decision:
    """What becomes of the lead; raises Refused."""
    lead = state.named
    if lead is None:
        raise nothing_to_update()
    check_seen(plan, lead)
    contact, stops, why_contact = decide_contact(plan, state.contact)
    decision = Decision(
        "updated",
        dict(lead),
        contact,
        before=lead,
        contact_is_new=state.contact is None,
        contact_changed=contact is not state.contact,
        stops=stops,
        why=[why_contact, matched(plan, lead)],
    )
    VERBS[plan.posting.verb or "update"](plan, state, decision)
    if decision.writes_lead:
        decision.lead["updated_at"] = later(lead["updated_at"], plan.now)
    return decision


def matched(plan: Plan, lead: Mapping[str, Any]) -> dict[str, Any]:
    """Why this lead is meant."""
    rule = "the lead of the number in the path" if plan.posting.names_number else "the lead that the path names"
    return {
        "step": "match",
        "read": {"path": plan.posting.subject},
        "decided": lead["id"],
        "rule": rule,
        "record": lead["id"],
    }


def belongs(lead: Mapping[str, Any], grant: Grant) -> bool:
    """Whether a token may name the lead: its owner's, or an offer's that holds the lead's schedule."""
    if grant.schedule_id is not None:
        return bool(lead["schedule_id"] == grant.schedule_id)
    return bool(lead["offer_id"] == grant.offer_id)


def no_such_lead(plan: Plan) -> Refused:
    """The refusal of a path that names no lead that may be meant."""
    text = "is not a lead of this company" if plan.posting.by_key else "is not a lead of this token"
    return Refused(
        "not_found", f"lead_id {text}", {"lead_id": [text]}, f"lead_id {text}. Send the lead_id of an answer."
    )


def check_seen(plan: Plan, lead: Mapping[str, Any]) -> None:
    """Refuses an edit that rests on a state which is no more."""
    expected = plan.posting.expected
    if expected is not None and expected != clock.text(lead["updated_at"]):
        text = "has changed since it was read"
        detail = f"The lead {text}: it is of {clock.text(lead['updated_at'])} now. Read it again and repeat the change."
        raise Refused("edit_conflict", f"The lead {text}", {"updated_at": [text]}, detail)


def update(plan: Plan, state: State, decision: Decision) -> None:
    """Writes what was sent, also into a lead that has ended."""
    live = state.live
    if live is not None and decision.lead["is_live"] and plan.phone.e164 != decision.lead["caller_id"]:
        text = f"has a live lead here already: {live['id']}"
        raise Refused("invalid_parameter", f"caller_id {text}", {"caller_id": [text]})
    decision.why += accept(plan, state, decision.before)
    decision.lead = changed_lead(plan, decision.lead, decision.contact)
    follow(plan, decision)


def opt_out(plan: Plan, state: State, decision: Decision) -> None:
    """Opts the number out, of whatever state its lead is."""
    if not decision.contact_changed:
        unchanged(decision, "opt_out", "the number is opted out already")
        return
    if decision.lead["is_live"]:
        decision.lead.update(status=decision.contact.stopped_status, next_action_at=None)
    decision.callback = decide_callback(plan, decision.lead, decision.contact)
    explain(decision, "opt_out", "the number is opted out: its live leads stop")


def remove(plan: Plan, state: State, decision: Decision) -> None:
    """Takes the lead out for good: no action follows, not even that of a schedule's end."""
    if decision.lead["status"] == "removed":
        unchanged(decision, "remove", "the lead is removed already")
        return
    finish(plan, decision, "removed", "no further action")


def finish_schedule(plan: Plan, state: State, decision: Decision) -> None:
    """Ends the lead now, as if its schedule had run through."""
    if not decision.lead["is_live"]:
        unchanged(decision, "end", "the lead has ended already")
        return
    finish(plan, decision, "completed", "the actions of the schedule's end follow")


def finish(plan: Plan, decision: Decision, status: str, rule: str) -> None:
    """Ends the lead and cancels its callback."""
    end(decision.lead, status, plan.now)
    decision.callback = decide_callback(plan, decision.lead, decision.contact)
    explain(decision, "end", f"{status}: {rule}")


def delete(plan: Plan, state: State, decision: Decision) -> None:
    """Deletes the lead, restorably."""
    lead = decision.lead
    if lead["deleted_at"] is not None:
        unchanged(decision, "delete", "the lead is deleted already")
        return
    lead.update(status_before_deletion=lead["status"], next_action_before_deletion_at=lead["next_action_at"])
    lead["deleted_at"] = plan.now
    finish(plan, decision, "removed", "the lead is deleted")


def restore(plan: Plan, state: State, decision: Decision) -> None:
    """Undoes a deletion: the lead is what it was, and what was planned is planned again."""
    lead = decision.lead
    if not gone(lead, plan.now):
        unchanged(decision, "restore", "the lead is not deleted")
        return
    if lead["deleted_at"] is None:
        # Its time had come, and nobody has marked it yet: there is nothing else to undo.
        lead["deletes_at"] = None
        explain(decision, "restore", "the lead stays beyond the time at which it was to be deleted")
        return
    status, next_at = lead["status_before_deletion"] or "removed", lead["next_action_before_deletion_at"]
    lives = status in LIVE_STATUSES
    if lives and state.live is not None:
        text = f"cannot be live again: {state.live['id']} is the live lead of this number now"
        raise Refused("edit_conflict", f"The lead {text}", {"lead_id": [text]}, f"The lead {text}. End that one first.")
    lead.update(deleted_at=None, status_before_deletion=None, next_action_before_deletion_at=None, status=status)
    if lead["deletes_at"] is not None and lead["deletes_at"] <= plan.now:
        # Its time would delete it again at once.
        lead["deletes_at"] = None
    if lives:
        stopped = decision.contact.stopped_status
        lead.update(is_live=True, ended_at=None, status=stopped or status, next_action_at=None if stopped else next_at)
    explain(decision, "restore", "the lead is what it was before it was deleted")


def release(plan: Plan, state: State, decision: Decision) -> None:
    """Lets a lead that was held enter its schedule, or wait for the next call."""
    lead = decision.lead
    if lead["held_at"] is None or not lead["is_live"]:
        unchanged(decision, "release", "the lead is not held")
        return
    lead.update(held_at=None, held_by=None)
    released = f"released, for {plan.posting.because}" if plan.posting.because else "released"
    if decision.contact.stopped:
        explain(decision, "release", f"{released}, but the number is blocked, suppressed or opted out")
        return
    step = plan.grant.first_steps.get(lead["schedule_id"])
    explain(decision, "release", f"{released}: {enter(lead, step, None, plan.now)}")


def unchanged(decision: Decision, step: str, rule: str) -> None:
    """Leaves the lead alone."""
    decision.action = "unchanged"
    decision.why.append({"step": step, "decided": "unchanged", "rule": rule, "record": decision.lead["id"]})


def explain(decision: Decision, step: str, rule: str) -> None:
    """Says what was done."""
    why = {"step": step, "decided": decision.lead["status"], "rule": rule, "record": decision.lead["id"]}
    decision.why += [why, *decision.callback.why]


VERBS: Mapping[str, Callable[[Plan, State, Decision], None]] = {
    "update": update,
    "opt_out": opt_out,
    "remove": remove,
    "end": finish_schedule,
    "delete": delete,
    "restore": restore,
    "release": release,
}
