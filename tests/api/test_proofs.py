"""Proofs of origin (API.md §6): a lead token with a secret takes only what Typeform, Meta or Google has proven."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.lead_tokens.models import LeadToken
from server.lib.vault import Vault
from tests import raw
from tests.api.calls import LEADS, NUMBER, Json, refused, send, take, taken
from tests.api.kinds import shown, wrong
from tests.factories import Account
from tests.live import Live
from tests.unit.foreign import SAMPLES

TOKENS = "/api/v1/lead_tokens"
SECRET = "the-secret-of-the-form"
BODY = json.dumps(SAMPLES["typeform"], indent=1).encode()

HEADERS = ["Typeform-Signature", "X-Hub-Signature-256"]


def typeform(body: bytes = BODY, secret: str = SECRET) -> str:
    """The signature as Typeform makes it."""
    return "sha256=" + base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def meta(body: bytes = BODY, secret: str = SECRET) -> str:
    """The signature as Meta makes it."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def make(client: FlaskClient, account: Account, **sent: Any) -> Json:
    """A token with a secret."""
    body = {"name": "Form", "schedule_id": account.schedule_id, "payload_secret": SECRET} | sent
    return shown(client.post(TOKENS, json=body, headers=account.bearer), "lead_token")


def post(client: FlaskClient, token: Json, body: bytes = BODY, **headers: str) -> TestResponse:
    """A payload with headers, in which underscores are dashes."""
    return client.post(
        LEADS,
        query_string={"lead_token": token["value"], "auto_format_nested_fields": "true"},
        data=body,
        content_type="application/json",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


def google(**sent: Any) -> bytes:
    """Google's payload, with a key of its own."""
    return json.dumps(
        {name: value for name, value in (SAMPLES["google_ads"] | sent).items() if value is not None}
    ).encode()


# What is proven


@pytest.mark.parametrize("kind", ["server", "publishable"])
def test_what_is_signed_is_taken(client: FlaskClient, account: Account, kind: str) -> None:
    token = make(client, account, kind=kind)
    for headers in ({"Typeform_Signature": typeform()}, {"X_Hub_Signature_256": meta()}):
        assert taken(post(client, token, **headers))["lead"]["caller_id"] == "+17194451111"
    assert taken(post(client, token, google(google_key=SECRET)))["lead"]["email"] == "jane@example.com"


@pytest.mark.parametrize("kind", ["server", "publishable"])
def test_what_proves_nothing_is_refused_and_kept(client: FlaskClient, account: Account, kind: str) -> None:
    token = make(client, account, kind=kind)
    for body in (
        BODY,
        google(google_key=None),
        google(google_key=""),
        google(google_key=[SECRET]),
    ):
        answer = refused(post(client, token, body), "key_required")
        assert answer["errors"] == {name: ["is missing"] for name in [*HEADERS, "google_key"]}
        assert SECRET not in json.dumps(answer)
    assert {row["code"] for row in account.submissions()} == {"key_required"}
    assert account.leads() == []


WRONG = {
    "another secret": ("Typeform-Signature", typeform(secret="another")),
    "another body": ("Typeform-Signature", typeform(BODY + b" ")),
    "in hex": ("Typeform-Signature", meta()),
    "without its algorithm": ("Typeform-Signature", typeform().removeprefix("sha256=")),
    "in other letters": ("Typeform-Signature", typeform().swapcase()),
    "nothing of it": ("Typeform-Signature", "sha256="),
    "in Base64": ("X-Hub-Signature-256", typeform()),
    "Meta's with another secret": ("X-Hub-Signature-256", meta(secret="another")),
    "not even ASCII": ("X-Hub-Signature-256", "sha256=é"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_signature_that_does_not_fit_is_refused_by_its_header(
    client: FlaskClient, account: Account, case: str
) -> None:
    token = make(client, account)
    name, signature = WRONG[case]
    answer = refused(post(client, token, **{name: signature}), "key_invalid")
    assert answer["errors"] == {name: ["does not fit the token's payload_secret"]}
    assert [row["code"] for row in account.submissions()] == ["key_invalid"]


@pytest.mark.parametrize("key", ["another", SECRET[:-1], SECRET.upper(), f"{SECRET} x", 7, True, "é"])
def test_a_key_that_does_not_fit_is_refused(client: FlaskClient, account: Account, key: Any) -> None:
    token = make(client, account)
    answer = refused(post(client, token, google(google_key=key)), "key_invalid")
    assert answer["errors"] == {"google_key": ["does not fit the token's payload_secret"]}


def test_a_secret_in_the_url_proves_nothing(client: FlaskClient, account: Account) -> None:
    token = make(client, account)
    answer = client.post(f"{LEADS}?lead_token={token['value']}&google_key={SECRET}&caller_id={NUMBER[1:]}")
    refused(answer, "key_required")
    assert SECRET not in str(account.submissions())


def test_every_endpoint_of_the_token_wants_its_proof_and_a_dry_run_too(client: FlaskClient, account: Account) -> None:
    token = make(client, account)
    lead_id = taken(post(client, token, Typeform_Signature=typeform()))["lead_id"]
    refused(send(client, token["value"], dry_run=True), "key_required")
    for path in (f"{lead_id}/lead_update", f"{lead_id}/lead_remove", "+17194451111/caller_opt_out", "create_or_update"):
        refused(client.post(f"{LEADS}/{path}", json={"lead_token": token["value"], "zip": "1"}), "key_required")
    # Who has an API key is known.
    assert client.put(f"{LEADS}/{lead_id}", json={"zip": "2"}, headers=account.bearer).status_code == 200
    assert [lead["data"]["zip"] for lead in account.leads()] == ["2"]


def test_what_cannot_be_read_is_told_so_whatever_signs_it(client: FlaskClient, account: Account) -> None:
    token = make(client, account)
    refused(post(client, token, b"{", Typeform_Signature=typeform(b"{")), "malformed_body")
    refused(post(client, token, b"{"), "malformed_body")


def test_without_a_secret_a_signature_means_nothing(client: FlaskClient, account: Account) -> None:
    token = make(client, account, payload_secret=None)
    assert token["has_payload_secret"] is False
    assert taken(post(client, token, Typeform_Signature="sha256=wrong"))["action"] == "created"
    assert taken(post(client, token, google(google_key="any")))["success"]


def test_the_bytes_count_as_they_came_at_the_socket(live: Live, client: FlaskClient, account: Account) -> None:
    token = make(client, account)
    target = f"{LEADS}?lead_token={token['value']}&auto_format_nested_fields=1"
    # What reading and writing again would change: blanks, escapes, a repeated key, a byte order mark.
    body = b'\xef\xbb\xbf{ "zip": "\\u00e9",  "phone":"1", "phone" :"+17194451111" }\n'
    headers = {"Content-Type": "application/json", "Typeform-Signature": typeform(body)}
    answer = raw.ask(live.port, raw.request("POST", target, headers, body))
    assert (answer.status, answer.json["lead"]["data"]["zip"]) == (200, "é")
    chunked = raw.request("POST", target, headers | {"Transfer-Encoding": "chunked"}, raw.chunks(body, 7))
    assert raw.ask(live.port, chunked).status == 200
    answer = raw.ask(live.port, raw.request("POST", target, headers, body.replace(b"+", b"-")))
    assert (answer.status, answer.json["code"]) == (401, "key_invalid")
    assert SECRET not in live.text


# The secret


def test_a_secret_is_never_shown_and_lies_encrypted(client: FlaskClient, account: Account) -> None:
    token = make(client, account)
    path = f"{TOKENS}/{token['id']}"
    answers = [client.get(TOKENS, headers=account.bearer), client.get(path, headers=account.bearer)]
    answers.append(client.put(path, json={"name": "Form 2"}, headers=account.bearer))
    answers.append(client.post(f"{path}/rotate", headers=account.bearer))
    for answer in answers:
        assert answer.status_code == 200
        assert SECRET not in answer.text
        assert '"payload_secret"' not in answer.text
        assert '"has_payload_secret":true' in answer.text
    assert taken(post(client, token, Typeform_Signature=typeform()))["action"] == "created"
    rows = account.rows("select payload_secret from lead_token where company_id = :company_id")
    sealed = [row["payload_secret"] for row in rows if row["payload_secret"]]
    assert len(sealed) == 2
    assert SECRET not in str(sealed)
    # What only an answer shows cannot be written.
    assert wrong(client.put(path, json={"has_payload_secret": False}, headers=account.bearer))


def test_a_rotated_token_has_the_secret_of_the_one_before(client: FlaskClient, account: Account) -> None:
    token = make(client, account)
    new = client.post(f"{TOKENS}/{token['id']}/rotate", headers=account.bearer).get_json()["lead_token"]
    refused(post(client, new), "key_required")
    assert taken(post(client, new, Typeform_Signature=typeform()))["action"] == "created"


def test_a_secret_counts_from_the_next_request_on(client: FlaskClient, account: Account) -> None:
    token = make(client, account, payload_secret=None)
    path = f"{TOKENS}/{token['id']}"
    take(client, token["value"])
    for secret in (SECRET, "another"):
        shown(client.put(path, json={"payload_secret": f" {secret} "}, headers=account.bearer), "lead_token")
        refused(send(client, token["value"]), "key_required")
        assert taken(post(client, token, Typeform_Signature=typeform(secret=secret)))
    refused(post(client, token, Typeform_Signature=typeform()), "key_invalid")
    shown(client.put(path, json={"payload_secret": None}, headers=account.bearer), "lead_token")
    assert take(client, token["value"])["success"]


def test_the_same_secret_again_changes_nothing(client: FlaskClient, account: Account) -> None:
    token = make(client, account)
    again = client.put(f"{TOKENS}/{token['id']}", json={"payload_secret": SECRET}, headers=account.bearer)
    assert shown(again, "lead_token")["updated_at"] == token["updated_at"]


def test_a_secret_under_a_lost_key_refuses_its_own_token_and_no_other(
    client: FlaskClient, account: Account, tmp_path: Path
) -> None:
    token = make(client, account)
    sealed = Vault(tmp_path / "secret.key").seal(SECRET)
    account.change(LeadToken, token["id"], payload_secret=sealed)
    answer = post(client, token, Typeform_Signature=typeform())
    assert "HANDRAISER_SECRET_KEY" in refused(answer, "unavailable")["detail"]
    refused(post(client, token), "unavailable")
    assert answer.headers["Retry-After"]
    assert [row["code"] for row in account.submissions()] == ["unavailable"] * 2
    assert take(client, account.schedule_token)["action"] == "created"
    assert ask(client, token).status_code == 401
    # Setting it anew is all that it takes.
    path = f"{TOKENS}/{token['id']}"
    shown(client.put(path, json={"payload_secret": SECRET}, headers=account.bearer), "lead_token")
    assert taken(post(client, token, Typeform_Signature=typeform()))


# Meta's challenge


def ask(client: FlaskClient, token: Json, **asked: str) -> TestResponse:
    """Meta's question whether this address is meant."""
    known = {"hub.mode": "subscribe", "hub.verify_token": SECRET, "hub.challenge": "1158201444"}
    return client.get(LEADS, query_string={"lead_token": token["value"]} | known | asked)


@pytest.mark.parametrize("kind", ["server", "publishable"])
def test_metas_challenge_is_echoed_to_who_knows_the_secret(client: FlaskClient, account: Account, kind: str) -> None:
    answer = ask(client, make(client, account, kind=kind))
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert answer.content_type == "text/plain"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert account.submissions() == []


@pytest.mark.parametrize(
    "asked",
    [
        {"hub.mode": "unsubscribe"},
        {"hub.mode": ""},
        {"hub.verify_token": "another"},
        {"hub.verify_token": ""},
        {"hub.verify_token": "é"},
        {"hub.challenge": ""},
        {"hub.challenge": "<script>alert(1)</script>"},
        {"hub.challenge": "1" * 129},
        {"hub.challenge": "1\n"},
        {"hub.challenge": "\u0661"},
        {"lead_token": "0" * 32},
        {"lead_token": ""},
    ],
    ids=str,
)
def test_any_other_question_gets_what_every_get_gets(client: FlaskClient, account: Account, asked: Json) -> None:
    refused(ask(client, make(client, account), **asked), "key_required")


def test_a_token_without_a_secret_or_out_of_use_answers_no_challenge(client: FlaskClient, account: Account) -> None:
    plain = make(client, account, payload_secret=None)
    for said in ("", "None", SECRET):
        refused(ask(client, plain, **{"hub.verify_token": said}), "key_required")
    token = make(client, account)
    assert ask(client, token, schedule_lead_token=token["value"], lead_token="").status_code == 200
    refused(ask(client, token, offer_lead_token=token["value"], lead_token=""), "key_required")
    account.change(LeadToken, token["id"], disabled_at=datetime.now(UTC))
    refused(ask(client, token), "key_required")


def test_who_has_a_key_reads_leads_all_the_same(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token)
    assert len(client.get(LEADS, headers=account.bearer).get_json()["leads"]) == 1


def test_a_postback_token_has_no_payload_to_prove(client: FlaskClient, account: Account) -> None:
    sent = {"name": "P", "kind": "postback", "traffic_source_id": account.source_id, "payload_secret": SECRET}
    answer = client.post(TOKENS, json=sent, headers=account.bearer)
    assert wrong(answer) == {"payload_secret": ["does not fit the kind: a postback token takes no leads"]}


def test_the_key_lies_beside_the_data_for_nobody_else(client: FlaskClient, account: Account, app: Flask) -> None:
    make(client, account)
    file = Path(app.config["DATA_DIR"]) / "secret.key"
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_short_secret_is_warned_of_and_taken(client: FlaskClient, account: Account) -> None:
    for secret, codes in (("x" * 15, ["secret_short"]), ("x" * 16, []), (None, [])):
        body = {"name": "Form", "schedule_id": account.schedule_id, "payload_secret": secret}
        made = client.post(TOKENS, json=body, headers=account.bearer).get_json()
        path = f"{TOKENS}/{made['lead_token']['id']}"
        for answer in (made, client.get(path, headers=account.bearer).get_json()):
            assert [each["code"] for each in answer["warnings"]] == codes
            assert all(secret is None or secret not in each["message"] for each in answer["warnings"])
