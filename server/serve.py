"""The start: settings, migration under a lock, a few lines that say what runs, then the web server."""

import argparse
import os
import shutil
import socket
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
    except (SettingError, DBAPIError, OSError) as error:
        sys.exit(f"Handraiser cannot start. {reason(error).strip()}")
    share_metrics(settings)
    sys.stdout.flush()
    os.chdir(PROJECT)
    os.execv(sys.executable, server_command(settings))  # noqa: S606


def reason(error: SettingError | DBAPIError | OSError) -> str:
    """Why it cannot start, for who has to mend it."""
    if isinstance(error, DBAPIError):
        return f"The database does not answer: {error.orig}"
    if isinstance(error, OSError):
        return f"{error.filename} cannot be used: {error.strerror}. See HANDRAISER_DATA_DIR and DATABASE_URL."
    return str(error)


def prepare(settings: Settings) -> None:
    """Brings the database up to date and says what runs; raises SettingError for one that may lose leads."""
    try_address(settings.host, settings.port)
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


def try_address(host: str, port: int) -> None:
    """Raises SettingError if nobody can listen there; granian would say so with a long stack trace."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            problem = f"Nobody can listen on {host}, port {port}: {error.strerror}."
            raise SettingError(f"{problem} Set another --host or --port.") from error


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
