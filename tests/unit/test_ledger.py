"""All arms or none: each touches exactly one row, or the job is asked again; the same on both databases."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from server.lib.db import begin_write, commit, db
from server.lib.filelock import FileLock
from server.lib.ledger import ATTEMPTS, Arm, Conflict, Ledger, RowOf, Runner, WriteFailed
from server.lib.postgres_ledger import PREPARED_MOST, PostgresRunner
from server.lib.sqlite_ledger import SqliteRunner
from tests.conftest import new_settings, opened

THING = """
    create table thing (
        id integer primary key, name varchar unique, n integer not null default 0 check (n >= 0),
        flag boolean, ratio double precision, seen_at timestamp with time zone
    )
"""
ADD = Arm("insert into thing (id, name) values (:id, :name)")
ADD_OTHER = Arm("insert into thing (id, name) values (:other_id, :other_name)")
NEW = Arm("insert into thing (id, name) select :id, :name", row=RowOf("thing", {"id": "id", "name": "name"}))
NEW_OTHER = Arm(
    "insert into thing (id, name) select :other_id, :other_name",
    row=RowOf("thing", {"id": "other_id", "name": "other_name"}),
)
UNKNOWN = "select 1 where not exists (select 1 from thing where name = :wanted)"
COUNT_UP = Arm("update thing set n = :n + 1 where id = :id and n = :n")
NEGATIVE = Arm("update thing set n = -1 where id = :id")
ALL = "update thing set n = n + 1"

ONE = {"id": 1, "name": "one", "n": 0}
TWO = {"other_id": 2, "other_name": "two"}


@pytest.fixture(scope="module")
def things(database: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An application on a database that has one table, of things."""
    with opened(new_settings(database, request, tmp_path_factory.mktemp("ledger"))) as app:
        change(app, THING)
        yield app


@pytest.fixture
def runner(things: Flask) -> Runner:
    """Its way to write, with no thing there yet."""
    change(things, "delete from thing")
    made: Runner = things.extensions["ledger"]
    return made


def change(app: Flask, sql: str) -> None:
    with app.app_context():
        begin_write()
        db.session.execute(text(sql))
        commit()


@pytest.fixture
def stored(things: Flask) -> Callable[[], dict[int, tuple[str, int]]]:
    """What another connection finds."""

    def find() -> dict[int, tuple[str, int]]:
        with things.app_context(), db.engine.connect() as connection:
            return {row.id: (row.name, row.n) for row in connection.execute(text("select * from thing"))}

    return find


Stored = Callable[[], dict[int, tuple[str, int]]]


def writes(*arms: Arm, **values: Any) -> Callable[[Ledger], str]:
    """A job that writes the same whenever it is asked."""

    def job(ledger: Ledger) -> str:
        ledger.write(arms, values)
        return "done"

    return job


class Asked:
    """A job that writes what its first answer is, then the next one, and counts how often it was asked."""

    def __init__(self, *answers: Callable[[Ledger], str]) -> None:
        self.answers = answers
        self.times = 0

    def __call__(self, ledger: Ledger) -> str:
        self.times += 1
        return self.answers[min(self.times, len(self.answers)) - 1](ledger)


def test_all_arms_are_written_by_the_time_the_result_is_there(runner: Runner, stored: Stored) -> None:
    assert runner.run(writes(ADD, ADD_OTHER, **ONE, **TWO)) == "done"
    assert stored() == {1: ("one", 0), 2: ("two", 0)}
    assert runner.run(writes(COUNT_UP, **ONE)) == "done"
    assert stored() == {1: ("one", 1), 2: ("two", 0)}


@pytest.mark.parametrize(
    "losing",
    [
        pytest.param(writes(ADD_OTHER, COUNT_UP, **TWO, **ONE | {"n": 7}), id="an arm that meets no row"),
        pytest.param(writes(ADD_OTHER, Arm(ALL), **TWO), id="an arm that meets two rows"),
        pytest.param(writes(ADD_OTHER, ADD, **TWO, **ONE | {"name": "new"}), id="a primary key that is taken"),
        pytest.param(writes(ADD_OTHER, ADD, **TWO, **ONE | {"id": 9}), id="a unique value that is taken"),
    ],
)
def test_a_lost_race_writes_nothing_and_the_job_is_asked_again(
    losing: Callable[[Ledger], str], runner: Runner, stored: Stored
) -> None:
    runner.run(writes(ADD, ADD_OTHER, id=1, name="one", other_id=3, other_name="three"))
    before = stored()

    def looks(ledger: Ledger) -> str:
        assert ledger.row("select count(*) from thing", {}) == (len(before),)
        return "nothing to do"

    job = Asked(losing, looks)
    assert runner.run(job) == "nothing to do"
    assert job.times == 2
    assert stored() == before
    winning = Asked(losing, writes(ADD_OTHER, **TWO))
    assert runner.run(winning) == "done"
    assert stored() == before | {2: ("two", 0)}


@pytest.mark.parametrize(("wanted", "holds"), [("three", True), ("one", False)])
def test_under_a_premise_all_is_written_or_nothing(runner: Runner, stored: Stored, wanted: str, holds: bool) -> None:
    runner.run(writes(ADD, **ONE))
    new = {"id": 5, "name": "five", "wanted": wanted} | TWO

    assert runner.run(lambda ledger: ledger.write_if(UNKNOWN, (NEW, NEW_OTHER), new)) is holds
    assert stored() == {1: ("one", 0)} | ({5: ("five", 0), 2: ("two", 0)} if holds else {})


def test_a_premise_that_held_does_not_excuse_a_key_that_is_taken(runner: Runner, stored: Stored) -> None:
    runner.run(writes(ADD, **ONE))
    values = ONE | TWO | {"wanted": "three"}
    job = Asked(lambda ledger: str(ledger.write_if(UNKNOWN, (NEW_OTHER, NEW), values)), lambda ledger: "decided anew")
    assert runner.run(job) == "decided anew"
    assert stored() == {1: ("one", 0)}


def test_who_always_loses_gives_up(runner: Runner, stored: Stored) -> None:
    job = Asked(writes(ADD, COUNT_UP, **ONE | {"n": 7}))
    with pytest.raises(WriteFailed, match="races"):
        runner.run(job)
    # On SQLite its first time is one without a savepoint, which a job that must be undone gets only then.
    assert job.times in (ATTEMPTS, ATTEMPTS + 1)
    assert stored() == {}


def test_a_rule_of_the_database_that_is_broken_is_no_race(runner: Runner, stored: Stored) -> None:
    runner.run(writes(ADD, **ONE))
    job = Asked(writes(ADD_OTHER, NEGATIVE, **TWO, **ONE))
    with pytest.raises((sqlite3.IntegrityError, psycopg.errors.CheckViolation)):
        runner.run(job)
    assert job.times in (1, 2)
    assert stored() == {1: ("one", 0)}


@pytest.mark.parametrize("there", [0, 1, 2])
def test_an_optional_arm_may_meet_any_number_of_rows(there: int, runner: Runner, stored: Stored) -> None:
    for number in range(there):
        runner.run(writes(ADD, id=number, name=str(number)))
    assert runner.run(writes(Arm(ALL, optional=True), ADD, id=9, name="nine")) == "done"
    found = stored()
    assert [found[number][1] for number in range(there)] == [1] * there
    assert 9 in found


def test_an_optional_arm_is_undone_with_the_others(runner: Runner, stored: Stored) -> None:
    runner.run(writes(ADD, **ONE))
    job = Asked(writes(Arm(ALL, optional=True), COUNT_UP, **ONE | {"n": 7}), lambda ledger: "nothing to do")
    assert runner.run(job) == "nothing to do"
    assert stored() == {1: ("one", 0)}


def test_what_is_not_kept_is_done_and_undone(runner: Runner, stored: Stored) -> None:
    seen = []

    def job(ledger: Ledger) -> str:
        ledger.write([ADD], ONE)
        seen.append(ledger.row("select name from thing where id = :id", {"id": 1}))
        return "done"

    assert runner.run(job, keep=False) == "done"
    assert seen == [("one",)]
    assert stored() == {}


def test_what_is_not_kept_is_asked_again_when_it_loses(runner: Runner, stored: Stored) -> None:
    runner.run(writes(ADD, **ONE))
    job = Asked(writes(ADD, **ONE), writes(ADD_OTHER, **TWO))
    assert runner.run(job, keep=False) == "done"
    assert job.times == 2
    assert stored() == {1: ("one", 0)}


def many(*rows: tuple[int, str, int, str]) -> list[tuple[list[Arm], dict[str, Any]]]:
    """Writes of two rows each."""
    names = ("id", "name", "other_id", "other_name")
    return [([NEW, NEW_OTHER], dict(zip(names, row, strict=True))) for row in rows]


def test_many_rows_are_written_all_or_none_and_the_next_job_is_none_the_worse(runner: Runner, stored: Stored) -> None:
    runner.run(lambda ledger: ledger.write_rows(many((1, "one", 2, "two"), (3, "three", 4, "four"))))
    assert sorted(stored()) == [1, 2, 3, 4]
    asked = []

    def again(ledger: Ledger) -> None:
        asked.append(len(asked))
        ledger.write_rows(many((5, "five", 6, "six"), (7, "seven", 8, "one" if len(asked) == 1 else "eight")))

    runner.run(again)
    assert (asked, sorted(stored())) == ([0, 1], [1, 2, 3, 4, 5, 6, 7, 8])


def test_many_rows_of_a_job_that_is_not_kept_do_not_stay(runner: Runner, stored: Stored) -> None:
    with suppress(ValueError):
        runner.run(lambda ledger: ledger.write_rows(many((1, "one", 2, "two"))), keep=False)
    assert stored() == {}
    runner.run(writes(ADD, **ONE))
    assert [*stored()] == [1]


def test_a_job_that_decides_to_refuse_writes_nothing_and_is_not_asked_again(runner: Runner, stored: Stored) -> None:
    def refuses(ledger: Ledger) -> str:
        raise ValueError("refused")

    for keep in (True, False):
        job = Asked(refuses)
        with pytest.raises(ValueError, match="refused"):
            runner.run(job, keep)
        assert job.times == 1
    assert stored() == {}
    assert runner.run(writes(ADD, **ONE)) == "done"


def test_values_arrive_as_they_are(runner: Runner) -> None:
    values = {"id": 1, "name": "it's 100% :name $1 \N{SNOWMAN}", "flag": True, "ratio": 0.1, "n": 2}
    runner.run(
        writes(Arm("insert into thing (id, name, n, flag, ratio) values (:id, :name, :n, :flag, :ratio)"), **values)
    )
    row = runner.run(lambda ledger: ledger.row("select name, n, flag, ratio from thing where id = :id", {"id": 1}))
    assert row == (values["name"], 2, True, 0.1)
    nulls = Arm("update thing set flag = :flag, ratio = :ratio, seen_at = :seen_at where id = :id")
    runner.run(writes(nulls, id=1, flag=None, ratio=None, seen_at=None))
    row = runner.run(lambda ledger: ledger.row("select flag, ratio, seen_at from thing where id = :id", {"id": 1}))
    assert row == (None, None, None)
    assert runner.run(lambda ledger: ledger.row("select name from thing where id = :id", {"id": 2})) is None


def test_a_time_that_was_written_finds_its_row_again(runner: Runner, stored: Stored) -> None:
    """Guards compare `updated_at`: to the microsecond, from whatever zone."""
    seen_at = datetime(2026, 11, 23, 6, 0, 0, 123456, UTC)
    runner.run(writes(ADD, **ONE))
    runner.run(writes(Arm("update thing set seen_at = :seen_at where id = :id"), id=1, seen_at=seen_at))
    guarded = Arm("update thing set n = 5 where id = :id and seen_at = :seen_at")
    other_zone = datetime.fromisoformat("2026-11-23T01:00:00.123456-05:00")
    assert runner.run(writes(guarded, id=1, seen_at=other_zone)) == "done"
    assert stored() == {1: ("one", 5)}


def test_of_many_that_count_at_once_each_counts(runner: Runner, stored: Stored) -> None:
    runner.run(writes(ADD, **ONE))
    threads, times = 8, 25
    failures: list[BaseException] = []

    def count(ledger: Ledger) -> None:
        row = ledger.row("select n from thing where id = :id", {"id": 1})
        assert row is not None
        ledger.write([COUNT_UP], {"id": 1, "n": row[0]})

    def work() -> None:
        try:
            for _ in range(times):
                runner.run(count)
        except BaseException as error:
            failures.append(error)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failures == []
    assert stored() == {1: ("one", threads * times)}


def test_a_conflict_may_be_said_by_the_job_itself(runner: Runner, stored: Stored) -> None:
    def loses(ledger: Ledger) -> str:
        raise Conflict

    job = Asked(loses, loses, writes(ADD, **ONE))
    assert runner.run(job) == "done"
    assert job.times == 3


def test_what_was_closed_is_opened_by_the_next_job(runner: Runner, stored: Stored) -> None:
    runner.run(writes(ADD, **ONE))
    runner.close()
    runner.run(writes(ADD_OTHER, **TWO))
    assert stored().keys() == {1, 2}


def test_more_statements_than_a_connection_keeps_are_no_problem(runner: Runner, stored: Stored) -> None:
    for number in range(2 * PREPARED_MOST + 10):
        runner.run(writes(Arm(f"insert into thing (id, name) values (:id, 'thing {number}')"), id=number))
    assert len(stored()) == 2 * PREPARED_MOST + 10


def test_a_dry_run_leaves_the_next_job_what_it_needs(runner: Runner, stored: Stored) -> None:
    look = "select n from thing where id = :id"
    for keep in (True, False, True, False):
        runner.run(writes(ADD_OTHER, **TWO), keep=False)
        runner.run(lambda ledger: ledger.row(look, {"id": 1}), keep)
        runner.run(Asked(writes(COUNT_UP, **ONE), writes(ADD_OTHER, **TWO)), keep=False)
    assert runner.run(writes(ADD, **ONE)) == "done"
    assert stored() == {1: ("one", 0)}


# SQLite has no connection that breaks, and keeps a NUL.
on_postgresql = pytest.mark.parametrize("database", ["postgresql"], indirect=True, scope="session")


@on_postgresql
def test_a_broken_connection_fails_one_job_only(runner: Runner, stored: Stored) -> None:
    def breaks(ledger: Ledger) -> str:
        try:
            ledger.row("select pg_terminate_backend(pg_backend_pid())", {})
        except psycopg.OperationalError:
            ledger.write([ADD], ONE)
        return "done"

    def breaks_in_the_write(ledger: Ledger) -> str:
        ledger.write([Arm("insert into thing (id) select 1 where pg_terminate_backend(pg_backend_pid())")], {})
        return "done"

    for job in (breaks, breaks_in_the_write):
        with pytest.raises(WriteFailed):
            runner.run(job)
    assert runner.run(writes(ADD, **ONE)) == "done"
    assert stored() == {1: ("one", 0)}


@on_postgresql
def test_a_text_is_never_cut_at_a_nul(runner: Runner, stored: Stored) -> None:
    with pytest.raises(psycopg.DataError):
        runner.run(writes(ADD, id=1, name="one\0two"))
    assert stored() == {}


def test_a_database_that_is_not_there_takes_nothing(database: str, tmp_path: Any) -> None:
    nowhere: Runner
    if database == "sqlite":
        nowhere = SqliteRunner(tmp_path / "no folder" / "things.db", FileLock(tmp_path / "lock"))
    else:
        nowhere = PostgresRunner("postgresql+psycopg://postgres@127.0.0.1:1/nothing")
    for keep in (True, False):
        with pytest.raises(WriteFailed):
            nowhere.run(writes(ADD, **ONE), keep)
