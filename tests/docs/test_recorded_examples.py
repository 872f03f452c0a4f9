"""The answers that the documentation shows are recorded here, one for each operation, and nobody types them.

`./dev test tests/docs --record` writes docs_site/examples.json; without it, what is there must be what is answered.
"""

import json
from typing import Any

import pytest
import schemathesis
import time_machine
from flask import Flask
from schemathesis import Case

from server.config import PROJECT
from server.docs.specification import build_specification
from tests.api.calls import NOW
from tests.api.kinds import KINDS
from tests.contract.world import World, collection, plain_order
from tests.docs.stand_ins import StandIns
from tests.factories import Account, make_account

Json = dict[str, Any]


EXAMPLES = PROJECT / "docs_site" / "examples.json"
STALE = "docs_site/examples.json is not what the API answers: run `./dev test tests/docs --record`"


def test_the_documentation_shows_what_is_answered(app: Flask, request: pytest.FixtureRequest) -> None:
    records = record(app)
    if request.config.getoption("--record"):
        by_name = {name: records[name] for name in sorted(records)}
        EXAMPLES.write_text(json.dumps(by_name, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    assert json.loads(EXAMPLES.read_text(encoding="utf-8")) == records, STALE


def test_what_was_alike_is_alike_in_an_example() -> None:
    answer = json.loads(EXAMPLES.read_text(encoding="utf-8"))["leads_create_post"]["response"]
    metadata = answer["metadata"]
    assert answer["lead_id"] == answer["lead"]["id"]
    assert len({answer["lead_id"], metadata["submission_id"], metadata["request_id"]}) == 3


def record(app: Flask) -> Json:
    """The plainest request of each operation with its answer, by the operation's id."""
    api = schemathesis.openapi.from_dict(build_specification(app))
    api.app = app
    records = {}
    # The clock goes on, as the order of lists would else be chance.
    with time_machine.travel(NOW):
        world = World(make_account(app))
        world.furnish()
        for operation in plain_order(api):
            asked = world
            if operation.path.startswith("/api/v1/leads"):
                # A lead that comes in is the first of its company; what is done to one ends it, perhaps.
                is_new = operation.method.upper() != "GET" and not operation.path_parameters
                asked = World(make_account(app)) if is_new else world
                world.take_lead()
            case = asked.plainest(operation)
            fill(case, asked.account)
            records[operation.definition.raw["operationId"]] = one_record(asked, case)
    return records


def fill(case: Case, account: Account) -> None:
    """Has a plain request say so much that its answer shows something, and not too much."""
    verb = "" if case.operation.path_parameters else case.method
    path = case.operation.path
    if any(parameter.name == "per_page" for parameter in case.operation.query):
        case.query = {**(case.query or {}), "per_page": 2}
    elif kind := next((kind for kind in KINDS if path == kind.path and verb == "POST"), None):
        case.body = kind.body(account)
    elif kind := next((kind for kind in KINDS if path.rpartition("/")[0] == kind.path and case.method == "PUT"), None):
        case.body = kind.change
    elif shown := shown_bodies(case.operation.definition.raw):
        # The answer that a page shows is the one to the first example above it.
        case.body = {**shown[0]}
        (case.query or {}).pop("caller_id", None)


def shown_bodies(operation: Json) -> list[Json]:
    """The bodies that the document shows to copy, in their order."""
    content = operation.get("requestBody", {}).get("content", {})
    named = {name: each["value"] for about in content.values() for name, each in about.get("examples", {}).items()}
    return [named[name] for name in sorted(named)]


def one_record(world: World, case: Case) -> Json:
    """What is sent and answered, with stand-ins; both in one, so that what is alike stays so."""
    response = case.call(headers=world.account.bearer)
    assert response.status_code == 200, (case.operation.label, response.text)
    stand_ins = StandIns(case.operation.label)
    stand_ins.known["token"] = {world.account.schedule_token: "YOUR_TOKEN"}
    many = collection(case)
    path = case.operation.path
    for parameter, value in (case.path_parameters or {}).items():
        path = path.replace(f"{{{parameter}}}", str(stand_ins.replaced(value, parameter, many)))
    sent = {"method": case.method, "path": path, "query": dict(case.query or {})}
    body = case.body if isinstance(case.body, dict) else None
    return {
        "request": sent | {"query": stand_ins.replaced(sent["query"]), "body": stand_ins.replaced(body)},
        "status": response.status_code,
        "response": stand_ins.replaced(response.json()),
    }
