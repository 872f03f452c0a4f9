"""Disclosures, and their versions, which triggers keep as they are."""

import sqlalchemy as sa
from alembic import op

from server.lib.db import Instant

revision = "0005"
down_revision = "0004"

CURRENT = sa.text("is_current")
# What never changes once it is there.
FIXED = (
    "id",
    "company_id",
    "disclosure_id",
    "language",
    "text",
    "label",
    "seller_name",
    "terms_url",
    "privacy_url",
    "content_hash",
    "created_at",
)
# What is set once.
SET_ONCE = ("reviewed_at", "published_at")
REFUSED = "a version of a disclosure is never changed or deleted"


def upgrade() -> None:
    op.create_table(
        "disclosure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("default_language", sa.String(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("deleted_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_disclosure_company_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disclosure")),
    )
    op.create_index(op.f("ix_disclosure_company_id"), "disclosure", ["company_id"])
    op.create_table(
        "disclosure_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("disclosure_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("seller_name", sa.String(), nullable=True),
        sa.Column("terms_url", sa.String(), nullable=True),
        sa.Column("privacy_url", sa.String(), nullable=True),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("reviewed_at", Instant(), nullable=True),
        sa.Column("published_at", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.CheckConstraint(
            "published_at is null or reviewed_at is not null", name=op.f("ck_disclosure_version_reviewed")
        ),
        sa.CheckConstraint("not is_current or published_at is not null", name=op.f("ck_disclosure_version_current")),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_disclosure_version_company_id")),
        sa.ForeignKeyConstraint(["disclosure_id"], ["disclosure.id"], name=op.f("fk_disclosure_version_disclosure_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disclosure_version")),
    )
    op.create_index(
        "uq_disclosure_version_content_hash", "disclosure_version", ["company_id", "content_hash"], unique=True
    )
    op.create_index(
        "uq_disclosure_version_language",
        "disclosure_version",
        ["disclosure_id", "language"],
        unique=True,
        postgresql_where=CURRENT,
        sqlite_where=CURRENT,
    )
    op.create_index(
        "ix_disclosure_version_disclosure_id",
        "disclosure_version",
        ["company_id", "disclosure_id", "created_at", "id"],
    )
    for statement in TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("disclosure_version")
    op.drop_table("disclosure")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("drop function keep_disclosure_version()")


def changed(differs: str) -> str:
    """Whether an update moves what may not move; `differs` is the comparison that knows null."""
    fixed = [f"new.{name} {differs} old.{name}" for name in FIXED]
    once = [f"(old.{name} is not null and new.{name} {differs} old.{name})" for name in SET_ONCE]
    return " or ".join([*fixed, *once])


# A migration that copies the table, as SQLite needs it for some changes, has to make its triggers again.
TRIGGERS = {
    "sqlite": (
        "create trigger disclosure_version_stays before update on disclosure_version"
        f" when {changed('is not')} begin select raise(abort, '{REFUSED}'); end",
        "create trigger disclosure_version_remains before delete on disclosure_version"
        f" begin select raise(abort, '{REFUSED}'); end",
    ),
    "postgresql": (
        "create function keep_disclosure_version() returns trigger language plpgsql as"
        f" $$ begin raise exception '{REFUSED}' using errcode = 'restrict_violation'; end $$",
        "create trigger disclosure_version_stays before update on disclosure_version for each row"
        f" when ({changed('is distinct from')}) execute function keep_disclosure_version()",
        "create trigger disclosure_version_remains before delete on disclosure_version for each row"
        " execute function keep_disclosure_version()",
        "create trigger disclosure_version_is_not_emptied before truncate on disclosure_version"
        " execute function keep_disclosure_version()",
    ),
}
