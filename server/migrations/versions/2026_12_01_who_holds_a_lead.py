"""Whose consent holds a lead, so that a page's does not hold what a server brings."""

import sqlalchemy as sa
from alembic import op

revision = "0009_held_by"
down_revision = "0008"


def upgrade() -> None:
    with op.batch_alter_table("lead") as table:
        table.add_column(sa.Column("held_by", sa.String(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("lead") as table:
        table.drop_column("held_by")
