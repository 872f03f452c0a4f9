"""The database: SQLAlchemy's session for everything but the hot path, and column types that both databases share."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, DateTime, Dialect, Engine, Index, MetaData, String, Uuid, event, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection, ExceptionContext, make_url
from sqlalchemy.orm import DeclarativeBase, registry
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator, TypeEngine

from server.lib.filelock import FileLock
from server.lib.ledger import WriteFailed

# A statement waits at most this long for another writer, in milliseconds.
BUSY_TIMEOUT = 5000

# Seconds in which a PostgreSQL must answer who connects, as its driver is told.
CONNECT = {"connect_timeout": 5}

Value = TypeVar("Value")

# Each constraint has a name of its own, so that a migration can find it on both databases.
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Instant(TypeDecorator[datetime]):
    """Aware UTC. SQLite keeps it as text of one width, which sorts as time does."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """SQLite's own type refuses nothing and drops the offset: hand it UTC."""
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """PostgreSQL answers in the session's zone, SQLite in none."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Id(TypeDecorator[str]):
    """A UUID, text for us in its usual spelling: 16 bytes on PostgreSQL, 36 characters on SQLite."""

    impl = String(36)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """PostgreSQL has a type for it."""
        return dialect.type_descriptor(Uuid(as_uuid=False) if dialect.name == "postgresql" else String(36))


Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class Base(DeclarativeBase):
    """The parent of every model: names of constraints and the types of annotated columns."""

    metadata = MetaData(naming_convention=NAMES)
    registry = registry(
        metadata=metadata,
        type_annotation_map={datetime: Instant, dict[str, Any]: Json, list[str]: Json, list[int]: Json},
    )


def unique_in_use(name: str, *columns: str, deleted: str = "deleted_at") -> Index:
    """A unique key among the rows that are not deleted: who deletes a thing may make another of its name."""
    in_use = text(f"{deleted} is null")
    return Index(name, *columns, unique=True, postgresql_where=in_use, sqlite_where=in_use)


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model


def wal_is_safe(version: tuple[int, ...]) -> bool:
    """Whether this SQLite is free of the WAL-reset race, mended in 3.51.3 and in two older branches."""
    return version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)


JOURNAL_MODE = "WAL" if wal_is_safe(sqlite3.sqlite_version_info) else "TRUNCATE"


# What is written together says the same few times again and again.
@lru_cache(maxsize=256)
def as_sqlite(instant: datetime) -> str:
    """A time as SQLAlchemy's own type spells it; strftime would take ten times as long."""
    return instant.astimezone(UTC).isoformat(" ", "microseconds").removesuffix("+00:00")


sqlite3.register_adapter(datetime, as_sqlite)


def prepare_sqlite(connection: sqlite3.Connection) -> None:
    """Makes one connection durable: what a COMMIT has answered survives a power cut."""
    connection.isolation_level = None
    connection.execute(f"pragma busy_timeout = {BUSY_TIMEOUT}")
    connection.execute(f"pragma journal_mode = {JOURNAL_MODE}")
    connection.execute("pragma synchronous = full")
    connection.execute("pragma foreign_keys = on")
    # Else REPLACE would delete rows past the triggers that forbid it.
    connection.execute("pragma recursive_triggers = on")


def open_sqlite(path: Path) -> sqlite3.Connection:
    """A connection of its own, for the group commit."""
    connection = sqlite3.connect(path, check_same_thread=False)
    prepare_sqlite(connection)
    return connection


def undo_sqlite(connection: sqlite3.Connection) -> None:
    """Takes back what a connection has begun. Closing would do, but not while somebody still has a cursor, be it a
    traceback: until that has gone the file stays locked."""
    with suppress(sqlite3.Error):
        connection.rollback()


def sqlite_path(url: str) -> Path:
    """The file of an SQLite URL."""
    return Path(make_url(url).database or "")


def write_lock(url: str) -> FileLock:
    """The lock that every writer of this SQLite file takes before BEGIN."""
    path = sqlite_path(url)
    return FileLock(path.with_name(path.name + ".lock"))


def watch_postgres(engine: Engine, statement_seconds: int) -> None:
    """Lets none of an engine's statements wait longer for another's lock than SQLite's do, nor run without end."""

    @event.listens_for(engine, "connect")
    def limit(connection: Any, entry: ConnectionPoolEntry) -> None:
        connection.execute(f"set lock_timeout = {BUSY_TIMEOUT}")
        connection.execute(f"set statement_timeout = {statement_seconds * 1000}")
        connection.commit()


def watch_sqlite(engine: Engine, lock: FileLock) -> None:
    """Gives an engine's transactions their BEGIN, and its writers the lock until their connection is handed back."""

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, entry: ConnectionPoolEntry) -> None:
        prepare_sqlite(connection)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if not connection.get_execution_options().get("writes"):
            connection.exec_driver_sql("begin")
            return
        # SQLite's own waiting is unfair and slow; a lock in the kernel is neither. Who commits and begins again has it.
        if "lock" not in connection.connection.info:
            try:
                lock.acquire()
            except OSError as error:
                raise WriteFailed(str(error)) from error
            connection.connection.info["lock"] = lock
        connection.exec_driver_sql("begin immediate")

    @event.listens_for(engine, "checkin")
    def give_back(connection: object, entry: ConnectionPoolEntry) -> None:
        held = entry.info.pop("lock", None)
        if held:
            held.release()

    distrust_after_failures(engine)


def distrust_after_failures(engine: Engine) -> None:
    """Opens all connections to an SQLite file anew when one of them has failed: what was opened while its disk was
    read only, or while another file lay in its place, stays as it was when all is well again."""

    @event.listens_for(engine, "handle_error")
    def distrust(context: ExceptionContext) -> None:
        if isinstance(context.original_exception, sqlite3.OperationalError):
            context.is_disconnect = True

    @event.listens_for(engine, "invalidate")
    def let_go(connection: sqlite3.Connection, entry: ConnectionPoolEntry, error: BaseException | None) -> None:
        undo_sqlite(connection)


def batches(values: Sequence[Value], size: int = 500) -> Iterator[Sequence[Value]]:
    """The values in parts that one statement can hold on both databases."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def begin_write() -> None:
    """Says that this session's transaction will write: call it before the first read that the write rests on."""
    db.session.connection(execution_options={"writes": True})


def commit() -> None:
    """Ends the transaction of a surface: the only commit outside the hot path."""
    db.session.commit()
    db.session.remove()
