"""dry_run and explain (API.md §7): a dry run answers what a real one would, and leaves nothing."""

import json
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import event, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from server.migrations import migrate
from tests.api.calls import CAPTURE, LEADS, NUMBER, OTHER_NUMBER, PAGE, Json, refused, send, take
from tests.conftest import new_settings, opened
from tests.factories import Account, make_account
from tests.snapshot import snapshot

ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)? ?(?:[+-]\d\d:?\d\d|Z)")

TOKENS = ("schedule", "offer", "vendor", "publishable")
KEYS = ("none", "all scopes", "another scope", "junk")


@dataclass(frozen=True)
class Ask:
    """One request, but for how it is run."""

    token: str
    params: Json
    url: str = LEADS
    key: str = "none"
    headers: dict[str, str] = field(default_factory=dict)


def maybe(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    """Some of the parameters."""
    return st.fixed_dictionaries({}, optional=values)


FLAGS = st.sampled_from([True, False, "yes"])
VALID = maybe(
    caller_id=st.sampled_from([NUMBER, OTHER_NUMBER, "7195550100"]),
    email=st.sampled_from(["a@example.com", "none"]),
    traffic_source_id=st.sampled_from(["google_ads", "bing"]),
    sub_id=st.sampled_from(["a", "b"]),
    blocked=FLAGS,
    opt_out=FLAGS,
    update_only=FLAGS,
    lead_priority=st.sampled_from([1, "2.5"]),
    max_contact_attempts=st.sampled_from([1, 5]),
    hours_to_expire=st.sampled_from([1, "24"]),
    expires_in=st.just(60),
    next_action_at=st.just("2026-12-24 08:00:00"),
    restart_schedule=st.just(True),
    vendor_lead_id=st.sampled_from(["v1", "v2"]),
    zip=st.sampled_from(["1", 2, "", {"a": [1]}]),
    data=st.just({"city": "x"}),
    root=st.just("lead"),
    auto_format_nested_fields=FLAGS,
    contact=st.sampled_from([{"mobile": OTHER_NUMBER, "name": {"first": "J"}}, {"email": "b@example.com"}]),
)
WRONG: list[Json] = [
    {"caller_id": "911"},
    {"caller_id": ""},
    {"lead_priority": "high"},
    {"blocked": "maybe"},
    {"next_action_at": "yesterday"},
    {"data": "text"},
    {"zip": "\0"},
    {"idempotency_key": "a b"},
]
# One request in five is refused for what it says.
PARAMS = st.builds(operator.or_, VALID, st.sampled_from([*[{}] * 4 * len(WRONG), *WRONG]))
HEADERS = maybe(**{"Idempotency-Key": st.sampled_from(["k1", "k2"]), "Origin": st.just(PAGE)})
ASKS = st.builds(
    Ask,
    token=st.sampled_from(TOKENS),
    params=PARAMS,
    url=st.sampled_from([LEADS, CAPTURE]),
    key=st.sampled_from(KEYS),
    headers=HEADERS,
)


def credentials(account: Account) -> dict[str, dict[str, str]]:
    """The headers of each kind of key."""
    return {
        "none": {},
        "all scopes": account.bearer,
        "another scope": account.key("leads:create"),
        "junk": {"Authorization": "Bearer undefined"},
    }


def run(account: Account, ask: Ask, keys: dict[str, dict[str, str]], **how: Any) -> TestResponse:
    """Sends a request the one way or the other."""
    token = getattr(account, f"{ask.token}_token")
    headers = ask.headers | keys[ask.key]
    return send(account.app.test_client(), token, url=ask.url, headers=headers, **ask.params, **how)


def essence(answer: TestResponse) -> tuple[int, str | None, Any]:
    """An answer but for ids and times, and for what only says that it was a dry run."""
    body = answer.get_json()
    body.pop("dry_run", None)
    body.pop("messages", None)
    body["metadata"].pop("submission_id")
    text = TIME.sub("<time>", ID.sub("<id>", json.dumps(body)))
    return answer.status_code, answer.headers.get("Idempotent-Replayed"), json.loads(text)


@settings(max_examples=15, deadline=None)
@given(before=st.lists(ASKS, max_size=3), ask=ASKS)
@pytest.mark.early
def test_a_dry_run_answers_as_the_real_run_and_leaves_the_database_as_it_was(
    app: Flask, before: list[Ask], ask: Ask
) -> None:
    account = make_account(app)
    keys = credentials(account)
    for earlier in before:
        run(account, earlier, keys)
    stored = snapshot(app, account.company_id)
    dry = run(account, ask, keys, dry_run=True)
    assert snapshot(app, account.company_id) == stored
    real = run(account, ask, keys, explain=True)
    assert snapshot(app, account.company_id) != stored
    event(f"{real.get_json().get('action', real.get_json().get('code'))} {real.headers.get('Idempotent-Replayed')}")
    assert essence(dry) == essence(real)


# What the property would not notice


def test_a_dry_run_says_that_it_was_one(client: FlaskClient, account: Account) -> None:
    dry = take(client, account.schedule_token, dry_run="yes")
    assert (dry["dry_run"], dry["action"], dry["metadata"]["submission_id"]) == (True, "created", None)
    real = take(client, account.schedule_token, dry_run="no")
    assert "dry_run" not in real
    assert real["metadata"]["submission_id"] == account.submissions()[0]["id"]


def test_a_dry_run_touches_no_row_of_any_company(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """In a database of its own: that of the tests holds thousands of companies."""
    with opened(new_settings(database, request, tmp_path)) as app:
        migrate(app)
        account, other = make_account(app), make_account(app)
        take(app.test_client(), other.schedule_token)
        run_dry(app.test_client(), account)


def run_dry(client: FlaskClient, account: Account) -> None:
    """Sends every kind of dry run, and finds the whole database as it was."""
    take(client, account.schedule_token, sub_id="a")
    stored = snapshot(account.app)
    everything: Json = {"blocked": True, "zip": "1", "sub_id": "b", "vendor_lead_id": "v", "idempotency_key": "k"}
    for token in (account.schedule_token, account.offer_token, account.publishable_token):
        take(client, token, dry_run=True, **everything, headers={"Origin": PAGE})
    refused(send(client, account.schedule_token, caller_id="911", dry_run=True), "invalid_caller_id")
    assert snapshot(account.app) == stored


@pytest.mark.parametrize(
    ("code", "params"),
    [
        ("invalid_caller_id", {"caller_id": "911"}),
        ("caller_id_missing", {"caller_id": ""}),
        ("invalid_parameter", {"lead_priority": "high"}),
        ("invalid_character", {"zip": "\0"}),
        ("no_matching_lead", {"update_only": True}),
        ("bad_idempotency_key", {"idempotency_key": "a b"}),
    ],
)
def test_a_dry_run_is_refused_as_the_real_run_and_leaves_no_submission(
    client: FlaskClient, account: Account, code: str, params: Json
) -> None:
    dry = refused(send(client, account.schedule_token, dry_run="1", **params), code)
    assert (dry["metadata"]["submission_id"], account.submissions()) == (None, [])
    real = refused(send(client, account.schedule_token, **params), code)
    assert dry["errors"] == real["errors"]
    assert [row["id"] for row in account.submissions()] == [real["metadata"]["submission_id"]]


def test_a_dry_run_that_cannot_be_read_leaves_no_submission(client: FlaskClient, account: Account) -> None:
    url = f"{LEADS}?lead_token={account.schedule_token}&dry_run=true"
    answer = client.post(url, data="{", content_type="application/json")
    refused(answer, "malformed_body")
    assert account.submissions() == []


@pytest.mark.parametrize("flag", ["dry_run", "explain"])
@pytest.mark.parametrize("value", ["maybe", 2, 1.0, [True]])
def test_a_switch_that_is_no_boolean_is_refused_and_kept(
    client: FlaskClient, account: Account, flag: str, value: object
) -> None:
    body = refused(send(client, account.schedule_token, **{flag: value}), "invalid_parameter")
    assert body["errors"] == {flag: ["Must be a boolean value: 1, true, yes, on, 0, false, no, off"]}
    assert (account.leads(), len(account.submissions())) == ([], 1)


# Why


def steps(body: Json) -> list[str]:
    """The names of the steps of an explanation."""
    return [step["step"] for step in body["why"]]


def test_explain_says_how_a_lead_was_made(client: FlaskClient, account: Account) -> None:
    body = take(client, account.schedule_token, explain=True, traffic_source_id="google_ads", apply_to="calls")
    wanted = ["token", "powers", "number", "wishes", "attribute", "contact", "match", "plan", "calls"]
    assert steps(body) == wanted
    why = {step["step"]: step for step in body["why"]}
    assert all(step["rule"] for name, step in why.items() if name != "token")
    assert (why["token"]["decided"], why["token"]["record"]) == ("schedule", account.schedule_id)
    assert why["powers"]["decided"] == "server"
    assert (why["number"]["read"], why["number"]["decided"]) == ({"region": "US", "vanity": False}, NUMBER)
    assert why["wishes"]["decided"] == {"left_undone": []}
    assert (why["calls"]["decided"], why["calls"]["rule"]) == (False, "no tokens were sent")
    assert (why["attribute"]["decided"], why["attribute"]["record"]) == ("google_ads", account.source_id)
    assert (why["contact"]["decided"], why["contact"]["read"]) == ("new contact", {"blocked": False, "opt_out": False})
    assert (why["match"]["read"], why["match"]["decided"]) == ({"candidates": []}, "new lead")
    assert (why["plan"]["record"], why["plan"]["rule"]) == (account.action_id, "the schedule's first action")


def test_explain_names_the_lead_that_won_and_the_one_that_lost(client: FlaskClient, account: Account) -> None:
    named = take(client, account.schedule_token, vendor_lead_id="v")
    live = take(client, account.schedule_token, caller_id=OTHER_NUMBER)
    asked: Json = {"vendor_lead_id": "v", "caller_id": OTHER_NUMBER, "explain": True}
    body = take(client, account.schedule_token, **asked)
    match = next(step for step in body["why"] if step["step"] == "match")
    assert match["record"] == live["lead_id"]
    assert [(each["record"], each["by"], each["live"]) for each in match["read"]["candidates"]] == [
        (named["lead_id"], "vendor_lead_id", True),
        (live["lead_id"], "number", True),
    ]


def test_explain_says_why_a_double_click_had_no_effect(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token)
    body = take(client, account.schedule_token, explain=1)
    assert (body["action"], steps(body)[-1], body["why"][-1]["decided"]) == ("unchanged", "repeat", "unchanged")


def test_what_is_explained_is_what_the_submission_keeps(client: FlaskClient, account: Account) -> None:
    body = take(client, account.schedule_token, explain=True)
    assert json.loads(account.submissions()[0]["why"]) == body["why"]


def test_nothing_is_explained_that_was_not_asked_for(client: FlaskClient, account: Account) -> None:
    assert "why" not in take(client, account.schedule_token)
    assert "why" not in take(client, account.schedule_token, explain="off", zip="1")


@pytest.mark.parametrize("how", ["dry_run", "explain"])
def test_a_page_gets_no_explanation(client: FlaskClient, account: Account, how: str) -> None:
    take(client, account.schedule_token, zip="secret")
    for token, headers in ((account.publishable_token, {}), (account.schedule_token, {"Origin": PAGE})):
        body = take(client, token, url=CAPTURE, headers=headers, **{how: True})
        assert "why" not in body
        assert body["dedupe"] == {"action": "received", "matched_lead_id": None, "rule": None}
        assert "secret" not in json.dumps(body)


# Misspelt


PLACES: dict[str, Callable[[FlaskClient, str, str], TestResponse]] = {
    "in the body": lambda client, token, key: send(client, token, **{key: True}),
    "in the query string": lambda client, token, key: client.post(
        LEADS, query_string={"lead_token": token, "caller_id": NUMBER, key: "1"}
    ),
    "in a form": lambda client, token, key: client.post(
        LEADS, data={"lead_token": token, "caller_id": NUMBER, key: "yes"}
    ),
    "in data": lambda client, token, key: send(client, token, data={key: "true"}),
    "in data_json": lambda client, token, key: send(client, token, data_json=json.dumps({key: "true"})),
    "beside a payload that is lifted": lambda client, token, key: client.post(
        LEADS,
        query_string={"lead_token": token, "auto_format_nested_fields": "true", key: "true"},
        json={"lead": {"phone": NUMBER, "first_name": "Ann"}},
    ),
    "beside a Typeform": lambda client, token, key: client.post(
        LEADS,
        query_string={"lead_token": token, "auto_format_nested_fields": "true", key: "true"},
        json={
            "form_response": {
                "definition": {"fields": [{"id": "a", "type": "phone_number", "title": "Phone", "ref": "phone"}]},
                "answers": [{"type": "phone_number", "phone_number": NUMBER, "field": {"id": "a", "ref": "phone"}}],
            }
        },
    ),
}


@pytest.mark.parametrize("key", ["dryrun", "dry-run", "DryRun", "Dry_Run", "dry_runs", "update_onyl", "deleteExisting"])
@pytest.mark.parametrize("place", PLACES)
def test_a_misspelt_flag_makes_no_lead_wherever_it_stands(
    client: FlaskClient, account: Account, place: str, key: str
) -> None:
    answer = refused(PLACES[place](client, account.schedule_token, key), "invalid_parameter")
    [(named, texts)] = answer["errors"].items()
    assert named.removeprefix("data.") == key
    assert "did you mean" in texts[0]
    assert account.leads() == []


def test_a_misspelt_flag_tells_a_page_no_more_than_that(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token)
    before = account.leads()
    answers = []
    for number in (NUMBER, OTHER_NUMBER):
        answer = refused(send(client, account.publishable_token, caller_id=number, dryrun=True), "invalid_parameter")
        del answer["metadata"]
        answers.append(answer)
    assert answers[0] == answers[1]
    assert account.leads() == before


def test_a_misspelt_flag_in_a_batch_costs_its_own_lead_only(client: FlaskClient, account: Account) -> None:
    leads = [{"caller_id": NUMBER, "dryrun": True}, {"caller_id": OTHER_NUMBER, "callerId": "x"}]
    answer = client.post(f"{LEADS}/batch", json={"lead_token": account.schedule_token, "leads": leads}).get_json()
    first, second = answer["results"]
    assert (first["code"], list(first["errors"])) == ("invalid_parameter", ["dryrun"])
    assert [(warning["param"], warning["code"]) for warning in second["warnings"]] == [("callerId", "did_you_mean")]
    assert [lead["caller_id"] for lead in account.leads()] == [OTHER_NUMBER]


def test_a_number_whose_name_is_misspelt_is_named(client: FlaskClient, account: Account) -> None:
    answer = client.post(LEADS, json={"lead_token": account.schedule_token, "callerid": NUMBER})
    assert refused(answer, "caller_id_missing")["errors"] == {"caller_id": ["is missing; you sent `callerid`"]}
