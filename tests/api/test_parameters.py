"""Every parameter of the lead endpoint (API.md §4): what it takes, what it says to what it does not, what it does."""

import ast
import inspect
import json
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from marshmallow.fields import Field

from server.lead_tokens.models import LeadToken
from server.leads import schemas
from server.leads.params import CUT, TOKEN_PARAMETERS
from server.leads.schemas import FIELDS
from server.numbers.models import Number, NumberPool
from server.offers.models import ContactFieldType
from tests.api.calls import CALLS, LEADS, NUMBER, PAGE, Json, end, refused, send, take, taken, warned
from tests.factories import DAY, Account, make_account
from tests.unit import table

ROWS = table("parameters.csv")
KINDS = {"valid", "invalid", "empty", "absent"}
SENDERS = ("server", "publishable", "browser")

# Refusals that are about more than one parameter's spelling have a code of their own, and name this parameter.
CODES = {
    "is missing": ("caller_id_missing", "caller_id"),
    "is not a valid phone number": ("invalid_caller_id", "caller_id"),
    "has no live lead": ("no_matching_lead", "caller_id"),
    "is not valid": ("lead_token_invalid", "lead_token"),
}
SAMPLE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000")
# When the lead is called back that has a callback before.
CALLBACK = datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)
# What is said of a time once the company's time zone has told which instant is meant.
OUT_OF_RANGE = "Must be a valid time: <now>, from the year 2000 to five years from now"


@dataclass(frozen=True)
class Company:
    """The company of all rows, and what its rows speak of."""

    account: Account
    # By sender and the owner of the token.
    tokens: dict[tuple[str, str], str]
    in_page: dict[str, int]
    type_id: int
    numbers: Iterator[str]

    def clear(self, token: str) -> None:
        """Makes it forget that a server token was used in a page, as its owner can."""
        self.account.change(LeadToken, self.in_page[token], exposed_at=None, exposed_origin=None)


@pytest.fixture(scope="module")
def company(app: Flask) -> Company:
    """In a time zone with gaps and overlaps; a number of each kind, a contact field type, tokens for each sender."""
    account = make_account(app, time_zone="America/New_York")
    ours: dict[str, Any] = {"company_id": account.company_id}
    for kind, number in (("dial", "+17195550101"), ("sms", "+17195550102")):
        number_id = account.add(Number(**ours, number=number))
        pool = NumberPool(**ours, schedule_id=account.schedule_id, kind=kind, name="All", number_ids=[number_id])
        account.add(pool)
    tokens = {
        ("server", "schedule"): account.schedule_token,
        ("server", "offer"): account.offer_token,
        ("publishable", "schedule"): account.publishable_token,
        ("publishable", "offer"): account.token(kind="publishable", owner_kind="offer", owner_id=account.offer_id),
        ("browser", "schedule"): account.token(),
        ("browser", "offer"): account.token(owner_kind="offer", owner_id=account.offer_id),
    }
    stored = {row["value"]: row["id"] for row in account.rows("select id, value from lead_token")}
    return Company(
        account=account,
        tokens=tokens,
        in_page={token: stored[token] for (sender, _), token in tokens.items() if sender == "browser"},
        type_id=account.add(ContactFieldType(**ours, key="auto_insurance", name="Auto insurance")),
        numbers=(f"+1719{2_220_000 + number}" for number in count()),
    )


def read(cell: str, company: Company, token: str = "") -> Any:
    """What a cell says: `<256 x>` is 256 times x, `<token>` the sender's own, `<type>` and `<source>` are ids."""
    ids = {"<token>": token, "<TOKEN>": token.upper(), "<type>": company.type_id, "<source>": company.account.source_id}
    for name, value in ids.items():
        cell = cell.replace(name, str(value))
    return json.loads(re.sub(r"<(\d+) (.)>", lambda match: match[2] * int(match[1]), cell))


# What is there before


def given_lead(client: FlaskClient, company: Company, number: str, **sent: Any) -> str:
    """A lead of the schedule."""
    lead: str = take(client, company.account.schedule_token, caller_id=number, zip="1", **sent)["lead_id"]
    return lead


def given(client: FlaskClient, company: Company, words: str, number: str) -> str | None:
    """Makes what the row says is there, and answers the lead in it."""
    account = company.account
    lead = None
    for word in words.split():
        if word in ("lead", "ended", "call", "both"):
            lead = given_lead(client, company, number)
        if word in ("blocked", "opted_out"):
            lead = given_lead(client, company, number, **{word.replace("opted", "opt"): True})
        if word == "planned":
            lead = given_lead(client, company, number, next_action_at="2027-02-01T00:00:00Z")
        if word == "callback":
            lead = given_lead(client, company, number, schedule_callback_at=CALLBACK.isoformat())
        if word == "ended":
            end(account, str(lead))
        if word == "call":
            sold = {"caller_id": number, "data": {"sold": "yes"}}
            assert client.post(CALLS, json=sold, headers=account.bearer).status_code == 200
        if word == "both":
            take(client, account.offer_token, caller_id=number, zip="1")
    return lead


# What is there afterwards


def stored(company: Company, body: Json, column: str, given_id: str | None) -> Any:
    """What a column holds: of the lead, or of what is named before the dot. Terms are seconds from the request."""
    rows = company.account.rows
    place, _, name = column.rpartition(".")
    [submission] = rows("select * from submission where id = :id", id=body["metadata"]["submission_id"])
    if name == "code":
        return submission[name]
    [lead] = rows("select * from lead where id = :id", id=given_id if place == "given" else submission["lead_id"])
    sources = {
        "contact": "select * from contact where id = :contact_id",
        "call": "select * from call where caller_id = :caller_id and company_id = :company_id",
        "callback": "select * from callback where lead_id = :id and done_at is null and cancelled_at is null",
        "consent": "select * from consent_record where submission_id = :submission_id",
    }
    row = submission if place == "submission" else lead
    if place in sources:
        known = {key: lead[key] for key in ("id", "contact_id", "caller_id")}
        found = rows(sources[place], **known, submission_id=submission["id"])
        row = found[0] if found else {}
    if place == "callback":
        return callback(row, lead, submission, name)
    if name in ("blocked_at", "opted_out_at", "deleted_at"):
        return row[name] is not None
    if name in ("expires_at", "deletes_at"):
        return row[name] and (row[name] - submission["created_at"]).total_seconds()
    if name == "next_action_at" and row[name] and (row[name] - submission["created_at"]).total_seconds() == DAY:
        return "first action"
    return row[name].isoformat() if isinstance(row[name], datetime) else row[name]


def callback(row: Json, lead: Json, submission: Json, name: str) -> Any:
    """When the lead is called back, which its own row says too."""
    assert (lead["scheduled_callback_id"], lead["scheduled_callback_at"]) == (row.get("id"), row.get("due_at"))
    if not row:
        return None
    assert row["caller_id"] == lead["caller_id"]
    if name == "in_seconds" and row["due_at"] != CALLBACK:
        return (row["due_at"] - submission["created_at"]).total_seconds()
    return row["due_at"].isoformat()


def leads_of(account: Account) -> int:
    """How many leads the company has."""
    [row] = account.rows("select count(*) as number from lead where company_id = :company_id")
    return int(row["number"])


@pytest.mark.parametrize("sender", SENDERS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['param']}: {row['case']}")
def test_a_parameter_does_what_it_says_or_says_what_is_wrong(
    client: FlaskClient, company: Company, row: dict[str, str], sender: str
) -> None:
    account = company.account
    words = row["given"].split()
    token = company.tokens[sender, "offer" if "offer" in words else "schedule"]
    headers = account.bearer if "key" in words else {}
    if sender == "browser":
        headers = headers | {"Origin": PAGE}
        if row["kind"] == "valid":
            company.clear(token)
    for sent in requests(company, row, token, sender):
        lead = given(client, company, row["given"], sent["number"])
        left_undone = sender != "server" and row["public"] != ""
        is_taken = row["status"] == "200" or left_undone
        before = None if is_taken else leads_of(account)
        answer = client.post(LEADS, headers=headers, **sent["request"])
        if is_taken:
            check_taken(company, taken(answer), row, lead, left_undone)
        else:
            code, named = CODES.get(row["text"], ("invalid_parameter", row["param"]))
            check_refused(company, refused(answer, code), named, row["text"])
            assert leads_of(account) == before


def requests(company: Company, row: dict[str, str], token: str, sender: str) -> Iterator[Json]:
    """The row's request as JSON and, where its value is text and its sender has both, as a form."""
    value = read(row["sent"], company, token) if row["sent"] else None
    beside = read(row["beside"], company) if row["beside"] else {}
    for encoding in ("json", "data") if isinstance(value, str) and sender == "server" and not beside else ("json",):
        number = next(company.numbers)
        sent: Json = dict(beside)
        if row["param"] not in TOKEN_PARAMETERS:
            sent["lead_token"] = token
        if row["param"] not in ("caller_id", "number"):
            sent["caller_id"] = number
        if row["sent"]:
            sent[row["param"]] = value
        yield {"request": {encoding: sent}, "number": number}


def check_taken(company: Company, body: Json, row: dict[str, str], given_id: str | None, left_undone: bool) -> None:
    code, cell = row["warning"], row["stored"]
    if left_undone:
        code, cell = row["public_warning"], row["public"]
    assert warned(body) == ([(row["param"], code)] if code else [])
    assert stored(company, body, row["column"], given_id) == read(cell, company)


def check_refused(company: Company, body: Json, named: str, text: str) -> None:
    errors = {name: [SAMPLE.sub("<now>", each) for each in texts] for name, texts in body["errors"].items()}
    # `number` is another name of caller_id.
    assert errors == {name: [text] for name in {named, "caller_id" if named == "number" else named}}
    if body["code"] == "lead_token_invalid":
        assert body["metadata"]["submission_id"] is None
        return
    submissions = "select * from submission where id = :id"
    [submission] = company.account.rows(submissions, id=body["metadata"]["submission_id"])
    assert (submission["code"], submission["lead_id"]) == (body["code"], None)


def test_the_table_has_every_parameter_in_every_way() -> None:
    kinds: dict[str, set[str]] = {}
    for row in ROWS:
        kinds.setdefault(row["param"], set()).add(row["kind"])
    assert kinds == dict.fromkeys(FIELDS, KINDS)


def test_every_text_of_a_validator_is_in_the_table_for_every_parameter_that_can_say_it() -> None:
    said: dict[str, set[str]] = {}
    for row in ROWS:
        said.setdefault(row["param"], set()).add(row["text"])
    # What is cut is never too long.
    for name in CUT:
        said[name].add(f"Must be a String of at most {FIELDS[name].longest} characters")
    # Whatever is wrong with a token, it authorises nothing.
    missing = {name: texts_of(field) - said[name] for name, field in FIELDS.items() if name not in TOKEN_PARAMETERS}
    assert {name: texts for name, texts in missing.items() if texts} == {}


def texts_of(field: Field[Any]) -> set[str]:
    """All that a field's validator can say, read from its code."""
    texts = {OUT_OF_RANGE} if isinstance(field, schemas.Time) else set()
    for kind in type(field).__mro__:
        method = kind.__dict__.get("_deserialize")
        if method is None or kind.__module__ != schemas.__name__:
            continue
        for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(method)))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "ValidationError":
                text = ast.unparse(node.args[0])
                for value in ("", 1627050403) if "value" in text else ("",):
                    said = eval(text, vars(schemas), {"self": field, "value": value})
                    texts.add(SAMPLE.sub("<now>", said))
    assert texts
    return texts


def test_every_row_knows_what_it_means() -> None:
    words = {"offer", "key", "lead", "ended", "call", "both", "blocked", "opted_out", "planned", "callback"}
    for row in ROWS:
        assert set(row["given"].split()) <= words
        assert (row["status"] == "422") == (row["text"] != "")
        assert row["status"] == "422" or (row["column"] and row["stored"])
        assert not row["public_warning"] or row["public"]
        if row["kind"] in ("empty", "absent"):
            assert row["public"] == ""


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
    names = ("_method", "action", "authenticity_token", "columns", "controller", "format", "hp", "id")
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
