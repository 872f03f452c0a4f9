"""The front: a request takes a turn when its body has arrived whole, and is given up when that takes too long.

granian calls us in a thread of its own for each request, which may wait for a body as long as the client likes. There
are many such threads and they cost next to nothing while they wait; only so many as there are turns do work.
"""

import threading
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from io import BytesIO
from typing import Any

from server.lib.sockets import Marked
from server.lib.turns import Request, Turns

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]
Environ = dict[str, Any]

# What tells the application, in `environ`, that the body did not come in time.
LATE = "handraiser.late"
# Bodies may wait in so many threads of a process; the oldest are given up beyond a part of that.
THREADS = 512
CROWDED = 384
# A body is read in such pieces; each that has come gives it one more second.
PIECE = 64 * 1024
# Bodies longer than this are large. All bodies that wait may hold so much; beyond it the oldest large ones are given
# up.
LARGE = 256 * 1024
HELD_MOST = 64 * 1024 * 1024
# Nobody is given up in the first second, however many wait.
LEAST_PATIENCE = 1.0
TICK = 0.5
# The length, head and all, of the answer to who is late: longer than any other error, and a prime.
ANSWER_BYTES = 4099
# What granian adds to every head.
ADDED = "server: granian\r\ndate: Tue, 01 Dec 2026 00:00:00 GMT\r\n"


class Broken(BytesIO):
    """The stream of a body whose connection broke: what came, then the error."""

    def read(self, size: int | None = -1, /) -> bytes:
        """What came; raises OSError at its end."""
        came = super().read(size)
        if not came:
            raise ConnectionResetError("the connection broke")
        return came


@dataclass(slots=True, eq=False)
class Arrival:
    """A request whose body is on its way."""

    protocol: Any
    environ: Environ
    began: float
    pieces: list[bytes] = field(default_factory=list)
    size: int = 0

    def deadline(self, patience: float) -> float:
        """Until when it may go on."""
        return self.began + patience + self.size / PIECE


class Answer:
    """WSGI's start_response."""

    __slots__ = ("headers", "status")

    def __call__(self, status: str, headers: list[tuple[str, str]], error: Any = None) -> None:
        self.status = int(status[:3])
        self.headers = headers


# The answer where the application itself fails, which says in its own words whatever it can.
FAILED = Answer()
FAILED("500 Internal Server Error", [])


class Front:
    """Calls the application for granian, which hands over its own object for the answer and what WSGI is told."""

    def __init__(self, app: Wsgi, turns: int, patience: float, longest: Callable[[str], int], base: Environ) -> None:
        self.app = app
        self.turns = Turns(turns)
        self.patience = patience
        self.longest = longest
        self.base = base
        self.arriving: set[Arrival] = set()
        self.hurry = threading.Event()

    def __call__(self, protocol: Any, scope: Environ) -> None:
        """Waits for the body, then takes a turn or leaves the request to who has one."""
        environ = self.base | scope
        length = environ.get("CONTENT_LENGTH", "0")
        longest = self.longest(environ["PATH_INFO"])
        has_body = length != "0" or "HTTP_TRANSFER_ENCODING" in environ
        if has_body and not self.receive(protocol, environ, length, longest):
            return
        request = Request(protocol, environ, longest > LARGE)
        if self.turns.take(request):
            self.work(request)

    def work(self, request: Request | None) -> None:
        """Answers this request, and after it those that became ready meanwhile: nobody need be woken for them."""
        while request is not None:
            try:
                send(request.protocol, *self.ask(request.environ))
            except Exception:
                traceback.print_exc()
                send(request.protocol, FAILED, b"")
            request = self.turns.pass_on(request)

    def ask(self, environ: Environ) -> tuple[Answer, bytes]:
        """What the application says."""
        answer = Answer()
        content = self.app(environ, answer)
        try:
            return answer, b"".join(content)
        finally:
            if hasattr(content, "close"):
                content.close()

    # The bodies

    def receive(self, protocol: Any, environ: Environ, length: str, longest: int) -> bool:
        """Puts the whole body in place of its stream; False if it was given up meanwhile."""
        arrival = Arrival(protocol, environ, time.monotonic())
        self.arriving.add(arrival)
        stream = BytesIO
        try:
            self.read(arrival, length, longest + 1)
        except OSError:
            stream = Broken
        try:
            self.arriving.remove(arrival)
        except KeyError:
            return False
        environ["wsgi.input"] = stream(b"".join(arrival.pieces))
        return True

    def read(self, arrival: Arrival, length: str, longest: int) -> None:
        """Reads until the end, or so many bytes: one more than the longest body that the application takes."""
        # Digits without end are refused by int(); eighteen are over any limit.
        told = int(length[:18]) if length.isdigit() else longest
        left = min(told if "HTTP_TRANSFER_ENCODING" not in arrival.environ else longest, longest)
        read = arrival.environ["wsgi.input"].read
        while left > 0 and arrival in self.arriving and (piece := read(min(left, PIECE))):
            arrival.pieces.append(piece)
            arrival.size += len(piece)
            left -= len(piece)
            if arrival.size > LARGE and self.is_full():
                self.hurry.set()
                time.sleep(TICK / 10)

    def is_full(self) -> bool:
        """Whether the bodies that wait hold more than they may."""
        return sum(arrival.size for arrival in list(self.arriving)) > HELD_MOST

    # The late ones

    def watch(self) -> None:
        """Gives up who is late, for ever. A tick later it ends their connections, which frees their threads."""
        answered: list[Marked] = []
        while True:
            self.hurry.wait(TICK)
            self.hurry.clear()
            for marked in answered:
                marked.hang_up()
            answered = [marked for marked in answered if marked.left]
            late = self.late_ones(time.monotonic())
            if late:
                answered.append(self.give_up(late))

    def late_ones(self, now: float) -> list[Arrival]:
        """Those past their deadline, and beyond what a process has room for the oldest."""
        waiting = sorted(list(self.arriving), key=lambda arrival: arrival.began)
        late = [arrival for arrival in waiting if arrival.deadline(self.patience) < now]
        excess = len(waiting) - CROWDED
        old = [arrival for arrival in waiting if arrival.began + LEAST_PATIENCE < now]
        late += old[: max(0, excess)]
        held = sum(arrival.size for arrival in waiting)
        for arrival in waiting:
            if held > HELD_MOST and arrival.size > LARGE:
                late.append(arrival)
                held -= arrival.size
        return list(dict.fromkeys(late))

    def give_up(self, late: list[Arrival]) -> Marked:
        """Answers that they are late.

        A thread that reads a body is freed by nothing but the end of its connection, and granian does not tell which
        one that is. But it is one on which an answer goes out of a length that nothing else has.
        """
        marked = Marked(ANSWER_BYTES)
        for arrival in late:
            try:
                self.arriving.remove(arrival)
            except KeyError:
                continue  # It came just now.
            arrival.pieces.clear()
            arrival.environ |= {LATE: True, "wsgi.input": BytesIO()}
            answer, content = self.ask(arrival.environ)
            answer.headers = [pair for pair in answer.headers if pair[0].lower() != "content-length"]
            answer.headers += [("Connection", "close"), ("Content-Length", "0000")]
            content = content.ljust(ANSWER_BYTES - head_bytes(answer))
            answer.headers[-1] = ("Content-Length", str(len(content)))
            send(arrival.protocol, answer, content)
            marked.left += 1
        return marked


def head_bytes(answer: Answer) -> int:
    """How many bytes granian makes of an answer's head."""
    line = f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\n"
    return len(line + ADDED + "\r\n") + sum(len(name) + len(value) + 4 for name, value in answer.headers)


def send(protocol: Any, answer: Answer, content: bytes) -> None:
    """Hands the whole answer over."""
    protocol.response_bytes(answer.status, answer.headers, content)
