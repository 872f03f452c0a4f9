"""Create or update: API.md §7.1 to §7.3, at the client, on both databases."""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from server.offers.models import Offer
from server.schedules.models import Schedule, ScheduleAction
from server.sources.models import TrafficSource
from tests.api.calls import LEADS, NOW, NUMBER, OTHER_NUMBER, Json, change, end, refused, send, take, warned
from tests.factories import DAY, Account, make_account

LATER = "2026-12-24T08:00:00+00:00"
LATER_AT = datetime(2026, 12, 24, 8, tzinfo=UTC)


def contact(account: Account, number: str = NUMBER) -> dict[str, Any]:
    """What is stored of a number."""
    found = account.rows("select * from contact where company_id = :company_id and caller_id = :number", number=number)
    assert len(found) == 1
    return found[0]


def touches(account: Account) -> list[dict[str, Any]]:
    """Every touch of the company, oldest first."""
    return account.rows("select * from touch where company_id = :company_id order by created_at, id")


def further_schedule(account: Account, delay_seconds: int | None) -> str:
    """The token of another schedule under the offer, whose one action comes after so many seconds, if there is one."""
    schedule = {"company_id": account.company_id, "offer_id": account.offer_id, "name": "Further"}
    schedule_id = account.add(Schedule(**schedule))
    if delay_seconds is not None:
        action: dict[str, Any] = {"company_id": account.company_id, "schedule_id": schedule_id, "position": 1}
        account.add(ScheduleAction(**action, kind="dial", delay_seconds=delay_seconds))
    return account.token(owner_id=schedule_id, shows_stored_lead=True)


# A new lead


def test_a_first_post_makes_a_lead_and_plans_the_first_action(client: FlaskClient, account: Account) -> None:
    with time_machine.travel(NOW, tick=False):
        url = (
            f"{LEADS}?lead_token={account.schedule_token}&caller_id=+18004506787&email=john@example.com&loan_amount=500"
        )
        answer = client.post(url)
    assert answer.status_code == 200
    [lead] = account.leads()
    assert (answer.get_json()["action"], answer.get_json()["lead_id"]) == ("created", lead["id"])
    expected: Json = {
        "caller_id": "+18004506787",
        "email": "john@example.com",
        "owner_kind": "schedule",
        "owner_id": account.schedule_id,
        "schedule_id": account.schedule_id,
        "offer_id": account.offer_id,
        "status": "scheduled",
        "is_live": True,
        "test": False,
        "next_action_id": account.action_id,
        "next_action_at": NOW + timedelta(seconds=DAY),
        "data": {"loan_amount": "500"},
        "remote_ip": "127.0.0.1",
        "created_at": NOW,
        "updated_at": NOW,
        "ended_at": None,
        "deleted_at": None,
    }
    assert lead | expected == lead


def test_an_offers_lead_waits_and_nothing_is_planned(client: FlaskClient, account: Account) -> None:
    take(client, account.offer_token)
    [lead] = account.leads()
    assert (lead["owner_kind"], lead["owner_id"], lead["schedule_id"]) == ("offer", account.offer_id, None)
    assert (lead["status"], lead["next_action_id"], lead["next_action_at"]) == ("waiting", None, None)


def test_a_schedule_without_actions_takes_a_lead_and_plans_nothing(client: FlaskClient, account: Account) -> None:
    take(client, further_schedule(account, delay_seconds=None), next_action_at=LATER)
    [lead] = account.leads()
    assert (lead["status"], lead["next_action_id"], lead["next_action_at"]) == ("scheduled", None, None)


def test_the_action_at_the_first_position_comes_first(client: FlaskClient, account: Account) -> None:
    before = {"company_id": account.company_id, "schedule_id": account.schedule_id, "position": 0}
    first = account.add(ScheduleAction(**before, kind="sms", delay_seconds=60))
    with time_machine.travel(NOW, tick=False):
        take(client, account.schedule_token)
    [lead] = account.leads()
    assert (lead["next_action_id"], lead["next_action_at"]) == (first, NOW + timedelta(minutes=1))


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("path", ["", ".json", "/capture", "/capture.json"])
def test_every_spelling_of_the_endpoint_takes_a_lead(
    client: FlaskClient, account: Account, method: str, path: str
) -> None:
    sent = {"lead_token": account.schedule_token, "caller_id": NUMBER}
    answer = client.open(LEADS + path, method=method, json=sent)
    assert (answer.status_code, answer.get_json()["action"]) == (200, "created")
    assert len(account.leads()) == 1


@pytest.mark.parametrize(
    ("spelling", "test"),
    [("719-555-0100", True), ("+1 719 555 0199", True), ("719-555-0200", False), ("719-222-0100", False)],
)
def test_numbers_of_fiction_are_marked_as_a_test(
    client: FlaskClient, account: Account, spelling: str, test: bool
) -> None:
    body = take(client, account.schedule_token, caller_id=spelling)
    assert body["lead"]["test"] is test
    assert account.leads()[0]["test"] is test


def test_a_vanity_number_becomes_its_digits_and_stays_on_record_as_it_was_sent(
    client: FlaskClient, account: Account
) -> None:
    take(client, account.schedule_token, caller_id="+1 800 FLOWERS")
    assert account.leads()[0]["caller_id"] == "+18003569377"
    assert "+1 800 FLOWERS" in account.submissions()[0]["received"]


@pytest.mark.parametrize(
    ("region", "number", "e164"),
    [
        ("GB", "020 7183 8750", "+442071838750"),
        ("GB", "6502530000", None),
        ("GB", "+1 719 222 1234", NUMBER),
        ("DE", "030 123456", "+4930123456"),
        ("US", "020 7183 8750", None),
        ("US", " 447911123456", "+447911123456"),
    ],
)
def test_a_number_is_read_in_the_companys_region(
    app: Flask, client: FlaskClient, region: str, number: str, e164: str | None
) -> None:
    account = make_account(app, region=region)
    answer = send(client, account.schedule_token, caller_id=number)
    if e164 is None:
        assert region in refused(answer, "invalid_caller_id")["detail"]
    assert [lead["caller_id"] for lead in account.leads()] == ([e164] if e164 else [])


# The live lead is updated


def test_what_is_sent_replaces_and_tokens_merge(client: FlaskClient, account: Account) -> None:
    first = take(
        client,
        account.schedule_token,
        email="a@example.com",
        contact_field_type="auto",
        lead_priority=5,
        max_contact_attempts=3,
        data={"zip": "1", "city": "x", "pets": ["dog"], "car": {"make": "a", "year": 1}},
    )
    second = take(
        client,
        account.schedule_token,
        email="b@example.com",
        contact_field_type="home",
        lead_priority="2.5",
        max_contact_attempts="7",
        zip=2,
        data={"state": "CO", "car": {"make": "b"}},
    )
    assert (second["action"], second["lead_id"]) == ("updated", first["lead_id"])
    [lead] = account.leads()
    assert (lead["email"], lead["contact_field_type"]) == ("b@example.com", "home")
    assert (lead["lead_priority"], lead["max_contact_attempts"]) == (2.5, 7)
    # A token is one value: a nested one is replaced as a whole.
    assert lead["data"] == {"zip": 2, "city": "x", "pets": ["dog"], "state": "CO", "car": {"make": "b"}}
    assert second["lead"]["data"] == lead["data"]


@pytest.mark.parametrize("blank", ["", " \t", None])
def test_blank_never_overwrites(client: FlaskClient, account: Account, blank: str | None) -> None:
    names = (
        "email",
        "contact_field_type",
        "lead_priority",
        "max_contact_attempts",
        "hours_to_expire",
        "expires_in",
        "next_action_at",
        "traffic_source_id",
        "sub_id",
    )
    values = ("a@example.com", "auto", 5, 3, 24, 60, LATER, "google_ads", "s")
    take(client, account.schedule_token, **dict(zip(names, values, strict=True)), data={"zip": "1"})
    [before] = account.leads()
    body = take(client, account.schedule_token, **dict.fromkeys(names, blank), zip=blank, data={"zip": blank})
    [after] = account.leads()
    assert body["action"] == "updated"
    assert after | {"updated_at": before["updated_at"]} == before


def test_an_update_leaves_when_and_by_what_the_lead_was_made(client: FlaskClient, account: Account) -> None:
    with time_machine.travel(NOW, tick=False):
        take(client, account.schedule_token)
    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        further = account.token()
        taken = send(client, further, zip="1", headers={"User-Agent": "x"})
    assert taken.get_json()["action"] == "updated"
    [lead] = account.leads()
    [first] = account.rows("select id from lead_token where value = :value", value=account.schedule_token)
    assert lead["lead_token_id"] == first["id"]
    assert (lead["created_at"], lead["updated_at"]) == (NOW, NOW + timedelta(hours=1))
    assert lead["next_action_at"] == NOW + timedelta(seconds=DAY)


def test_each_lead_that_is_written_leaves_word_of_it_once(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token)
    take(client, account.schedule_token, zip="1")
    take(client, account.schedule_token, zip="1")
    refused(send(client, account.schedule_token, caller_id="911"), "invalid_caller_id")
    events = account.rows("select kind from outbox_event where company_id = :company_id order by created_at, id")
    assert [event["kind"] for event in events] == ["lead.created", "lead.updated"]


def test_token_names_are_registered_once_at_first_sight(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token, Zip="1", data={"loan amount": 500})
    take(client, account.schedule_token, zip="2", city="x")
    names = account.rows("select name, kind from token where company_id = :company_id order by name")
    assert [(row["name"], row["kind"]) for row in names] == [
        ("city", "text"),
        ("loan_amount", "text"),
        ("zip", "text"),
    ]


# Which lead it is


def test_an_offer_and_its_schedule_have_a_lead_each(client: FlaskClient, account: Account) -> None:
    of_schedule = take(client, account.schedule_token, zip="1")
    of_offer = take(client, account.offer_token, zip="2")
    assert (of_schedule["action"], of_offer["action"]) == ("created", "created")
    assert of_schedule["lead_id"] != of_offer["lead_id"]
    again = take(client, account.offer_token, city="x")
    assert (again["action"], again["lead_id"], again["lead"]["data"]) == (
        "updated",
        of_offer["lead_id"],
        {"zip": "2", "city": "x"},
    )


def test_two_schedules_two_numbers_and_two_companies_are_apart(
    app: Flask, client: FlaskClient, account: Account
) -> None:
    other = make_account(app)
    tokens = (account.schedule_token, further_schedule(account, DAY), other.schedule_token)
    made = [take(client, token, caller_id=number) for token in tokens for number in (NUMBER, OTHER_NUMBER)]
    assert {body["action"] for body in made} == {"created"}
    assert (len(account.leads()), len(other.leads())) == (4, 2)


def test_all_tokens_of_a_schedule_reach_its_lead(client: FlaskClient, account: Account) -> None:
    made = take(client, account.schedule_token)
    assert take(client, account.vendor_token, zip="1")["lead_id"] == made["lead_id"]
    assert len(account.leads()) == 1


def test_after_a_lead_has_ended_a_new_one_is_made(client: FlaskClient, account: Account) -> None:
    first = take(client, account.schedule_token, zip="1")
    end(account, first["lead_id"])
    second = take(client, account.schedule_token, city="x")
    assert (second["action"], second["lead"]["data"]) == ("created", {"city": "x"})
    old, new = account.leads()
    assert (old["id"], old["status"], old["data"]) == (first["lead_id"], "completed", {"zip": "1"})
    assert (new["id"], new["is_live"], new["next_action_id"]) == (second["lead_id"], True, account.action_id)


def test_the_same_content_after_the_end_makes_a_new_lead_too(client: FlaskClient, account: Account) -> None:
    first = take(client, account.schedule_token)
    end(account, first["lead_id"])
    assert take(client, account.schedule_token)["action"] == "created"
    assert len(account.leads()) == 2


@pytest.mark.parametrize(
    ("term", "status", "deleted"), [({"hours_to_expire": 1}, "expired", False), ({"expires_in": 60}, "removed", True)]
)
def test_a_lead_that_has_run_out_of_time_ends_and_a_new_one_is_made(
    client: FlaskClient, account: Account, term: Json, status: str, deleted: bool
) -> None:
    with time_machine.travel(NOW, tick=False):
        first = take(client, account.schedule_token, **term)
    with time_machine.travel(NOW + timedelta(minutes=59), tick=False):
        assert take(client, account.schedule_token, zip="1")["lead_id"] == first["lead_id"]
    over = NOW + timedelta(minutes=60)
    with time_machine.travel(over, tick=False):
        assert take(client, account.schedule_token, zip="2")["action"] == "created"
    old, new = account.leads()
    assert (old["id"], old["status"], old["is_live"], old["ended_at"]) == (first["lead_id"], status, False, over)
    assert (old["next_action_at"], old["deleted_at"], old["updated_at"]) == (None, over if deleted else None, over)
    assert (new["is_live"], new["data"], new["expires_at"], new["deletes_at"]) == (True, {"zip": "2"}, None, None)


def test_a_stop_of_the_request_that_ends_a_lead_does_not_bring_it_back(client: FlaskClient, account: Account) -> None:
    with time_machine.travel(NOW, tick=False):
        take(client, account.schedule_token, hours_to_expire=1)
    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        take(client, account.schedule_token, blocked=True)
    found = [(lead["status"], lead["is_live"], lead["next_action_at"]) for lead in account.leads()]
    assert found == [("expired", False, None), ("blocked", True, None)]


# update_only


def test_update_only_never_makes_a_lead(client: FlaskClient, account: Account) -> None:
    body = refused(send(client, account.schedule_token, update_only=True), "no_matching_lead")
    assert body["errors"] == {"caller_id": ["has no live lead"]}
    assert account.leads() == []
    assert account.rows("select id from contact where company_id = :company_id") == []


def test_update_only_updates_a_live_lead_and_no_other(client: FlaskClient, account: Account) -> None:
    made = take(client, account.schedule_token)
    refused(send(client, account.offer_token, update_only=True), "no_matching_lead")
    refused(send(client, account.schedule_token, update_only=True, caller_id=OTHER_NUMBER), "no_matching_lead")
    body = take(client, account.schedule_token, update_only="yes", zip="1")
    assert (body["action"], body["lead_id"], body["lead"]["data"]) == ("updated", made["lead_id"], {"zip": "1"})
    end(account, made["lead_id"])
    refused(send(client, account.schedule_token, update_only=True, zip="2"), "no_matching_lead")


def test_update_only_does_not_end_a_lead_that_has_run_out_of_time(client: FlaskClient, account: Account) -> None:
    with time_machine.travel(NOW, tick=False):
        take(client, account.schedule_token, hours_to_expire=1)
    [before] = account.leads()
    with time_machine.travel(NOW + timedelta(hours=2), tick=False):
        refused(send(client, account.schedule_token, update_only=True), "no_matching_lead")
    assert account.leads() == [before]


# Where the lead came from


def test_the_first_touch_stays_and_each_further_one_is_recorded(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token, traffic_source_id="google_ads", sub_id="a")
    body = take(client, account.schedule_token, traffic_source_id="bing", sub_id="b")
    assert (body["lead"]["traffic_source_id"], body["lead"]["sub_id"]) == ("google_ads", "a")
    [lead] = account.leads()
    assert (lead["traffic_source_id"], lead["traffic_source_text"], lead["sub_id"]) == (
        account.source_id,
        "google_ads",
        "a",
    )
    found = touches(account)
    assert [(row["traffic_source_id"], row["traffic_source_text"], row["sub_id"]) for row in found] == [
        (account.source_id, "google_ads", "a"),
        (None, "bing", "b"),
    ]
    assert [row["submission_id"] for row in found] == [row["id"] for row in account.submissions()]
    assert {row["lead_id"] for row in found} == {lead["id"]}


def test_a_lead_that_came_from_nowhere_takes_its_first_touch_later(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token)
    assert touches(account) == []
    take(client, account.schedule_token, sub_id="a")
    take(client, account.schedule_token, traffic_source_id="google_ads")
    [lead] = account.leads()
    # The touch that said "a" said no source: a source of another touch would make a pair that nobody sent.
    assert (lead["traffic_source_id"], lead["traffic_source_text"], lead["sub_id"]) == (None, None, "a")
    assert len(touches(account)) == 2


def test_a_double_click_is_no_second_touch(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token, sub_id="a")
    assert take(client, account.schedule_token, sub_id="a")["action"] == "unchanged"
    assert len(touches(account)) == 1


def test_a_source_is_known_by_the_companys_own_id_and_by_ours(client: FlaskClient, account: Account) -> None:
    source = {"company_id": account.company_id, "user_traffic_source_id": str(account.source_id), "name": "Named so"}
    for number, sent in ((NUMBER, account.source_id), (OTHER_NUMBER, "google_ads")):
        body = take(client, account.schedule_token, caller_id=number, traffic_source_id=sent)
        assert body["lead"]["traffic_source_id"] == "google_ads"
    named_so = account.add(TrafficSource(**source))
    take(client, account.schedule_token, caller_id="7192220001", traffic_source_id=account.source_id)
    assert [lead["traffic_source_id"] for lead in account.leads()] == [account.source_id, account.source_id, named_so]


def test_a_source_of_another_company_is_unknown(app: Flask, client: FlaskClient, account: Account) -> None:
    other = make_account(app, source="their_own")
    for number, sent in ((NUMBER, "their_own"), (OTHER_NUMBER, str(other.source_id))):
        take(client, account.schedule_token, caller_id=number, traffic_source_id=sent)
    assert [(lead["traffic_source_id"], lead["traffic_source_text"]) for lead in account.leads()] == [
        (None, "their_own"),
        (None, str(other.source_id)),
    ]


def test_the_tokens_default_source_counts_where_none_is_sent(client: FlaskClient, account: Account) -> None:
    token = account.token(default_traffic_source_id=account.source_id)
    take(client, token)
    take(client, token, caller_id=OTHER_NUMBER, traffic_source_id="bing")
    assert [lead["traffic_source_text"] for lead in account.leads()] == ["google_ads", "bing"]
    assert len(touches(account)) == 2


# When it is contacted, and how long


def test_next_action_at_sets_the_time_of_the_first_action(client: FlaskClient, account: Account) -> None:
    body = take(client, account.schedule_token, next_action_at="2026-12-24T03:00:00-05:00")
    assert body["lead"]["next_action_at"] == "2026-12-24T08:00:00.000+00:00"
    [lead] = account.leads()
    assert (lead["next_action_id"], lead["next_action_at"]) == (account.action_id, LATER_AT)


def test_next_action_at_moves_what_is_planned_and_nothing_else_does(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token)
    take(client, account.schedule_token, next_action_at=LATER)
    take(client, account.schedule_token, zip="1")
    [lead] = account.leads()
    assert (lead["next_action_id"], lead["next_action_at"], lead["status"]) == (
        account.action_id,
        LATER_AT,
        "scheduled",
    )


def test_next_action_at_that_cannot_be_kept_is_said_aloud(client: FlaskClient, account: Account) -> None:
    no_effect = [("next_action_at", "no_effect")]
    assert warned(take(client, account.offer_token, next_action_at=LATER)) == no_effect
    assert warned(take(client, account.schedule_token, blocked=True, next_action_at=LATER)) == no_effect
    assert [lead["next_action_at"] for lead in account.leads()] == [None, None]


def test_terms_are_counted_from_the_request_that_sets_them(client: FlaskClient, account: Account) -> None:
    with time_machine.travel(NOW, tick=False):
        take(client, account.schedule_token, hours_to_expire=24, expires_in=2880)
    [lead] = account.leads()
    assert (lead["expires_at"], lead["deletes_at"]) == (NOW + timedelta(hours=24), NOW + timedelta(days=2))
    with time_machine.travel(NOW + timedelta(hours=3), tick=False):
        body = take(client, account.schedule_token, hours_to_expire=1)
    [lead] = account.leads()
    assert (lead["expires_at"], lead["deletes_at"]) == (NOW + timedelta(hours=4), NOW + timedelta(days=2))
    assert body["lead"]["expires_at"] == "2026-11-23T10:00:00.000+00:00"
    assert body["lead"]["deletes_at"] == "2026-11-25T06:00:00.000+00:00"


# Blocks and opt-outs


class Stop(NamedTuple):
    """One of the two reasons to leave a number alone: its parameter, the status that it gives, its column."""

    flag: str
    status: str
    column: str


each_stop = pytest.mark.parametrize(
    "stop",
    [Stop("blocked", "blocked", "blocked_at"), Stop("opt_out", "opt_out", "opted_out_at")],
    ids=lambda stop: stop.flag,
)


@each_stop
def test_a_lead_of_a_stopped_number_is_taken_with_nothing_planned(
    client: FlaskClient, account: Account, stop: Stop
) -> None:
    body = take(client, account.schedule_token, **{stop.flag: True})
    assert (body["action"], body["lead"]["status"], body["lead"][stop.flag]) == ("created", stop.status, True)
    assert contact(account)[stop.column] is not None
    take(client, account.offer_token)
    for lead in account.leads():
        assert (lead["status"], lead["is_live"], lead["next_action_at"]) == (stop.status, True, None)


@each_stop
def test_a_stop_reaches_every_lead_of_the_number_and_of_no_other(
    app: Flask, client: FlaskClient, account: Account, stop: Stop
) -> None:
    other = make_account(app)
    take(client, other.schedule_token)
    take(client, account.schedule_token, caller_id=OTHER_NUMBER)
    take(client, further_schedule(account, 60))
    take(client, account.schedule_token)
    ended = take(client, account.offer_token)
    end(account, ended["lead_id"])
    take(client, account.offer_token, **{stop.flag: True})
    found = [(lead["caller_id"], lead["status"], lead["next_action_at"] is None) for lead in account.leads()]
    expected = [(OTHER_NUMBER, "scheduled", False), (NUMBER, "completed", True), *[(NUMBER, stop.status, True)] * 3]
    assert sorted(found) == sorted(expected)
    assert other.leads()[0]["status"] == "scheduled"
    assert contact(other)[stop.column] is None


@each_stop
@pytest.mark.parametrize("holder", ["nobody", "another scope", "another company", "a page"])
def test_without_a_key_that_updates_leads_a_stop_is_not_lifted(
    client: FlaskClient, account: Account, stop: Stop, holder: str
) -> None:
    take(client, account.schedule_token, **{stop.flag: True})
    headers = {
        "nobody": {},
        "another scope": account.key("leads:create", "leads:read"),
        "another company": make_account(account.app).bearer,
        "a page": account.bearer,
    }[holder]
    token = account.publishable_token if holder == "a page" else account.schedule_token
    body = take(client, token, headers=headers, **{stop.flag: False})
    assert (stop.flag, "needs_server_token" if holder == "a page" else "needs_key") in warned(body)
    assert contact(account)[stop.column] is not None
    assert account.leads()[0]["status"] == stop.status


@each_stop
def test_a_key_that_updates_leads_lifts_a_stop_and_the_lead_begins_again(
    client: FlaskClient, account: Account, stop: Stop
) -> None:
    take(client, account.schedule_token, **{stop.flag: True})
    body = take(client, account.schedule_token, headers=account.key("leads:update"), **{stop.flag: False})
    assert (body["action"], body["lead"]["status"], body["lead"][stop.flag]) == ("updated", "scheduled", False)
    assert body["warnings"] == []
    assert contact(account)[stop.column] is None
    [lead] = account.leads()
    assert (lead["status"], lead["next_action_id"]) == ("scheduled", account.action_id)
    assert lead["next_action_at"] is not None


@each_stop
def test_the_time_of_the_first_stop_stays(client: FlaskClient, account: Account, stop: Stop) -> None:
    with time_machine.travel(NOW, tick=False):
        take(client, account.schedule_token, **{stop.flag: True})
    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        take(client, account.schedule_token, zip="1", **{stop.flag: True})
    assert contact(account)[stop.column] == NOW


def test_what_is_lifted_leaves_the_other_reason_standing(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token, blocked=True, opt_out=True)
    assert account.leads()[0]["status"] == "blocked"
    body = take(client, account.schedule_token, headers=account.bearer, blocked=False)
    assert (body["lead"]["blocked"], body["lead"]["opt_out"]) == (False, True)
    [lead] = account.leads()
    assert (lead["status"], lead["next_action_at"]) == ("opt_out", None)


def test_a_number_that_was_lifted_elsewhere_begins_again_with_its_next_post(
    client: FlaskClient, account: Account
) -> None:
    take(client, account.schedule_token, blocked=True)
    take(client, account.offer_token, headers=account.bearer, blocked=False)
    assert {lead["owner_kind"]: lead["status"] for lead in account.leads()} == {
        "schedule": "blocked",
        "offer": "waiting",
    }
    take(client, account.schedule_token, zip="1")
    assert {lead["owner_kind"]: lead["status"] for lead in account.leads()} == {
        "schedule": "scheduled",
        "offer": "waiting",
    }


def test_false_of_what_is_not_set_needs_a_key_too_and_changes_nothing(client: FlaskClient, account: Account) -> None:
    body = take(client, account.schedule_token, blocked=False, opt_out="no")
    assert warned(body) == [("blocked", "needs_key"), ("opt_out", "needs_key")]
    assert contact(account)["blocked_at"] is None


# The configuration as it is now


def test_a_change_of_the_schedule_counts_from_the_next_request_on(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token)
    account.change(ScheduleAction, account.action_id, delay_seconds=60)
    with time_machine.travel(NOW, tick=False):
        take(client, account.schedule_token, caller_id=OTHER_NUMBER)
    assert account.leads()[0]["next_action_at"] == NOW + timedelta(minutes=1)


@pytest.mark.parametrize(("model", "name"), [(Schedule, "schedule"), (Offer, "offer")])
def test_a_deleted_schedule_or_offer_takes_no_lead(
    client: FlaskClient, account: Account, model: type[Schedule | Offer], name: str
) -> None:
    token = getattr(account, f"{name}_token")
    take(client, token)
    account.change(model, getattr(account, f"{name}_id"), deleted_at=datetime.now(UTC))
    refused(send(client, token), "lead_token_invalid")
    assert len(account.leads()) == 1


def test_a_lead_that_a_person_has_changed_keeps_what_is_not_sent(client: FlaskClient, account: Account) -> None:
    made = take(client, account.schedule_token, email="a@example.com", zip="1")
    change(account, made["lead_id"], email="b@example.com", data={"zip": "9", "note": "called"})
    take(client, account.schedule_token, city="x")
    [lead] = account.leads()
    assert (lead["email"], lead["data"]) == ("b@example.com", {"zip": "9", "note": "called", "city": "x"})
