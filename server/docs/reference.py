"""Reference: the OpenAPI document as its pages show it: resources, their methods, the parameters of each. Pure.

    Reference ─ Resource ─ Method ─ Param ─ Param …

Several operations share a page where they do the same (`POST` and `PUT` of one path): the document's `x-page` says so.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """A parameter of a request or a member of an answer; `full_name` is `data[key]` for a nested one. `place` is where
    a request has it: path, query, body, header."""

    name: str
    full_name: str
    place: str = "body"
    description: str = ""
    required: bool = False
    nullable: bool = False
    kind: str = "string"
    validations: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    example: Any = None
    default: Any = None
    params: tuple["Param", ...] = ()

    @property
    def checks(self) -> tuple[str, ...]:
        """Its validations, without those that another one only continues: the longer text says both."""
        return tuple(
            text
            for text in self.validations
            if not any(other != text and other.startswith(text) for other in self.validations)
        )

    def rows(self, depth: int = 0) -> Iterator[tuple[int, "Param"]]:
        """Itself and what is nested in it, each with how deep."""
        yield depth, self
        for each in self.params:
            yield from each.rows(depth + 1)


@dataclass(frozen=True, slots=True)
class Error:
    """How a method can refuse."""

    status: int
    code: str


@dataclass(frozen=True, slots=True)
class Example:
    """What a page sends as an example: the parameters of the query and of the body."""

    title: str
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    form: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One page: what it does, under which methods and paths, what it takes and how it answers."""

    resource: str
    name: str
    summary: str
    description: str
    apis: tuple[tuple[str, str], ...]
    operation_ids: tuple[str, ...]
    formats: tuple[str, ...]
    by_token: bool
    # What a key has to have; nothing where none is needed.
    scope: str
    errors: tuple[Error, ...]
    params: tuple[Param, ...]
    headers: tuple[Param, ...]
    returns: tuple[Param, ...]
    sends: tuple[Param, ...]
    examples: tuple[Example, ...]
    # The path of the examples, whose variables have values, and the answer to the first of them.
    example_path: str
    answer: Any = None

    @property
    def page(self) -> str:
        """Where it stands: `leads_external/create`."""
        return f"{self.resource}/{self.name}"

    @property
    def may_dry_run(self) -> bool:
        """Whether it can show what it would do, and keep nothing."""
        return any(param.name == "dry_run" for param in self.params)


@dataclass(frozen=True, slots=True)
class Resource:
    """A group of methods."""

    id: str
    title: str
    text: str
    methods: tuple[Method, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """All resources, in the order of the document."""

    resources: tuple[Resource, ...]

    def resource(self, name: str) -> Resource | None:
        """The resource of that id."""
        return next((each for each in self.resources if each.id == name), None)

    def method(self, page: str) -> Method | None:
        """The method whose page that is."""
        return next((each for each in self.methods() if each.page == page), None)

    def methods(self) -> Iterator[Method]:
        """Every method."""
        for resource in self.resources:
            yield from resource.methods


def needed(param: Param) -> Param:
    """A parameter that a method cannot do without: blank counts as absent, and so is not enough."""
    return replace(param, required=True, nullable=False)
