"""Held leads are found without a look at all others."""

import sqlalchemy as sa
from alembic import op

revision = "0012_held_leads"
down_revision = "0011_refusal_count"

HELD = sa.text("held_at is not null")


def upgrade() -> None:
    op.create_index("ix_lead_held", "lead", ["company_id", "id"], postgresql_where=HELD, sqlite_where=HELD)


def downgrade() -> None:
    op.drop_index("ix_lead_held", table_name="lead")
