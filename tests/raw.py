"""A tiny HTTP client on a bare socket: what the test wrote goes out byte for byte, and an answer is read whole."""

import http.client
import json
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

# Seconds without a byte after which we say that the server hangs.
PATIENCE = 20.0


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as every client parses it."""
        return json.loads(self.body)


class Wire:
    """One connection."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.file = self.socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.file.close()
        self.socket.close()

    def send(self, content: bytes) -> None:
        """Sends bytes, as far as the server takes them: one that has answered already may hang up."""
        try:
            self.socket.sendall(content)
        except (BrokenPipeError, ConnectionResetError):
            return

    def read(self, method: str = "POST") -> Answer:
        """The next answer; raises TimeoutError when the server hangs, ConnectionError when it hung up."""
        status_line = self.file.readline()
        if not status_line:
            raise ConnectionError("the server hung up without an answer")
        status = int(status_line.split()[1])
        headers = http.client.parse_headers(self.file)
        bare = method == "HEAD" or status < 200 or status in (204, 304)
        body = b"" if bare else self.file.read(int(headers["Content-Length"]))
        return Answer(status, headers, body)


def request(
    method: str,
    target: str,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    body: bytes | None = None,
) -> bytes:
    """The bytes of a request. Its length is announced when there is a body, be it empty, unless a header tells."""
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
    sent = {name.lower() for name, _ in pairs}
    if body is not None and not sent & {"content-length", "transfer-encoding"}:
        pairs.append(("Content-Length", str(len(body))))
    if "host" not in sent:
        pairs.insert(0, ("Host", "127.0.0.1"))
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in pairs), "", ""]
    return "\r\n".join(lines).encode("latin-1") + (body or b"")


def chunks(body: bytes, size: int) -> bytes:
    """A body as `Transfer-Encoding: chunked` carries it, in pieces of that size."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in [*pieces, b""])


def exchange(port: int, content: bytes, method: str = "POST") -> Answer:
    """One request on a connection of its own."""
    with Wire(port) as wire:
        wire.send(content)
        return wire.read(method)
