"""What is one company's, no other company reads, changes or even finds: every route, every method, asked of the app.

A route without a case here fails: whoever adds one says how it is opened and what of a company it can reach.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.api.calls import CAPTURE, LEADS, NUMBER, Json, refused, take
from tests.api.kinds import KINDS, Kind, wrong
from tests.factories import Account, make_account
from tests.snapshot import difference, snapshot

Make = Callable[[FlaskClient, Account], Any]
# What never belongs to the rules below: the server answers them by itself.
OWN_METHODS = {"HEAD", "OPTIONS"}


@dataclass(frozen=True)
class Case:
    """How a route is opened, and what it can reach."""

    # The scope that an API key needs; None where a lead token opens the route.
    scope: str | None
    # Makes what the route is about, and answers what stands in its path for it.
    make: Make
    # What is sent, by the company whose things it names.
    body: Callable[[Account], Json] = lambda account: {}
    # The member of the answer that holds a list; None where the route is about one thing.
    many: str | None = None
    # The parameters of the body that point at things of the company.
    references: tuple[str, ...] = ()


def made(kind: Kind) -> Make:
    """Makes one of a kind by API."""
    return lambda client, account: kind.make(client, account)["id"]


def made_deleted(kind: Kind) -> Make:
    """Makes one of a kind and deletes it."""

    def make(client: FlaskClient, account: Account) -> Any:
        row_id = kind.make(client, account)["id"]
        assert client.delete(f"{kind.path}/{row_id}", headers=account.bearer).status_code == 200
        return row_id

    return make


def lead(client: FlaskClient, account: Account) -> Any:
    """A lead of the schedule."""
    return take(client, account.schedule_token, vendor_lead_id="L-1", email="a@example.com")["lead_id"]


def submission(client: FlaskClient, account: Account) -> Any:
    """A submission."""
    return take(client, account.schedule_token)["metadata"]["submission_id"]


def cases_of(kind: Kind) -> dict[str, Case]:
    """The routes of a managed kind."""
    one = f"{kind.path}/<row_id>"
    cases = {
        "list": (f"GET {kind.path}", Case(kind.reads, made(kind), many=kind.many)),
        "create": (f"POST {kind.path}", Case(kind.writes, made(kind), kind.body, references=kind.references)),
        "show": (f"GET {one}", Case(kind.reads, made(kind))),
        "update": (f"PUT {one}", Case(kind.writes, made(kind), lambda account: kind.change)),
        "delete": (f"DELETE {one}", Case(kind.writes, made(kind))),
        "restore": (f"POST {one}/restore", Case(kind.writes, made_deleted(kind))),
    }
    return dict(case for verb, case in cases.items() if verb not in kind.without)


# A lead token opens these, and what is sent names another company's lead in every way there is.
FOREIGN_LEAD: Json = {
    "caller_id": NUMBER,
    "vendor_lead_id": "L-1",
    "email": "b@example.com",
    "delete_existing": True,
    "update_all_matching_leads": True,
    "blocked": True,
}

CASES: dict[str, Case] = {
    f"GET {LEADS}": Case("leads:read", lead, many="leads"),
    f"GET {LEADS}/<lead_id>": Case("leads:read", lead),
    "GET /api/v1/submissions": Case("submissions:read", submission, many="submissions"),
    "GET /api/v1/submissions/<submission_id>": Case("submissions:read", submission),
    **{
        f"{method} {path}": Case(None, lead, lambda account: FOREIGN_LEAD)
        for method in ("POST", "PUT")
        for path in (LEADS, CAPTURE)
    },
}
for each in KINDS:
    CASES |= cases_of(each)

BY_KEY = [route for route, case in CASES.items() if case.scope is not None]
BY_LEAD_TOKEN = [route for route, case in CASES.items() if case.scope is None]
LISTS = [route for route, case in CASES.items() if case.many]
OF_ONE = [route for route in CASES if "<" in route and CASES[route].scope is not None]
POINTING = [(route, name) for route, case in CASES.items() for name in case.references]


@pytest.fixture
def other(account: Account) -> Account:
    """The other company, with the same names of everything."""
    return make_account(account.app)


def ask(
    client: FlaskClient, route: str, made_id: Any, headers: dict[str, str] | None, body: Json | None = None
) -> TestResponse:
    """A request of this route about this thing."""
    method, rule = route.split()
    path = re.sub(r"<[^>]+>", str(made_id), rule)
    return client.open(path, method=method, json=body or None, headers=headers)


def test_every_route_has_its_case(app: Flask) -> None:
    routes = {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1")
        for method in (rule.methods or set()) - OWN_METHODS
    }
    assert routes == set(CASES)


@pytest.mark.parametrize("route", BY_KEY)
def test_a_route_opens_to_a_key_with_its_scope_and_to_nothing_else(
    client: FlaskClient, account: Account, route: str
) -> None:
    case = CASES[route]
    assert case.scope is not None
    made_id = case.make(client, account)
    body = case.body(account)
    before = snapshot(account.app, account.company_id)
    refused(ask(client, route, made_id, None, body), "key_required")
    refused(ask(client, route, made_id, {"Authorization": "Bearer x"}, body), "key_invalid")
    with_token = {"Authorization": f"Bearer {account.schedule_token}"}
    refused(ask(client, route, made_id, with_token, body), "key_invalid")
    assert snapshot(account.app, account.company_id) == before
    lacking = account.key(*({"leads:read", "config:read", "submissions:replay"} - {case.scope}))
    before = snapshot(account.app, account.company_id)
    answer = refused(ask(client, route, made_id, lacking, body), "scope_missing")
    assert (answer["status"], answer["errors"]) == (403, {"auth_token": [f"lacks the scope {case.scope}"]})
    assert snapshot(account.app, account.company_id) == before
    answer = ask(client, route, made_id, account.key(case.scope), body).get_json()
    assert answer.get("success", True), answer


@pytest.mark.parametrize("route", OF_ONE)
def test_another_companys_thing_is_not_there(client: FlaskClient, account: Account, other: Account, route: str) -> None:
    case = CASES[route]
    made_id = case.make(client, account)
    before = snapshot(account.app, account.company_id, other.company_id)
    answer = refused(ask(client, route, made_id, other.bearer, case.body(other)), "not_found")
    unknown = ask(client, route, unknown_like(made_id), other.bearer, case.body(other))
    # Nothing tells another company's thing from one that there is not.
    for name in ("status", "message", "detail", "errors"):
        assert answer[name] == unknown.get_json()[name]
    assert snapshot(account.app, account.company_id, other.company_id) == before
    found = ask(client, route, made_id, account.bearer, case.body(account))
    assert found.status_code == 200, found.get_json()


def unknown_like(made_id: Any) -> str:
    """An id of the same shape that names nothing."""
    return "2147483647" if str(made_id).isdigit() else "00000000-0000-7000-8000-000000000000"


@pytest.mark.parametrize("route", LISTS)
def test_a_list_shows_its_own_companys_things_only(
    client: FlaskClient, account: Account, other: Account, route: str
) -> None:
    case = CASES[route]
    assert case.many is not None
    made_id = case.make(client, account)
    mine, theirs = (ask(client, route, made_id, company.bearer).get_json() for company in (account, other))
    ids = {row["id"] for row in mine[case.many]}
    assert made_id in ids
    assert ids.isdisjoint(row["id"] for row in theirs[case.many])
    assert theirs["metadata"]["total_count"] == len(theirs[case.many])


@pytest.mark.parametrize(("route", "name"), POINTING)
def test_what_is_made_points_at_its_own_companys_things_only(
    client: FlaskClient, account: Account, other: Account, route: str, name: str
) -> None:
    body = CASES[route].body(other) | {name: CASES[route].body(account)[name]}
    before = snapshot(account.app, account.company_id, other.company_id)
    errors = wrong(ask(client, route, None, other.bearer, body))
    assert set(errors) == {name}
    assert errors[name][0].endswith(" of this company")
    assert snapshot(account.app, account.company_id, other.company_id) == before


@pytest.mark.parametrize("token", ["schedule_token", "offer_token", "publishable_token", "vendor_token"])
@pytest.mark.parametrize("route", BY_LEAD_TOKEN)
def test_a_lead_token_reaches_its_own_companys_leads_only(
    client: FlaskClient, account: Account, other: Account, route: str, token: str
) -> None:
    case = CASES[route]
    made_id = case.make(client, account)
    before = snapshot(account.app, account.company_id)
    body = case.body(account) | {"lead_token": getattr(other, token)}
    answer = ask(client, route, made_id, other.bearer, body)
    assert answer.status_code in (200, 403, 404, 422)
    assert str(made_id) not in answer.get_data(as_text=True)
    assert difference(before, snapshot(account.app, account.company_id)) == difference({}, {})
    assert "a@example.com" not in answer.get_data(as_text=True)
