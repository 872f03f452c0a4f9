"""LeadToken, and OriginSeen: the pages that were seen to use one."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, UniqueConstraint, func
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.lead_tokens.rules import PREFIX, origin_allowed
from server.lib import clock
from server.lib.db import Model
from server.lib.secrets import masked


class LeadToken(Model):
    """One credential of a schedule, an offer or (for postbacks) a traffic source; each vendor or page has its own."""

    __tablename__ = "lead_token"
    configures_intake = True
    __table_args__ = (
        CheckConstraint("kind in ('server', 'publishable', 'postback')", name="kind"),
        CheckConstraint(
            "(kind = 'postback') = (owner_kind = 'traffic_source')"
            " and owner_kind in ('schedule', 'offer', 'traffic_source')",
            name="owner_kind",
        ),
        CheckConstraint("(exposed_at is null) = (exposed_origin is null)", name="exposed"),
        CheckConstraint("not reads_submissions or kind = 'server'", name="reads_submissions"),
        Index("ix_lead_token_company_id_owner", "company_id", "owner_kind", "owner_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("company.id"))
    owner_kind: Mapped[str]
    owner_id: Mapped[int]
    kind: Mapped[str] = mapped_column(default="server")
    name: Mapped[str]
    value: Mapped[str] = mapped_column(unique=True)
    # Where rotations have made it: the token that the first of them replaced.
    first_id: Mapped[int | None] = mapped_column(ForeignKey("lead_token.id"))
    # When a rotation made its successor, which was told to take its place.
    replaced_at: Mapped[datetime | None]
    default_traffic_source_id: Mapped[int | None] = mapped_column(ForeignKey("traffic_source.id"))
    disclosure_id: Mapped[int | None] = mapped_column(ForeignKey("disclosure.id"))
    shows_stored_lead: Mapped[bool] = mapped_column(default=False)
    allowed_origins: Mapped[list[str]] = mapped_column(default=list)
    allowed_redirects: Mapped[list[str]] = mapped_column(default=list)
    allows_callbacks: Mapped[bool] = mapped_column(default=False)
    per_minute_limit: Mapped[int | None]
    # Whether who has the token may read what became of its own submissions.
    reads_submissions: Mapped[bool] = mapped_column(default=False)
    # What proves a foreign payload: Typeform's secret, Google's key, Meta's app secret; encrypted.
    payload_secret: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)
    expires_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    exposed_at: Mapped[datetime | None]
    exposed_origin: Mapped[str | None]
    last_used_at: Mapped[datetime | None]
    # Of all tokens of a list in one look.
    seen: Mapped[list["OriginSeen"]] = relationship(
        primaryjoin="LeadToken.id == foreign(OriginSeen.lead_token_id)",
        order_by="OriginSeen.uses.desc(), OriginSeen.first_seen_at, OriginSeen.id",
        lazy="selectin",
        viewonly=True,
    )

    @hybrid_property
    def vendor_id(self) -> int:
        """Who has it. Tokens that rotations have made of one another share it, and with it the vendor's keys, its own
        ids of leads and its submissions."""
        return self.first_id or self.id

    @vendor_id.inplace.expression
    @classmethod
    def _vendor_id(cls) -> ColumnElement[int]:
        return func.coalesce(cls.first_id, cls.id)

    @property
    def shown_value(self) -> str:
        """Its value for who may read the configuration. What stands in pages is no secret; any other opens leads."""
        return self.value if self.kind == "publishable" else masked(self.value, PREFIX[self.kind])

    @property
    def seen_origins(self) -> list[dict[str, Any]]:
        """The pages that were seen to use it, and whether they may now; a list of pages binds publishable ones only."""
        allowed = frozenset(self.allowed_origins if self.kind == "publishable" else [])
        return [
            {
                "origin": each.origin,
                "first_seen_at": each.first_seen_at,
                "last_seen_at": each.last_seen_at,
                "uses": each.uses,
                "allowed": origin_allowed(allowed, each.origin, None),
            }
            for each in self.seen
        ]

    @property
    def has_payload_secret(self) -> bool:
        """Whether requests have to prove their origin; which secret it is, nobody is shown."""
        return self.payload_secret is not None

    @property
    def schedule_id(self) -> int | None:
        """Its owner, if that is a schedule."""
        return self.owner_id if self.owner_kind == "schedule" else None

    @property
    def offer_id(self) -> int | None:
        """Its owner, if that is an offer."""
        return self.owner_id if self.owner_kind == "offer" else None

    @property
    def traffic_source_id(self) -> int | None:
        """Its owner, if that is a traffic source."""
        return self.owner_id if self.owner_kind == "traffic_source" else None


class OriginSeen(Model):
    """A page that has sent a lead with a token, by its origin: what the token's owner may want to allow.

    Intake writes it, and points with no foreign key at the one busy row that every lead of the token reads.
    """

    __tablename__ = "origin_seen"
    __table_args__ = (UniqueConstraint("lead_token_id", "origin"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int]
    lead_token_id: Mapped[int]
    origin: Mapped[str]
    # As far as intake has noted it, which is now and then.
    uses: Mapped[int] = mapped_column(server_default="1")
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
