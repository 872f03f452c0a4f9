"""A server of the test's own with one company in its database, and what tests of faults do to them."""

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text

from server.api.health import SHARED
from server.config import Settings
from server.lib import clock
from server.lib.db import begin_write, commit, db
from server.migrations import migrate
from tests.conftest import opened
from tests.factories import Account, make_account
from tests.live import Live, running_server

# Seconds that anything may take on a busy machine.
PATIENCE = 60.0
# On PostgreSQL: what a restart does to everybody else's connections.
END_CONNECTIONS = """
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
"""


@dataclass(frozen=True)
class Place:
    """A server, and the one company in its database."""

    live: Live
    account: Account

    def ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        """A request with the company's key."""
        return httpx.request(method, self.live.url + path, headers=self.account.bearer, timeout=30, verify=False, **how)

    def post(self, **lead: str) -> httpx.Response:
        """A lead of the schedule's."""
        return self.ask("POST", "/api/v1/leads", json={"lead_token": self.account.schedule_token} | lead)

    def read(self) -> httpx.Response:
        """The newest leads."""
        return self.ask("GET", "/api/v1/leads")


@contextmanager
def serving(settings: Settings, log_level: str = "warning", **more: str) -> Iterator[Place]:
    """A server on an empty database; `more` is added to its environment."""
    with opened(settings) as app:
        migrate(app)
        account = make_account(app)
        with running_server(settings, HANDRAISER_LOG_LEVEL=log_level, **more) as live:
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


def acknowledged(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """Asks as a client does, again after each 503 and after nothing else. When a database comes back, each connection
    to it that was cut off meanwhile still costs one request, and which one uses it nobody knows."""
    deadline = time.monotonic() + PATIENCE
    while (answer := ask()).status_code == 503:
        unavailable(answer)
        assert time.monotonic() < deadline, "it does not heal"
        time.sleep(0.02)
    assert answer.status_code == 200, answer.text
    return answer


def unavailable(answer: httpx.Response) -> None:
    """Asserts that it says: later, please."""
    assert answer.status_code == 503, answer.text
    assert answer.json()["code"] == "unavailable"
    assert answer.json()["success"] is False
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def unready(place: Place) -> None:
    """Asserts that the server comes to say so: for half a second it may repeat what its last look has found."""
    until(lambda: place.ask("GET", "/readyz").status_code == 503)
    time.sleep(SHARED)  # Another web process has looked by itself.
    unavailable(place.ask("GET", "/readyz"))


def processes(live: Live) -> set[int]:
    """All of a server's processes."""
    return web_processes(live) | ({live.process.pid} if live.process else set())


def web_processes(live: Live) -> set[int]:
    """The children of the server's process, but for the one that Python may add for its own ends."""
    if live.process is None:
        return set()
    ps = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True)
    rows = [line.split(maxsplit=3) for line in ps.stdout.splitlines()]
    return {
        int(pid)
        for pid, parent, state, *command in rows
        if int(parent) == live.process.pid and state[0] != "Z" and "resource_tracker" not in "".join(command)
    }


def loaded(process: int) -> bool:
    """Whether a web process has loaded the application: it has but one thread before."""
    return len(list(Path(f"/proc/{process}/task").iterdir())) > 1


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
