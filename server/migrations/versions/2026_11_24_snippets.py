"""Snippets and their builds."""

import sqlalchemy as sa
from alembic import op

from server.lib.db import Instant, Json

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "snippet",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("lead_token_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("field_map", Json, nullable=False),
        sa.Column("parameters", Json, nullable=False),
        sa.Column("messages", Json, nullable=False),
        sa.Column("thank_you_url", sa.String(), nullable=True),
        sa.Column("carry", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("deleted_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_snippet_company_id")),
        sa.ForeignKeyConstraint(["lead_token_id"], ["lead_token.id"], name=op.f("fk_snippet_lead_token_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snippet")),
        sa.UniqueConstraint("lead_token_id", name=op.f("uq_snippet_lead_token_id")),
    )
    op.create_index("ix_snippet_company_id", "snippet", ["company_id", "created_at", "id"])
    op.create_table(
        "snippet_build",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("snippet_id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_snippet_build_company_id")),
        sa.ForeignKeyConstraint(["snippet_id"], ["snippet.id"], name=op.f("fk_snippet_build_snippet_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snippet_build")),
    )
    op.create_index("uq_snippet_build_hash", "snippet_build", ["snippet_id", "hash"], unique=True)
    op.create_index("ix_snippet_build_company_id", "snippet_build", ["company_id", "snippet_id", "created_at", "id"])


def downgrade() -> None:
    op.drop_table("snippet_build")
    op.drop_table("snippet")
