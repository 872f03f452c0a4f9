"""build_specification: the whole API as one OpenAPI document."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from apispec import APISpec
from flask import Flask
from werkzeug.routing import Rule

from server.api.resource import Resource
from server.config import PROJECT
from server.docs.answers import COMPONENTS, by_status, refusal
from server.docs.disclosure_operations import DISCLOSURE_COMPONENTS
from server.docs.fields import OPENAPI, Json
from server.docs.lead_operations import LEAD_BODIES
from server.docs.managed import components_of
from server.docs.operation import ALWAYS, JSON, Example, Operation, Subject, operation_id
from server.docs.operations import operation_of
from server.docs.resources import RESOURCES
from server.docs.snippet_operations import SNIPPET_COMPONENTS
from server.docs.words import worded
from server.lib import json

PREFIX = "/api/v1"
RECORDED = PROJECT / "docs_site" / "examples.json"
# `<uuid:lead_id>` of a route.
VARIABLE = re.compile("<[^>]+>")
# Those of which each describes itself; the others are the framework's own answers.
METHODS = ("GET", "POST", "PUT", "DELETE")

SECURITY: Json = {
    "Bearer": {"type": "http", "scheme": "bearer", "description": "The private key."},
    "Basic": {"type": "http", "scheme": "basic", "description": "The public key as the user, the private one."},
    "Token": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`Token `, then the private key.",
    },
}
# On every answer, whatever its status.
HEADERS: Json = {
    "X-Request-Id": {"type": "string", "format": "uuid", "description": "The id of this request in our logs."},
    "Access-Control-Allow-Origin": {
        "type": "string",
        "description": "Any page may read the answer: `*`, or its own origin where it sends a lead.",
    },
}
RETRY_AFTER: Json = {"Retry-After": {"type": "string", "description": "After how many seconds to send it again."}}


def build_specification(app: Flask) -> Json:
    """The OpenAPI document of an application's routes under /api/v1; one that nobody has described is left out."""
    spec = APISpec(
        title="Handraiser",
        version="1",
        openapi_version=OPENAPI,
        info={"description": "Takes leads in and keeps them on the record."},
    )
    for name, scheme in SECURITY.items():
        spec.components.security_scheme(name, scheme)
    for name, about in HEADERS.items():
        spec.components.header(name, header(about))
    recorded = read_recorded()
    for name, schema in LEAD_BODIES.items():
        spec.components.schema(name, schema)
    for name, schema in (COMPONENTS | DISCLOSURE_COMPONENTS | SNIPPET_COMPONENTS).items():
        spec.components.schema(name, worded(schema, name))
    for resource in resources(app):
        for name, schema in components_of(resource).items():
            spec.components.schema(name, worded(schema, name))
    for name, (title, text) in RESOURCES.items():
        spec.tag({"name": name, "description": text, "x-displayName": title})
    for rule in routes(app):
        for path, operations in described(app, rule, recorded).items():
            spec.path(path=path, operations=operations)
    made: Json = spec.to_dict()
    return made


def specification_of(app: Flask) -> Json:
    """The same, made when the first reader comes, once a process."""
    known: Json | None = app.extensions.get("specification")
    if known is None:
        known = app.extensions["specification"] = build_specification(app)
    return known


def routes(app: Flask) -> list[Rule]:
    """The routes of the API, by path."""
    return sorted(
        (rule for rule in app.url_map.iter_rules() if rule.rule.startswith(PREFIX)), key=lambda rule: rule.rule
    )


def resources(app: Flask) -> Iterator[Resource]:
    """What is managed, each of them once."""
    seen = {}
    for view in app.view_functions.values():
        if isinstance(view, partial) and isinstance(view.args[0], Resource):
            seen[view.args[0].one] = view.args[0]
    return iter(seen.values())


def described(app: Flask, rule: Rule, recorded: Json) -> dict[str, dict[str, Json]]:
    """The operations of a route, by path and method: a variable is named after what it names there."""
    view: Any = app.view_functions[rule.endpoint]
    paths: dict[str, dict[str, Json]] = {}
    for method in METHODS:
        operation = operation_of(rule.endpoint, method, view) if method in (rule.methods or ()) else None
        if operation is not None:
            path = rule.rule
            for subject in subjects_of(rule, operation):
                path = VARIABLE.sub(f"{{{subject.name}}}", path, count=1)
            paths.setdefault(path, {})[method.lower()] = written(rule, method, operation, recorded)
    return paths


def subjects_of(rule: Rule, operation: Operation) -> list[Subject]:
    """What the variables of a path name, in their order."""
    known = [operation.subject, *([operation.part] if operation.part else [])]
    return known[: len(rule.arguments)]


def read_recorded() -> Json:
    """Of each operation a request and its answer, as the tests have recorded them."""
    made: Json = json.load(RECORDED.read_bytes())
    return made


def written(rule: Rule, method: str, operation: Operation, recorded: Json) -> Json:
    """One operation as OpenAPI spells it. What is there for its page alone: `x-page` is which one it is, `x-path` and
    `x-query` are the URL of the examples, `x-needs` what has to be sent under this name or another, `x-scope` what a
    key has to have."""
    known = recorded.get(operation_id(rule.endpoint, method), {"request": {"path": rule.rule, "query": {}, "body": {}}})
    asked = known["request"]
    subjects = subjects_of(rule, operation)
    parameters = [
        *({"in": "path", "required": True, "name": each.name, **header(each.about)} for each in subjects),
        *operation.query,
        *({"name": name, "in": "header", **header(about)} for name, about in operation.headers.items()),
    ]
    made: Json = {
        "tags": [operation.page.partition("/")[0]],
        "summary": operation.summary,
        "description": operation.description,
        "operationId": operation_id(rule.endpoint, method),
        "x-page": operation.page,
        "x-path": asked["path"],
        "x-query": operation.asks or asked["query"],
        "x-needs": [*operation.needs],
        "x-scope": operation.scope,
        "parameters": parameters,
        "security": operation.opened_by,
        "responses": responses(operation, known.get("response")),
    }
    if operation.body:
        made["requestBody"] = {
            "required": any("required" in schema for schema in operation.body.values()),
            "content": {
                name: {"schema": schema} | shown_examples(operation, name, schema, asked["body"])
                for name, schema in operation.body.items()
            },
        }
    return made


def shown_examples(operation: Operation, content_type: str, schema: Json, sent: Json | None) -> Json:
    """Bodies to copy, numbered in the order of the page: those that are given, or the one that was recorded, or what is
    required."""
    given = operation.examples
    if not given and content_type == JSON and "properties" in schema:
        required = {name: schema["properties"][name]["example"] for name in schema.get("required", ())}
        given = (Example("", sent or required),) if sent or required else ()
    examples = {
        f"example_{place}": {"summary": each.title, "value": each.body}
        for place, each in enumerate(given, 1)
        if each.content_type == content_type
    }
    return {"examples": examples} if examples else {}


def responses(operation: Operation, answered: Any) -> Json:
    """Every status that the operation can answer with."""
    made = {"200": response("Done.", worded(operation.answer), HEADERS | dict(operation.sends))}
    if answered is not None:
        made["200"]["content"][JSON]["example"] = answered
    if operation.links:
        made["200"]["links"] = dict(operation.links)
    if operation.may_redirect:
        location: Json = {"Location": {"type": "string", "format": "uri", "description": "The page of the form's own."}}
        made["303"] = {"description": "A native form's visitor goes on.", "headers": headed(HEADERS | location)}
    for status, codes in by_status(operation.codes | ALWAYS).items():
        retried = RETRY_AFTER if status in (429, 503) else {}
        schema = operation.refuses if operation.refuses and status == 422 else refusal(status, codes)
        refused = response(f"Refused: {', '.join(codes)}.", schema, HEADERS | retried)
        made[str(status)] = refused | {"x-codes": codes}
    return made


def response(description: str, schema: Json, headers: Json) -> Json:
    """One answer, which is JSON."""
    return {"description": description, "headers": headed(headers), "content": {JSON: {"schema": schema}}}


def headed(headers: Json) -> Json:
    """Headers, those of every answer by their name among the components."""
    return {
        name: {"$ref": f"#/components/headers/{name}"} if name in HEADERS else header(about)
        for name, about in headers.items()
    }


def header(about: Json) -> Json:
    """One header with its schema."""
    schema = {key: value for key, value in about.items() if key != "description"}
    return {"description": about["description"], "schema": schema}
