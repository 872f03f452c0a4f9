"""The OpenAPI document through flasgger: at /apispec_1.json, and to try out in Swagger UI at /api/docs/ui/.

flasgger is never given the application: it would wrap its routes and hook itself into every request. It is imported
when the first reader comes, and the document is built then, once a process: who only takes leads pays for neither.
"""

import gzip
from functools import cache
from typing import Any

from flask import Flask, Response, current_app, request
from swagger_ui_bundle import swagger_ui_path
from werkzeug.exceptions import NotFound

from server.api.answers import json_answer, own_origin
from server.api.throttle import a_minute, limiter
from server.config import PROJECT
from server.docs import views
from server.docs.fields import OPENAPI
from server.docs.specification import specification_of
from server.lib.compress import takes_gzip

SCRIPT = PROJECT / "docs_site" / "static" / "swagger.js"
# What the page needs of the package, and no more: among its files are pages of its own.
ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}
FOREVER = "public, max-age=31536000, immutable"

# The page is the same for everybody, and a browser may keep it as long as it asks again.
HEADERS = views.HEADERS | {"Cache-Control": "no-cache"}
CONFIG: dict[str, Any] = {
    "title": "Handraiser API",
    "openapi": OPENAPI,
    # Our document is the template; it must not look for another one in the docstrings of the views.
    "specs": [{"endpoint": "apispec_1", "route": "/apispec_1.json", "rule_filter": lambda rule: False}],
}


def document() -> dict[str, Any]:
    """The OpenAPI document as flasgger tells it, with this installation as its server."""
    known: dict[str, Any] | None = current_app.extensions.get("swagger")
    if known is None:
        known = current_app.extensions["swagger"] = build(current_app)
    return known | {"servers": [{"url": own_origin()}]}


def build(app: Flask) -> dict[str, Any]:
    """The document of an application, without its server."""
    from flasgger import Swagger  # noqa: PLC0415 - 200 ms and 3 MB that few have a use for

    swagger = Swagger(config=CONFIG, merge=True, template=specification_of(app))
    swagger.app = app
    made: dict[str, Any] = swagger.get_apispecs("apispec_1")
    return made


@limiter.limit(a_minute("ADDRESS_LIMIT"))
def show_document() -> Response:
    """The OpenAPI document."""
    return json_answer(document())


def show_page() -> Response:
    """Swagger UI, with the document."""
    from flasgger.base import APIDocsView  # noqa: PLC0415 - as above

    response = current_app.make_response(APIDocsView(view_args={"config": CONFIG}).get())
    response.headers.update(HEADERS)
    return response


def show_script() -> Response:
    """What starts Swagger UI."""
    response = Response(SCRIPT.read_bytes(), content_type="text/javascript")
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response


def show_asset(filename: str) -> Response:
    """A file of Swagger UI's."""
    if filename not in ASSETS:
        raise NotFound
    zipped = takes_gzip()
    content = packed(filename) if zipped else (swagger_ui_path / filename).read_bytes()
    response = Response(content, content_type=ASSETS[filename])
    response.headers["Cache-Control"] = FOREVER
    response.vary.add("Accept-Encoding")
    if zipped:
        response.content_encoding = "gzip"
    return response


@cache
def packed(filename: str) -> bytes:
    """A file of Swagger UI's in gzip: what all browsers ask for is packed once a process."""
    return gzip.compress((swagger_ui_path / filename).read_bytes())
