"""Which traffic sources the documentation shows to who has a lead token."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    with op.batch_alter_table("traffic_source") as table:
        table.add_column(sa.Column("show_in_docs", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("traffic_source") as table:
        table.alter_column("show_in_docs", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("traffic_source") as table:
        table.drop_column("show_in_docs")
