"""Leads a second over HTTP: the product beside a bare program on the same PostgreSQL, then the product on SQLite; one
lead a request, and in batches."""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median

import psycopg

from server.config import Settings, from_environment
from tests.bench.programs import PRODUCT, Target, app_seconds, pg_seconds, plain, postmaster_of, prepared, running
from tests.live import free_port
from tests.postgres import Postgres, running_postgres

SCRIPT = Path(__file__).with_name("leads.lua")
NO_WRK = "This benchmark needs wrk, which makes the load. On Debian and Ubuntu: apt install wrk"

# The number of connections that the aims are about, and on which the ratio rests.
HARDEST = 16
WARM_UP = 1
# How many leads a batch brings, and how many connections bring batches at once.
BATCH = 500
BATCHERS = 4
# More than one run can send: each has this many phone numbers to itself.
BLOCK = 500_000
# Seconds in which a program that has something to do stores a lead.
IDLE = 1
# Seconds between two looks at the memory.
STRETCH = 10


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


@dataclass(frozen=True)
class Run:
    """What is measured: a program, at so many connections, with so many leads a request."""

    name: str
    connections: int
    size: int = 1

    @property
    def title(self) -> str:
        """As the table calls it."""
        return f"{self.name}, batch" if self.size > 1 else self.name


# --- Measuring ------------------------------------------------------------------------------------------------------


class Bench:
    """Loads programs and keeps what it saw."""

    def __init__(self, seconds: int, postgres: Postgres) -> None:
        self.seconds = seconds
        self.postgres = postgres
        self.postmaster = postmaster_of(postgres)
        self.runs = 0
        self.windows: dict[Run, list[Window]] = {}

    def load(self, target: Target, connections: int, seconds: int, size: int = 1) -> dict[str, float]:
        """Sends leads with new numbers for so long; what wrk says of it."""
        self.runs += 1
        how = ["--threads=1", f"--connections={connections}", f"--duration={seconds}s", "--timeout=10s"]
        url = target.url if size == 1 else target.url.replace("/leads?", "/leads/batch?")
        command = ["wrk", *how, f"--script={SCRIPT}", url, "--", str(self.runs * BLOCK), str(size)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"wrk failed:\n{done.stdout}{done.stderr}")
        said: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        target.posts += int(said["requests"]) * size
        return said

    def measure(self, target: Target, connections: int, size: int = 1) -> None:
        """One window of load, after a short one that warms up."""
        run = Run(target.name, connections, size)
        self.load(target, connections, WARM_UP, size)
        wait_until_idle(target)
        self.checkpoint()
        stored, app, pg = target.stored(), app_seconds(target), pg_seconds(self.postmaster)
        said = self.load(target, connections, self.seconds, size)
        app, pg = app_seconds(target) - app, pg_seconds(self.postmaster) - pg
        leads, sent = target.stored() - stored, said["requests"] * size
        # wrk counts 4xx and 5xx; an answer of any other kind that made no lead is missing in the database. A batch
        # that is cut off at the end may have made its leads, so that there are more than were answered.
        errors = said["lost"] + max(said["refused"], sent - leads)
        window = Window(
            # What is under way when the time is up counts with what it has stored: a batch may be long.
            per_second=min(leads, sent + connections * size) / said["seconds"],
            p50_ms=said["p50_ms"],
            p99_ms=said["p99_ms"],
            errors=int(errors),
            app_us=app / max(leads, 1) * 1e6,
            pg_us=pg / max(leads, 1) * 1e6,
        )
        self.windows.setdefault(run, []).append(window)
        show(f"  {run.title:<26}{row(connections, window)}")
        if window.errors:
            show(f"  wrk said {said}, the database has {leads} more leads, the program's log ends with:")
            show("".join(f"    {line}\n" for line in target.complaints()[-5:]))

    def compare(self, target: Target) -> None:
        """One lead a request and many, by as few who send them."""
        self.measure(target, BATCHERS)
        self.measure(target, BATCHERS, BATCH)

    def checkpoint(self) -> None:
        """Has PostgreSQL write what it owes the disk now, rather than in the middle of a window."""
        with psycopg.connect(plain(self.postgres.url), autocommit=True) as connection:
            connection.execute("checkpoint")

    def remember(self, target: Target, posts: int) -> None:
        """Posts on until there were so many, with a look at the memory every few seconds."""
        target.note_memory()
        while target.posts < posts:
            self.load(target, HARDEST, STRETCH)
            target.note_memory()


def wait_until_idle(target: Target) -> None:
    """Waits until what wrk left under way is done, which would count for the next window."""
    before = -1
    while (now := target.stored()) != before:
        before = now
        time.sleep(IDLE)


def typical(windows: list[Window]) -> Window:
    """The median of each figure; the sum of the errors."""
    figures = {name: median(getattr(each, name) for each in windows) for name in asdict(windows[0])}
    return Window(**figures | {"errors": sum(each.errors for each in windows)})


def ratio(ours: list[Window], theirs: list[Window]) -> float:
    """One / the other: the median over rounds, each round against its own."""
    return median(one.per_second / other.per_second for one, other in zip(ours, theirs, strict=False))


# --- The run --------------------------------------------------------------------------------------------------------


def on_postgres(stack: ExitStack, bench: Bench, settings: Settings, leads: int) -> tuple[Target, Target]:
    """The bare program and the product, each with a database of its own on the same server."""
    targets = []
    for name in ("bare", "product"):
        own = replace(settings, database_url=bench.postgres.create_database(), port=free_port())
        account = stack.enter_context(prepared(own, leads))
        command = PRODUCT if name == "product" else [sys.executable, "-m", "granian", *bare_arguments(own)]
        targets.append(stack.enter_context(running(f"postgresql {name}", command, own, account)))
    return targets[0], targets[1]


def bare_arguments(settings: Settings) -> list[str]:
    """granian, with as many workers and threads as the product has."""
    options = {
        "interface": "wsgi",
        "http": "1",
        "host": settings.host,
        "port": settings.port,
        "workers": settings.worker_count,
        "blocking-threads": settings.thread_count,
        "log-level": "error",
    }
    return [*(f"--{name}={value}" for name, value in options.items()), "tests.bench.bare:app"]


def on_sqlite(stack: ExitStack, settings: Settings, leads: int) -> Target:
    """The product with a file."""
    own = replace(settings, database_url="", port=free_port())
    return stack.enter_context(running("sqlite product", PRODUCT, own, stack.enter_context(prepared(own, leads))))


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
            bare, product = on_postgres(programs, bench, settings, asked.leads)
            for connections in asked.connections:
                for place in range(rounds(asked.rounds, connections)):
                    bench.measure(bare, connections)
                    bench.measure(product, connections)
                    if in_batches(connections, place):
                        bench.compare(product)
            bench.remember(product, asked.posts)
        with ExitStack() as programs:
            sqlite = on_sqlite(programs, settings, asked.leads)
            for connections in asked.connections:
                for place in range(rounds(asked.rounds, connections)):
                    bench.measure(sqlite, connections)
                    if in_batches(connections, place):
                        bench.compare(sqlite)
            sqlite.note_memory()
    return report(bench, [product, sqlite], asked)


def options(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="./dev bench intake", description=__doc__)
    parser.add_argument("--seconds", type=int, default=4, help="how long each window is (%(default)s)")
    parser.add_argument("--rounds", type=int, default=9, help="windows at 16 connections (%(default)s)")
    parser.add_argument("--connections", type=numbers, default=[1, 16, 64], help="how many at once (1,16,64)")
    parser.add_argument("--leads", type=int, default=0, help="leads that are there already, such as 1000000")
    parser.add_argument(
        "--posts", type=int, default=0, help="post so often in all, memory being read on the way, such as 100000"
    )
    return parser.parse_args(arguments)


def numbers(text: str) -> list[int]:
    """`1,16,64`."""
    return [int(part) for part in text.split(",")]


def rounds(asked: int, connections: int) -> int:
    """The ratio rests on many rounds at 16 connections; of the rest fewer will do."""
    return asked if connections == HARDEST else min(asked, 3)


def in_batches(connections: int, place: int) -> bool:
    """Whether a round is measured in batches too."""
    return connections == HARDEST and place < 3


# --- What is printed ------------------------------------------------------------------------------------------------


def report(bench: Bench, targets: list[Target], asked: argparse.Namespace) -> int:
    """The table and the JSON line."""
    results = []
    show(f"\n{'medians':<28}{HEAD}")
    for run, windows in bench.windows.items():
        figures = typical(windows)
        show(f"{run.title:<28}{row(run.connections, figures)}")
        results.append({"program": run.title, "connections": run.connections} | rounded(figures))
    ratios = compare(bench, asked.connections)
    for name, (by_rate, by_cpu) in ratios.items():
        show(f"{name}: {by_rate:.2f} by leads/s, {by_cpu:.2f} by CPU a lead")
    for target in targets:
        read = ", ".join(f"{megabytes} MB after {posts}" for posts, megabytes in target.memory)
        show(f"memory of the largest process of {target.name}: {read} posts")
    line = {
        "bench": "intake",
        "seconds": asked.seconds,
        "rounds": asked.rounds,
        "leads": asked.leads,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "results": results,
        "ratio": {name: round(by_rate, 3) for name, (by_rate, _) in ratios.items()},
        "memory": {target.name: target.memory for target in targets},
    }
    print(json.dumps(line))
    return 1 if any(each["errors"] for each in results) else 0


def compare(bench: Bench, connections: list[int]) -> dict[str, tuple[float, float]]:
    """Ratios by leads a second and by CPU a lead: product to bare, and batches to single posts."""
    pairs = {
        f"postgresql product / bare at {each}": (Run("postgresql product", each), Run("postgresql bare", each))
        for each in connections
    }
    for name in ("postgresql product", "sqlite product"):
        for each in (BATCHERS, HARDEST):
            pairs[f"{name}: batches / single posts at {each}"] = (Run(name, BATCHERS, BATCH), Run(name, each))
    found = {}
    for name, (one, other) in pairs.items():
        if one in bench.windows and other in bench.windows:
            ours, theirs = bench.windows[one], bench.windows[other]
            found[name] = ratio(ours, theirs), typical(theirs).cpu_us / (typical(ours).cpu_us or 1)
    return found


HEAD = f"{'conns':>6}{'leads/s':>9}{'p50 ms':>9}{'p99 ms':>9}{'errors':>8}{'app µs':>9}{'pg µs':>9}"


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
