"""The docs as pages: what each address shows, as HTML or in apipie's JSON, for the reader's own host and token.

/api/docs                                 everything there is
/api/docs/1.0/{page}.html                 a page that somebody wrote, or a resource
/api/docs/1.0/{resource}/{method}.html    a method
/api/docs/apipie_checksum                 whether anything has changed
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    jsonify,
    render_template,
    request,
    send_from_directory,
)
from markupsafe import Markup, escape

from server.api.answers import own_origin
from server.docs import apipie, handmade, search
from server.docs.apipie import VERSION
from server.docs.handmade import PAGES
from server.docs.highlight import highlight
from server.docs.operations import YOUR_TOKEN
from server.docs.reference import Method, Reference, read_reference
from server.docs.samples import ShownExample, shown_examples
from server.docs.scope import Scope, find_scope
from server.docs.scoped import scoped_method
from server.docs.specification import build_specification
from server.lib import json
from server.lib.compress import compress

FOLDER = handmade.FOLDER.parent
STATIC = FOLDER / "static"
ROOT = "/api/docs"

blueprint = Blueprint("docs", __name__, url_prefix=ROOT, template_folder=str(FOLDER / "templates"))
blueprint.after_request(compress)

# The resource whose pages are about a lead token, where one is known.
SCOPED = "leads_external"

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
CODE = re.compile("`([^`]+)`")
STRESS = re.compile(r"\*([^*]+)\*")
read_page = lru_cache(maxsize=256)(handmade.read_page)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """For whom pages are made, and how they link to one another: `base` leads to the index, be it `/api/docs/` or
    `../`; `scope` is what is known of the reader's lead token."""

    base_url: str
    base: str = f"{ROOT}/"
    index: str = ROOT
    scope: Scope | None = None
    support_email: str = ""
    exported: bool = False

    @property
    def lead_token(self) -> str:
        """What the examples carry."""
        return self.scope.lead_token if self.scope else YOUR_TOKEN

    @property
    def suffix(self) -> str:
        """What keeps the token from page to page."""
        return f"?lead_token={self.scope.lead_token}" if self.scope else ""

    def link(self, page: str) -> str:
        """The address of a page: `quickstart`, `leads_external` or `leads_external/create`."""
        return f"{self.base}{VERSION}/{page}.html{self.suffix}"

    def static(self, name: str) -> str:
        """The address of a file of ours; it changes with its content."""
        return f"{self.base}static/{name}" + ("" if self.exported else f"?v={file_hash(name)}")

    def resolve(self, kind: str, name: str) -> str:
        """Where a link of a handwritten page leads."""
        return f"{self.link('errors')}#{name}" if kind == "error" else self.link(name)


@lru_cache(maxsize=64)
def file_hash(name: str) -> str:
    """What changes with a file."""
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def register(app: Flask) -> None:
    """Serves the docs."""
    app.register_blueprint(blueprint)
    app.add_url_rule(f"{ROOT}.json", "docs.all", show, methods=["GET"])
    app.jinja_env.filters.update(inline=inline, pretty_json=pretty_json, plain_json=json.plain)


def inline(text: str) -> Markup:
    """A sentence whose code stands in backticks and whose stress in stars, as the schemas spell it."""
    marked = CODE.sub(r"<code>\1</code>", str(escape(text)))
    return Markup(STRESS.sub(r"<em>\1</em>", marked))  # noqa: S704 (escaped above)


def pretty_json(value: Any) -> Markup:
    """JSON in colour."""
    return highlight(json.pretty(value), "json")


def reference() -> Reference:
    """All pages of the reference, made when the first is asked for."""
    known: Reference | None = current_app.extensions.get("reference")
    if known is None:
        known = current_app.extensions["reference"] = read_reference(build_specification(current_app))
    return known


@blueprint.get("/static/<path:name>")
def static_file(name: str) -> Response:
    """A file of the pages, which is kept: its address changes with it."""
    response = send_from_directory(STATIC, name)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


@blueprint.get("/static/search.js")
def search_index() -> Response:
    """What the search looks through; a script, so that a copy on a disk has it too."""
    return Response(search.script(reference(), every_page(site())), content_type="text/javascript; charset=utf-8")


@blueprint.get("/apipie_checksum")
def docs_checksum() -> Response:
    """Whether the docs have changed since."""
    return jsonify({"checksum": apipie.checksum(reference())})


@blueprint.get("")
@blueprint.get("/")
@blueprint.get("/<path:path>")
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
    page = render(site(), "/".join(parts))
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


def site() -> Site:
    """For whom this request's pages are made; raises Refused where an address asks for too many tokens."""
    asked = request.args.get("lead_token", "")
    return Site(
        base_url=own_origin(),
        scope=find_scope(asked) if asked else None,
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
    content = apipie.docs_json(known, own_origin() + ROOT, *parts)
    return Response(json.dump(content), headers=HEADERS, content_type="application/json")


def render(to: Site, path: str) -> str | None:
    """The HTML of a page, as that reader is to have it; None where there is none."""
    known = reference()
    shared: dict[str, Any] = {"site": to, "reference": known, "pages": every_page(to), "current": path}
    if not path:
        return render_template("index.html", first=first_example(to), **shared)
    if path in PAGES:
        page = page_of(to, path)
        return render_template("page.html", page=page, content=page.resolved(to.resolve), **shared)
    if (resource := known.resource(path)) is not None:
        return render_template("resource.html", resource=resource, **shared)
    if (method := known.method(path)) is not None:
        return render_template("method.html", **shared, **about_method(to, method))
    return None


def about_method(to: Site, method: Method) -> dict[str, Any]:
    """What the page of a method shows beside what every page shows."""
    scoped = method if to.scope is None or method.resource != SCOPED else scoped_method(method, to.scope)
    said = {} if to.scope is None else {rule.code: rule.sentence for rule in to.scope.rules}
    return {
        "method": scoped,
        "asked_token": "" if to.exported or to.scope else request.args.get("lead_token", "")[:64],
        "examples": shown_examples(scoped, to.base_url, to.lead_token),
        "meanings": handmade.meanings(page_of(to, "errors")) | said,
    }


def first_example(to: Site) -> ShownExample:
    """What the contents show to copy: one lead, sent."""
    create = next(reference().methods())
    return replace(shown_examples(create, to.base_url, to.lead_token)[0], title="")


def page_of(to: Site, slug: str) -> handmade.Page:
    """A handwritten page, as that reader is to have it."""
    return read_page(slug, to.base_url, to.lead_token)


def every_page(to: Site) -> list[handmade.Page]:
    """The handwritten pages in their order."""
    return [page_of(to, slug) for slug in PAGES]


def every_path() -> Iterator[str]:
    """The path of every page there is."""
    yield ""
    yield from PAGES
    for resource in reference().resources:
        yield resource.id
        yield from (method.page for method in resource.methods)


def missing(path: str, as_json: bool) -> Response:
    """There is no such page, and these are near it."""
    if as_json:
        return Response(status=404, headers=HEADERS)
    to = site()
    near = get_close_matches(path.removeprefix(f"{VERSION}/"), [*every_path()], n=5, cutoff=0.5)
    shared = {"site": to, "reference": reference(), "pages": every_page(to), "current": None}
    return html(render_template("not_found.html", path=path, near=near, **shared), 404)
