"""The suppression list by API: thousands of numbers at once, in any form that people have them in."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.api.calls import NUMBER, OTHER_NUMBER, Json, end, refused, take
from tests.api.kinds import wrong
from tests.factories import Account, make_account
from tests.unit import table

LIST = "/api/v1/contacts/suppression"
CONTACTS = "select * from contact where company_id = :company_id"
MANY = [f"+1719222{digits:04}" for digits in range(10_000)]


def upload(client: FlaskClient, account: Account, method: str = "POST", **how: Any) -> TestResponse:
    return client.open(LIST, method=method, headers=account.bearer, **how)


def counts(answer: TestResponse) -> tuple[int, ...]:
    """The numbers of an answer, in their order."""
    body: Json = answer.get_json()
    assert answer.status_code == 200, body
    return tuple(body["counts"].values())


def listed(account: Account) -> list[str]:
    """The numbers on the list."""
    query = "select caller_id from contact where company_id = :company_id and suppressed_at is not null"
    return sorted(row["caller_id"] for row in account.rows(query))


def row_body(row: dict[str, str]) -> Json:
    """How a row's request is sent; each character of the table is a byte."""
    return {"data": row["body"].encode("latin-1"), "content_type": row["type"]}


@pytest.mark.parametrize("row", table("suppression_bodies.csv"), ids=lambda row: row["case"])
def test_a_list_is_taken_in_any_form(client: FlaskClient, account: Account, row: dict[str, str]) -> None:
    wrong_lines = [int(line) for line in row["wrong"].split()]
    answer = upload(client, account, **row_body(row))
    assert answer.get_json()["counts"] == {
        "suppressed": int(row["suppressed"]),
        "already": int(row["already"]),
        "invalid": len(wrong_lines),
    }
    assert [error["line"] for error in answer.get_json()["errors"]] == wrong_lines
    expected = [NUMBER, OTHER_NUMBER][: int(row["suppressed"])]
    assert listed(account) == expected
    # The same body takes off what it has put on.
    answer = upload(client, account, "DELETE", **row_body(row))
    assert answer.get_json()["counts"] == {
        "removed": int(row["suppressed"]),
        "absent": int(row["already"]),
        "invalid": len(wrong_lines),
    }
    assert listed(account) == []


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("row", table("wrong_suppression_bodies.csv"), ids=lambda row: row["case"])
def test_what_is_no_list_is_told_what_to_send(
    client: FlaskClient, account: Account, method: str, row: dict[str, str]
) -> None:
    errors = refused(upload(client, account, method, **row_body(row)), row["code"])["errors"]
    assert list(errors) == ([row["parameter"]] if row["parameter"] else [])
    assert all(texts[0].startswith(row["says"]) for texts in errors.values())
    assert account.rows("select id from contact where company_id = :company_id") == []


def test_a_wrong_line_is_named_with_what_it_held(client: FlaskClient, account: Account) -> None:
    answer = upload(client, account, data="phone\n911\n" + "9" * 100, content_type="text/csv")
    text = "is not a valid phone number"
    assert answer.get_json()["errors"] == [
        {"line": 2, "value": "911", "message": text},
        {"line": 3, "value": "9" * 64, "message": text},
    ]


def test_what_is_on_the_list_stops_and_what_is_beside_it_does_not(client: FlaskClient, account: Account) -> None:
    other = make_account(account.app)
    for company in (account, other):
        take(client, company.schedule_token)
        take(client, company.offer_token)
        take(client, company.schedule_token, caller_id=OTHER_NUMBER)
    ended = take(client, account.schedule_token, caller_id="+17192220000")
    end(account, ended["lead_id"])
    before = other.leads()
    versions = {row["id"]: row["version"] for row in account.rows(CONTACTS)}
    assert counts(upload(client, account, json={"numbers": [NUMBER, "+17192220000"]})) == (2, 0, 0)
    states = {(lead["caller_id"], lead["owner_kind"]): lead["status"] for lead in account.leads()}
    assert states == {
        (NUMBER, "schedule"): "blocked",
        (NUMBER, "offer"): "blocked",
        (OTHER_NUMBER, "schedule"): "scheduled",
        ("+17192220000", "schedule"): "completed",
    }
    assert [lead["next_action_at"] is None for lead in account.leads()] == [True, True, False, True]
    assert (other.leads(), listed(other)) == (before, [])
    for row in account.rows(CONTACTS):
        assert row["version"] - versions[row["id"]] == (0 if row["caller_id"] == OTHER_NUMBER else 1)
    # Taking it off starts nothing.
    stopped = account.leads()
    assert counts(upload(client, account, "DELETE", json={"numbers": [NUMBER]})) == (1, 0, 0)
    assert (account.leads(), listed(account)) == (stopped, ["+17192220000"])


def test_a_number_keeps_the_time_since_when_it_is_on_the_list(client: FlaskClient, account: Account) -> None:
    assert counts(upload(client, account, json={"numbers": [NUMBER]})) == (1, 0, 0)
    before = account.rows(CONTACTS)
    assert counts(upload(client, account, json={"numbers": [NUMBER, OTHER_NUMBER]})) == (1, 1, 0)
    [kept] = [row for row in account.rows(CONTACTS) if row["id"] == before[0]["id"]]
    assert kept == before[0]


def test_uploading_a_number_again_leaves_its_leads_as_they_are(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token)
    upload(client, account, json={"numbers": [NUMBER]})
    before = account.leads()
    assert counts(upload(client, account, json={"numbers": [NUMBER]})) == (0, 1, 0)
    assert account.leads() == before


def test_a_block_and_an_opt_out_stay_beside_the_list(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token, blocked=True, opt_out=True)
    upload(client, account, json={"numbers": [NUMBER]})
    upload(client, account, "DELETE", json={"numbers": [NUMBER]})
    [row] = account.rows(CONTACTS)
    assert [row[name] is None for name in ("blocked_at", "opted_out_at", "suppressed_at")] == [False, False, True]


def test_ten_thousand_numbers_are_taken_and_one_more_is_too_many(client: FlaskClient, app: Flask) -> None:
    account = make_account(app)
    for more in ({"json": {"numbers": [*MANY, "x"]}}, csv("\n".join([*MANY, "x"]))):
        for method in ("POST", "DELETE"):
            errors = wrong(upload(client, account, method, **more))
            assert errors == {"numbers": ["must be at most 10000; send the rest in a further request"]}
    assert account.rows("select id from contact where company_id = :company_id") == []
    take(client, account.schedule_token, caller_id=MANY[7777])
    # Put on in one form, found on it and taken off in the other: both are read to their ends.
    full = csv("\n".join(MANY))
    assert counts(upload(client, account, json={"numbers": MANY})) == (10_000, 0, 0)
    assert listed(account) == MANY
    assert account.leads()[0]["status"] == "blocked"
    assert counts(upload(client, account, **full)) == (0, 10_000, 0)
    assert counts(upload(client, account, "DELETE", **full)) == (10_000, 0, 0)
    assert listed(account) == []


def csv(text: str) -> Json:
    """A CSV body."""
    return {"data": text, "content_type": "text/csv"}


def test_a_body_over_a_megabyte_is_too_large(client: FlaskClient, account: Account) -> None:
    refused(upload(client, account, **csv("+17192221234\n" + " " * 1024 * 1024)), "too_large")
    assert counts(upload(client, account, **csv("+17192221234\n" + " " * (1024 * 1024 - 13)))) == (1, 0, 0)


def test_the_key_may_stand_in_a_json_body(client: FlaskClient, account: Account) -> None:
    body = {"numbers": [NUMBER], "auth_token": account.private_key}
    assert counts(client.post(LIST, json=body)) == (1, 0, 0)
    refused(client.post(LIST, json={"numbers": [NUMBER]}), "key_required")
    refused(client.post(LIST, **csv(NUMBER)), "key_required")
    refused(client.post(LIST, json={"numbers": [NUMBER]}, headers=account.key("leads:read")), "scope_missing")


def test_a_stranger_learns_nothing_of_what_is_wrong_with_a_body(client: FlaskClient, account: Account) -> None:
    for body in ("{", '{"numbers": []}', '{"numbers": ["\\u0000"]}'):
        refused(client.post(LIST, data=body, content_type="application/json"), "key_required")


def test_a_list_has_no_page_of_its_own(client: FlaskClient, account: Account) -> None:
    refused(client.get(LIST, headers=account.bearer), "not_found")
