"""Leads a second over HTTP: the product beside a bare program on the same PostgreSQL, then the product on SQLite."""

import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import median

import httpx
import psycopg
from sqlalchemy import make_url

from server.app import create_app
from server.config import PROJECT, Settings, from_environment
from server.lib.db import db
from server.migrations import migrate
from server.serve import server_command
from tests.factories import Account, make_account
from tests.live import PATIENCE, free_port
from tests.postgres import Postgres, running_postgres

SCRIPT = Path(__file__).with_name("leads.lua")
NO_WRK = "This benchmark needs wrk, which makes the load. On Debian and Ubuntu: apt install wrk"

# The number of connections that the aims are about, and on which the ratio rests.
HARDEST = 16
WARM_UP = 1
# More than one run can send: each has this many phone numbers to itself.
BLOCK = 500_000

PRODUCT = [sys.executable, "-m", "server.serve"]


@dataclass(frozen=True)
class Window:
    """What one measured stretch of load showed; the CPU times are microseconds a lead."""

    per_second: float
    p50_ms: float
    p99_ms: float
    errors: int
    app_us: float
    pg_us: float

    @property
    def cpu_us(self) -> float:
        """What a lead cost in all, but for the load's own part."""
        return self.app_us + self.pg_us


@dataclass
class Target:
    """A running program: its processes, its database, and how many posts it has had."""

    name: str
    url: str
    pid: int
    log: Path
    account: Account
    windows: dict[int, list[Window]] = field(default_factory=dict)
    posts: int = 0

    def stored(self) -> int:
        """How many leads its database holds."""
        count: int = self.account.rows("select count(*) as n from lead")[0]["n"]
        return count

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
def prepared(settings: Settings) -> Iterator[Account]:
    """An empty database brought up to date, with one company in it."""
    app = create_app(settings)
    try:
        migrate(app)
        yield make_account(app)
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


# --- Measuring ------------------------------------------------------------------------------------------------------


class Bench:
    """Loads programs and keeps what it saw."""

    def __init__(self, seconds: int, postgres: Postgres) -> None:
        self.seconds = seconds
        self.postgres = postgres
        self.postmaster = postmaster_of(postgres)
        self.runs = 0

    def load(self, target: Target, connections: int, seconds: int) -> dict[str, float]:
        """Sends leads with new numbers for so long; what wrk says of it."""
        self.runs += 1
        how = ["--threads=1", f"--connections={connections}", f"--duration={seconds}s", "--timeout=10s"]
        command = ["wrk", *how, f"--script={SCRIPT}", target.url, "--", str(self.runs * BLOCK)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"wrk failed:\n{done.stdout}{done.stderr}")
        said: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        target.posts += int(said["requests"])
        return said

    def measure(self, target: Target, connections: int) -> None:
        """One window of load, after a short one that warms up."""
        self.load(target, connections, WARM_UP)
        self.checkpoint()
        stored, app, pg = target.stored(), app_seconds(target), pg_seconds(self.postmaster)
        said = self.load(target, connections, self.seconds)
        app, pg = app_seconds(target) - app, pg_seconds(self.postmaster) - pg
        leads = target.stored() - stored
        # wrk counts 4xx and 5xx; an answer of any other kind that made no lead is missing in the database.
        errors = said["lost"] + max(said["refused"], said["requests"] - leads)
        window = Window(
            per_second=said["requests"] / said["seconds"],
            p50_ms=said["p50_ms"],
            p99_ms=said["p99_ms"],
            errors=int(errors),
            app_us=app / max(leads, 1) * 1e6,
            pg_us=pg / max(leads, 1) * 1e6,
        )
        target.windows.setdefault(connections, []).append(window)
        show(f"  {target.name:<20}{row(connections, window)}")
        if window.errors:
            show(f"  wrk said {said}, the database has {leads} more leads, the program's log ends with:")
            show("".join(f"    {line}\n" for line in target.complaints()[-5:]))

    def checkpoint(self) -> None:
        """Has PostgreSQL write what it owes the disk now, rather than in the middle of a window."""
        with psycopg.connect(plain(self.postgres.url), autocommit=True) as connection:
            connection.execute("checkpoint")


def typical(windows: list[Window]) -> Window:
    """The median of each figure; the sum of the errors."""
    figures = {name: median(getattr(each, name) for each in windows) for name in asdict(windows[0])}
    return Window(**figures | {"errors": sum(each.errors for each in windows)})


def ratio(product: list[Window], bare: list[Window]) -> float:
    """Product / bare: the median over rounds, each round against its own."""
    return median(ours.per_second / theirs.per_second for ours, theirs in zip(product, bare, strict=True))


# --- The run --------------------------------------------------------------------------------------------------------


def on_postgres(stack: ExitStack, bench: Bench, settings: Settings) -> tuple[Target, Target]:
    """The bare program and the product, each with a database of its own on the same server."""
    targets = []
    for name in ("bare", "product"):
        own = replace(settings, database_url=bench.postgres.create_database(), port=free_port())
        account = stack.enter_context(prepared(own))
        command = PRODUCT if name == "product" else [*server_command(own)[:-1], "tests.bench.bare:app"]
        targets.append(stack.enter_context(running(f"postgresql {name}", command, own, account)))
    return targets[0], targets[1]


def on_sqlite(stack: ExitStack, settings: Settings) -> Target:
    """The product with a file."""
    own = replace(settings, database_url="", port=free_port())
    return stack.enter_context(running("sqlite product", PRODUCT, own, stack.enter_context(prepared(own))))


def main(arguments: list[str]) -> int:
    """Measures, prints a table and one line of JSON; 1 if anything went wrong on the way."""
    asked = options(arguments)
    if shutil.which("wrk") is None:
        sys.exit(NO_WRK)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="handraiser-bench-")))
        settings = replace(from_environment(), data_dir=folder)
        bench = Bench(asked.seconds, stack.enter_context(running_postgres()))
        with ExitStack() as programs:
            bare, product = on_postgres(programs, bench, settings)
            for connections in asked.connections:
                for _ in range(rounds(asked.rounds, connections)):
                    bench.measure(bare, connections)
                    bench.measure(product, connections)
            while product.posts < asked.posts:
                bench.load(product, HARDEST, 10)
            memory = {"posts": product.posts, "worker_mb": [round(size) for size in workers_memory(product)]}
        with ExitStack() as programs:
            sqlite = on_sqlite(programs, settings)
            for connections in asked.connections:
                for _ in range(rounds(asked.rounds, connections)):
                    bench.measure(sqlite, connections)
    return report([bare, product, sqlite], memory, asked)


def options(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="./dev bench intake", description=__doc__)
    parser.add_argument("--seconds", type=int, default=4, help="how long each window is (%(default)s)")
    parser.add_argument("--rounds", type=int, default=9, help="windows at 16 connections (%(default)s)")
    parser.add_argument("--connections", type=numbers, default=[1, 16, 64], help="how many at once (1,16,64)")
    parser.add_argument(
        "--posts", type=int, default=0, help="post so often in all before memory is read, such as 100000"
    )
    return parser.parse_args(arguments)


def numbers(text: str) -> list[int]:
    """`1,16,64`."""
    return [int(part) for part in text.split(",")]


def rounds(asked: int, connections: int) -> int:
    """The ratio rests on many rounds at 16 connections; of the rest fewer will do."""
    return asked if connections == HARDEST else min(asked, 3)


# --- What is printed ------------------------------------------------------------------------------------------------


def report(targets: list[Target], memory: dict[str, object], asked: argparse.Namespace) -> int:
    """The table and the JSON line."""
    bare, product, _ = targets
    ratios = {each: ratio(product.windows[each], bare.windows[each]) for each in asked.connections}
    results = []
    show(f"\n{'medians':<22}{HEAD}")
    for target in targets:
        for connections, windows in target.windows.items():
            figures = typical(windows)
            show(f"{target.name:<22}{row(connections, figures)}")
            results.append({"program": target.name, "connections": connections} | rounded(figures))
    for connections, found in ratios.items():
        ours, theirs = typical(product.windows[connections]), typical(bare.windows[connections])
        by_cpu = theirs.cpu_us / ours.cpu_us if ours.cpu_us else 0
        show(f"product / bare at {connections:>2} connections: {found:.2f} by requests/s, {by_cpu:.2f} by CPU a lead")
    show(f"memory after {memory['posts']} posts: {memory['worker_mb']} MB, a figure for each worker process")
    line = {
        "bench": "intake",
        "seconds": asked.seconds,
        "rounds": asked.rounds,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "results": results,
        "ratio": {str(connections): round(found, 3) for connections, found in ratios.items()},
        "memory": memory,
    }
    print(json.dumps(line))
    return 1 if any(each["errors"] for each in results) else 0


HEAD = f"{'conns':>6}{'req/s':>9}{'p50 ms':>9}{'p99 ms':>9}{'errors':>8}{'app µs':>9}{'pg µs':>9}"


def row(connections: int, window: Window) -> str:
    """One line of the table."""
    rates = f"{window.per_second:>9.0f}{window.p50_ms:>9.1f}{window.p99_ms:>9.1f}{window.errors:>8}"
    return f"{connections:>6}{rates}{window.app_us:>9.0f}{window.pg_us:>9.0f}"


def rounded(window: Window) -> dict[str, float]:
    """The figures as they go into JSON."""
    return {name: round(value, 2) for name, value in asdict(window).items()}


def show(line: str) -> None:
    """Prints at once: a run takes minutes."""
    print(line, flush=True)
