"""Clients that send slowly, or nothing: they hold up nobody, are ended in time, and leave nothing behind."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from server.config import Settings
from server.lib.front import HELD_MOST
from tests.conftest import new_settings
from tests.faults.place import Place, serving, until, web_processes
from tests.faults.volley import lead_request
from tests.raw import Wire, ask, request

MANY = 200
# Seconds that the server gives a body here, and that anybody else's post may take on a busy machine. It would take
# longer than a body may, were there no thread for it.
BODY_SECONDS = 14
GENEROUS = 10.0
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def place(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    settings: Settings = new_settings(database, request, tmp_path)
    with serving(settings, HANDRAISER_BODY_SECONDS=str(BODY_SECONDS)) as place:
        yield place


def started(place: Place, content: bytes, stack: ExitStack) -> list[Wire]:
    """Connections that have sent the beginning of a request."""
    wires = [stack.enter_context(Wire(place.live.port)) for _ in range(MANY)]
    for wire in wires:
        wire.send(content)
    return wires


def slowest_post(place: Place, drip: Sequence[Wire]) -> float:
    """Posts for as long as a body may take, while others send a byte a second; the seconds of the slowest."""
    slowest = 0.0
    end = time.monotonic() + BODY_SECONDS - 3
    number = 0
    while (began := time.monotonic()) < end:
        for wire in drip:
            wire.send(b"x")
        number += 1
        answer = ask(place.live.port, lead_request(place.account.schedule_token, caller_id=f"+1303555{number:04}"))
        assert answer.status == 200, answer.json
        slowest = max(slowest, time.monotonic() - began)
        time.sleep(max(0.0, began + 1 - time.monotonic()))
    assert len(place.account.leads()) == number
    return slowest


def end_of(wire: Wire) -> int:
    """The status with which a slow connection was ended; 0 if it was only closed."""
    try:
        status = wire.read().status
        assert wire.file.read() == b""
    except ConnectionError:
        return 0
    return status


def test_600_slow_clients_stop_nobody_and_are_ended_in_time(place: Place) -> None:
    head = request("POST", f"/api/v1/leads?lead_token={place.account.schedule_token}", FORM | {"Content-Length": "90"})
    with ExitStack() as stack:
        unfinished = started(place, head[:-2], stack)
        silent = started(place, head, stack)
        drip = started(place, head + b"caller_id=", stack)
        assert slowest_post(place, drip) < GENEROUS
        for wire in [*unfinished, *silent, *drip]:
            wire.socket.settimeout(60)
        assert {end_of(wire) for wire in silent} <= {408, 0}
        assert {end_of(wire) for wire in drip} <= {408, 0}
        assert {end_of(wire) for wire in unfinished} <= {408, 0}
    # What did not come whole is nothing: no lead, and no submission either.
    leads = len(place.account.leads())
    assert len(place.account.rows("select id from submission")) == leads
    # Their threads and connections are free again.
    until(lambda: all(open_connections(worker) < MANY for worker in web_processes(place.live)))


def open_connections(process: int) -> int:
    links = list(Path(f"/proc/{process}/fd").iterdir())
    return len([link for link in links if link.exists() is False or "socket" in str(link.readlink())])


def test_who_is_late_is_told_so(place: Place) -> None:
    head = request("POST", "/api/v1/leads", FORM | {"Content-Length": "90"})
    with Wire(place.live.port) as wire:
        began = time.monotonic()
        wire.send(head)
        wire.socket.settimeout(60)
        answer = wire.read()
        assert (answer.status, answer.json["code"]) == (408, "too_slow")
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert time.monotonic() - began > BODY_SECONDS - 1
        # The connection ends with it, although the body may still come: a thread waits for its end.
        assert wire.file.read() == b""


def test_a_body_that_takes_its_time_is_taken(place: Place) -> None:
    content = lead_request(place.account.schedule_token, caller_id="+13035550199")
    with Wire(place.live.port) as wire:
        for start in range(0, len(content), 100):
            wire.send(content[start : start + 100])
            time.sleep(0.5)
        assert wire.read().status == 200


def test_many_long_bodies_that_never_end_fill_no_memory(place: Place) -> None:
    length = 8 * 1024 * 1024
    head = request("POST", "/api/v1/leads/batch", {"Content-Type": "application/json", "Content-Length": str(length)})
    before = max(map(resident, web_processes(place.live)))
    with ExitStack() as stack:
        wires = [stack.enter_context(Wire(place.live.port)) for _ in range(24)]
        for wire in wires:
            wire.socket.settimeout(3)
            with_patience(wire, head + b" " * (length - 1))
        grown = max(map(resident, web_processes(place.live))) - before
        # The bodies, what the kernel gave granian meanwhile, and one that was put together.
        assert grown < 2.5 * HELD_MOST
        post = lead_request(place.account.schedule_token, caller_id="+13035550198")
        assert ask(place.live.port, post).status == 200


def with_patience(wire: Wire, content: bytes) -> None:
    """Sends it, as far as it is taken."""
    try:
        wire.send(content)
    except TimeoutError:
        return


def resident(process: int) -> int:
    """Bytes of memory that a process holds."""
    [line] = [line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) * 1024
