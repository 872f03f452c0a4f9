"""Consent: a record for each submission that was taken, the disclosure of a lead token, leads that are held."""

import sqlalchemy as sa
from alembic import op

from server.lib.db import Id, Instant

revision = "0006"
down_revision = "0005"

EVIDENCE = "evidence in ('witnessed', 'third_party', 'asserted', 'imported', 'none')"
BEFORE = "status in ('scheduled', 'waiting', 'blocked', 'opt_out', 'completed', 'expired', 'removed')"
AFTER = "status in ('scheduled', 'waiting', 'held', 'blocked', 'opt_out', 'completed', 'expired', 'removed')"


def upgrade() -> None:
    op.create_table(
        "consent_record",
        sa.Column("submission_id", Id(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=True),
        sa.Column("content_hash", sa.String(), nullable=True),
        sa.Column("record", sa.Text(), nullable=False),
        sa.CheckConstraint(EVIDENCE, name=op.f("ck_consent_record_evidence")),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name=op.f("fk_consent_record_submission_id")),
        sa.PrimaryKeyConstraint("submission_id", name=op.f("pk_consent_record")),
    )
    with op.batch_alter_table("lead_token") as table:
        table.add_column(sa.Column("disclosure_id", sa.Integer(), nullable=True))
        table.create_foreign_key(op.f("fk_lead_token_disclosure_id"), "disclosure", ["disclosure_id"], ["id"])
    with op.batch_alter_table("lead") as table:
        table.add_column(sa.Column("held_at", Instant(), nullable=True))
        table.drop_constraint(op.f("ck_lead_status"), type_="check")
        table.create_check_constraint(op.f("ck_lead_status"), AFTER)
        table.create_check_constraint(op.f("ck_lead_held"), "held_at is null or next_action_at is null")


def downgrade() -> None:
    op.execute(
        "update lead set status = case when schedule_id is null then 'waiting' else 'scheduled' end"
        " where status = 'held'"
    )
    with op.batch_alter_table("lead") as table:
        table.drop_constraint(op.f("ck_lead_held"), type_="check")
        table.drop_constraint(op.f("ck_lead_status"), type_="check")
        table.create_check_constraint(op.f("ck_lead_status"), BEFORE)
        table.drop_column("held_at")
    with op.batch_alter_table("lead_token") as table:
        table.drop_constraint(op.f("fk_lead_token_disclosure_id"), type_="foreignkey")
        table.drop_column("disclosure_id")
    op.drop_table("consent_record")
