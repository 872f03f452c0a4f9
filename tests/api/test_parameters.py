"""Every parameter of the lead endpoint (API.md §4): what it takes, what it says to what it does not, what it does."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from itertools import count
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from server.leads.params import TOKEN_PARAMETERS
from server.leads.schemas import FIELDS
from server.leads.wishes import NOT_YET
from tests.api.calls import LEADS, NUMBER, Json, refused, send, take, taken, warned
from tests.factories import DAY, Account, make_account
from tests.unit import table

ROWS = table("parameters.csv")
KINDS = {"valid", "invalid", "empty", "absent"}

# Refusals that are about more than one parameter's spelling have a code of their own.
CODES = {
    "is missing": "caller_id_missing",
    "is not a valid phone number": "invalid_caller_id",
    "has no live lead": "no_matching_lead",
}
SAMPLE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000")


@pytest.fixture(scope="module")
def company(app: Flask) -> Account:
    """A company for all rows of the table, in a time zone with gaps and overlaps."""
    return make_account(app, time_zone="America/New_York")


@pytest.fixture(scope="module")
def numbers() -> Iterator[str]:
    """Numbers that no other row has."""
    return (f"+1719{2_220_000 + number}" for number in count())


def filled_in(cell: str) -> str:
    """A cell with its long texts: `<256 x>` stands for 256 times x."""
    return re.sub(r"<(\d+) (.)>", lambda match: match[2] * int(match[1]), cell)


def requests(account: Account, row: dict[str, str], numbers: Iterator[str]) -> Iterator[Json]:
    """The row's request as JSON and, where its value is text, as a form."""
    value = json.loads(filled_in(row["sent"])) if row["sent"] else None
    for encoding in ("json", "data") if isinstance(value, str) else ("json",):
        sent: Json = {"lead_token": account.schedule_token}
        if row["param"] not in ("caller_id", "number"):
            sent["caller_id"] = next(numbers)
        if row["sent"]:
            sent[row["param"]] = value
        yield {encoding: sent}


def stored(account: Account, body: Json, column: str) -> Any:
    """What the row of the lead says, or that of its contact or its submission; terms as seconds from the start."""
    place, _, name = column.rpartition(".")
    found: dict[str, str] = {
        "": "select * from lead where id = :id",
        "contact": "select contact.* from contact join lead on lead.contact_id = contact.id where lead.id = :id",
        "submission": "select * from submission where lead_id = :id order by created_at desc, id desc limit 1",
    }
    [row] = account.rows(found[place], id=body["lead_id"])
    if name.startswith(("blocked", "opted_out")):
        return row[name] is not None
    if name in ("expires_at", "deletes_at"):
        return row[name] and (row[name] - row["created_at"]).total_seconds()
    if name == "next_action_at" and (row[name] - row["created_at"]).total_seconds() == DAY:
        return "first action"
    return row[name].isoformat() if isinstance(row[name], datetime) else row[name]


def leads_of(account: Account) -> int:
    """How many leads the company has."""
    [row] = account.rows("select count(*) as number from lead where company_id = :company_id")
    return int(row["number"])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['param']}: {row['case']}")
def test_a_parameter_does_what_it_says_or_says_what_is_wrong(
    client: FlaskClient, company: Account, numbers: Iterator[str], row: dict[str, str]
) -> None:
    for request in requests(company, row, numbers):
        before = leads_of(company)
        answer = client.post(LEADS, **request)
        if row["status"] == "200":
            check_taken(company, taken(answer), row)
        else:
            body = refused(answer, CODES.get(row["text"], "invalid_parameter"))
            check_refused(company, body, row)
            assert leads_of(company) == before


def check_taken(account: Account, body: Json, row: dict[str, str]) -> None:
    if row["kind"] == "later":
        assert warned(body) == [(row["param"], row["text"])]
    else:
        assert stored(account, body, row["column"]) == json.loads(filled_in(row["stored"]))


def check_refused(account: Account, body: Json, row: dict[str, str]) -> None:
    errors = {name: [SAMPLE.sub("<now>", text) for text in texts] for name, texts in body["errors"].items()}
    named = row["param"] if body["code"] == "invalid_parameter" else "caller_id"
    assert errors[named] == [row["text"]]
    [submission] = account.rows("select * from submission where id = :id", id=body["metadata"]["submission_id"])
    assert (submission["code"], submission["lead_id"]) == (body["code"], None)


def test_the_table_has_every_parameter_in_every_way() -> None:
    kinds: dict[str, set[str]] = {}
    for row in ROWS:
        kinds.setdefault(row["param"], set()).add(row["kind"])
    expected = {name: {"later", "invalid"} if name in NOT_YET else KINDS for name in FIELDS}
    assert kinds == {name: found for name, found in expected.items() if name not in TOKEN_PARAMETERS}


# What a table does not show


def test_all_that_is_wrong_is_named_at_once(client: FlaskClient, account: Account) -> None:
    body = refused(
        send(client, account.schedule_token, email=1, lead_priority="high", expires_in=0, blocked="maybe"),
        "invalid_parameter",
    )
    assert set(body["errors"]) == {"email", "lead_priority", "expires_in", "blocked"}
    for name, [text] in body["errors"].items():
        assert f"{name}: {text}" in body["message"]


def test_an_address_that_is_none_loses_no_lead(client: FlaskClient, account: Account) -> None:
    body = take(client, account.schedule_token, email="john@example")
    assert warned(body) == [("email", "invalid_email")]
    [lead] = account.leads()
    assert (lead["email"], lead["data"]) == (None, {"email_raw": "john@example"})


def test_an_address_that_is_none_leaves_the_stored_one(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token, email="john@example.com")
    take(client, account.schedule_token, email="undefined")
    [lead] = account.leads()
    assert (lead["email"], lead["data"]) == ("john@example.com", {"email_raw": "undefined"})


@pytest.mark.parametrize("name", ["phone", "cell_phone", "Phone Number"])
def test_a_number_under_another_name_is_told_so(client: FlaskClient, account: Account, name: str) -> None:
    for sent in ({name: NUMBER}, {"data": {name: NUMBER}}):
        answer = client.post(LEADS, json={"lead_token": account.schedule_token, **sent})
        text = f"is missing; you sent `{name.lower().replace(' ', '_')}`"
        assert refused(answer, "caller_id_missing")["errors"] == {"caller_id": [text]}


def test_data_in_all_its_places_is_one(client: FlaskClient, account: Account) -> None:
    sent: Json = {"data": {"a": "1"}, "data_json": '{"b": {"c": [1]}}', "D e": True, "data.f": 2}
    body = take(client, account.schedule_token, **sent)
    assert body["warnings"] == []
    assert account.leads()[0]["data"] == {"a": "1", "b": {"c": [1]}, "d_e": True, "f": 2}


def test_the_four_fields_are_filled_from_data_and_flags_never(client: FlaskClient, account: Account) -> None:
    data = {"caller_id": NUMBER, "email": "a@example.com", "traffic_source_id": "google_ads", "sub_id": "s"}
    flags = {"blocked": True, "update_only": True, "lead_priority": 1}
    answer = client.post(LEADS, json={"lead_token": account.schedule_token, "data": data | flags})
    assert sorted(warned(taken(answer))) == [(f"data.{name}", "no_effect") for name in sorted(flags)]
    [lead] = account.leads()
    assert (lead["caller_id"], lead["email"], lead["traffic_source_text"], lead["sub_id"]) == tuple(data.values())
    assert (lead["lead_priority"], lead["status"], lead["data"]) == (None, "scheduled", {})


def test_reserved_keys_without_effect_are_named_and_never_tokens(client: FlaskClient, account: Account) -> None:
    names = ("_method", "action", "authenticity_token", "columns", "consent", "controller", "format", "hp", "id")
    names += ("lead_id", "root", "serializer", "utf8", "uuid")
    body = take(client, account.schedule_token, **dict.fromkeys(names, "1"), company_id="9")
    assert sorted(warned(body)) == [(name, "no_effect") for name in names]
    assert account.leads()[0]["data"] == {"company_id": "9"}


@pytest.mark.parametrize(
    "name", ["is_live", "status", "created_at", "company_id", "owner_id", "test", "contact_attempts"]
)
def test_columns_of_ours_are_tokens_like_any_other(client: FlaskClient, account: Account, name: str) -> None:
    before = take(client, account.schedule_token, caller_id="7192220001")["lead"]
    after = take(client, account.schedule_token, **{name: "7"})["lead"]
    assert after["data"] == {name: "7"}
    assert (after["status"], after["is_live"], after["test"]) == (before["status"], True, False)
    assert account.leads()[1]["company_id"] == account.company_id


def test_tokens_keep_their_types_and_their_structure(client: FlaskClient, account: Account) -> None:
    data: Json = {
        "a": "1",
        "b": 1,
        "c": 1.5,
        "d": False,
        "e": 0,
        "f": {"x": [1, None]},
        "g": [],
        "h": {},
        "i": "é\U0001f600",
    }
    take(client, account.schedule_token, data=data)
    assert account.leads()[0]["data"] == data


def test_keys_of_a_javascript_prototype_are_plain_names(client: FlaskClient, account: Account) -> None:
    data: Json = {"__proto__": {"x": 1}, "constructor": "a", "__class__": "b"}
    take(client, account.schedule_token, data=data)
    assert account.leads()[0]["data"] == {"proto": {"x": 1}, "constructor": "a", "class": "b"}


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        ({"zip": "a\0"}, "zip"),
        ({"data": {"zip": ["\0"]}}, "data.zip.0"),
        ({"caller_id": f"{NUMBER}\0"}, "caller_id"),
        ({"data_json": '{"zip": "\\u0000"}'}, "data.zip"),
        ({"data_json": '{"zip": "\\ud800"}'}, "data.zip"),
        ({"sub_id": "\ud800"}, "sub_id"),
        ({"auth_token": "\ud800"}, "auth_token"),
        ({"redirect_to": "https://a.b/\0"}, "redirect_to"),
        ({"idempotency_key": "\0"}, "idempotency_key"),
    ],
    ids=lambda value: str(value).encode("ascii", "backslashreplace").decode(),
)
def test_what_no_database_keeps_is_refused_by_name_and_kept_on_record(
    client: FlaskClient, account: Account, sent: Json, path: str
) -> None:
    body = refused(send(client, account.schedule_token, **sent), "invalid_character")
    assert body["errors"] == {path: ["holds a NUL or half of a surrogate pair"]}
    assert account.leads() == []
    assert [row["code"] for row in account.submissions()] == ["invalid_character"]


def test_a_warning_says_what_and_why(client: FlaskClient, account: Account) -> None:
    body = take(client, account.schedule_token, apply_to="calls", email="none", root="lead")
    assert body["warnings"]
    for warning in body["warnings"]:
        assert set(warning) == {"param", "code", "message"}
        assert warning["param"] in warning["message"]
        assert warning["message"].endswith(".")


def test_a_wish_that_is_denied_is_nothing_to_warn_of(client: FlaskClient, account: Account) -> None:
    denied = dict.fromkeys(("restart_schedule", "update_only", "unblock_contact", "delete_existing"), False)
    assert take(client, account.schedule_token, **denied)["warnings"] == []
