"""What vendors need: a list of their own submissions, secrets of foreign payloads, replays."""

import sqlalchemy as sa
from alembic import op

from server.lib.db import Id

revision = "0003"
down_revision = "0002"

REPLAYED = sa.text("replay_of_id is not null and action <> 'refused'")


def upgrade() -> None:
    with op.batch_alter_table("lead_token") as table:
        table.add_column(sa.Column("reads_submissions", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("payload_secret", sa.String(), nullable=True))
        table.create_check_constraint(
            op.f("ck_lead_token_reads_submissions"), "not reads_submissions or kind = 'server'"
        )
    with op.batch_alter_table("lead_token") as table:
        table.alter_column("reads_submissions", server_default=None)
    with op.batch_alter_table("submission") as table:
        table.add_column(sa.Column("replay_of_id", Id(), nullable=True))
    op.create_index(
        "ix_submission_company_id_lead_token_id",
        "submission",
        ["company_id", "lead_token_id", "created_at", "id"],
    )
    op.create_index(
        "uq_submission_replay_of_id",
        "submission",
        ["replay_of_id"],
        unique=True,
        postgresql_where=REPLAYED,
        sqlite_where=REPLAYED,
    )


def downgrade() -> None:
    op.drop_index("uq_submission_replay_of_id", "submission")
    op.drop_index("ix_submission_company_id_lead_token_id", "submission")
    with op.batch_alter_table("submission") as table:
        table.drop_column("replay_of_id")
    with op.batch_alter_table("lead_token") as table:
        table.drop_constraint(op.f("ck_lead_token_reads_submissions"), type_="check")
        table.drop_column("payload_secret")
        table.drop_column("reads_submissions")
