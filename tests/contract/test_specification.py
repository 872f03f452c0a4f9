"""The document is whole: every route, every parameter with its words, every code; and valid by OpenAPI's own schema."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient

from server.docs.controls import CONTROLS
from server.docs.reading import read_reference
from server.docs.specification import VARIABLE, build_specification
from server.errors import STATUS_OF_CODE
from server.leads.params import READ_CONTROLS
from tests.contract.world import UNKNOWN_ID
from tests.raw import listed

Json = dict[str, Any]
# The framework's own, about any path.
NOBODYS = {"HEAD", "OPTIONS"}
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")
# What is answered where no operation is: to a method that a path does not take; and what is never answered.
BESIDE = {"method_not_allowed", "quarantined"}


@pytest.fixture(scope="module")
def document(app: Flask) -> Json:
    return build_specification(app)


def test_every_route_of_the_api_is_described(app: Flask, document: Json) -> None:
    routes = {
        f"{method} {VARIABLE.sub('{}', rule.rule)}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - NOBODYS
        if rule.rule.startswith("/api/v1")
    }
    described = {
        f"{method.upper()} {re.sub('{.*?}', '{}', path)}" for path, item in document["paths"].items() for method in item
    }
    # One that is missing is added to `OPERATIONS` in `server/docs/operations.py`.
    assert sorted(routes - described) == []
    assert described == routes


def test_the_document_is_valid_openapi_and_the_same_each_time(app: Flask, document: Json) -> None:
    schemathesis.openapi.from_dict(json.loads(json.dumps(document))).validate()
    assert json.dumps(build_specification(app)) == json.dumps(document)


def test_no_two_operations_have_one_name(document: Json) -> None:
    names = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(set(names)) == len(names)


def test_every_parameter_and_every_field_of_a_body_has_its_words_a_type_and_an_example(document: Json) -> None:
    bare = set()
    for path, operation in operations(document):
        for parameter in operation["parameters"]:
            if not parameter.get("description") or "example" not in parameter["schema"]:
                bare.add((path, parameter["name"]))
        for body in operation.get("requestBody", {}).get("content", {}).values():
            bare |= {(path, name) for name in undescribed(document, body["schema"])}
    assert bare == set()


def undescribed(document: Json, schema: Json) -> Iterator[str]:
    """The properties without their words, without any type or without an example."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for name, about in schema.get("properties", {}).items():
        if not about.get("description") or not {"type", "anyOf"} & about.keys() or "example" not in about:
            yield name
        yield from (f"{name}.{inner}" for inner in undescribed(document, about))


def test_every_member_of_an_answer_has_its_words(document: Json) -> None:
    bare = {
        (method.page, member.full_name)
        for method in read_reference(document).methods()
        for top in method.returns
        for _, member in top.rows()
        if not member.description
    }
    # They are said once, in `server/docs/words.py`.
    assert bare == set()


def operations(document: Json) -> Iterator[tuple[str, Json]]:
    """Every operation with its path."""
    for path, item in document["paths"].items():
        for operation in item.values():
            yield path, operation


def test_every_code_is_declared_somewhere_and_under_its_own_status(document: Json) -> None:
    declared = set()
    for _, operation in operations(document):
        for status, response in operation["responses"].items():
            for part in response.get("content", {}).get("application/json", {}).get("schema", {}).get("allOf", []):
                codes = part.get("properties", {}).get("code", {}).get("enum", [])
                assert {STATUS_OF_CODE[code] for code in codes} <= {int(status)}
                declared |= {*codes}
    assert declared == STATUS_OF_CODE.keys() - BESIDE


def test_the_controls_that_are_read_are_those_that_are_described() -> None:
    assert CONTROLS.keys() == READ_CONTROLS


def test_a_method_that_a_path_does_not_take_is_refused_and_the_others_are_named(
    client: FlaskClient, document: Json
) -> None:
    for path in document["paths"]:
        asked = re.sub(r"{.+?}", UNKNOWN_ID, path)
        taken = methods_of(document, asked)
        for method in sorted({*METHODS} - taken):
            answer = client.open(asked, method=method)
            assert (answer.status_code, answer.get_json()["code"]) == (405, "method_not_allowed"), (method, path)
            assert listed(answer.headers["Allow"]) - {"head", "options"} == {each.lower() for each in taken}, path


def methods_of(document: Json, asked: str) -> set[str]:
    """What can be asked under a path: `/contacts/suppression` is also a `/contacts/{id}`."""
    matching = [
        item for path, item in document["paths"].items() if re.fullmatch(re.sub(r"{.+?}", "[^/]+", path), asked)
    ]
    return {method.upper() for item in matching for method in item}
