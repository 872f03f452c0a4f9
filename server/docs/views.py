"""The docs at their addresses, as HTML or in apipie's JSON."""

from flask import Response, current_app, jsonify, request, send_from_directory

from server.api.answers import own_origin
from server.api.throttle import a_minute, limiter
from server.docs import apipie
from server.docs.apipie import VERSION
from server.docs.routes import ROOT
from server.docs.scope import find_scope
from server.docs.site import (
    HERE,
    STATIC,
    Site,
    addressed,
    not_found,
    reference,
    render,
    searched,
)
from server.lib import json

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
# Of a token that is none so much is shown.
LONGEST = 64


def static_file(name: str) -> Response:
    """A file of the pages, which is kept: its address changes with it."""
    response = send_from_directory(STATIC, name)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


@limiter.limit(a_minute("ADDRESS_LIMIT"))
def search_index() -> Response:
    """What the search looks through."""
    return Response(
        searched(reader()), headers={"Cache-Control": "private, max-age=300"}, content_type="text/javascript"
    )


def docs_checksum() -> Response:
    """Whether the docs have changed since."""
    known = current_app.extensions
    if "docs_checksum" not in known:
        known["docs_checksum"] = apipie.checksum(reference())
    return jsonify({"checksum": known["docs_checksum"]})


@limiter.limit(a_minute("ADDRESS_LIMIT"))
def show(path: str = "") -> Response:
    """The page of an address."""
    bare, as_json = without_format(path.strip("/"))
    parts = [part for part in bare.split("/") if part]
    if parts[:1] == [VERSION]:
        parts = parts[1:]
    elif parts:
        return missing(bare, as_json)
    if as_json:
        return as_apipie(parts)
    page = render(reader(), "/".join(parts))
    return html(page) if page is not None else missing("/".join(parts), as_json)


def without_format(path: str) -> tuple[str, bool]:
    """A path without its extension, and whether JSON is wanted: apipie's own rule, for which `*/*` is JSON."""
    for extension in (".html", ".json"):
        if path.endswith(extension):
            return path.removesuffix(extension), extension == ".json"
    if request.args.get("format") in ("json", "html"):
        return path, request.args["format"] == "json"
    if request.path == f"{ROOT}.json":
        return path, True
    return path, request.accept_mimetypes.best_match(["application/json", "text/html"]) != "text/html"


def reader() -> Site:
    """For whom this request's pages are made."""
    asked = request.args.get("lead_token", "")
    scope = find_scope(asked) if asked else None
    return Site(
        base_url=own_origin(),
        scope=scope,
        unknown="" if scope else asked[:LONGEST],
        support_email=current_app.config["SUPPORT_EMAIL"],
    )


def html(text: str, status: int = 200) -> Response:
    """A page."""
    return Response(text, status, HEADERS, content_type="text/html; charset=utf-8")


def as_apipie(parts: list[str]) -> Response:
    """The docs as JSON: all, a resource or a method."""
    known = reference()
    if (
        len(parts) > 2
        or (parts and known.resource(parts[0]) is None)
        or (len(parts) == 2 and known.method("/".join(parts)) is None)
    ):
        return Response(status=404, headers=HEADERS)
    return Response(addressed(docs_text(*parts), own_origin()), headers=HEADERS, content_type="application/json")


def docs_text(*parts: str) -> str:
    """The docs as JSON for any address; all of them, a megabyte and a half, are written down once a process."""
    known = current_app.extensions
    if parts:
        return json.dump(apipie.docs_json(reference(), HERE + ROOT, *parts))
    if "docs_json" not in known:
        known["docs_json"] = json.dump(apipie.docs_json(reference(), HERE + ROOT))
    return str(known["docs_json"])


def missing(path: str, as_json: bool) -> Response:
    """There is no such page."""
    return Response(status=404, headers=HEADERS) if as_json else html(not_found(reader(), path), 404)
