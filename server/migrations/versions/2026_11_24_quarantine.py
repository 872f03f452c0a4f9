"""What guards publishable tokens: the pages that were seen to use one, and what was let out of quarantine."""

import sqlalchemy as sa
from alembic import op

from server.lib.db import Instant

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "origin_seen",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("lead_token_id", sa.Integer(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("first_seen_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_origin_seen")),
        sa.UniqueConstraint("lead_token_id", "origin", name=op.f("uq_origin_seen_lead_token_id_origin")),
    )
    with op.batch_alter_table("submission") as table:
        table.add_column(sa.Column("released_at", Instant(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("submission") as table:
        table.drop_column("released_at")
    op.drop_table("origin_seen")
