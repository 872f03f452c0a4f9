"""Sending twice: the natural double click, Idempotency-Key and vendor_lead_id (API.md §7.4), on both databases."""

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.lead_tokens.models import LeadToken
from tests.api.calls import (
    CAPTURE,
    NOW,
    NUMBER,
    OTHER_NUMBER,
    PAGE,
    Json,
    change,
    end,
    refused,
    send,
    take,
    taken,
    warned,
)
from tests.factories import Account, make_account
from tests.unit import table

WEEK = timedelta(days=7)
MINUTES_10 = timedelta(minutes=10)
INSTANT = timedelta(milliseconds=1)


def with_key(client: FlaskClient, token: str, key: str = "k", **params: Any) -> TestResponse:
    """A lead under an Idempotency-Key."""
    headers = {"Idempotency-Key": key} | params.pop("headers", {})
    return send(client, token, headers=headers, **params)


def replayed(answer: TestResponse) -> bool:
    """Whether the answer is that of an earlier request."""
    said = answer.headers.get("Idempotent-Replayed")
    assert said in (None, "true")
    return said == "true"


def kept(account: Account) -> list[dict[str, Any]]:
    """What is kept of keys and of vendors' ids."""
    return account.rows("select * from idempotency_answer where company_id = :company_id order by created_at, id")


def count(account: Account, table_name: str) -> int:
    """How many rows the company has in a table."""
    return len(account.rows(f"select id from {table_name} where company_id = :company_id"))


# The double click


def test_a_double_click_has_one_effect(client: FlaskClient, account: Account) -> None:
    first = take(client, account.schedule_token, zip="1", sub_id="a")
    [before] = account.leads()
    again = take(client, account.schedule_token, zip="1", sub_id="a")
    assert (again["action"], again["lead_id"]) == ("unchanged", first["lead_id"])
    assert again["lead"] == first["lead"]
    assert account.leads() == [before]
    assert [count(account, name) for name in ("submission", "touch", "outbox_event", "contact")] == [2, 1, 1, 1]
    assert [row["action"] for row in account.submissions()] == ["created", "unchanged"]


def test_a_double_click_is_told_by_its_content_and_not_by_its_spelling(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token, caller_id="(719) 222-1234", lead_priority=5, blocked="yes", zip="1")
    form = {"lead_token": account.schedule_token, "number": " 17192221234", "LEAD_PRIORITY": "", "blocked": "1"}
    answer = client.post("/api/v1/leads?zip=1&lead_priority=5.0", data=form)
    assert taken(answer)["action"] == "unchanged"


@pytest.mark.parametrize(
    ("after", "action"), [(MINUTES_10 - INSTANT, "unchanged"), (MINUTES_10, "updated"), (timedelta(days=1), "updated")]
)
def test_after_ten_minutes_it_is_no_double_click(
    client: FlaskClient, account: Account, after: timedelta, action: str
) -> None:
    with time_machine.travel(NOW, tick=False):
        take(client, account.schedule_token)
    with time_machine.travel(NOW + after, tick=False):
        assert take(client, account.schedule_token)["action"] == action


def test_a_repetition_counts_against_the_latest_submission_only(client: FlaskClient, account: Account) -> None:
    actions = [take(client, account.schedule_token, zip=sent)["action"] for sent in ("1", "2", "1", "1")]
    assert actions == ["created", "updated", "updated", "unchanged"]
    assert account.leads()[0]["data"] == {"zip": "1"}


def test_a_refused_request_between_two_alike_is_no_latest_submission(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token)
    refused(send(client, account.schedule_token, lead_priority="high"), "invalid_parameter")
    assert take(client, account.schedule_token)["action"] == "unchanged"


def test_a_lead_that_was_changed_meanwhile_is_written_again(client: FlaskClient, account: Account) -> None:
    made = take(client, account.schedule_token, email="a@example.com")
    change(account, made["lead_id"], email="b@example.com")
    again = take(client, account.schedule_token, email="a@example.com")
    assert (again["action"], again["lead"]["email"]) == ("updated", "a@example.com")


def test_a_lead_that_another_owners_request_has_stopped_is_looked_at_again(
    client: FlaskClient, account: Account
) -> None:
    with time_machine.travel(NOW, tick=False):
        take(client, account.schedule_token)
    with time_machine.travel(NOW + INSTANT, tick=False):
        take(client, account.offer_token, blocked=True)
        body = take(client, account.schedule_token)
    assert (body["action"], body["lead"]["status"]) == ("updated", "blocked")


def test_what_only_some_may_do_is_not_the_same_request_with_a_key_that_may(
    client: FlaskClient, account: Account
) -> None:
    assert warned(take(client, account.schedule_token, blocked=False)) == [("blocked", "needs_key")]
    body = take(client, account.schedule_token, blocked=False, headers=account.bearer)
    assert (body["action"], body["warnings"]) == ("updated", [])
    assert take(client, account.schedule_token, blocked=False, headers=account.bearer)["action"] == "unchanged"


def test_a_block_is_set_again_that_was_lifted_meanwhile(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token, blocked=True)
    take(client, account.offer_token, blocked=False, headers=account.bearer)
    body = take(client, account.schedule_token, blocked=True)
    assert (body["action"], body["lead"]["blocked"]) == ("updated", True)
    assert {lead["status"] for lead in account.leads()} == {"blocked"}


def test_a_page_and_a_server_do_not_double_click_each_other(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token)
    take(client, account.publishable_token)
    assert [row["action"] for row in account.submissions()] == ["created", "updated"]


# Idempotency-Key


def test_the_same_key_and_content_get_the_same_answer(client: FlaskClient, account: Account) -> None:
    first = with_key(client, account.schedule_token, zip="1")
    [before] = account.leads()
    take(client, account.schedule_token, zip="2")
    again = with_key(client, account.schedule_token, zip="1")
    assert (replayed(first), replayed(again)) == (False, True)
    assert (again.status_code, again.get_json()) == (200, first.get_json())
    assert again.get_json()["action"] == "created"
    assert again.headers["X-Request-Id"] != first.headers["X-Request-Id"]
    [after] = account.leads()
    assert (after["id"], after["data"]) == (before["id"], {"zip": "2"})


def test_a_replay_leaves_a_submission_that_names_the_first(client: FlaskClient, account: Account) -> None:
    with_key(client, account.schedule_token, sub_id="a")
    with_key(client, account.schedule_token, sub_id="a")
    first, second = account.submissions()
    assert (first["original_id"], first["idempotency_key"]) == (None, "k")
    assert (second["action"], second["original_id"], second["lead_id"]) == ("replayed", first["id"], first["lead_id"])
    assert json.loads(second["why"])[-1]["decided"] == "replayed"
    assert [count(account, name) for name in ("lead", "touch", "outbox_event", "idempotency_answer")] == [1, 1, 1, 1]


def test_header_and_parameter_are_the_same_key(client: FlaskClient, account: Account) -> None:
    first = send(client, account.schedule_token, idempotency_key="k")
    for again in (
        with_key(client, account.schedule_token),
        send(client, account.schedule_token, idempotency_key="k"),
        with_key(client, account.schedule_token, idempotency_key="k"),
    ):
        assert replayed(again)
        assert again.get_json() == first.get_json()


@pytest.mark.parametrize(
    "other",
    [
        {"zip": "2"},
        {"zip": 1},
        {"caller_id": OTHER_NUMBER},
        {"email": "a@example.com"},
        {"blocked": True},
        {"update_only": True},
        {"restart_schedule": True},
        {"next_action_at": "2026-12-24T08:00:00Z"},
        {"vendor_lead_id": "v"},
    ],
    ids=str,
)
def test_a_key_with_other_content_is_refused_and_changes_nothing(
    client: FlaskClient, account: Account, other: Json
) -> None:
    with_key(client, account.schedule_token, zip="1")
    before = account.leads(), kept(account)
    body = refused(with_key(client, account.schedule_token, **({"zip": "1"} | other)), "idempotency_key_reused")
    assert body["errors"] == {"idempotency_key": ["was used with other content"]}
    assert (account.leads(), kept(account)) == before
    assert [row["code"] for row in account.submissions()] == [None, "idempotency_key_reused"]
    assert replayed(with_key(client, account.schedule_token, zip="1"))


def test_the_same_key_with_another_authority_is_other_content(client: FlaskClient, account: Account) -> None:
    with_key(client, account.schedule_token, blocked=False)
    answer = with_key(client, account.schedule_token, blocked=False, headers=account.bearer)
    refused(answer, "idempotency_key_reused")


def test_a_refused_request_may_be_retried_with_its_key(client: FlaskClient, account: Account) -> None:
    refused(with_key(client, account.schedule_token, caller_id="911"), "invalid_caller_id")
    refused(with_key(client, account.schedule_token, update_only=True), "no_matching_lead")
    assert kept(account) == []
    answer = with_key(client, account.schedule_token)
    assert (answer.get_json()["action"], replayed(answer)) == ("created", False)


def test_a_key_makes_a_second_request_of_its_own_count(client: FlaskClient, account: Account) -> None:
    first = taken(with_key(client, account.schedule_token, "a"))
    end(account, first["lead_id"])
    second = taken(with_key(client, account.schedule_token, "b"))
    assert second["action"] == "created"
    assert taken(with_key(client, account.schedule_token, "a")) == first
    assert taken(with_key(client, account.schedule_token, "b")) == second


def test_a_double_click_under_a_key_keeps_its_own_answer(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token)
    first = with_key(client, account.schedule_token)
    again = with_key(client, account.schedule_token)
    assert (first.get_json()["action"], replayed(first)) == ("unchanged", False)
    assert (again.get_json(), replayed(again)) == (first.get_json(), True)


@pytest.mark.parametrize("kind", ["server", "publishable"])
def test_a_token_that_takes_no_leads_any_more_repeats_no_answer(
    client: FlaskClient, account: Account, kind: str
) -> None:
    token = account.token(kind=kind)
    taken(with_key(client, token))
    [row] = account.rows("select id from lead_token where value = :value", value=token)
    # As another process does it: this one still knows the token as it was.
    account.change(LeadToken, row["id"], disabled_at=NOW)
    answer = with_key(client, token)
    refused(answer, "lead_token_invalid")
    assert not replayed(answer)
    assert [row["action"] for row in account.submissions()] == ["created", "refused"]


def test_a_key_is_kept_seven_days_and_then_begins_anew(client: FlaskClient, account: Account) -> None:
    with time_machine.travel(NOW, tick=False):
        first = with_key(client, account.schedule_token).get_json()
    [row] = kept(account)
    assert (row["created_at"], row["expires_at"]) == (NOW, NOW + WEEK)
    with time_machine.travel(NOW + WEEK - INSTANT, tick=False):
        last = with_key(client, account.schedule_token)
    assert (replayed(last), last.get_json()) == (True, first)
    with time_machine.travel(NOW + WEEK, tick=False):
        anew = with_key(client, account.schedule_token, zip="other content")
        again = with_key(client, account.schedule_token, zip="other content")
    assert (replayed(anew), anew.get_json()["action"]) == (False, "updated")
    assert (replayed(again), again.get_json()) == (True, anew.get_json())
    [row] = kept(account)
    assert (row["submission_id"], row["expires_at"]) == (anew.get_json()["metadata"]["submission_id"], NOW + WEEK * 2)


def test_keys_count_for_each_token_by_itself(client: FlaskClient, account: Account) -> None:
    other = make_account(account.app)
    tokens = (account.schedule_token, account.vendor_token, account.offer_token, other.schedule_token)
    answers = [with_key(client, token, zip=str(position)) for position, token in enumerate(tokens)]
    assert [(answer.status_code, replayed(answer)) for answer in answers] == [(200, False)] * 4
    assert [row["zip"] for row in (lead["data"] for lead in other.leads())] == ["3"]


def test_keys_count_apart_for_a_server_and_for_pages(client: FlaskClient, account: Account) -> None:
    from_server = with_key(client, account.schedule_token, zip="1")
    from_page = with_key(client, account.schedule_token, zip="2", headers={"Origin": PAGE})
    again = with_key(client, account.schedule_token, zip="2", headers={"Origin": PAGE})
    assert [replayed(answer) for answer in (from_server, from_page, again)] == [False, False, True]
    assert again.get_json() == from_page.get_json()
    assert from_page.get_json()["action"] == "received"
    assert from_page.get_json()["lead_id"] != from_server.get_json()["lead_id"]
    [token] = account.rows("select id from lead_token where value = :value", value=account.schedule_token)
    account.change(LeadToken, token["id"], exposed_at=None, exposed_origin=None)
    by_server = with_key(client, account.schedule_token, zip="1")
    assert (replayed(by_server), by_server.get_json()) == (True, from_server.get_json())
    assert sorted(row["scope"] for row in kept(account)) == ["public", "server"]


def test_the_answer_of_the_other_endpoint_is_not_taken_apart(client: FlaskClient, account: Account) -> None:
    first = with_key(client, account.schedule_token, url=CAPTURE)
    again = with_key(client, account.schedule_token, url=CAPTURE)
    assert again.get_json() == first.get_json()
    assert again.get_json()["dedupe"]["action"] == "created"


@pytest.mark.parametrize("row", table("idempotency_keys.csv"), ids=lambda row: row["case"])
def test_a_key_is_one_visible_word(client: FlaskClient, account: Account, row: dict[str, str]) -> None:
    headers = {"Idempotency-Key": row["header"]} if row["header"] else {}
    params = {"idempotency_key": json.loads(row["param"])} if row["param"] else {}
    answer = send(client, account.schedule_token, headers=headers, **params)
    if row["valid"] == "yes":
        taken(answer)
        assert (len(kept(account)), kept(account)[0]["key"] if kept(account) else None) == key_of(row)
    else:
        body = refused(answer, "bad_idempotency_key")
        assert (answer.status_code, list(body["errors"])) == (400, ["idempotency_key"])
        assert (account.leads(), kept(account)) == ([], [])


def key_of(row: dict[str, str]) -> tuple[int, str | None]:
    """How many keys the row makes, and which."""
    key = row["header"] or json.loads(row["param"] or "null")
    return (1, key) if key else (0, None)


@pytest.mark.parametrize(("length", "valid"), [(255, True), (256, False)])
def test_a_key_has_255_characters_at_most(client: FlaskClient, account: Account, length: int, valid: bool) -> None:
    for answer in (
        with_key(client, account.schedule_token, "k" * length),
        send(client, account.schedule_token, idempotency_key="k" * length),
    ):
        assert answer.status_code == (200 if valid else 400)


def test_an_empty_header_is_a_key_that_was_meant_and_is_missing(client: FlaskClient, account: Account) -> None:
    refused(with_key(client, account.schedule_token, ""), "bad_idempotency_key")


# vendor_lead_id


def test_a_vendors_id_with_the_same_content_is_replayed(client: FlaskClient, account: Account) -> None:
    first = take(client, account.schedule_token, vendor_lead_id="L-1", zip="1")
    take(client, account.schedule_token, zip="2")
    [before] = account.leads()
    again = take(client, account.schedule_token, vendor_lead_id="L-1", zip="1")
    assert (again["action"], again["lead_id"]) == ("replayed", first["lead_id"])
    assert account.leads() == [before]
    assert count(account, "outbox_event") == 2
    assert [row["vendor_lead_id"] for row in account.submissions()] == ["L-1", None, "L-1"]


def test_a_vendors_id_is_remembered_beyond_days_and_the_end_of_the_lead(client: FlaskClient, account: Account) -> None:
    with time_machine.travel(NOW, tick=False):
        first = take(client, account.schedule_token, vendor_lead_id="L-1")
        end(account, first["lead_id"])
    with time_machine.travel(NOW + timedelta(days=400), tick=False):
        again = take(client, account.schedule_token, vendor_lead_id="L-1")
    assert (again["action"], again["lead_id"]) == ("replayed", first["lead_id"])
    assert len(account.leads()) == 1


def test_a_vendors_id_with_other_content_updates_its_lead(client: FlaskClient, account: Account) -> None:
    first = take(client, account.schedule_token, vendor_lead_id="L-1", zip="1")
    second = take(client, account.schedule_token, vendor_lead_id="L-1", zip="2", city="x")
    assert (second["action"], second["lead_id"]) == ("updated", first["lead_id"])
    assert account.leads()[0]["data"] == {"zip": "2", "city": "x"}
    third = take(client, account.schedule_token, vendor_lead_id="L-1", zip="2", city="x")
    assert third["action"] == "replayed"
    assert take(client, account.schedule_token, vendor_lead_id="L-1", zip="1")["action"] == "updated"


def test_a_vendors_id_updates_its_lead_also_when_that_has_ended(client: FlaskClient, account: Account) -> None:
    first = take(client, account.schedule_token, vendor_lead_id="L-1", zip="1")
    end(account, first["lead_id"])
    second = take(client, account.schedule_token, vendor_lead_id="L-1", zip="2")
    assert (second["action"], second["lead_id"]) == ("updated", first["lead_id"])
    [lead] = account.leads()
    assert (lead["data"], lead["status"], lead["is_live"], lead["next_action_at"]) == (
        {"zip": "2"},
        "completed",
        False,
        None,
    )


def test_a_vendors_id_corrects_the_number_of_its_lead(client: FlaskClient, account: Account) -> None:
    first = take(client, account.schedule_token, vendor_lead_id="L-1", caller_id="7195550100")
    second = take(client, account.schedule_token, vendor_lead_id="L-1", caller_id=OTHER_NUMBER)
    assert (second["action"], second["lead_id"]) == ("updated", first["lead_id"])
    [lead] = account.leads()
    assert (lead["caller_id"], lead["test"]) == (OTHER_NUMBER, False)
    [contact] = account.rows("select caller_id from contact where id = :id", id=lead["contact_id"])
    assert contact["caller_id"] == OTHER_NUMBER
    assert take(client, account.schedule_token, caller_id=OTHER_NUMBER, zip="1")["lead_id"] == first["lead_id"]
    assert take(client, account.schedule_token, caller_id="7195550100")["action"] == "created"


def test_a_number_that_is_corrected_to_a_blocked_one_stops_the_lead(client: FlaskClient, account: Account) -> None:
    take(client, account.offer_token, caller_id=OTHER_NUMBER, blocked=True)
    made = take(client, account.schedule_token, vendor_lead_id="L-1")
    body = take(client, account.schedule_token, vendor_lead_id="L-1", caller_id=OTHER_NUMBER)
    assert (body["lead_id"], body["lead"]["status"], body["lead"]["next_action_at"]) == (
        made["lead_id"],
        "blocked",
        None,
    )


def test_a_vendors_id_yields_to_the_live_lead_that_has_the_number(client: FlaskClient, account: Account) -> None:
    named = take(client, account.schedule_token, vendor_lead_id="L-1", zip="1")
    other = take(client, account.schedule_token, caller_id=OTHER_NUMBER, zip="2")
    body = take(client, account.schedule_token, vendor_lead_id="L-1", caller_id=OTHER_NUMBER, city="x")
    assert (body["action"], body["lead_id"]) == ("updated", other["lead_id"])
    leads = {lead["id"]: lead for lead in account.leads()}
    assert (leads[named["lead_id"]]["caller_id"], leads[named["lead_id"]]["data"]) == (NUMBER, {"zip": "1"})
    assert leads[other["lead_id"]]["data"] == {"zip": "2", "city": "x"}
    # From now on the id stands for the lead that it has reached.
    assert (
        take(client, account.schedule_token, vendor_lead_id="L-1", caller_id="7192220009")["lead_id"]
        == other["lead_id"]
    )


def test_a_vendors_id_of_a_deleted_lead_makes_a_new_one(client: FlaskClient, account: Account) -> None:
    first = take(client, account.schedule_token, vendor_lead_id="L-1")
    end(account, first["lead_id"], status="removed", deleted_at=NOW)
    second = take(client, account.schedule_token, vendor_lead_id="L-1")
    assert (second["action"], len(account.leads())) == ("created", 2)
    assert take(client, account.schedule_token, vendor_lead_id="L-1")["lead_id"] == second["lead_id"]
    assert len(account.leads()) == 2


@pytest.mark.parametrize("number", [NUMBER, OTHER_NUMBER])
def test_a_vendors_id_of_a_lead_that_was_to_be_deleted_by_now_makes_a_new_one(
    client: FlaskClient, account: Account, number: str
) -> None:
    with time_machine.travel(NOW, tick=False):
        first = take(client, account.schedule_token, vendor_lead_id="L-1", expires_in=60)
    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        second = take(client, account.schedule_token, vendor_lead_id="L-1", expires_in=60, caller_id=number)
    assert (second["action"], second["lead"]["deletes_at"]) == ("created", "2026-11-23T08:00:00.000+00:00")
    assert second["lead_id"] != first["lead_id"]


def test_a_vendors_ids_are_those_of_one_token(client: FlaskClient, account: Account) -> None:
    first = take(client, account.schedule_token, vendor_lead_id="L-1")
    end(account, first["lead_id"])
    second = take(client, account.vendor_token, vendor_lead_id="L-1")
    third = take(client, account.offer_token, vendor_lead_id="L-1")
    assert (second["action"], third["action"]) == ("created", "created")
    assert len({row["lead_id"] for row in kept(account)}) == 3


def test_a_vendors_id_that_is_a_number_is_its_digits(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token, vendor_lead_id=1042)
    assert take(client, account.schedule_token, vendor_lead_id="1042")["action"] == "replayed"


def test_a_replayed_vendors_id_still_stops_a_number_that_was_freed(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token, vendor_lead_id="L-1", opt_out=True)
    assert take(client, account.schedule_token, vendor_lead_id="L-1", opt_out=True)["action"] == "replayed"
    take(client, account.offer_token, opt_out=False, headers=account.bearer)
    body = take(client, account.schedule_token, vendor_lead_id="L-1", opt_out=True)
    assert (body["action"], body["lead"]["opt_out"]) == ("updated", True)


def test_update_only_finds_the_lead_of_a_vendors_id(client: FlaskClient, account: Account) -> None:
    made = take(client, account.schedule_token, vendor_lead_id="L-1")
    end(account, made["lead_id"])
    refused(send(client, account.schedule_token, update_only=True), "no_matching_lead")
    body = take(client, account.schedule_token, vendor_lead_id="L-1", update_only=True, zip="1")
    assert (body["action"], body["lead_id"]) == ("updated", made["lead_id"])


def test_a_pages_vendor_id_is_only_recorded(client: FlaskClient, account: Account) -> None:
    take(client, account.publishable_token, vendor_lead_id="L-1")
    take(client, account.publishable_token, vendor_lead_id="L-1", caller_id=OTHER_NUMBER)
    assert [lead["caller_id"] for lead in account.leads()] == [NUMBER, OTHER_NUMBER]
    assert [row["vendor_lead_id"] for row in account.submissions()] == ["L-1", "L-1"]
    assert kept(account) == []


def test_a_vendors_id_and_a_key_go_together(client: FlaskClient, account: Account) -> None:
    first = with_key(client, account.schedule_token, vendor_lead_id="L-1")
    again = with_key(client, account.schedule_token, vendor_lead_id="L-1")
    other_key = with_key(client, account.schedule_token, "k2", vendor_lead_id="L-1")
    assert (replayed(again), again.get_json()) == (True, first.get_json())
    assert (replayed(other_key), other_key.get_json()["action"]) == (False, "replayed")
    assert sorted(row["scope"] for row in kept(account)) == ["server", "server", "vendor"]
