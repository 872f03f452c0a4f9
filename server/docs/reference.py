"""Reference: the OpenAPI document as its pages show it: resources, their methods, the parameters of each. Pure.

    Reference ─ Resource ─ Method ─ Param ─ Param …

Several operations share a page where they do the same (`POST` and `PUT` of one path): the document's `x-page` says so.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from server.docs.fields import Json
from server.docs.operation import FORM, JSON, MULTIPART
from server.lib.json import plain

# What apipie calls the types of JSON Schema.
KINDS = {"integer": "numeric", "number": "numeric", "object": "hash"}
FORMATS = {JSON: "json", FORM: "form", MULTIPART: "multipart", "text/csv": "csv", "text/plain": "text"}
# Nested so deep, a description says no more than the name.
DEEPEST = 3


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


def read_reference(document: Json) -> Reference:
    """The pages of a document of `build_specification`."""
    pages: dict[str, list[tuple[str, str, Json]]] = {}
    for path, item in document["paths"].items():
        for verb, operation in item.items():
            pages.setdefault(operation["x-page"], []).append((verb.upper(), path, operation))
    methods = [read_method(document, page, operations) for page, operations in pages.items()]
    return Reference(
        tuple(
            Resource(
                tag["name"],
                tag["x-displayName"],
                tag["description"],
                tuple(sorted((each for each in methods if each.resource == tag["name"]), key=place_of)),
            )
            for tag in document["tags"]
        )
    )


# In which order a resource's methods are read.
ORDER = ("create", "create_or_update", "capture", "batch", "index", "show", "update", "destroy", "restore")


def place_of(method: Method) -> tuple[int, str]:
    """Where a method stands among those of its resource."""
    return (ORDER.index(method.name) if method.name in ORDER else len(ORDER), method.name)


def read_method(document: Json, page: str, operations: Sequence[tuple[str, str, Json]]) -> Method:
    """One page; of several operations the one with a body says what it takes."""
    ranked = sorted(operations, key=lambda each: ("requestBody" not in each[2], each[0], each[1]))
    operation = ranked[0][2]
    resource, _, name = page.partition("/")
    content = operation.get("requestBody", {}).get("content", {})
    answer = operation["responses"]["200"]
    schema = answer["content"][JSON]["schema"]
    asked = operation["parameters"]
    in_url = [read_parameter(document, each) for each in asked if each["in"] in ("path", "query")]
    named = {each.name for each in in_url}
    in_body = read_params(document, content[JSON]["schema"]) if JSON in content else ()
    # What the path names needs no second name in the body.
    params = (*in_url, *(each for each in in_body if each.name not in named))
    return Method(
        resource=resource,
        name=name,
        summary=operation["summary"],
        description=operation["description"],
        apis=tuple((verb, path) for verb, path, _ in ranked),
        operation_ids=tuple(each["operationId"] for _, _, each in ranked),
        formats=tuple(FORMATS[each] for each in content) or ("json",),
        by_token={} in operation["security"],
        scope=operation["x-scope"],
        errors=tuple(read_errors(document, operation)),
        params=tuple(with_needs(each, operation["x-needs"]) for each in params),
        headers=tuple(read_parameter(document, each) for each in asked if each["in"] == "header"),
        returns=read_params(document, schema),
        sends=tuple(read_sent(document, answer.get("headers", {}))),
        examples=tuple(read_examples(operation)),
        example_path=operation["x-path"],
        answer=answer["content"][JSON].get("example"),
    )


def with_needs(param: Param, names: Sequence[str]) -> Param:
    """A parameter, with all that is nested in it, where those of these full names are needed."""
    made = replace(param, params=tuple(with_needs(each, names) for each in param.params))
    return needed(made) if made.full_name in names else made


def needed(param: Param) -> Param:
    """A parameter that a method cannot do without: blank counts as absent, and so is not enough."""
    return replace(param, required=True, nullable=False)


def read_examples(operation: Json) -> list[Example]:
    """The examples that the document has of an operation, in their order; what stands in the URL alone is one too."""
    query = operation["x-query"]
    content = operation.get("requestBody", {}).get("content", {})
    found = {
        key: Example(example["summary"], query, example["value"], content_type == FORM)
        for content_type, about in content.items()
        for key, example in about.get("examples", {}).items()
    }
    return [found[key] for key in sorted(found)] or [Example("", query)]


def read_errors(document: Json, operation: Json) -> Iterator[Error]:
    """Each code that an operation refuses with."""
    for status, response in operation["responses"].items():
        schema = response.get("content", {}).get(JSON, {}).get("schema", {})
        for part in schema.get("allOf", ()):
            for code in part.get("properties", {}).get("code", {}).get("enum", ()):
                yield Error(int(status), code)
        if "ReplayRefusal" in str(schema.get("$ref")):
            yield Error(int(status), "invalid_parameter")


def read_sent(document: Json, headers: Json) -> Iterator[Param]:
    """The headers of an answer."""
    for name, about in headers.items():
        known = found(document, about)
        yield read_param(document, known["schema"] | {"description": known["description"]}, name, place="header")


def read_parameter(document: Json, about: Json) -> Param:
    """A parameter of path, query or header."""
    schema = about["schema"] | {"description": about["description"]}
    return read_param(document, schema, about["name"], place=about["in"], required=about.get("required", False))


def read_params(document: Json, schema: Json, within: str = "", depth: int = 0) -> tuple[Param, ...]:
    """The properties of an object, or of the first of several that it may be."""
    known = found(document, schema)
    required = known.get("required", ())
    read = partial(read_param, document, within=within, depth=depth)
    return tuple(read(about, name, required=name in required) for name, about in known.get("properties", {}).items())


def read_param(
    document: Json,
    schema: Json,
    name: str,
    *,
    place: str = "body",
    required: bool = False,
    within: str = "",
    depth: int = 0,
) -> Param:
    """One property."""
    known = found(document, schema)
    each = found(document, known.get("items", {}))
    full_name = f"{within}[{name}]" if within else name
    inner = each if known.get("type") == "array" else known
    nested = read_params(document, inner, f"{full_name}[]" if inner is each else full_name, depth + 1)
    kind: str = known.get("type") or "string"
    return Param(
        name=name,
        full_name=full_name,
        place=place,
        description=known.get("description", ""),
        required=required,
        nullable=known.get("nullable", False),
        kind=KINDS.get(kind, kind),
        validations=tuple(known.get("x-validations", ())),
        choices=tuple(plain(word) for word in known.get("enum", ()) if word is not None),
        example=known.get("example"),
        default=known.get("default"),
        params=nested if depth < DEEPEST else (),
    )


def found(document: Json, schema: Json) -> Json:
    """A schema itself, in place of its name or of the list of what it may be."""
    if "$ref" in schema:
        _, *path = schema["$ref"].split("/")
        known: Any = document
        for part in path:
            known = known[part]
        return found(document, known | {name: value for name, value in schema.items() if name != "$ref"})
    for word in ("anyOf", "allOf"):
        if word in schema and "type" not in schema:
            first = found(document, schema[word][0])
            return first | {name: value for name, value in schema.items() if name != word}
    return schema
