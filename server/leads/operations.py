"""Stopping what is planned for numbers, outside the hot path. Nothing here commits.

Whoever calls has written the numbers' contacts before, in the same transaction: intake, which raises the contact's
version with each lead that it writes, has then come before us or decides again after us.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnExpressionArgument, func, or_, select, update

from server.leads.change import later
from server.leads.models import Callback, Lead
from server.lib.db import batches, db


def stop_numbers(company_id: int, numbers: Sequence[str], status: str, now: datetime) -> None:
    """Takes every pending action from these numbers: their live leads get the status and no next action, their open
    callbacks are cancelled."""
    for batch in batches(numbers):
        cancel_callbacks(company_id, batch, now)
        stop_leads(company_id, batch, status, now)


def cancel_callbacks(company_id: int, numbers: Sequence[str], now: datetime) -> None:
    """Cancels the callbacks that were booked with these numbers, also where the lead has another number since."""
    its_lead = select(Lead.id).where(Lead.company_id == company_id, Lead.caller_id.in_(numbers))
    booked = (
        Callback.company_id == company_id,
        Callback.done_at.is_(None),
        Callback.cancelled_at.is_(None),
        or_(Callback.caller_id.in_(numbers), Callback.lead_id.in_(its_lead)),
    )
    leads = db.session.scalars(select(Callback.lead_id).where(*booked)).all()
    db.session.execute(update(Callback).where(*booked).values(cancelled_at=now))
    for batch in batches(leads):
        holds = (Lead.company_id == company_id, Lead.id.in_(batch), Lead.scheduled_callback_id.is_not(None))
        change_leads(holds, now, scheduled_callback_id=None, scheduled_callback_at=None)


def stop_leads(company_id: int, numbers: Sequence[str], status: str, now: datetime) -> None:
    """Takes the next action from the live leads of these numbers; one that is stopped already stays as it is."""
    planned = (
        Lead.company_id == company_id,
        Lead.caller_id.in_(numbers),
        Lead.is_live,
        or_(Lead.next_action_at.is_not(None), Lead.status != status),
    )
    change_leads(planned, now, status=status, next_action_at=None)


def change_leads(which: Sequence[ColumnExpressionArgument[bool]], now: datetime, **values: object) -> None:
    """Changes leads and moves their `updated_at`, on which intake's writes rest, past all that it has been."""
    latest = db.session.scalar(select(func.max(Lead.updated_at)).where(*which))
    if latest is not None:
        db.session.execute(update(Lead).where(*which).values(updated_at=later(latest, now), **values))
