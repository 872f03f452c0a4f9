"""Keyset paging: a cursor says after which row to go on, so that rows that come meanwhile shift nothing."""

import base64
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Integer, Select, func, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from server.lib.secrets import is_id

PER_PAGE = 50
MOST_PER_PAGE = 200


class BadCursor(ValueError):
    """The cursor is none of ours."""


def encode(created_at: datetime, row_id: str | int) -> str:
    """The cursor after this row."""
    return base64.urlsafe_b64encode(f"{created_at.isoformat()} {row_id}".encode()).decode().rstrip("=")


def decode(cursor: str, numbered: bool) -> tuple[datetime, str | int]:
    """Where to go on, by numbers or by UUIDs; raises BadCursor."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        created_at, row_id = text.split(" ")
        instant = datetime.fromisoformat(created_at)
        known = is_number(row_id) if numbered else is_id(row_id)
        if instant.tzinfo is None or not known:
            raise ValueError(cursor)
        return instant.astimezone(UTC), int(row_id) if numbered else row_id
    except (ValueError, OverflowError) as error:
        raise BadCursor(cursor) from error


def is_number(text: str) -> bool:
    """Whether the text is the number of a row that there can be, in its usual spelling."""
    return len(text) <= 10 and text.isascii() and text.isdigit() and text[0] != "0" and int(text) < 2**31


def page(
    session: Session,
    query: Select[*tuple[Any, ...]],
    created_at: InstrumentedAttribute[datetime],
    row_id: InstrumentedAttribute[Any],
    *,
    per_page: int,
    cursor: str | None,
) -> tuple[list[Any], dict[str, Any]]:
    """The newest rows first, and the metadata of the list."""
    total = session.scalar(select(func.count()).select_from(query.subquery()))
    if cursor:
        last_at, last_id = decode(cursor, isinstance(row_id.type, Integer))
        # The types are said, for PostgreSQL compares no UUID with a text.
        after = tuple_(literal(last_at, created_at.type), literal(last_id, row_id.type))
        query = query.where(tuple_(created_at, row_id) < after)
    rows = list(session.execute(query.order_by(created_at.desc(), row_id.desc()).limit(per_page + 1)))
    more = len(rows) > per_page
    rows = rows[:per_page]
    last = rows[-1][0] if more else None
    return rows, {
        "total_count": total,
        "per_page": per_page,
        "next_cursor": encode(last.created_at, last.id) if last is not None else None,
    }
