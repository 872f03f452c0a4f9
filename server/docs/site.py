"""The docs as pages: what each shows, and for whom: a reader with an address and a token, or a copy on a disk."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from flask import current_app, render_template
from markupsafe import Markup, escape

from server.docs import handmade, search
from server.docs.apipie import VERSION
from server.docs.handmade import PAGES
from server.docs.highlight import highlight
from server.docs.lead_operations import YOUR_TOKEN
from server.docs.reading import read_reference
from server.docs.reference import Method, Reference
from server.docs.routes import ROOT
from server.docs.samples import ShownExample, shown_examples
from server.docs.scope import Scope
from server.docs.scoped import scoped_method
from server.docs.specification import specification_of
from server.lib import json

FOLDER = handmade.FOLDER.parent
STATIC = FOLDER / "static"

# The resource whose pages are about a lead token, where one is known.
SCOPED = "leads_external"

CODE = re.compile("`([^`]+)`")
STRESS = re.compile(r"\*([^*]+)\*")
read_page = lru_cache(maxsize=256)(handmade.read_page)
# Stands for the reader's own address while a page is made. Whoever asks may call us by any name: what is kept must not
# be kept once for each.
HERE = "https://where-you-read-this.invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """For whom pages are made, and how they link to one another: `base` leads to the index, be it `/api/docs/` or
    `../`; `scope` is what is known of the reader's lead token, `unknown` one that was named and is none."""

    base_url: str
    base: str = f"{ROOT}/"
    index: str = ROOT
    scope: Scope | None = None
    unknown: str = ""
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


def inline(text: str) -> Markup:
    """A sentence whose code stands in backticks and whose stress in stars, as the schemas spell it."""
    marked = CODE.sub(r"<code>\1</code>", str(escape(text)))
    return Markup(STRESS.sub(r"<em>\1</em>", marked))  # noqa: S704 (escaped above)


plain_json = json.plain


def pretty_json(value: Any) -> Markup:
    """JSON in colour."""
    return highlight(json.pretty(value), "json")


def reference() -> Reference:
    """All pages of the reference, made when the first is asked for."""
    known: Reference | None = current_app.extensions.get("reference")
    if known is None:
        known = current_app.extensions["reference"] = read_reference(specification_of(current_app))
    return known


def addressed(text: str, base_url: str) -> str:
    """What was made for everybody, with the address under which this reader reaches us."""
    return text.replace(HERE, base_url)


def render(to: Site, path: str) -> str | None:
    """The HTML of a page, as that reader is to have it; None where there is none."""
    made = make(to, path)
    return made and addressed(made, to.base_url)


def make(to: Site, path: str) -> str | None:
    """The same, but for the reader's address."""
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
        "examples": shown_examples(scoped, HERE, to.lead_token),
        "meanings": handmade.meanings(page_of(to, "errors")) | said,
    }


def first_example(to: Site) -> ShownExample:
    """What the contents show to copy: one lead, sent."""
    create = next(reference().methods())
    return replace(shown_examples(create, HERE, to.lead_token)[0], title="")


def page_of(to: Site, slug: str) -> handmade.Page:
    """A handwritten page, as that reader is to have it."""
    return read_page(slug, HERE, to.lead_token)


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


def searched(to: Site) -> str:
    """What the search looks through; a script, so that a copy on a disk has it too."""
    return addressed(search.script(reference(), every_page(to)), to.base_url)


def not_found(to: Site, path: str) -> str:
    """The HTML that says so, and names the pages near it."""
    near = get_close_matches(path, [*every_path()], n=5, cutoff=0.5)
    shared = {"site": to, "reference": reference(), "pages": every_page(to), "current": None}
    return render_template("not_found.html", path=path, near=near, **shared)
