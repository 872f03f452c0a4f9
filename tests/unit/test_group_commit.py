"""Many jobs, one commit: what one of them does wrong is its own affair, what the commit does is everybody's."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from server.lib.db import open_sqlite
from server.lib.filelock import FileLock
from server.lib.group_commit import BATCH, GroupCommit, RolledBack

# Seconds after which a job that nobody does counts as forgotten.
PATIENCE = 30.0

Job = Callable[[sqlite3.Cursor], Any]

TABLES = """
    create table thing (name text primary key, n integer not null);
    create table part (thing text references thing (name) deferrable initially deferred);
"""


class Database:
    """A file with a group commit on it, which counts its connections and its commits."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "things.db"
        with closing(open_sqlite(self.path)) as connection:
            connection.executescript(TABLES)
        self.connections: list[sqlite3.Connection] = []
        self.statements: list[str] = []
        self.before_commit: Callable[[], object] = lambda: None
        self.group = GroupCommit(self.connect, FileLock(folder / "lock"))

    def connect(self) -> sqlite3.Connection:
        """A connection that does not wait for other programs."""
        connection = open_sqlite(self.path)
        connection.execute("pragma busy_timeout = 0")
        connection.set_trace_callback(self.watch)
        self.connections.append(connection)
        return connection

    def watch(self, statement: str) -> None:
        """Sees each statement before it runs."""
        self.statements.append(statement)
        if statement == "commit":
            self.before_commit()

    @property
    def commits(self) -> int:
        """How many transactions were committed."""
        return self.statements.count("commit")

    def names(self) -> list[str]:
        """What is stored, as another connection sees it."""
        with closing(open_sqlite(self.path)) as connection:
            return [name for (name,) in connection.execute("select name from thing order by name")]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path)
    yield database
    database.group.close()


class Call(threading.Thread):
    """One request: what came of its job, be it an exception."""

    def __init__(self, group: GroupCommit, job: Job, keep: bool = True) -> None:
        super().__init__(daemon=True)
        self.group, self.job, self.keep = group, job, keep
        self.outcome: Any = None

    def run(self) -> None:
        try:
            self.outcome = self.group.run(self.job, self.keep)
        except BaseException as error:
            self.outcome = error


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def in_one_batch(group: GroupCommit, jobs: Sequence[Job], keep: Sequence[bool] = ()) -> list[Any]:
    """What comes of jobs that all wait when a batch begins: one before them was held up at the lock."""
    first = Call(group, nothing)
    calls = [Call(group, job, kept) for job, kept in zip(jobs, keep or [True] * len(jobs), strict=True)]
    with group.lock.held():
        first.start()
        until(lambda: group.busy and not group.queue)
        for place, call in enumerate(calls, 1):
            call.start()
            until(lambda place=place: len(group.queue) == place)  # type: ignore[misc]
    for call in (first, *calls):
        call.join(PATIENCE)
        assert not call.is_alive(), "nobody did this job"
    return [call.outcome for call in calls]


def nothing(cursor: sqlite3.Cursor) -> None:
    """A job that writes nothing."""


def adds(name: str, error: Exception | None = None) -> Job:
    """A job that writes a row, and may then fail."""

    def job(cursor: sqlite3.Cursor) -> str:
        cursor.execute("insert into thing values (?, 0)", [name])
        if error is not None:
            raise error
        return name

    return job


def adds_part_of_nothing(cursor: sqlite3.Cursor) -> None:
    """A job that is well by itself and makes the commit fail."""
    cursor.execute("insert into part values ('nothing')")


def test_what_a_job_returned_is_stored_when_it_is_returned(database: Database) -> None:
    assert database.group.run(adds("a")) == "a"
    assert database.names() == ["a"]


def test_nobody_gives_way_to_a_batch_that_waits_for_another_program(database: Database) -> None:
    database.group.connect = lambda: open_sqlite(database.path)
    waiting = Call(database.group, nothing)
    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("begin immediate")
        waiting.start()
        until(lambda: database.group.busy and not database.group.queue)
        time.sleep(0.2)  # It has opened the file and asked for its lock.
        began = time.monotonic()
        database.group.give_way()
        assert time.monotonic() - began < 1
    waiting.join(PATIENCE)
    assert waiting.outcome is None


def test_jobs_that_wait_together_share_one_commit(database: Database) -> None:
    names = [f"{number:03}" for number in range(10)]
    assert in_one_batch(database.group, [adds(name) for name in names]) == names
    assert database.names() == names
    assert database.commits == 2  # The job that held them up has one of its own.


def fails(cursor: sqlite3.Cursor) -> None:
    """A job that looks and then decides to do nothing."""
    cursor.execute("select * from thing")
    raise ValueError("refused")


def test_savepoints_are_there_for_batches_with_something_to_undo(database: Database) -> None:
    outcomes = in_one_batch(database.group, [adds("a"), fails, adds("b")])
    assert [str(outcome) for outcome in outcomes] == ["a", "refused", "b"]
    assert "savepoint job" not in database.statements
    outcomes = in_one_batch(database.group, [adds("c"), adds("d", ValueError("refused")), fails, adds("a"), adds("e")])
    assert [str(outcome) for outcome in outcomes[:3]] == ["c", "refused", "refused"]
    assert isinstance(outcomes[3], sqlite3.IntegrityError)
    assert outcomes[4] == "e"
    assert database.statements.count("savepoint job") == 5
    assert database.names() == ["a", "b", "c", "e"]


def test_nobody_hears_of_a_job_before_its_commit(database: Database) -> None:
    waiting: list[int] = []

    def look() -> None:
        time.sleep(0.05)  # Whoever was told too early has gone by then.
        waiting.append(sum(isinstance(thread, Call) for thread in threading.enumerate()))

    database.before_commit = look
    assert in_one_batch(database.group, [adds("a"), adds("b"), adds("c")]) == ["a", "b", "c"]
    assert waiting[-1] == 3


def test_a_batch_has_an_end(database: Database) -> None:
    names = [f"{number:03}" for number in range(2 * BATCH + 1)]
    assert in_one_batch(database.group, [adds(name) for name in names]) == names
    assert database.commits == 1 + 3


def test_a_job_that_fails_is_undone_alone_and_hears_why(database: Database) -> None:
    own = ValueError("own")
    outcomes = in_one_batch(database.group, [adds("a"), adds("b", own), adds("a"), adds("c")])
    assert outcomes[:2] == ["a", own]
    assert isinstance(outcomes[2], sqlite3.IntegrityError)
    assert outcomes[3] == "c"
    assert database.names() == ["a", "c"]


def test_a_job_that_is_not_to_be_kept_is_done_and_undone_among_the_others(database: Database) -> None:
    outcomes = in_one_batch(database.group, [adds("a"), adds("b"), adds("b")], keep=[True, False, True])
    assert outcomes == ["a", "b", "b"]  # The third does not meet the row of the second.
    assert database.names() == ["a", "b"]


def test_a_commit_that_fails_fails_for_all(database: Database) -> None:
    outcomes = in_one_batch(database.group, [adds("a"), adds_part_of_nothing, adds("b")])
    assert [type(outcome) for outcome in outcomes] == [RolledBack] * 3
    assert database.names() == []
    assert database.group.run(adds("c")) == "c"
    assert database.names() == ["c"]


def test_a_job_that_had_failed_by_itself_hears_its_own_reason_when_the_commit_fails_too(database: Database) -> None:
    own = ValueError("own")
    outcomes = in_one_batch(database.group, [adds("a", own), adds_part_of_nothing])
    assert outcomes[0] is own
    assert isinstance(outcomes[1], RolledBack)


def test_a_database_that_cannot_write_fails_for_all(database: Database) -> None:
    def broken(cursor: sqlite3.Cursor) -> None:
        cursor.execute("insert into nowhere values (1)")

    outcomes = in_one_batch(database.group, [adds("a"), broken, adds("b")])
    assert [type(outcome) for outcome in outcomes] == [RolledBack] * 3
    assert database.names() == []


def test_after_a_failure_the_connection_is_a_new_one(database: Database) -> None:
    database.group.run(adds("a"))
    with pytest.raises(RolledBack):
        database.group.run(adds_part_of_nothing)
    database.group.run(adds("b"))
    assert database.names() == ["a", "b"]
    assert len(database.connections) == 2
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        database.connections[0].execute("select 1")


def test_a_job_that_fails_by_itself_keeps_the_connection(database: Database) -> None:
    with pytest.raises(ValueError, match="own"):
        database.group.run(adds("a", ValueError("own")))
    database.group.run(adds("b"))
    assert len(database.connections) == 1


def test_a_database_that_another_program_has_locked_heals_when_it_is_free(database: Database) -> None:
    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("begin immediate")
        with pytest.raises(RolledBack, match="locked"):
            database.group.run(adds("a"))
    assert database.group.run(adds("b")) == "b"
    assert database.names() == ["b"]


def test_a_database_that_cannot_be_opened_heals_when_it_can(database: Database) -> None:
    away = database.path.with_name("away")
    database.path.rename(away)
    database.path.mkdir()
    with pytest.raises(RolledBack, match="unable to open"):
        database.group.run(adds("a"))
    database.path.rmdir()
    away.rename(database.path)
    assert database.group.run(adds("b")) == "b"


def test_what_ends_the_program_ends_the_batch_and_leaves_nobody_waiting(database: Database) -> None:
    def interrupted(cursor: sqlite3.Cursor) -> None:
        raise KeyboardInterrupt

    outcomes = in_one_batch(database.group, [adds("a"), interrupted, adds("b")])
    # It is raised in the thread that led, which was the first one's; the others hear that nothing was stored.
    assert [type(outcome) for outcome in outcomes] == [KeyboardInterrupt, RolledBack, RolledBack]
    assert database.group.run(adds("c")) == "c"
    assert database.names() == ["c"]


def test_sixty_four_threads_hand_the_lead_on_and_each_job_is_done_once(database: Database) -> None:
    threads, jobs = 64, 10
    outcomes: list[list[Any]] = [[] for _ in range(threads)]

    def work(thread: int) -> None:
        for number in range(jobs):
            name = f"{thread}-{number}"
            failing = number % 5 == 4
            call = Call(database.group, adds(name, ValueError("own") if failing else None), keep=number % 5 != 3)
            call.run()  # In this thread.
            outcomes[thread].append(call.outcome)

    workers = [threading.Thread(target=work, args=[thread], daemon=True) for thread in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(PATIENCE)
        assert not worker.is_alive(), "nobody did its job"
    expected = [f"{thread}-{number}" for thread in range(threads) for number in range(jobs) if number % 5 < 3]
    assert database.names() == sorted(expected)
    for thread, outcome in enumerate(outcomes):
        done = [each for each in outcome if isinstance(each, str)]
        assert done == [f"{thread}-{number}" for number in range(jobs) if number % 5 < 4]
        assert [type(each) for each in outcome if not isinstance(each, str)] == [ValueError] * (jobs // 5)
    assert database.commits < threads * jobs
    assert (database.group.busy, len(database.group.queue)) == (False, 0)


def test_closing_lets_go_of_the_file_and_the_next_job_opens_it_again(database: Database) -> None:
    database.group.run(adds("a"))
    database.group.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        database.connections[0].execute("select 1")
    database.group.run(adds("b"))
    assert database.names() == ["a", "b"]
