"""The power goes right after an answer: whatever was acknowledged is on the disk.

SQLite's files are rebuilt of what the server had synced, and of nothing else. PostgreSQL is stopped at once, so that
what it had not written is lost. Each control takes the care away, and leads with it: else the tests saw nothing.
"""

import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from server.config import Settings
from server.lib.db import db
from server.migrations import migrate
from tests.conftest import opened
from tests.factories import make_account
from tests.faults.place import Place, serving, until
from tests.live import running_server
from tests.postgres import Postgres

pytestmark = pytest.mark.early

POWER = Path(__file__).with_name("power")
NUMBERS = [f"+1719222{number:04}" for number in range(1000, 1012)]
SELECT = "select caller_id from lead"
# Nobody is waited for at a commit, and what commits leave is written seldom.
CARELESS = {"synchronous_commit": "off", "wal_writer_delay": "10s", "wal_writer_flush_after": "1GB"}


def send(place: Place) -> None:
    """One lead after another, each of them acknowledged."""
    for number in NUMBERS:
        assert place.post(caller_id=number).json()["action"] == "created"


def left_by_sqlite(folder: Path, synchronous: str = "") -> set[str]:
    """The leads in what a power cut leaves of the database."""
    settings, kept = Settings(data_dir=folder / "data"), folder / "kept"
    with opened(settings) as app:
        migrate(app)
        account = make_account(app)
        with app.app_context():
            db.engine.dispose()
        # The server begins with what lies on the disk.
        shutil.copytree(settings.data_dir, kept)
        environ = {"PYTHONPATH": str(POWER), "TEST_KEPT": str(kept), "TEST_SYNCHRONOUS": synchronous}
        with running_server(settings, **environ) as live:
            send(Place(live, account))
            live.end(signal.SIGKILL)
    # Memory that processes share is on no disk.
    kept.joinpath("handraiser.db-shm").unlink(missing_ok=True)
    with closing(sqlite3.connect(kept / "handraiser.db")) as connection:
        assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
        return {number for (number,) in connection.execute(SELECT)}


def test_sqlite_keeps_what_was_acknowledged_when_the_power_goes(tmp_path: Path) -> None:
    assert left_by_sqlite(tmp_path) == {*NUMBERS}


@pytest.mark.parametrize("synchronous", ["normal", "off"])
def test_the_control_that_syncs_less_loses_what_was_acknowledged(synchronous: str, tmp_path: Path) -> None:
    assert NUMBERS[-1] not in left_by_sqlite(tmp_path, synchronous)


def left_by_postgres(postgres: Postgres, folder: Path, settings: dict[str, str]) -> set[str]:
    """The leads in what PostgreSQL finds again when it was stopped at once; its settings change under the server, which
    starts on none that may lose leads."""
    url = postgres.create_database()
    conninfo = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with serving(Settings(data_dir=folder, database_url=url)) as place:
        change(conninfo, [f"alter system set {name} = '{value}'" for name, value in settings.items()], settings)
        try:
            send(place)
        finally:
            postgres.halt("immediate")
            postgres.resume()
            change(conninfo, ["alter system reset all"], {})
        with psycopg.connect(conninfo) as connection:
            return {number for (number,) in connection.execute(SELECT)}


def change(conninfo: str, statements: list[str], wanted: dict[str, str]) -> None:
    """Changes settings and waits until they count."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for statement in [*statements, "select pg_reload_conf()"]:
            connection.execute(statement)
        until(lambda: all(connection.execute(f"show {name}").fetchone() == (wanted[name],) for name in wanted))


def test_postgresql_keeps_what_was_acknowledged_when_it_stops_at_once(tmp_path: Path, own_postgres: Postgres) -> None:
    assert left_by_postgres(own_postgres, tmp_path, {}) == {*NUMBERS}


def test_the_control_that_waits_for_no_commit_loses_what_was_acknowledged(
    tmp_path: Path, own_postgres: Postgres
) -> None:
    assert NUMBERS[-1] not in left_by_postgres(own_postgres, tmp_path, CARELESS)
