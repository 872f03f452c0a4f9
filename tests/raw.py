"""A tiny HTTP client on a bare socket: what a test wrote goes out byte for byte, and the answer is read whole."""

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

    def ask(self, content: bytes) -> Answer:
        """One request and its answer."""
        self.send(content)
        return self.read(bare=content.startswith(b"HEAD "))

    def send(self, content: bytes) -> None:
        """Sends bytes, as far as the server takes them: one that has answered already may hang up."""
        try:
            self.socket.sendall(content)
        except (BrokenPipeError, ConnectionResetError):
            return

    def end(self) -> None:
        """Says that nothing more comes, as a connection that breaks does; an answer can still be read."""
        self.socket.shutdown(socket.SHUT_WR)

    def read(self, bare: bool = False) -> Answer:
        """The next answer, which is `bare` without a body; raises TimeoutError when the server hangs, ConnectionError
        when it hung up."""
        status_line = self.file.readline()
        if not status_line:
            raise ConnectionError("the server hung up without an answer")
        status = int(status_line.split()[1])
        headers = http.client.parse_headers(self.file)
        length = 0 if bare or status < 200 else int(headers.get("Content-Length") or 0)
        return Answer(status, headers, self.file.read(length))


def ask(port: int, content: bytes) -> Answer:
    """One request on a connection of its own."""
    with Wire(port) as wire:
        return wire.ask(content)


def request(
    method: str,
    target: str,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    body: bytes | None = None,
) -> bytes:
    """The bytes of a request. Where there is a body, be it empty, its length is announced unless a header tells it.

    Text goes out in UTF-8; a byte that is none is written as Python's surrogate escape, such as `\\udcff`.
    """
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
    told = {name.lower() for name, _ in pairs}
    if body is not None and not told & {"content-length", "transfer-encoding"}:
        pairs.append(("Content-Length", str(len(body))))
    if "host" not in told:
        pairs.insert(0, ("Host", "127.0.0.1"))
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in pairs), "", ""]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + (body or b"")


def chunks(body: bytes, size: int) -> bytes:
    """A body as `Transfer-Encoding: chunked` carries it, in pieces of that size."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in [*pieces, b""])


def preflight(target: str, wanted: str) -> bytes:
    """The question of a browser whether a page may POST there with these headers, also into a private network."""
    headers = {
        "Origin": "https://page.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": wanted,
        "Access-Control-Request-Private-Network": "true",
    }
    return request("OPTIONS", target, headers)


def listed(header: str) -> set[str]:
    """The words of a header that is a list, in small letters."""
    return {word.strip().lower() for word in header.split(",")}


def permits(answer: Answer, wanted: str) -> None:
    """The answer to a preflight lets any page POST a lead with these headers and with credentials, and no more."""
    assert answer.status == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "https://page.example"
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert "origin" in listed(answer.headers["Vary"])
    assert "post" in listed(answer.headers["Access-Control-Allow-Methods"])
    assert listed(answer.headers["Access-Control-Allow-Headers"]) >= listed(wanted)
    # No page of the world reaches into a private network through us.
    assert "Access-Control-Allow-Private-Network" not in answer.headers


def understood(answer: Answer) -> dict[str, Any]:
    """The answer as the clients out there read it, whatever its status; fails where one of them would break."""
    assert "application/json" in answer.headers["Content-Type"]
    # A browser takes an answer to a request with credentials only where the page is named.
    page, credentials = (answer.headers[f"Access-Control-Allow-{name}"] for name in ("Origin", "Credentials"))
    assert (page == "*") is (credentials is None)
    assert page == "*" or "origin" in listed(answer.headers["Vary"])
    exposed = listed(answer.headers["Access-Control-Expose-Headers"])
    assert exposed == {"retry-after", "idempotent-replayed", "x-request-id"}
    content = answer.json
    assert isinstance(content, dict), f"no JSON object: {content!r}"
    assert content["success"] is (answer.status == 200)
    assert content["status"] == answer.status
    assert content["metadata"]["request_id"] == answer.headers["X-Request-Id"] != ""
    # Object.values(errors).flat().join(", ")
    shown = ", ".join([text for texts in content["errors"].values() for text in texts])
    if content["success"]:
        assert shown == ""
        assert content["lead"]["id"] == content["lead_id"] != ""
    else:
        assert shown or answer.status != 422, "a refusal that shows nothing"
        assert content["message"]
        assert "lead" not in content
    return content
