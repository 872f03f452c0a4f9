"""Schedule and its actions."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from server.lib import clock
from server.lib.db import Model, unique_in_use


class Schedule(Model):
    """A sequence of actions; usually it belongs to an offer. `acceptance` is what AcceptanceSchema has loaded."""

    __tablename__ = "schedule"
    configures_intake = True

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("company.id"), index=True)
    offer_id: Mapped[int | None] = mapped_column(ForeignKey("offer.id"))
    name: Mapped[str]
    acceptance: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)
    deleted_at: Mapped[datetime | None]


class ScheduleAction(Model):
    """One step, `delay_seconds` after the step before it. Its kind is open: channels bring their own."""

    __tablename__ = "schedule_action"
    configures_intake = True
    __table_args__ = (
        unique_in_use("uq_schedule_action_position", "company_id", "schedule_id", "position"),
        CheckConstraint("delay_seconds >= 0", name="delay"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("company.id"))
    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedule.id"))
    position: Mapped[int]
    kind: Mapped[str]
    delay_seconds: Mapped[int] = mapped_column(default=0)
    config: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)
    deleted_at: Mapped[datetime | None]
