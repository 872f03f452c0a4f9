"""A customer's web site: pages and scripts on an origin that is not the API's."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qsl

PAGES = Path(__file__).parent / "pages"
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8"}


@dataclass
class Host:
    """What it serves, each file under its path, and what was posted to it: in which fetch mode, and what."""

    port: int = 0
    files: dict[str, bytes] = field(default_factory=dict)
    posts: list[tuple[str, bytes]] = field(default_factory=list)
    # What a file is sent with beside its type, by its path.
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    # What forms have posted to it, as the path and the fields.
    posted: list[tuple[str, list[tuple[str, str]]]] = field(default_factory=list)

    @property
    def origin(self) -> str:
        """The origin of its pages."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def other_name(self) -> str:
        """Another origin with the same pages: a browser goes by the name, not by the address behind it."""
        return f"http://localhost:{self.port}"

    def put(self, path: str, content: bytes, headers: Mapping[str, str] | None = None) -> str:
        """Serves a file, with further headers; its address."""
        self.files[path] = content
        self.headers[path] = dict(headers or {})
        return self.origin + path

    def page(self, path: str, changes: Mapping[str, str]) -> str:
        """Serves the page of that name from our folder with some of its texts changed; its address."""
        text = (PAGES / path.rpartition("/")[2]).read_text(encoding="utf-8")
        for old, new in changes.items():
            text = text.replace(old, new)
        return self.put(path, text.encode())


class Handler(BaseHTTPRequestHandler):
    """Answers with the file, says nothing else."""

    def __init__(self, host: Host, *arguments: object) -> None:
        self.host = host
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        content = self.host.files.get(path)
        self.send_response(HTTPStatus.NOT_FOUND if content is None else HTTPStatus.OK)
        self.send_header("Content-Type", TYPES.get(Path(path).suffix, "text/plain"))
        self.send_header("Content-Length", str(len(content or b"")))
        for name, value in self.host.headers.get(path, {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content or b"")

    def do_POST(self) -> None:
        """Keeps what came; where no file is, nothing can be taken."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.host.posts.append((self.headers["Sec-Fetch-Mode"], body))
        self.host.posted.append((self.path, parse_qsl(body.decode(), keep_blank_values=True)))
        if self.path.partition("?")[0] in self.host.files:
            self.do_GET()
            return
        self.send_response(HTTPStatus.SERVICE_UNAVAILABLE)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: pytest shows what matters."""


@contextmanager
def running_host() -> Iterator[Host]:
    """A web site on a free port, stopped at the end."""
    host = Host()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, host)) as server:
        host.port = server.server_port
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield host
        finally:
            server.shutdown()
            thread.join()
