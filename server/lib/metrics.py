"""Counters and times for Prometheus; a name for each, labels that say nothing of any lead."""

from prometheus_client import REGISTRY as PROCESS
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, multiprocess

REQUESTS = Counter("handraiser_requests_total", "Requests answered.", ["route", "method", "status"])
SUBMISSIONS = Counter("handraiser_submissions_total", "Submissions, by what was done with them.", ["action", "code"])
SECONDS = Histogram("handraiser_request_seconds", "Seconds from the request to its answer.", ["route"])


def exposition(shared: bool) -> bytes:
    """The text that Prometheus reads; with `shared`, of all processes that write to one folder."""
    if not shared:
        return generate_latest(PROCESS)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
