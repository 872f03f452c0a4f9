"""Contact."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.lib.db import Id, Model


class Contact(Model):
    """One number in one company. `version` grows with each lead that is written for it: decisions rest on it."""

    __tablename__ = "contact"
    __table_args__ = (
        UniqueConstraint("company_id", "caller_id"),
        Index("ix_contact_company_id_created_at", "company_id", "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    company_id: Mapped[int]
    caller_id: Mapped[str]
    blocked_at: Mapped[datetime | None]
    opted_out_at: Mapped[datetime | None]
    suppressed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    @property
    def blocked(self) -> bool:
        """Whether nobody contacts the number."""
        return self.blocked_at is not None

    @property
    def opt_out(self) -> bool:
        """Whether its owner wants no contact."""
        return self.opted_out_at is not None

    @property
    def suppressed(self) -> bool:
        """Whether it is on the suppression list."""
        return self.suppressed_at is not None
