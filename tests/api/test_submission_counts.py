"""GET /api/v1/submissions/counts: how many came each day of the company's time zone, and what became of them."""

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from tests.api.calls import NOW, OTHER_NUMBER, SUBMISSIONS, Json, refused, send, take
from tests.factories import Account, make_account

COUNTS = f"{SUBMISSIONS}/counts"


@pytest.fixture
def eastern(app: Flask) -> Account:
    """A company in New York."""
    return make_account(app, time_zone="America/New_York")


def counted(client: FlaskClient, account: Account, **asked: Any) -> Json:
    """The answer."""
    answer = client.get(COUNTS, query_string=asked, headers=account.bearer)
    body: Json = answer.get_json()
    assert (answer.status_code, set(body)) == (200, {"counts", "not_kept", "metadata"}), body
    return body


def by_day(body: Json) -> list[tuple[str, str, str | None, int]]:
    return [(each["date"], each["action"], each["code"], each["count"]) for each in body["counts"]]


def came(client: FlaskClient, account: Account, *times: str, token: str | None = None) -> None:
    """A refused submission at each of these times."""
    for each in times:
        with time_machine.travel(datetime.fromisoformat(each).replace(tzinfo=UTC), tick=False):
            send(client, token or account.schedule_token, caller_id="911")


def test_submissions_are_counted_by_day_action_and_code(client: FlaskClient, account: Account) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        take(client, account.schedule_token)
        take(client, account.schedule_token, caller_id=OTHER_NUMBER)
        take(client, account.schedule_token, zip="1")
        for number in ("911", "912", "x"):
            send(client, account.schedule_token, caller_id=number)
        send(client, account.schedule_token, lead_priority="high")
        clock.move_to("2026-11-24T00:00:00+00:00")
        take(client, account.publishable_token, caller_id="7192229999")
        take(client, make_account(account.app).schedule_token)
        body = counted(client, account)
    assert body["counts"][0] == {"date": "2026-11-23", "action": "created", "code": None, "count": 2}
    assert by_day(body) == [
        ("2026-11-23", "created", None, 2),
        ("2026-11-23", "refused", "invalid_caller_id", 3),
        ("2026-11-23", "refused", "invalid_parameter", 1),
        ("2026-11-23", "updated", None, 1),
        ("2026-11-24", "created", None, 1),
    ]
    assert body["metadata"] == {
        "total_count": 8,
        "time_zone": "UTC",
        "created_at_from": "2026-11-18T00:00:00.000+00:00",
        "created_at_to": "2026-11-25T00:00:00.000+00:00",
    }


@pytest.mark.parametrize(
    ("day", "begins", "ends"),
    [
        # The clocks go forward at two on the eighth of March, and back on the first of November.
        ("2026-03-08", "2026-03-08T05:00:00", "2026-03-09T04:00:00"),
        ("2026-11-01", "2026-11-01T04:00:00", "2026-11-02T05:00:00"),
        ("2026-07-04", "2026-07-04T04:00:00", "2026-07-05T04:00:00"),
    ],
    ids=["23 hours", "25 hours", "24 hours"],
)
def test_a_day_is_one_of_the_companys_time_zone(
    client: FlaskClient, eastern: Account, day: str, begins: str, ends: str
) -> None:
    first, next_day = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (begins, ends))
    for at in (first, next_day):
        moment = at.timestamp()
        came(client, eastern, *(datetime.fromtimestamp(moment + each, UTC).isoformat() for each in (-0.001, 0)))
    with time_machine.travel(next_day, tick=False):
        body = counted(client, eastern)
        within = counted(client, eastern, created_at_from=day, created_at_to=f"{next_day.isoformat()}")
    counts = {each["date"]: each["count"] for each in body["counts"]}
    assert counts[day] == 2
    assert sorted(counts.values()) == [1, 1, 2]
    assert body["metadata"]["time_zone"] == "America/New_York"
    assert by_day(within) == [(day, "refused", "invalid_caller_id", 2)]
    assert within["metadata"]["created_at_from"] == f"{begins}.000+00:00"


def test_times_cut_the_first_and_the_last_day(client: FlaskClient, account: Account) -> None:
    came(client, account, "2026-11-20T11:59:59", "2026-11-20T12:00:00", "2026-11-22T11:59:59", "2026-11-22T12:00:00")
    with time_machine.travel(NOW, tick=False):
        body = counted(client, account, created_at_from="2026-11-20 12:00:00", created_at_to="2026-11-22T12:00:00Z")
    assert [(each["date"], each["count"]) for each in body["counts"]] == [("2026-11-20", 1), ("2026-11-22", 1)]
    assert body["metadata"]["created_at_from"] == "2026-11-20T12:00:00.000+00:00"
    assert body["metadata"]["created_at_to"] == "2026-11-22T12:00:00.000+00:00"


def test_without_a_beginning_seven_days_are_counted(client: FlaskClient, account: Account) -> None:
    came(client, account, "2026-11-15T23:59:59", "2026-11-16T00:00:00", "2026-11-22T23:59:59", "2026-11-23T00:00:00")
    with time_machine.travel(NOW, tick=False):
        body = counted(client, account, created_at_to="2026-11-23")
    assert [each["date"] for each in body["counts"]] == ["2026-11-16", "2026-11-22"]


def test_a_vendor_is_counted_by_its_name_or_its_token(client: FlaskClient, account: Account) -> None:
    came(client, account, "2026-11-22T06:00:00")
    came(client, account, "2026-11-22T06:00:00", "2026-11-22T07:00:00", token=account.vendor_token)
    [row] = account.rows("select id from lead_token where value = :value", value=account.vendor_token)
    with time_machine.travel(NOW, tick=False):
        assert counted(client, account)["metadata"]["total_count"] == 3
        for asked in ({"vendor": "Vendor"}, {"lead_token_id": row["id"]}):
            assert counted(client, account, **asked)["metadata"]["total_count"] == 2
        assert counted(client, account, vendor="Nobody")["counts"] == []


def test_a_vendor_counts_its_own_only(client: FlaskClient, account: Account) -> None:
    reading = account.token(reads_submissions=True)
    came(client, account, "2026-11-22T06:00:00")
    came(client, account, "2026-11-22T07:00:00", token=reading)
    with time_machine.travel(NOW, tick=False):
        body = client.get(COUNTS, query_string={"lead_token": reading}).get_json()
    assert by_day(body) == [("2026-11-22", "refused", "invalid_caller_id", 1)]
    answer = client.get(COUNTS, query_string={"lead_token": reading, "vendor": "Page"})
    assert refused(answer, "invalid_parameter")["errors"] == {"vendor": ["Unknown field."]}


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"created_at_from": "2026-08-23", "created_at_to": "2026-11-23"}, []),
        ({"created_at_from": "2026-08-22", "created_at_to": "2026-11-23"}, ["created_at_from"]),
        ({"created_at_from": "0001-01-01T00:00:00Z"}, ["created_at_from"]),
        ({"created_at_to": "0001-01-01"}, ["created_at_to"]),
        ({"created_at_to": "9999-12-31T23:59:59-10:00"}, ["created_at_to"]),
        ({"created_at_to": "9999-12-31"}, []),
        ({"created_at_from": "2026-11-23", "created_at_to": "2026-11-01"}, []),
        ({"created_at_from": "yesterday"}, ["created_at_from"]),
        ({"action": "created"}, ["action"]),
        ({"cursor": "x"}, ["cursor"]),
    ],
    ids=str,
)
def test_a_wrong_period_is_named(client: FlaskClient, eastern: Account, asked: Json, names: list[str]) -> None:
    answer = client.get(COUNTS, query_string=asked, headers=eastern.bearer)
    if names:
        assert list(refused(answer, "invalid_parameter")["errors"]) == names
    else:
        assert (answer.status_code, answer.get_json()["counts"]) == (200, [])
