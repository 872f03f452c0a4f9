"""What the management API keeps: contact fields, numbers, callbacks, calls; and what each change of a row needs."""

import sqlalchemy as sa
from alembic import op

from server.lib.db import Id, Instant, Json

revision = "0002"
down_revision = "0001"

IN_USE = sa.text("deleted_at is null")
OPEN = sa.text("done_at is null and cancelled_at is null")
# Tables that are managed and did not know yet when they were changed.
UNDATED = ("api_key", "lead_token", "user")


def upgrade() -> None:

    op.create_table(
        "contact_field_type",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("deleted_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_contact_field_type_company_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_field_type")),
    )
    op.create_index(
        "uq_contact_field_type_key",
        "contact_field_type",
        ["company_id", "key"],
        unique=True,
        postgresql_where=IN_USE,
        sqlite_where=IN_USE,
    )

    op.create_table(
        "number",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("deleted_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_number_company_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_number")),
    )
    op.create_index(
        "uq_number_number",
        "number",
        ["company_id", "number"],
        unique=True,
        postgresql_where=IN_USE,
        sqlite_where=IN_USE,
    )

    op.create_table(
        "call",
        sa.Column("id", Id(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("lead_id", Id(), nullable=True),
        sa.Column("offer_id", sa.Integer(), nullable=True),
        sa.Column("schedule_id", sa.Integer(), nullable=True),
        sa.Column("caller_id", sa.String(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("traffic_source_id", sa.Integer(), nullable=True),
        sa.Column("traffic_source_text", sa.String(), nullable=True),
        sa.Column("sub_id", sa.String(), nullable=True),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("duration_seconds", sa.Integer(), nullable=True),
        sa.Column("data", Json, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.CheckConstraint("direction in ('inbound', 'outbound')", name=op.f("ck_call_direction")),
        sa.CheckConstraint("duration_seconds >= 0", name=op.f("ck_call_duration")),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_call_lead_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call")),
    )
    op.create_index("ix_call_company_id_caller_id", "call", ["company_id", "caller_id", "offer_id"], unique=False)
    op.create_index("ix_call_company_id_created_at", "call", ["company_id", "created_at", "id"], unique=False)
    op.create_index("uq_call_external_id", "call", ["company_id", "external_id"], unique=True)

    op.create_table(
        "contact_field",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("offer_id", sa.Integer(), nullable=False),
        sa.Column("contact_field_type_id", sa.Integer(), nullable=True),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("hint", sa.String(), nullable=False),
        sa.Column("value_type", sa.String(), nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("pattern", sa.String(), nullable=True),
        sa.Column("options", Json, nullable=False),
        sa.Column("minimum", Json, nullable=True),
        sa.Column("maximum", Json, nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("deleted_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "value_type in ('string', 'decimal', 'integer', 'time', 'boolean', 'hidden')",
            name=op.f("ck_contact_field_value_type"),
        ),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_contact_field_company_id")),
        sa.ForeignKeyConstraint(
            ["contact_field_type_id"], ["contact_field_type.id"], name=op.f("fk_contact_field_contact_field_type_id")
        ),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name=op.f("fk_contact_field_offer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_field")),
    )
    op.create_index(
        "uq_contact_field_key",
        "contact_field",
        ["company_id", "offer_id", "key"],
        unique=True,
        postgresql_where=IN_USE,
        sqlite_where=IN_USE,
    )

    op.create_table(
        "callback",
        sa.Column("id", Id(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("lead_id", Id(), nullable=False),
        sa.Column("submission_id", Id(), nullable=False),
        sa.Column("caller_id", sa.String(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("done_at", Instant(), nullable=True),
        sa.Column("cancelled_at", Instant(), nullable=True),
        sa.CheckConstraint("done_at is null or cancelled_at is null", name=op.f("ck_callback_end")),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_callback_lead_id")),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name=op.f("fk_callback_submission_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callback")),
    )
    op.create_index("ix_callback_company_id_caller_id", "callback", ["company_id", "caller_id"], unique=False)
    op.create_index(
        "ix_callback_due_at", "callback", ["due_at"], unique=False, postgresql_where=OPEN, sqlite_where=OPEN
    )
    op.create_index("uq_callback_open", "callback", ["lead_id"], unique=True, postgresql_where=OPEN, sqlite_where=OPEN)

    op.create_table(
        "number_pool",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("schedule_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("filters", Json, nullable=False),
        sa.Column("number_ids", Json, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("deleted_at", Instant(), nullable=True),
        sa.CheckConstraint("kind in ('dial', 'sms')", name=op.f("ck_number_pool_kind")),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_number_pool_company_id")),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedule.id"], name=op.f("fk_number_pool_schedule_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_number_pool")),
    )
    op.create_index(
        "uq_number_pool_position",
        "number_pool",
        ["company_id", "schedule_id", "kind", "position"],
        unique=True,
        postgresql_where=IN_USE,
        sqlite_where=IN_USE,
    )

    for table in UNDATED:
        with op.batch_alter_table(table) as batch:
            batch.add_column(sa.Column("updated_at", Instant()))
        op.execute(sa.text(f'update "{table}" set updated_at = created_at'))
        with op.batch_alter_table(table) as batch:
            batch.alter_column("updated_at", nullable=False)
    with op.batch_alter_table("lead_token") as batch:
        batch.add_column(sa.Column("allows_callbacks", sa.Boolean(), nullable=False, server_default=sa.false()))

    op.add_column("contact", sa.Column("suppressed_at", Instant()))
    for name, kind in (
        ("status_before_deletion", sa.String()),
        ("next_action_before_deletion_at", Instant()),
        ("scheduled_callback_id", Id()),
        ("scheduled_callback_at", Instant()),
        ("trackdrive_number", sa.String()),
        ("sms_number", sa.String()),
    ):
        op.add_column("lead", sa.Column(name, kind))
    op.add_column("submission", sa.Column("api_key_id", sa.Integer()))
    with op.batch_alter_table("idempotency_answer") as batch:
        batch.alter_column("lead_id", nullable=True)
    for table in ("offer", "schedule"):
        op.add_column(table, sa.Column("acceptance", Json, nullable=False, server_default="{}"))
    for name, kind in (("description", sa.String()), ("updated_at", Instant()), ("deleted_at", Instant())):
        op.add_column("token", sa.Column(name, kind))

    with op.batch_alter_table("schedule_action") as batch:
        for name in ("created_at", "updated_at", "deleted_at"):
            batch.add_column(sa.Column(name, Instant()))
    since = "(select created_at from schedule where schedule.id = schedule_action.schedule_id)"
    op.execute(sa.text(f"update schedule_action set created_at = {since}, updated_at = {since}"))
    with op.batch_alter_table("schedule_action") as batch:
        batch.alter_column("created_at", nullable=False)
        batch.alter_column("updated_at", nullable=False)
        batch.drop_constraint("uq_schedule_action_company_id_schedule_id_position", type_="unique")
        batch.create_index(
            "uq_schedule_action_position",
            ["company_id", "schedule_id", "position"],
            unique=True,
            postgresql_where=IN_USE,
            sqlite_where=IN_USE,
        )
    with op.batch_alter_table("traffic_source") as batch:
        batch.drop_constraint("uq_traffic_source_company_id_user_traffic_source_id", type_="unique")
        batch.create_index(
            "uq_traffic_source_text",
            ["company_id", "user_traffic_source_id"],
            unique=True,
            postgresql_where=IN_USE,
            sqlite_where=IN_USE,
        )


def downgrade() -> None:
    with op.batch_alter_table("traffic_source") as batch:
        batch.drop_index("uq_traffic_source_text")
        batch.create_unique_constraint(
            "uq_traffic_source_company_id_user_traffic_source_id", ["company_id", "user_traffic_source_id"]
        )
    with op.batch_alter_table("schedule_action") as batch:
        batch.drop_index("uq_schedule_action_position")
        batch.create_unique_constraint(
            "uq_schedule_action_company_id_schedule_id_position", ["company_id", "schedule_id", "position"]
        )
        for name in ("created_at", "updated_at", "deleted_at"):
            batch.drop_column(name)
    for table, names in (
        ("token", ("description", "updated_at", "deleted_at")),
        ("schedule", ("acceptance",)),
        ("offer", ("acceptance",)),
        ("submission", ("api_key_id",)),
        (
            "lead",
            (
                "status_before_deletion",
                "next_action_before_deletion_at",
                "scheduled_callback_id",
                "scheduled_callback_at",
                "trackdrive_number",
                "sms_number",
            ),
        ),
        ("contact", ("suppressed_at",)),
        ("lead_token", ("allows_callbacks",)),
        *((table, ("updated_at",)) for table in UNDATED),
    ):
        with op.batch_alter_table(table) as batch:
            for name in names:
                batch.drop_column(name)
    op.execute(sa.text("delete from idempotency_answer where lead_id is null"))
    with op.batch_alter_table("idempotency_answer") as batch:
        batch.alter_column("lead_id", nullable=False)
    for table in ("number_pool", "callback", "contact_field", "call", "number", "contact_field_type"):
        op.drop_table(table)
