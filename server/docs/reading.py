"""read_reference: from the OpenAPI document to its pages. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from server.docs.fields import Json
from server.docs.operation import FORM, JSON, MULTIPART
from server.docs.reference import Error, Example, Method, Param, Reference, Resource, needed
from server.lib.json import plain

# What apipie calls the types of JSON Schema.
KINDS = {"integer": "numeric", "number": "numeric", "object": "hash"}
FORMATS = {JSON: "json", FORM: "form", MULTIPART: "multipart", "text/csv": "csv", "text/plain": "text"}
# Nested so deep, a description says no more than the name.
DEEPEST = 3


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
        errors=tuple(read_errors(operation)),
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


def read_errors(operation: Json) -> Iterator[Error]:
    """Each code that an operation refuses with."""
    for status, response in operation["responses"].items():
        for code in response.get("x-codes", ()):
            yield Error(int(status), code)


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
