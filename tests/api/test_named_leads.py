"""The endpoints that name one lead, by its id or by its number (API.md §1): exactly that lead is meant."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.offers.models import Offer
from server.schedules.models import Schedule
from tests.api.calls import LEADS, NOW, NUMBER, OTHER_NUMBER, PAGE, Json, end, refused, take, taken, warned
from tests.factories import Account, make_account

LEAD_ENDPOINTS = {
    "lead_update": "POST",
    "lead_opt_out": "PUT",
    "lead_remove": "POST",
    "lead_move_to_end_of_schedule": "PUT",
}
CALLER_ENDPOINTS = {
    "caller_opt_out": "PUT",
    "caller_remove": "POST",
    "caller_move_to_end_of_schedule": "PUT",
}
METHODS = LEAD_ENDPOINTS | CALLER_ENDPOINTS


def call(
    client: FlaskClient, token: str, subject: str, endpoint: str, headers: dict[str, str] | None = None, **sent: Any
) -> TestResponse:
    """One of the endpoints, with its own method."""
    url = f"{LEADS}/{subject}/{endpoint}"
    return client.open(url, method=METHODS[endpoint], json={"lead_token": token} | sent, headers=headers)


def lead_of(account: Account, lead_id: str) -> dict[str, Any]:
    [row] = account.rows("select * from lead where id = :id", id=lead_id)
    return row


def events(account: Account, lead_id: str) -> list[str]:
    rows = account.rows("select kind from outbox_event where lead_id = :id order by created_at, id", id=lead_id)
    return [row["kind"] for row in rows]


@pytest.fixture
def lead(client: FlaskClient, account: Account) -> str:
    """A live lead of the schedule, with a callback."""
    body = take(client, account.schedule_token, email="a@example.com", zip="1", schedule_callback_in_seconds="60")
    return str(body["lead_id"])


def test_lead_update_changes_exactly_that_lead(client: FlaskClient, account: Account, lead: str) -> None:
    other = take(client, account.offer_token, zip="1")["lead_id"]
    body = taken(call(client, account.schedule_token, lead, "lead_update", zip="2", lead_priority=3))
    assert (body["action"], body["lead_id"], body["warnings"]) == ("updated", lead, [])
    row = lead_of(account, lead)
    assert (row["data"], row["lead_priority"], row["email"]) == ({"zip": "2"}, 3.0, "a@example.com")
    assert lead_of(account, other)["data"] == {"zip": "1"}
    assert len(account.leads()) == 2


def test_lead_update_reaches_a_lead_that_has_ended_and_leaves_its_end(
    client: FlaskClient, account: Account, lead: str
) -> None:
    end(account, lead)
    body = taken(call(client, account.schedule_token, lead, "lead_update", zip="2", restart_schedule=True))
    row = lead_of(account, lead)
    assert (row["data"], row["status"], row["is_live"], row["next_action_at"]) == (
        {"zip": "2"},
        "completed",
        False,
        None,
    )
    assert warned(body) == [("restart_schedule", "no_effect")]


def test_an_offers_token_names_the_leads_of_its_schedules_too(client: FlaskClient, account: Account, lead: str) -> None:
    taken(call(client, account.offer_token, lead, "lead_update", zip="2", restart_schedule=True))
    row = lead_of(account, lead)
    assert (row["data"], row["schedule_id"], row["next_action_id"]) == (
        {"zip": "2"},
        account.schedule_id,
        account.action_id,
    )


@pytest.mark.parametrize("endpoint", LEAD_ENDPOINTS)
def test_what_is_no_lead_of_the_token_is_not_found_and_left_alone(
    client: FlaskClient, account: Account, endpoint: str
) -> None:
    of_offer = take(client, account.offer_token, zip="1")["lead_id"]
    neighbour = make_account(account.app)
    of_neighbour = take(client, neighbour.schedule_token, zip="1")["lead_id"]
    removed = take(client, account.schedule_token, caller_id=OTHER_NUMBER)["lead_id"]
    taken(client.delete(f"{LEADS}/{removed}", headers=account.bearer))
    before = [lead_of(account, each) for each in (of_offer, removed)] + neighbour.leads()
    # An opt-out is about the number, which others may still call.
    gone = [] if endpoint == "lead_opt_out" else [removed]
    for subject in (of_offer, of_neighbour, *gone, "7", NUMBER, "undefined", "%00", "0" * 300):
        body = refused(call(client, account.schedule_token, subject, endpoint, zip="2"), "not_found")
        assert body["errors"] == {"lead_id": ["is not a lead of this token"]}
    assert [lead_of(account, each) for each in (of_offer, removed)] + neighbour.leads() == before


@pytest.mark.parametrize("endpoint", LEAD_ENDPOINTS)
def test_an_offers_token_names_no_lead_of_another_offer_or_of_none(
    client: FlaskClient, account: Account, endpoint: str
) -> None:
    other = account.add(Offer(company_id=account.company_id, name="Solar"))
    alone = account.add(Schedule(company_id=account.company_id, name="Alone"))
    tokens = (account.token(owner_kind="offer", owner_id=other), account.token(owner_id=alone))
    leads = [take(client, token)["lead_id"] for token in tokens]
    before = [lead_of(account, lead) for lead in leads]
    for lead in leads:
        refused(call(client, account.offer_token, lead, endpoint, zip="2"), "not_found")
    assert [lead_of(account, lead) for lead in leads] == before


def test_lead_opt_out_stops_every_lead_of_the_number(client: FlaskClient, account: Account, lead: str) -> None:
    other = take(client, account.offer_token, schedule_callback_in_seconds="60")["lead_id"]
    body = taken(call(client, account.schedule_token, lead, "lead_opt_out"))
    assert (body["action"], body["lead"]["opt_out"], body["lead"]["status"]) == ("updated", True, "opt_out")
    for each in (lead, other):
        row = lead_of(account, each)
        stopped = (row["status"], row["is_live"], row["next_action_at"], row["scheduled_callback_at"])
        assert stopped == ("opt_out", True, None, None)
    open_ones = "select id from callback where company_id = :company_id and cancelled_at is null"
    assert account.rows(open_ones) == []
    again = taken(call(client, account.schedule_token, lead, "lead_opt_out"))
    assert (again["action"], again["lead"]["opt_out"]) == ("unchanged", True)


def test_an_opt_out_of_a_deleted_lead_is_heard(client: FlaskClient, account: Account, lead: str) -> None:
    other = take(client, account.offer_token)["lead_id"]
    taken(client.delete(f"{LEADS}/{lead}", headers=account.bearer))
    body = taken(call(client, account.schedule_token, lead, "lead_opt_out"))
    assert (body["lead"]["opt_out"], body["lead"]["deleted_at"] is not None) == (True, True)
    assert (lead_of(account, lead)["status"], lead_of(account, other)["status"]) == ("removed", "opt_out")


def test_an_opt_out_changes_nothing_else(client: FlaskClient, account: Account, lead: str) -> None:
    body = taken(call(client, account.schedule_token, lead, "lead_opt_out", zip="2", email="b@example.com"))
    assert sorted(warned(body)) == [("email", "no_effect"), ("zip", "no_effect")]
    row = lead_of(account, lead)
    assert (row["data"], row["email"], row["status"]) == ({"zip": "1"}, "a@example.com", "opt_out")


@pytest.mark.parametrize("endpoint", ["lead_remove", "caller_remove"])
def test_a_removed_lead_has_no_further_action(client: FlaskClient, account: Account, lead: str, endpoint: str) -> None:
    subject = lead if endpoint == "lead_remove" else NUMBER
    body = taken(call(client, account.schedule_token, subject, endpoint))
    row = lead_of(account, lead)
    assert (body["action"], body["lead_id"], row["status"], row["is_live"]) == ("updated", lead, "removed", False)
    assert (row["next_action_at"], row["scheduled_callback_id"], row["deleted_at"]) == (None, None, None)
    assert row["ended_at"] is not None
    [callback] = account.rows("select * from callback where lead_id = :id", id=lead)
    assert callback["cancelled_at"] is not None
    assert events(account, lead) == ["lead.created", "lead.ended"]
    assert take(client, account.schedule_token)["action"] == "created"


@pytest.mark.parametrize("endpoint", ["lead_move_to_end_of_schedule", "caller_move_to_end_of_schedule"])
def test_a_lead_that_is_moved_to_the_end_completes_now(
    client: FlaskClient, account: Account, lead: str, endpoint: str
) -> None:
    subject = lead if endpoint.startswith("lead") else NUMBER
    body = taken(call(client, account.schedule_token, subject, endpoint, explain=True))
    row = lead_of(account, lead)
    assert (body["action"], row["status"], row["is_live"], row["next_action_at"]) == (
        "updated",
        "completed",
        False,
        None,
    )
    assert body["why"][-1]["step"] == "callback"
    assert events(account, lead) == ["lead.created", "lead.ended"]
    if endpoint.startswith("lead"):
        again = taken(call(client, account.schedule_token, subject, endpoint))
        assert (again["action"], lead_of(account, lead)["ended_at"]) == ("unchanged", row["ended_at"])
    else:
        refused(call(client, account.schedule_token, subject, endpoint), "no_matching_lead")


def test_of_several_leads_a_number_names_the_live_one_of_the_tokens_owner(
    client: FlaskClient, account: Account, lead: str
) -> None:
    end(account, lead)
    live = take(client, account.schedule_token)["lead_id"]
    elsewhere = take(client, account.offer_token)["lead_id"]
    body = taken(call(client, account.schedule_token, "(719) 222-1234", "caller_remove"))
    assert body["lead_id"] == live
    assert lead_of(account, elsewhere)["is_live"] is True
    assert lead_of(account, lead)["status"] == "completed"


def test_a_caller_can_be_opted_out_after_the_lead_has_ended(client: FlaskClient, account: Account, lead: str) -> None:
    end(account, lead)
    body = taken(call(client, account.schedule_token, NUMBER, "caller_opt_out"))
    assert (body["action"], body["lead_id"], body["lead"]["opt_out"]) == ("updated", lead, True)
    assert take(client, account.schedule_token)["lead"]["status"] == "opt_out"
    [contact] = account.rows("select * from contact where caller_id = :n and company_id = :company_id", n=NUMBER)
    assert contact["opted_out_at"] is not None


@pytest.mark.parametrize("endpoint", CALLER_ENDPOINTS)
def test_a_number_without_a_lead_under_the_token_is_told_so(
    client: FlaskClient, account: Account, endpoint: str
) -> None:
    take(client, account.offer_token)
    body = refused(call(client, account.schedule_token, NUMBER, endpoint), "no_matching_lead")
    assert body["errors"] == {"caller_id": ["has no live lead"]}
    refused(call(client, account.schedule_token, "911", endpoint), "invalid_caller_id")


def test_caller_opt_out_is_also_a_link(client: FlaskClient, account: Account, lead: str) -> None:
    url = f"{LEADS}/17192221234/caller_opt_out?lead_token={account.schedule_token}"
    head = client.head(url)
    assert (head.status_code, lead_of(account, lead)["status"]) == (405, "scheduled")
    assert taken(client.get(url))["lead"]["opt_out"] is True
    assert lead_of(account, lead)["status"] == "opt_out"


@pytest.mark.parametrize("endpoint", METHODS)
def test_a_token_that_only_adds_has_no_power_over_a_named_lead(
    client: FlaskClient, account: Account, lead: str, endpoint: str
) -> None:
    subject = lead if endpoint in LEAD_ENDPOINTS else NUMBER
    before = lead_of(account, lead)
    fresh = account.token(name="In a page")
    for token, headers in ((account.publishable_token, {}), (fresh, {"Origin": PAGE}), (fresh, {})):
        body = refused(call(client, token, subject, endpoint, headers=headers), "scope_missing")
        assert body["status"] == 403
    assert lead_of(account, lead) == before


@pytest.mark.parametrize("endpoint", METHODS)
def test_a_method_that_an_endpoint_does_not_take_is_told_so(client: FlaskClient, lead: str, endpoint: str) -> None:
    for method in ("DELETE", "PATCH"):
        answer = client.open(f"{LEADS}/{lead}/{endpoint}", method=method)
        refused(answer, "method_not_allowed")
        assert {"PUT", "POST"} <= {each.strip() for each in answer.headers["Allow"].split(",")}


@pytest.mark.parametrize("endpoint", METHODS)
def test_each_is_on_record_with_why_and_repeats_with_its_key(
    client: FlaskClient, account: Account, lead: str, endpoint: str
) -> None:
    subject = lead if endpoint in LEAD_ENDPOINTS else NUMBER
    answers = [
        call(client, account.schedule_token, subject, endpoint, headers={"Idempotency-Key": "k"}) for _ in range(2)
    ]
    assert answers[0].get_json() == answers[1].get_json()
    assert [each.headers.get("Idempotent-Replayed") for each in answers] == [None, "true"]
    first, second = account.submissions()[1:]
    assert (first["endpoint"], first["action"], first["lead_id"]) == (endpoint, "updated", lead)
    assert (second["action"], second["original_id"]) == ("replayed", first["id"])
    assert '"step":"match"' in first["why"].replace(" ", "")
    assert subject in first["received"]


def test_a_key_is_not_shared_by_two_leads(client: FlaskClient, account: Account, lead: str) -> None:
    other = take(client, account.schedule_token, caller_id=OTHER_NUMBER)["lead_id"]
    taken(call(client, account.schedule_token, lead, "lead_remove", headers={"Idempotency-Key": "k"}))
    answer = call(client, account.schedule_token, other, "lead_remove", headers={"Idempotency-Key": "k"})
    refused(answer, "idempotency_key_reused")
    assert lead_of(account, other)["is_live"] is True


@pytest.mark.parametrize("endpoint", METHODS)
def test_a_dry_run_of_each_changes_nothing(client: FlaskClient, account: Account, lead: str, endpoint: str) -> None:
    subject = lead if endpoint in LEAD_ENDPOINTS else NUMBER
    before = lead_of(account, lead)
    body = taken(call(client, account.schedule_token, subject, endpoint, dry_run=True, explain=True))
    assert (body["dry_run"], body["action"]) == (True, "updated")
    assert lead_of(account, lead) == before
    assert len(account.submissions()) == 1


# What has no meaning where the path names the lead.
POINTLESS: list[tuple[str, Any]] = [
    ("caller_id", OTHER_NUMBER),
    ("number", OTHER_NUMBER),
    ("update_only", True),
    ("expire_existing", True),
    ("delete_existing", True),
    ("update_all_matching_leads", True),
    ("vendor_lead_id", "V"),
]


@pytest.mark.parametrize(("name", "value"), POINTLESS, ids=[name for name, _ in POINTLESS])
def test_lead_update_says_what_means_nothing_there(
    client: FlaskClient, account: Account, lead: str, name: str, value: Any
) -> None:
    body = taken(call(client, account.schedule_token, lead, "lead_update", zip="2", **{name: value}))
    assert warned(body) == [(name, "no_effect")]
    row = lead_of(account, lead)
    assert (row["caller_id"], row["is_live"], row["data"]) == (NUMBER, True, {"zip": "2"})


def test_a_vendor_that_may_not_see_the_stored_lead_sees_what_it_sent(client: FlaskClient, account: Account) -> None:
    lead = take(client, account.vendor_token, email="a@example.com", zip="1")["lead_id"]
    take(client, account.schedule_token, secret="x", sub_id="other vendor")
    body = taken(call(client, account.vendor_token, lead, "lead_update", zip="2", explain=True))
    shown: Json = body["lead"]
    assert (shown["id"], shown["data"], shown["email"], shown["caller_id"]) == (lead, {"zip": "2"}, None, None)
    assert "other vendor" not in str(body)
    by_number = taken(call(client, account.vendor_token, NUMBER, "caller_opt_out"))
    assert (by_number["lead"]["caller_id"], by_number["lead"]["opt_out"]) == (NUMBER, True)


@pytest.mark.parametrize(
    ("endpoint", "sent", "status"),
    [
        ("lead_remove", {}, "removed"),
        ("lead_move_to_end_of_schedule", {}, "completed"),
        ("lead_update", {"zip": "9"}, "expired"),
    ],
    ids=["remove", "move", "update"],
)
def test_a_lead_that_has_run_out_of_time_keeps_its_end(
    client: FlaskClient, account: Account, endpoint: str, sent: Json, status: str
) -> None:
    with time_machine.travel(NOW, tick=False):
        lead = take(client, account.schedule_token, hours_to_expire=1)["lead_id"]
    with time_machine.travel(NOW + timedelta(hours=2), tick=False):
        taken(call(client, account.schedule_token, lead, endpoint, **sent))
    row = lead_of(account, lead)
    assert (row["status"], row["is_live"], row["next_action_at"]) == (status, False, None)
    assert row["ended_at"] == NOW + timedelta(hours=2)
