"""A disk that is full or read only: what is acknowledged stays, the rest is 503, and room alone heals it."""

import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from server.config import Settings
from tests.faults.audit import Audit
from tests.faults.disk import Disk, small_disk
from tests.faults.load import Load
from tests.faults.place import Place, serving, unavailable, until
from tests.postgres import Postgres, postgres_in

CLIENTS = 8
# Bytes that clients fill with leads.
SPARE = 200_000
# Numbers for the suppression list; no table has room for them in what it has.
MANY = "\n".join(f"+1719{number}" for number in range(2_000_000, 2_003_000))


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
    with small_disk("64m") as disk, postgres_in(disk.folder) as postgres:
        settings = Settings(data_dir=tmp_path, database_url=postgres.create_database())
        with serving(settings, "info") as place:
            yield Filled(disk, place, postgres)


def test_a_full_disk_loses_and_doubles_nothing_and_room_alone_heals_it(filled: Filled) -> None:
    disk, place = filled.disk, filled.place
    load = Load(place.live.port, place.account.schedule_token)

    def fill() -> None:
        load.goes_on()
        disk.fill(SPARE)
        load.is_refused()
        disk.fill()  # Not even a line of the log finds room now.
        long_story = {f"part_{part}": secrets.token_hex(4000) for part in range(3)}
        unavailable(place.post(caller_id="+13035550100", data=long_story))
        unavailable(place.ask("POST", "/api/v1/contacts/suppression", json={"numbers": MANY.split()}))
        assert place.ask("GET", "/healthz").json() == {"status": "ok"}
        assert place.read().status_code == 200
        if filled.postgres is None:
            unavailable(place.ask("GET", "/readyz"))
        disk.free()
        load.goes_on()
        if filled.postgres:
            no_room_for_its_log(disk, filled.postgres)
            load.is_refused()
            until(lambda: not filled.postgres.runs())  # It tries to recover, which takes room too.
            disk.free()
            filled.postgres.resume()
            load.goes_on()
            assert "PANIC" in (disk.folder / "log").read_text()

    load.run(CLIENTS, fill)
    assert set(load.broken) == {"503"}
    assert Audit(place.account, load.told).faults() == {}
    assert place.ask("POST", "/api/v1/contacts/suppression", json={"numbers": MANY.split()}).status_code == 200


def no_room_for_its_log(disk: Disk, postgres: Postgres) -> None:
    """PostgreSQL panics where it cannot go on with its write-ahead log."""
    disk.fill()
    conninfo = make_url(postgres.url).set(drivername="postgresql").render_as_string(hide_password=False)
    with suppress(psycopg.Error), psycopg.connect(conninfo, autocommit=True) as connection:
        while True:
            connection.execute("select pg_switch_wal()")
            connection.execute("create temporary table any_table (id int)")
            connection.execute("drop table any_table")
