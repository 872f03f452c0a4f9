"""Token names by API: made by leads or by people, hidden for good when they are deleted."""

import pytest
from flask.testing import FlaskClient

from tests.api.calls import Json, take
from tests.api.kinds import shown, wrong
from tests.factories import Account, make_account

TOKENS = "/api/v1/tokens"


def post(client: FlaskClient, account: Account, name: str, **more: str) -> Json:
    return shown(client.post(TOKENS, json={"name": name} | more, headers=account.bearer), "token")


def names(client: FlaskClient, account: Account, query: str = "") -> list[str]:
    listed = client.get(f"{TOKENS}?{query}", headers=account.bearer).get_json()
    assert listed["metadata"]["total_count"] == len(listed["tokens"])
    return sorted(token["name"] for token in listed["tokens"])


def test_what_leads_bring_is_there_and_can_be_described(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token, loan_amount="500", zip="80903")
    assert names(client, account) == ["loan_amount", "zip"]
    [token] = client.get(f"{TOKENS}?name=loan_amount", headers=account.bearer).get_json()["tokens"]
    assert (token["kind"], token["description"], token["updated_at"]) == ("text", None, token["created_at"])
    sent = {"kind": "numeric", "description": "What was asked for.", "updated_at": token["updated_at"]}
    changed = shown(client.put(f"{TOKENS}/{token['id']}", json=sent, headers=account.bearer), "token")
    assert (changed["kind"], changed["description"]) == ("numeric", "What was asked for.")
    assert changed["updated_at"] > token["updated_at"]
    # The next lead changes nothing of that.
    take(client, account.schedule_token, loan_amount="600")
    assert shown(client.get(f"{TOKENS}/{token['id']}", headers=account.bearer), "token") == changed


def test_a_name_that_people_made_is_the_one_that_leads_bring(client: FlaskClient, account: Account) -> None:
    token = post(client, account, "loan_amount", kind="numeric")
    take(client, account.schedule_token, **{"Loan Amount": "500"})
    [row] = account.rows("select * from token where company_id = :company_id")
    assert (row["id"], row["kind"]) == (token["id"], "numeric")


def test_a_deleted_name_stays_hidden_when_leads_bring_it_again(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token, loan_amount="500")
    [token] = client.get(TOKENS, headers=account.bearer).get_json()["tokens"]
    assert client.delete(f"{TOKENS}/{token['id']}", headers=account.bearer).status_code == 200
    take(client, account.offer_token, loan_amount="600")
    assert account.leads()[-1]["data"] == {"loan_amount": "600"}
    assert (names(client, account), names(client, account, "deleted=true")) == ([], ["loan_amount"])
    answer = client.post(TOKENS, json={"name": "loan_amount"}, headers=account.bearer)
    assert wrong(answer) == {"name": [f"is taken: restore the deleted token {token['id']} instead"]}
    restored = client.post(f"{TOKENS}/{token['id']}/restore", headers=account.bearer)
    assert shown(restored, "token")["name"] == "loan_amount"
    assert names(client, account) == ["loan_amount"]


def test_a_name_is_made_once_in_a_company(client: FlaskClient, account: Account) -> None:
    post(client, account, "loan_amount")
    answer = client.post(TOKENS, json={"name": "loan_amount"}, headers=account.bearer)
    assert wrong(answer) == {"name": ["is taken: another token has it"]}
    post(client, make_account(account.app), "loan_amount")


@pytest.mark.parametrize(
    ("sent", "parameter", "says"),
    [
        ({}, "name", "is missing"),
        ({"name": ""}, "name", "must not be blank"),
        ({"name": "Loan Amount"}, "name", "must be of a-z, 0-9 and _ inside, such as loan_amount"),
        ({"name": "_loan"}, "name", "must be of a-z, 0-9 and _ inside, such as loan"),
        ({"name": "Имя"}, "name", "must be of a-z, 0-9 and _ inside"),
        ({"name": "a" * 65}, "name", "must be at most 64 characters long"),
        ({"name": "caller_id"}, "name", "is a parameter's name: no token is called so"),
        ({"name": "lead_token"}, "name", "is a parameter's name: no token is called so"),
        ({"name": "zip", "kind": "decimal"}, "kind", "must be one of: `text`, `numeric`"),
        ({"name": "zip", "description": "x" * 1001}, "description", "must be at most 1000 characters long"),
        ({"name": "zip", "deleted_at": None}, "deleted_at", "is unknown; a token takes: name, kind, description"),
    ],
)
def test_what_a_token_cannot_be_is_named(
    client: FlaskClient, account: Account, sent: Json, parameter: str, says: str
) -> None:
    assert wrong(client.post(TOKENS, json=sent, headers=account.bearer)) == {parameter: [says]}
    assert account.rows("select id from token where company_id = :company_id") == []


def test_the_name_of_a_token_stays(client: FlaskClient, account: Account) -> None:
    token = post(client, account, "zip")
    answer = client.put(f"{TOKENS}/{token['id']}", json={"name": "postcode"}, headers=account.bearer)
    assert wrong(answer) == {"name": ["cannot be changed"]}


@pytest.mark.parametrize(
    ("query", "found"), [("name=zip", ["zip"]), ("name=ZIP", []), ("kind=numeric", ["age"]), ("kind=text", ["zip"])]
)
def test_tokens_are_found_by_name_and_kind(client: FlaskClient, account: Account, query: str, found: list[str]) -> None:
    post(client, account, "zip")
    post(client, account, "age", kind="numeric")
    assert names(client, account, query) == found
