"""Snippet and its builds."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.lead_tokens.models import LeadToken
from server.lib import clock
from server.lib.db import Model


class Snippet(Model):
    """How the pages of one publishable token behave. What the token may do stands with the token, and is only shown
    here: intake reads no snippet."""

    __tablename__ = "snippet"
    __table_args__ = (Index("ix_snippet_company_id", "company_id", "created_at", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("company.id"))
    lead_token_id: Mapped[int] = mapped_column(ForeignKey("lead_token.id"), unique=True)
    name: Mapped[str]
    # Inputs of the page, and parameters of its URL, by the names that leads have for them.
    field_map: Mapped[dict[str, Any]] = mapped_column(default=dict)
    parameters: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # Words for visitors that take the place of ours, by language.
    messages: Mapped[dict[str, Any]] = mapped_column(default=dict)
    thank_you_url: Mapped[str | None]
    carry: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)
    deleted_at: Mapped[datetime | None]

    # One look for a whole list.
    token: Mapped[LeadToken] = relationship(lazy="selectin")

    @property
    def lead_token(self) -> str:
        """The value that the pages show."""
        return self.token.value

    @property
    def schedule_id(self) -> int | None:
        """The schedule that its leads enter."""
        return self.token.schedule_id

    @property
    def offer_id(self) -> int | None:
        """The offer that its leads wait for."""
        return self.token.offer_id

    @property
    def traffic_source_id(self) -> int | None:
        """The source of leads that name none."""
        return self.token.default_traffic_source_id

    @property
    def disclosure_id(self) -> int | None:
        """What visitors agree to."""
        return self.token.disclosure_id

    @property
    def allowed_origins(self) -> list[str]:
        """The pages that may use it."""
        return self.token.allowed_origins

    @property
    def seen_origins(self) -> list[dict[str, Any]]:
        """The pages that its leads have come from."""
        return self.token.seen_origins

    @property
    def allowed_redirects(self) -> list[str]:
        """Where visitors may be sent on to."""
        return self.token.allowed_redirects

    @property
    def allows_callbacks(self) -> bool:
        """Whether pages may book callbacks."""
        return self.token.allows_callbacks


class SnippetBuild(Model):
    """One state of a snippet's script whose address was given away: its bytes are served as long as the snippet
    lives."""

    __tablename__ = "snippet_build"
    __table_args__ = (
        Index("uq_snippet_build_hash", "snippet_id", "hash", unique=True),
        Index("ix_snippet_build_company_id", "company_id", "snippet_id", "created_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("company.id"))
    snippet_id: Mapped[int] = mapped_column(ForeignKey("snippet.id"))
    # SHA-384 of the body as base64url spells it; the address holds it, and `integrity` says the same in plain base64.
    hash: Mapped[str]
    # What `handraiser.version` says on a page: a script cannot hold the hash of itself.
    version: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
