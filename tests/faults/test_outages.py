"""While the database is away or takes no writes the answer is 503, and afterwards all is well again by itself."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy import make_url

from server.config import Settings
from tests.faults.place import Place, unavailable, until

Outage = Callable[[Settings], AbstractContextManager[None]]


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


@contextmanager
def on_the_server(settings: Settings, before: str, after: str) -> Iterator[None]:
    """Something is done to the database; each time its connections end, so that it counts for all of them."""
    url = make_url(settings.database)
    elsewhere = url.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    end = "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s"
    with psycopg.connect(elsewhere, autocommit=True) as connection:
        for step in (before, after):
            connection.execute(f"alter database {url.database} {step}".encode())
            connection.execute(end, [url.database])
            if step == before:
                yield


OUTAGES: dict[tuple[str, str], Outage] = {
    ("sqlite", "away"): file_moved,
    ("postgresql", "away"): lambda settings: on_the_server(
        settings, "with allow_connections false", "with allow_connections true"
    ),
    ("sqlite", "read only"): file_locked,
    ("postgresql", "read only"): lambda settings: on_the_server(
        settings, "set default_transaction_read_only = on", "reset default_transaction_read_only"
    ),
}


@pytest.mark.parametrize("kind", ["away", "read only"])
def test_a_database_that_takes_no_writes_is_503_until_it_does(place: Place, database: str, kind: str) -> None:
    live, account = place.live, place.account
    lead = {"lead_token": account.schedule_token, "caller_id": "+17192221234", "idempotency_key": "one-key"}
    assert live.post(params=lead | {"idempotency_key": "another", "caller_id": "+17192225678"}).status_code == 200
    assert live.ready()
    with OUTAGES[database, kind](live.settings):
        unavailable(httpx.get(f"{live.url}/readyz", timeout=30))
        # More than there are connections: each of them has to find it out.
        for _ in range(1 if (database, kind) == ("sqlite", "read only") else 8):
            unavailable(live.post(params=lead))
        assert httpx.get(f"{live.url}/healthz").json() == {"status": "ok"}
        if kind == "read only":
            assert place.read().status_code == 200
    until(live.ready)
    until(lambda: live.post(params=lead).status_code == 200)
    again = live.post(params=lead)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert {row["id"] for row in account.leads()} >= {again.json()["lead_id"]}
    assert len(account.leads()) == 2
    assert len(place.read().json()["leads"]) == 2
