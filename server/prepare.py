"""Before the first request: the database brought up to date under a lock, and a few lines that say what runs."""

import shutil
import sqlite3
import sys
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from server.app import create_app
from server.config import Settings
from server.errors import SettingError
from server.lib.db import JOURNAL_MODE, db
from server.migrations import migrate

# With one of these off, PostgreSQL may lose what it has acknowledged.
DURABLE = ("fsync", "full_page_writes", "synchronous_commit")


def prepare_database(settings: Settings) -> None:
    """Does it, or ends this process with a sentence that says why not."""
    try:
        bring_up(settings)
        if settings.shares_metrics:
            empty(settings.metrics_folder)
    except (SettingError, DBAPIError, OSError) as error:
        sys.exit(f"Handraiser cannot start. {reason(error).strip()}")


def reason(error: SettingError | DBAPIError | OSError) -> str:
    """Why it cannot start, for who has to mend it."""
    if isinstance(error, DBAPIError):
        without = str(error.orig)
        if "SSL" in without and "required" in without:
            return (
                f"{without.strip()}. DATABASE_URL names another machine. Switch TLS on there, or add ?sslmode=disable."
            )
        return f"The database does not answer: {without}"
    if isinstance(error, OSError):
        return f"{error.filename} cannot be used: {error.strerror}. See HANDRAISER_DATA_DIR and DATABASE_URL."
    return str(error)


def bring_up(settings: Settings) -> None:
    """Brings the database up to date and says what runs; raises SettingError for one that may lose leads."""
    app = create_app(settings)
    migrate(app)
    with app.app_context():
        database = describe_sqlite() if settings.on_sqlite else describe_postgres(db.engine)
        fresh = db.session.execute(text("select count(*) from company")).scalar() == 0
    print(f"Handraiser  {app.config['URL']}")
    print(f"Database    {database}")
    print(f"Workers     {settings.worker_count} x {settings.thread_count} threads")
    print(f"Docs        {app.config['URL']}/api/docs")
    if fresh:
        print("First       ./dev demo   makes a company with its lead tokens and shows how to send a lead")


def describe_sqlite() -> str:
    """SQLite, its file and how it keeps its promises."""
    path = Path(db.engine.url.database or "")
    return f"SQLite {sqlite3.sqlite_version}, {path} (journal_mode {JOURNAL_MODE}, synchronous FULL)"


def describe_postgres(engine: Engine) -> str:
    """PostgreSQL and where it is; raises SettingError if it is set to lose what it acknowledges."""
    with engine.connect() as connection:
        off = [name for name in DURABLE if connection.execute(text(f"show {name}")).scalar() == "off"]
        version = connection.execute(text("show server_version")).scalar()
    if off:
        raise SettingError(f"PostgreSQL runs with {', '.join(off)} off and may lose leads. Switch it on.")
    url = engine.url
    return f"PostgreSQL {version}, {url.database} on {url.host or 'a local socket'} (durable commits)"


def empty(folder: Path) -> None:
    """Makes it a folder with nothing in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
