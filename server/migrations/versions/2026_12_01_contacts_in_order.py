"""Contacts are listed in the order in which they came, without a look at all of them."""

from alembic import op

revision = "0013_contacts_in_order"
down_revision = "0012_held_leads"


def upgrade() -> None:
    op.create_index("ix_contact_company_id_created_at", "contact", ["company_id", "created_at", "id"])


def downgrade() -> None:
    op.drop_index("ix_contact_company_id_created_at", table_name="contact")
