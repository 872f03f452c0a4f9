"""The ledger on SQLite: the jobs of many requests share one commit."""

import sqlite3
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

from server.lib.db import open_sqlite
from server.lib.filelock import FileLock
from server.lib.group_commit import UNDO_JOB, GroupCommit, RolledBack
from server.lib.ledger import (
    Arm,
    Conflict,
    Ledger,
    Result,
    Row,
    RowOf,
    Values,
    WriteFailed,
    Writes,
    decided,
    sorted_rows,
)

# Another row has the key.
TAKEN = (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)


@lru_cache(maxsize=256)
def insert_of(row: RowOf) -> str:
    """The insert of one row, whose values come by their places: to look for each by its name takes time."""
    return f"insert into {row.table} ({', '.join(row.columns)}) values ({', '.join('?' * len(row.columns))})"


class SqliteLedger:
    """The arms run one after the other, inside the transaction that many jobs share."""

    dialect = "sqlite"
    guesses = False

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self.cursor = cursor

    def row(self, sql: str, values: Values) -> Row | None:
        """The first row of a query."""
        row: Row | None = self.cursor.execute(sql, values).fetchone()
        return row

    def rows(self, sql: str, values: Values) -> list[Row]:
        """All rows of a query."""
        return self.cursor.execute(sql, values).fetchall()

    def touch(self, sql: str) -> None:
        """A statement that shows whether the database takes writes."""
        self.cursor.execute(sql)

    def write(self, arms: Sequence[Arm], values: Values) -> None:
        """All arms or none; raises Conflict."""
        try:
            for arm in arms:
                if self.cursor.execute(arm.sql, values).rowcount != 1 and not arm.optional:
                    raise Conflict
        except (Conflict, sqlite3.IntegrityError) as error:
            self.take_back(error)
            raise

    def write_if(self, premise: str, arms: Sequence[Arm], values: Values) -> bool:
        """All arms if the premise has a row, else none; raises Conflict."""
        if self.row(premise, values) is None:
            return False
        self.write(arms, values)
        return True

    def write_rows(self, writes: Writes) -> None:
        """The inserts of many writes, all or none; raises Conflict."""
        try:
            for row, many in sorted_rows(writes).items():
                self.cursor.executemany(insert_of(row), row.cells(many))
        except sqlite3.IntegrityError as error:
            self.take_back(error)
            raise

    def take_back(self, error: Conflict | sqlite3.IntegrityError) -> None:
        """Undoes what the job has done; raises Conflict if that is what went wrong."""
        # A job writes once: what it has done is what these arms did. Where it has no savepoint, this fails, and the
        # group runs the job again in one.
        self.cursor.execute(UNDO_JOB)
        if isinstance(error, Conflict) or error.sqlite_errorcode in TAKEN:
            raise Conflict from error


def no_pause(lost: int) -> None:
    """Whoever holds the write lock waits for nobody."""


class SqliteRunner:
    """Jobs of many requests share one commit."""

    shares_commits = True

    def __init__(self, path: Path, lock: FileLock) -> None:
        self.group = GroupCommit(lambda: open_sqlite(path), lock)

    def run(self, job: Callable[[Ledger], Result], keep: bool = True) -> Result:
        """The job's result once its writes are committed, or undone; raises WriteFailed."""
        try:
            result: Result = self.group.run(lambda cursor: decided(job, SqliteLedger(cursor), no_pause), keep)
        except RolledBack as error:
            raise WriteFailed(str(error)) from error
        return result

    def give_way(self) -> None:
        """Waits while other requests' jobs run."""
        self.group.give_way()

    def close(self) -> None:
        """Lets go of the database; the next job opens it again."""
        self.group.close()
