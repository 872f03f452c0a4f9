"""The start: settings, migration under a lock, a few lines that say what runs, then the web server."""

import argparse
import os
import shutil
import sqlite3
import sys
from pathlib import Path
from typing import NoReturn

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from server.app import create_app
from server.config import PROJECT, Settings, from_environment
from server.errors import SettingError
from server.lib.db import JOURNAL_MODE, db
from server.migrations import migrate

# Seconds that requests in flight are given to end after SIGTERM.
GRACE = 30

# With one of these off, PostgreSQL may lose what it has acknowledged.
DURABLE = ("fsync", "full_page_writes", "synchronous_commit")


def main() -> NoReturn:
    """Runs the product until it is told to stop."""
    parser = argparse.ArgumentParser(prog="dev serve", description="Runs Handraiser.")
    parser.add_argument("--host", help="The address to listen on; HANDRAISER_HOST says the same.")
    parser.add_argument("--port", help="The port to listen on; HANDRAISER_PORT says the same.")
    asked = parser.parse_args()
    for name in ("host", "port"):
        if getattr(asked, name) is not None:
            os.environ[f"HANDRAISER_{name.upper()}"] = getattr(asked, name)
    try:
        settings = from_environment()
        prepare(settings)
    except (SettingError, DBAPIError) as error:
        reason = str(error) if isinstance(error, SettingError) else f"The database does not answer: {error.orig}"
        sys.exit(f"Handraiser cannot start. {reason.strip()}")
    share_metrics(settings)
    sys.stdout.flush()
    os.chdir(PROJECT)
    os.execv(sys.executable, server_command(settings))  # noqa: S606


def prepare(settings: Settings) -> None:
    """Brings the database up to date and says what runs; raises SettingError for one that may lose leads."""
    app = create_app(settings)
    migrate(app)
    with app.app_context():
        database = describe_sqlite() if settings.on_sqlite else describe_postgres(db.engine)
        fresh = db.session.execute(text("select count(*) from company")).scalar() == 0
    print(f"Handraiser  {app.config['URL']}")
    print(f"Database    {database}")
    print(f"Workers     {settings.worker_count} x {settings.thread_count} threads")
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


def share_metrics(settings: Settings) -> None:
    """Gives the processes one folder to count in, empty at each start."""
    if settings.metrics and settings.worker_count > 1:
        folder = settings.data_dir / "metrics"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def server_command(settings: Settings) -> list[str]:
    """granian with one process group for its workers; our own log line takes the place of its access log."""
    options = {
        "interface": "wsgi",
        "http": "1",
        "host": settings.host,
        "port": settings.port,
        "workers": settings.worker_count,
        "blocking-threads": settings.thread_count,
        "workers-kill-timeout": GRACE,
        "log-level": "error",
    }
    named = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "granian", *named, "--respawn-failed-workers", "wsgi:app"]


if __name__ == "__main__":
    main()
