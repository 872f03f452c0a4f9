"""Submissions (API.md §7.5): everything received stays on record, taken or refused, with why."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient

from server.lead_tokens.models import LeadToken
from tests.api.calls import (
    CAPTURE,
    LEADS,
    NOW,
    NUMBER,
    OTHER_NUMBER,
    PAGE,
    SUBMISSIONS,
    Json,
    refused,
    send,
    take,
    taken,
)
from tests.factories import Account, make_account

FORM = "application/x-www-form-urlencoded"
PART = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n'

UNKNOWN = "00000000-0000-7000-8000-000000000000"

SHOWN = {
    "id",
    "lead_token_id",
    "vendor_id",
    "lead_token_name",
    "api_key_id",
    "lead_id",
    "public_lead_id",
    "original_id",
    "replay_of_id",
    "endpoint",
    "powers",
    "action",
    "code",
    "caller_id",
    "vendor_lead_id",
    "idempotency_key",
    "received",
    "why",
    "origin",
    "referrer",
    "remote_ip",
    "user_agent",
    "request_id",
    "created_at",
    "purge_at",
    "consent",
    "released_at",
}


@pytest.fixture(autouse=True)
def soon_after() -> Iterator[None]:
    """Who looks does so some days after it came: what was refused is not shown for ever."""
    with time_machine.travel(NOW + timedelta(days=10)):
        yield


def listed(client: FlaskClient, account: Account, query: str = "") -> Json:
    """A page of submissions."""
    answer = client.get(SUBMISSIONS + query, headers=account.bearer)
    assert answer.status_code == 200, answer.get_json()
    body: Json = answer.get_json()
    assert set(body) == {"submissions", "metadata"}
    return body


def shown(client: FlaskClient, account: Account, submission_id: str) -> Json:
    """One submission."""
    answer = client.get(f"{SUBMISSIONS}/{submission_id}", headers=account.bearer)
    assert answer.status_code == 200, answer.get_json()
    body: Json = answer.get_json()["submission"]
    return body


# What is kept


def test_what_was_taken_is_kept_with_its_circumstances(client: FlaskClient, account: Account) -> None:
    headers = {"Origin": PAGE, "Referer": f"{PAGE}/quote?x=1", "User-Agent": "Browser/1", "Idempotency-Key": "k"}
    with time_machine.travel(NOW, tick=False):
        answer = client.post(
            f"{CAPTURE}?lead_token={account.publishable_token}&utm=x",
            json={"caller_id": "(719) 222-1234", "zip": "1", "vendor_lead_id": "v"},
            headers=headers,
        )
    body = taken(answer)
    [lead] = account.leads()
    submission = shown(client, account, body["metadata"]["submission_id"])
    assert set(submission) == SHOWN
    expected: Json = {
        "lead_token_name": "Page",
        "lead_id": lead["id"],
        "public_lead_id": body["lead_id"],
        "original_id": None,
        "endpoint": "capture",
        "powers": "public",
        "action": "created",
        "code": None,
        "caller_id": NUMBER,
        "vendor_lead_id": "v",
        "idempotency_key": "k",
        "received": {
            "query": {"lead_token": "[redacted]", "utm": "x"},
            "body": {"caller_id": "(719) 222-1234", "zip": "1", "vendor_lead_id": "v"},
        },
        "origin": PAGE,
        "referrer": f"{PAGE}/quote?x=1",
        "remote_ip": "127.0.0.1",
        "user_agent": "Browser/1",
        "request_id": answer.headers["X-Request-Id"],
        "created_at": "2026-11-23T06:00:00.000+00:00",
        "purge_at": None,
        "released_at": None,
    }
    assert submission | expected == submission
    assert [step["step"] for step in submission["why"]][:2] == ["token", "powers"]


def test_what_was_refused_is_kept_fourteen_days_with_the_reason(client: FlaskClient, account: Account) -> None:
    with time_machine.travel(NOW, tick=False):
        body = refused(send(client, account.schedule_token, caller_id="911", zip="1"), "invalid_caller_id")
    submission = shown(client, account, body["metadata"]["submission_id"])
    assert (submission["action"], submission["code"], submission["lead_id"]) == ("refused", "invalid_caller_id", None)
    assert submission["purge_at"] == "2026-12-07T06:00:00.000+00:00"
    assert submission["received"]["body"] == {"lead_token": "[redacted]", "caller_id": "911", "zip": "1"}
    [step] = submission["why"]
    assert (step["step"], step["decided"], step["read"]) == ("refuse", "invalid_caller_id", body["errors"])
    assert step["rule"] == body["detail"]


def test_every_request_is_one_submission(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token, vendor_lead_id="v")
    take(client, account.schedule_token, zip="1")
    take(client, account.schedule_token, zip="1")
    take(client, account.schedule_token, vendor_lead_id="v")
    for _ in range(2):
        take(client, account.schedule_token, headers={"Idempotency-Key": "k"}, city="x")
    refused(send(client, account.schedule_token, email=1), "invalid_parameter")
    actions = [row["action"] for row in account.submissions()]
    assert actions == ["created", "updated", "unchanged", "replayed", "updated", "replayed", "refused"]
    # Each answer named its own.
    assert len({row["id"] for row in account.submissions()}) == len(actions)


@pytest.mark.parametrize("place", ["query", "body", "data", "capitals"])
def test_no_secret_is_kept(client: FlaskClient, account: Account, place: str) -> None:
    secrets: dict[str, Any] = {"auth_token": account.private_key, "offer_lead_token": account.offer_token}
    sent: Json = {"lead_token": account.schedule_token, "caller_id": NUMBER}
    if place == "query":
        # A key in a URL is refused, and what came is kept all the same.
        client.post(LEADS, json=sent, query_string=secrets)
    else:
        more = {
            "body": secrets,
            "data": {"data": secrets},
            "capitals": {name.upper(): secrets[name] for name in secrets},
        }
        taken(client.post(LEADS, json=sent | more[place]))
    [row] = account.submissions()
    for secret in (account.schedule_token, account.offer_token, account.private_key):
        assert secret not in str(row)
    assert "[redacted]" in row["received"]


def test_no_secret_is_kept_that_stands_in_an_address_or_in_a_text(client: FlaskClient, account: Account) -> None:
    secrets = [account.offer_token, account.vendor_token, account.private_key]
    page = f"{PAGE}/?data%5Bauth%5Ftoken%5D={account.private_key}&utm_source=x"
    sent = {
        "authToken": account.private_key,
        "payload": json.dumps({"leadToken": account.offer_token, "zip": "80203"}),
        "consent": {"granted": True, "page_url": f"{PAGE}/?lead_token={account.vendor_token}#a"},
    }
    headers = {"Referer": page}
    body = taken(send(client, account.schedule_token, headers=headers, **sent))
    refused(send(client, account.schedule_token, headers=headers, **sent | {"caller_id": "911"}), "invalid_caller_id")
    records = account.rows("select record from consent_record where company_id = :company_id")
    kept = str(account.submissions()) + str(records) + str(shown(client, account, body["metadata"]["submission_id"]))
    assert [secret for secret in secrets if secret in kept] == []
    assert account.submissions()[0]["referrer"].endswith("=[redacted]&utm_source=x")


def test_an_error_repeats_no_secret(client: FlaskClient, account: Account) -> None:
    secret = account.private_key
    address = f"{PAGE}/?auth_token={secret}"
    token = {"name": "Page", "kind": "publishable", "schedule_id": account.schedule_id, "allowed_origins": [address]}
    answers = [
        client.post("/api/v1/lead_tokens", json=token, headers=account.bearer),
        client.post("/api/v1/offers", json={json.dumps({"auth_token": secret}): ""}, headers=account.bearer),
        client.get(f"/api/v1/offers?data%5Bauthtoken%5D={secret}", headers=account.bearer),
    ]
    for answer in answers:
        assert answer.status_code in (400, 422)
        assert secret not in answer.text
    assert "[redacted]" in answers[0].text + answers[1].text


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b'{"caller_id": "7192221234", "lead_token": "SECRET"', "application/json", "malformed_body"),
        (b'[{"schedule_lead_token" : "SECRET"}]', "application/json", "object_expected"),
        (b"\xff=1&Lead_Token=SECRET&data[auth_token]=SECRET" + b"&a=1" * 500, FORM, "too_large"),
        (b"\xff\0 auth_token: SECRET", "text/plain", "unsupported_media_type"),
        (b'{"auth_token": "SECRET", "a": "' + b"x" * 300_000, "application/json", "too_large"),
        (PART % b"offer_lead_token" + b"SECRET\r\n", "multipart/form-data; boundary=b", "malformed_body"),
    ],
    ids=["half an object", "a list", "no UTF-8 and too many fields", "text", "too much", "half a form"],
)
def test_a_body_that_cannot_be_read_is_kept_as_it_came(
    client: FlaskClient, account: Account, body: bytes, content_type: str, code: str
) -> None:
    url = f"{LEADS}?lead_token={account.schedule_token}"
    refused(client.post(url, data=body, content_type=content_type), code)
    [row] = account.submissions()
    kept = body[: 256 * 1024].decode("utf-8", "backslashreplace").replace("\0", "\\x00")
    assert json.loads(row["received"])["unread"] == kept.replace("SECRET", "[redacted]")
    assert row["code"] == code
    assert account.schedule_token not in str(row)


def test_a_token_that_has_ended_leaves_a_submission_and_an_unknown_one_nothing(
    client: FlaskClient, account: Account
) -> None:
    take(client, account.vendor_token)
    [token] = account.rows("select id from lead_token where value = :value", value=account.vendor_token)
    account.change(LeadToken, token["id"], disabled_at=NOW - timedelta(days=9999))
    ended = refused(send(client, account.vendor_token, zip="1"), "lead_token_invalid")
    unknown = refused(send(client, "f" * 32, zip="1"), "lead_token_invalid")
    for body in (ended, unknown):
        body["metadata"].pop("request_id")
    assert ended == unknown
    assert [row["code"] for row in account.submissions()] == [None, "lead_token_invalid"]
    assert len(account.leads()) == 1


def test_a_request_to_a_vendors_lead_is_found_by_its_number_and_its_id(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token, vendor_lead_id="v", zip="1")
    found = listed(client, account, "?vendor_lead_id=v&caller_id=%2B17192221234")["submissions"]
    assert [row["vendor_lead_id"] for row in found] == ["v"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("L-1", "L-1"), (17, "17"), ("", None), ([1], None), ("x" * 256, None), ("a\0", None), ("\ud800", None)],
    ids=ascii,
)
def test_a_vendor_finds_what_was_refused_by_its_own_id(
    client: FlaskClient, account: Account, sent: object, kept: str | None
) -> None:
    answer = send(client, account.schedule_token, caller_id="911", vendor_lead_id=sent)
    assert answer.get_json()["success"] is False
    assert [row["vendor_lead_id"] for row in account.submissions()] == [kept]


# Reading them


@pytest.fixture
def mixed(client: FlaskClient, account: Account) -> list[Json]:
    """Submissions of several kinds, oldest first, one a day."""
    with time_machine.travel(NOW, tick=False):
        take(client, account.schedule_token, vendor_lead_id="v")
    with time_machine.travel(NOW + timedelta(days=1), tick=False):
        take(client, account.publishable_token, caller_id=OTHER_NUMBER)
    with time_machine.travel(NOW + timedelta(days=2), tick=False):
        send(client, account.schedule_token, caller_id="911")
    with time_machine.travel(NOW + timedelta(days=3), tick=False):
        take(client, account.schedule_token, zip="1")
    return account.submissions()


FILTERS = [
    ("", [3, 2, 1, 0]),
    ("action=created", [1, 0]),
    ("action=refused", [2]),
    ("code=invalid_caller_id", [2]),
    ("code=no_matching_lead", []),
    ("reason=invalid_caller_id", [2]),
    ("reason=invalid_caller_id&code=invalid_caller_id", [2]),
    ("powers=public", [1]),
    ("powers=server&action=refused", [2]),
    ("endpoint=create", [3, 2, 1, 0]),
    ("endpoint=capture", []),
    ("vendor=First", [3, 2, 0]),
    ("vendor=Page", [1]),
    ("vendor=Vendor", []),
    ("vendor=First&lead_token_id={token}", [3, 2, 0]),
    ("replay_of_id={lead}", []),
    ("caller_id=%2B17192225678", [1]),
    ("vendor_lead_id=v", [0]),
    ("lead_id={lead}", [3, 0]),
    ("lead_id={lead_in_capitals}", [3, 0]),
    ("lead_id={public_lead}", [1]),
    ("lead_token_id={token}", [3, 2, 0]),
    ("created_at_from=2026-11-24T06:00:00Z", [3, 2, 1]),
    ("created_at_to=2026-11-24T06:00:00Z", [0]),
    ("created_at_from=2026-11-24&created_at_to=2026-11-25", [1]),
    ("action=created&caller_id=%2B17192221234", [0]),
    ("action=created&action=refused", [2]),
    ("action=", [3, 2, 1, 0]),
    ("per_page=3", [3, 2, 1]),
]


@pytest.mark.parametrize(("query", "expected"), FILTERS, ids=[query for query, _ in FILTERS])
def test_submissions_are_listed_newest_first_and_filtered(
    client: FlaskClient, account: Account, mixed: list[Json], query: str, expected: list[int]
) -> None:
    texts = {
        "lead": mixed[0]["lead_id"],
        "lead_in_capitals": mixed[0]["lead_id"].upper(),
        "public_lead": mixed[1]["public_lead_id"],
        "token": mixed[0]["lead_token_id"],
    }
    body = listed(client, account, "?" + query.format(**texts))
    assert [row["id"] for row in body["submissions"]] == [mixed[position]["id"] for position in expected]
    assert body["metadata"]["total_count"] == (4 if "per_page" in query else len(expected))


@pytest.mark.parametrize(
    ("query", "name", "text"),
    [
        ("nothing=1", "nothing", "Unknown field."),
        ("company_id=1", "company_id", "Unknown field."),
        ("lead_id=x", "lead_id", "Must be a UUID"),
        ("replay_of_id=x", "replay_of_id", "Must be a UUID"),
        ("powers=none", "powers", "Must be one of: `server`, `public`."),
        (
            "code=suppressed&reason=ip_limit",
            "reason",
            "is another word for code, and was sent with another value: send one",
        ),
        ("lead_token_id=x", "lead_token_id", "Must be a String of digits, from 1 to 2147483647"),
        ("per_page=201", "per_page", "Must be a Integer from 1 to 200"),
        ("cursor=x", "cursor", "Must be the next_cursor of a list"),
    ],
)
def test_a_wrong_filter_is_named(client: FlaskClient, account: Account, query: str, name: str, text: str) -> None:
    answer = client.get(f"{SUBMISSIONS}?{query}", headers=account.bearer)
    assert refused(answer, "invalid_parameter")["errors"] == {name: [text]}


@pytest.mark.parametrize("name", ["action", "reason", "vendor", "endpoint", "caller_id", "vendor_lead_id", "cursor"])
def test_a_filter_with_a_nul_is_named(client: FlaskClient, account: Account, name: str) -> None:
    answer = client.get(f"{SUBMISSIONS}?{name}=a%00", headers=account.bearer)
    assert list(refused(answer, "invalid_character")["errors"]) == [name]


def test_another_companys_submission_is_not_there(client: FlaskClient, account: Account) -> None:
    other = make_account(account.app)
    theirs = take(client, other.schedule_token)["metadata"]["submission_id"]
    assert listed(client, account)["submissions"] == []
    for submission_id in (theirs, theirs.upper(), UNKNOWN, "x", "%00", theirs + "x"):
        answer = client.get(f"{SUBMISSIONS}/{submission_id}", headers=account.bearer)
        assert refused(answer, "not_found")["errors"] == {"id": ["names no submission"]}
    assert shown(client, other, theirs.upper())["id"] == theirs


def test_pages_of_submissions_follow_one_another(client: FlaskClient, account: Account, mixed: list[Json]) -> None:
    first = listed(client, account, "?per_page=3")
    second = listed(client, account, f"?per_page=3&cursor={first['metadata']['next_cursor']}")
    ids = [row["id"] for row in first["submissions"] + second["submissions"]]
    assert ids == [row["id"] for row in reversed(mixed)]
    assert second["metadata"] == {"total_count": 4, "per_page": 3, "next_cursor": None}


def test_a_page_of_long_submissions_ends_earlier_and_the_next_goes_on(client: FlaskClient, account: Account) -> None:
    token = account.schedule_token
    sent = [
        take(client, token, caller_id=f"+1719222{2000 + number}", note="x" * 240_000)["metadata"]["submission_id"]
        for number in range(11)
    ]
    read: list[list[str]] = []
    cursor = ""
    while len(read) < 5:
        answer = client.get(f"{SUBMISSIONS}?per_page=200&cursor={cursor}", headers=account.bearer)
        assert len(answer.data) < 3_000_000
        read.append([row["id"] for row in answer.get_json()["submissions"]])
        cursor = answer.get_json()["metadata"]["next_cursor"]
        if cursor is None:
            break
    assert (len(read), sum(read, [])) == (2, sent[::-1])  # noqa: RUF017


def test_no_spelling_and_no_nesting_keeps_a_secret_on_record(client: FlaskClient, account: Account) -> None:
    secret = account.private_key
    sent = {
        "lead_token": account.schedule_token,
        "caller_id": "7192221234",
        "Auth-Token": secret,
        "items": [{"auth_token": secret}],
        "data_json": f'{{"auth_token": "{secret}"}}',
    }
    client.post("/api/v1/leads", json=sent)
    [kept] = account.submissions()
    assert secret not in kept["received"]
    assert account.schedule_token not in kept["received"]


def test_a_query_string_that_cannot_be_read_is_kept_for_the_token_in_the_body(
    client: FlaskClient, account: Account
) -> None:
    sent = {"lead_token": account.schedule_token, "caller_id": "7192221234"}
    deep = "utm" + "[b]" * 20
    answer = client.post(f"/api/v1/leads?{deep}=1", json=sent)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "malformed_body")
    [kept] = account.submissions()
    assert kept["code"] == "malformed_body"
    assert "7192221234" in kept["received"]
    assert f"{deep}=1" in kept["received"]


def test_a_junk_header_does_not_hide_the_key_in_the_body(client: FlaskClient, account: Account) -> None:
    sent = {"lead_token": account.schedule_token, "caller_id": "7192221234"}
    client.post("/api/v1/leads", json=sent | {"blocked": True})
    lift = sent | {"blocked": False, "auth_token": account.private_key}
    answer = client.post("/api/v1/leads", json=lift, headers={"Authorization": "Bearer undefined"})
    assert answer.get_json()["warnings"] == []
    assert answer.get_json()["lead"]["blocked"] is False


def test_submissions_are_found_by_any_spelling_of_the_number(client: FlaskClient, account: Account) -> None:
    client.post("/api/v1/leads", json={"lead_token": account.schedule_token, "caller_id": "7192221234"})
    for spelling in ("+17192221234", "(719) 222-1234"):
        found = client.get("/api/v1/submissions", query_string={"caller_id": spelling}, headers=account.bearer)
        assert found.get_json()["metadata"]["total_count"] == 1


def test_a_blank_in_the_body_hides_nothing_of_the_url(client: FlaskClient, account: Account) -> None:
    url = f"/api/v1/leads?lead_token={account.schedule_token}&caller_id=7192221234&data[city]=Denver"
    answer = client.post(url, json={"data": {"city": "", "zip": "1"}, "caller_id": ""})
    assert answer.get_json()["lead"]["data"] == {"city": "Denver", "zip": "1"}


def test_a_vendor_of_another_company_has_no_submissions_here(client: FlaskClient, account: Account) -> None:
    take(client, make_account(account.app).schedule_token)
    assert listed(client, account, "?vendor=First")["submissions"] == []
