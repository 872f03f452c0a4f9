"""Turns: how many requests a process works on at once. Who finds none leaves its request to those who have one."""

import threading
from collections import deque
from typing import Any, NamedTuple


class Request(NamedTuple):
    """A request that has arrived whole. Of those that may be `long` one is worked on at a time: two would fight for the
    interpreter and hold the memory of both, and no thread may wait that others need."""

    protocol: Any
    environ: dict[str, Any]
    long: bool


class Turns:
    """So many at once; what comes beyond that waits in a queue, and no thread with it."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.lock = threading.Lock()
        self.busy = 0
        self.long_busy = False
        self.ready: deque[Request] = deque()
        self.ready_long: deque[Request] = deque()

    def take(self, request: Request) -> bool:
        """Whether it may be worked on now; otherwise it is queued."""
        with self.lock:
            if self.busy < self.most and not (request.long and self.long_busy):
                self.busy += 1
                self.long_busy = self.long_busy or request.long
                return True
            (self.ready_long if request.long else self.ready).append(request)
            return False

    def pass_on(self, done: Request) -> Request | None:
        """Ends a turn: the request that takes it over. After a long one it is another's turn, if there is one."""
        with self.lock:
            if done.long:
                self.long_busy = False
            if self.ready_long and not self.long_busy and not (done.long and self.ready):
                self.long_busy = True
                return self.ready_long.popleft()
            if self.ready:
                return self.ready.popleft()
            self.busy -= 1
            return None
