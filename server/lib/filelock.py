"""One lock for all threads of all processes that write the same file."""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Seconds after which whoever holds a lock is taken for stuck.
PATIENCE = 10.0


class FileLock:
    """An OS lock on a file beside the data. The kernel lets go of it when a process dies, however it dies."""

    def __init__(self, path: Path, patience: float = PATIENCE) -> None:
        self.path = path
        self.patience = patience
        self.threads = threading.Lock()
        self.descriptor: int | None = None

    def acquire(self) -> None:
        """Waits until nobody else holds it: first our own threads, then other processes; raises TimeoutError."""
        if not self.threads.acquire(timeout=self.patience):
            raise TimeoutError(f"{self.path} was locked for {self.patience} s")
        try:
            if self.descriptor is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self.descriptor, fcntl.LOCK_EX)
        except BaseException:
            self.threads.release()
            raise

    def release(self) -> None:
        """Lets the next one in."""
        if self.descriptor is not None:
            fcntl.flock(self.descriptor, fcntl.LOCK_UN)
        self.threads.release()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Holds it for a block."""
        self.acquire()
        try:
            yield
        finally:
            self.release()
