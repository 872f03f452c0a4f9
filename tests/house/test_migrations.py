"""The migrations make what the models say, and can be taken back."""

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect

from server.lib.db import db
from tests.conftest import new_settings, opened


@pytest.fixture
def empty(database: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An application on a database without tables."""
    with opened(new_settings(database, request, tmp_path_factory.mktemp("empty"))) as app, app.app_context():
        yield app


def tables() -> set[str]:
    return set(inspect(db.engine).get_table_names()) - {"alembic_version"}


def test_the_migrations_make_exactly_the_models(empty: Flask) -> None:
    upgrade(directory=empty.extensions["migrate"].directory)
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, db.metadata) == []


def test_every_migration_goes_up_and_down(empty: Flask) -> None:
    directory = empty.extensions["migrate"].directory
    upgrade(directory=directory)
    assert tables() == set(db.metadata.tables)
    downgrade(directory=directory, revision="base")
    assert tables() == set()
    upgrade(directory=directory)
    assert tables() == set(db.metadata.tables)
