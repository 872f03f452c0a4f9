"""GET /api/v1/submissions with a server token (API.md §1): a vendor reads what became of its own, and no more."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient

from server.lead_tokens.models import LeadToken
from tests.api.calls import LEADS, NOW, NUMBER, OTHER_NUMBER, PAGE, SUBMISSIONS, Json, refused, send, take
from tests.factories import Account, make_account
from tests.snapshot import snapshot

COUNTS = f"{SUBMISSIONS}/counts"
BROWSERS = [{"Origin": PAGE}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]


@pytest.fixture(autouse=True)
def soon_after() -> Iterator[None]:
    """Who looks does so some days after it came: what was refused is not shown for ever."""
    with time_machine.travel(NOW + timedelta(days=10)):
        yield


@pytest.fixture
def reading(account: Account) -> str:
    """A vendor's token that may read its list."""
    return account.token(name="Reader", reads_submissions=True)


def row_of(account: Account, value: str) -> Json:
    """A token's row."""
    return account.rows("select * from lead_token where value = :value", value=value)[0]


def listed(client: FlaskClient, token: str, **asked: Any) -> Json:
    """A page of a token's own."""
    answer = client.get(SUBMISSIONS, query_string={"lead_token": token} | asked)
    body: Json = answer.get_json()
    assert (answer.status_code, set(body)) == (200, {"submissions", "metadata"}), body
    return body


def rows_of(client: FlaskClient, token: str, **asked: Any) -> list[Json]:
    rows: list[Json] = listed(client, token, **asked)["submissions"]
    return rows


# What it sees


def test_a_vendor_sees_what_became_of_its_own_and_nothing_else(
    client: FlaskClient, account: Account, reading: str
) -> None:
    with time_machine.travel(NOW, tick=False):
        made = take(client, reading, vendor_lead_id="v-1", email="a@example.com", zip="1")
    with time_machine.travel(NOW + timedelta(seconds=1), tick=False):
        wrong = refused(send(client, reading, caller_id="911", vendor_lead_id="v-2"), "invalid_caller_id")
    take(client, account.schedule_token, caller_id=OTHER_NUMBER)
    take(client, account.vendor_token, vendor_lead_id="v-3")
    take(client, make_account(account.app).schedule_token)
    body = listed(client, reading)
    assert body["submissions"] == [
        {
            "submission_id": wrong["metadata"]["submission_id"],
            "lead_id": None,
            "vendor_lead_id": "v-2",
            "action": "refused",
            "code": "invalid_caller_id",
            "created_at": "2026-11-23T06:00:01.000+00:00",
        },
        {
            "submission_id": made["metadata"]["submission_id"],
            "lead_id": made["lead_id"],
            "vendor_lead_id": "v-1",
            "action": "created",
            "code": None,
            "created_at": "2026-11-23T06:00:00.000+00:00",
        },
    ]
    assert body["metadata"] == {"total_count": 2, "per_page": 50, "next_cursor": None}


def test_what_its_people_do_to_its_leads_is_not_the_vendors(
    client: FlaskClient, account: Account, reading: str
) -> None:
    lead_id = take(client, reading)["lead_id"]
    one = f"{LEADS}/{lead_id}"
    client.put(one, json={"sub_id": "x"}, headers=account.bearer)
    client.delete(one, headers=account.bearer)
    client.post(f"{one}/restore", headers=account.bearer)
    client.post(f"{one}/lead_update", json={"lead_token": reading, "zip": "1"})
    assert [row["action"] for row in account.submissions()] == ["created", "updated", "updated", "updated", "updated"]
    assert len(rows_of(client, reading)) == 2


def test_a_vendor_sees_the_lead_that_a_replay_made_and_no_replay_in_vain(
    client: FlaskClient, account: Account, reading: str
) -> None:
    ended = row_of(account, reading)["id"]
    account.change(LeadToken, ended, disabled_at=NOW)
    refused(send(client, reading, vendor_lead_id="v"), "lead_token_invalid")
    [kept] = account.submissions()
    url = f"{SUBMISSIONS}/{kept['id']}/replay"
    refused(client.post(url, headers=account.bearer), "lead_token_invalid")
    account.change(LeadToken, ended, disabled_at=None)
    lead_id = client.post(url, headers=account.bearer).get_json()["lead_id"]
    assert [(row["action"], row["lead_id"]) for row in rows_of(client, reading)] == [
        ("created", lead_id),
        ("refused", None),
    ]


def test_of_what_came_from_a_page_the_list_says_what_the_page_was_told(
    client: FlaskClient, account: Account, reading: str
) -> None:
    client.post("/api/v1/contacts/suppression", json={"numbers": [OTHER_NUMBER]}, headers=account.bearer)
    client.put(
        f"/api/v1/schedules/{account.schedule_id}",
        json={"acceptance": {"refuse_suppressed": True}},
        headers=account.bearer,
    )
    take(client, account.schedule_token)
    told = [
        take(client, reading, headers={"Origin": PAGE}, caller_id=number)["lead_id"]
        for number in (NUMBER, OTHER_NUMBER)
    ]
    refused(send(client, reading, headers={"Origin": PAGE}, caller_id="911"), "invalid_caller_id")
    [updated, hidden, _] = account.submissions()[1:]
    assert (updated["action"], hidden["code"]) == ("updated", "suppressed")
    # A replay tells of what the page was not told.
    client.post(f"{SUBMISSIONS}/{updated['id']}/replay", headers=account.bearer)
    row = row_of(account, reading)
    client.post(f"/api/v1/lead_tokens/{row['id']}/clear_exposure", headers=account.bearer)
    seen = [(each["action"], each["code"], each["lead_id"]) for each in rows_of(client, reading)]
    assert seen == [
        ("refused", "invalid_caller_id", None),
        ("received", None, told[1]),
        ("received", None, told[0]),
    ]
    # No filter tells more than the list does.
    for asked, count in (
        ({"action": "received"}, 2),
        ({"action": "updated"}, 0),
        ({"action": "refused"}, 1),
        ({"code": "suppressed"}, 0),
        ({"lead_id": told[1]}, 1),
        ({"lead_id": updated["lead_id"]}, 0),
    ):
        assert len(rows_of(client, reading, **asked)) == count, asked
    counts = client.get(COUNTS, query_string={"lead_token": reading}).get_json()["counts"]
    assert [(each["action"], each["code"], each["count"]) for each in counts] == [
        ("received", None, 2),
        ("refused", "invalid_caller_id", 1),
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [2, 1, 0]),
        ("action=created", [0]),
        ("code=invalid_caller_id", [2]),
        ("reason=invalid_caller_id", [2]),
        ("vendor_lead_id=v", [1, 0]),
        ("lead_id={lead}", [1, 0]),
        ("lead_id={capitals}", [1, 0]),
        ("created_at_from=2026-11-24T06:00:00Z", [2, 1]),
        ("created_at_to=2026-11-24T06:00:00Z", [0]),
        ("per_page=1", [2]),
    ],
)
def test_a_vendors_list_is_filtered(
    client: FlaskClient, account: Account, reading: str, query: str, expected: list[int]
) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        for sent in ({"vendor_lead_id": "v"}, {"vendor_lead_id": "v", "zip": "1"}, {"caller_id": "911"}):
            send(client, reading, **sent)
            clock.shift(timedelta(days=1))
    rows = account.submissions()
    lead_id = rows[0]["lead_id"]
    asked = query.format(lead=lead_id, capitals=lead_id.upper())
    body = client.get(f"{SUBMISSIONS}?lead_token={reading}&{asked}").get_json()
    assert [row["submission_id"] for row in body["submissions"]] == [rows[each]["id"] for each in expected]


def test_pages_of_a_vendors_list_follow_one_another(client: FlaskClient, account: Account, reading: str) -> None:
    for zip_code in range(5):
        take(client, reading, zip=str(zip_code))
    first = listed(client, reading, per_page=3)
    second = listed(client, reading, per_page=3, cursor=first["metadata"]["next_cursor"])
    ids = [row["submission_id"] for row in first["submissions"] + second["submissions"]]
    assert ids == [row["id"] for row in reversed(account.submissions())]
    assert (first["metadata"]["total_count"], second["metadata"]["next_cursor"]) == (5, None)


@pytest.mark.parametrize("name", ["caller_id", "lead_token_id", "vendor", "powers", "endpoint", "replay_of_id", "x"])
def test_a_vendor_has_no_other_filters(client: FlaskClient, reading: str, name: str) -> None:
    answer = client.get(SUBMISSIONS, query_string={"lead_token": reading, name: "1"})
    assert refused(answer, "invalid_parameter")["errors"] == {name: ["Unknown field."]}


# Who may


@pytest.mark.parametrize("path", [SUBMISSIONS, COUNTS])
def test_the_owner_has_to_switch_it_on(client: FlaskClient, account: Account, path: str) -> None:
    row = row_of(account, account.vendor_token)
    asked = {"lead_token": account.vendor_token}
    answer = refused(client.get(path, query_string=asked), "scope_missing")
    assert (answer["status"], answer["errors"]) == (
        403,
        {"lead_token": ["may not read its submissions: reads_submissions is off"]},
    )
    one = f"/api/v1/lead_tokens/{row['id']}"
    for switch, status in ((True, 200), (False, 403)):
        client.put(one, json={"reads_submissions": switch}, headers=account.bearer)
        assert client.get(path, query_string=asked).status_code == status


@pytest.mark.parametrize("path", [SUBMISSIONS, COUNTS])
def test_a_publishable_token_reads_nothing(client: FlaskClient, account: Account, path: str) -> None:
    refused(client.get(path, query_string={"lead_token": account.publishable_token}), "scope_missing")


@pytest.mark.parametrize("path", [SUBMISSIONS, COUNTS])
@pytest.mark.parametrize("headers", BROWSERS, ids=str)
def test_a_page_reads_nothing_and_exposes_the_token(
    client: FlaskClient, account: Account, reading: str, headers: dict[str, str], path: str
) -> None:
    take(client, reading)
    asked = {"lead_token": reading}
    refused(client.get(path, query_string=asked, headers=headers), "scope_missing")
    assert row_of(account, reading)["exposed_origin"] == headers.get("Origin", "a browser")
    # From then on a program reads nothing with it either, and it only adds.
    refused(client.get(path, query_string=asked), "scope_missing")
    assert take(client, reading)["action"] == "received"
    one = f"/api/v1/lead_tokens/{row_of(account, reading)['id']}"
    client.post(f"{one}/clear_exposure", headers=account.bearer)
    assert client.get(path, query_string=asked).status_code == 200


@pytest.mark.parametrize("path", [SUBMISSIONS, COUNTS])
def test_what_is_no_token_in_force_reads_nothing(
    client: FlaskClient, account: Account, reading: str, path: str
) -> None:
    postback = account.token(kind="postback", owner_kind="traffic_source", owner_id=account.source_id)
    for asked in ({"lead_token": "0" * 32}, {"offer_lead_token": reading}, {"lead_token": postback}):
        refused(client.get(path, query_string=asked), "lead_token_invalid")
    assert client.get(path, query_string={"schedule_lead_token": reading}).status_code == 200
    row_id = row_of(account, reading)["id"]
    for ended in ({"disabled_at": NOW}, {"disabled_at": None, "expires_at": NOW}):
        account.change(LeadToken, row_id, **ended)
        refused(client.get(path, query_string={"lead_token": reading}), "lead_token_invalid")


@pytest.mark.parametrize("path", [SUBMISSIONS, COUNTS])
def test_an_api_key_wins_over_a_token(client: FlaskClient, account: Account, reading: str, path: str) -> None:
    asked = {"lead_token": reading}
    answer = refused(client.get(path, query_string=asked, headers=account.bearer), "invalid_parameter")
    assert answer["errors"] == {"lead_token": ["Unknown field."]}
    # What is no key is no reason to refuse the token, as everywhere.
    assert client.get(path, query_string=asked, headers={"Authorization": "Bearer undefined"}).status_code == 200
    refused(client.get(path, query_string=asked | {"auth_token": account.private_key}), "key_in_url")
    refused(client.get(path, query_string={"lead_token": ""}), "key_required")


def test_a_token_opens_its_list_and_no_submission(client: FlaskClient, account: Account, reading: str) -> None:
    submission_id = take(client, reading)["metadata"]["submission_id"]
    one = f"{SUBMISSIONS}/{submission_id}"
    refused(client.get(one, query_string={"lead_token": reading}), "key_required")
    refused(client.post(f"{one}/replay", query_string={"lead_token": reading}), "key_required")


def test_reading_leaves_nothing_behind(client: FlaskClient, account: Account, reading: str) -> None:
    take(client, reading)
    before = snapshot(account.app, account.company_id)
    listed(client, reading)
    client.get(COUNTS, query_string={"lead_token": reading})
    assert snapshot(account.app, account.company_id) == before
