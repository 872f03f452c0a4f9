"""Running programs under measurement: their processes, what Linux tells of them, and their databases."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg
from sqlalchemy import make_url

from server.app import create_app
from server.config import PROJECT, Settings
from server.lib.db import db
from server.migrations import migrate
from tests.bench.million import fill
from tests.factories import Account, make_account
from tests.live import PATIENCE
from tests.postgres import Postgres

PRODUCT = [sys.executable, "-m", "server.serve"]


@dataclass
class Target:
    """A running program: its processes, its database, and how many posts it has had."""

    name: str
    url: str
    pid: int
    log: Path
    account: Account
    posts: int = 0
    # Posts that it had had, and the MB that its largest process then held.
    memory: list[tuple[int, int]] = field(default_factory=list)

    def stored(self) -> int:
        """How many leads its database holds."""
        count: int = self.account.rows("select count(*) as n from lead")[0]["n"]
        return count

    def note_memory(self) -> None:
        """Takes down what its largest process holds now."""
        self.memory.append((self.posts, round(workers_memory(self)[0])))

    def complaints(self) -> list[str]:
        """What it has logged, without the line that every request leaves."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return [line for line in lines if '"level":"info"' not in line]


# --- Processes: what Linux tells of them ----------------------------------------------------------------------------


def processes() -> Iterator[tuple[int, int, int, float]]:
    """Each process with its parent, its session, and the seconds of CPU that it and its ended children used."""
    tick = os.sysconf("SC_CLK_TCK")
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            about = path.read_text().rpartition(")")[2].split()
            yield int(path.parent.name), int(about[1]), int(about[3]), sum(map(int, about[11:15])) / tick


def app_seconds(target: Target) -> float:
    """CPU time of a program: the server and its workers share a session."""
    return sum(seconds for _, _, session, seconds in processes() if session == target.pid)


def pg_seconds(postmaster: int | None) -> float:
    """CPU time of PostgreSQL: each of its processes is a child of the first."""
    return sum(seconds for pid, parent, _, seconds in processes() if postmaster in (pid, parent))


def postmaster_of(postgres: Postgres) -> int | None:
    """PostgreSQL's first process, if it runs on this machine."""
    with psycopg.connect(plain(postgres.url)) as connection:
        backend = connection.info.backend_pid
        return next((parent for pid, parent, _, _ in processes() if pid == backend), None)


def workers_memory(target: Target) -> list[float]:
    """Resident MB of each process that serves, the largest first."""
    sizes = []
    for pid, _, session, _ in processes():
        if session == target.pid != pid:
            with suppress(OSError):
                lines = Path(f"/proc/{pid}/status").read_text().splitlines()
                sizes += [int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")]
    return sorted(sizes, reverse=True)


# --- Databases and programs -----------------------------------------------------------------------------------------


def plain(url: str) -> str:
    """A SQLAlchemy URL as libpq reads it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


@contextmanager
def prepared(settings: Settings, leads: int = 0) -> Iterator[Account]:
    """An empty database brought up to date, with one company in it, which has so many leads already."""
    app = create_app(settings)
    try:
        migrate(app)
        account = make_account(app)
        if leads:
            fill(account, leads)
        yield account
    finally:
        with app.app_context():
            app.extensions["ledger"].close()
            db.engine.dispose()


@contextmanager
def running(name: str, command: list[str], settings: Settings, account: Account) -> Iterator[Target]:
    """A program in a session of its own, which ends with the block."""
    url = f"http://127.0.0.1:{settings.port}"
    environ = os.environ | {
        "HANDRAISER_DATA_DIR": str(settings.data_dir),
        "HANDRAISER_PORT": str(settings.port),
        "DATABASE_URL": settings.database_url,
    }
    path = settings.data_dir / f"{name}.log"
    with path.open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        wait_for(url, process, path)
        yield Target(name, f"{url}/api/v1/leads?lead_token={account.schedule_token}", process.pid, path, account)
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=PATIENCE)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Waits until the program answers; raises RuntimeError if it does not."""
    deadline = time.monotonic() + PATIENCE
    while True:
        with suppress(httpx.HTTPError):
            if httpx.get(f"{url}/readyz", timeout=2).status_code == 200:
                return
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args} did not start:\n{log.read_text(errors='replace')}")
        time.sleep(0.05)
