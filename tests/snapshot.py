"""All that is stored, row by row, so that two looks at the database can be compared."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from flask import Flask
from sqlalchemy import Select, bindparam, select

from server.lib.db import db

Row = dict[str, Any]


class Key(NamedTuple):
    """Where a row stands: its table and its primary key."""

    table: str
    id: Any


Snapshot = dict[Key, Row]


class Change(NamedTuple):
    """One column of a stored row that is not as it was."""

    key: Key
    column: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Difference:
    """What has happened between two looks."""

    inserted: Snapshot = field(default_factory=dict)
    removed: Snapshot = field(default_factory=dict)
    changed: list[Change] = field(default_factory=list)

    def of(self, table: str) -> list[Row]:
        """The rows that are new in a table."""
        return [row for key, row in self.inserted.items() if key.table == table]


def snapshot(app: Flask, *company_ids: int) -> Snapshot:
    """Every row of every table; with companies named, theirs only, and of people those who are users of theirs (a
    table without company is read as a whole)."""
    rows: Snapshot = {}
    whose = {f"company_{place}": company_id for place, company_id in enumerate(company_ids)}
    with app.app_context(), db.engine.connect() as connection:
        for name, primary, query in queries(len(company_ids)):
            found = connection.execute(query, whose).mappings().all()
            rows |= {Key(name, named(row, primary)): dict(row) for row in found}
    return rows


def named(row: Mapping[Any, Any], primary: list[str]) -> Any:
    """What names a row in its table."""
    return row[primary[0]] if len(primary) == 1 else tuple(str(row[name]) for name in primary)


@cache
def queries(companies: int) -> list[tuple[str, list[str], Select[Any]]]:
    """Of each table its name, its primary key and what reads the rows of so many companies, with the values that the
    models' types give them on either database. Made once: thousands of looks are taken."""
    made = []
    users = db.metadata.tables["user"]
    for table in db.metadata.sorted_tables:
        whose = table.c.id if table.name == "company" else table.c.get("company_id")
        query = select(table)
        if table.name == "person" and companies:
            query = query.distinct().join(users)
            whose = users.c.company_id
        if companies and whose is not None:
            query = query.where(whose.in_([bindparam(f"company_{place}") for place in range(companies)]))
        made.append((table.name, [column.name for column in table.primary_key.columns], query))
    return made


def difference(before: Snapshot, after: Snapshot) -> Difference:
    """What the second look shows that the first does not."""
    return Difference(
        inserted={key: row for key, row in after.items() if key not in before},
        removed={key: row for key, row in before.items() if key not in after},
        changed=[
            Change(key, column, value, after[key][column])
            for key, row in before.items()
            if key in after
            for column, value in row.items()
            if after[key][column] != value
        ],
    )
