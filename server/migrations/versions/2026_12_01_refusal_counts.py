"""How many requests were refused of which nothing else is kept, so that a flood of them does not fill the disk."""

import sqlalchemy as sa
from alembic import op

from server.lib.db import Instant

revision = "0011_refusal_count"
down_revision = "0010_rotation"


def upgrade() -> None:
    op.create_table(
        "refusal_count",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("hour_at", Instant(), nullable=False),
        sa.Column("lead_token_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refusal_count")),
        sa.UniqueConstraint(
            "company_id",
            "hour_at",
            "lead_token_id",
            "code",
            name=op.f("uq_refusal_count_company_id_hour_at_lead_token_id_code"),
        ),
    )


def downgrade() -> None:
    op.drop_table("refusal_count")
