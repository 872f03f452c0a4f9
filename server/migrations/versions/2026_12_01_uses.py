"""How often pages and their texts are used: of lists that strangers can fill, the least used goes."""

import sqlalchemy as sa
from alembic import op

from server.lib.db import Instant

revision = "0015_uses"
down_revision = "0014_people"

LISTED = sa.text("retired_at is null")
VERSIONS = ("ix_disclosure_version_disclosure_id", "disclosure_version")
ORDER = ["company_id", "disclosure_id", "created_at", "id"]


def upgrade() -> None:
    op.add_column("origin_seen", sa.Column("uses", sa.Integer(), server_default="1", nullable=False))
    op.add_column("origin_seen", sa.Column("last_seen_at", Instant(), nullable=True))
    op.execute("update origin_seen set last_seen_at = first_seen_at")
    with op.batch_alter_table("origin_seen") as table:
        table.alter_column("last_seen_at", existing_type=Instant(), nullable=False)
    # Of this table no copy is made, which its triggers would not survive.
    op.add_column("disclosure_version", sa.Column("uses", sa.Integer(), server_default="0", nullable=False))
    op.add_column("disclosure_version", sa.Column("last_used_at", Instant(), nullable=True))
    op.add_column("disclosure_version", sa.Column("retired_at", Instant(), nullable=True))
    op.execute("update disclosure_version set uses = 1, last_used_at = created_at where reviewed_at is null")
    op.drop_index(VERSIONS[0], table_name=VERSIONS[1])
    op.create_index(*VERSIONS, ORDER, postgresql_where=LISTED, sqlite_where=LISTED)


def downgrade() -> None:
    op.drop_index(VERSIONS[0], table_name=VERSIONS[1])
    op.create_index(*VERSIONS, ORDER)
    for name in ("retired_at", "last_used_at", "uses"):
        op.drop_column("disclosure_version", name)
    for name in ("last_seen_at", "uses"):
        op.drop_column("origin_seen", name)
