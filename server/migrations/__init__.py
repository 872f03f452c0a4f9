"""Alembic migrations; each has a date and words in its name. This brings a database up to them."""

from pathlib import Path

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import Migrate, upgrade

from server.lib.db import db
from server.lib.filelock import FileLock

FOLDER = str(Path(__file__).parent)


def register(app: Flask) -> None:
    """Tells Flask-Migrate and its commands of an application."""
    Migrate(app, db, directory=FOLDER, render_as_batch=True, compare_type=True)


def migrate(app: Flask) -> None:
    """Brings the database to this version, one process at a time; does nothing if it is there already."""
    register(app)
    with app.app_context(), FileLock(Path(app.config["DATA_DIR"]) / "migrate.lock").held():
        with db.engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
        if current != ScriptDirectory(FOLDER).get_current_head():
            upgrade(directory=FOLDER)
