"""Arms and rows as the statements that PostgreSQL takes, and their values as libpq takes them. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import psycopg

from server.lib.ledger import Arm, RowOf, Values

# How PostgreSQL reads a value from text where that is not what `str` makes of it.
SPELT: Mapping[type, Callable[[Any], str]] = {bool: lambda value: "t" if value else "f", datetime: datetime.isoformat}


class Encoders(dict[type, Callable[[Any], bytes | None]]):
    """The same as libpq takes it; what is not named here is spelt by `str`."""

    def __missing__(self, kind: type) -> Callable[[Any], bytes | None]:
        """Remembers how to spell one more type."""
        spell = SPELT.get(kind, str)
        return self.setdefault(kind, lambda value: spell(value).encode())


ENCODERS = Encoders({str: str.encode, type(None): lambda value: None})


@dataclass(frozen=True, slots=True)
class Numbered:
    """A statement as PostgreSQL itself spells it, with `$1` for the first of these names. psycopg's own spelling is
    read again for each use of a statement as long as ours."""

    text: bytes
    names: tuple[str, ...]

    def encode(self, values: Values) -> list[bytes | None]:
        """The values in their order as libpq takes them: text, whose type PostgreSQL infers, so that one statement is
        prepared once and not once for each mixture of NULLs and widths of integers."""
        encoded = [ENCODERS[type(value)](value) for value in map(values.__getitem__, self.names)]
        if b"\0" in b"".join(filter(None, encoded)):
            # libpq would take the text to end there.
            raise psycopg.DataError("PostgreSQL keeps no NUL")
        return encoded


@lru_cache(maxsize=1024)
def numbered(sql: str) -> Numbered:
    """The numbers for the names of a statement."""
    names: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        return f"${names.setdefault(match[1], len(names) + 1)}"

    text = re.sub(r"(?<![:\w]):([a-z]\w*)", number, sql)
    return Numbered(text.encode(), tuple(names))


@lru_cache(maxsize=1024)
def one_statement(arms: tuple[Arm, ...]) -> Numbered:
    """All arms as one statement, which commits or fails as a whole, in one round trip.

    The arms are counted in their order; a miscount divides by zero, which undoes the statement. An insert of one row
    makes it or fails, so it needs no counting.
    """
    counted = [i for i, arm in enumerate(arms) if not arm.optional and not arm.inserts]
    named = ", ".join(f"arm{i} as ({arm.sql}{' returning 1' * (i in counted)})" for i, arm in enumerate(arms))
    counts = " and ".join(f"(select count(*) from arm{i}) = 1" for i in counted) or "true"
    return numbered(f"with {named} select 1 / case when {counts} then 1 else 0 end")


@lru_cache(maxsize=1024)
def one_statement_if(premise: str, arms: tuple[Arm, ...]) -> Numbered:
    """Inserts that are made if the premise has a row, as one statement; it tells whether it had."""
    named = ", ".join(f"arm{i} as ({arm.sql} from premise)" for i, arm in enumerate(arms))
    return numbered(f"with premise as materialized ({premise}), {named} select count(*) from premise")


@lru_cache(maxsize=256)
def copy_of(row: RowOf) -> str:
    """What takes in any number of rows, at three quarters of what an insert costs."""
    return f"copy {row.table} ({', '.join(row.columns)}) from stdin"
