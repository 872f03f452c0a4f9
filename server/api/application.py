"""Application: Flask without the steps that every request would pay for, and with the ones that it lacks."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from flask import Flask, Request, Response, request
from werkzeug.exceptions import BadRequest, HTTPException, RequestTimeout
from werkzeug.routing import MapAdapter

from server.api.cors import is_for_leads, permission
from server.lib.front import LATE

# A host name, an IPv4 address or an [IPv6] one, perhaps with a port: nothing that means anything in a shell or a page.
HOST = re.compile(r"(?:[a-z0-9_][a-z0-9_.-]{0,252}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?", re.A | re.I)
# More of it is not looked at, nor remembered.
LONGEST = 300
PLAIN_PORT = {"http": ":80", "https": ":443"}

# Asked by machines that know us by another name: the supervisor, the load balancer, Prometheus.
ANY_HOST = frozenset({"/healthz", "/readyz", "/metrics"})


class HostNotAllowed(BadRequest):
    """The request names a host that is not ours."""


class Application(Flask):
    """A sixth of what Flask itself costs a request went into the first and the last."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is: no view and no hook of ours is a coroutine."""
        return func

    def make_default_options_response(self) -> Response:
        """The answer to a preflight: our own for leads, else Flask-CORS completes it. Of private networks it says
        nothing, where Flask-CORS would say no."""
        request.environ.pop("HTTP_ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK", None)
        response = super().make_default_options_response()
        # There is no content, and a type would say that it is HTML.
        del response.headers["Content-Type"]
        origin, endpoint = request.headers.get("Origin"), self.asked_before()
        if origin is not None and is_for_leads(endpoint):
            wanted = request.headers.get("Access-Control-Request-Headers", "")
            response.headers.update(permission(endpoint, origin, wanted))
        return response

    def asked_before(self) -> str:
        """The endpoint that a preflight asks about; nothing where there is none."""
        method = request.headers.get("Access-Control-Request-Method")
        adapter = self.create_url_adapter(request)
        try:
            matched = adapter and method and adapter.match(method=method)
        except HTTPException:
            return ""
        return str(matched[0]) if matched else ""

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """The routes bound to a request. All hosts have the same ones, so that its name need not be taken apart, but
        only looked at; raises HostNotAllowed, or RequestTimeout where the body did not come."""
        if request is None:
            return super().create_url_adapter(request)
        if LATE in request.environ:
            raise RequestTimeout("The body of the request did not arrive in time. Nothing was done. Send it again.")
        host = request.environ.get("HTTP_HOST", "")
        if not is_ours(host[:LONGEST], self.config["PUBLIC_URL"]) and request.path not in ANY_HOST:
            raise HostNotAllowed
        return MapAdapter(
            self.url_map,
            server_name=host,
            script_name=request.root_path,
            subdomain="",
            url_scheme=request.scheme,
            path_info=request.path,
            default_method=request.method,
            query_args=request.query_string.decode("latin-1"),
        )


@lru_cache(maxsize=256)
def is_ours(host: str, public_url: str) -> bool:
    """Whether a Host header may stand for us: the one of the public address, or any plain one where none is set.

    HTTP/1.0 knows no Host; who sends none claims none.
    """
    if not host:
        return True
    if not public_url:
        return HOST.fullmatch(host) is not None
    scheme, _, ours = public_url.lower().partition("://")
    return host.lower().removesuffix(PLAIN_PORT[scheme]) == ours.removesuffix(PLAIN_PORT[scheme])
