"""The product as its users run it: the real server in processes of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from server.config import PROJECT, Settings

# Seconds that a start may take on a busy machine.
PATIENCE = 30.0


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Live:
    """A server: its address, and its process group, which can be stopped or killed."""

    settings: Settings
    port: int
    log: Path
    more: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def text(self) -> str:
        """All that it has printed."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def start(self) -> None:
        """Starts it in a process group of its own and waits until it can write."""
        environ = os.environ | {
            "HANDRAISER_DATA_DIR": str(self.settings.data_dir),
            "DATABASE_URL": self.settings.database_url,
            "HANDRAISER_PORT": str(self.port),
            "HANDRAISER_ADDRESS_LIMIT": str(self.settings.address_limit),
            "HANDRAISER_NUMBER_LIMIT": str(self.settings.number_limit),
            "HANDRAISER_TOKEN_LIMIT": str(self.settings.token_limit),
            "HANDRAISER_GUESS_LIMIT": str(self.settings.guess_limit),
            "HANDRAISER_STOP_LIMIT": str(self.settings.stop_limit),
            "HANDRAISER_REFUSED_ROWS": str(self.settings.refused_rows),
            "HANDRAISER_REFUSED_KILOBYTES": str(self.settings.refused_kilobytes),
            **self.more,
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "server.serve"],
                cwd=PROJECT,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start:\n{self.text}")
            time.sleep(0.05)

    def ready(self) -> bool:
        """Whether it takes writes."""
        with suppress(httpx.HTTPError):
            # Without TLS: its context costs 30 ms of the very processor that the start waits for.
            return httpx.get(f"{self.url}/readyz", timeout=2, verify=False).status_code == 200
        return False

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Sends the signal to the group (SIGTERM: to the parent, as a supervisor does) and waits for the end."""
        process = self.process
        if process is None:
            return 0
        if how is signal.SIGTERM:
            process.send_signal(how)
        else:
            os.killpg(process.pid, how)
        code = process.wait(timeout=60)
        self.process = None
        return code

    def post(self, path: str = "/api/v1/leads", **how: Any) -> httpx.Response:
        """One request."""
        return httpx.post(self.url + path, timeout=30, **how)


@contextmanager
def running_server(settings: Settings, **more: str) -> Iterator[Live]:
    """A server on a free port, stopped at the end; `more` is added to its environment."""
    live = Live(settings, free_port(), settings.data_dir / f"serve-{os.urandom(4).hex()}.log", more)
    live.start()
    try:
        yield live
    finally:
        live.end(signal.SIGKILL)
