"""What the search of the docs looks through: every page, section, method and parameter, each with its words. Pure."""

from collections.abc import Iterable, Iterator

from server.docs.handmade import Page
from server.docs.reference import Method, Reference
from server.lib import json

# Of a section so much is looked through.
LONGEST = 400

Entry = dict[str, str]


def script(reference: Reference, pages: Iterable[Page]) -> str:
    """The index as a script that a page loads when somebody begins to search."""
    return f"window.searchIndex = {json.dump([*entries(reference, pages)])};\n"


def entries(reference: Reference, pages: Iterable[Page]) -> Iterator[Entry]:
    """Each with the page that it is on, and the anchor there."""
    for page in pages:
        yield entry(page.slug, "", page.title, page.summary, "Guide")
        for section in page.sections:
            yield entry(page.slug, section.anchor, section.title, section.text[:LONGEST], page.title)
    seen: set[tuple[str, str]] = set()
    for resource in reference.resources:
        yield entry(resource.id, "", resource.title, resource.text, "Reference")
        for method in resource.methods:
            yield from method_entries(method, resource.title, seen)


def method_entries(method: Method, title: str, seen: set[tuple[str, str]]) -> Iterator[Entry]:
    """A method, its parameters and the members of its answer; what many methods share, the first of them has."""
    verb, path = method.apis[0]
    where = f"{verb} {path}"
    yield entry(method.page, "", where, f"{method.summary}. {method.description}", title)
    members = [member for top in method.returns for _, member in top.rows()]
    for prefix, params in (("param", method.params), ("returns", members)):
        for param in params:
            if (param.name, param.description) not in seen:
                seen.add((param.name, param.description))
                yield entry(method.page, f"{prefix}-{param.full_name}", param.name, param.description, where)


def entry(page: str, anchor: str, title: str, text: str, where: str) -> Entry:
    """One thing to be found."""
    return {"page": page, "anchor": anchor, "title": title, "text": text, "in": where}
