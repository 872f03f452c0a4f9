"""build_specification: the whole API as one OpenAPI document."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from apispec import APISpec
from apispec_webframeworks.flask import FlaskPlugin
from flask import Flask
from werkzeug.routing import Rule

from server.api.resource import Resource
from server.docs.answers import COMPONENTS, by_status, refusal
from server.docs.fields import OPENAPI, Json
from server.docs.managed import components_of
from server.docs.operation import ALWAYS, JSON, Operation, operation_id
from server.docs.operations import LEAD_BODIES, operation_of

PREFIX = "/api/v1"
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
    "X-Request-Id": {"type": "string", "format": "uuid", "description": "What we call this request in our logs."},
    "Access-Control-Allow-Origin": {"type": "string", "enum": ["*"], "description": "Any page may read the answer."},
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
    for name, schema in {**COMPONENTS, **LEAD_BODIES}.items():
        spec.components.schema(name, schema)
    for resource in resources(app):
        for name, schema in components_of(resource).items():
            spec.components.schema(name, schema)
    for rule in routes(app):
        spec.path(path=FlaskPlugin.flaskpath2openapi(rule.rule), operations=described(app, rule))
    made: Json = spec.to_dict()
    return made


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


def described(app: Flask, rule: Rule) -> dict[str, Json]:
    """The operations of a route, by method."""
    view: Any = app.view_functions[rule.endpoint]
    operations: dict[str, Json] = {}
    for method in METHODS:
        operation = operation_of(rule.endpoint, method, view) if method in (rule.methods or ()) else None
        if operation is not None:
            operations[method.lower()] = written(rule, method, view, operation)
    return operations


def written(rule: Rule, method: str, view: Any, operation: Operation) -> Json:
    """One operation as OpenAPI spells it."""
    said = (view.func if isinstance(view, partial) else view).__doc__ or ""
    parameters = [
        *({"name": name, "in": "path", "required": True, "schema": operation.path} for name in sorted(rule.arguments)),
        *operation.query,
        *({"name": name, "in": "header", **header(about)} for name, about in operation.headers.items()),
    ]
    made: Json = {
        "tags": [rule.endpoint.partition(".")[0]],
        "summary": said.partition("\n")[0],
        "operationId": operation_id(rule.endpoint, method),
        "parameters": parameters,
        "security": operation.opened_by,
        "responses": responses(operation),
    }
    if operation.body:
        made["requestBody"] = {
            "required": any("required" in schema for schema in operation.body.values()),
            "content": {name: {"schema": schema} for name, schema in operation.body.items()},
        }
    return made


def responses(operation: Operation) -> Json:
    """Every status that the operation can answer with."""
    made = {"200": response("Done.", operation.answer, HEADERS | dict(operation.sends))}
    if operation.links:
        made["200"]["links"] = dict(operation.links)
    if operation.may_redirect:
        location: Json = {"Location": {"type": "string", "format": "uri", "description": "The page of the form's own."}}
        made["303"] = {"description": "A native form's visitor goes on.", "headers": headed(HEADERS | location)}
    for status, codes in by_status(operation.codes | ALWAYS).items():
        retried = RETRY_AFTER if status in (429, 503) else {}
        schema = operation.refuses if operation.refuses and status == 422 else refusal(status, codes)
        made[str(status)] = response(f"Refused: {', '.join(codes)}.", schema, HEADERS | retried)
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
