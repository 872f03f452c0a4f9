"""Call."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from server.lib import clock
from server.lib.db import Id, Model


class Call(Model):
    """One phone call with a caller, reported by whoever handles calls. It inherits the lead's source and tokens."""

    __tablename__ = "call"
    __table_args__ = (
        Index("ix_call_company_id_caller_id", "company_id", "caller_id", "offer_id"),
        Index("ix_call_company_id_created_at", "company_id", "created_at", "id"),
        Index("uq_call_external_id", "company_id", "external_id", unique=True),
        CheckConstraint("direction in ('inbound', 'outbound')", name="direction"),
        CheckConstraint("duration_seconds >= 0", name="duration"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    company_id: Mapped[int]
    lead_id: Mapped[str | None] = mapped_column(Id, ForeignKey("lead.id"))
    offer_id: Mapped[int | None]
    schedule_id: Mapped[int | None]
    caller_id: Mapped[str]
    direction: Mapped[str]
    external_id: Mapped[str | None]
    traffic_source_id: Mapped[int | None]
    traffic_source_text: Mapped[str | None]
    sub_id: Mapped[str | None]
    started_at: Mapped[datetime]
    duration_seconds: Mapped[int | None]
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)
