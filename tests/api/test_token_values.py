"""The value of a lead token: shown whole to who makes it, and to a key that may reveal it; else masked."""

import pytest
from flask.testing import FlaskClient

from server.companies.rules import SCOPES
from server.lib.secrets import masked
from tests.api.calls import Json, refused, taken
from tests.api.kinds import shown, wrong
from tests.api.test_lead_tokens import TOKENS, act, change, make, rotate, row_of, show
from tests.factories import Account

SERVERS = [{"kind": "server"}, {"kind": "postback"}]


def owned(account: Account, about: Json) -> Json:
    """What makes a token of a kind."""
    return about | ({"traffic_source_id": account.source_id} if about["kind"] == "postback" else {})


@pytest.mark.parametrize("about", SERVERS, ids=str)
def test_a_value_is_shown_whole_once_and_masked_from_then_on(
    client: FlaskClient, account: Account, about: Json
) -> None:
    token = make(client, account, **owned(account, about))
    stored = row_of(account, token)["value"]
    assert token["value"] == stored
    one = f"{TOKENS}/{token['id']}"
    answers = [
        client.get(one, headers=account.bearer),
        client.get(TOKENS, headers=account.bearer),
        client.put(one, json={"name": "Renamed"}, headers=account.bearer),
        act(client, account, token, "clear_exposure"),
        client.delete(one, headers=account.bearer),
        client.get(f"{TOKENS}?deleted=true", headers=account.bearer),
        act(client, account, token, "restore"),
    ]
    digits = stored.removeprefix("pb_")
    prefix = stored.removesuffix(digits)
    for answer in answers:
        assert answer.status_code == 200
        assert digits not in answer.text
        # Enough to tell one from another, and no more.
        assert digits[4:-2] not in answer.text
        assert f"{prefix}{digits[:4]}…{digits[-2:]}" in str(answer.get_json())


def test_what_stands_in_pages_is_always_shown_whole(client: FlaskClient, account: Account) -> None:
    token = make(client, account, kind="publishable")
    assert show(client, account, token)["value"] == token["value"] == row_of(account, token)["value"]


def test_a_rotation_shows_the_new_value_and_not_the_old_one(client: FlaskClient, account: Account) -> None:
    old = make(client, account)
    new, previous = rotate(client, account, old)
    assert new["value"] == row_of(account, new)["value"]
    assert previous["value"] == masked(old["value"])


def test_no_list_of_the_configuration_holds_a_value(client: FlaskClient, account: Account) -> None:
    reader = account.key("config:read", "leads:read", "submissions:read")
    taken(client.post(f"/api/v1/leads?lead_token={account.schedule_token}&caller_id=17192221234"))
    values = [account.schedule_token, account.offer_token, account.vendor_token]
    for path in ("lead_tokens", "schedules", "offers", "traffic_sources", "snippets", "submissions", "leads"):
        answer = client.get(f"/api/v1/{path}?per_page=200", headers=reader)
        assert answer.status_code == 200
        assert [value for value in values if value in answer.text] == []


def test_a_value_is_revealed_to_a_key_that_may(client: FlaskClient, account: Account) -> None:
    token = make(client, account)
    one = f"{TOKENS}/{token['id']}/reveal"
    everything_else = [scope for scope in SCOPES if scope != "tokens:reveal"]
    body = refused(client.get(one, headers=account.key(*everything_else)), "scope_missing")
    assert "tokens:reveal" in body["detail"]
    assert token["value"] not in str(body)
    answer = client.get(one, headers=account.key("tokens:reveal"))
    assert shown(answer, "lead_token") == show(client, account, token) | {"value": token["value"]}
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_value_may_be_sent_back_whole_or_masked_and_in_no_other_way(client: FlaskClient, account: Account) -> None:
    token = make(client, account)
    for value in (token["value"], masked(token["value"])):
        assert change(client, account, token, value=value, name=value[:4])["name"] == value[:4]
    answer = client.put(f"{TOKENS}/{token['id']}", json={"value": token["value"][:4]}, headers=account.bearer)
    assert wrong(answer) == {"value": ["cannot be changed"]}
