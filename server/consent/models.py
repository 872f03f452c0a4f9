"""Disclosure and its versions; the consent record of each submission that was taken."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.lib import clock
from server.lib.db import Id, Model

CURRENT = text("is_current")
LISTED = text("retired_at is null")


class Disclosure(Model):
    """A consent text of a company under a name of its own; what it says stands in its versions."""

    __tablename__ = "disclosure"
    configures_intake = True

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("company.id"), index=True)
    name: Mapped[str]
    default_language: Mapped[str] = mapped_column(default="en")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)
    deleted_at: Mapped[datetime | None]

    # One look for a whole list; written through the versions only.
    current_versions: Mapped[list["DisclosureVersion"]] = relationship(
        primaryjoin="and_(DisclosureVersion.disclosure_id == Disclosure.id, DisclosureVersion.is_current)",
        order_by="DisclosureVersion.language",
        lazy="selectin",
        viewonly=True,
    )

    @property
    def current(self) -> dict[str, int]:
        """The current version of each language, by its id."""
        return {version.language: version.id for version in self.current_versions}


class DisclosureVersion(Model):
    """What one disclosure says in one language. Triggers refuse to change its content, or to delete it: consent that
    was given to a version points at it for ever. `published_at` and `reviewed_at` are set once; a version that was
    learned from a page has no `reviewed_at` until somebody has looked at it."""

    __tablename__ = "disclosure_version"
    configures_intake = True
    __table_args__ = (
        Index("uq_disclosure_version_content_hash", "company_id", "content_hash", unique=True),
        Index(
            "uq_disclosure_version_language",
            "disclosure_id",
            "language",
            unique=True,
            postgresql_where=CURRENT,
            sqlite_where=CURRENT,
        ),
        Index(
            "ix_disclosure_version_disclosure_id",
            "company_id",
            "disclosure_id",
            "created_at",
            "id",
            postgresql_where=LISTED,
            sqlite_where=LISTED,
        ),
        CheckConstraint("published_at is null or reviewed_at is not null", name="reviewed"),
        CheckConstraint("not is_current or published_at is not null", name="current"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("company.id"))
    disclosure_id: Mapped[int] = mapped_column(ForeignKey("disclosure.id"))
    language: Mapped[str]
    text: Mapped[str]
    label: Mapped[str]
    seller_name: Mapped[str | None]
    terms_url: Mapped[str | None]
    privacy_url: Mapped[str | None]
    content_hash: Mapped[str]
    is_current: Mapped[bool] = mapped_column(default=False)
    reviewed_at: Mapped[datetime | None]
    published_at: Mapped[datetime | None]
    # How often pages used one that was only learned, as far as intake has noted it.
    uses: Mapped[int] = mapped_column(default=0, server_default="0")
    last_used_at: Mapped[datetime | None]
    # When one that was only learned had to make room: it is kept for the records that point at it, and for no more.
    retired_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)

    def review(self, now: datetime) -> None:
        """Somebody of the company stands by it from now on."""
        self.reviewed_at = self.reviewed_at or now
        self.retired_at = None


class ConsentRecord(Model):
    """What one submission that was taken shows of its visitor's consent; there is exactly one, also where that is
    nothing. `record` is canonical JSON (RFC 8785) and holds all of it; what stands beside it is there to be found by.
    """

    __tablename__ = "consent_record"
    __table_args__ = (
        CheckConstraint("evidence in ('witnessed', 'third_party', 'asserted', 'imported', 'none')", name="evidence"),
    )

    submission_id: Mapped[str] = mapped_column(Id, ForeignKey("submission.id"), primary_key=True)
    company_id: Mapped[int]
    evidence: Mapped[str]
    granted: Mapped[bool | None]
    # The version that the visitor read, by its address.
    content_hash: Mapped[str | None]
    record: Mapped[str] = mapped_column(Text)
