"""Offer, and the contact fields and contact field types that leads are asked for."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from server.lib import clock
from server.lib.db import Json, Model, unique_in_use


class Offer(Model):
    """What a lead is for. Its leads wait until a call comes in; `acceptance` is what AcceptanceSchema has loaded."""

    __tablename__ = "offer"
    configures_intake = True

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("company.id"), index=True)
    name: Mapped[str]
    acceptance: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)
    deleted_at: Mapped[datetime | None]


class ContactFieldType(Model):
    """A kind of lead with contact fields of its own; leads name it by its key."""

    __tablename__ = "contact_field_type"
    configures_intake = True
    __table_args__ = (unique_in_use("uq_contact_field_type_key", "company_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("company.id"))
    key: Mapped[str]
    name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)
    deleted_at: Mapped[datetime | None]


class ContactField(Model):
    """A value that an offer, with its schedules, expects of a lead; see `contact_fields.py` for what its parts mean."""

    __tablename__ = "contact_field"
    configures_intake = True
    __table_args__ = (
        unique_in_use("uq_contact_field_key", "company_id", "offer_id", "key"),
        CheckConstraint(
            "value_type in ('string', 'decimal', 'integer', 'time', 'boolean', 'hidden')", name="value_type"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("company.id"))
    offer_id: Mapped[int] = mapped_column(ForeignKey("offer.id"))
    contact_field_type_id: Mapped[int | None] = mapped_column(ForeignKey("contact_field_type.id"))
    key: Mapped[str]
    name: Mapped[str]
    hint: Mapped[str] = mapped_column(default="")
    value_type: Mapped[str] = mapped_column(default="string")
    required: Mapped[bool] = mapped_column(default=False)
    pattern: Mapped[str | None]
    options: Mapped[list[str]] = mapped_column(default=list)
    minimum: Mapped[Any] = mapped_column(Json, nullable=True)
    maximum: Mapped[Any] = mapped_column(Json, nullable=True)
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)
    deleted_at: Mapped[datetime | None]
