"""What each kind of token may do, from where it is used, and with which key beside it (API.md §3)."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.companies.models import ApiKey
from server.companies.rules import SCOPES
from server.lead_tokens.models import LeadToken
from server.leads.params import TOKEN_PARAMETERS
from server.leads.schemas import FIELDS
from server.schedules.models import Schedule
from tests.factories import DAY, Account, make_account
from tests.live import Live
from tests.unit import table

LEADS = "/api/v1/leads"
NUMBER = "+17192221234"
PAGE = "https://shop.example"
BEFORE = "https://before.example"
GOOD = ["https://good.com", "https://shop.good.com:8443"]

# So many posts, each on a connection of its own, that every worker has had some.
ENOUGH = 8

# What publishable powers may say; every other field has its rows in the table of wishes.
PUBLIC = {
    "caller_id",
    "number",
    "email",
    "contact_field_type",
    "traffic_source_id",
    "sub_id",
    "vendor_lead_id",
    "assign_trackdrive_number",
    "assign_sms_number",
    "auto_format_nested_fields",
    "consent",
    "data",
    "hp",
}


def post(client: FlaskClient, token: str, headers: Mapping[str, str] | None = None, **sent: Any) -> TestResponse:
    return client.post(LEADS, json={"lead_token": token, "caller_id": NUMBER, **sent}, headers=headers)


def token_row(account: Account, value: str) -> dict[str, Any]:
    """The stored token."""
    [row] = account.rows("select * from lead_token where value = :value", value=value)
    return row


def change_token(account: Account, value: str, **values: Any) -> None:
    account.change(LeadToken, token_row(account, value)["id"], **values)


def expose(account: Account, value: str) -> None:
    """As if a page had used it before."""
    change_token(account, value, exposed_at=datetime.now(UTC), exposed_origin=BEFORE)


def clear(account: Account, value: str) -> None:
    """As its owner does."""
    change_token(account, value, exposed_at=None, exposed_origin=None)


def postback_token(account: Account) -> str:
    return account.token(kind="postback", owner_kind="traffic_source", owner_id=account.source_id)


def token_of_kind(account: Account, kind: str) -> str:
    if kind == "postback":
        return postback_token(account)
    return account.publishable_token if kind == "publishable" else account.schedule_token


def circumstances(row: dict[str, str]) -> dict[str, str]:
    """The headers of a row."""
    names = {"Origin": "origin", "Sec-Fetch-Site": "site", "Referer": "referer"}
    return {header: row[column] for header, column in names.items() if row.get(column)}


def codes(answer: TestResponse) -> list[str]:
    """The codes of the warnings."""
    return sorted(warning["code"] for warning in answer.get_json()["warnings"])


# Where a token is used


@pytest.mark.parametrize("row", table("powers.csv"), ids=lambda row: row["case"])
def test_a_tokens_powers_are_its_kinds_and_its_places(
    client: FlaskClient, account: Account, row: dict[str, str]
) -> None:
    token = token_of_kind(account, row["kind"])
    if row["exposed"]:
        expose(account, token)
    answer = post(client, token, circumstances(row), lead_priority="5")
    body = answer.get_json()
    assert body.get("action", body.get("code")) == row["answer"]
    if row["powers"] == "none":
        assert account.leads() == []
    else:
        assert [lead["lead_priority"] for lead in account.leads()] == [5 if row["powers"] == "server" else None]
        assert [submission["powers"] for submission in account.submissions()] == [row["powers"]]
    stored = token_row(account, token)
    assert stored["exposed_origin"] == (row["marked"] or None)
    assert (stored["exposed_at"] is None) == (not row["marked"])


def test_a_token_seen_in_a_page_is_public_until_its_owner_clears_the_mark(
    client: FlaskClient, account: Account
) -> None:
    token = account.schedule_token
    assert post(client, token).get_json()["action"] == "created"
    assert post(client, token, {"Origin": PAGE}, zip="1").get_json()["action"] == "received"
    assert post(client, token, zip="2").get_json()["action"] == "received"
    assert post(client, token, {"Origin": "https://other.example"}, zip="3").get_json()["action"] == "received"
    assert token_row(account, token)["exposed_origin"] == PAGE
    clear(account, token)
    assert post(client, token, zip="4").get_json()["action"] == "updated"
    assert post(client, token, {"Origin": BEFORE}, zip="5").get_json()["action"] == "received"
    assert token_row(account, token)["exposed_origin"] == BEFORE


@pytest.mark.parametrize(
    "request_of_a_page",
    [
        {"json": {"caller_id": "911"}},
        {"json": {"lead_priority": "high"}},
        {"data": "{", "content_type": "application/json"},
        {"data": b"\xff", "content_type": "image/png"},
    ],
    ids=["a number that is none", "a value that is none", "a body that is none", "a type that we do not read"],
)
def test_a_refused_request_of_a_page_exposes_the_token_too(
    client: FlaskClient, account: Account, request_of_a_page: dict[str, Any]
) -> None:
    url = f"{LEADS}?lead_token={account.schedule_token}"
    assert client.post(url, headers={"Origin": PAGE}, **request_of_a_page).status_code >= 400
    assert token_row(account, account.schedule_token)["exposed_origin"] == PAGE
    assert post(client, account.schedule_token).get_json()["action"] == "received"


def test_a_repeated_request_of_a_page_exposes_the_token_too(client: FlaskClient, account: Account) -> None:
    headers = {"Origin": PAGE, "Idempotency-Key": "k"}
    post(client, account.schedule_token, headers)
    clear(account, account.schedule_token)
    assert post(client, account.schedule_token, headers).headers["Idempotent-Replayed"] == "true"
    assert token_row(account, account.schedule_token)["exposed_origin"] == PAGE


def test_what_a_page_did_with_a_key_is_not_what_the_server_did_with_it(client: FlaskClient, account: Account) -> None:
    headers = {"Idempotency-Key": "k"}
    assert post(client, account.schedule_token, headers).get_json()["action"] == "created"
    answer = post(client, account.schedule_token, headers | {"Origin": PAGE})
    assert (answer.get_json()["action"], "Idempotent-Replayed" in answer.headers) == ("received", False)


# The origins of a publishable token


@pytest.mark.parametrize("row", table("origins.csv"), ids=lambda row: row["case"])
def test_a_list_of_origins_is_matched_to_the_letter(client: FlaskClient, account: Account, row: dict[str, str]) -> None:
    change_token(account, account.publishable_token, allowed_origins=GOOD)
    answer = post(client, account.publishable_token, circumstances(row))
    [submission] = account.submissions()
    assert submission["origin"] == (row["origin"] or None)
    assert submission["referrer"] == (row["referer"] or None)
    assert submission["id"] == answer.get_json()["metadata"]["submission_id"]
    if row["allowed"]:
        assert (answer.status_code, submission["code"], len(account.leads())) == (200, None, 1)
    else:
        assert (answer.status_code, answer.get_json()["code"]) == (403, "origin_not_allowed")
        assert (submission["action"], submission["code"], account.leads()) == ("refused", "origin_not_allowed", [])


def test_a_refused_origin_hears_the_same_of_every_number(client: FlaskClient, account: Account) -> None:
    change_token(account, account.publishable_token, allowed_origins=GOOD)
    unknown = post(client, account.publishable_token, {"Origin": PAGE}).get_json()
    post(client, account.schedule_token)
    known = post(client, account.publishable_token, {"Origin": PAGE}).get_json()
    assert known | {"metadata": None} == unknown | {"metadata": None}


@pytest.mark.parametrize("origin", [PAGE, "null", None])
def test_without_a_list_every_origin_is_taken_and_recorded(
    client: FlaskClient, account: Account, origin: str | None
) -> None:
    headers = {"Referer": f"{PAGE}/form"} | ({"Origin": origin} if origin else {})
    assert post(client, account.publishable_token, headers).status_code == 200
    [submission] = account.submissions()
    assert (submission["origin"], submission["referrer"]) == (origin, f"{PAGE}/form")


# What may be wished


@pytest.mark.parametrize("row", table("public_wishes.csv"), ids=lambda row: row["case"])
def test_a_wish_beyond_publishable_powers_is_left_undone_aloud(
    client: FlaskClient, account: Account, row: dict[str, str]
) -> None:
    post(client, account.schedule_token)
    [before] = account.leads()
    contacts = "select blocked_at, opted_out_at from contact where company_id = :company_id"
    known = account.rows(contacts)
    wish: dict[str, Any] = {row["param"]: row["value"]}
    answer = post(client, account.publishable_token, **wish)
    assert answer.status_code == 200
    wanted = [(row["param"], row["warning"])] if row["warning"] else []
    assert [(warning["param"], warning["code"]) for warning in answer.get_json()["warnings"]] == wanted
    [after] = account.leads()
    assert after | {"updated_at": None} == before | {"updated_at": None}
    assert account.rows(contacts) == known


def test_a_wish_beyond_publishable_powers_is_left_undone_on_a_new_lead_too(
    client: FlaskClient, account: Account
) -> None:
    wishes: dict[str, Any] = {row["param"]: row["value"] for row in table("public_wishes.csv") if row["warning"]}
    answer = post(client, account.publishable_token, **wishes)
    assert {warning["param"] for warning in answer.get_json()["warnings"]} == wishes.keys()
    [lead] = account.leads()
    unset = ("lead_priority", "max_contact_attempts", "expires_at", "deletes_at")
    assert [lead[name] for name in unset] == [None] * len(unset)
    assert lead["next_action_at"] - lead["created_at"] == timedelta(seconds=DAY)
    shown = answer.get_json()["lead"]
    assert [shown[name] for name in unset] == [None] * len(unset)
    assert shown["scheduled_callback_at"] is None


def test_every_field_is_either_public_or_in_the_table_of_wishes() -> None:
    wishes = {row["param"] for row in table("public_wishes.csv")} - {"blocked", "opt_out"}
    assert FIELDS.keys() - wishes - TOKEN_PARAMETERS.keys() - {"blocked", "opt_out"} == PUBLIC


def test_a_server_may_wish_what_a_page_may_not(client: FlaskClient, account: Account) -> None:
    sent: dict[str, Any] = {
        "lead_priority": "1",
        "hours_to_expire": "1",
        "max_contact_attempts": "1",
        "expires_in": "1",
    }
    answer = post(client, account.schedule_token, **sent, next_action_at="2027-01-02 03:04:05 +0000")
    assert answer.get_json()["warnings"] == []
    [lead] = account.leads()
    assert (lead["lead_priority"], lead["max_contact_attempts"]) == (1, 1)
    assert lead["expires_at"] - lead["created_at"] == timedelta(hours=1)
    assert lead["deletes_at"] - lead["created_at"] == timedelta(minutes=1)
    assert lead["next_action_at"] == datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)


# Who may lift


def revoked_key(account: Account) -> dict[str, str]:
    header = account.key(*SCOPES)
    [key] = account.rows("select max(id) as id from api_key where company_id = :company_id")
    account.change(ApiKey, key["id"], revoked_at=datetime.now(UTC))
    return header


KEYS: dict[str, Callable[[Account], dict[str, str]]] = {
    "none": lambda account: {},
    "undefined": lambda account: {"Authorization": "Bearer undefined"},
    "wrong scope": lambda account: account.key(*(SCOPES.keys() - {"leads:update"})),
    "other company": lambda account: make_account(account.app).bearer,
    "revoked": revoked_key,
    "right": lambda account: account.key("leads:update"),
    "right in the body": lambda account: {},
}


@pytest.mark.parametrize("row", table("lifts.csv"), ids=lambda row: row["case"])
def test_only_a_key_that_may_update_leads_lifts_and_only_for_a_server(
    client: FlaskClient, account: Account, row: dict[str, str]
) -> None:
    contacts = "select blocked_at, opted_out_at from contact where company_id = :company_id"
    post(client, account.schedule_token, blocked=True, opt_out=True)
    [stopped] = account.rows(contacts)
    headers = KEYS[row["key"]](account)
    sent: dict[str, Any] = {"auth_token": account.private_key} if row["key"] == "right in the body" else {}
    token = account.publishable_token if row["token"] == "publishable" else account.schedule_token
    if row["token"] == "exposed":
        expose(account, token)
    if row["token"] == "from a page":
        headers = headers | {"Origin": PAGE}
    answer = post(client, token, headers, blocked="false", opt_out="false", **sent)
    assert answer.status_code == 200
    assert codes(answer) == row["warnings"].split()
    [contact] = account.rows(contacts)
    [lead] = account.leads()
    if row["lifted"]:
        assert contact == {"blocked_at": None, "opted_out_at": None}
        assert (lead["status"], lead["next_action_id"]) == ("scheduled", account.action_id)
        assert lead["next_action_at"] is not None
    else:
        assert contact == stopped
        assert (lead["status"], lead["next_action_at"]) == ("blocked", None)


# Tokens that count for nothing


def disabled(account: Account) -> dict[str, str]:
    change_token(account, account.vendor_token, disabled_at=datetime.now(UTC))
    return {"lead_token": account.vendor_token}


def disabled_in_a_page(account: Account) -> dict[str, str]:
    change_token(account, account.publishable_token, disabled_at=datetime.now(UTC))
    return {"lead_token": account.publishable_token}


def expired(account: Account) -> dict[str, str]:
    return {"lead_token": account.token(expires_at=datetime.now(UTC) - timedelta(seconds=1))}


def of_a_deleted_schedule(account: Account) -> dict[str, str]:
    account.change(Schedule, account.schedule_id, deleted_at=datetime.now(UTC))
    return {"lead_token": account.vendor_token}


def postback(account: Account) -> dict[str, str]:
    return {"lead_token": postback_token(account)}


def an_offers_as_a_schedules(account: Account) -> dict[str, str]:
    return {"schedule_lead_token": account.offer_token}


def a_schedules_as_an_offers(account: Account) -> dict[str, str]:
    return {"offer_lead_token": account.vendor_token}


def none_at_all(account: Account) -> dict[str, str]:
    return {}


def misspelt(account: Account) -> dict[str, str]:
    return {"lead_token": account.schedule_token.upper() + "!"}


def unknown_of_a_schedule(account: Account) -> dict[str, str]:
    return {"schedule_lead_token": "0" * 32}


EXISTING = [
    disabled,
    disabled_in_a_page,
    expired,
    of_a_deleted_schedule,
    postback,
    an_offers_as_a_schedules,
    a_schedules_as_an_offers,
]
MISSING = [none_at_all, misspelt, unknown_of_a_schedule]

# Requests that other tokens would be answered differently for.
REQUESTS: dict[str, dict[str, Any]] = {
    "plain": {"json": {"caller_id": NUMBER}},
    "dry": {"json": {"caller_id": NUMBER, "dry_run": True}},
    "invalid": {"json": {"caller_id": "911", "lead_priority": "high"}},
    "malformed": {"data": "{", "content_type": "application/json"},
    "too large": {"data": b"x" * 300_000, "content_type": "application/json"},
    "a picture": {"data": b"\xff", "content_type": "image/png"},
    "a native form": {"data": {"caller_id": NUMBER, "redirect_to": BEFORE, "redirect_error": BEFORE}},
    "from a page": {"json": {"caller_id": NUMBER}, "headers": {"Origin": PAGE}},
    "with a junk key": {"json": {"caller_id": NUMBER}, "headers": {"Authorization": "Bearer undefined"}},
    "with a key in the URL": {"json": {"caller_id": NUMBER}, "query_string": {"auth_token": "x"}},
}


def bytes_of(answer: TestResponse) -> tuple[int, list[tuple[str, str]], bytes]:
    """The whole answer, but for the request's id."""
    request_id = answer.headers["X-Request-Id"]
    headers = [(name, value.replace(request_id, "-")) for name, value in answer.headers]
    return answer.status_code, headers, answer.get_data().replace(request_id.encode(), b"-")


@pytest.mark.parametrize("token", [*EXISTING, *MISSING], ids=lambda token: token.__name__)
def test_a_token_that_does_not_count_is_answered_as_one_that_does_not_exist(
    client: FlaskClient, account: Account, token: Callable[[Account], dict[str, str]]
) -> None:
    for value in (account.vendor_token, account.publishable_token, account.offer_token):
        change_token(account, value, allowed_redirects=[BEFORE])
    sent = token(account)
    kept = []
    for what, request in REQUESTS.items():
        query = request.get("query_string", {})
        answer = client.post(LEADS, **(request | {"query_string": query | sent}))
        unknown = client.post(LEADS, **(request | {"query_string": query | {"lead_token": "f" * 32}}))
        assert bytes_of(answer) == bytes_of(unknown), what
        assert answer.status_code in (400, 413, 415, 422)
        if token in EXISTING and what != "dry":
            kept.append(answer.headers["X-Request-Id"])
    assert account.leads() == []
    assert [submission["request_id"] for submission in account.submissions()] == kept


def test_the_three_names_of_a_token_look_where_they_say(client: FlaskClient, account: Account) -> None:
    for name, token in (("schedule_lead_token", account.schedule_token), ("offer_lead_token", account.offer_token)):
        assert client.post(LEADS, json={name: token, "caller_id": NUMBER}).get_json()["action"] == "created"
    assert [lead["owner_kind"] for lead in account.leads()] == ["schedule", "offer"]


def test_a_token_ends_at_the_very_next_request(client: FlaskClient, account: Account) -> None:
    assert post(client, account.vendor_token).status_code == 200
    change_token(account, account.vendor_token, disabled_at=datetime.now(UTC))
    assert post(client, account.vendor_token).get_json()["code"] == "lead_token_invalid"
    change_token(account, account.vendor_token, disabled_at=None, expires_at=datetime.now(UTC))
    assert post(client, account.vendor_token).get_json()["code"] == "lead_token_invalid"
    change_token(account, account.vendor_token, expires_at=datetime.now(UTC) + timedelta(minutes=5))
    assert post(client, account.vendor_token).status_code == 200


def test_a_token_ends_at_the_very_next_request_in_every_process(live: Live, account: Account) -> None:
    def answers(token: str, **headers: str) -> set[Any]:
        """What each worker says."""
        sent = {"lead_token": token, "caller_id": NUMBER}
        bodies = [live.post(json=sent, headers=headers).json() for _ in range(ENOUGH)]
        return {body.get("code", body["status"]) for body in bodies}

    assert answers(account.vendor_token) == {200}
    change_token(account, account.vendor_token, disabled_at=datetime.now(UTC))
    assert answers(account.vendor_token) == {"lead_token_invalid"}
    change_token(account, account.vendor_token, disabled_at=None)
    assert answers(account.vendor_token) == {200}

    assert answers(account.publishable_token, Origin=PAGE) == {200}
    change_token(account, account.publishable_token, allowed_origins=GOOD)
    assert answers(account.publishable_token, Origin=PAGE) == {"origin_not_allowed"}


def test_what_one_process_sees_of_a_page_every_process_knows(live: Live, account: Account) -> None:
    def actions(**headers: str) -> set[str]:
        sent = {"lead_token": account.schedule_token, "caller_id": NUMBER}
        return {live.post(json=sent, headers=headers).json()["action"] for _ in range(ENOUGH)}

    assert actions() <= {"created", "updated", "unchanged"}
    live.post(json={"lead_token": account.schedule_token, "caller_id": NUMBER}, headers={"Origin": PAGE})
    assert actions() == {"received"}


# A vendor's token


def test_a_vendor_reads_what_it_sent_and_nothing_that_others_did(client: FlaskClient, account: Account) -> None:
    others: dict[str, Any] = {
        "email": "john@example.com",
        "sub_id": "a",
        "lead_priority": 5,
        "zip": "80903",
        "hours_to_expire": 5,
    }
    first = post(client, account.schedule_token, **others, next_action_at="2027-01-02 03:04:05 +0000").get_json()
    body = post(client, account.vendor_token, city="Denver").get_json()
    assert (body["action"], body["lead_id"]) == ("updated", first["lead_id"])
    shown = body["lead"]
    assert shown["id"] == first["lead_id"]
    assert (shown["caller_id"], shown["data"]) == (NUMBER, {"city": "Denver"})
    blank = ("email", "sub_id", "lead_priority", "expires_at", "traffic_source_id", "max_contact_attempts")
    assert [shown[name] for name in blank] == [None] * len(blank)
    [lead] = account.leads()
    assert (lead["email"], lead["data"]) == ("john@example.com", {"zip": "80903", "city": "Denver"})


def test_a_vendor_does_not_read_that_a_number_is_blocked(client: FlaskClient, account: Account) -> None:
    post(client, account.schedule_token, blocked=True)
    shown = post(client, account.vendor_token).get_json()["lead"]
    assert (shown["blocked"], shown["opt_out"], shown["status"]) == (None, None, None)


def test_the_owners_own_token_reads_the_stored_lead(client: FlaskClient, account: Account) -> None:
    post(client, account.vendor_token, email="john@example.com", zip="80903")
    body = post(client, account.schedule_token, city="Denver").get_json()
    assert body["action"] == "updated"
    assert (body["lead"]["email"], body["lead"]["data"]) == ("john@example.com", {"zip": "80903", "city": "Denver"})


@pytest.mark.parametrize("asks", ["explain", "dry_run"])
def test_a_vendor_is_not_told_why_by_what_another_has_stored(client: FlaskClient, account: Account, asks: str) -> None:
    post(client, account.schedule_token, email="known@example.com")
    told = post(client, account.vendor_token, **{asks: "1"}).get_json()["why"]
    assert {step["step"] for step in told} == {"token", "powers", "number", "wishes", "attribute"}
    full = post(client, account.schedule_token, **{asks: "1"}).get_json()["why"]
    assert {"contact", "match"} <= {step["step"] for step in full}
