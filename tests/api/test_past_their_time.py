"""What is past its time, and nobody has removed yet: it is neither shown, nor counted, nor matched, nor taken again."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient

from server.periods import QUARANTINED_KEPT, REFUSED_KEPT, RESTORABLE
from server.schedules.models import Schedule
from tests.api.calls import CALLS, LEADS, NOW, NUMBER, SUBMISSIONS, Json, refused, send, take, taken
from tests.factories import Account

MINUTE = timedelta(minutes=1)
INSTANT = timedelta(milliseconds=1)


@contextmanager
def at(later: timedelta) -> Iterator[None]:
    """So long after a lead has come."""
    with time_machine.travel(NOW + later, tick=False):
        yield


@pytest.fixture
def lead(client: FlaskClient, account: Account) -> str:
    """A lead that is to be deleted after a minute."""
    with at(timedelta()):
        return str(take(client, account.schedule_token, expires_in=1, zip="1", vendor_lead_id="v")["lead_id"])


def get(client: FlaskClient, account: Account, path: str, **asked: Any) -> Json:
    answer = client.get(path, query_string=asked, headers=account.bearer)
    body: Json = answer.get_json()
    assert answer.status_code == 200, body
    return body


# Leads whose time to be deleted has come


@pytest.mark.parametrize("asked", [{}, {"number": NUMBER}, {"fulltext": "719222"}, {"status": "scheduled"}])
def test_a_lead_is_listed_until_its_time_to_be_deleted(
    client: FlaskClient, account: Account, lead: str, asked: Json
) -> None:
    for later, found in ((MINUTE - INSTANT, [lead]), (MINUTE, [])):
        with at(later):
            body = get(client, account, LEADS, **asked)
        assert [each["id"] for each in body["leads"]] == found
        assert body["metadata"]["total_count"] == len(found)


def test_a_lead_is_shown_until_its_time_to_be_deleted(client: FlaskClient, account: Account, lead: str) -> None:
    with at(MINUTE - INSTANT):
        assert get(client, account, f"{LEADS}/{lead}")["lead"]["id"] == lead
    with at(MINUTE):
        refused(client.get(f"{LEADS}/{lead}", headers=account.bearer), "not_found")


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", ""), ("DELETE", ""), ("POST", "/release"), ("POST", "/lead_update"), ("POST", "/lead_remove")],
)
def test_a_lead_past_its_time_is_no_lead_that_can_be_named(
    client: FlaskClient, account: Account, lead: str, method: str, path: str
) -> None:
    [before] = account.leads()
    sent: Json = {"lead_token": account.schedule_token} if path.startswith("/lead_") else {}
    headers = {} if sent else account.bearer
    with at(MINUTE):
        answer = client.open(f"{LEADS}/{lead}{path}", method=method, json=sent, headers=headers)
        assert "zip" not in str(refused(answer, "not_found").get("lead"))
    assert account.leads() == [before]


def test_a_lead_past_its_time_is_no_duplicate_and_has_no_calls(
    client: FlaskClient, account: Account, lead: str
) -> None:
    account.change(Schedule, account.schedule_id, acceptance={"duplicate_seconds": 3600})
    for later, found in ((MINUTE - INSTANT, lead), (MINUTE, None)):
        with at(later):
            call = client.post(CALLS, json={"caller_id": NUMBER}, headers=account.bearer).get_json()["call"]
        assert call["lead_id"] == found
    with at(MINUTE - INSTANT):
        refused(send(client, account.schedule_token, zip="2"), "duplicate_lead")
    with at(MINUTE):
        body = take(client, account.schedule_token, zip="2")
    assert (body["action"], body["lead_id"] != lead) == ("created", True)


def test_a_vendors_own_id_names_no_lead_past_its_time(client: FlaskClient, account: Account, lead: str) -> None:
    with at(MINUTE):
        body = take(client, account.schedule_token, vendor_lead_id="v", zip="1")
    assert (body["action"], body["lead_id"] != lead) == ("created", True)


def test_a_lead_past_its_time_can_be_brought_back_for_a_while(client: FlaskClient, account: Account, lead: str) -> None:
    path = f"{LEADS}/{lead}"
    with at(MINUTE + RESTORABLE + INSTANT):
        refused(client.post(f"{path}/restore", headers=account.bearer), "not_found")
    [before] = account.leads()
    with at(MINUTE + RESTORABLE):
        body = taken(client.post(f"{path}/restore", headers=account.bearer))
        assert get(client, account, path)["lead"]["status"] == before["status"]
    assert (body["action"], body["lead"]["id"]) == ("updated", lead)
    [after] = account.leads()
    unmoved = [name for name in before if name not in ("deletes_at", "updated_at")]
    assert [after[name] for name in unmoved] == [before[name] for name in unmoved]
    assert after["deletes_at"] is None


def test_a_deleted_lead_is_shown_as_long_as_it_can_be_restored(client: FlaskClient, account: Account) -> None:
    with at(timedelta()):
        path = f"{LEADS}/{take(client, account.schedule_token)['lead_id']}"
        taken(client.delete(path, headers=account.bearer))
    with at(RESTORABLE - INSTANT):
        assert get(client, account, path)["lead"]["status"] == "removed"
    with at(RESTORABLE + INSTANT):
        refused(client.get(path, headers=account.bearer), "not_found")
        refused(client.delete(path, headers=account.bearer), "not_found")
        refused(client.post(f"{path}/restore", headers=account.bearer), "not_found")


# Submissions that were refused


@pytest.mark.parametrize("kept", [REFUSED_KEPT, QUARANTINED_KEPT], ids=["refused", "quarantined"])
def test_a_refused_submission_is_there_until_its_end(client: FlaskClient, account: Account, kept: timedelta) -> None:
    quarantined = kept == QUARANTINED_KEPT
    token = account.token(kind="publishable") if quarantined else account.token(reads_submissions=True)
    with at(timedelta()):
        send(client, token, **({"hp": "filled in"} if quarantined else {"caller_id": "911"}))
    [row] = account.submissions()
    assert (row["action"], row["purge_at"]) == ("refused", NOW + kept)
    path = f"{SUBMISSIONS}/{row['id']}"
    step = "release" if quarantined else "replay"
    period = {"created_at_from": (NOW - kept).isoformat(), "created_at_to": (NOW + kept).isoformat()}
    for later, there in ((kept - INSTANT, True), (kept, False)):
        with at(later):
            for asked in ({}, {"action": "refused"}, {"code": row["code"]}):
                body = get(client, account, SUBMISSIONS, **asked)
                assert [each["id"] for each in body["submissions"]] == [row["id"]] * there
                assert body["metadata"]["total_count"] == there
            assert get(client, account, f"{SUBMISSIONS}/counts", **period)["metadata"]["total_count"] == there
            shown = client.get(path, headers=account.bearer)
            again = client.post(f"{path}/{step}", json={"dry_run": True}, headers=account.bearer)
            if not quarantined:
                own = client.get(SUBMISSIONS, query_string={"lead_token": token}).get_json()
                assert [each["submission_id"] for each in own["submissions"]] == [row["id"]] * there
                own = client.get(f"{SUBMISSIONS}/counts", query_string={"lead_token": token} | period).get_json()
                assert own["metadata"]["total_count"] == there
        if there:
            assert (shown.status_code, again.status_code) == (200, 200), again.get_json()
        else:
            refused(shown, "not_found")
            refused(again, "not_found")
    assert account.submissions() == [row]


def test_a_submission_past_its_end_counts_for_no_limit_of_its_address(client: FlaskClient, account: Account) -> None:
    days = 2 * REFUSED_KEPT.days
    rules = {"ip_limit": 1, "ip_limit_seconds": days * 86_400, "require_consent": "asserted"}
    account.change(Schedule, account.schedule_id, acceptance=rules)
    with at(timedelta()):
        assert take(client, account.publishable_token)["action"] == "received"
    with at(REFUSED_KEPT - INSTANT):
        refused(send(client, account.publishable_token, consent=True), "ip_limit")
    with at(REFUSED_KEPT):
        assert take(client, account.publishable_token, consent=True)["action"] == "received"
    assert [row["code"] for row in account.submissions()] == ["consent_required", "ip_limit", None]
