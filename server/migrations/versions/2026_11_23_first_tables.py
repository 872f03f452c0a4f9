"""The first tables."""

import sqlalchemy as sa
from alembic import op

from server.lib.db import Id, Instant, Json

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "company",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("require_authorization", sa.Boolean(), nullable=False),
        sa.Column("config_version", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_company")),
    )
    op.create_table(
        "contact",
        sa.Column("id", Id(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("caller_id", sa.String(), nullable=False),
        sa.Column("blocked_at", Instant(), nullable=True),
        sa.Column("opted_out_at", Instant(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
        sa.UniqueConstraint("company_id", "caller_id", name=op.f("uq_contact_company_id_caller_id")),
    )
    op.create_table(
        "token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.CheckConstraint("kind in ('text', 'numeric')", name=op.f("ck_token_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("company_id", "name", name=op.f("uq_token_company_id_name")),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("public", sa.String(), nullable=False),
        sa.Column("private_hash", sa.String(), nullable=False),
        sa.Column("scopes", Json, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_api_key_company_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("private_hash", name=op.f("uq_api_key_private_hash")),
        sa.UniqueConstraint("public", name=op.f("uq_api_key_public")),
    )
    op.create_index("ix_api_key_company_id", "api_key", ["company_id"], unique=False)

    op.create_table(
        "lead",
        sa.Column("id", Id(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", Id(), nullable=False),
        sa.Column("owner_kind", sa.String(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("offer_id", sa.Integer(), nullable=True),
        sa.Column("schedule_id", sa.Integer(), nullable=True),
        sa.Column("lead_token_id", sa.Integer(), nullable=False),
        sa.Column("caller_id", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("contact_field_type", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("lead_priority", sa.Double(), nullable=True),
        sa.Column("contact_attempts", sa.Integer(), nullable=False),
        sa.Column("max_contact_attempts", sa.Integer(), nullable=True),
        sa.Column("next_action_id", sa.Integer(), nullable=True),
        sa.Column("next_action_at", Instant(), nullable=True),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.Column("deletes_at", Instant(), nullable=True),
        sa.Column("traffic_source_id", sa.Integer(), nullable=True),
        sa.Column("traffic_source_text", sa.String(), nullable=True),
        sa.Column("sub_id", sa.String(), nullable=True),
        sa.Column("data", Json, nullable=False),
        sa.Column("remote_ip", sa.String(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("deleted_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "(owner_kind = 'schedule' and schedule_id = owner_id) or (owner_kind = 'offer' and offer_id = owner_id and schedule_id is null)",
            name=op.f("ck_lead_owner"),
        ),
        sa.CheckConstraint(
            "status in ('scheduled', 'waiting', 'blocked', 'opt_out', 'completed', 'expired', 'removed')",
            name=op.f("ck_lead_status"),
        ),
        sa.CheckConstraint("deleted_at is null or ended_at is not null", name=op.f("ck_lead_deleted")),
        sa.CheckConstraint("is_live = (ended_at is null)", name=op.f("ck_lead_ended")),
        sa.CheckConstraint("next_action_at is null or is_live", name=op.f("ck_lead_planned")),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_lead_contact_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead")),
    )
    op.create_index("ix_lead_company_id_caller_id", "lead", ["company_id", "caller_id"], unique=False)
    op.create_index("ix_lead_company_id_created_at", "lead", ["company_id", "created_at", "id"], unique=False)
    op.create_index(
        "ix_lead_next_action_at",
        "lead",
        ["next_action_at"],
        unique=False,
        postgresql_where=sa.text("next_action_at is not null"),
        sqlite_where=sa.text("next_action_at is not null"),
    )
    op.create_index(
        "uq_lead_live",
        "lead",
        ["company_id", "owner_kind", "owner_id", "caller_id"],
        unique=True,
        postgresql_where=sa.text("is_live"),
        sqlite_where=sa.text("is_live"),
    )

    op.create_table(
        "offer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("deleted_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_offer_company_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer")),
    )
    op.create_index("ix_offer_company_id", "offer", ["company_id"], unique=False)

    op.create_table(
        "traffic_source",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("user_traffic_source_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("deleted_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_traffic_source_company_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_traffic_source")),
        sa.UniqueConstraint(
            "company_id",
            "user_traffic_source_id",
            name=op.f("uq_traffic_source_company_id_user_traffic_source_id"),
        ),
    )
    op.create_table(
        "user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("disabled_at", Instant(), nullable=True),
        sa.CheckConstraint("role in ('viewer', 'agent', 'manager', 'admin')", name=op.f("ck_user_role")),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_user_email")),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_user_company_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("email", name=op.f("uq_user_email")),
    )
    op.create_index("ix_user_company_id", "user", ["company_id"], unique=False)

    op.create_table(
        "lead_token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("owner_kind", sa.String(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("default_traffic_source_id", sa.Integer(), nullable=True),
        sa.Column("shows_stored_lead", sa.Boolean(), nullable=False),
        sa.Column("allowed_origins", Json, nullable=False),
        sa.Column("allowed_redirects", Json, nullable=False),
        sa.Column("per_minute_limit", sa.Integer(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.Column("disabled_at", Instant(), nullable=True),
        sa.Column("exposed_at", Instant(), nullable=True),
        sa.Column("exposed_origin", sa.String(), nullable=True),
        sa.Column("last_used_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'postback') = (owner_kind = 'traffic_source') and owner_kind in ('schedule', 'offer', 'traffic_source')",
            name=op.f("ck_lead_token_owner_kind"),
        ),
        sa.CheckConstraint("kind in ('server', 'publishable', 'postback')", name=op.f("ck_lead_token_kind")),
        sa.CheckConstraint("(exposed_at is null) = (exposed_origin is null)", name=op.f("ck_lead_token_exposed")),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_lead_token_company_id")),
        sa.ForeignKeyConstraint(
            ["default_traffic_source_id"],
            ["traffic_source.id"],
            name=op.f("fk_lead_token_default_traffic_source_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_token")),
        sa.UniqueConstraint("value", name=op.f("uq_lead_token_value")),
    )
    op.create_index(
        "ix_lead_token_company_id_owner", "lead_token", ["company_id", "owner_kind", "owner_id"], unique=False
    )

    op.create_table(
        "schedule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("offer_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("deleted_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_schedule_company_id")),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name=op.f("fk_schedule_offer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule")),
    )
    op.create_index("ix_schedule_company_id", "schedule", ["company_id"], unique=False)

    op.create_table(
        "submission",
        sa.Column("id", Id(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("lead_token_id", sa.Integer(), nullable=False),
        sa.Column("lead_id", Id(), nullable=True),
        sa.Column("public_lead_id", Id(), nullable=True),
        sa.Column("original_id", Id(), nullable=True),
        sa.Column("endpoint", sa.String(), nullable=False),
        sa.Column("powers", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("caller_id", sa.String(), nullable=True),
        sa.Column("vendor_lead_id", sa.String(), nullable=True),
        sa.Column("idempotency_key", sa.String(), nullable=True),
        sa.Column("content_hash", sa.String(), nullable=True),
        sa.Column("lead_updated_at", Instant(), nullable=True),
        sa.Column("received", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(), nullable=True),
        sa.Column("referrer", sa.String(), nullable=True),
        sa.Column("remote_ip", sa.String(), nullable=True),
        sa.Column("user_agent", sa.String(), nullable=True),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("purge_at", Instant(), nullable=True),
        sa.CheckConstraint("(action = 'refused') = (code is not null)", name=op.f("ck_submission_refused")),
        sa.CheckConstraint("(action = 'refused') = (lead_id is null)", name=op.f("ck_submission_lead")),
        sa.CheckConstraint("powers in ('server', 'public')", name=op.f("ck_submission_powers")),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_submission_lead_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submission")),
    )
    op.create_index(
        "ix_submission_company_id_created_at", "submission", ["company_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_submission_company_id_lead_id",
        "submission",
        ["company_id", "lead_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_submission_purge_at",
        "submission",
        ["purge_at"],
        unique=False,
        postgresql_where=sa.text("purge_at is not null"),
        sqlite_where=sa.text("purge_at is not null"),
    )

    op.create_table(
        "idempotency_answer",
        sa.Column("id", Id(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("lead_token_id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("lead_id", Id(), nullable=False),
        sa.Column("submission_id", Id(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.CheckConstraint("scope in ('server', 'public', 'vendor')", name=op.f("ck_idempotency_answer_scope")),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_idempotency_answer_lead_id")),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name=op.f("fk_idempotency_answer_submission_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency_answer")),
        sa.UniqueConstraint(
            "company_id",
            "lead_token_id",
            "scope",
            "key",
            name=op.f("uq_idempotency_answer_company_id_lead_token_id_scope_key"),
        ),
    )
    op.create_index("ix_idempotency_answer_expires_at", "idempotency_answer", ["expires_at"], unique=False)

    op.create_table(
        "outbox_event",
        sa.Column("id", Id(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("lead_id", Id(), nullable=False),
        sa.Column("submission_id", Id(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("done_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_outbox_event_lead_id")),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name=op.f("fk_outbox_event_submission_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_event")),
    )
    op.create_index(
        "ix_outbox_event_waiting",
        "outbox_event",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("done_at is null"),
        sqlite_where=sa.text("done_at is null"),
    )

    op.create_table(
        "schedule_action",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("schedule_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("delay_seconds", sa.Integer(), nullable=False),
        sa.Column("config", Json, nullable=False),
        sa.CheckConstraint("delay_seconds >= 0", name=op.f("ck_schedule_action_delay")),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_schedule_action_company_id")),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedule.id"], name=op.f("fk_schedule_action_schedule_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule_action")),
        sa.UniqueConstraint(
            "company_id",
            "schedule_id",
            "position",
            name=op.f("uq_schedule_action_company_id_schedule_id_position"),
        ),
    )
    op.create_table(
        "touch",
        sa.Column("id", Id(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("lead_id", Id(), nullable=False),
        sa.Column("submission_id", Id(), nullable=False),
        sa.Column("traffic_source_id", sa.Integer(), nullable=True),
        sa.Column("traffic_source_text", sa.String(), nullable=True),
        sa.Column("sub_id", sa.String(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.CheckConstraint("traffic_source_text is not null or sub_id is not null", name=op.f("ck_touch_said")),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_touch_lead_id")),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name=op.f("fk_touch_submission_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_touch")),
    )
    op.create_index("ix_touch_company_id_lead_id", "touch", ["company_id", "lead_id"], unique=False)


def downgrade() -> None:
    op.drop_table("touch")
    op.drop_table("schedule_action")
    op.drop_table("outbox_event")
    op.drop_table("idempotency_answer")
    op.drop_table("submission")
    op.drop_table("schedule")
    op.drop_table("lead_token")
    op.drop_table("user")
    op.drop_table("traffic_source")
    op.drop_table("offer")
    op.drop_table("lead")
    op.drop_table("api_key")
    op.drop_table("token")
    op.drop_table("contact")
    op.drop_table("company")
