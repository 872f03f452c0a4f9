"""Lead, and what is written beside it in the same commit: submission, touch, idempotency answer, outbox event, token.

These tables point with foreign keys at one another but not at configuration rows (company, schedule, lead token …):
each insert would lock that one busy row, and configuration is never deleted from under a lead.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from server.lib import clock
from server.lib.db import Id, Model

STATUSES = ("scheduled", "waiting", "held", "blocked", "opt_out", "completed", "expired", "removed")
LIVE = text("is_live")
REPLAYED = text("replay_of_id is not null and action <> 'refused'")
OPEN = text("done_at is null and cancelled_at is null")


class Lead(Model):
    """One person's interest, owned by a schedule or an offer; at most one live lead for each owner and number.

    `updated_at` moves with each write of intake's, by a millisecond at least, so that it tells one state from the next.
    """

    __tablename__ = "lead"
    __table_args__ = (
        Index(
            "uq_lead_live", "company_id", "owner_kind", "owner_id", "caller_id",
            unique=True, postgresql_where=LIVE, sqlite_where=LIVE,
        ),
        Index("ix_lead_company_id_created_at", "company_id", "created_at", "id"),
        Index("ix_lead_company_id_caller_id", "company_id", "caller_id"),
        Index(
            "ix_lead_next_action_at", "next_action_at",
            postgresql_where=text("next_action_at is not null"), sqlite_where=text("next_action_at is not null"),
        ),
        Index(
            "ix_lead_held", "company_id", "id",
            postgresql_where=text("held_at is not null"), sqlite_where=text("held_at is not null"),
        ),
        CheckConstraint(
            "(owner_kind = 'schedule' and schedule_id = owner_id)"
            " or (owner_kind = 'offer' and offer_id = owner_id and schedule_id is null)",
            name="owner",
        ),
        CheckConstraint(f"status in {STATUSES}", name="status"),
        CheckConstraint("is_live = (ended_at is null)", name="ended"),
        CheckConstraint("deleted_at is null or ended_at is not null", name="deleted"),
        CheckConstraint("next_action_at is null or is_live", name="planned"),
        CheckConstraint("held_at is null or next_action_at is null", name="held"),
    )  # fmt: skip

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    company_id: Mapped[int]
    contact_id: Mapped[str] = mapped_column(Id, ForeignKey("contact.id"))
    owner_kind: Mapped[str]
    owner_id: Mapped[int]
    offer_id: Mapped[int | None]
    schedule_id: Mapped[int | None]
    lead_token_id: Mapped[int]
    caller_id: Mapped[str]
    email: Mapped[str | None]
    contact_field_type: Mapped[str | None]
    status: Mapped[str]
    # What an undo brings back; set only by a deletion.
    status_before_deletion: Mapped[str | None]
    next_action_before_deletion_at: Mapped[datetime | None]
    is_live: Mapped[bool]
    test: Mapped[bool]
    lead_priority: Mapped[float | None]
    contact_attempts: Mapped[int] = mapped_column(default=0)
    max_contact_attempts: Mapped[int | None]
    next_action_id: Mapped[int | None]
    next_action_at: Mapped[datetime | None]
    scheduled_callback_id: Mapped[str | None] = mapped_column(Id)
    scheduled_callback_at: Mapped[datetime | None]
    trackdrive_number: Mapped[str | None]
    sms_number: Mapped[str | None]
    expires_at: Mapped[datetime | None]
    deletes_at: Mapped[datetime | None]
    # Since when it waits for somebody to look at its consent; nothing is planned meanwhile.
    held_at: Mapped[datetime | None]
    # Whose consent it waits for: `public` powers' or `server` ones'. Null where that was not noted yet.
    held_by: Mapped[str | None]
    traffic_source_id: Mapped[int | None]
    traffic_source_text: Mapped[str | None]
    sub_id: Mapped[str | None]
    data: Mapped[dict[str, Any]]
    remote_ip: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]


class Submission(Model):
    """One request received: what came, from where, what was done, and why."""

    __tablename__ = "submission"
    __table_args__ = (
        Index("ix_submission_company_id_created_at", "company_id", "created_at", "id"),
        Index("ix_submission_company_id_lead_id", "company_id", "lead_id", "created_at", "id"),
        Index("ix_submission_company_id_vendor_id", "company_id", "vendor_id", "created_at", "id"),
        # What was refused may be tried again and again, and is taken once.
        Index(
            "uq_submission_replay_of_id", "replay_of_id",
            unique=True, postgresql_where=REPLAYED, sqlite_where=REPLAYED,
        ),
        Index(
            "ix_submission_purge_at", "purge_at",
            postgresql_where=text("purge_at is not null"), sqlite_where=text("purge_at is not null"),
        ),
        CheckConstraint("(action = 'refused') = (code is not null)", name="refused"),
        CheckConstraint("(action = 'refused') = (lead_id is null)", name="lead"),
        CheckConstraint("powers in ('server', 'public')", name="powers"),
    )  # fmt: skip

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    company_id: Mapped[int]
    lead_token_id: Mapped[int]
    # Of the token's vendor, whose list it stands in.
    vendor_id: Mapped[int]
    api_key_id: Mapped[int | None]
    lead_id: Mapped[str | None] = mapped_column(Id, ForeignKey("lead.id"))
    public_lead_id: Mapped[str | None] = mapped_column(Id)
    original_id: Mapped[str | None] = mapped_column(Id)
    # The submission that was taken once more, by who has a key for it.
    replay_of_id: Mapped[str | None] = mapped_column(Id)
    endpoint: Mapped[str]
    powers: Mapped[str]
    action: Mapped[str]
    code: Mapped[str | None]
    caller_id: Mapped[str | None]
    vendor_lead_id: Mapped[str | None]
    idempotency_key: Mapped[str | None]
    content_hash: Mapped[str | None]
    lead_updated_at: Mapped[datetime | None]
    received: Mapped[str] = mapped_column(Text)
    why: Mapped[str] = mapped_column(Text)
    origin: Mapped[str | None]
    referrer: Mapped[str | None]
    remote_ip: Mapped[str | None]
    user_agent: Mapped[str | None]
    request_id: Mapped[str]
    created_at: Mapped[datetime]
    purge_at: Mapped[datetime | None]
    # When an API key has taken it out of quarantine, or that which it repeated.
    released_at: Mapped[datetime | None]


class RefusalCount(Model):
    """How many requests of a token were refused in an hour, by code, of which nothing else is kept."""

    __tablename__ = "refusal_count"
    __table_args__ = (UniqueConstraint("company_id", "hour_at", "lead_token_id", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int]
    hour_at: Mapped[datetime]
    lead_token_id: Mapped[int]
    code: Mapped[str]
    count: Mapped[int]


class Touch(Model):
    """One attributed click that led to a submission; the lead itself keeps the first one."""

    __tablename__ = "touch"
    __table_args__ = (
        Index("ix_touch_company_id_lead_id", "company_id", "lead_id"),
        CheckConstraint("traffic_source_text is not null or sub_id is not null", name="said"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    company_id: Mapped[int]
    lead_id: Mapped[str] = mapped_column(Id, ForeignKey("lead.id"))
    submission_id: Mapped[str] = mapped_column(Id, ForeignKey("submission.id"))
    traffic_source_id: Mapped[int | None]
    traffic_source_text: Mapped[str | None]
    sub_id: Mapped[str | None]
    created_at: Mapped[datetime]


class IdempotencyAnswer(Model):
    """What a key of one vendor stands for, whichever of its tokens came along. Scope `server` and `public` keep the
    answer, `vendor` names the lead.

    A public answer may hide a refusal; then there is no lead.
    """

    __tablename__ = "idempotency_answer"
    __table_args__ = (
        UniqueConstraint("company_id", "vendor_id", "scope", "key"),
        CheckConstraint("scope in ('server', 'public', 'vendor')", name="scope"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    company_id: Mapped[int]
    vendor_id: Mapped[int]
    scope: Mapped[str]
    key: Mapped[str]
    content_hash: Mapped[str]
    lead_id: Mapped[str | None] = mapped_column(Id, ForeignKey("lead.id"))
    submission_id: Mapped[str] = mapped_column(Id, ForeignKey("submission.id"))
    answer: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None] = mapped_column(index=True)


class Callback(Model):
    """A time at which a lead wants to be called; a lead has at most one that is neither done nor cancelled."""

    __tablename__ = "callback"
    __table_args__ = (
        Index(
            "uq_callback_open", "lead_id",
            unique=True, postgresql_where=OPEN, sqlite_where=OPEN,
        ),
        Index("ix_callback_due_at", "due_at", postgresql_where=OPEN, sqlite_where=OPEN),
        Index("ix_callback_company_id_caller_id", "company_id", "caller_id"),
        CheckConstraint("done_at is null or cancelled_at is null", name="end"),
    )  # fmt: skip

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    company_id: Mapped[int]
    lead_id: Mapped[str] = mapped_column(Id, ForeignKey("lead.id"))
    submission_id: Mapped[str] = mapped_column(Id, ForeignKey("submission.id"))
    caller_id: Mapped[str]
    due_at: Mapped[datetime]
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]


class OutboxEvent(Model):
    """Something that happened, to be told to others once; written with what it tells of."""

    __tablename__ = "outbox_event"
    __table_args__ = (
        Index(
            "ix_outbox_event_waiting", "created_at",
            postgresql_where=text("done_at is null"), sqlite_where=text("done_at is null"),
        ),
    )  # fmt: skip

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    company_id: Mapped[int]
    kind: Mapped[str]
    lead_id: Mapped[str] = mapped_column(Id, ForeignKey("lead.id"))
    submission_id: Mapped[str] = mapped_column(Id, ForeignKey("submission.id"))
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class Token(Model):
    """A token name that the company has seen, made on first sight."""

    __tablename__ = "token"
    # What people delete, or bring back, changes how many names there is room for.
    configures_intake = True
    __table_args__ = (
        UniqueConstraint("company_id", "name"),
        CheckConstraint("kind in ('text', 'numeric')", name="kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int]
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(default="text")
    description: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime | None] = mapped_column(onupdate=clock.now)
    deleted_at: Mapped[datetime | None]
