"""While the database is away, locked or takes no writes the answer is 503, and afterwards all is well by itself."""

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy import make_url

from server.config import Settings
from server.lib import filelock
from server.lib.db import BUSY_TIMEOUT
from server.migrations import migrate
from tests.conftest import new_settings, opened
from tests.factories import make_account
from tests.faults.disk import small_disk
from tests.faults.place import Place, acknowledged, processes, serving, unavailable, unready, until, web_processes

pytestmark = pytest.mark.early

Outage = Callable[[Settings], AbstractContextManager[None]]

# Seconds that a request may take: it waits for our own lock, as long as others wait for the database's, then for that.
LONGEST = filelock.PATIENCE + BUSY_TIMEOUT / 1000 + 4


def file_of(settings: Settings) -> Path:
    return Path(make_url(settings.database).database or "")


@contextmanager
def file_moved(settings: Settings) -> Iterator[None]:
    """The file is not where it was, as when a volume is unmounted."""
    file = file_of(settings)
    file.rename(file.with_name("away"))
    yield
    file.with_name("away").replace(file)


@contextmanager
def file_locked(settings: Settings) -> Iterator[None]:
    """Another program, which knows nothing of our lock, is in the middle of writing."""
    with closing(sqlite3.connect(file_of(settings), isolation_level=None)) as other:
        other.execute("begin immediate")
        yield


def connect(settings: Settings, database: str | None = None, **how: bool) -> "psycopg.Connection[tuple[object, ...]]":
    """Another program's connection to the same PostgreSQL."""
    url = make_url(settings.database)
    url = url.set(drivername="postgresql", database=database or url.database)
    return psycopg.connect(url.render_as_string(hide_password=False), **how)


@contextmanager
def table_locked(settings: Settings) -> Iterator[None]:
    """Another program is changing the table of leads."""
    with connect(settings) as other:
        other.execute("lock table lead in access exclusive mode")
        yield


@contextmanager
def on_the_server(settings: Settings, before: str, after: str) -> Iterator[None]:
    """Something is done to the database; each time its connections end, so that it counts for all of them."""
    name = make_url(settings.database).database
    end = "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s"
    with connect(settings, "postgres", autocommit=True) as connection:
        for step in (before, after):
            connection.execute(f"alter database {name} {step}".encode())
            connection.execute(end, [name])
            if step == before:
                yield


AWAY: dict[str, Outage] = {
    "sqlite": file_moved,
    "postgresql": lambda settings: on_the_server(
        settings, "with allow_connections false", "with allow_connections true"
    ),
}
LOCKED: dict[str, Outage] = {"sqlite": file_locked, "postgresql": table_locked}


@contextmanager
def read_only(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Place, Outage]]:
    """A server, and what makes its database read only: on SQLite the disk is."""
    if database == "sqlite":
        with small_disk("8m") as disk, serving(Settings(data_dir=disk.folder)) as place:

            @contextmanager
            def remounted(settings: Settings) -> Iterator[None]:
                with disk.read_only(lambda: processes(place.live)):
                    replaced(place)
                    yield

            yield place, remounted
        return
    with serving(new_settings(database, request, tmp_path)) as place:
        steps = "set default_transaction_read_only = on", "reset default_transaction_read_only"
        yield place, lambda settings: on_the_server(settings, *steps)


def replaced(place: Place) -> None:
    """Ends the web process, whose files are open for writing still; the next one opens them anew."""
    [worker] = web_processes(place.live)
    os.kill(worker, signal.SIGKILL)
    until(lambda: web_processes(place.live) - {worker} != set())


def test_a_database_that_is_away_is_503_until_it_is_back(place: Place, database: str) -> None:
    heals_by_itself(place, AWAY[database], reads=False)


def test_a_database_that_is_read_only_is_503_until_it_is_not(
    database: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with read_only(database, request, tmp_path) as (place, outage):
        heals_by_itself(place, outage, reads=True)


def heals_by_itself(place: Place, outage: Outage, reads: bool) -> None:
    """Sends before, in and after an outage what needs the database."""
    lead = {"caller_id": "+17192221234", "idempotency_key": "one-key"}
    assert place.post(caller_id="+17192225678", idempotency_key="another").status_code == 200
    assert place.live.ready()
    with outage(place.live.settings):
        until(lambda: answers(place))
        unready(place)
        # More than there are connections: each of them has to find it out.
        for _ in range(8):
            unavailable(place.post(**lead))
            unavailable(offer(place))
        assert place.ask("GET", "/healthz").json() == {"status": "ok"}
        assert not reads or acknowledged(place.read)
    until(place.live.ready)
    first = acknowledged(lambda: place.post(**lead))
    acknowledged(lambda: offer(place))
    again = acknowledged(lambda: place.post(**lead))
    assert (again.headers["Idempotent-Replayed"], again.json()["lead_id"]) == ("true", first.json()["lead_id"])
    assert {row["id"] for row in place.account.leads()} >= {again.json()["lead_id"]}
    assert len(place.account.leads()) == 2
    assert len(acknowledged(place.read).json()["leads"]) == 2


def test_a_batch_waits_once_for_a_database_that_takes_no_writes(place: Place, database: str) -> None:
    live, account = place.live, place.account
    leads = [{"caller_id": f"+1719222{place:04}", "idempotency_key": f"key-{place}"} for place in range(600)]
    how = {"params": {"lead_token": account.schedule_token}, "json": {"leads": leads}}
    with LOCKED[database](live.settings):
        # Each part would wait for the lock as long as the first.
        unavailable(live.post("/api/v1/leads/batch", **how))
    until(live.ready)
    answer = live.post("/api/v1/leads/batch", **how)
    assert answer.json()["counts"]["created"] == len(account.leads()) == 600


def read(place: Place) -> httpx.Response:
    return httpx.get(f"{place.live.url}/api/v1/leads", headers=place.account.bearer, timeout=30)


def answers(place: Place) -> bool:
    """Whether somebody listens again."""
    try:
        return place.ask("GET", "/healthz").status_code == 200
    except httpx.HTTPError:
        return False


def offer(place: Place) -> httpx.Response:
    return place.ask("POST", "/api/v1/offers", json={"name": "Solar"})


def test_who_waits_too_long_for_our_own_lock_is_told_so(tmp_path: Path) -> None:
    with opened(Settings(data_dir=tmp_path, log_level="warning")) as app:
        migrate(app)
        account, client = make_account(app), app.test_client()
        lead = {"lead_token": account.schedule_token, "caller_id": "+17192221234"}

        def statuses() -> list[int]:
            answers = (
                client.post("/api/v1/leads", json=lead),
                client.post("/api/v1/offers", json={"name": "Solar"}, headers=account.bearer),
            )
            return [answer.status_code for answer in answers]

        lock = app.extensions["ledger"].group.lock
        lock.patience = 0.1
        with lock.held():
            assert statuses() == [503, 503]
        assert statuses() == [200, 200]


def test_who_meets_a_lock_of_another_program_does_not_wait_for_ever(place: Place, database: str) -> None:
    leads = [{"caller_id": f"+1719222000{i}", "idempotency_key": f"key-{i}"} for i in range(2)]
    # The second of the same key waits for a first one that hangs, and no longer than that.
    leads.append(leads[1])
    numbers = {"numbers": ["+17192220000"]}
    with ThreadPoolExecutor(8) as pool, LOCKED[database](place.live.settings):
        began = time.monotonic()
        asked = [pool.submit(place.post, **lead) for lead in leads]
        asked += [pool.submit(place.ask, "POST", "/api/v1/contacts/suppression", json=numbers)]
        time.sleep(0.5)
        if database == "sqlite":  # On PostgreSQL there may be no thread left to ask.
            assert place.ask("GET", "/healthz").json() == {"status": "ok"}
            assert place.read().status_code == 200
            assert time.monotonic() - began < BUSY_TIMEOUT / 1000, "who needs no lock waited all the same"
        for each in asked:
            unavailable(each.result())
        assert time.monotonic() - began < LONGEST
    answers = [place.post(**lead) for lead in leads]
    assert [answer.json()["action"] for answer in answers] == ["created"] * 3
    assert [answer.headers.get("Idempotent-Replayed") for answer in answers] == [None, None, "true"]
    assert answers[1].json() == answers[2].json()
    assert place.ask("POST", "/api/v1/contacts/suppression", json=numbers).status_code == 200
    assert len(place.account.leads()) == 2
