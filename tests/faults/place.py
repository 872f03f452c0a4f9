"""A server of the test's own with one company in its database, and what tests of faults do to them."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import text

from server.config import Settings
from server.lib import clock
from server.lib.db import begin_write, commit, db
from server.migrations import migrate
from tests.conftest import opened
from tests.factories import Account, make_account
from tests.live import Live, running_server

# Seconds that anything may take on a busy machine.
PATIENCE = 60.0


@dataclass(frozen=True)
class Place:
    """A server, and the one company in its database."""

    live: Live
    account: Account


@contextmanager
def serving(settings: Settings) -> Iterator[Place]:
    """A server on an empty database."""
    with opened(settings) as app:
        migrate(app)
        account = make_account(app)
        with running_server(settings, HANDRAISER_LOG_LEVEL="warning") as live:
            yield Place(live, account)


def write(account: Account, statements: Sequence[str], values: dict[str, Any]) -> None:
    """Changes the database behind the server's back, in one transaction."""
    with account.app.app_context():
        begin_write()
        for statement in statements:
            db.session.execute(text(statement), values)
        commit()


def until(done: Callable[[], bool]) -> None:
    """Waits for it."""
    deadline = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


@contextmanager
def name_held(account: Account, name: str) -> Iterator[Callable[[int], None]]:
    """Registers a token's name and takes it back at the end: until then a lead that brings it waits. What it yields
    waits until so many wait."""
    insert = "insert into token (company_id, name, kind, created_at) values (:company_id, :name, 'text', :now)"
    values = {"company_id": account.company_id, "name": name, "now": clock.now()}
    with account.app.app_context(), db.engine.connect().execution_options(writes=True) as connection:
        connection.execute(text(insert), values)
        yield partial(until_waiting, account)
        connection.rollback()


def until_waiting(account: Account, count: int) -> None:
    """Waits until so many statements wait for a lock. Who waits for SQLite's one lock does so unseen: give it time."""
    if db.engine.dialect.name == "sqlite":
        time.sleep(0.3 * count)
        return
    waiting = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    until(lambda: len(account.rows(waiting)) >= count)
