"""Leads as their company manages them by API key: PUT, DELETE and restore."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient

from tests.api.calls import LEADS, NOW, NUMBER, OTHER_NUMBER, Json, end, refused, take, taken, warned
from tests.factories import DAY, Account, make_account


def lead_of(account: Account, lead_id: str) -> dict[str, Any]:
    [row] = account.rows("select * from lead where id = :id", id=lead_id)
    return row


@pytest.fixture
def lead(client: FlaskClient, account: Account) -> str:
    """A live lead of the schedule."""
    return str(take(client, account.schedule_token, email="a@example.com", zip="1", sub_id="first")["lead_id"])


def put(client: FlaskClient, account: Account, lead: str, headers: dict[str, str] | None = None, **sent: Any) -> Any:
    return client.put(f"{LEADS}/{lead}", json=sent, headers=account.bearer | (headers or {}))


def test_an_edit_changes_what_is_sent_and_nothing_else(client: FlaskClient, account: Account, lead: str) -> None:
    before = lead_of(account, lead)
    sent: Json = {"email": "b@example.com", "data": {"zip": "2"}, "lead_priority": 7, "traffic_source_id": "google_ads"}
    body = taken(put(client, account, lead, **sent))
    after = lead_of(account, lead)
    changed = {name for name in after if after[name] != before[name]}
    attribution = {"traffic_source_id", "traffic_source_text"}
    assert changed == {"email", "data", "lead_priority", "updated_at"} | attribution
    assert (after["email"], after["data"], after["sub_id"]) == ("b@example.com", {"zip": "2"}, "first")
    assert (body["lead"]["traffic_source_id"], body["action"]) == ("google_ads", "updated")


def test_an_edit_is_on_record_with_the_key_that_made_it(client: FlaskClient, account: Account, lead: str) -> None:
    taken(put(client, account, lead, zip="2"))
    submission = account.submissions()[-1]
    [key] = account.rows("select id from api_key where company_id = :company_id")
    assert (submission["endpoint"], submission["api_key_id"], submission["lead_id"]) == ("edit", key["id"], lead)
    assert account.private_key not in str(submission)


def test_an_edit_needs_no_lead_token_that_is_in_force(client: FlaskClient, account: Account, lead: str) -> None:
    with account.app.app_context():
        from server.lead_tokens.models import LeadToken

        [row] = account.rows("select id from lead_token where value = :value", value=account.schedule_token)
        account.change(LeadToken, row["id"], disabled_at=datetime.now(UTC))
    assert taken(put(client, account, lead, zip="2"))["lead"]["data"] == {"zip": "2"}


@pytest.mark.parametrize("how", ["If-Match", "updated_at"])
def test_an_edit_of_a_state_that_is_no_more_is_a_conflict(
    client: FlaskClient, account: Account, lead: str, how: str
) -> None:
    shown = client.get(f"{LEADS}/{lead}", headers=account.bearer)
    seen = {"headers": {"If-Match": shown.headers["ETag"]}} if how == "If-Match" else {}
    sent = {"updated_at": shown.get_json()["lead"]["updated_at"]} if how == "updated_at" else {}
    first = put(client, account, lead, zip="2", **sent, **seen)
    assert taken(first)["lead"]["data"] == {"zip": "2"}
    assert first.headers["ETag"] != shown.headers["ETag"]
    body = refused(put(client, account, lead, zip="3", **sent, **seen), "edit_conflict")
    assert (body["status"], body["errors"]) == (409, {"updated_at": ["has changed since it was read"]})
    assert lead_of(account, lead)["data"] == {"zip": "2"}
    assert "updated_at" not in lead_of(account, lead)["data"]


def test_of_two_who_edit_the_same_state_at_once_one_wins(account: Account, client: FlaskClient, lead: str) -> None:
    seen = client.get(f"{LEADS}/{lead}", headers=account.bearer).headers["ETag"]

    def edit(value: int) -> int:
        answer = put(account.app.test_client(), account, lead, headers={"If-Match": seen}, n=value)
        return int(answer.status_code)

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(edit, range(8))) == [200] + [409] * 7


def test_an_edit_may_correct_the_number(client: FlaskClient, account: Account, lead: str) -> None:
    body = taken(put(client, account, lead, caller_id="(719) 222-5678"))
    row = lead_of(account, lead)
    assert (body["lead"]["caller_id"], row["caller_id"]) == (OTHER_NUMBER, OTHER_NUMBER)
    [contact] = account.rows("select caller_id from contact where id = :id", id=row["contact_id"])
    assert contact["caller_id"] == OTHER_NUMBER
    assert take(client, account.schedule_token, caller_id=NUMBER)["action"] == "created"


def test_a_number_that_has_a_live_lead_there_is_not_taken_twice(
    client: FlaskClient, account: Account, lead: str
) -> None:
    other = take(client, account.schedule_token, caller_id=OTHER_NUMBER)["lead_id"]
    body = refused(put(client, account, lead, caller_id=OTHER_NUMBER), "invalid_parameter")
    assert body["errors"] == {"caller_id": [f"has a live lead here already: {other}"]}
    assert lead_of(account, lead)["caller_id"] == NUMBER


def test_a_key_that_may_update_lifts_a_block_and_the_lead_goes_on(
    client: FlaskClient, account: Account, lead: str
) -> None:
    taken(put(client, account, lead, blocked=True))
    assert (lead_of(account, lead)["status"], lead_of(account, lead)["next_action_at"]) == ("blocked", None)
    body = taken(put(client, account, lead, blocked=False))
    assert (body["lead"]["status"], body["lead"]["blocked"]) == ("scheduled", False)
    assert lead_of(account, lead)["next_action_at"] is not None


@pytest.mark.parametrize(("sent", "param"), [({"email": 1}, "email"), ({"lead_priority": "high"}, "lead_priority")])
def test_an_edit_that_is_wrong_is_refused_by_name(
    client: FlaskClient, account: Account, lead: str, sent: Json, param: str
) -> None:
    before = lead_of(account, lead)
    assert param in refused(put(client, account, lead, **sent), "invalid_parameter")["errors"]
    assert lead_of(account, lead) == before


def test_a_deleted_lead_is_gone_from_lists_and_says_when(client: FlaskClient, account: Account, lead: str) -> None:
    body = taken(client.delete(f"{LEADS}/{lead}", headers=account.bearer))
    assert body["lead"]["deleted_at"] is not None
    shown = client.get(f"{LEADS}/{lead}", headers=account.bearer).get_json()["lead"]
    assert (shown["deleted_at"], shown["is_live"]) == (body["lead"]["deleted_at"], False)
    assert client.get(LEADS, headers=account.bearer).get_json()["leads"] == []
    again = taken(client.delete(f"{LEADS}/{lead}", headers=account.bearer))
    assert (again["action"], again["lead"]["deleted_at"]) == ("unchanged", body["lead"]["deleted_at"])
    assert take(client, account.schedule_token)["action"] == "created"


STATES: dict[str, Json] = {
    "planned": {"next_action_at": "2027-03-01 00:00:00 +0000"},
    "blocked": {"blocked": True},
    "opted out": {"opt_out": True},
}


@pytest.mark.parametrize("state", STATES)
def test_a_restored_lead_is_what_it_was(client: FlaskClient, account: Account, state: str) -> None:
    lead = take(client, account.schedule_token, zip="1", **STATES[state])["lead_id"]
    before = lead_of(account, lead)
    taken(client.delete(f"{LEADS}/{lead}", headers=account.bearer))
    body = taken(client.post(f"{LEADS}/{lead}/restore", headers=account.bearer))
    after = lead_of(account, lead)
    assert {name for name in after if after[name] != before[name]} == {"updated_at"}
    assert "deleted_at" not in body["lead"]
    assert take(client, account.schedule_token, zip="2")["lead_id"] == lead


def test_a_lead_that_had_ended_is_restored_to_its_end(client: FlaskClient, account: Account, lead: str) -> None:
    end(account, lead)
    before = lead_of(account, lead)
    taken(client.delete(f"{LEADS}/{lead}", headers=account.bearer))
    taken(client.post(f"{LEADS}/{lead}/restore", headers=account.bearer))
    after = lead_of(account, lead)
    assert {name for name in after if after[name] != before[name]} == {"updated_at"}


def test_what_delete_existing_has_taken_can_be_restored(client: FlaskClient, account: Account, lead: str) -> None:
    before = lead_of(account, lead)
    new = take(client, account.schedule_token, delete_existing=True, zip="2")["lead_id"]
    body = refused(client.post(f"{LEADS}/{lead}/restore", headers=account.bearer), "edit_conflict")
    assert new in body["detail"]
    taken(client.delete(f"{LEADS}/{new}", headers=account.bearer))
    taken(client.post(f"{LEADS}/{lead}/restore", headers=account.bearer))
    after = lead_of(account, lead)
    assert {name for name in after if after[name] != before[name]} == {"updated_at"}


def test_an_undo_that_would_call_a_number_that_was_blocked_meanwhile_plans_nothing(
    client: FlaskClient, account: Account, lead: str
) -> None:
    taken(client.delete(f"{LEADS}/{lead}", headers=account.bearer))
    take(client, account.offer_token, blocked=True)
    taken(client.post(f"{LEADS}/{lead}/restore", headers=account.bearer))
    row = lead_of(account, lead)
    assert (row["status"], row["is_live"], row["next_action_at"]) == ("blocked", True, None)


def test_an_undo_comes_within_thirty_days(client: FlaskClient, account: Account) -> None:
    with time_machine.travel(NOW, tick=False):
        lead = take(client, account.schedule_token)["lead_id"]
        taken(client.delete(f"{LEADS}/{lead}", headers=account.bearer))
    with time_machine.travel(NOW + timedelta(days=30, seconds=1), tick=False):
        refused(client.post(f"{LEADS}/{lead}/restore", headers=account.bearer), "not_found")
    with time_machine.travel(NOW + timedelta(days=30), tick=False):
        taken(client.post(f"{LEADS}/{lead}/restore", headers=account.bearer))
    assert lead_of(account, lead)["next_action_at"] == NOW + timedelta(seconds=DAY)


def test_a_restore_of_what_is_there_changes_nothing(client: FlaskClient, account: Account, lead: str) -> None:
    before = lead_of(account, lead)
    assert taken(client.post(f"{LEADS}/{lead}/restore", headers=account.bearer))["action"] == "unchanged"
    assert lead_of(account, lead) == before


@pytest.mark.parametrize(
    "route", [("PUT", "", "leads:update"), ("DELETE", "", "leads:delete"), ("POST", "/restore", "leads:delete")]
)
def test_each_needs_its_scope_and_reaches_only_the_companys_own(
    client: FlaskClient, account: Account, lead: str, route: tuple[str, str, str]
) -> None:
    method, path, scope = route
    url = f"{LEADS}/{lead}{path}"
    before = lead_of(account, lead)
    refused(client.open(url, method=method), "key_required")
    others = [each for each in ("leads:read", "leads:update", "leads:delete", "config:write") if each != scope]
    refused(client.open(url, method=method, headers=account.key(*others)), "scope_missing")
    refused(client.open(url, method=method, headers=make_account(account.app).bearer), "not_found")
    for none in ("7", "undefined", "%00"):
        refused(client.open(f"{LEADS}/{none}{path}", method=method, headers=account.bearer), "not_found")
    assert lead_of(account, lead) == before


def test_a_key_in_the_body_opens_an_edit_too(client: FlaskClient, account: Account, lead: str) -> None:
    body = taken(client.put(f"{LEADS}/{lead}", json={"auth_token": account.private_key, "zip": "2"}))
    assert body["lead"]["data"] == {"zip": "2"}
    refused(client.put(f"{LEADS}/{lead}?auth_token={account.private_key}", json={"zip": "3"}), "key_in_url")


def test_a_dry_edit_changes_nothing(client: FlaskClient, account: Account, lead: str) -> None:
    before = lead_of(account, lead)
    body = taken(put(client, account, lead, zip="2", dry_run=True))
    assert (body["dry_run"], body["lead"]["data"]) == (True, {"zip": "2"})
    assert lead_of(account, lead) == before


def test_what_an_edit_may_not_wish_is_named(client: FlaskClient, account: Account, lead: str) -> None:
    body = taken(put(client, account, lead, update_only=True, expire_existing=True))
    assert sorted(warned(body)) == [("expire_existing", "no_effect"), ("update_only", "no_effect")]


def test_a_callback_follows_its_lead_to_a_corrected_number(client: FlaskClient, account: Account) -> None:
    lead = take(client, account.schedule_token, schedule_callback_in_seconds="60")["lead_id"]
    taken(put(client, account, lead, caller_id=OTHER_NUMBER))
    take(client, account.offer_token, caller_id=OTHER_NUMBER, blocked=True)
    [callback] = account.rows("select * from callback where lead_id = :id", id=lead)
    assert callback["cancelled_at"] is not None
    assert lead_of(account, lead)["scheduled_callback_at"] is None


def test_an_edit_is_never_taken_for_a_repetition(client: FlaskClient, account: Account, lead: str) -> None:
    # Keys count per token, and the vendor whose token brought the lead in may have used this one.
    key = {"Idempotency-Key": "k"}
    take(client, account.schedule_token, headers=key, zip="1")
    for value in ("2", "3"):
        assert taken(put(client, account, lead, headers=key, zip=value))["lead"]["data"]["zip"] == value
