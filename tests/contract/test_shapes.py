"""Each parameter of each body and query by itself: its example is read, any other shape is refused by name."""

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from schemathesis.schemas import APIOperation, BaseSchema

from tests.contract.checks import OF_SHAPE
from tests.contract.conftest import Run
from tests.contract.loosened import ANYTHING, body_schema
from tests.contract.world import World, is_lead_endpoint

Json = dict[str, Any]

# A shape is judged before any database is asked.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="session")

# One of each JSON type, and of each size that may be too much.
VALUES: list[Any] = ["text", "x" * 9000, -1, 1.5, 10**12, True, {"a": {}}, [], [[]]]


def bodies(api: BaseSchema) -> Iterator[tuple[APIOperation, Json]]:
    """The operations that take JSON with what they take. Of those that a lead token opens one stands for all."""
    for each in api.get_all_operations():
        operation = each.ok()
        schema = body_schema(operation)
        if schema and (not is_lead_endpoint(operation) or operation.label == "POST /api/v1/leads"):
            yield operation, schema


def send(operation: APIOperation, world: World, run: Run, more: Json) -> Json:
    """The answer to the plainest request with these parameters more."""
    case = world.plainest(operation)
    case.body |= more
    return {"body": case.body, **run.check(case, world.account.bearer).json()}


def test_what_the_document_shows_as_an_example_has_a_shape_that_is_read(
    api: BaseSchema, world: World, run: Run
) -> None:
    for operation, schema in bodies(api):
        for name, about in schema["properties"].items():
            if name in ANYTHING:
                continue
            answer = send(operation, world, run, {name: about["example"]})
            # An upload names the lines that it could not read, and no parameter.
            said = [] if isinstance(answer.get("errors"), list) else answer.get("errors", {}).get(name, [])
            assert not [text for text in said if OF_SHAPE.match(text)], (operation.label, name, said)


def test_what_has_a_shape_that_is_not_read_is_refused_by_name(api: BaseSchema, world: World, run: Run) -> None:
    for operation, schema in bodies(api):
        judges = {
            name: jsonschema.Draft202012Validator(about)
            for name, about in schema["properties"].items()
            if name not in ANYTHING
        }
        for value in VALUES:
            wrong = {name: value for name, judge in judges.items() if not judge.is_valid(value)}
            # One answer names all that is wrong, mostly: what it does not name is sent by itself.
            for name in wrong.keys() - named(send(operation, world, run, wrong) if wrong else {}):
                answer = send(operation, world, run, {name: value})
                assert name in named(answer), (operation.label, name, str(value)[:20], answer)


def named(answer: Json) -> set[str]:
    """The parameters that a refusal names."""
    return {each.partition(".")[0] for each in answer.get("errors", {})}


def queries(api: BaseSchema) -> Iterator[tuple[APIOperation, str, Json]]:
    """Each filter of each list."""
    for each in api.get_all_operations():
        operation = each.ok()
        if operation.method == "get" and not is_lead_endpoint(operation):
            for parameter in operation.query:
                yield operation, parameter.name, parameter.definition


def errors_of(operation: APIOperation, world: World, run: Run, name: str, value: str) -> Json:
    """What the plainest request with one parameter in its query is told about each parameter."""
    case = world.plainest(operation)
    case.query = {name: value}
    answer = run.check(case, world.account.bearer).json()
    # `root=false` answers a bare list.
    return answer.get("errors", {}) if isinstance(answer, dict) else {}


# What fits no type but text, which may be anything.
WRONG = "no-such-value!"


def test_the_example_of_each_filter_is_read_and_a_wrong_value_is_refused_by_name(
    api: BaseSchema, world: World, run: Run
) -> None:
    for operation, name, about in queries(api):
        schema = about["schema"]
        errors = errors_of(operation, world, run, name, str(schema["example"]))
        # A cursor is one only where an answer gave it.
        assert name == "cursor" or errors == {}, (operation.label, name, errors)
        if not (schema["type"] == "string" and schema.keys().isdisjoint({"enum", "format", "pattern"})):
            assert name in errors_of(operation, world, run, name, WRONG), (operation.label, name)
