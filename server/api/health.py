"""Whether the process lives and whether it can write."""

import time
from threading import Lock

from flask import Blueprint, Response, current_app, redirect, request
from werkzeug.wrappers import Response as WsgiResponse

from server.api.answers import json_answer
from server.lib.ledger import Ledger, Runner

blueprint = Blueprint("health", __name__)

# Writes one row as it is. A statement that meets no row would pass on a disk that is full or gone.
WRITABLE = "update alembic_version set version_num = version_num"


# Seconds for which everybody shares what one look has found.
SHARED = 0.5


class Readiness:
    """Whether the database takes writes. Who asks again and again, which needs no key, costs it two writes a second."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.until = 0.0
        self.problem: Exception | None = None

    def check(self, runner: Runner) -> None:
        """Raises what the last look has met. Who comes during a look waits for its end."""
        with self.lock:
            if self.until <= time.monotonic():
                self.problem = look(runner)
                self.until = time.monotonic() + SHARED
            if self.problem is not None:
                raise self.problem


def look(runner: Runner) -> Exception | None:
    """Writes a row, and tells what is in the way."""

    def write(ledger: Ledger) -> None:
        ledger.touch(WRITABLE)

    try:
        runner.run(write)
    except Exception as error:
        return error
    return None


DOCS = "/api/docs"
HERE = {"name": "Handraiser", "leads": "POST /api/v1/leads", "docs": DOCS, "health": "/healthz", "ready": "/readyz"}


@blueprint.get("/")
def index() -> WsgiResponse:
    """What answers here, for who opens the address that the start has printed; a person sees the docs."""
    person = request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"
    return redirect(DOCS) if person else json_answer(HERE)


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process answers."""
    return json_answer({"status": "ok"})


@blueprint.get("/readyz")
def readyz() -> Response:
    """The database takes writes; otherwise 503."""

    current_app.extensions["readiness"].check(current_app.extensions["ledger"])
    return json_answer({"status": "ready"})


@blueprint.get("/metrics", strict_slashes=True)
def exposition() -> Response:
    """Prometheus' own format, where the setting allows it."""
    if not current_app.config["METRICS"]:
        return json_answer({"status": "metrics are switched off; HANDRAISER_METRICS=true shows them"}, 404)
    from server.lib import metrics  # noqa: PLC0415 - 70 ms that few have a use for

    return Response(metrics.exposition(current_app.config["METRICS_SHARED"]), mimetype="text/plain")
