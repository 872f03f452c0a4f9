"""The spare way to write: raw statements, one commit, the same on both databases.

A *job* reads what it needs, decides, and hands over *arms*: statements of which each must touch exactly one row.
If one does not, because somebody else was faster, nothing at all is written and the job is asked again.
So races are not prevented by reading first: the database judges, and the reading only has to be honest.

Where each look costs a round trip, a job may *guess* what it would read: it hands over inserts and a *premise*, the
query whose row says that the guess was right, and the same statement asks and writes.

`sqlite_ledger.py` and `postgres_ledger.py` are the two that do it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from itertools import pairwise
from operator import itemgetter
from typing import Any, Protocol, TypeVar

# A lost race means that another writer has won; so many losses in a row mean trouble.
ATTEMPTS = 50

Values = Mapping[str, Any]
Row = tuple[Any, ...]
Result = TypeVar("Result")


class Conflict(Exception):
    """Somebody else changed what was read: nothing is written, decide again."""


class WriteFailed(Exception):
    """The database did not take it, or nobody can know whether it did: the same request may be sent again."""


# Each is made once, so that to be the same is to be the same object: quicker to find in a cache than long texts.
@dataclass(frozen=True, slots=True, eq=False)
class RowOf:
    """A row that is inserted: its table, and the name of the value for each column."""

    table: str
    columns: Mapping[str, str]

    def cells(self, many: Iterable[Values]) -> Iterator[Row]:
        """The values of many such rows, in the order of the columns."""
        return map(itemgetter(*self.columns.values()), many)


@dataclass(frozen=True, slots=True, eq=False)
class Arm:
    """One statement with `:named` values, which touches one row; `optional` ones touch any number."""

    sql: str
    optional: bool = False
    # Of an INSERT of one row, which makes it or fails: what it fills. Only such arms can stand under a premise, and
    # only such are written many at a time.
    row: RowOf | None = None

    @property
    def inserts(self) -> bool:
        """Whether it makes one row or fails."""
        return self.row is not None


Writes = Sequence[tuple[Sequence[Arm], Values]]


class Ledger(Protocol):
    """What a job may do."""

    dialect: str
    # Whether a wrong guess costs less than the look that it saves.
    guesses: bool

    def row(self, sql: str, values: Values) -> Row | None:
        """The first row of a query."""

    def rows(self, sql: str, values: Values) -> list[Row]:
        """All rows of a query."""

    def write(self, arms: Sequence[Arm], values: Values) -> None:
        """All arms or none, once; raises Conflict."""

    def write_if(self, premise: str, arms: Sequence[Arm], values: Values) -> bool:
        """All arms, which are inserts, if the premise has a row, else none; whether it had. Raises Conflict."""

    def write_rows(self, writes: Writes) -> None:
        """The inserts of many writes, all or none, of a job whose writes are kept; raises Conflict."""

    def touch(self, sql: str) -> None:
        """A statement that shows whether the database takes writes."""


class Runner(Protocol):
    """Runs jobs on one of the two databases."""

    # Whether all that a job writes is one commit, be it many writes; else each write is a commit of its own.
    shares_commits: bool

    def run(self, job: Callable[[Ledger], Result], keep: bool = True) -> Result:
        """The job's result once its writes are committed, or, with `keep=False`, undone; raises WriteFailed."""

    def give_way(self) -> None:
        """Waits for a good moment to begin with a request that will end in a job."""

    def close(self) -> None:
        """Lets go of the database; the next job opens it again."""


def sorted_rows(writes: Writes) -> dict[RowOf, list[Values]]:
    """The inserts of many writes by their kind; what others point at comes before them, as it does in each write."""
    found: dict[RowOf, list[Values]] = {}
    for arms, values in writes:
        for arm in arms:
            if arm.row is None:
                raise ValueError(f"no insert: {arm.sql}")
            found.setdefault(arm.row, []).append(values)
    order = TopologicalSorter[RowOf]({row: () for row in found})
    for arms in {tuple(arms) for arms, _ in writes}:
        for before, after in pairwise(arm.row for arm in arms if arm.row is not None):
            order.add(after, before)
    return {row: found[row] for row in order.static_order()}


def decided(job: Callable[[Ledger], Result], ledger: Ledger, between: Callable[[int], None]) -> Result:
    """Asks the job again as long as somebody else is faster; `between` two attempts it hears how many were lost."""
    for lost in range(ATTEMPTS):
        try:
            return job(ledger)
        except Conflict:
            between(lost)
    raise WriteFailed(f"lost {ATTEMPTS} races in a row")
