"""Token names by API: made by leads or by people, hidden for good when they are deleted."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from server.companies.models import Company
from server.config import Settings
from server.lib import clock
from server.lib.db import begin_write, commit, db
from server.offers.models import ContactField
from tests.api.calls import OTHER_NUMBER, Json, send, take, warned
from tests.api.kinds import shown, wrong
from tests.conftest import opened
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


# So many names and no more


FEW = 5
FULL = [("extra", "too_many_token_names")]


@pytest.fixture(scope="module")
def small(settings: Settings) -> Iterator[Flask]:
    """An installation whose companies may have few names."""
    with opened(replace(settings, token_names=FEW)) as app:
        yield app


def registered(account: Account) -> list[str]:
    return [row["name"] for row in account.rows("select name from token where company_id = :company_id order by name")]


def test_names_beyond_the_most_are_kept_in_one_token_and_known_ones_go_on(small: Flask) -> None:
    account, client = make_account(small), small.test_client()
    first = take(client, account.schedule_token, a="1", b="2", c="3", d="4")
    assert first["warnings"] == []
    body = take(client, account.schedule_token, a="5", e="6", f="7", g={"h": 8})
    assert warned(body) == FULL
    assert body["warnings"][0]["message"].endswith("; f, g is kept in the token extra.")
    assert body["lead"]["data"] == {
        "a": "5",
        "b": "2",
        "c": "3",
        "d": "4",
        "e": "6",
        "extra": {"f": "7", "g": {"h": 8}},
    }
    assert account.leads()[0]["data"] == body["lead"]["data"]
    # A company's other tokens, and its later leads, know what there is.
    other = take(client, account.offer_token, a="1", e="2", i="3")
    assert (warned(other), other["lead"]["data"]) == (FULL, {"a": "1", "e": "2", "extra": {"i": "3"}})
    assert take(client, account.vendor_token, caller_id=OTHER_NUMBER, a="1", b="2")["warnings"] == []
    assert registered(account) == ["a", "b", "c", "d", "e", "extra"]


def test_who_has_room_left_gets_no_word_of_it(small: Flask) -> None:
    account, client = make_account(small), small.test_client()
    body = take(client, account.schedule_token, a="1", b="2", c="3", d="4", extra="5")
    assert (body["warnings"], body["lead"]["data"]["extra"]) == ([], "5")
    body = take(client, account.schedule_token, extra="5", j="6")
    assert (warned(body), body["lead"]["data"]["extra"]) == (FULL, {"j": "6", "extra": "5"})


def test_what_a_contact_field_asks_for_is_never_put_away(small: Flask) -> None:
    account, client = make_account(small), small.test_client()
    take(client, account.schedule_token, a="1", b="2", c="3", d="4", e="5")
    account.add(
        ContactField(company_id=account.company_id, offer_id=account.offer_id, key="zip", name="ZIP", position=1)
    )
    body = take(client, account.schedule_token, zip="80202", city="Denver", email="none")
    assert warned(body) == [("email", "invalid_email"), *FULL]
    assert body["lead"]["data"] == {
        **{"a": "1", "b": "2", "c": "3", "d": "4", "e": "5"},
        **{"zip": "80202", "email_raw": "none", "extra": {"city": "Denver"}},
    }


def test_who_does_not_know_yet_that_a_company_is_full_registers_no_name(small: Flask) -> None:
    account, client = make_account(small), small.test_client()
    take(client, account.schedule_token, caller_id=OTHER_NUMBER, a="1")
    register_elsewhere(account, "b", "c", "d", "e")
    assert take(client, account.schedule_token, f="1")["lead"]["data"] == {"f": "1"}
    assert registered(account) == ["a", "b", "c", "d", "e"]


def register_elsewhere(account: Account, *names: str) -> None:
    """What another process does: this one hears of it when it reads the configuration again."""
    with account.app.app_context():
        begin_write()
        for name in names:
            sql = "insert into token (company_id, name, kind, created_at) values (:company_id, :name, 'text', :now)"
            db.session.execute(text(sql), {"company_id": account.company_id, "name": name, "now": clock.now()})
        commit()


def test_a_repetition_is_one_though_its_names_have_no_room_any_more(small: Flask) -> None:
    account, client = make_account(small), small.test_client()
    take(client, account.schedule_token, caller_id=OTHER_NUMBER, a="1")
    register_elsewhere(account, "b", "c", "d", "e")
    headers = {"Idempotency-Key": "k"}
    first = send(client, account.schedule_token, headers=headers, f="1").get_json()
    account.change(Company, account.company_id, name="Read again")
    again = send(client, account.schedule_token, headers=headers, f="1")
    assert (again.get_json(), again.headers["Idempotent-Replayed"]) == (first, "true")
    assert send(client, account.schedule_token, f="1").get_json()["action"] == "unchanged"
    assert warned(take(client, account.schedule_token, f="2")) == FULL


def test_a_page_may_not_fill_a_company_up_with_names(small: Flask) -> None:
    account, client = make_account(small), small.test_client()
    for number in range(10):
        tokens = {f"t{number}_{each}": "x" for each in range(10)}
        take(client, account.publishable_token, caller_id=f"+1719222{number:04}", **tokens)
    assert len(registered(account)) == FEW // 2 + len(["extra"])
    kept = [lead["data"] | lead["data"].get("extra", {}) for lead in account.leads()]
    assert sorted(name for data in kept for name in data if name != "extra") == sorted(
        f"t{number}_{each}" for number in range(10) for each in range(10)
    )


def test_pages_leave_a_companys_servers_their_share_of_names(small: Flask) -> None:
    account, client = make_account(small), small.test_client()
    for number in range(10):
        take(client, account.publishable_token, caller_id=f"+1719222{number:04}", **{f"t{number}": "x"})
    body = take(client, account.schedule_token, a="1", b="2")
    assert (body["warnings"], body["lead"]["data"]) == ([], {"a": "1", "b": "2"})
    assert {"a", "b"} <= {*registered(account)}


def test_a_name_that_is_deleted_frees_its_place(small: Flask) -> None:
    account, client = make_account(small), small.test_client()
    take(client, account.schedule_token, a="1", b="2", c="3", d="4", e="5")
    assert warned(take(client, account.schedule_token, f="6")) == FULL
    listed = client.get(TOKENS, headers=account.bearer).get_json()["tokens"]
    for token in listed:
        if token["name"] in ("a", "extra"):
            assert client.delete(f"{TOKENS}/{token['id']}", headers=account.bearer).status_code == 200
    body = take(client, account.schedule_token, caller_id=OTHER_NUMBER, a="7", g="8")
    assert (body["warnings"], body["lead"]["data"]) == ([], {"a": "7", "g": "8"})
    assert names(client, account) == ["b", "c", "d", "e", "g"]


def test_those_who_come_at_once_go_over_by_no_more_than_they_bring(small: Flask) -> None:
    account = make_account(small)

    def post(number: int) -> None:
        tokens = {f"t{number}_{each}": "x" for each in range(4)}
        take(small.test_client(), account.schedule_token, caller_id=f"+1719222{number:04}", **tokens)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(post, range(24)))
    assert FEW <= len(registered(account)) <= FEW + 8 * 4
