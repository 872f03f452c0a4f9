"""The migrations make what the models say, and can be taken back."""

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import RowMapping, inspect, text

from server.lib import clock
from server.lib.db import db
from server.migrations import FOLDER, register
from tests.conftest import new_settings, opened


@pytest.fixture
def empty(database: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An application on a database without tables."""
    with opened(new_settings(database, request, tmp_path_factory.mktemp("empty"))) as app, app.app_context():
        register(app)
        yield app


def tables() -> set[str]:
    return set(inspect(db.engine).get_table_names()) - {"alembic_version"}


def test_the_migrations_make_exactly_the_models(empty: Flask) -> None:
    upgrade(directory=FOLDER)
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, db.metadata) == []


def test_every_migration_goes_up_and_down(empty: Flask) -> None:
    upgrade(directory=FOLDER)
    assert tables() == set(db.metadata.tables)
    downgrade(directory=FOLDER, revision="base")
    assert tables() == set()
    upgrade(directory=FOLDER)
    assert tables() == set(db.metadata.tables)


def test_what_an_older_version_has_stored_lives_on(empty: Flask) -> None:
    upgrade(directory=FOLDER, revision="0001")
    with db.engine.connect().execution_options(writes=True) as connection:
        for statement in OLD_ROWS:
            connection.execute(text(statement), {"at": clock.now()})
        connection.commit()
    upgrade(directory=FOLDER)
    for table in ("lead_token", "schedule_action", "traffic_source", "user", "api_key", "schedule", "offer"):
        [row] = rows(f'select * from "{table}"')
        assert row["updated_at"] is not None
    downgrade(directory=FOLDER, revision="0001")
    assert len(rows("select * from lead_token")) == 1


def rows(query: str) -> list[RowMapping]:
    with db.engine.connect() as connection:
        return list(connection.execute(text(query)).mappings())


# Rows that point at one another, as the first version keeps them.
OLD_ROWS = (
    "insert into company values (1, 'Acme', 'US', 'UTC', false, 1, :at)",
    "insert into offer values (1, 1, 'Cars', :at, :at, null)",
    "insert into schedule values (1, 1, 1, 'Call now', :at, :at, null)",
    "insert into schedule_action values (1, 1, 1, 1, 'dial', 0, '{}')",
    "insert into traffic_source values (1, 1, 'google_ads', 'Google', :at, :at, null)",
    "insert into lead_token (id, company_id, owner_kind, owner_id, kind, name, value, default_traffic_source_id,"
    " shows_stored_lead, allowed_origins, allowed_redirects, created_at)"
    " values (1, 1, 'schedule', 1, 'server', 'First', 'x', 1, true, '[]', '[]', :at)",
    "insert into \"user\" values (1, 1, 'a@example.com', 'A', '', 'admin', :at, null)",
    "insert into api_key values (1, 1, 'K', 'p', 'h', '[]', :at, null)",
)
