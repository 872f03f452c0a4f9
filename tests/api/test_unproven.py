"""A replay gives a submission nothing that it never had: who wants it without its proof or its origin says so."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.lead_tokens.models import LeadToken
from tests.api.calls import LEADS, PAGE, SUBMISSIONS, Json, refused, send, taken, warned
from tests.api.test_proofs import SECRET, google, make, meta, post, typeform
from tests.factories import Account

UNPROVEN = ("accept_unproven", "unproven")
LIST = ["https://other.example"]
# What lacks its proof or its origin, and the code with which it was refused.
FORGED: dict[str, str] = {
    "no proof": "key_required",
    "a wrong signature": "key_invalid",
    "a wrong key": "key_invalid",
    "a page that is not listed": "origin_not_allowed",
    "no page at all": "origin_not_allowed",
}


def forge(client: FlaskClient, account: Account, case: str) -> tuple[TestResponse, int]:
    """A submission that its token did not take, and that token's id."""
    if "page" in case:
        value = account.token(kind="publishable", allowed_origins=LIST)
        [row] = account.rows("select id from lead_token where value = :value", value=value)
        return send(client, value, headers={"Origin": PAGE} if case.startswith("a page") else {}), row["id"]
    token = make(client, account)
    if case == "a wrong key":
        return post(client, token, google(google_key="another")), token["id"]
    headers = {"X_Hub_Signature_256": meta(secret="another")} if case == "a wrong signature" else {}
    return post(client, token, **headers), token["id"]


def kept_of(answer: TestResponse) -> str:
    """The id of the submission that a refused request left."""
    submission_id: str = answer.get_json()["metadata"]["submission_id"]
    return submission_id


def replay(client: FlaskClient, account: Account, submission_id: str, **sent: Any) -> TestResponse:
    return client.post(f"{SUBMISSIONS}/{submission_id}/replay", json=sent, headers=account.bearer)


def last(account: Account) -> Json:
    """The submission that came last."""
    return account.submissions()[-1]


def server_token(account: Account) -> int:
    """The id of a token that asks for nothing."""
    [row] = account.rows("select id from lead_token where value = :value", value=account.schedule_token)
    token_id: int = row["id"]
    return token_id


def relax(account: Account, token_id: int) -> None:
    """The token asks for no proof any more."""
    account.change(LeadToken, token_id, payload_secret=None)


@pytest.mark.parametrize("through", ["its own token", "another token"])
@pytest.mark.parametrize("case", FORGED)
def test_a_replay_does_not_launder_what_lacks_its_proof(
    client: FlaskClient, account: Account, case: str, through: str
) -> None:
    answer, _ = forge(client, account, case)
    refused(answer, FORGED[case])
    submission_id = kept_of(answer)
    sent: Json = {"lead_token_id": server_token(account)} if through == "another token" else {}
    body = refused(replay(client, account, submission_id, **sent), FORGED[case])
    assert list(body["errors"]) == ["accept_unproven"]
    assert "accept_unproven=true" in body["detail"]
    assert account.leads() == []
    # Neither does the replay of the replay that was refused.
    refused(replay(client, account, last(account)["id"], **sent), FORGED[case])
    shown = replay(client, account, submission_id, dry_run=True, **sent).get_json()
    assert (shown["success"], UNPROVEN in warned(shown)) == (True, True)
    [step] = [each for each in shown["why"] if each["step"] == "proof"]
    assert step["decided"] == "shown"
    assert account.leads() == []
    done = taken(replay(client, account, submission_id, accept_unproven=True, **sent))
    assert UNPROVEN in warned(done)
    [lead] = account.leads()
    why = json.loads(last(account)["why"])
    [step] = [each for each in why if each["step"] == "proof"]
    assert (step["decided"], step["read"]["accept_unproven"]) == ("accepted", True)
    assert [each["read"]["api_key"] for each in why if each["step"] == "replay"] == [last(account)["api_key_id"]]
    assert lead["id"] == done["lead_id"]


def test_what_had_its_proof_needs_none_again(client: FlaskClient, account: Account) -> None:
    token = make(client, account)
    account.change(LeadToken, token["id"], default_traffic_source_id=None)
    first = taken(post(client, token, Typeform_Signature=typeform()))
    again = taken(replay(client, account, first["metadata"]["submission_id"]))
    assert (warned(again), "proof" in [each["step"] for each in again["why"]]) == ([], False)


@pytest.mark.parametrize("early", ["a key in the URL", "a body that ends too early"])
def test_what_was_refused_before_its_proof_was_read_has_none_on_record(
    client: FlaskClient, account: Account, early: str
) -> None:
    token = make(client, account)
    url, body = LEADS, b'{"lead_token": "' + token["value"].encode() + b'", "caller_id": "+17192221234"}'
    if early == "a key in the URL":
        answer = client.post(f"{url}?auth_token=x", data=body, content_type="application/json")
    else:
        answer = client.post(f"{url}?lead_token={token['value']}", data=body[:-5], content_type="application/json")
    submission_id = kept_of(answer)
    received = json.loads(account.submissions()[0]["received"])
    assert received["lacks"] == {"proof": "missing"}
    assert replay(client, account, submission_id).status_code == 422
    assert account.leads() == []


def test_what_came_before_there_was_a_secret_has_no_proof(client: FlaskClient, account: Account) -> None:
    token = make(client, account, payload_secret=None)
    first = taken(send(client, token["value"]))["metadata"]["submission_id"]
    path = f"/api/v1/lead_tokens/{token['id']}"
    client.put(path, json={"payload_secret": SECRET}, headers=account.bearer)
    refused(replay(client, account, first), "key_required")
    assert taken(replay(client, account, first, accept_unproven=True))["action"] == "unchanged"


def test_a_proof_that_was_missing_is_not_forgotten_when_the_token_asks_for_none(
    client: FlaskClient, account: Account
) -> None:
    answer, token_id = forge(client, account, "no proof")
    relax(account, token_id)
    refused(replay(client, account, kept_of(answer)), "key_required")
    taken(replay(client, account, kept_of(answer), accept_unproven=True))


def test_an_origin_that_is_listed_now_is_no_lack(client: FlaskClient, account: Account) -> None:
    answer, token_id = forge(client, account, "a page that is not listed")
    account.change(LeadToken, token_id, allowed_origins=[PAGE])
    assert warned(taken(replay(client, account, kept_of(answer)))) == []
