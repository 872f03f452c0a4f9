"""What is one company's, no other company reads, changes or even finds: every route, every method, asked of the app.

A route without a case here fails: whoever adds one says how it is opened and what of a company it can reach.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.api.calls import CAPTURE, LEADS, NUMBER, Json, refused, take
from tests.api.kinds import KINDS, VERSION, Kind, wrong
from tests.factories import Account
from tests.snapshot import Difference, difference, snapshot

pytestmark = pytest.mark.both_databases

Make = Callable[[FlaskClient, Account], Any]
# A word that only one company has stored: no answer to another holds it.
MARK = "only_ours"
CALL: Json = {"caller_id": NUMBER, "external_id": "CA-1", "data": {"heard": MARK}}
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
    made = take(client, account.schedule_token, vendor_lead_id="L-1", email="a@example.com", data={MARK: MARK})
    return made["lead_id"]


def deleted_lead(client: FlaskClient, account: Account) -> Any:
    """A lead that is deleted."""
    made_id = lead(client, account)
    assert client.delete(f"{LEADS}/{made_id}", headers=account.bearer).status_code == 200
    return made_id


def number_of_lead(client: FlaskClient, account: Account) -> Any:
    """A lead's number; every company may have a lead of it."""
    lead(client, account)
    return NUMBER


def call(client: FlaskClient, account: Account) -> Any:
    """A call with a lead."""
    lead(client, account)
    answer = client.post("/api/v1/calls", json=CALL, headers=account.bearer)
    assert answer.status_code == 200, answer.get_json()
    return answer.get_json()["call"]["id"]


def marked_field(client: FlaskClient, account: Account) -> Any:
    """A contact field, which a form's builder may read."""
    body = {"offer_id": account.offer_id, "key": MARK, "name": MARK}
    answer = client.post("/api/v1/contact_fields", json=body, headers=account.bearer)
    assert answer.status_code == 200, answer.get_json()
    return MARK


def submission(client: FlaskClient, account: Account) -> Any:
    """A submission."""
    return take(client, account.schedule_token)["metadata"]["submission_id"]


def quarantined(client: FlaskClient, account: Account) -> Any:
    """A submission that looks as if a program had sent it."""
    return take(client, account.publishable_token, hp="x")["metadata"]["submission_id"]


def suppressed(client: FlaskClient, account: Account) -> Any:
    """A lead whose number is on the company's suppression list."""
    made_id = lead(client, account)
    answer = client.post("/api/v1/contacts/suppression", json=LISTED, headers=account.bearer)
    assert answer.get_json()["counts"]["suppressed"] == 1
    return made_id


def disclosure_version(client: FlaskClient, account: Account) -> tuple[Any, Any]:
    """A published version, after its disclosure."""
    made_id = kind_of("disclosure").make(client, account)["id"]
    answer = client.post(f"/api/v1/disclosures/{made_id}/versions", json=VERSION, headers=account.bearer)
    version_id = answer.get_json()["version"]["id"]
    path = f"/api/v1/disclosures/{made_id}/versions/{version_id}/publish"
    assert client.post(path, headers=account.bearer).status_code == 200
    return made_id, version_id


def published_disclosure(client: FlaskClient, account: Account) -> Any:
    """A disclosure with a published version."""
    return disclosure_version(client, account)[0]


def kind_of(one: str) -> Kind:
    """A managed kind by its name."""
    return next(kind for kind in KINDS if kind.one == one)


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


def leads_of(account: Account) -> Json:
    """The company's lead, where it has one."""
    leads = account.leads()
    return {"lead_id": leads[0]["id"]} if leads else {}


# A lead token opens these, and what is sent names another company's lead in every way there is.
FOREIGN_LEAD: Json = {
    "caller_id": NUMBER,
    "vendor_lead_id": "L-1",
    "email": "b@example.com",
    "delete_existing": True,
    "update_all_matching_leads": True,
    "blocked": True,
}

# The number of every company's lead.
LISTED: Json = {"numbers": [NUMBER]}

CASES: dict[str, Case] = {
    f"GET {LEADS}": Case("leads:read", lead, many="leads"),
    f"GET {LEADS}/<lead_id>": Case("leads:read", lead),
    "GET /api/v1/submissions": Case("submissions:read", submission, many="submissions"),
    "GET /api/v1/submissions/<submission_id>": Case("submissions:read", submission),
    "GET /api/v1/submissions/counts": Case("submissions:read", submission),
    "POST /api/v1/submissions/<submission_id>/replay": Case("submissions:replay", submission),
    "POST /api/v1/submissions/<submission_id>/release": Case("leads:update", quarantined),
    "POST /api/v1/submissions/quarantine": Case(
        "leads:update", quarantined, lambda account: {"act": "release", "dry_run": True}
    ),
    f"PUT {LEADS}/<lead_id>": Case("leads:update", lead, lambda account: {"sub_id": "x"}),
    f"DELETE {LEADS}/<lead_id>": Case("leads:delete", lead),
    f"POST {LEADS}/<lead_id>/release": Case("leads:update", lead),
    f"POST {LEADS}/<lead_id>/restore": Case("leads:delete", deleted_lead),
    "POST /api/v1/calls": Case(
        "outcomes:write",
        call,
        lambda account: CALL | {"offer_id": account.offer_id, "schedule_id": account.schedule_id} | leads_of(account),
        references=("offer_id", "schedule_id", "lead_id"),
    ),
    "GET /api/v1/tokens/fields": Case(None, marked_field),
    f"GET {LEADS}/<subject>/caller_opt_out": Case(None, number_of_lead),
    **{
        f"{method} {path}": Case(None, make, lambda account: FOREIGN_LEAD)
        for method in ("POST", "PUT")
        for path, make in {
            LEADS: lead,
            CAPTURE: lead,
            f"{LEADS}/create_or_update": lead,
            f"{LEADS}/<subject>/lead_update": lead,
            f"{LEADS}/<subject>/lead_opt_out": lead,
            f"{LEADS}/<subject>/lead_remove": lead,
            f"{LEADS}/<subject>/lead_move_to_end_of_schedule": lead,
            f"{LEADS}/<subject>/caller_opt_out": number_of_lead,
            f"{LEADS}/<subject>/caller_remove": number_of_lead,
            f"{LEADS}/<subject>/caller_move_to_end_of_schedule": number_of_lead,
        }.items()
    },
}
CASES[f"POST {LEADS}/batch"] = Case(None, lead, lambda account: {"leads": [FOREIGN_LEAD] * 2})
for each in KINDS:
    CASES |= cases_of(each)
CASES |= {
    "POST /api/v1/disclosures/lint": Case("config:read", published_disclosure, lambda account: VERSION),
    "GET /api/v1/disclosures/<row_id>/preview": Case("config:read", published_disclosure),
    "GET /api/v1/disclosures/<row_id>/versions": Case("config:read", published_disclosure),
    "POST /api/v1/disclosures/<row_id>/versions": Case("config:write", published_disclosure, lambda account: VERSION),
    "GET /api/v1/disclosures/<row_id>/versions/<version_id>": Case("config:read", disclosure_version),
    "GET /api/v1/disclosures/<row_id>/versions/<version_id>/preview": Case("config:read", disclosure_version),
    "POST /api/v1/disclosures/<row_id>/versions/<version_id>/review": Case("config:write", disclosure_version),
    "POST /api/v1/disclosures/<row_id>/versions/<version_id>/publish": Case("config:write", disclosure_version),
    "GET /api/v1/snippets/<row_id>/embed": Case("config:read", made(kind_of("snippet"))),
    "POST /api/v1/snippets/<row_id>/publish": Case("config:write", made(kind_of("snippet"))),
    "POST /api/v1/lead_tokens/<row_id>/rotate": Case("config:write", made(kind_of("lead_token"))),
    "GET /api/v1/lead_tokens/<row_id>/reveal": Case("tokens:reveal", made(kind_of("lead_token"))),
    "POST /api/v1/lead_tokens/<row_id>/clear_exposure": Case("config:write", made(kind_of("lead_token"))),
    "POST /api/v1/users/<row_id>/reset_password": Case("access:write", made(kind_of("user"))),
    "POST /api/v1/api_keys/<row_id>/rotate": Case("access:write", made(kind_of("api_key"))),
    "POST /api/v1/contacts/suppression": Case("leads:update", lead, lambda account: LISTED),
    "DELETE /api/v1/contacts/suppression": Case("leads:update", suppressed, lambda account: LISTED),
}

BY_KEY = [route for route, case in CASES.items() if case.scope is not None]
BY_LEAD_TOKEN = [route for route, case in CASES.items() if case.scope is None]
LISTS = [route for route, case in CASES.items() if case.many]
OF_ONE = [route for route in CASES if "<" in route and CASES[route].scope is not None]
MAKING = [route for route in BY_KEY if "<" not in route and route not in LISTS]
POINTING = [(route, name) for route, case in CASES.items() for name in case.references]


@pytest.fixture
def other(accounts: Iterator[Account]) -> Account:
    """The other company, with the same names of everything."""
    return next(accounts)


def ask(
    client: FlaskClient, route: str, made_id: Any, headers: dict[str, str] | None, body: Json | None = None
) -> TestResponse:
    """A request of this route about this thing."""
    method, rule = route.split()
    # A path that names two things is given both.
    ids = iter(made_id if isinstance(made_id, tuple) else [made_id])
    path = re.sub(r"<[^>]+>", lambda _: quote(str(next(ids))), rule)
    if method == "GET":
        return client.get(path, query_string=body, headers=headers)
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


# The contract has it that a number opts out by GET: a link in a message does so.
READS = sorted({route for route in CASES if route.startswith("GET")} - {f"GET {LEADS}/<subject>/caller_opt_out"})


@pytest.mark.parametrize("route", READS)
def test_a_get_writes_nothing_whoever_asks_under_whatever_name(
    client: FlaskClient, account: Account, route: str
) -> None:
    case = CASES[route]
    made_id = case.make(client, account)
    before = snapshot(account.app, account.company_id)
    for host in ("localhost", "one.example", "two.example:8080"):
        for headers in (account.bearer, {}, {"Origin": "https://page.example"}):
            ask(client, route, made_id, headers | {"Host": host}, case.body(account))
            ask(client, route, made_id, headers | {"Host": host})
    assert difference(before, snapshot(account.app, account.company_id)) == Difference()


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


def unknown_like(made_id: Any) -> Any:
    """An id of the same shape that names nothing."""
    if isinstance(made_id, tuple):
        return (unknown_like(made_id[0]), *made_id[1:])
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


@pytest.mark.parametrize("route", MAKING)
def test_what_a_company_makes_touches_nothing_of_another(
    client: FlaskClient, account: Account, other: Account, route: str
) -> None:
    case = CASES[route]
    case.make(client, account)
    before = snapshot(account.app, account.company_id)
    answer = ask(client, route, None, other.bearer, case.body(other))
    assert answer.status_code == 200, answer.get_json()
    assert snapshot(account.app, account.company_id) == before


@pytest.mark.parametrize(("route", "name"), POINTING)
def test_what_is_made_points_at_its_own_companys_things_only(
    client: FlaskClient, account: Account, other: Account, route: str, name: str
) -> None:
    case = CASES[route]
    for company in (account, other):
        case.make(client, company)
    body = case.body(other) | {name: case.body(account)[name]}
    before = snapshot(account.app, account.company_id, other.company_id)
    errors = wrong(ask(client, route, None, other.bearer, body))
    assert set(errors) == {name}
    assert errors[name][0].endswith((" of this company", " of this number"))
    assert snapshot(account.app, account.company_id, other.company_id) == before


@pytest.mark.parametrize("token", ["schedule_token", "offer_token", "publishable_token", "vendor_token"])
@pytest.mark.parametrize("route", BY_LEAD_TOKEN)
def test_a_lead_token_reaches_its_own_companys_leads_only(
    client: FlaskClient, account: Account, other: Account, route: str, token: str
) -> None:
    case = CASES[route]
    made_id = case.make(client, account)
    hidden = [MARK, "a@example.com", *(each["id"] for each in account.leads())]
    before = snapshot(account.app, account.company_id)
    body = case.body(account) | {"lead_token": getattr(other, token)}
    answer = ask(client, route, made_id, other.bearer, body)
    assert answer.status_code in (200, 403, 404, 422)
    if made_id in hidden and "<" in route:
        assert answer.status_code in (403, 404)
    said = answer.get_data(as_text=True)
    assert [each for each in hidden if each in said] == []
    assert snapshot(account.app, account.company_id) == before
    # The company's own token reaches it.
    own = ask(client, route, made_id, None, body | {"lead_token": account.schedule_token})
    assert own.status_code == 200, own.get_json()
    assert difference(before, snapshot(account.app, account.company_id)) != Difference() or route.startswith("GET")
