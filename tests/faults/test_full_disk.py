"""A disk that is full or read only: what is acknowledged stays, the rest is 503, and room alone heals it."""

import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from sqlalchemy import make_url

from server.config import Settings
from server.lib.secrets import new_id
from tests.faults.audit import Audit
from tests.faults.disk import Disk, small_disk
from tests.faults.load import Click, Load, Told
from tests.faults.place import Place, acknowledged, serving, unavailable, until
from tests.postgres import Postgres, postgres_in

pytestmark = pytest.mark.early

CLIENTS = 8
# Bytes that clients fill with leads.
SPARE = 200_000
# Of its write-ahead log PostgreSQL keeps a file or two, of 16 MB each unless told otherwise.
SMALL_LOG = "--wal-segsize=4"


@dataclass(frozen=True)
class Filled:
    """A server whose database, and on SQLite whose log too, lies on a small disk."""

    disk: Disk
    place: Place
    postgres: Postgres | None


@pytest.fixture
def filled(database: str, tmp_path: Path) -> Iterator[Filled]:
    if database == "sqlite":
        with small_disk("12m") as disk, serving(Settings(data_dir=disk.folder), "info") as place:
            yield Filled(disk, place, None)
        return
    with small_disk("64m") as disk, postgres_in(disk.folder, SMALL_LOG) as postgres:
        settings = Settings(data_dir=tmp_path, database_url=postgres.create_database())
        with serving(settings, "info") as place:
            yield Filled(disk, place, postgres)


def test_a_full_disk_loses_and_doubles_nothing_and_room_alone_heals_it(filled: Filled) -> None:
    disk, place, postgres = filled.disk, filled.place, filled.postgres
    load = Load(place.live.port, place.account.schedule_token)
    many_numbers = {"numbers": [f"+1719{number}" for number in range(2_000_000, 2_003_000)]}

    def fill() -> None:
        load.goes_on()
        if postgres:
            administer(postgres, "select pg_switch_wal()")  # Its log has room, its tables have not.
        disk.fill(SPARE)
        load.is_refused()
        disk.fill()  # Not even a line of our own log finds room now.
        long_story = {f"part_{part}": secrets.token_hex(4000) for part in range(3)}
        unavailable(place.post(caller_id="+13035550100", data=long_story))
        unavailable(place.ask("POST", "/api/v1/contacts/suppression", json=many_numbers))
        assert place.ask("GET", "/healthz").json() == {"status": "ok"}
        assert place.read().status_code == 200
        if postgres is None:
            until(lambda: not_ready(disk, place))
        silent_since = len(place.live.text)
        disk.free()
        load.goes_on()
        assert '"status":200' in place.live.text[silent_since:]
        if postgres:
            panic(postgres, disk)
            load.is_refused()
            disk.free()
            postgres.resume()
            load.goes_on()

    load.run(CLIENTS, fill)
    assert set(load.broken) == {"503"}
    assert ('"problem":"DiskFull"' if postgres else '"problem":"SQLITE_FULL"') in place.live.text
    assert Audit(place.account, load.told).faults() == {}
    acknowledged(lambda: place.ask("POST", "/api/v1/contacts/suppression", json=many_numbers))
    # The audit is not blind: it misses a lead that was never stored, and sees one that nobody was told of.
    acknowledged(lambda: place.post(caller_id="+13035550100"))
    never = Told(Click("never", "+13035550101", "first"), new_id(), "created", replayed=False)
    assert Audit(place.account, [*load.told, never]).faults().keys() >= {"lost lead", "lead that nobody was told of"}


def not_ready(disk: Disk, place: Place) -> bool:
    """Whether the server says so. What a failed lead has given back is enough for the one row that it writes."""
    disk.fill()
    answer = place.ask("GET", "/readyz")
    return answer.status_code == 503 and answer.headers["Retry-After"] == "5"


def panic(postgres: Postgres, disk: Disk) -> None:
    """PostgreSQL cannot go on with its write-ahead log, nor recover while there is no room."""
    disk.fill()
    with suppress(psycopg.OperationalError):
        while True:
            administer(postgres, "create table filler (id int); drop table filler; select pg_switch_wal()")
    until(lambda: not postgres.runs())


def administer(postgres: Postgres, statements: LiteralString) -> None:
    """Runs statements as who owns the whole server."""
    conninfo = make_url(postgres.url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for statement in statements.split(";"):
            connection.execute(statement)
