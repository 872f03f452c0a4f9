"""Number and NumberPool."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from server.lib import clock
from server.lib.db import Model, unique_in_use


class Number(Model):
    """A tracking number of the company, in E.164."""

    __tablename__ = "number"
    configures_intake = True
    __table_args__ = (unique_in_use("uq_number_number", "company_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("company.id"))
    number: Mapped[str]
    name: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)
    deleted_at: Mapped[datetime | None]


class NumberPool(Model):
    """Numbers that a schedule shows to the leads whose tokens fit `filters`: name -> the texts that are accepted."""

    __tablename__ = "number_pool"
    configures_intake = True
    __table_args__ = (
        unique_in_use("uq_number_pool_position", "company_id", "schedule_id", "kind", "position"),
        CheckConstraint("kind in ('dial', 'sms')", name="kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("company.id"))
    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedule.id"))
    kind: Mapped[str]
    name: Mapped[str]
    position: Mapped[int] = mapped_column(default=1)
    filters: Mapped[dict[str, Any]] = mapped_column(default=dict)
    number_ids: Mapped[list[int]] = mapped_column(default=list)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)
    deleted_at: Mapped[datetime | None]
