"""API keys (API.md §3): how they are sent, what they open, and what a company may require."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.companies.models import ApiKey, Company
from server.companies.rules import SCOPES
from tests.api.calls import LEADS, NUMBER, PAGE, SUBMISSIONS, Json, refused, send, take, taken, warned
from tests.factories import Account, make_account
from tests.unit import table

CREDENTIALS = table("credentials.csv")
READING = {LEADS: "leads:read", SUBMISSIONS: "submissions:read"}
IGNORED = [("auth_token", "key_ignored")]


@dataclass(frozen=True)
class Strict:
    """A company that takes leads only with a key, and what a credential of the table may hold."""

    account: Account
    texts: dict[str, str]

    def headers(self, row: dict[str, str]) -> dict[str, str]:
        """The Authorization header of a row."""
        return {"Authorization": row["scheme"].format(**self.texts)}


def pair(public: str, private: str) -> str:
    """Two keys as Basic carries them."""
    return base64.b64encode(f"{public}:{private}".encode()).decode()


def private_of(headers: dict[str, str]) -> str:
    """The key that such headers carry."""
    return headers["Authorization"].removeprefix("Bearer ")


def revoke(account: Account, headers: dict[str, str]) -> None:
    """Ends a further key of the company, the last that was made."""
    [row] = account.rows("select max(id) as id from api_key where company_id = :company_id")
    account.change(ApiKey, row["id"], revoked_at=datetime.now(UTC))


@pytest.fixture(scope="module")
def strict(app: Flask) -> Strict:
    """The company, with a key that is revoked and a neighbour's key."""
    account = make_account(app, require_authorization=True)
    revoked = account.key("leads:create", "leads:read")
    revoke(account, revoked)
    public, private = account.public_key, account.private_key
    texts = {
        "private": private,
        "public": public,
        "pair": pair(public, private),
        "private_first": pair(private, public),
        "wrong_pair": pair("key_" + "0" * 32, private),
        "private_only": pair("", private),
        "colons": pair(public, ""),
        "token": account.schedule_token,
        "revoked": private_of(revoked),
        "other": make_account(app).private_key,
    }
    return Strict(account, texts)


def create(client: FlaskClient, account: Account, **how: Any) -> TestResponse:
    """A lead under the schedule's token."""
    return send(client, account.schedule_token, **how)


# How a key is sent


@pytest.mark.parametrize("row", CREDENTIALS, ids=lambda row: row["case"])
def test_a_company_that_requires_a_key_finds_it_wherever_clients_put_it(
    client: FlaskClient, strict: Strict, row: dict[str, str]
) -> None:
    answer = create(client, strict.account, headers=strict.headers(row))
    if row["found"] == "yes":
        assert taken(answer)["warnings"] == []
    else:
        assert refused(answer, "key_invalid")["errors"] == {"auth_token": ["is not valid"]}
        assert answer.status_code == 401


@pytest.mark.parametrize("row", CREDENTIALS, ids=lambda row: row["case"])
def test_where_no_key_is_required_a_wrong_one_is_ignored_aloud(
    client: FlaskClient, strict: Strict, account: Account, row: dict[str, str]
) -> None:
    # To this company every key of the table is a stranger's.
    body = taken(create(client, account, headers=strict.headers(row)))
    assert warned(body) == IGNORED


@pytest.mark.parametrize("row", CREDENTIALS, ids=lambda row: row["case"])
def test_reading_takes_the_same_credentials(client: FlaskClient, strict: Strict, row: dict[str, str]) -> None:
    answer = client.get(f"{LEADS}?root=false", headers=strict.headers(row))
    if row["case"] == "a key of another company":
        # It opens what is the other company's, where nothing is.
        assert (answer.status_code, answer.get_json()) == (200, [])
    elif row["found"] == "yes":
        assert answer.status_code == 200
    else:
        assert refused(answer, "key_invalid")["status"] == 401


def test_a_key_may_stand_in_the_body(client: FlaskClient, strict: Strict) -> None:
    for encoding in ("json", "data"):
        sent = {
            "lead_token": strict.account.schedule_token,
            "caller_id": NUMBER,
            "auth_token": strict.account.private_key,
        }
        assert taken(client.post(LEADS, **{encoding: sent}))["lead"]["data"] == {}  # type: ignore[arg-type]
    refused(create(client, strict.account, auth_token="x"), "key_invalid")
    refused(create(client, strict.account, auth_token=""), "key_required")


def test_a_key_in_the_body_lifts_a_block_as_one_in_the_header_does(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token, blocked=True)
    body = take(client, account.schedule_token, blocked=False, auth_token=account.private_key)
    assert (body["warnings"], body["lead"]["blocked"]) == ([], False)


@pytest.mark.parametrize("which", ["right", "wrong", "empty", "beside a header"])
@pytest.mark.parametrize("required", [True, False])
def test_a_key_in_the_url_is_refused_and_not_kept(
    client: FlaskClient, strict: Strict, account: Account, which: str, required: bool
) -> None:
    account = strict.account if required else account
    text = {"wrong": "x", "empty": ""}.get(which, account.private_key)
    url = f"{LEADS}?lead_token={account.schedule_token}&caller_id={NUMBER}&auth_token={text}"
    answer = client.post(url, headers=account.bearer if which == "beside a header" else {})
    assert refused(answer, "key_in_url")["errors"] == {"auth_token": ["must not stand in a URL"]}
    assert answer.status_code == 400
    last = account.submissions()[-1]
    assert last["code"] == "key_in_url"
    assert account.private_key not in str(last)
    for path, _ in READING.items():
        answer = client.get(f"{path}?auth_token={text}", headers=account.bearer)
        refused(answer, "key_in_url")


# What a company may require


def test_without_a_key_nothing_is_taken_and_all_is_kept(client: FlaskClient, strict: Strict) -> None:
    account = strict.account
    leads = account.leads()
    without = create(client, account, zip="1")
    with_scope_missing = create(client, account, headers=account.key("leads:read", "leads:update"))
    from_page = send(client, account.publishable_token, headers={"Origin": PAGE})
    answers = [
        (refused(without, "key_required"), 401),
        (refused(with_scope_missing, "scope_missing"), 403),
        (refused(from_page, "key_required"), 401),
    ]
    assert account.leads() == leads
    for body, status in answers:
        [row] = account.rows("select * from submission where id = :id", id=body["metadata"]["submission_id"])
        assert (body["status"], row["action"], row["code"]) == (status, "refused", body["code"])
    assert answers[1][0]["errors"] == {"auth_token": ["lacks the scope leads:create"]}
    taken(create(client, account, zip="1", headers=account.key("leads:create")))


def test_what_is_required_counts_from_the_next_request_on(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token)
    account.change(Company, account.company_id, require_authorization=True)
    refused(create(client, account), "key_required")
    account.change(Company, account.company_id, require_authorization=False)
    take(client, account.schedule_token)


def test_a_key_that_is_required_needs_a_valid_token_beside_it(client: FlaskClient, strict: Strict) -> None:
    answer = send(client, "0" * 32, headers=strict.account.bearer)
    refused(answer, "lead_token_invalid")


# What a key opens


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("path", READING)
def test_reading_needs_its_own_scope(client: FlaskClient, strict: Strict, path: str, scope: str) -> None:
    headers = strict.account.key(scope)
    for url in (path, f"{path}/00000000-0000-7000-8000-000000000000"):
        answer = client.get(url, headers=headers)
        if scope == READING[path]:
            assert answer.status_code == (200 if url == path else 404)
        else:
            assert refused(answer, "scope_missing")["errors"] == {"auth_token": [f"lacks the scope {READING[path]}"]}
            assert answer.status_code == 403


@pytest.mark.parametrize("path", [LEADS, f"{LEADS}/x", SUBMISSIONS, f"{SUBMISSIONS}/x"])
def test_reading_needs_a_key(client: FlaskClient, account: Account, path: str) -> None:
    answers = [client.get(path), client.get(path, headers={"Authorization": " "})]
    # A lead token may open its own list, where its owner lets it, and asks at the other where leads go.
    if path not in (SUBMISSIONS, LEADS):
        answers.append(client.get(f"{path}?lead_token={account.schedule_token}"))
    for answer in answers:
        body: Json = refused(answer, "key_required")
        assert (body["status"], body["errors"]) == (401, {"auth_token": ["is missing"]})


def test_a_lead_by_get_is_refused_and_leaves_nothing(client: FlaskClient, account: Account) -> None:
    answer = client.get(f"{LEADS}?lead_token={account.schedule_token}&caller_id={NUMBER}")
    refused(answer, "key_required")
    assert (account.leads(), account.submissions()) == ([], [])


def test_a_key_ends_at_once_when_it_is_revoked(client: FlaskClient, account: Account) -> None:
    key = account.key("leads:read", "leads:update")
    assert client.get(LEADS, headers=key).status_code == 200
    revoke(account, key)
    refused(client.get(LEADS, headers=key), "key_invalid")
    take(client, account.schedule_token, blocked=True)
    body = take(client, account.schedule_token, blocked=False, headers=key)
    assert warned(body) == [("blocked", "needs_key"), *IGNORED]


def test_of_a_private_key_only_a_digest_is_stored(account: Account) -> None:
    rows = account.rows("select * from api_key where company_id = :company_id")
    assert account.private_key not in str(rows)
    assert account.public_key in str(rows)
