"""What each request leaves in the log and the metrics: who, what, how long; never a phone, a name or a whole token."""

import time

from flask import Flask, Response, g, request

from server.lib.logs import log
from server.lib.secrets import new_id

# A client may call its method anything; what it invents stays out of the log, and out of the metrics' labels.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def register(app: Flask, count: bool) -> None:
    """One hook before, one after."""
    if count:
        from server.lib import metrics  # noqa: PLC0415 - 70 ms that few have a use for

    # Bound once: finding the logger anew costs more than the line.
    line_log = log.bind()

    @app.before_request
    def begin() -> None:
        vars(g).update(request_id=new_id(), began=time.perf_counter())

    @app.after_request
    def end(response: Response) -> Response:
        # Looked up once: each look at `g` or `request` costs what a dozen at a dict do.
        noted, rule, method = vars(g), request.url_rule, request.method
        response.headers.add("X-Request-Id", noted["request_id"])
        seconds = time.perf_counter() - noted["began"]
        # The rule, not the path: a path may hold a number.
        route = rule.rule if rule else "-"
        if method not in METHODS:
            method = "-"
        line = {
            "request_id": noted["request_id"],
            "method": method,
            "route": route,
            "status": response.status_code,
            "ms": round(seconds * 1000, 2),
        }
        line |= noted.get("facts", {})
        if "code" in noted:
            line["code"] = noted["code"]
        line_log.info("request", **line)
        if count:
            metrics.REQUESTS.labels(route, method, response.status_code).inc()
            metrics.SECONDS.labels(route).observe(seconds)
            one = {(line["action"], line.get("code", "")): 1} if "action" in line else {}
            for labels, times in noted.get("taken", one).items():
                metrics.SUBMISSIONS.labels(*labels).inc(times)
        return response
