"""People and API keys by API: secrets that are shown once, and nobody who makes more of himself than he is."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import time_machine
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.companies.rules import SCOPES
from tests.api.calls import LEADS, NOW, Json, refused
from tests.api.kinds import KINDS, new_word, shown, wrong
from tests.factories import Account, make_account
from tests.unit import table

API = "/api/v1"
USERS, KEYS = f"{API}/users", f"{API}/api_keys"
# What a key needs to manage keys, and one scope more.
ACCESS = ("access:read", "access:write")


def add_user(client: FlaskClient, account: Account, role: str = "agent", **more: Any) -> Json:
    """A new person, with the password."""
    sent = {"email": f"{new_word('someone')}@example.com", "name": "John Doe", "role": role} | more
    return shown(client.post(USERS, json=sent, headers=account.bearer), "user")


def add_key(client: FlaskClient, account: Account, *scopes: str) -> Json:
    """A new key, with its private part."""
    sent = {"name": "Reporting", "scopes": list(scopes)}
    return shown(client.post(KEYS, json=sent, headers=account.bearer), "api_key")


def bearer(key: Json) -> dict[str, str]:
    return {"Authorization": f"Bearer {key['private']}"}


def stored(account: Account, table_name: str, row_id: int) -> Json:
    [row] = account.rows(f'select * from "{table_name}" where id = :id', id=row_id)
    return row


def put(client: FlaskClient, path: str, row: Json, headers: dict[str, str], **sent: Any) -> TestResponse:
    return client.put(f"{path}/{row['id']}", json=sent, headers=headers)


def act(client: FlaskClient, path: str, row: Json, action: str, headers: dict[str, str]) -> TestResponse:
    return client.post(f"{path}/{row['id']}/{action}", headers=headers)


def lacks(answer: TestResponse, *scopes: str) -> None:
    """Asserts that an answer refuses a key for these scopes."""
    body = refused(answer, "scope_missing")
    assert (body["status"], body["errors"]) == (403, {"auth_token": [f"lacks the scope {scope}" for scope in scopes]})
    assert all(scope in body["detail"] for scope in scopes)


# People


def test_a_person_gets_a_password_that_is_shown_once_beside_them(client: FlaskClient, account: Account) -> None:
    address = f"{new_word('John')}@Example.COM"
    body = client.post(
        USERS, json={"email": address, "name": "John", "role": "agent"}, headers=account.bearer
    ).get_json()
    assert set(body) == {"user", "password"}
    user = body["user"]
    assert set(user) == {"id", "email", "name", "role", "disabled_at", "created_at", "updated_at"}
    assert (user["email"], user["role"], user["disabled_at"]) == (address.lower(), "agent", None)
    row = stored(account, "user", user["id"])
    assert PasswordHasher().verify(row["password_hash"], body["password"])
    assert row["company_id"] == account.company_id
    assert shown(client.get(f"{USERS}/{user['id']}", headers=account.bearer), "user") == user


@pytest.mark.parametrize("row", table("wrong_users.csv"), ids=lambda row: row["case"])
def test_what_a_person_cannot_be_is_named(client: FlaskClient, account: Account, row: dict[str, str]) -> None:
    sent = {"email": f"{new_word('wrong')}@example.com", "name": "John", "role": "agent"} | json.loads(row["sent"])
    errors = wrong(client.post(USERS, json=sent, headers=account.bearer))
    assert list(errors) == [row["parameter"]]
    assert errors[row["parameter"]][0].startswith(row["says"])
    assert account.rows('select id from "user" where company_id = :company_id') == []


@pytest.mark.parametrize("name", ["email", "name", "role"])
def test_a_person_without_a_name_an_address_or_a_role_is_none(client: FlaskClient, account: Account, name: str) -> None:
    sent = {"email": "john@example.com", "name": "John", "role": "agent"}
    del sent[name]
    assert wrong(client.post(USERS, json=sent, headers=account.bearer)) == {name: ["is missing"]}


def test_an_address_is_one_users_in_a_company(client: FlaskClient, account: Account) -> None:
    user = add_user(client, account)
    taken = {"email": ["is taken: another user has it"]}
    for address in (user["email"], user["email"].upper()):
        body = {"email": address, "name": "John", "role": "agent"}
        assert wrong(client.post(USERS, json=body, headers=account.bearer)) == taken
    # A user who is gone keeps the address: they may come back.
    assert client.delete(f"{USERS}/{user['id']}", headers=account.bearer).status_code == 200
    body = {"email": user["email"], "name": "John", "role": "agent"}
    assert wrong(client.post(USERS, json=body, headers=account.bearer)) == taken


@pytest.mark.parametrize("gone", [False, True], ids=["in use", "deleted there"])
def test_the_address_of_another_companys_user_is_no_news(client: FlaskClient, account: Account, gone: bool) -> None:
    theirs = add_user(client, account, "admin", name="Jane Doe")
    if gone:
        add_user(client, account, "admin")
        client.delete(f"{USERS}/{theirs['id']}", headers=account.bearer)
    other = make_account(account.app)
    before = stored(account, "user", theirs["id"])
    bodies = []
    for address in (theirs["email"], f"{new_word('new')}@example.com"):
        sent = {"email": address, "name": "John", "role": "viewer"}
        answer = client.post(USERS, json=sent, headers=other.bearer)
        body = answer.get_json()
        assert answer.status_code == 200
        assert PasswordHasher().verify(stored(other, "user", body["user"]["id"])["password_hash"], body["password"])
        untold = {"id": 0, "email": "", "created_at": "", "updated_at": ""}
        bodies.append([list(body), body["user"] | untold, len(body["password"]), list(answer.headers.keys())])
    assert bodies[0] == bodies[1]
    assert stored(account, "user", theirs["id"]) == before


def test_what_a_company_does_to_its_user_leaves_the_same_person_elsewhere_alone(
    client: FlaskClient, account: Account
) -> None:
    theirs = add_user(client, account)
    other = make_account(account.app)
    add_user(client, other, "admin")
    own = add_user(client, other, email=theirs["email"])
    before = stored(account, "user", theirs["id"])
    shown(put(client, USERS, own, other.bearer, name="Johnny", role="manager"), "user")
    assert wrong(put(client, USERS, own, other.bearer, email="new@example.com")) == {"email": ["cannot be changed"]}
    act(client, USERS, own, "reset_password", other.bearer)
    client.delete(f"{USERS}/{own['id']}", headers=other.bearer)
    assert stored(account, "user", theirs["id"]) == before
    assert PasswordHasher().verify(before["password_hash"], theirs["password"])
    # Who is asked for by the address is the own user.
    listed = client.get(f"{USERS}?email={theirs['email']}", headers=account.bearer).get_json()["users"]
    assert [user["id"] for user in listed] == [theirs["id"]]
    assert len(account.rows("select id from person where email = :email", email=theirs["email"])) == 1


def test_companies_that_bring_one_person_at_once_get_a_user_each(client: FlaskClient, account: Account) -> None:
    others = [account, *(make_account(account.app) for _ in range(3))]
    address = f"{new_word('everywhere')}@example.com"

    def bring(one: Account) -> int:
        sent = {"email": address, "name": "John", "role": "agent"}
        return account.app.test_client().post(USERS, json=sent, headers=one.bearer).status_code

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(bring, others)) == [200] * 4
    [person] = account.rows("select id from person where email = :email", email=address)
    found = account.rows('select company_id from "user" where person_id = :id', id=person["id"])
    assert {row["company_id"] for row in found} == {one.company_id for one in others}


@time_machine.travel(NOW, tick=False)
def test_a_new_password_ends_the_old_one(client: FlaskClient, account: Account) -> None:
    user = add_user(client, account)
    body = act(client, USERS, user, "reset_password", account.bearer).get_json()
    assert set(body) == {"user", "password"}
    assert body["user"]["updated_at"] > user["updated_at"]
    kept = stored(account, "user", user["id"])["password_hash"]
    assert PasswordHasher().verify(kept, body["password"])
    with pytest.raises(VerifyMismatchError):
        PasswordHasher().verify(kept, user["password"])
    mine = {"password": "of my own"}
    answer = client.post(f"{USERS}/{user['id']}/reset_password", json=mine, headers=account.bearer)
    assert list(wrong(answer)) == ["password"]
    client.delete(f"{USERS}/{user['id']}", headers=account.bearer)
    errors = wrong(act(client, USERS, user, "reset_password", account.bearer))
    assert errors == {"id": ["is deleted; restore the user first"]}


def test_the_last_admin_stays(client: FlaskClient, account: Account) -> None:
    add_user(client, make_account(account.app), "admin")
    add_user(client, account, "manager")
    first, second = add_user(client, account, "admin"), add_user(client, account, "admin")
    answer = client.delete(f"{USERS}/{second['id']}", headers=account.bearer)
    assert shown(answer, "user")["disabled_at"] is not None
    for role in ("viewer", "agent", "manager"):
        errors = wrong(put(client, USERS, first, account.bearer, role=role))
        assert errors == {"role": ["is that of the last admin; make another admin first"]}
    errors = wrong(client.delete(f"{USERS}/{first['id']}", headers=account.bearer))
    assert errors == {"id": ["is the last admin; make another admin first"]}
    row = stored(account, "user", first["id"])
    assert (row["role"], row["disabled_at"]) == ("admin", None)
    # What is not about being admin can be changed all the same.
    assert shown(put(client, USERS, first, account.bearer, name="Jane", role="admin"), "user")["name"] == "Jane"
    assert shown(act(client, USERS, second, "restore", account.bearer), "user")["disabled_at"] is None
    assert shown(put(client, USERS, first, account.bearer, role="viewer"), "user")["role"] == "viewer"


def test_somebody_else_than_the_last_admin_may_go(client: FlaskClient, account: Account) -> None:
    add_user(client, account, "admin")
    agent = add_user(client, account)
    assert shown(put(client, USERS, agent, account.bearer, role="viewer"), "user")["role"] == "viewer"
    assert client.delete(f"{USERS}/{agent['id']}", headers=account.bearer).status_code == 200


@pytest.mark.parametrize("how", ["delete", "demote"])
def test_two_admins_cannot_let_each_other_go_at_once(client: FlaskClient, account: Account, how: str) -> None:
    admins = [add_user(client, account, "admin") for _ in range(4)]

    def let_go(user: Json) -> int:
        own = account.app.test_client()
        if how == "delete":
            return own.delete(f"{USERS}/{user['id']}", headers=account.bearer).status_code
        return put(own, USERS, user, account.bearer, role="agent").status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(let_go, admins)) == [200, 200, 200, 422]
    query = "select id from \"user\" where company_id = :company_id and role = 'admin' and disabled_at is null"
    assert len(account.rows(query)) == 1


@pytest.mark.parametrize(
    ("query", "found"),
    [("email={email}", 1), ("email=nobody@example.com", 0), ("name=Jane", 1), ("role=agent", 2), ("role=admin", 0)],
)
def test_people_are_found_by_address_name_and_role(
    client: FlaskClient, account: Account, query: str, found: int
) -> None:
    first = add_user(client, account)
    add_user(client, account, name="Jane")
    url = f"{USERS}?{query.format(email=first['email'].upper())}"
    listed = client.get(url, headers=account.bearer).get_json()
    assert listed["metadata"]["total_count"] == len(listed["users"]) == found


# API keys


def test_a_key_opens_what_it_was_made_for_and_its_private_part_is_shown_once(
    client: FlaskClient, account: Account
) -> None:
    sent = {"name": "Reporting", "scopes": ["leads:read", "config:read", "leads:read"]}
    body = client.post(KEYS, json=sent, headers=account.bearer).get_json()
    assert set(body) == {"api_key", "private"}
    key = body["api_key"]
    assert set(key) == {"id", "name", "scopes", "public", "revoked_at", "created_at", "updated_at"}
    assert (key["scopes"], key["revoked_at"]) == (["config:read", "leads:read"], None)
    headers = {"Authorization": f"Bearer {body['private']}"}
    assert client.get(LEADS, headers=headers).status_code == 200
    lacks(client.get(KEYS, headers=headers), "access:read")
    assert shown(client.get(f"{KEYS}/{key['id']}", headers=account.bearer), "api_key") == key
    assert body["private"] not in str(account.rows("select * from api_key"))


@pytest.mark.parametrize("row", table("wrong_api_keys.csv"), ids=lambda row: row["case"])
def test_what_a_key_cannot_be_is_named(client: FlaskClient, account: Account, row: dict[str, str]) -> None:
    sent = {"name": "Reporting", "scopes": ["leads:read"]} | json.loads(row["sent"])
    errors = wrong(client.post(KEYS, json=sent, headers=account.bearer))
    assert list(errors) == [row["parameter"]]
    assert errors[row["parameter"]][0].startswith(row["says"])
    assert len(account.rows("select id from api_key where company_id = :company_id")) == 1


def test_what_a_key_may_do_changes_from_the_next_request_on(client: FlaskClient, account: Account) -> None:
    key = add_key(client, account, "leads:read")
    changed = shown(put(client, KEYS, key, account.bearer, scopes=["submissions:read"]), "api_key")
    assert changed["scopes"] == ["submissions:read"]
    lacks(client.get(LEADS, headers=bearer(key)), "leads:read")
    assert client.get(f"{API}/submissions", headers=bearer(key)).status_code == 200


def test_a_deleted_key_opens_nothing_until_it_is_restored(client: FlaskClient, account: Account) -> None:
    key = add_key(client, account, "leads:read")
    answer = client.delete(f"{KEYS}/{key['id']}", headers=account.bearer)
    assert shown(answer, "api_key")["revoked_at"] is not None
    refused(client.get(LEADS, headers=bearer(key)), "key_invalid")
    errors = wrong(act(client, KEYS, key, "rotate", account.bearer))
    assert errors == {"id": ["is deleted; restore the api key first"]}
    assert shown(act(client, KEYS, key, "restore", account.bearer), "api_key")["revoked_at"] is None
    assert client.get(LEADS, headers=bearer(key)).status_code == 200


@time_machine.travel(NOW, tick=False)
def test_a_rotated_key_has_a_fresh_private_part_and_the_old_one_ends(client: FlaskClient, account: Account) -> None:
    key = add_key(client, account, "leads:read")
    body = act(client, KEYS, key, "rotate", account.bearer).get_json()
    assert set(body) == {"api_key", "private"}
    assert (body["api_key"]["public"], body["api_key"]["scopes"]) == (key["public"], ["leads:read"])
    assert body["api_key"]["updated_at"] > key["updated_at"]
    refused(client.get(LEADS, headers=bearer(key)), "key_invalid")
    assert client.get(LEADS, headers=bearer(body)).status_code == 200


@pytest.mark.parametrize(("query", "found"), [("name=Reporting", 2), ("public={public}", 1), ("public=key_0", 0)])
def test_keys_are_found_by_name_and_public_part(client: FlaskClient, account: Account, query: str, found: int) -> None:
    key = add_key(client, account, "leads:read")
    add_key(client, account, "leads:read")
    listed = client.get(f"{KEYS}?{query.format(**key)}", headers=account.bearer).get_json()
    assert listed["metadata"]["total_count"] == len(listed["api_keys"]) == found


# Nobody makes more of himself than he is


@pytest.fixture
def weak(client: FlaskClient, account: Account) -> Json:
    """A key that manages keys and reads leads, and nothing else."""
    return add_key(client, account, *ACCESS, "leads:read")


@pytest.fixture
def strong(client: FlaskClient, account: Account) -> Json:
    """A key that may do more than that."""
    return add_key(client, account, "leads:read", "leads:delete", "config:write")


def test_a_key_makes_keys_that_do_what_it_does_itself(client: FlaskClient, account: Account, weak: Json) -> None:
    before = account.rows("select * from api_key where company_id = :company_id order by id")
    sent = {"name": "More", "scopes": ["leads:read", "leads:delete", "config:write"]}
    lacks(client.post(KEYS, json=sent, headers=bearer(weak)), "config:write", "leads:delete")
    lacks(client.post(KEYS, json={"name": "All", "scopes": list(SCOPES)}, headers=bearer(weak)), *others(weak))
    assert account.rows("select * from api_key where company_id = :company_id order by id") == before
    less = {"name": "Less", "scopes": ["leads:read"]}
    assert shown(client.post(KEYS, json=less, headers=bearer(weak)), "api_key")["scopes"] == ["leads:read"]


def others(key: Json) -> list[str]:
    """The scopes that a key lacks."""
    return sorted(SCOPES.keys() - set(key["scopes"]))


def test_a_key_gives_other_keys_only_what_it_has(
    client: FlaskClient, account: Account, weak: Json, strong: Json
) -> None:
    mine = add_key(client, account, "leads:read")
    lacks(put(client, KEYS, mine, bearer(weak), scopes=["leads:read", "leads:update"]), "leads:update")
    lacks(put(client, KEYS, strong, bearer(weak), scopes=["leads:delete"]), "leads:delete")
    assert stored(account, "api_key", mine["id"])["scopes"] == ["leads:read"]
    assert len(stored(account, "api_key", strong["id"])["scopes"]) == 3
    # To take away needs nothing, and neither does another name.
    renamed = shown(put(client, KEYS, strong, bearer(weak), name="Renamed", scopes=strong["scopes"]), "api_key")
    assert (renamed["name"], renamed["scopes"]) == ("Renamed", strong["scopes"])
    assert shown(put(client, KEYS, strong, bearer(weak), scopes=["leads:read"]), "api_key")["scopes"] == ["leads:read"]


def test_a_key_takes_no_stronger_one_over(client: FlaskClient, account: Account, weak: Json, strong: Json) -> None:
    before = stored(account, "api_key", strong["id"])
    lacks(act(client, KEYS, strong, "rotate", bearer(weak)), "config:write", "leads:delete")
    assert stored(account, "api_key", strong["id"]) == before
    # To revoke it needs nothing; to bring it back does.
    assert client.delete(f"{KEYS}/{strong['id']}", headers=bearer(weak)).status_code == 200
    lacks(act(client, KEYS, strong, "restore", bearer(weak)), "config:write", "leads:delete")
    assert stored(account, "api_key", strong["id"])["revoked_at"] is not None
    assert shown(act(client, KEYS, strong, "restore", account.bearer), "api_key")["revoked_at"] is None


def test_a_key_gives_itself_nothing_and_may_give_itself_up(client: FlaskClient, account: Account, weak: Json) -> None:
    lacks(put(client, KEYS, weak, bearer(weak), scopes=list(SCOPES)), *others(weak))
    fresh = act(client, KEYS, weak, "rotate", bearer(weak)).get_json()
    refused(client.get(KEYS, headers=bearer(weak)), "key_invalid")
    less = ["access:write"]
    assert shown(put(client, KEYS, weak, bearer(fresh), scopes=less), "api_key")["scopes"] == less
    lacks(put(client, KEYS, weak, bearer(fresh), scopes=[*ACCESS]), "access:read")
    assert client.delete(f"{KEYS}/{weak['id']}", headers=bearer(fresh)).status_code == 200
    refused(act(client, KEYS, weak, "restore", bearer(fresh)), "key_invalid")


def test_a_key_in_the_body_grants_no_more_than_one_in_the_header(
    client: FlaskClient, account: Account, weak: Json
) -> None:
    sent = {"name": "More", "scopes": ["leads:delete"]}
    lacks(client.post(KEYS, json=sent | {"auth_token": weak["private"]}), "leads:delete")
    answer = client.post(KEYS, json=sent | {"auth_token": account.private_key})
    assert shown(answer, "api_key")["scopes"] == ["leads:delete"]


@pytest.mark.parametrize("path", ["users", "api_keys"])
def test_who_may_change_the_configuration_may_not_change_who_may(
    client: FlaskClient, account: Account, path: str
) -> None:
    key = account.key(*(SCOPES.keys() - {*ACCESS}))
    lacks(client.get(f"{API}/{path}", headers=key), "access:read")
    lacks(client.post(f"{API}/{path}", json={}, headers=key), "access:write")


# Secrets


def test_no_answer_shows_a_secret_but_the_one_that_makes_it(client: FlaskClient, account: Account) -> None:
    user, key = add_user(client, account), add_key(client, account, *ACCESS)
    secrets = [
        user["password"],
        key["private"],
        account.private_key,
        stored(account, "user", user["id"])["password_hash"],
        *(row["private_hash"] for row in account.rows("select private_hash from api_key")),
        "password",
        "private",
    ]
    answers = []
    for path, row, sent in ((USERS, user, {"name": "Jane"}), (KEYS, key, {"name": "Renamed"})):
        one = f"{path}/{row['id']}"
        answers += [
            client.put(one, json=sent, headers=account.bearer),
            client.delete(one, headers=account.bearer),
            client.get(f"{path}?deleted=true", headers=account.bearer),
            client.get(one, headers=account.bearer),
            act(client, path, row, "restore", account.bearer),
        ]
    answers += [client.get(f"{API}/{kind.many}", headers=account.bearer) for kind in KINDS]
    for answer in answers:
        assert answer.status_code == 200
        text = answer.get_data(as_text=True)
        assert [secret for secret in secrets if secret in text] == []


def test_a_refusal_repeats_no_secret(client: FlaskClient, account: Account) -> None:
    for path in (USERS, KEYS):
        sent = {"password": "hunter2-and-more", "private": "hunter2-and-more"}
        answer = client.post(path, json=sent, headers=account.bearer)
        assert "hunter2" not in answer.get_data(as_text=True)
