"""What every answer has to be, whatever was sent.

Schemathesis' own, where they apply: no error of the server, a declared status, content type, headers and body. Not its
others: `negative_data_rejection` and `positive_data_acceptance` know neither that free keys are lead tokens nor that a
well-formed request may be against a rule, so there are narrower ones here; `use_after_free` does not know that what is
deleted is still shown; `ignored_auth` asks for a 401 where a lead token's answer is a 422, and `test_keys.py`,
`test_powers.py` and `test_tenants.py` ask for all of that; `unsupported_method` is asked of every path by
`test_specification.py`.
"""

import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema
from schemathesis import Case, CheckContext
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.transport import Response
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from server.leads.lifting import FLAG, wished
from tests.contract.loosened import body_schema
from tests.contract.world import API, JSON, positive
from tests.raw import listed

VALIDATOR = jsonschema.Draft202012Validator
# What a refusal says of a value's shape. Where the document allows the shape, none of it may be said.
OF_SHAPE = re.compile(
    r"must be text|must be a whole number|must be true or false|must be a list|must be an object|must be at most"
    r"|must be one of|is unknown|is missing(?! beside)|must hold at most|is no acceptance rule"
    r"|Must be a (String|Hash|Integer|boolean|decimal)\b(?! of digits)"
)


def always_carried(ctx: CheckContext, response: Response, case: Case) -> bool | None:
    """CORS for every page, a request id that the body repeats, and nothing for caches."""
    headers = response.headers
    # A page that sends a lead is named, and may have sent credentials.
    page = response.request.headers.get("Origin") if "access-control-allow-credentials" in headers else None
    assert headers["access-control-allow-origin"] == [page or "*"], headers
    exposed = listed(headers["access-control-expose-headers"][0])
    assert exposed == {"retry-after", "idempotent-replayed", "x-request-id"}, headers
    assert headers["cache-control"] == ["no-store"], headers
    [request_id] = headers["x-request-id"]
    content = response.json() if response.content else {}
    metadata = content.get("metadata", {}) if isinstance(content, dict) else {}
    # A replay is the answer that the key had before, to the letter.
    if "idempotent-replayed" not in headers:
        assert metadata.get("request_id", request_id) == request_id, "another request's id"
    assert ("retry-after" in headers) == (response.status_code in (429, 503)), headers
    return None


# What shape these have depends on the value type of their contact field, which may be stored.
BY_TYPE = {"minimum", "maximum"}


def allowed_shapes_are_read(ctx: CheckContext, response: Response, case: Case) -> bool | None:
    """A value of a shape that the document allows may be refused for what it means, never for its shape."""
    if case.meta is None or not case.meta.generation.mode.is_positive or case.media_type not in (None, JSON):
        return None
    if response.status_code == 422 and positive(case, ParameterLocation.BODY):
        content = response.json()
        strange = {
            name: texts
            for name, texts in content["errors"].items()
            if any(map(OF_SHAPE.match, texts)) and name not in BY_TYPE and not spelt_number(case.body, name)
        }
        assert content["code"] != "invalid_parameter" or not strange, strange
    return None


def spelt_number(body: Any, name: str) -> bool:
    """Whether a parameter was sent as digits, of which a schema says no range."""
    for part in name.split("."):
        body = body.get(part) if isinstance(body, dict) else body[int(part)] if isinstance(body, list) else None
    return isinstance(body, str) and bool(re.fullmatch(r"[+-]?[0-9.]+", body.strip()))


def forbidden_shapes_are_refused(ctx: CheckContext, response: Response, case: Case) -> bool | None:
    """JSON that the document does not allow is refused, and so is a filter that it does not name."""
    schema = body_schema(case.operation)
    # What is wrong with a lead of a batch is said in that lead's own answer.
    batch = case.operation.path.endswith("/leads/batch")
    if schema and not batch and case.media_type == JSON and response.status_code == 200:
        sent = as_read(case.operation, response.request.body or b"")
        wrong = [f"{error.json_path}: {error.instance!r:.200}" for error in VALIDATOR(schema).iter_errors(sent)]
        assert not wrong, f"a body was taken that is not allowed: {wrong}"
    if case.method == "GET" and "caller_" not in case.path and response.status_code == 200:
        named = {parameter.name for parameter in case.operation.query}
        filters = parse_qsl(urlsplit(str(response.request.url)).query)
        strange = {name for name, value in filters if name not in named and value.strip()}
        assert not (named and strange), f"filters were taken that the document does not name: {strange}"
    return None


def as_read(operation: APIOperation, sent: bytes | str) -> Any:
    """What a JSON body means: white space at edges does not count, and nothing and null are an empty object. What is
    blank is absent for a lead and for a call."""
    try:
        value = trimmed(json.loads(sent)) if sent.strip() else {}
    except ValueError:
        return "no JSON"
    if isinstance(value, dict) and (operation.path.startswith(f"{API}leads") or operation.path == f"{API}calls"):
        # Of another system's payload, `data` that is no hash of tokens is that system's.
        theirs = {"data"} if FLAG in value and wished(value) and not isinstance(value.get("data"), dict) else set()
        return {name: inner for name, inner in value.items() if inner not in (None, "") and name not in theirs}
    return {} if value is None else value


def trimmed(value: Any) -> Any:
    """Keys and texts without white space at their edges."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return [trimmed(inner) for inner in value]
    if isinstance(value, dict):
        return {name.strip(): trimmed(inner) for name, inner in value.items()}
    return value


def captures_say_what_they_matched(ctx: CheckContext, response: Response, case: Case) -> bool | None:
    """`capture` adds `dedupe`, and no other endpoint does; a key's replay is what it was, wherever it was first."""
    if response.status_code == 200 and "idempotent-replayed" not in response.headers:
        content = response.json()
        assert ("dedupe" in content) == case.operation.path.endswith("/leads/capture"), content
    return None


CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    always_carried,
    captures_say_what_they_matched,
    allowed_shapes_are_read,
    forbidden_shapes_are_refused,
]
