"""Answers (API.md §8): what stands in them, whatever comes, and where a form's visitor is sent on to."""

import json
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder, TestResponse

from server.config import Settings
from server.errors import STATUS_OF_CODE
from server.lib import clock
from server.lib.secrets import is_id
from tests.api.calls import CAPTURE, LEADS, NUMBER, PAGE, Json, refused, send, take, taken, warned
from tests.conftest import opened
from tests.factories import Account, make_account
from tests.unit import table

# The contract's example, key by key.
ANSWER = {"success", "status", "errors", "warnings", "action", "lead_id", "lead", "metadata"}
LEAD = {
    "id",
    "caller_id",
    "email",
    "offer_id",
    "schedule_id",
    "traffic_source_id",
    "sub_id",
    "status",
    "is_live",
    "test",
    "lead_priority",
    "contact_attempts",
    "max_contact_attempts",
    "next_action_at",
    "scheduled_callback_at",
    "expires_at",
    "deletes_at",
    "blocked",
    "opt_out",
    "trackdrive_number_plain",
    "sms_number_plain",
    "data",
    "created_at",
    "updated_at",
}
# A parameter of the contract's own that its example leaves out.
LEAD |= {"contact_field_type"}
METADATA = {"root", "request_id", "submission_id"}
ERROR = {"success", "status", "type", "title", "code", "message", "error", "detail", "errors", "metadata"}


# A lead that was taken


@pytest.mark.parametrize("token", ["schedule", "offer", "vendor", "publishable"])
def test_an_answer_has_exactly_the_keys_of_the_contract(client: FlaskClient, account: Account, token: str) -> None:
    answer = send(client, getattr(account, f"{token}_token"), email="a@example.com", zip="1")
    body = taken(answer)
    assert (set(body), set(body["lead"]), set(body["metadata"])) == (ANSWER, LEAD, METADATA)
    assert (body["status"], body["errors"], body["warnings"], body["metadata"]["root"]) == (200, {}, [], "lead")
    assert body["lead_id"] == body["lead"]["id"]
    assert is_id(body["lead_id"])
    assert body["metadata"]["request_id"] == answer.headers["X-Request-Id"]
    assert body["metadata"]["submission_id"] == account.submissions()[0]["id"]
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"


def test_an_answer_shows_the_lead_with_the_types_of_the_contract(client: FlaskClient, account: Account) -> None:
    lead = take(
        client,
        account.schedule_token,
        email="a@example.com",
        lead_priority=5,
        max_contact_attempts=3,
        next_action_at="2026-12-24 08:00:00 +0000",
        expires_in=60,
        hours_to_expire=1,
        data={"loan_amount": "500"},
        sub_id="s",
        traffic_source_id="google_ads",
    )["lead"]
    expected: Json = {
        "caller_id": NUMBER,
        "email": "a@example.com",
        "offer_id": account.offer_id,
        "schedule_id": account.schedule_id,
        "traffic_source_id": "google_ads",
        "sub_id": "s",
        "contact_field_type": None,
        "status": "scheduled",
        "is_live": True,
        "test": False,
        "lead_priority": 5.0,
        "contact_attempts": 0,
        "max_contact_attempts": 3,
        "next_action_at": "2026-12-24T08:00:00.000+00:00",
        "scheduled_callback_at": None,
        "blocked": False,
        "opt_out": False,
        "trackdrive_number_plain": None,
        "sms_number_plain": None,
        "data": {"loan_amount": "500"},
    }
    assert lead | expected == lead
    [row] = account.leads()
    for name in ("expires_at", "deletes_at", "created_at", "updated_at"):
        assert lead[name] == row[name].isoformat(timespec="milliseconds")


def test_a_stored_lead_is_shown_as_it_is_stored(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token, email="a@example.com", zip="1", sub_id="s", lead_priority=2)
    shown = take(client, account.schedule_token, city="x")["lead"]
    read = client.get(f"{LEADS}/{shown['id']}", headers=account.bearer).get_json()["lead"]
    # What shows consent are all submissions of the lead, which only reading looks at.
    assert read.pop("consent")["evidence"] == "none"
    assert shown == read
    assert (shown["email"], shown["sub_id"], shown["data"]) == ("a@example.com", "s", {"zip": "1", "city": "x"})


def test_capture_says_what_matched_and_by_which_rule(client: FlaskClient, account: Account) -> None:
    first = take(client, account.schedule_token, url=CAPTURE)
    assert set(first) == ANSWER | {"dedupe"}
    assert first["dedupe"]["action"] == "created"
    assert first["dedupe"]["matched_lead_id"] is None
    for params, action in (({"zip": "1"}, "updated"), ({"zip": "1"}, "unchanged")):
        body = take(client, account.schedule_token, url=CAPTURE, **params)
        assert body["dedupe"] == {
            "action": action,
            "matched_lead_id": first["lead_id"],
            "rule": "the live lead of this owner and number",
        }
    assert "dedupe" not in take(client, account.schedule_token)


# A request that was refused


def test_an_error_has_every_member_that_clients_look_for(client: FlaskClient, account: Account) -> None:
    answer = send(client, account.schedule_token, caller_id="911")
    body = refused(answer, "invalid_caller_id")
    assert set(body) == ERROR
    assert (body["status"], body["title"]) == (422, "Unprocessable Entity")
    assert body["type"] == "http://localhost/api/docs/1.0/errors.html#invalid_caller_id"
    assert body["message"] == "Caller ID is not a valid phone number"
    assert body["errors"] == {"caller_id": ["is not a valid phone number"]}
    assert body["detail"].startswith("caller_id '911' is not a valid phone number in US.")
    assert body["metadata"] == {
        "request_id": answer.headers["X-Request-Id"],
        "submission_id": account.submissions()[0]["id"],
    }
    assert answer.headers["Content-Type"] == "application/json"


def failing(client: FlaskClient, account: Account) -> list[TestResponse]:
    """One request for each way of failing that needs nothing broken."""
    token = account.schedule_token
    wrong: list[Any] = [
        client.post(LEADS, json={"caller_id": NUMBER}),
        client.post(f"{LEADS}?lead_token={token}", data="{", content_type="application/json"),
        client.post(f"{LEADS}?lead_token={token}", json=[]),
        client.post(f"{LEADS}?lead_token={token}", data="x", content_type="text/csv"),
        client.post(f"{LEADS}?lead_token={token}", data=b"x" * (256 * 1024 + 1), content_type="text/plain"),
        client.post(f"{LEADS}?lead_token={token}&auth_token=x&caller_id={NUMBER}"),
        client.post(f"{LEADS}?lead_token={token}"),
        send(client, token, idempotency_key=" a"),
        send(client, token, update_only=True),
        send(client, token, email=1),
        send(client, token, zip="\0"),
        client.patch(LEADS),
        client.delete(f"{LEADS}/x"),
        client.get(LEADS),
        client.get(LEADS, headers={"Authorization": "Bearer x"}),
        client.get(LEADS, headers=account.key("submissions:read")),
        client.get(f"{LEADS}/x", headers=account.bearer),
        client.get("/api/v1/nothing"),
        client.get(f"{LEADS}?nothing=1", headers=account.bearer),
        client.get(LEADS, headers={"Host": "a;id"}),
    ]
    return wrong


@pytest.mark.parametrize("path", ["/api//v1/leads", "//api/v1/leads", "/api/v1/leads//", "/api/v1//leads.json"])
def test_a_slash_too_many_loses_no_lead(client: FlaskClient, account: Account, path: str) -> None:
    sent = {"lead_token": account.schedule_token, "caller_id": "+17192221234"}
    # Not by the client, which would tidy the path itself.
    answer = client.open(EnvironBuilder(path="/", method="POST", json=sent, environ_overrides={"PATH_INFO": path}))
    assert taken(answer)["action"] == "created"


def test_only_the_api_answers_preflights(client: FlaskClient) -> None:
    asks = {"Origin": PAGE, "Access-Control-Request-Method": "POST"}
    assert client.options("/api/v1/leads", headers=asks).headers["Access-Control-Allow-Origin"] == PAGE
    assert client.options("/api/v1/offers", headers=asks).headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Origin" not in client.options("/healthz", headers=asks).headers


def test_every_error_is_the_same_object_with_cors_headers(client: FlaskClient, account: Account) -> None:
    codes = set()
    for answer in failing(client, account):
        body = answer.get_json()
        assert set(body) == ERROR
        assert (answer.status_code, body["status"]) == (STATUS_OF_CODE[body["code"]],) * 2
        assert body["type"].endswith(f"/api/docs/1.0/errors.html#{body['code']}")
        assert isinstance(body["errors"], dict)
        assert all(isinstance(text, str) for texts in body["errors"].values() for text in texts)
        assert all(body[name] for name in ("title", "message", "detail"))
        assert answer.headers["Access-Control-Allow-Origin"] in ("*", answer.request.headers.get("Origin"))
        assert "Idempotent-Replayed" in answer.headers["Access-Control-Expose-Headers"]
        codes.add(body["code"])
    assert codes == {
        "host_not_allowed",
        "lead_token_invalid",
        "malformed_body",
        "object_expected",
        "unsupported_media_type",
        "too_large",
        "key_in_url",
        "caller_id_missing",
        "bad_idempotency_key",
        "no_matching_lead",
        "invalid_parameter",
        "invalid_character",
        "method_not_allowed",
        "key_required",
        "key_invalid",
        "scope_missing",
        "not_found",
    }


def test_the_public_address_stands_in_the_type_of_an_error(settings: Settings, account: Account) -> None:
    sent = {"lead_token": account.schedule_token, "caller_id": "911"}
    with opened(replace(settings, public_url="https://leads.example.com/")) as public:
        answer = public.test_client().post(LEADS, json=sent, base_url="https://leads.example.com")
    body = refused(answer, "invalid_caller_id")
    assert body["type"] == "https://leads.example.com/api/docs/1.0/errors.html#invalid_caller_id"


# Native forms


@pytest.fixture(scope="module")
def site(app: Flask) -> Account:
    """A company whose page may send its visitors on."""
    return make_account(app, allowed_redirects=["https://good.com", "https://shop.good.com:8443"])


class Outcome(NamedTuple):
    """How a form ends: the parameter that names the page for it, a number that leads there, the status otherwise."""

    name: str
    number: str
    status: int


@pytest.mark.parametrize("row", table("redirects.csv"), ids=lambda row: row["case"])
@pytest.mark.parametrize(
    "outcome",
    [Outcome("redirect_to", NUMBER, 200), Outcome("redirect_error", "911", 422)],
    ids=lambda outcome: outcome.name,
)
def test_a_visitor_is_sent_on_to_allowed_pages_only(
    client: FlaskClient, site: Account, row: dict[str, str], outcome: Outcome
) -> None:
    sent = {"lead_token": site.publishable_token, "caller_id": outcome.number, outcome.name: row["target"]}
    answer = client.post(LEADS, json=sent)
    if row["location"]:
        assert (answer.status_code, answer.headers["Location"], answer.data) == (303, row["location"], b"")
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    else:
        assert (answer.status_code, "Location" in answer.headers) == (outcome.status, False)
        if outcome.status == 200:
            assert (outcome.name, "redirect_not_allowed") in warned(answer.get_json())


def test_each_outcome_has_its_own_page_and_is_on_record(client: FlaskClient, site: Account) -> None:
    pages = {"redirect_to": "https://good.com/yes", "redirect_error": "https://good.com/no"}
    form = {"lead_token": site.publishable_token, **pages}
    before = len(site.submissions())
    good = client.post(LEADS, data={**form, "caller_id": NUMBER}, headers={"Origin": PAGE, "Accept": "text/html"})
    bad = client.post(LEADS, data={**form, "caller_id": "911"}, headers={"Origin": PAGE, "Accept": "text/html"})
    assert (good.headers["Location"], bad.headers["Location"]) == ("https://good.com/yes", "https://good.com/no")
    assert [row["code"] for row in site.submissions()[before:]] == [None, "invalid_caller_id"]


def test_without_its_page_an_outcome_is_json(client: FlaskClient, site: Account) -> None:
    form = {"lead_token": site.publishable_token, "redirect_to": "https://good.com/yes", "caller_id": "911"}
    refused(client.post(LEADS, data=form), "invalid_caller_id")
    form = {"lead_token": site.publishable_token, "redirect_error": "https://good.com/no", "caller_id": NUMBER}
    assert taken(client.post(LEADS, data=form))["warnings"] == []


def test_a_token_without_a_list_sends_nobody_on(client: FlaskClient, account: Account) -> None:
    for token in (account.publishable_token, account.schedule_token):
        body = take(client, token, redirect_to="https://good.com/yes")
        assert warned(body) == [("redirect_to", "redirect_not_allowed")]


def test_a_token_that_has_ended_sends_nobody_on(client: FlaskClient, site: Account) -> None:
    pages = {"redirect_to": "https://good.com/yes", "redirect_error": "https://good.com/no"}
    ended = site.token(name="Ended", allowed_redirects=["https://good.com"], disabled_at=clock.now())
    answers = [send(client, token, **pages) for token in (ended, "0" * 32)]
    assert [refused(answer, "lead_token_invalid")["metadata"]["submission_id"] for answer in answers] == [None, None]


def test_a_redirect_that_is_no_text_is_ignored(client: FlaskClient, site: Account) -> None:
    for target in (["https://good.com/yes"], {"a": "https://good.com/yes"}, 7, True):
        body = take(client, site.publishable_token, redirect_to=target)
        assert ("redirect_to", "redirect_not_allowed") in warned(body)


def test_no_answer_is_html_whatever_is_asked_for(client: FlaskClient, account: Account) -> None:
    for answer in (
        send(client, account.schedule_token, headers={"Accept": "text/html"}, name="<b>x</b>"),
        send(client, account.schedule_token, headers={"Accept": "text/html"}, caller_id="<b>x</b>"),
        client.get("/api/v1/<b>x</b>", headers={"Accept": "text/html"}),
    ):
        assert answer.headers["Content-Type"] == "application/json"
        json.loads(answer.data)
