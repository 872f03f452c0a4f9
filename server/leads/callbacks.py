"""What a request does to a lead's callback: books it, moves it, or lets it go with the lead. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from server.leads.match import Warnings, no_effect
from server.leads.plan import Plan, Why
from server.leads.state import ContactState
from server.lib import secrets


@dataclass(frozen=True, slots=True)
class Booking:
    """A callback to write: a new one, or the lead's own at another time."""

    id: str
    at: datetime
    moves: bool


@dataclass(frozen=True, slots=True)
class CallbackChange:
    """What becomes of the lead's callback."""

    booking: Booking | None = None
    cancelled_id: str | None = None
    why: Why | tuple[()] = ()
    warnings: Warnings | tuple[()] = ()


def decide_callback(plan: Plan, lead: dict[str, Any], contact: ContactState) -> CallbackChange:
    """Writes the callback into the lead and says what to do with its row; a lead has one at most."""
    held, at = lead["scheduled_callback_id"], plan.callback_at
    if contact.stopped or not lead["is_live"]:
        lead.update(scheduled_callback_id=None, scheduled_callback_at=None)
        rule = "no callback is booked for a number that is stopped, or a lead that has ended"
        return let_go(plan, held, rule) if held or at is not None else CallbackChange()
    if at is None:
        return CallbackChange()
    read = {"scheduled_callback_at": lead["scheduled_callback_at"], "asked": at}
    if held is not None and plan.public:
        rule = "a callback is booked already, which a publishable token does not move"
        why = {"step": "callback", "read": read, "decided": lead["scheduled_callback_at"], "rule": rule, "record": held}
        return CallbackChange(why=[why])
    booking = Booking(held or secrets.new_id(), at, moves=held is not None)
    lead.update(scheduled_callback_id=booking.id, scheduled_callback_at=at)
    rule = "the lead's callback is moved" if booking.moves else "a callback is booked"
    why = {"step": "callback", "read": read, "decided": at, "rule": rule, "record": booking.id}
    return CallbackChange(booking, why=[why])


def let_go(plan: Plan, held: str | None, rule: str) -> CallbackChange:
    """The callback that the lead had is cancelled, and one that was wished is not booked."""
    why = {"step": "callback", "read": {"asked": plan.callback_at}, "decided": None, "rule": rule, "record": held}
    wished = [name for name in ("schedule_callback_at", "schedule_callback_in_seconds") if name in plan.asked.fields]
    warnings = [no_effect(name, rule) for name in wished[:1]]
    return CallbackChange(cancelled_id=held, why=[why], warnings=warnings)
