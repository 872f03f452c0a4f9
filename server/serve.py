"""The start: settings, what has to be done before the first request, then the web server."""

import argparse
import gc
import os
import signal
import socket
import sys
from importlib import import_module
from multiprocessing import Process
from types import FrameType

from server.config import PROJECT, Settings, from_environment
from server.errors import SettingError
from server.lib import web_server
from server.lib.wire import LIMITS

# Seconds that requests in flight are given to end after SIGTERM.
GRACE = 30
# Bytes of the longest body that a path takes whose last name this is; the application says which are too long.
LONGEST_BODIES = {"batch": 8 * 1024 * 1024, "suppression": 1024 * 1024}


def main() -> None:
    """Runs the product until it is told to stop."""
    signal.signal(signal.SIGTERM, stop)
    parser = argparse.ArgumentParser(prog="dev serve", description="Runs Handraiser.")
    parser.add_argument("--host", help="The address to listen on; HANDRAISER_HOST says the same.")
    parser.add_argument("--port", help="The port to listen on; HANDRAISER_PORT says the same.")
    asked = parser.parse_args()
    for name in ("host", "port"):
        if getattr(asked, name) is not None:
            os.environ[f"HANDRAISER_{name.upper()}"] = getattr(asked, name)
    try:
        settings = from_environment()
        try_address(settings.host, settings.port)
    except SettingError as error:
        sys.exit(f"Handraiser cannot start. {error}")
    load_and_prepare(settings)
    os.chdir(PROJECT)
    # A web process inherits granian's handler, which would sleep through a SIGTERM that comes before its own is there.
    os.register_at_fork(after_in_child=end_at_once)
    web_server.serve(
        "wsgi:app",
        host=settings.host,
        port=settings.port,
        workers=settings.worker_count,
        turns=settings.thread_count,
        patience=settings.body_seconds,
        longest=longest_body,
        grace=GRACE,
    )


def longest_body(path: str) -> int:
    """How many bytes of a body may have any meaning to the application."""
    return LONGEST_BODIES.get(path.rstrip("/").rpartition("/")[2].removesuffix(".json"), LIMITS.body_bytes)


def stop(number: int, frame: FrameType | None) -> None:
    """SIGTERM before there is a web server: ends at once, and who prepares with it."""
    sys.exit(0)


def end_at_once() -> None:
    """Lets SIGTERM end this process, in which nothing is in flight yet."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def try_address(host: str, port: int) -> None:
    """Raises SettingError if nobody can listen there; granian would say so with a long stack trace."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            problem = f"Nobody can listen on {host}, port {port}: {error.strerror}."
            raise SettingError(f"{problem} Set another --host or --port.") from error


def load_and_prepare(settings: Settings) -> None:
    """Loads the application once for all processes, which are forked from this one, and has one of them prepare the
    database: what only that needs ends with it, and this one never has a connection that others would share."""
    if settings.shares_metrics:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(settings.metrics_folder)
    # What is loaded stays: the collector would look through it again and again, and later copy it in each process.
    gc.disable()
    import_module("server.app")  # Not above: Prometheus looks at the environment when it is imported.
    if not settings.on_sqlite:
        import_module("server.lib.postgres_ledger")
    gc.freeze()
    gc.enable()
    preparing = Process(target=prepare, args=(settings,), daemon=True)
    preparing.start()
    preparing.join()
    if preparing.exitcode:
        sys.exit(1)


def prepare(settings: Settings) -> None:
    """What the process does that prepares."""
    from server.prepare import prepare_database  # noqa: PLC0415 - Alembic ends with this process

    prepare_database(settings)


if __name__ == "__main__":
    main()
