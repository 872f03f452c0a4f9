"""Whose a lead token is: what a vendor has sent, its keys and its ids go with it when its token is rotated."""

import sqlalchemy as sa
from alembic import op

from server.lib.db import Instant

revision = "0010_rotation"
down_revision = "0009_held_by"


def upgrade() -> None:
    with op.batch_alter_table("lead_token") as table:
        table.add_column(sa.Column("first_id", sa.Integer(), nullable=True))
        table.add_column(sa.Column("replaced_at", Instant(), nullable=True))
        table.create_foreign_key(op.f("fk_lead_token_first_id"), "lead_token", ["first_id"], ["id"])
    with op.batch_alter_table("submission") as table:
        table.add_column(sa.Column("vendor_id", sa.Integer(), nullable=True))
    # Nobody knows which tokens of before replaced which: each is a vendor's of its own.
    op.execute("update submission set vendor_id = lead_token_id")
    op.drop_index("ix_submission_company_id_lead_token_id", "submission")
    with op.batch_alter_table("submission") as table:
        table.alter_column("vendor_id", existing_type=sa.Integer(), nullable=False)
    op.create_index("ix_submission_company_id_vendor_id", "submission", ["company_id", "vendor_id", "created_at", "id"])
    rename_owner_of_keys("lead_token_id", "vendor_id")


def downgrade() -> None:
    # A vendor's number is that of its first token, which keeps the keys.
    rename_owner_of_keys("vendor_id", "lead_token_id")
    op.drop_index("ix_submission_company_id_vendor_id", "submission")
    with op.batch_alter_table("submission") as table:
        table.drop_column("vendor_id")
    op.create_index(
        "ix_submission_company_id_lead_token_id", "submission", ["company_id", "lead_token_id", "created_at", "id"]
    )
    with op.batch_alter_table("lead_token") as table:
        table.drop_constraint(op.f("fk_lead_token_first_id"), type_="foreignkey")
        table.drop_column("replaced_at")
        table.drop_column("first_id")


def rename_owner_of_keys(old: str, new: str) -> None:
    """Renames the column of `idempotency_answer` that says whose a key is, and its unique constraint."""
    with op.batch_alter_table("idempotency_answer") as table:
        table.drop_constraint(op.f(f"uq_idempotency_answer_company_id_{old}_scope_key"), type_="unique")
        table.alter_column(old, new_column_name=new, existing_type=sa.Integer(), existing_nullable=False)
    with op.batch_alter_table("idempotency_answer") as table:
        table.create_unique_constraint(
            op.f(f"uq_idempotency_answer_company_id_{new}_scope_key"), ["company_id", new, "scope", "key"]
        )
