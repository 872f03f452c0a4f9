"""Servers that a test may hurt, and two processes that write to one database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.config import Settings
from tests.conftest import new_settings
from tests.faults.place import Place, serving
from tests.live import Live, running_server
from tests.postgres import Postgres, running_postgres


@pytest.fixture(scope="session")
def own_postgres() -> Iterator[Postgres]:
    """A PostgreSQL that nobody else uses, to be crashed and ill set."""
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("TEST_DATABASE_URL", raising=False)
        with running_postgres() as server:
            yield server


@pytest.fixture
def place(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A server on a database that nobody else uses."""
    with serving(new_settings(database, request, tmp_path)) as place:
        yield place


@pytest.fixture(scope="session")
def ports(settings: Settings, live: Live) -> Iterator[list[int]]:
    """Where two web processes write to the database of `app`: on PostgreSQL two workers with more threads than they
    would have, on SQLite two servers."""
    more = {} if settings.on_sqlite else {"HANDRAISER_WORKERS": "2", "HANDRAISER_THREADS": "16"}
    with running_server(settings, **more) as other:
        yield [live.port, other.port] if settings.on_sqlite else [other.port]
