"""granian, as we run it: bodies are awaited before the application, and a web process that dies is always replaced."""

import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import granian.server.mp as granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from server.lib.front import THREADS, Front

# Seconds that a request's headers may take, and a connection on which nothing is asked may stay.
HEADERS = 15
# Connections that a process holds at once; further ones wait in the kernel.
CONNECTIONS = 1024
# A successor that dies within so many seconds is replaced after a while: twice as long each time, up to a most.
YOUNG = 5.5
SHORTEST_WAIT, LONGEST_WAIT = 0.1, 5.0


# What WSGI is told of the server.
BASE = {
    "SCRIPT_NAME": "",
    "SERVER_SOFTWARE": "granian",
    "wsgi.errors": sys.stderr,
    # Werkzeug's own: the stream ends where the body does.
    "wsgi.input_terminated": True,
    "wsgi.multiprocess": False,
    "wsgi.multithread": True,
    "wsgi.run_once": False,
    "wsgi.version": (1, 0),
}


class WebServer(granian.MPServer):
    """granian's own server, which would end all when a successor dies young."""

    waits: float = 0.0

    def _spawn_worker(self, idx: int, target: Any, callback_loader: Any) -> Any:  # type: ignore[override]
        return super()._spawn_worker(idx, target, partial(load_on_core, idx, callback_loader))

    def _respawn_workers(self, workers: list[int], spawn_target: Any, target_loader: Any, delay: float = 0) -> None:
        young = any(time.monotonic() - self.wrks[index].birth < YOUNG for index in workers)
        self.waits = min(max(SHORTEST_WAIT, self.waits * 2), LONGEST_WAIT) if young else 0.0
        self.main_loop_interrupt.wait(self.waits)
        super()._respawn_workers(workers, spawn_target, target_loader, delay)
        # By this it would know that one of them dies again too soon.
        self.respawned_wrks.clear()


def serve(
    target: str,
    *,
    host: str,
    port: int,
    workers: int,
    turns: int,
    patience: float,
    longest: Callable[[str], int],
    grace: int,
) -> None:
    """Runs until it is told to stop.

    `turns`: how many requests a process works on at once. `patience`: seconds that a body may take, and one more for
    each 64 KB. `longest`: bytes of the longest body that a path takes. `grace`: seconds that requests in flight are
    given at the end.
    """
    open_many_files()
    WebServer(
        target,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        workers=workers,
        blocking_threads=THREADS,
        backpressure=CONNECTIONS,
        http1_settings=HTTP1Settings(header_read_timeout=HEADERS * 1000),
        workers_kill_timeout=grace,
        respawn_failed_workers=True,
        log_level=LogLevels.error,
    ).serve(target_loader=partial(load_front, target, turns, patience, longest), wrap_loader=False)


def open_many_files() -> None:
    """Lets each process hold its connections and the files besides; by default many systems allow 1,024 in all."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 4 * CONNECTIONS if hard == resource.RLIM_INFINITY else min(4 * CONNECTIONS, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def load_on_core(place: int, load: Callable[[], Front]) -> Front:
    """Bind this web process to one core, then load the application in it. Only one of its threads runs at a time, and
    waking the next one on the same core saves an eighth of a lead's processor time (decision 38)."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        # From the parent's number on, so that several servers do not all begin with the first core.
        os.sched_setaffinity(0, {cores[(os.getppid() + place) % len(cores)]})
    return load()


def load_front(target: str, turns: int, patience: float, longest: Callable[[str], int]) -> Front:
    """Loads the application in a web process, and puts a front before it in place of what granian would."""
    module, _, name = target.partition(":")
    front = Front(getattr(import_module(module), name), turns, patience, longest, BASE)
    threading.Thread(target=front.watch, name="late bodies", daemon=True).start()
    granian._wsgi_call_wrap = lambda app, *_: app  # type: ignore[attr-defined]
    return front
