"""A person may be in several companies: who they are, apart from what they are in each."""

import sqlalchemy as sa
from alembic import op

from server.lib.db import Instant

revision = "0014_people"
down_revision = "0013_contacts_in_order"


def upgrade() -> None:
    op.create_table(
        "person",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_person_email")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("email", name=op.f("uq_person_email")),
    )
    op.execute('insert into person (email, created_at) select email, created_at from "user"')
    with op.batch_alter_table("user") as table:
        table.add_column(sa.Column("person_id", sa.Integer(), nullable=True))
    op.execute('update "user" set person_id = (select person.id from person where person.email = "user".email)')
    with op.batch_alter_table("user") as table:
        table.drop_constraint(op.f("ck_user_email"), type_="check")
        table.drop_constraint(op.f("uq_user_email"), type_="unique")
        table.drop_column("email")
        table.alter_column("person_id", existing_type=sa.Integer(), nullable=False)
        table.create_foreign_key(op.f("fk_user_person_id"), "person", ["person_id"], ["id"])
        table.create_unique_constraint(op.f("uq_user_company_id_person_id"), ["company_id", "person_id"])


def downgrade() -> None:
    with op.batch_alter_table("user") as table:
        table.add_column(sa.Column("email", sa.String(), nullable=True))
    op.execute('update "user" set email = (select person.email from person where person.id = "user".person_id)')
    # An older version has an address once: where a person came to a further company, it says to which.
    op.execute(
        """update "user" set email = replace(email, '@', '+company-' || company_id || '@')"""
        """ where id > (select min(other.id) from "user" other where other.person_id = "user".person_id)"""
    )
    with op.batch_alter_table("user") as table:
        table.drop_constraint(op.f("uq_user_company_id_person_id"), type_="unique")
        table.drop_constraint(op.f("fk_user_person_id"), type_="foreignkey")
        table.drop_column("person_id")
        table.alter_column("email", existing_type=sa.String(), nullable=False)
        table.create_unique_constraint(op.f("uq_user_email"), ["email"])
        table.create_check_constraint(op.f("ck_user_email"), "email = lower(email)")
    op.drop_table("person")
