"""CORS: any page may ask, and read every answer; what a token may do there is judged by its powers, not by the browser.

The headers are ours to write: an extension would look at each answer of the hot path again to find them there.
"""

from typing import NoReturn

from flask import Flask, Request, Response, abort, request
from werkzeug.routing import RequestRedirect

# On every answer of the API, whatever its status.
HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Retry-After, Idempotent-Replayed, X-Request-Id",
}

# On the answer to a browser that asks first.
PREFLIGHT = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key",
    "Access-Control-Allow-Methods": "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT",
    "Access-Control-Max-Age": "86400",
}


class CorsFlask(Flask):
    """Flask whose own answers have these headers too: those to preflights, and to a path with a slash too many."""

    def make_default_options_response(self) -> Response:
        """The answer to OPTIONS: what the path takes, and under /api/ from whom."""
        response: Response = super().make_default_options_response()
        if request.path.startswith("/api/"):
            response.headers.extend(PREFLIGHT)
        return response

    def raise_routing_exception(self, request: Request) -> NoReturn:
        """Says that no endpoint has the path, or where it is."""
        if isinstance(request.routing_exception, RequestRedirect):
            response = request.routing_exception.get_response()
            response.headers.extend(HEADERS)
            abort(response)
        super().raise_routing_exception(request)
