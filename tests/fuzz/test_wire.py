"""Mutated requests, many of them: the reader stays within its promises, its memory and its time."""

import random as system
import resource
import sys
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from types import CodeType, FrameType
from typing import Any

import pytest

from server.lib import wire
from tests.fuzz.mutation import LARGE, Message, corpus, mutated
from tests.fuzz.properties import judge, read

EXECUTIONS, LONG = 2_500, 1_000_000
# Every so often one is traced, and one is measured.
TRACED, MEASURED = 8, 50
# One request of 256 KB takes some milliseconds; pathological would be minutes.
MOST_SECONDS = 5.0
# Of a request's memory: what reading takes anyway, and what a byte of it becomes at most.
FIXED_BYTES, BYTES_OF_BYTE = 400_000, 200
# What the process may grow by in the run: the corpus, and the largest request.
MOST_GROWTH = 200 * 1024 * 1024

WIRE = Path(wire.__file__).parent


class Coverage:
    """Which line of the reader came after which."""

    def __init__(self) -> None:
        self.arcs: set[tuple[str, int, int]] = set()
        self.last = 0

    def reaches_more(self, message: Message) -> bool:
        """Whether a message goes a way through the reader that none has gone before."""
        before, outer, self.last = len(self.arcs), sys.gettrace(), 0
        sys.settrace(self.enter)
        try:
            read(message)
        finally:
            sys.settrace(outer)
        return len(self.arcs) > before

    def enter(self, frame: FrameType, event: str, argument: Any) -> Any:
        """Follows the reader's own functions only."""
        return self.step if Path(frame.f_code.co_filename).parent == WIRE else None

    def step(self, frame: FrameType, event: str, argument: Any) -> Any:
        """Notes a line."""
        if event == "line":
            self.arcs.add((frame.f_code.co_filename, self.last, frame.f_lineno))
            self.last = frame.f_lineno
        return self.step

    def lines(self) -> str:
        """How much of the functions' lines was reached."""
        all_lines = lines_of_functions()
        reached = {(file, line) for file, _, line in self.arcs} & all_lines
        return f"{len(reached)} of {len(all_lines)} lines, {len(self.arcs)} arcs"


def lines_of_functions() -> set[tuple[str, int]]:
    """The lines within functions, each with its file: what a request can reach."""
    return {
        (str(path), line)
        for path in WIRE.glob("*.py")
        for line in inner_lines(compile(path.read_text(encoding="utf-8"), str(path), "exec"))
    }


def inner_lines(code: CodeType) -> Iterator[int]:
    """The lines of the functions in a piece of code, each without that of its `def`."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if not constant.co_flags & 0x2:  # A class has no local variables of its own.
                yield from inner_lines(constant)
                continue
            yield from (line for _, _, line in constant.co_lines() if line and line != constant.co_firstlineno)
            yield from inner_lines(constant)


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """The seed of the run."""
    asked = request.config.getoption("--hypothesis-seed", None)
    return system.SystemRandom().randrange(2**32) if asked in (None, "random") else int(asked)


def test_whatever_is_sent_is_read_or_refused(long: bool, seed: int, told: list[str]) -> None:
    random, known, coverage = Random(seed), corpus(), Coverage()
    for message in known:
        coverage.reaches_more(message)
        judge(message)
    began, grown, slowest = time.process_time(), peak_rss(), 0.0
    executions = LONG if long else EXECUTIONS
    for number in range(executions):
        message = mutated(random.choice(known), known, random)
        with blamed(message, seed):
            slowest = max(slowest, timed(message))
            large = message.size > LARGE // 8
            if large or number % MEASURED == 0:
                judge_memory(message)
            if (large or number % TRACED == 0) and coverage.reaches_more(message) and message.size < 8192:
                known.append(message)
    growth = peak_rss() - grown
    told += [
        f"{executions:,} executions in {time.process_time() - began:.0f} s of CPU, seed {seed}",
        f"corpus {len(known)}, {coverage.lines()}",
        f"slowest {slowest * 1000:.0f} ms, process grown by {growth / 1024 / 1024:.0f} MB",
    ]
    assert growth < MOST_GROWTH


@contextmanager
def blamed(message: Message, seed: int) -> Iterator[None]:
    """Names the message that does what must not be."""
    try:
        yield
    except Exception as error:
        raise AssertionError(f"{error!r} by {message!r:.3000}, seed {seed}") from error


def timed(message: Message) -> float:
    """Judges one message; its time in seconds of this process."""
    began = time.process_time()
    judge(message)
    seconds = time.process_time() - began
    assert seconds < MOST_SECONDS, f"took {seconds:.1f} s"
    return seconds


def judge_memory(message: Message) -> None:
    """What reading takes at most is in proportion to what was sent."""
    tracemalloc.start()
    try:
        read(message)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < FIXED_BYTES + BYTES_OF_BYTE * message.size, f"takes {peak:,} bytes for {message.size:,}"


def peak_rss() -> int:
    """The most memory that this process has had, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
