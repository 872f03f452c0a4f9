"""POST /api/v1/submissions/{id}/replay (API.md §7.5): once more through the same gate, by the rules of today.

`replay` asks for a dry run first, which must say what the real one then does, and leave nothing.
"""

import json
import operator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import event, given, settings
from hypothesis import strategies as st

from server.companies.models import Company
from server.lead_tokens.models import LeadToken
from server.offers.models import ContactField
from server.schedules.models import Schedule, ScheduleAction
from server.sources.models import TrafficSource
from tests.api.calls import (
    CAPTURE,
    LEADS,
    NOW,
    NUMBER,
    OTHER_NUMBER,
    PAGE,
    SUBMISSIONS,
    Json,
    refused,
    send,
    take,
    taken,
    warned,
)
from tests.api.test_dry_run import ASKS, ID, TIME, Ask, credentials, run
from tests.factories import Account, make_account
from tests.live import Live
from tests.snapshot import difference, snapshot

UNKNOWN = "00000000-0000-7000-8000-000000000000"
ONLY_DRY = ("dry_run", "messages")


def ask(client: FlaskClient, account: Account, submission_id: str, key: Any = None, **how: Any) -> Any:
    """The answer to a replay."""
    return client.post(f"{SUBMISSIONS}/{submission_id}/replay", json=how or None, headers=key or account.bearer)


def essence(body: Json) -> Json:
    """What a dry run and the real one say alike: all but ids and times, and the error that only the real one is."""
    names = set(body) & {"warnings", "lead", "outcome", "difference", "why", "replay_of_id"}
    if body["outcome"]["after"]["action"] == "refused":
        names -= {"warnings"}
    text = TIME.sub("<time>", ID.sub("<id>", json.dumps({name: body[name] for name in names})))
    alike: Json = json.loads(text)
    return alike


def replay(client: FlaskClient, account: Account, submission_id: str, key: Any = None, **how: Any) -> Json:
    """What a replay says, after a dry run that has said it before."""
    stored = snapshot(account.app, account.company_id)
    dry = taken(ask(client, account, submission_id, key, dry_run=True, **how))
    assert snapshot(account.app, account.company_id) == stored
    assert dry["dry_run"] is True
    body: Json = ask(client, account, submission_id, key, **how).get_json()
    assert set(ONLY_DRY).isdisjoint(body)
    assert essence(dry) == essence(body)
    return body


def kept_of(answer: Any, code: str) -> str:
    """The submission of a refusal."""
    submission_id: str = refused(answer, code)["metadata"]["submission_id"]
    return submission_id


def accept(account: Account, **rules: Any) -> None:
    """Switches acceptance rules of the schedule on, and all others off."""
    account.change(Schedule, account.schedule_id, acceptance=rules)


def token_id(account: Account, value: str) -> int:
    """The number of a lead token."""
    row_id: int = account.rows("select id from lead_token where value = :value", value=value)[0]["id"]
    return row_id


# Refused, then mended


def test_a_lead_that_lacked_a_field_is_made_once_the_field_is_not_asked_for(
    client: FlaskClient, account: Account
) -> None:
    about: Json = {"key": "zip", "name": "ZIP code", "required": True}
    field = account.add(ContactField(company_id=account.company_id, offer_id=account.offer_id, **about))
    accept(account, enforce_contact_fields=True)
    with time_machine.travel(NOW, tick=False):
        sent = send(client, account.schedule_token, vendor_lead_id="v", email="a@example.com", city="Denver")
    submission_id = kept_of(sent, "contact_field_invalid")
    account.change(ContactField, field, required=False)
    with time_machine.travel(NOW + timedelta(days=13)):
        body = replay(client, account, submission_id)
    [lead] = account.leads()
    [original, again] = account.submissions()
    assert (body["success"], body["status"], body["action"], body["warnings"]) == (True, 200, "created", [])
    assert (body["submission_id"], body["replay_of_id"]) == (again["id"], submission_id)
    assert body["metadata"]["submission_id"] == again["id"]
    assert body["outcome"] == {
        "before": {
            "action": "refused",
            "code": "contact_field_invalid",
            "lead_id": None,
            "created_at": "2026-11-23T06:00:00.000+00:00",
        },
        "after": {"action": "created", "code": None, "errors": {}, "lead_id": lead["id"]},
    }
    told = {each["field"]: each["after"] for each in body["difference"]}
    expected: Json = {
        "caller_id": NUMBER,
        "email": "a@example.com",
        "schedule_id": account.schedule_id,
        "status": "scheduled",
        "data.city": "Denver",
    }
    assert told | expected == told
    assert {each["before"] for each in body["difference"]} == {None}
    assert {"id", "created_at", "updated_at", "sub_id"}.isdisjoint(told)
    stored = client.get(f"{LEADS}/{lead['id']}", headers=account.bearer).get_json()["lead"]
    assert stored.pop("consent")["evidence"] == "none"
    assert body["lead"] == stored
    # The submission says whose it is, and keeps what came, from where.
    assert (again["replay_of_id"], again["action"], again["purge_at"]) == (submission_id, "created", None)
    assert again["request_id"] == body["metadata"]["request_id"] != original["request_id"]
    for name in ("endpoint", "powers", "received", "origin", "remote_ip", "user_agent", "lead_token_id"):
        assert again[name] == original[name]
    [key] = account.rows("select id from api_key where company_id = :company_id")
    assert (original["api_key_id"], again["api_key_id"]) == (None, key["id"])
    why = json.loads(again["why"])
    assert why == body["why"]
    read = {"action": "refused", "code": "contact_field_invalid", "api_key": key["id"]}
    assert (why[0]["step"], why[0]["read"], why[0]["record"]) == ("replay", read, submission_id)
    # What was refused stays as it was, and is kept as long.
    assert original["purge_at"] == NOW + timedelta(days=14)
    assert (original["action"], original["code"]) == ("refused", "contact_field_invalid")


def test_a_lead_of_an_unknown_source_is_made_once_the_source_is_known(client: FlaskClient, account: Account) -> None:
    accept(account, require_traffic_source=True)
    submission_id = kept_of(send(client, account.schedule_token, traffic_source_id="bing"), "traffic_source_required")
    again = replay(client, account, submission_id)
    assert (again["status"], again["code"], again["outcome"]["after"]["action"]) == (
        422,
        "traffic_source_required",
        "refused",
    )
    source = account.add(TrafficSource(company_id=account.company_id, user_traffic_source_id="bing", name="Bing"))
    replay(client, account, submission_id)
    [lead] = account.leads()
    assert (lead["traffic_source_id"], lead["traffic_source_text"]) == (source, "bing")


def test_a_lead_of_a_page_is_made_once_the_page_is_listed(client: FlaskClient, account: Account) -> None:
    value = account.token(kind="publishable", allowed_origins=["https://other.example"])
    headers = {"Origin": PAGE, "Referer": f"{PAGE}/form"}
    submission_id = kept_of(send(client, value, headers=headers, zip="1"), "origin_not_allowed")
    # That the page may not use the token says nothing of the key: 422, not 403.
    assert ask(client, account, submission_id).status_code == 422
    account.change(LeadToken, token_id(account, value), allowed_origins=[PAGE])
    body = replay(client, account, submission_id)
    [lead] = account.leads()
    # Whoever replays it sees what is stored; the page's powers stay the page's.
    assert (body["action"], body["lead_id"], body["lead"]["data"]) == ("created", lead["id"], {"zip": "1"})
    assert account.submissions()[-1]["powers"] == "public"


def test_a_lead_of_a_region_is_made_once_the_region_is_allowed(client: FlaskClient, account: Account) -> None:
    accept(account, allowed_regions=["CA"])
    submission_id = kept_of(send(client, account.schedule_token), "region_not_allowed")
    accept(account, allowed_regions=["CA", "US"])
    assert replay(client, account, submission_id)["action"] == "created"


def test_a_lead_whose_token_has_ended_is_taken_with_another(client: FlaskClient, account: Account) -> None:
    ended = token_id(account, account.vendor_token)
    account.change(LeadToken, ended, disabled_at=NOW)
    refused(send(client, account.vendor_token, zip="1"), "lead_token_invalid")
    [original] = account.submissions()
    again = replay(client, account, original["id"])
    assert list(again["errors"]) == ["lead_token_id"]
    assert again["submission_id"] == account.submissions()[-1]["id"]
    first = token_id(account, account.schedule_token)
    replay(client, account, original["id"], lead_token_id=first)
    [lead] = account.leads()
    assert (lead["lead_token_id"], account.submissions()[-1]["lead_token_id"]) == (first, first)


def test_the_kind_of_owner_that_was_sent_still_counts_unless_another_token_is_named(
    client: FlaskClient, account: Account
) -> None:
    sent = {"offer_lead_token": account.schedule_token, "caller_id": NUMBER}
    refused(client.post(LEADS, json=sent), "lead_token_invalid")
    [original] = account.submissions()
    assert replay(client, account, original["id"])["code"] == "lead_token_invalid"
    first = token_id(account, account.schedule_token)
    assert replay(client, account, original["id"], lead_token_id=first)["action"] == "created"


@pytest.mark.parametrize("which", ["another company's", "postback", "unknown"])
def test_a_token_that_is_none_of_the_companys_is_refused_by_name(
    client: FlaskClient, account: Account, which: str
) -> None:
    submission_id = kept_of(send(client, account.schedule_token, caller_id="911"), "invalid_caller_id")
    if which == "postback":
        named = account.token(kind="postback", owner_kind="traffic_source", owner_id=account.source_id)
    else:
        named = make_account(account.app).schedule_token
    other = 2**31 - 1 if which == "unknown" else token_id(account, named)
    before = snapshot(account.app, account.company_id)
    answer = refused(ask(client, account, submission_id, lead_token_id=other), "invalid_parameter")
    assert answer["errors"] == {"lead_token_id": ["is not a lead token of this company"]}
    assert snapshot(account.app, account.company_id) == before


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"caller_id": "911"}, "invalid_caller_id"),
        ({"lead_priority": "high"}, "invalid_parameter"),
        ({"dry_run": "perhaps"}, "invalid_parameter"),
        ({"zip": "\0"}, "invalid_character"),
        ({"update_only": True}, "no_matching_lead"),
    ],
    ids=["number", "parameter", "switch", "character", "no lead"],
)
def test_what_is_still_wrong_is_refused_again_and_may_be_tried_again(
    client: FlaskClient, account: Account, params: Json, code: str
) -> None:
    with time_machine.travel(NOW, tick=False):
        sent = send(client, account.schedule_token, **params)
    first = refused(sent, code)
    submission_id = first["metadata"]["submission_id"]
    for later in (12, 13):
        with time_machine.travel(NOW + timedelta(days=later)):
            body = replay(client, account, submission_id)
        assert (body["success"], body["status"], body["code"]) == (False, 422, code)
        assert (body["errors"], body["lead"], body["difference"]) == (first["errors"], None, [])
        assert body["outcome"]["after"]["errors"] == first["errors"]
    rows = account.submissions()
    assert [(row["action"], row["replay_of_id"]) for row in rows[1:]] == [("refused", submission_id)] * 2
    assert body["submission_id"] == body["metadata"]["submission_id"] == rows[-1]["id"]
    assert [step["step"] for step in json.loads(rows[-1]["why"])] == ["replay", "refuse"]
    # Tried in vain, it is not kept for longer.
    assert {row["purge_at"] for row in rows} == {NOW + timedelta(days=14)}
    assert account.leads() == []


def test_a_body_that_could_not_be_read_is_refused_again(client: FlaskClient, account: Account) -> None:
    url = f"{LEADS}?lead_token={account.schedule_token}"
    answer = client.post(
        url, data='{"caller_id": "7192221234", "auth_token": "SECRET"', content_type="application/json"
    )
    submission_id = kept_of(answer, "malformed_body")
    body = replay(client, account, submission_id)
    assert (body["status"], body["code"]) == (422, "malformed_body")
    original, again = account.submissions()
    assert original["received"] == again["received"]


def test_a_dry_run_that_finds_a_refusal_is_no_failure(client: FlaskClient, account: Account) -> None:
    submission_id = kept_of(send(client, account.schedule_token, caller_id="911"), "invalid_caller_id")
    body = taken(ask(client, account, submission_id, dry_run=True))
    assert (body["action"], body["errors"], body["submission_id"], body["lead_id"]) == ("refused", {}, None, None)
    assert body["metadata"]["submission_id"] is None
    after = body["outcome"]["after"]
    assert (after["code"], list(after["errors"])) == ("invalid_caller_id", ["caller_id"])
    assert "code" not in body


# What is different


def test_the_difference_names_each_field_and_token_that_changes(client: FlaskClient, account: Account) -> None:
    accept(account, allowed_regions=["CA"])
    sent = send(client, account.schedule_token, email="new@example.com", zip="2", city="Denver", list=[1])
    submission_id = kept_of(sent, "region_not_allowed")
    accept(account)
    lead_id = take(client, account.schedule_token, email="old@example.com", zip="1", list=[True])["lead_id"]
    body = replay(client, account, submission_id)
    assert (body["action"], body["lead_id"]) == ("updated", lead_id)
    assert sorted(body["difference"], key=operator.itemgetter("field")) == [
        {"field": "data.city", "before": None, "after": "Denver"},
        {"field": "data.list", "before": [True], "after": [1]},
        {"field": "data.zip", "before": "1", "after": "2"},
        {"field": "email", "before": "old@example.com", "after": "new@example.com"},
    ]


def test_a_dry_run_shows_the_first_messages(client: FlaskClient, account: Account) -> None:
    text = {"text": "Hi [first_name]"}
    about: Json = {"company_id": account.company_id, "schedule_id": account.schedule_id}
    account.add(ScheduleAction(**about, position=2, kind="sms", config=text))
    accept(account, allowed_regions=["CA"])
    submission_id = kept_of(send(client, account.vendor_token, first_name="Jo"), "region_not_allowed")
    accept(account)
    said = taken(ask(client, account, submission_id, dry_run="yes"))["messages"]
    assert "Hi Jo" in json.dumps(said)


def test_a_taken_submission_is_taken_once_more_too(client: FlaskClient, account: Account) -> None:
    body = take(client, account.schedule_token, zip="1")
    client.delete(f"{LEADS}/{body['lead_id']}", headers=account.bearer)
    again = replay(client, account, body["metadata"]["submission_id"])
    assert (again["action"], again["outcome"]["before"]["lead_id"]) == ("created", body["lead_id"])
    assert again["lead_id"] != body["lead_id"]


# Once


def test_a_replay_that_was_taken_is_answered_again_and_nothing_more_is_done(
    client: FlaskClient, account: Account
) -> None:
    accept(account, require_traffic_source=True)
    submission_id = kept_of(send(client, account.schedule_token, zip="1"), "traffic_source_required")
    in_vain = replay(client, account, submission_id)["submission_id"]
    accept(account)
    first = replay(client, account, submission_id)
    # Neither a rule nor a token that has ended since makes it undone.
    accept(account, require_traffic_source=True)
    account.change(LeadToken, token_id(account, account.schedule_token), disabled_at=NOW)
    stored = snapshot(account.app, account.company_id)
    # Also by the replay that was refused before: it is of the same submission.
    for each in (submission_id, in_vain):
        answer = ask(client, account, each)
        body = taken(answer)
        assert answer.headers["Idempotent-Replayed"] == "true"
        assert (body["action"], body["submission_id"]) == ("replayed", first["submission_id"])
        assert (body["outcome"]["after"], body["difference"]) == (first["outcome"]["after"], [])
        assert (body["lead"], body["why"], body["replay_of_id"]) == (first["lead"], first["why"], submission_id)
        assert taken(ask(client, account, each, dry_run=True))["outcome"] == body["outcome"]
    assert snapshot(account.app, account.company_id) == stored


def test_the_replay_of_a_replay_is_taken_once_for_both(client: FlaskClient, account: Account) -> None:
    accept(account, require_traffic_source=True)
    submission_id = kept_of(send(client, account.schedule_token, zip="1"), "traffic_source_required")
    in_vain = replay(client, account, submission_id)["submission_id"]
    accept(account)
    body = replay(client, account, in_vain)
    assert (body["action"], body["replay_of_id"]) == ("created", submission_id)
    assert ask(client, account, submission_id).get_json()["action"] == "replayed"
    assert len(account.leads()) == 1


def test_twenty_replays_at_once_make_one_lead(live: Live, client: FlaskClient, account: Account) -> None:
    accept(account, require_traffic_source=True)
    submission_id = kept_of(send(client, account.schedule_token, restart_schedule=True), "traffic_source_required")
    accept(account, duplicate_seconds=3600)
    url = f"{live.url}{SUBMISSIONS}/{submission_id}/replay"
    with httpx.Client(timeout=30, headers=account.bearer, verify=False) as web, ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: web.post(url), range(20)))
    bodies = [answer.json() for answer in answers]
    assert sorted(body["action"] for body in bodies) == ["created", *["replayed"] * 19]
    [lead] = account.leads()
    assert {body["lead_id"] for body in bodies} == {lead["id"]}
    assert [row["action"] for row in account.submissions()] == ["refused", "created"]
    assert len(account.rows("select id from outbox_event where company_id = :company_id")) == 1


# Keys of the sender


@pytest.mark.parametrize("place", ["header", "parameter"])
def test_the_senders_key_keeps_its_meaning(client: FlaskClient, account: Account, place: str) -> None:
    accept(account, require_traffic_source=True)
    how: Json = {"headers": {"Idempotency-Key": "k"}} if place == "header" else {"idempotency_key": "k"}
    submission_id = kept_of(send(client, account.vendor_token, **how), "traffic_source_required")
    accept(account)
    body = replay(client, account, submission_id)
    answer = send(client, account.vendor_token, **how)
    assert (answer.headers["Idempotent-Replayed"], answer.get_json()["lead_id"]) == ("true", body["lead_id"])
    # The sender hears what it would have heard, not what the key of the replay may see.
    assert {"outcome", "difference", "why"}.isdisjoint(answer.get_json())
    assert answer.get_json()["action"] == "created"
    refused(send(client, account.vendor_token, zip="1", **how), "idempotency_key_reused")


def test_a_key_that_was_used_again_meanwhile_decides(client: FlaskClient, account: Account) -> None:
    accept(account, require_traffic_source=True)
    headers = {"Idempotency-Key": "k"}
    submission_id = kept_of(send(client, account.vendor_token, headers=headers), "traffic_source_required")
    accept(account)
    lead_id = taken(send(client, account.vendor_token, headers=headers))["lead_id"]
    body = replay(client, account, submission_id)
    assert (body["action"], body["lead_id"], body["difference"]) == ("replayed", lead_id, [])
    assert account.submissions()[-1]["replay_of_id"] == submission_id
    assert len(account.leads()) == 1


def test_a_key_that_is_none_is_not_kept_and_the_lead_is_not_lost(client: FlaskClient, account: Account) -> None:
    sent = send(client, account.schedule_token, headers={"Idempotency-Key": "a,b"})
    submission_id = kept_of(sent, "bad_idempotency_key")
    assert account.submissions()[0]["idempotency_key"] is None
    assert replay(client, account, submission_id)["action"] == "created"


def test_the_answer_to_a_submissions_own_key_does_not_stand_in_the_way_of_its_replay(
    client: FlaskClient, account: Account
) -> None:
    headers = {"Idempotency-Key": "k"}
    told = taken(send(client, account.schedule_token, headers=headers))
    client.delete(f"{LEADS}/{told['lead_id']}", headers=account.bearer)
    body = replay(client, account, told["metadata"]["submission_id"])
    assert (body["action"], body["lead_id"] != told["lead_id"]) == ("created", True)
    assert taken(send(client, account.schedule_token, headers=headers)) == told


def test_a_key_that_was_refused_in_secret_twice_is_mended_by_either(client: FlaskClient, account: Account) -> None:
    client.post("/api/v1/contacts/suppression", json={"numbers": [NUMBER]}, headers=account.bearer)
    accept(account, refuse_suppressed=True)
    told = [take(client, account.publishable_token, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert [row["code"] for row in account.submissions()] == ["suppressed"] * 2
    accept(account)
    assert replay(client, account, account.submissions()[1]["id"])["action"] == "created"
    assert told[0] == told[1]


def test_the_vendors_own_id_keeps_its_meaning(client: FlaskClient, account: Account) -> None:
    accept(account, require_traffic_source=True)
    submission_id = kept_of(send(client, account.vendor_token, vendor_lead_id="v"), "traffic_source_required")
    accept(account)
    lead_id = replay(client, account, submission_id)["lead_id"]
    again = take(client, account.vendor_token, vendor_lead_id="v")
    assert (again["action"], again["lead_id"]) == ("replayed", lead_id)


def test_a_refusal_that_a_page_never_heard_of_is_seen_and_mended_and_the_page_hears_the_same(
    client: FlaskClient, account: Account
) -> None:
    lead_id = take(client, account.schedule_token)["lead_id"]
    client.delete(f"{LEADS}/{lead_id}", headers=account.bearer)
    client.post("/api/v1/contacts/suppression", json={"numbers": [NUMBER]}, headers=account.bearer)
    accept(account, refuse_suppressed=True)
    headers = {"Idempotency-Key": "k", "Origin": PAGE}
    told = take(client, account.publishable_token, headers=headers, zip="1")
    submission_id = account.submissions()[-1]["id"]
    assert account.submissions()[-1]["code"] == "suppressed"
    hidden = replay(client, account, submission_id)
    assert (hidden["status"], hidden["code"]) == (422, "suppressed")
    accept(account)
    for each in (hidden["submission_id"], submission_id):
        body = replay(client, account, each)
    assert (body["lead"]["status"], body["lead"]["data"]) == ("blocked", {"zip": "1"})
    assert body["outcome"]["after"]["action"] == "created"
    assert account.submissions()[-1]["public_lead_id"] == told["lead_id"]
    assert take(client, account.publishable_token, headers=headers, zip="1") == told


# Powers and keys


def test_a_server_token_of_a_page_stays_the_pages_and_is_not_marked_again(
    client: FlaskClient, account: Account
) -> None:
    accept(account, allowed_regions=["CA"])
    headers = {"Origin": PAGE}
    sent = send(client, account.vendor_token, headers=headers, lead_priority=1)
    submission_id = kept_of(sent, "region_not_allowed")
    account.change(LeadToken, token_id(account, account.vendor_token), exposed_at=None, exposed_origin=None)
    assert replay(client, account, submission_id)["code"] == "region_not_allowed"
    accept(account)
    body = replay(client, account, submission_id)
    assert (body["lead"]["lead_priority"], warned(body)) == (None, [("lead_priority", "needs_server_token")])
    [row] = account.rows("select exposed_at, last_used_at from lead_token where value = :v", v=account.vendor_token)
    assert row["exposed_at"] is None


def test_what_came_from_a_server_keeps_its_powers_though_a_page_shows_the_token_now(
    client: FlaskClient, account: Account
) -> None:
    accept(account, allowed_regions=["CA"])
    submission_id = kept_of(send(client, account.vendor_token, lead_priority=1), "region_not_allowed")
    accept(account)
    take(client, account.vendor_token, caller_id=OTHER_NUMBER, headers={"Origin": PAGE})
    assert replay(client, account, submission_id)["lead"]["lead_priority"] == 1


def test_with_a_publishable_token_it_has_that_ones_powers(client: FlaskClient, account: Account) -> None:
    submission_id = take(client, account.vendor_token, lead_priority=1)["metadata"]["submission_id"]
    page = token_id(account, account.publishable_token)
    body = replay(client, account, submission_id, lead_token_id=page)
    assert warned(body) == [("lead_priority", "needs_server_token")]


def test_a_replay_does_not_count_as_use_of_the_token(client: FlaskClient, account: Account) -> None:
    submission_id = kept_of(send(client, account.vendor_token, caller_id="911"), "invalid_caller_id")
    taken_id = take(client, account.vendor_token)["metadata"]["submission_id"]
    account.change(LeadToken, token_id(account, account.vendor_token), last_used_at=None)
    for each in (submission_id, taken_id):
        replay(client, account, each)
    [row] = account.rows("select last_used_at from lead_token where value = :value", value=account.vendor_token)
    assert row["last_used_at"] is None


@pytest.mark.parametrize("scopes", [["submissions:replay"], ["submissions:replay", "leads:update"]])
def test_only_a_key_that_may_lift_a_block_lifts_it_by_a_replay(
    client: FlaskClient, account: Account, scopes: list[str]
) -> None:
    take(client, account.schedule_token, blocked=True)
    body = take(client, account.schedule_token, blocked=False, zip="1", headers=account.bearer | {"X": "1"})
    take(client, account.schedule_token, blocked=True, zip="2")
    again = replay(client, account, body["metadata"]["submission_id"], key=account.key(*scopes))
    lifts = "leads:update" in scopes
    assert again["lead"]["blocked"] is not lifts
    assert warned(again) == ([] if lifts else [("blocked", "needs_key")])
    changes = {each["field"]: (each["before"], each["after"]) for each in again["difference"]}
    assert changes.get("blocked") == ((True, False) if lifts else None)


def test_where_leads_need_a_key_the_replays_key_counts(client: FlaskClient, account: Account) -> None:
    account.change(Company, account.company_id, require_authorization=True)
    submission_id = kept_of(send(client, account.schedule_token), "key_required")
    weak = replay(client, account, submission_id, key=account.key("submissions:replay"))
    assert (weak["status"], weak["code"]) == (422, "scope_missing")
    assert replay(client, account, submission_id)["action"] == "created"


def test_a_key_that_stood_in_the_url_is_gone_and_the_lead_is_not_lost(client: FlaskClient, account: Account) -> None:
    answer = client.post(
        LEADS,
        query_string={"auth_token": account.private_key},
        json={"lead_token": account.schedule_token, "caller_id": NUMBER},
    )
    submission_id = kept_of(answer, "key_in_url")
    assert replay(client, account, submission_id)["action"] == "created"


def test_no_secret_is_in_the_answer_or_on_record(client: FlaskClient, account: Account) -> None:
    sent: Json = {"data": {"auth_token": account.private_key}, "auth_token": account.private_key, "caller_id": "911"}
    submission_id = kept_of(send(client, account.schedule_token, **sent), "invalid_caller_id")
    said = json.dumps(replay(client, account, submission_id)) + str(account.submissions())
    for secret in (account.private_key, account.schedule_token):
        assert secret not in said


# Which submissions


@pytest.mark.parametrize("verb", ["lead_update", "lead_opt_out", "caller_opt_out", "lead_remove"])
def test_what_named_a_lead_names_it_again(client: FlaskClient, account: Account, verb: str) -> None:
    lead_id = take(client, account.schedule_token, zip="1")["lead_id"]
    subject = NUMBER if verb.startswith("caller_") else lead_id
    sent = {"lead_token": account.offer_token, "zip": "2"}
    account.change(LeadToken, token_id(account, account.offer_token), disabled_at=NOW)
    refused(client.post(f"{LEADS}/{subject}/{verb}", json=sent), "lead_token_invalid")
    first = token_id(account, account.schedule_token)
    body = replay(client, account, account.submissions()[-1]["id"], lead_token_id=first)
    assert (body["action"], body["lead_id"]) == ("updated", lead_id)
    changed = {each["field"]: each["after"] for each in body["difference"]}
    expected = {
        "lead_update": {"data.zip": "2"},
        "lead_opt_out": {"status": "opt_out", "opt_out": True},
        "caller_opt_out": {"status": "opt_out", "opt_out": True},
        "lead_remove": {"status": "removed", "is_live": False},
    }[verb]
    assert changed | expected == changed


def test_a_named_lead_that_is_gone_is_no_unknown_submission(client: FlaskClient, account: Account) -> None:
    answer = client.post(f"{LEADS}/{UNKNOWN}/lead_update", json={"lead_token": account.schedule_token})
    body = replay(client, account, kept_of(answer, "not_found"))
    assert (body["status"], body["code"], body["outcome"]["after"]["code"]) == (422, "not_found", "not_found")


@pytest.mark.parametrize("how", ["edit", "delete", "restore"])
def test_an_edit_by_key_is_not_replayed(client: FlaskClient, account: Account, how: str) -> None:
    lead_id = take(client, account.schedule_token)["lead_id"]
    one = f"{LEADS}/{lead_id}"
    if how == "edit":
        client.put(one, json={"sub_id": "x"}, headers=account.bearer)
    else:
        client.delete(one, headers=account.bearer)
    if how == "restore":
        client.post(f"{one}/restore", headers=account.bearer)
    edit = account.submissions()[-1]
    before = snapshot(account.app, account.company_id)
    answer = refused(ask(client, account, edit["id"]), "invalid_parameter")
    assert answer["errors"] == {"id": ["is an edit by API key, which is not replayed"]}
    assert snapshot(account.app, account.company_id) == before


def test_what_a_replay_does_not_know_is_refused(client: FlaskClient, account: Account) -> None:
    submission_id = take(client, account.schedule_token)["metadata"]["submission_id"]
    for sent in ({"dryrun": True}, {"dry_run": "perhaps"}, {"lead_token_id": "first"}):
        before = snapshot(account.app, account.company_id)
        assert list(refused(ask(client, account, submission_id, **sent), "invalid_parameter")["errors"]) == [*sent]
        assert snapshot(account.app, account.company_id) == before


def test_a_replay_goes_the_way_that_it_came(client: FlaskClient, account: Account) -> None:
    elsewhere = take(client, account.schedule_token)["lead_id"]
    account.change(LeadToken, token_id(account, account.offer_token), disabled_at=NOW)
    refused(send(client, account.offer_token, url=f"{LEADS}/create_or_update", zip="1"), "lead_token_invalid")
    account.change(LeadToken, token_id(account, account.offer_token), disabled_at=None)
    assert replay(client, account, account.submissions()[-1]["id"])["lead_id"] == elsewhere
    captured = taken(send(client, account.schedule_token, url=CAPTURE, zip="2"))["metadata"]["submission_id"]
    assert "dedupe" not in replay(client, account, captured)


# The property


CHANGES: list[Json] = [{}, {"allowed_regions": ["CA"]}, {"require_traffic_source": True}, {"duplicate_seconds": 60}]


@settings(max_examples=8, deadline=None)
@given(before=st.sampled_from(CHANGES), asks=st.lists(ASKS, min_size=1, max_size=3), after=st.sampled_from(CHANGES))
def test_a_dry_run_of_any_replay_says_what_the_real_one_does(
    app: Flask, before: Json, asks: list[Ask], after: Json
) -> None:
    account = make_account(app)
    keys = credentials(account)
    accept(account, **before)
    for each in asks:
        run(account, each, keys)
    accept(account, **after)
    for row in account.submissions():
        stored = snapshot(app, account.company_id)
        body = replay(app.test_client(), account, row["id"])
        event(f"{row['action']} then {body['outcome']['after']['action']}")
        new = difference(stored, snapshot(app, account.company_id)).of("submission")
        assert [each["replay_of_id"] for each in new] == [row["id"]]
