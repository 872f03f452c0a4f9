"""API keys, from what a request carries to what it may do; and a company's region."""

from dataclasses import dataclass

from sqlalchemy import select

from server.companies.models import ApiKey, Company
from server.lib.db import db
from server.lib.secrets import digest


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """A valid API key: whose it is and what it may do."""

    key_id: int
    company_id: int
    scopes: frozenset[str]


def region(company_id: int) -> str:
    """Where a company's numbers without a country's code are from."""
    with db.engine.connect() as connection:
        return connection.execute(select(Company.region).where(Company.id == company_id)).scalar_one()


def find_key(private: str, public: str | None = None) -> KeyHolder | None:
    """The key with this private part (and, where it was sent, this public part); None if there is none."""
    with db.engine.connect() as connection:
        row = connection.execute(
            select(ApiKey.id, ApiKey.company_id, ApiKey.public, ApiKey.scopes).where(
                ApiKey.private_hash == digest(private), ApiKey.revoked_at.is_(None)
            )
        ).first()
    if row is None or public not in (None, row.public):
        return None
    return KeyHolder(row.id, row.company_id, frozenset(row.scopes))
