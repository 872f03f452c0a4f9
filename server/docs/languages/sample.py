"""Sample: one request as an example, apart from any language; and what every language needs to know of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from server.lib.json import plain

JSON, FORM = "application/json", "application/x-www-form-urlencoded"

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What is sent; the path has its parameters filled in, and a body is JSON unless `form` says otherwise."""

    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    form: bool = False
    # A private key, sent as `Authorization: Bearer`; none if empty.
    bearer: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_private_key(self) -> bool:
        """Whether it holds what only a server may know."""
        named = {name.lower() for name in (*self.query, *(self.body or {}), *self.headers)}
        return bool(self.bearer) or not named.isdisjoint(("auth_token", "authorization"))


def address(sample: Sample, base_url: str) -> str:
    """The whole URL with the query string."""
    return base_url.rstrip("/") + quote(sample.path, safe="/+@:") + query_string(pairs(sample.query))


def query_string(sent: list[Pair]) -> str:
    """Every pair behind a `?`, percent-encoded so that a `+` stays one; nothing where there is none."""
    return "?" + "&".join(f"{quote(name, safe='')}={quote(text, safe='')}" for name, text in sent) if sent else ""


def pairs(tree: Mapping[str, Any]) -> list[Pair]:
    """A tree as a form sends it: `a[b]` nests, `a[]` lists, and as the values of a form are text, all of them are."""
    return [pair for name, value in tree.items() for pair in flat(name, value)]


def flat(name: str, value: Any) -> Iterator[Pair]:
    """One value of a tree; where a list holds trees it is numbered, else their parts would be strewn."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from flat(f"{name}[{key}]", inner)
    elif isinstance(value, list):
        numbered = any(isinstance(inner, Mapping | list) for inner in value)
        for number, inner in enumerate(value):
            yield from flat(f"{name}[{number if numbered else ''}]", inner)
    else:
        yield name, plain(value)


def fields(tree: Mapping[str, Any]) -> dict[str, str] | list[list[str]]:
    """The pairs of a form as most libraries take them: by name, or as a list where a name comes more than once."""
    sent = pairs(tree)
    named = dict(sent)
    return named if len(named) == len(sent) else [[*pair] for pair in sent]


def texts(value: Any) -> Any:
    """A tree with text for every value, for a library that nests by itself."""
    if isinstance(value, Mapping):
        return {key: texts(inner) for key, inner in value.items()}
    return [texts(inner) for inner in value] if isinstance(value, list) else plain(value)


def sent_headers(sample: Sample, *, form: bool = False) -> dict[str, str]:
    """The headers of a request; that of a form only where the library does not write it."""
    made = dict(sample.headers)
    if sample.bearer:
        made["Authorization"] = f"Bearer {sample.bearer}"
    if sample.body is not None and (form or not sample.form):
        made["Content-Type"] = FORM if sample.form else JSON
    return made
