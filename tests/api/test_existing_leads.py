"""What a request does to leads that are there: expire, delete, restart, unblock."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient

from tests.api.calls import NOW, NUMBER, OTHER_NUMBER, Json, end, refused, send, take, warned
from tests.factories import DAY, Account

HOUR = timedelta(hours=1)


def by_id(account: Account) -> dict[str, dict[str, Any]]:
    """Every lead of the company."""
    return {lead["id"]: lead for lead in account.leads()}


def step(body: Json, name: str) -> Json:
    """One step of an explanation."""
    [found] = [each for each in body["why"] if each["step"] == name]
    return dict(found)


def test_expire_existing_ends_the_live_lead_and_makes_a_new_one(client: FlaskClient, account: Account) -> None:
    old = take(client, account.schedule_token, zip="1")["lead_id"]
    body = take(client, account.schedule_token, expire_existing=True, explain=True, zip="2")
    leads = by_id(account)
    assert (body["action"], body["warnings"], set(leads)) == ("created", [], {old, body["lead_id"]})
    assert (leads[old]["status"], leads[old]["is_live"], leads[old]["next_action_at"]) == ("expired", False, None)
    assert (leads[old]["deleted_at"], leads[old]["data"]) == (None, {"zip": "1"})
    assert (leads[body["lead_id"]]["is_live"], leads[body["lead_id"]]["data"]) == (True, {"zip": "2"})
    assert (step(body, "clear")["decided"], step(body, "clear")["record"]) == ("expire_existing", old)


def test_delete_existing_deletes_the_live_lead_and_those_that_have_ended(client: FlaskClient, account: Account) -> None:
    past = take(client, account.schedule_token)["lead_id"]
    end(account, past)
    live = take(client, account.schedule_token)["lead_id"]
    new = take(client, account.schedule_token, delete_existing=True)
    leads = by_id(account)
    assert (new["action"], set(leads)) == ("created", {past, live, new["lead_id"]})
    for gone in (past, live):
        assert (leads[gone]["status"], leads[gone]["is_live"]) == ("removed", False)
        assert leads[gone]["deleted_at"] is not None
    assert (leads[new["lead_id"]]["is_live"], leads[new["lead_id"]]["deleted_at"]) == (True, None)


@pytest.mark.parametrize("wish", ["expire_existing", "delete_existing"])
def test_only_leads_of_this_owner_and_number_are_cleared(client: FlaskClient, account: Account, wish: str) -> None:
    others = {
        take(client, account.schedule_token, caller_id=OTHER_NUMBER)["lead_id"],
        take(client, account.offer_token)["lead_id"],
    }
    take(client, account.schedule_token, **{wish: True})
    leads = by_id(account)
    assert all(leads[each]["is_live"] and leads[each]["deleted_at"] is None for each in others)


@pytest.mark.parametrize("wish", ["expire_existing", "delete_existing", "restart_schedule"])
def test_a_wish_about_leads_that_are_not_there_makes_a_lead(client: FlaskClient, account: Account, wish: str) -> None:
    body = take(client, account.schedule_token, **{wish: True})
    assert (body["action"], body["warnings"], len(account.leads())) == ("created", [], 1)


@pytest.mark.parametrize("wish", ["expire_existing", "delete_existing"])
def test_a_double_click_clears_once(client: FlaskClient, account: Account, wish: str) -> None:
    take(client, account.schedule_token, zip="1")
    sent = {wish: True, "zip": "2"}
    first, second = (take(client, account.schedule_token, **sent) for _ in range(2))
    assert (first["action"], second["action"], second["lead_id"]) == ("created", "unchanged", first["lead_id"])
    assert len(account.leads()) == 2


def test_a_vendors_id_moves_on_to_the_new_lead(client: FlaskClient, account: Account) -> None:
    old = take(client, account.schedule_token, vendor_lead_id="V", zip="1")["lead_id"]
    new = take(client, account.schedule_token, vendor_lead_id="V", zip="2", expire_existing=True)
    again = take(client, account.schedule_token, vendor_lead_id="V", zip="3")
    assert (new["action"], again["action"]) == ("created", "updated")
    assert old != new["lead_id"] == again["lead_id"]


def test_restart_schedule_goes_back_to_the_first_action(client: FlaskClient, account: Account) -> None:
    with time_machine.travel(NOW, tick=False):
        take(client, account.schedule_token, next_action_at="2027-02-01")
    with time_machine.travel(NOW + HOUR, tick=False):
        body = take(client, account.schedule_token, restart_schedule=True)
    [lead] = account.leads()
    assert (body["action"], body["warnings"], lead["status"]) == ("updated", [], "scheduled")
    first = (account.action_id, NOW + HOUR + timedelta(seconds=DAY))
    assert (lead["next_action_id"], lead["next_action_at"]) == first


@pytest.mark.parametrize("blocked_before", [True, False])
def test_unblock_contact_needs_a_key_and_lets_the_lead_go_on(
    client: FlaskClient, account: Account, blocked_before: bool
) -> None:
    take(client, account.schedule_token, blocked=blocked_before)
    if blocked_before:
        without = take(client, account.schedule_token, unblock_contact=True)
        assert (warned(without), without["lead"]["blocked"]) == ([("unblock_contact", "needs_key")], True)
    body = take(client, account.schedule_token, headers=account.key("leads:update"), unblock_contact=True, zip="1")
    assert (body["warnings"], body["lead"]["blocked"], body["lead"]["status"]) == ([], False, "scheduled")
    assert body["lead"]["next_action_at"] is not None


@pytest.mark.parametrize("wish", ["expire_existing", "restart_schedule"])
def test_a_lead_of_an_offer_is_in_no_schedule_to_leave_or_to_restart(
    client: FlaskClient, account: Account, wish: str
) -> None:
    old = take(client, account.offer_token)["lead_id"]
    body = take(client, account.offer_token, zip="2", **{wish: True})
    assert (warned(body), body["action"], body["lead_id"]) == ([(wish, "no_effect")], "updated", old)


@pytest.mark.parametrize("wish", ["expire_existing", "delete_existing"])
def test_who_may_only_update_and_finds_nothing_is_refused_all_the_same(
    client: FlaskClient, account: Account, wish: str
) -> None:
    refused(send(client, account.schedule_token, update_only=True, **{wish: True}), "no_matching_lead")
    assert account.leads() == []


def test_a_dry_run_clears_nothing(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token, caller_id=NUMBER)
    before = account.leads()
    body = take(client, account.schedule_token, delete_existing=True, dry_run=True)
    assert (body["action"], step(body, "clear")["decided"]) == ("created", "delete_existing")
    assert account.leads() == before
