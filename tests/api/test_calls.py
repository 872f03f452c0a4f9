"""Calls: who reports one, what it has of its lead, and which tokens a lead writes to it (`apply_to`)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.companies.rules import SCOPES
from server.offers.models import Offer
from server.schedules.models import Schedule
from tests.api.calls import CALLS, LEADS, NOW, NUMBER, OTHER_NUMBER, Json, end, refused, take, taken, warned
from tests.factories import Account, make_account

ABSENT = "00000000-0000-4000-8000-000000000000"


def post(client: FlaskClient, account: Account, **sent: Any) -> TestResponse:
    """A call of NUMBER unless another caller_id is given."""
    return client.post(CALLS, json={"caller_id": NUMBER} | sent, headers=account.bearer)


def report(client: FlaskClient, account: Account, **sent: Any) -> Json:
    """The call of the answer, which must say that it was taken."""
    answer = post(client, account, **sent)
    body: Json = answer.get_json()
    assert answer.status_code == 200, body
    call: Json = body["call"]
    return call | {"action": body["action"]}


def wrong(answer: TestResponse) -> Json:
    """The errors of an answer that refuses parameters."""
    errors: Json = refused(answer, "invalid_parameter")["errors"]
    assert answer.status_code == 422
    return errors


def calls(account: Account) -> list[dict[str, Any]]:
    """Every call of the company, oldest first."""
    return account.rows("select * from call where company_id = :company_id order by created_at, id")


# Reporting


def test_a_call_is_kept_and_shown(client: FlaskClient, account: Account) -> None:
    sent = {
        "external_id": "CA-1",
        "direction": "outbound",
        "started_at": "2026-11-23 06:00:00 +0000",
        "duration_seconds": "312",
        "data": {"Disposition": "sold"},
    }
    call = report(client, account, caller_id="(719) 222-1234", **sent)
    [row] = calls(account)
    assert call["action"] == "created"
    assert (row["id"], row["caller_id"], row["external_id"]) == (call["id"], NUMBER, "CA-1")
    assert (row["direction"], row["started_at"], row["duration_seconds"]) == ("outbound", NOW, 312)
    assert row["data"] == call["data"] == {"disposition": "sold"}
    assert (call["caller_id"], call["started_at"]) == (NUMBER, "2026-11-23T06:00:00.000+00:00")
    assert {call[name] for name in ("lead_id", "offer_id", "schedule_id", "traffic_source_id", "sub_id")} == {None}


def test_a_call_of_which_only_the_number_is_known_came_in_now(client: FlaskClient, account: Account) -> None:
    with time_machine.travel(NOW, tick=False):
        call = report(client, account)
    [row] = calls(account)
    assert (row["direction"], row["started_at"], row["duration_seconds"], row["data"]) == ("inbound", NOW, None, {})
    assert call["external_id"] is None


def test_a_time_without_an_offset_is_the_companys(app: Flask, client: FlaskClient) -> None:
    account = make_account(app, time_zone="America/New_York")
    report(client, account, started_at="2026-12-01 09:00:00")
    assert [row["started_at"] for row in calls(account)] == [datetime(2026, 12, 1, 14, tzinfo=UTC)]


def test_a_form_reports_a_call_as_well(client: FlaskClient, account: Account) -> None:
    sent = {"caller_id": NUMBER, "duration_seconds": "5", "data[disposition]": "sold", "external_id": ""}
    assert client.post(CALLS, data=sent, headers=account.bearer).status_code == 200
    [row] = calls(account)
    assert (row["duration_seconds"], row["data"], row["external_id"]) == (5, {"disposition": "sold"}, None)


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ({"direction": "sideways"}, "direction"),
        ({"duration_seconds": -1}, "duration_seconds"),
        ({"duration_seconds": 1.5}, "duration_seconds"),
        ({"duration_seconds": 604_801}, "duration_seconds"),
        ({"started_at": "yesterday"}, "started_at"),
        ({"started_at": "0001-01-01T00:00:00+14:00"}, "started_at"),
        ({"started_at": "9999-12-31T23:59:59-14:00"}, "started_at"),
        ({"data": "sold"}, "data"),
        ({"external_id": "x" * 256}, "external_id"),
        ({"lead_id": "none"}, "lead_id"),
        ({"lead_id": ABSENT}, "lead_id"),
        ({"offer_id": "one"}, "offer_id"),
        ({"schedule_id": 2**31}, "schedule_id"),
        ({"zip": "1"}, "zip"),
        ({"company_id": 1}, "company_id"),
        ({"traffic_source_id": "google_ads"}, "traffic_source_id"),
    ],
)
@pytest.mark.parametrize("known", [False, True], ids=["a new call", "a known call"])
def test_what_is_wrong_is_named_and_nothing_is_kept(
    client: FlaskClient, account: Account, sent: Json, name: str, known: bool
) -> None:
    if known:
        report(client, account, external_id="CA-1")
    before = calls(account)
    assert list(wrong(post(client, account, **({"external_id": "CA-1"} | sent)))) == [name]
    assert calls(account) == before


@pytest.mark.parametrize("caller_id", ["911", "undefined", "719222"])
def test_a_call_of_no_valid_number_is_refused(client: FlaskClient, account: Account, caller_id: str) -> None:
    body = refused(post(client, account, caller_id=caller_id), "invalid_caller_id")
    assert (body["errors"], calls(account)) == ({"caller_id": ["is not a valid phone number"]}, [])


def test_a_call_without_a_number_is_refused(client: FlaskClient, account: Account) -> None:
    assert wrong(post(client, account, caller_id="")) == {"caller_id": ["is missing"]}


@pytest.mark.parametrize("scope", sorted(SCOPES))
def test_only_a_key_that_may_report_outcomes_reports_calls(client: FlaskClient, account: Account, scope: str) -> None:
    answer = client.post(CALLS, json={"caller_id": NUMBER}, headers=account.key(scope))
    assert answer.status_code == (200 if scope == "outcomes:write" else 403)
    assert len(calls(account)) == (scope == "outcomes:write")


def test_without_a_key_no_call_is_taken(client: FlaskClient, account: Account) -> None:
    answer = client.post(CALLS, json={"caller_id": NUMBER, "lead_token": account.schedule_token})
    assert (answer.status_code, answer.get_json()["code"]) == (401, "key_required")
    assert calls(account) == []


# What it has of its lead


def test_a_call_inherits_source_and_tokens_of_its_lead(client: FlaskClient, account: Account) -> None:
    lead = take(client, account.schedule_token, traffic_source_id="google_ads", sub_id="a1", zip="1", city="Denver")
    call = report(client, account, data={"city": "Boulder"})
    [row] = calls(account)
    assert row["lead_id"] == call["lead_id"] == lead["lead_id"]
    assert (row["offer_id"], row["schedule_id"]) == (account.offer_id, account.schedule_id)
    assert (row["traffic_source_id"], row["traffic_source_text"]) == (account.source_id, "google_ads")
    assert (call["traffic_source_id"], call["sub_id"]) == ("google_ads", "a1")
    assert row["data"] == {"zip": "1", "city": "Boulder"}


def test_the_first_touch_counts_for_calls_too(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token, traffic_source_id="google_ads", sub_id="a1")
    take(client, account.schedule_token, traffic_source_id="bing", sub_id="b2")
    assert report(client, account)["traffic_source_id"] == "google_ads"


def test_a_call_belongs_to_the_latest_live_lead_of_its_number(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token, caller_id=OTHER_NUMBER)
    live = take(client, account.schedule_token)["lead_id"]
    end(account, take(client, account.offer_token)["lead_id"])
    assert report(client, account)["lead_id"] == live


def test_where_none_is_live_it_belongs_to_the_latest(client: FlaskClient, account: Account) -> None:
    end(account, take(client, account.schedule_token)["lead_id"])
    last = take(client, account.offer_token)["lead_id"]
    end(account, last)
    assert report(client, account)["lead_id"] == last


def test_a_deleted_lead_has_no_more_calls(client: FlaskClient, account: Account) -> None:
    lead = take(client, account.schedule_token)["lead_id"]
    client.delete(f"{LEADS}/{lead}", headers=account.bearer)
    assert report(client, account)["lead_id"] is None


@pytest.mark.parametrize("owner", ["offer", "schedule"])
def test_a_call_for_an_owner_belongs_to_a_lead_of_it(client: FlaskClient, account: Account, owner: str) -> None:
    offer = account.add(Offer(company_id=account.company_id, name="Other"))
    schedule = account.add(Schedule(company_id=account.company_id, offer_id=offer, name="Other"))
    lead = take(client, account.token(owner_id=schedule))["lead_id"]
    take(client, account.schedule_token)
    owner_id = {"offer": offer, "schedule": schedule}[owner]
    assert report(client, account, **{f"{owner}_id": owner_id})["lead_id"] == lead


def test_a_call_may_name_its_lead(client: FlaskClient, account: Account) -> None:
    named = take(client, account.schedule_token, zip="1")["lead_id"]
    take(client, account.offer_token)
    for spelt in (named, named.upper()):
        call = report(client, account, lead_id=spelt)
        assert (call["lead_id"], call["schedule_id"], call["data"]) == (named, account.schedule_id, {"zip": "1"})
    assert {row["lead_id"] for row in calls(account)} == {named}


def test_a_lead_of_another_number_is_none_of_the_calls(client: FlaskClient, account: Account) -> None:
    lead = take(client, account.schedule_token, caller_id=OTHER_NUMBER)["lead_id"]
    assert wrong(post(client, account, lead_id=lead)) == {"lead_id": ["is not a lead of this number"]}
    assert calls(account) == []


@pytest.mark.parametrize("known", [False, True], ids=["a new call", "a known call"])
@pytest.mark.parametrize("name", ["lead_id", "offer_id", "schedule_id"])
def test_what_is_another_companys_is_refused(client: FlaskClient, account: Account, name: str, known: bool) -> None:
    stranger = make_account(account.app)
    theirs = {
        "lead_id": take(client, stranger.schedule_token)["lead_id"],
        "offer_id": stranger.offer_id,
        "schedule_id": stranger.schedule_id,
    }
    if known:
        report(client, account, external_id="CA-1")
    before = calls(account)
    errors = wrong(post(client, account, external_id="CA-1", **{name: theirs[name]}))
    assert (list(errors), calls(account)) == ([name], before)


def test_another_companys_lead_of_the_number_is_not_found(client: FlaskClient, account: Account) -> None:
    take(client, make_account(account.app).schedule_token)
    assert report(client, account)["lead_id"] is None


# The same call again


def test_the_same_external_id_updates_the_call(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token, zip="1")
    first = report(client, account, external_id="CA-1", data={"a": "1", "b": "1"})
    second = report(client, account, external_id="CA-1", duration_seconds=60, data={"b": "2"})
    assert (first["action"], second["action"], second["id"]) == ("created", "updated", first["id"])
    [row] = calls(account)
    assert (row["duration_seconds"], row["data"]) == (60, {"zip": "1", "a": "1", "b": "2"})
    assert (row["lead_id"], row["direction"]) == (first["lead_id"], "inbound")
    assert row["updated_at"] >= row["created_at"]


def test_what_is_not_sent_again_stays(client: FlaskClient, account: Account) -> None:
    sent = {"direction": "outbound", "started_at": "2026-11-23T06:00:00Z", "duration_seconds": 5, "data": {"a": "1"}}
    first = report(client, account, external_id="CA-1", **sent)
    second = report(client, account, external_id="CA-1", duration_seconds="")
    kept = ("direction", "started_at", "duration_seconds", "data")
    assert [second[name] for name in kept] == [first[name] for name in kept]


def test_a_known_call_may_name_its_lead_later(client: FlaskClient, account: Account) -> None:
    report(client, account, external_id="CA-1")
    lead = take(client, account.schedule_token)["lead_id"]
    assert report(client, account, external_id="CA-1", lead_id=lead.upper())["lead_id"] == lead
    assert [row["lead_id"] for row in calls(account)] == [lead]


def test_without_an_external_id_each_report_is_a_call(client: FlaskClient, account: Account) -> None:
    assert report(client, account)["id"] != report(client, account)["id"]


def test_another_companys_external_id_is_another_call(client: FlaskClient, account: Account) -> None:
    stranger = make_account(account.app)
    first, second = (report(client, each, external_id="CA-1") for each in (account, stranger))
    assert (first["action"], second["action"]) == ("created", "created")
    assert [len(calls(each)) for each in (account, stranger)] == [1, 1]


def test_a_call_that_is_reported_ten_times_at_once_is_one(app: Flask, account: Account) -> None:
    def one(index: int) -> Json:
        return report(app.test_client(), account, external_id="CA-1", data={f"field_{index}": "1"})

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(one, range(10)))
    [row] = calls(account)
    assert sorted(body["action"] for body in answers) == ["created"] + ["updated"] * 9
    assert row["data"] == {f"field_{index}": "1" for index in range(10)}


# apply_to


def test_tokens_go_to_the_numbers_calls_under_the_offer(client: FlaskClient, account: Account) -> None:
    lead = take(client, account.schedule_token, zip="1")["lead_id"]
    for _ in range(2):
        report(client, account, data={"disposition": "sold"})
    body = take(client, account.schedule_token, apply_to="calls", zip="2", city="Denver")
    assert (body["lead_id"], body["warnings"]) == (lead, [])
    written = {"zip": "2", "city": "Denver", "disposition": "sold"}
    assert [row["data"] for row in calls(account)] == [written, written]
    assert account.leads()[0]["data"] == {"zip": "2", "city": "Denver"}


def test_without_it_the_calls_stay_as_they_are(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token, zip="1")
    report(client, account)
    take(client, account.schedule_token, zip="2")
    assert [row["data"] for row in calls(account)] == [{"zip": "1"}]


@pytest.mark.parametrize("sender", ["offer", "schedule"])
@pytest.mark.parametrize("place", ["offer", "schedule", "both"])
def test_calls_of_the_offer_and_of_its_schedules_are_meant(
    client: FlaskClient, account: Account, place: str, sender: str
) -> None:
    owners = {"offer_id": account.offer_id, "schedule_id": account.schedule_id}
    report(client, account, **{name: value for name, value in owners.items() if place in ("both", name[:-3])})
    token = {"offer": account.offer_token, "schedule": account.schedule_token}[sender]
    take(client, token, apply_to="calls", zip="2")
    assert [row["data"] for row in calls(account)] == [{"zip": "2"}]


def test_calls_of_other_numbers_offers_and_companies_are_not(client: FlaskClient, account: Account) -> None:
    other_offer = account.add(Offer(company_id=account.company_id, name="Other"))
    other_schedule = account.add(Schedule(company_id=account.company_id, offer_id=other_offer, name="Other"))
    stranger = make_account(account.app)
    report(client, account, caller_id=OTHER_NUMBER, offer_id=account.offer_id)
    report(client, account, offer_id=other_offer)
    report(client, account, schedule_id=other_schedule)
    report(client, account)
    report(client, stranger, offer_id=stranger.offer_id)
    take(client, account.schedule_token, apply_to="calls", zip="2")
    assert [row["data"] for each in (account, stranger) for row in calls(each)] == [{}] * 5


def test_calls_of_a_schedule_without_an_offer_are_meant_too(client: FlaskClient, account: Account) -> None:
    alone = account.add(Schedule(company_id=account.company_id, name="Alone"))
    report(client, account, schedule_id=alone)
    report(client, account)
    take(client, account.token(owner_id=alone), apply_to="calls", zip="2")
    assert [row["data"] for row in calls(account)] == [{"zip": "2"}, {}]


def test_every_kind_of_value_goes_over_as_it_is(client: FlaskClient, account: Account) -> None:
    report(client, account, offer_id=account.offer_id, data={"kept": {"x": [1, 2.5]}, "nested": {"old": 1}, "n": "é"})
    data: Json = {
        "nested": {"x": [1, None, True]},
        "amount": 1.5,
        "whole": 7,
        "no": False,
        "text": "é\U0001f600 \"'\\",
        "list": [],
        "hash": {},
        "huge": 10**30,
    }
    take(client, account.schedule_token, apply_to="calls", data=data)
    [row] = calls(account)
    assert row["data"] == {"kept": {"x": [1, 2.5]}, "n": "é"} | data | {"huge": str(10**30)}
    assert row["data"] | {"kept": None, "n": None} == account.leads()[0]["data"] | {"kept": None, "n": None}


def test_without_tokens_it_has_no_effect(client: FlaskClient, account: Account) -> None:
    report(client, account, offer_id=account.offer_id, data={"zip": "1"})
    body = take(client, account.schedule_token, apply_to="calls", email="john@example.com")
    assert warned(body) == [("apply_to", "no_effect")]
    assert [row["data"] for row in calls(account)] == [{"zip": "1"}]


def test_a_lead_without_calls_is_taken_as_any_other(client: FlaskClient, account: Account) -> None:
    body = take(client, account.schedule_token, apply_to="calls", zip="1")
    assert (body["action"], body["warnings"], calls(account)) == ("created", [], [])


def test_a_dry_run_writes_to_no_call(client: FlaskClient, account: Account) -> None:
    report(client, account, offer_id=account.offer_id)
    take(client, account.schedule_token, apply_to="calls", zip="1", dry_run=True)
    assert [row["data"] for row in calls(account)] == [{}]


def test_a_page_writes_to_no_call(client: FlaskClient, account: Account) -> None:
    report(client, account, offer_id=account.offer_id)
    body = take(client, account.publishable_token, apply_to="calls", zip="1")
    assert warned(body) == [("apply_to", "needs_server_token")]
    assert [row["data"] for row in calls(account)] == [{}]


def test_a_person_who_edits_a_lead_may_write_to_its_calls(client: FlaskClient, account: Account) -> None:
    lead = take(client, account.schedule_token)["lead_id"]
    report(client, account)
    sent = {"apply_to": "calls", "zip": "2"}
    taken(client.put(f"{LEADS}/{lead}", json=sent, headers=account.bearer))
    assert [row["data"] for row in calls(account)] == [{"zip": "2"}]


def test_a_call_that_was_written_to_says_when(client: FlaskClient, account: Account) -> None:
    with time_machine.travel(NOW, tick=False):
        report(client, account, offer_id=account.offer_id)
    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        take(client, account.schedule_token, apply_to="calls", zip="1")
    assert [row["updated_at"] for row in calls(account)] == [NOW + timedelta(hours=1)]
