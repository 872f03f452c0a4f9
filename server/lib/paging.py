"""Keyset paging: a cursor says after which row to go on, so that rows that come meanwhile shift nothing."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, func, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from server.lib.secrets import is_id

PER_PAGE = 50
MOST_PER_PAGE = 200
# A page whose rows may be long ends before it holds more characters than this.
MOST_CHARACTERS = 2_000_000
# So many rows are looked at, or counted, for one request: some hundredths of a second on either database.
REACH = 50_000
# Where each look is dear, as that for a text within all tokens is.
SHORT_REACH = 10_000

Query = Select[*tuple[Any, ...]]
Scope = Sequence[ColumnElement[bool]]


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


Place = tuple[datetime, str | int]


class Ordered:
    """Rows from the newest to the oldest, by when they were made and by their id."""

    def __init__(self, created_at: InstrumentedAttribute[datetime], row_id: InstrumentedAttribute[Any]) -> None:
        self.created_at, self.row_id = created_at, row_id
        self.place = tuple_(created_at, row_id)
        self.numbered = isinstance(row_id.type, Integer)

    def at(self, place: Place) -> Any:
        """A place as it is compared; its types are said, for PostgreSQL compares no UUID with a text."""
        return tuple_(literal(place[0], self.created_at.type), literal(place[1], self.row_id.type))

    def after(self, query: Query, place: Place | None) -> Query:
        """The rows of a query behind a place, in their order."""
        if place is not None:
            query = query.where(self.place < self.at(place))
        return query.order_by(self.created_at.desc(), self.row_id.desc())

    def edge(self, session: Session, scope: Scope, place: Place | None, reach: int) -> Place | None:
        """The last place that one request looks at behind another; None where there is nothing beyond."""
        if not scope:
            return None
        walked = self.after(select(self.created_at, self.row_id).where(*scope), place)
        last = session.execute(walked.offset(reach - 1).limit(2)).all()
        return (last[0][0], last[0][1]) if len(last) == 2 else None


def page(
    session: Session,
    query: Query,
    created_at: InstrumentedAttribute[datetime],
    row_id: InstrumentedAttribute[Any],
    *,
    per_page: int,
    cursor: str | None,
    scope: Scope = (),
    reach: int = REACH,
    size: ColumnElement[int] | None = None,
) -> tuple[list[Any], dict[str, Any]]:
    """The newest rows first, and the metadata of the list; raises BadCursor.

    One request looks at no more than `reach` rows of the `scope`: conditions whose rows an index has in this order. If
    few of these are asked for, the page is short or empty, and its cursor says where the next one looks on. Of more
    rows than that there is no total. `size` is how long a row is, where it may be long: the page ends earlier then.
    """
    ordered = Ordered(created_at, row_id)
    start = decode(cursor, ordered.numbered) if cursor else None
    top = ordered.edge(session, scope, None, reach)
    edge = ordered.edge(session, scope, start, reach) if start else top
    found = ordered.after(query, start)
    if edge is not None:
        found = found.where(ordered.place >= ordered.at(edge))
    most = per_page if size is None else how_many_fit(session, found, size, per_page)
    rows = list(session.execute(found.limit(most + 1)))
    if len(rows) > most:
        rows = rows[:most]
        edge = (rows[-1][0].created_at, rows[-1][0].id)
    return rows, {
        "total_count": None if top is not None else counted(session, query, reach),
        "per_page": per_page,
        "next_cursor": encode(*edge) if edge is not None else None,
    }


def how_many_fit(session: Session, found: Query, size: ColumnElement[int], per_page: int) -> int:
    """How many of the rows make a page that is not too long; one does, however long it is."""
    sizes = session.scalars(found.with_only_columns(size).limit(per_page))
    return max(1, sum(total <= MOST_CHARACTERS for total in accumulate(sizes)))


def counted(session: Session, query: Query, most: int) -> int | None:
    """How many rows a query has; None if there are more than so many."""
    total = session.scalar(select(func.count()).select_from(query.limit(most + 1).subquery())) or 0
    return total if total <= most else None
