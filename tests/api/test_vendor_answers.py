"""A token that does not show stored leads is told what its request said, what was done, and nothing made up."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from server.leads.payload import SHOWN
from tests.api.calls import CAPTURE, LEADS, NUMBER, OTHER_NUMBER, Json, end, send, take, taken
from tests.api.test_numbers import pool
from tests.factories import Account

# What a request says, and what it is told of it.
SENT: Json = {
    "email": "a@example.com",
    "sub_id": "a",
    "traffic_source_id": "google_ads",
    "lead_priority": 5,
    "max_contact_attempts": 3,
    "hours_to_expire": 24,
    "expires_in": 600,
    "next_action_at": "2027-01-02 03:04:05 +0000",
    "schedule_callback_in_seconds": 3600,
    "assign_trackdrive_number": True,
    "zip": "80903",
}
TOLD: Json = dict.fromkeys(SHOWN) | {
    "email": "a@example.com",
    "traffic_source_id": "google_ads",
    "sub_id": "a",
    "test": False,
    "lead_priority": 5,
    "max_contact_attempts": 3,
    "trackdrive_number_plain": "+17195551001",
    "data": {"zip": "80903"},
}
DIAL = {"assign_trackdrive_number": True}


def nobody(client: FlaskClient, account: Account, number: str) -> None:
    """Nobody has sent the number."""


def live(client: FlaskClient, account: Account, number: str) -> None:
    take(client, account.schedule_token, caller_id=number, state="CA", sub_id="other", **DIAL)


def blocked(client: FlaskClient, account: Account, number: str) -> None:
    take(client, account.schedule_token, caller_id=number, blocked=True)


def opted_out(client: FlaskClient, account: Account, number: str) -> None:
    take(client, account.offer_token, caller_id=number, opt_out=True)


def suppressed(client: FlaskClient, account: Account, number: str) -> None:
    client.post("/api/v1/contacts/suppression", json={"numbers": [number]}, headers=account.bearer)


def ended(client: FlaskClient, account: Account, number: str) -> None:
    end(account, take(client, account.schedule_token, caller_id=number)["lead_id"], contact_attempts=2)


def elsewhere(client: FlaskClient, account: Account, number: str) -> None:
    take(client, account.offer_token, caller_id=number)


STATES = [nobody, live, blocked, opted_out, suppressed, ended, elsewhere]
SINGLE: dict[str, tuple[str, Json]] = {
    "create": (LEADS, {}),
    "dry run": (LEADS, {"dry_run": True}),
    "explained": (LEADS, {"explain": True}),
    "capture": (CAPTURE, {}),
    "create_or_update": (f"{LEADS}/create_or_update", {}),
    "with its own id": (LEADS, {"vendor_lead_id": "L-1"}),
    "expiring what is there": (LEADS, {"expire_existing": True}),
    "deleting what is there": (LEADS, {"delete_existing": True}),
}


@pytest.mark.parametrize("way", [*SINGLE, "batch"])
@pytest.mark.parametrize("state", STATES, ids=lambda state: str(state.__name__))
def test_a_vendor_cannot_tell_what_others_have_sent_by_any_member_of_the_lead(
    client: FlaskClient, account: Account, state: Callable[..., None], way: str
) -> None:
    pool(account, "+17195551000", filters={"state": ["CA"]})
    pool(account, "+17195551001")
    state(client, account, NUMBER)
    told = TOLD | {"caller_id": NUMBER}
    if way == "batch":
        body = {"lead_token": account.vendor_token, "leads": [{"caller_id": NUMBER, **SENT}]}
        [answer] = client.post(f"{LEADS}/batch", json=body).get_json()["results"]
    else:
        url, more = SINGLE[way]
        answer = taken(send(client, account.vendor_token, url=url, **SENT, **more))
    assert {**answer["lead"], "id": None} == told
    assert answer["warnings"] == []
    assert answer["lead_id"] == answer["lead"]["id"]
    # What was done is said, for a sender has to know; by which rule, is about what is stored.
    assert answer["action"] in ("created", "updated")
    assert answer.get("dedupe", {"rule": None})["rule"] is None
    assert "messages" not in answer


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k"}], ids=["a double click", "a key"])
def test_a_repetition_is_told_the_same(client: FlaskClient, account: Account, headers: dict[str, str]) -> None:
    first, again = (taken(send(client, account.vendor_token, headers=headers, email="a@example.com")) for _ in "12")
    assert first["lead"] == again["lead"]
    known = {"id": first["lead_id"], "caller_id": NUMBER, "email": "a@example.com", "test": False, "data": {}}
    assert again["lead"] == dict.fromkeys(SHOWN) | known


@pytest.mark.parametrize(("name", "value"), [("blocked", True), ("opt_out", True)])
def test_a_vendor_is_told_of_the_stop_that_it_sent(
    client: FlaskClient, account: Account, name: str, value: bool
) -> None:
    lead = take(client, account.vendor_token, **{name: value})["lead"]
    assert {each: lead[each] for each in ("blocked", "opt_out", "status")} == {
        "blocked": None,
        "opt_out": None,
        "status": None,
    } | {name: value}


@pytest.mark.parametrize("endpoint", ["lead_update", "lead_opt_out", "lead_remove", "lead_move_to_end_of_schedule"])
@pytest.mark.parametrize("number", [NUMBER, "+17195550100"], ids=["a lead", "a test lead"])
def test_a_lead_that_is_named_by_its_id_is_told_by_nothing_else(
    client: FlaskClient, account: Account, endpoint: str, number: str
) -> None:
    pool(account, "+17195551001")
    lead_id = take(client, account.schedule_token, caller_id=number, email="a@example.com", **DIAL)["lead_id"]
    sent: dict[str, Any] = {"lead_token": account.vendor_token, **DIAL}
    lead = taken(client.post(f"{LEADS}/{lead_id}/{endpoint}", json=sent))["lead"]
    known = {"opt_out": True} if endpoint == "lead_opt_out" else {}
    assert lead == dict.fromkeys(SHOWN) | {"id": lead_id, "data": {}} | known


@pytest.mark.parametrize("endpoint", ["caller_opt_out", "caller_remove", "caller_move_to_end_of_schedule"])
def test_a_lead_that_is_named_by_its_number_is_told_by_that(
    client: FlaskClient, account: Account, endpoint: str
) -> None:
    lead_id = take(client, account.schedule_token, email="a@example.com")["lead_id"]
    url = f"{LEADS}/{NUMBER.removeprefix('+')}/{endpoint}"
    lead = taken(client.post(url, json={"lead_token": account.vendor_token}))["lead"]
    known = {"opt_out": True} if endpoint == "caller_opt_out" else {}
    assert lead == dict.fromkeys(SHOWN) | {"id": lead_id, "data": {}, "caller_id": NUMBER, "test": False} | known


def test_a_page_is_told_of_the_lead_as_if_it_were_the_first(client: FlaskClient, account: Account) -> None:
    live(client, account, NUMBER)
    known, new = (take(client, account.publishable_token, caller_id=each)["lead"] for each in (NUMBER, OTHER_NUMBER))
    same = {"id": None, "caller_id": None, "created_at": None, "updated_at": None, "next_action_at": None}
    assert known | same == new | same
    assert known["created_at"] == known["updated_at"]
