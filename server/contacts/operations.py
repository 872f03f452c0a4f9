"""Changing what may be done with numbers. Nothing here commits."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from server.contacts.models import Contact
from server.lib.db import batches, db
from server.lib.secrets import new_id


def add_contact(company_id: int, number: str, now: datetime, states: dict[str, Any]) -> tuple[Contact, bool]:
    """The number's contact, and whether this has made it; one that somebody else makes meanwhile is theirs."""
    values = new_contact(company_id, number, now) | states
    made = db.session.scalar(insert().values(values).on_conflict_do_nothing().returning(Contact.id))
    query = select(Contact).where(Contact.company_id == company_id, Contact.caller_id == number)
    return db.session.execute(query).scalar_one(), made is not None


def insert() -> Any:
    """An insert into the contacts that can say what to do where the number is there already."""
    # Both databases spell it alike; SQLAlchemy keeps it with each of them.
    postgres = db.session.connection().dialect.name == "postgresql"
    return postgresql.insert(Contact) if postgres else sqlite.insert(Contact)


def suppress(company_id: int, numbers: Sequence[str], now: datetime) -> set[str]:
    """Puts numbers on the suppression list, with a contact where there was none; those that were not on it.

    Intake, which writes under the version of a contact, has come before this or decides again after it.
    """
    if not numbers:
        return set()
    rows = [new_contact(company_id, number, now) | {"suppressed_at": now} for number in numbers]
    statement = insert().on_conflict_do_update(
        index_elements=[Contact.company_id, Contact.caller_id],
        set_={"suppressed_at": now, "version": Contact.version + 1, "updated_at": now},
        where=Contact.suppressed_at.is_(None),
    )
    # By the connection itself, for the session would compile each row anew.
    added = db.session.connection().execute(statement.returning(Contact.caller_id), rows)
    return set(added.scalars())


def lift_suppression(company_id: int, numbers: Sequence[str], now: datetime) -> set[str]:
    """Takes numbers off the suppression list; those that were on it."""
    lifted: set[str] = set()
    for batch in batches(numbers):
        statement = (
            update(Contact)
            .where(Contact.company_id == company_id, Contact.caller_id.in_(batch), Contact.suppressed_at.is_not(None))
            .values(suppressed_at=None, version=Contact.version + 1, updated_at=now)
        )
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
