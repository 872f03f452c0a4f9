"""How Alembic reaches the database: through the application's own engine and metadata."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from flask import current_app
from sqlalchemy import JSON, text
from sqlalchemy.engine import Connection

from server.lib.db import Id, Instant, db
from server.numbers import models as numbers  # noqa: F401 (what nobody else imports yet)
from server.outcomes import models as outcomes  # noqa: F401

# Any number, the same in every version.
LOCK = 7_417_220_261


def render_item(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Our own column types under their own names."""
    if kind != "type" or not isinstance(item, Id | Instant | JSON):
        return False
    autogen.imports.add("from server.lib.db import Id, Instant, Json")
    return "Json" if isinstance(item, JSON) else f"{type(item).__name__}()"


def run() -> None:
    """Runs the migrations in one transaction, also on SQLite, where tables are copied to be changed."""
    configure = current_app.extensions["migrate"].configure_args
    with db.engine.connect().execution_options(writes=True) as connection, copying(connection):
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_item=render_item,
            transactional_ddl=True,
            **configure,
        )
        with context.begin_transaction():
            if connection.dialect.name == "postgresql":
                # Tables that are full take their time.
                connection.execute(text("set local statement_timeout = 0"))
                # Two machines may start on one empty database: the second waits here and then finds nothing to do.
                connection.execute(text(f"select pg_advisory_xact_lock({LOCK})"))
            context.run_migrations()
            if connection.dialect.name == "sqlite":
                lost = connection.execute(text("pragma foreign_key_check")).first()
                if lost is not None:
                    raise RuntimeError(f"A row of {lost[0]} would point at a row of {lost[2]} that does not exist.")


@contextmanager
def copying(connection: Connection) -> Iterator[None]:
    """Lets SQLite drop a table that others point at, once its copy is made: what they point at comes back with it."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.driver_connection
    driver.execute("pragma foreign_keys = off")
    try:
        yield
    finally:
        connection.rollback()
        driver.execute("pragma foreign_keys = on")


run()
