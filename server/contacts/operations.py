"""Changing what may be done with numbers. Nothing here commits."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from server.contacts.models import Contact
from server.lib.db import batches, db
from server.lib.secrets import new_id

# Both spell `on conflict` alike; SQLAlchemy keeps it with each of them.
INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def suppress(company_id: int, numbers: Sequence[str], now: datetime) -> set[str]:
    """Puts numbers on the suppression list, with a contact where there was none; those that were not on it.

    Sorted, so that two lists that meet wait for one another instead of standing in each other's way.
    """
    added: set[str] = set()
    for batch in batches(sorted(numbers)):
        new = [new_contact(company_id, number, now) | {"suppressed_at": now} for number in batch]
        insert = INSERT[db.session.connection().dialect.name](Contact).values(new)
        statement = insert.on_conflict_do_update(
            index_elements=[Contact.company_id, Contact.caller_id],
            set_={"suppressed_at": now, "version": Contact.version + 1, "updated_at": now},
            where=Contact.suppressed_at.is_(None),
        )
        added.update(db.session.execute(statement.returning(Contact.caller_id)).scalars())
    return added


def lift_suppression(company_id: int, numbers: Sequence[str], now: datetime) -> set[str]:
    """Takes numbers off the suppression list; those that were on it."""
    lifted: set[str] = set()
    for batch in batches(sorted(numbers)):
        listed = [Contact.company_id == company_id, Contact.caller_id.in_(batch), Contact.suppressed_at.is_not(None)]
        # Locked in their order first: an update alone would lock them as it finds them.
        ids = db.session.scalars(select(Contact.id).where(*listed).order_by(Contact.caller_id).with_for_update()).all()
        statement = update(Contact).where(Contact.id.in_(ids), *listed)
        statement = statement.values(suppressed_at=None, version=Contact.version + 1, updated_at=now)
        lifted.update(db.session.execute(statement.returning(Contact.caller_id)).scalars())
    return lifted


def new_contact(company_id: int, number: str, now: datetime) -> dict[str, object]:
    """The columns of a number that is new to the company."""
    return {
        "id": new_id(),
        "company_id": company_id,
        "caller_id": number,
        "version": 1,
        "created_at": now,
        "updated_at": now,
    }
