"""Values that hold values (JSON as text, lines, lists): read where that was asked for, else a refusal says where."""

import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.calls import LEADS, NUMBER, Json, refused, taken
from tests.factories import Account
from tests.unit import DATA

ROWS: list[Json] = json.loads((DATA / "closed_payloads.json").read_text(encoding="utf-8"))
FOREIGN = "+17194451111"
DUMMY = "<test lead: dummy data for {}>"


def spelt_out(sent: Json) -> Json:
    """The parameters with `<20000 x>` written out."""
    text = re.sub(r"<(\d+) (.)>", lambda match: match[2] * int(match[1]), json.dumps(sent))
    read: Json = json.loads(text)
    return read


def post(client: FlaskClient, row: Json, **query: Any) -> Any:
    """The row's request, in its format."""
    how = {name: spelt_out(row[name]) for name in ("json", "form") if name in row}
    return client.post(LEADS, query_string=query, json=how.get("json"), data=how.get("form"))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["case"])
def test_a_refusal_says_where_a_number_was_seen_and_what_reads_it(
    client: FlaskClient, account: Account, row: Json
) -> None:
    for token in (account.schedule_token, account.publishable_token):
        body = refused(post(client, row, lead_token=token), "caller_id_missing")
        text = f"is missing; a number was seen inside `{row['inside']}`"
        assert (text in body["errors"]["caller_id"]) == bool(row["inside"])
        assert ("Add auto_format_nested_fields=true to have it read" in body["detail"]) == bool(row["inside"])
        assert FOREIGN not in json.dumps(body)


@pytest.mark.parametrize("row", [row for row in ROWS if row["inside"]], ids=lambda row: row["case"])
def test_what_a_refusal_names_is_read_as_it_says(client: FlaskClient, account: Account, row: Json) -> None:
    asked = {"lead_token": account.schedule_token, "auto_format_nested_fields": "true"}
    body = taken(post(client, row, **asked))
    assert body["lead"]["caller_id"] == FOREIGN
    [number] = [each for each in body["matched"] if each["field"] == "caller_id"]
    assert number["from"].startswith(row["inside"])
    assert [each["code"] for each in body["warnings"]] == (["value_cut"] if "20 KB" in row["case"] else [])
    [lead] = account.leads()
    assert lead["caller_id"] == FOREIGN


def test_the_same_beside_a_number_is_a_token_and_cut_if_it_is_long(client: FlaskClient, account: Account) -> None:
    sent = spelt_out(ROWS[1]["form"])
    body = taken(client.post(LEADS, data=sent | {"lead_token": account.schedule_token, "caller_id": NUMBER}))
    assert (body["lead"]["caller_id"], [each["param"] for each in body["warnings"]]) == (NUMBER, ["rawRequest"])
    assert body["lead"]["data"]["rawrequest"] == sent["rawRequest"][:8192]
    [submission] = account.submissions()
    assert json.loads(submission["received"])["body"]["rawRequest"] == sent["rawRequest"]


def test_a_nul_within_json_as_text_is_refused_by_its_path(client: FlaskClient, account: Account) -> None:
    asked = {"lead_token": account.schedule_token, "auto_format_nested_fields": "1"}
    payload = {"phone": FOREIGN, "payload": '{"a": "x\\u0000y"}'}
    body = refused(client.post(LEADS, query_string=asked, json=payload), "invalid_character")
    assert list(body["errors"]) == ["payload.a"]


def test_secrets_in_texts_are_kept_nowhere(client: FlaskClient, account: Account) -> None:
    secret = "0123456789abcdef0123456789abcdef"
    hiding = {
        "rawRequest": json.dumps({"q5_phone": FOREIGN, "google_key": secret, "lead_token": secret}),
        "webhookURL": f"https://leads.example/api/v1/leads?lead_token={secret}&x=1",
        "submissionID": "1",
        "HandshakeKey": secret,
    }
    taken(client.post(LEADS, query_string={"lead_token": account.schedule_token, "caller_id": NUMBER}, data=hiding))
    assert "handshakekey" not in account.leads()[0]["data"]
    asked = {"lead_token": account.offer_token, "auto_format_nested_fields": "true"}
    body = taken(client.post(LEADS, query_string=asked, data=hiding))
    assert secret not in json.dumps(body)
    assert secret not in json.dumps([lead["data"] for lead in account.leads() if lead["caller_id"] == FOREIGN])
    assert secret not in json.dumps([submission["received"] for submission in account.submissions()])


# Meta's test lead


@pytest.mark.parametrize("lifting", ["true", None])
@pytest.mark.parametrize(
    "payload",
    [
        {
            "id": "9",
            "field_data": [
                {"name": name, "values": [DUMMY.format(name)]} for name in ("full_name", "phone_number", "email")
            ],
        },
        {"full_name": DUMMY.format("full_name"), "phone_number": DUMMY.format("phone_number")},
        {"caller_id": DUMMY.format("phone_number"), "email": "test@meta.example"},
        {"payload": json.dumps({"field_data": [{"name": "phone_number", "values": [DUMMY.format("phone_number")]}]})},
    ],
    ids=["as the Graph API has it", "flat", "as a parameter", "as text"],
)
def test_the_test_lead_of_meta_hears_that_the_connection_works(
    client: FlaskClient, account: Account, payload: Json, lifting: str | None
) -> None:
    asked = {"lead_token": account.schedule_token} | ({"auto_format_nested_fields": lifting} if lifting else {})
    for how in ({"json": payload}, {"data": payload}):
        if how.get("data") and "field_data" in payload:
            continue
        body = refused(client.post(LEADS, query_string=asked, **how), "caller_id_missing")
        assert "The connection works" in body["detail"]
        assert "no lead was made" in body["detail"]
        assert body["errors"] == {"caller_id": ["is missing: the test lead of Meta has none"]}
    assert account.leads() == []


def test_a_person_who_writes_such_words_is_no_test(client: FlaskClient, account: Account) -> None:
    body = taken(
        client.post(LEADS, json={"lead_token": account.schedule_token, "caller_id": NUMBER, "note": DUMMY.format("x")})
    )
    assert (body["lead"]["caller_id"], body["lead"]["test"]) == (NUMBER, False)
