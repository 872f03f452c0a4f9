"""The pages that a token was used from (TRUST 8): learned while there is no list of them, and shown to its owner."""

import secrets
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text
from werkzeug.test import TestResponse

from server.lead_tokens import queries
from server.lead_tokens.models import LeadToken, OriginSeen
from server.lib import clock
from server.lib.db import begin_write, commit, db
from tests.api.calls import LEADS, NOW, NUMBER, PAGE, Json, refused, send, take, taken
from tests.api.kinds import shown
from tests.api.test_replay import token_id
from tests.factories import Account

TOKENS = "/api/v1/lead_tokens"
MOST = 100


def post(client: FlaskClient, account: Account, origin: str | None = None, **how: Any) -> TestResponse:
    """A lead from a page."""
    headers = how.pop("headers", {}) | ({} if origin is None else {"Origin": origin})
    return send(client, how.pop("token", account.publishable_token), headers=headers, **how)


def seen(client: FlaskClient, account: Account, token: str = "") -> list[Json]:
    """The pages that the token's owner is shown."""
    row_id = token_id(account, token or account.publishable_token)
    found: list[Json] = shown(client.get(f"{TOKENS}/{row_id}", headers=account.bearer), "lead_token")["seen_origins"]
    return found


def names(client: FlaskClient, account: Account, token: str = "") -> list[str]:
    return [each["origin"] for each in seen(client, account, token)]


def execute(account: Account, sql: str, **values: Any) -> None:
    """What happens behind this process's back."""
    with account.app.app_context():
        begin_write()
        db.session.execute(text(sql), {"company_id": account.company_id} | values)
        commit()


def see(account: Account, count: int) -> None:
    """So many pages that another process has seen."""
    now, token = clock.now(), token_id(account, account.publishable_token)
    for number in range(count):
        origin = f"https://page{number}.example"
        about = {"lead_token_id": token, "first_seen_at": now, "last_seen_at": now}
        account.add(OriginSeen(company_id=account.company_id, origin=origin, uses=1, **about))


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({"Origin": PAGE}, PAGE),
        ({"Origin": f"{PAGE}:8443"}, f"{PAGE}:8443"),
        ({"Origin": "null"}, "null"),
        ({"Referer": f"{PAGE}/form?x=1"}, PAGE),
        ({"Origin": PAGE, "Referer": "https://other.example/"}, PAGE),
        ({"Origin": "null", "Referer": f"{PAGE}/form"}, "null"),
        ({}, None),
        ({"Origin": "*"}, None),
        ({"Origin": ""}, None),
        ({"Origin": f"{PAGE}, https://other.example"}, None),
        ({"Origin": f"{PAGE}/path"}, None),
        ({"Origin": "https://" + "a" * 300 + ".example"}, None),
        ({"Origin": "chrome-extension://abcdef"}, None),
        ({"Referer": "about:blank"}, None),
    ],
    ids=str,
)
def test_a_page_is_learned_by_the_origin_that_a_browser_sends(
    client: FlaskClient, account: Account, headers: dict[str, str], found: str | None
) -> None:
    taken(post(client, account, headers=headers))
    assert names(client, account) == ([] if found is None else [found])


def test_the_owner_sees_when_it_began_and_takes_over_what_was_learned(client: FlaskClient, account: Account) -> None:
    for origin in (PAGE, "null", "https://www.shop.example", PAGE):
        taken(post(client, account, origin))
    learned = seen(client, account)
    assert [each["origin"] for each in learned] == [PAGE, "null", "https://www.shop.example"]
    assert {each["allowed"] for each in learned} == {True}
    assert learned[0]["first_seen_at"] == min(each["first_seen_at"] for each in learned)
    url = f"{TOKENS}/{token_id(account, account.publishable_token)}"
    whole = shown(client.get(url, headers=account.bearer), "lead_token")
    # What was shown may be sent back, though a further page came meanwhile.
    taken(post(client, account, "https://late.example"))
    client.put(url, json=whole | {"allowed_origins": [PAGE]}, headers=account.bearer)
    assert {each["origin"]: each["allowed"] for each in seen(client, account)} == {
        PAGE: True,
        "null": False,
        "https://www.shop.example": False,
        "https://late.example": False,
    }
    taken(post(client, account, PAGE))
    refused(post(client, account, "https://late.example"), "origin_not_allowed")


def test_what_makes_no_lead_teaches_nothing(client: FlaskClient, account: Account) -> None:
    refused(post(client, account, PAGE, caller_id="911"), "invalid_caller_id")
    taken(post(client, account, PAGE, hp="x"))
    taken(post(client, account, PAGE, dry_run=True))
    assert names(client, account) == []


def test_a_server_that_says_where_it_is_from_is_no_page(client: FlaskClient, account: Account) -> None:
    headers = {"Referer": f"{PAGE}/form"}
    assert taken(post(client, account, token=account.schedule_token, headers=headers))["action"] == "created"
    assert names(client, account, account.schedule_token) == []
    # The same token in a page is a page's; no list of pages keeps it out.
    account.change(LeadToken, token_id(account, account.schedule_token), allowed_origins=["https://good.example"])
    taken(post(client, account, PAGE, token=account.schedule_token, zip="1"))
    assert [(each["origin"], each["allowed"]) for each in seen(client, account, account.schedule_token)] == [
        (PAGE, True)
    ]
    assert names(client, account) == []


def test_a_page_that_is_known_costs_no_write(client: FlaskClient, account: Account) -> None:
    taken(post(client, account, PAGE))
    execute(account, "delete from origin_seen where company_id = :company_id")
    taken(post(client, account, PAGE, zip="1"))
    taken(post(client, account, headers={"Referer": f"{PAGE}/"}, zip="2"))
    assert names(client, account) == []


def pass_strangers(client: FlaskClient, account: Account, count: int) -> None:
    """So many pages post once each, which somebody has invented."""
    for number in range(count):
        sent = {"lead_token": account.publishable_token, "caller_id": NUMBER, "zip": secrets.token_hex(4)}
        headers = {"Origin": f"https://s{sent['zip']}.example"}
        taken(client.post(LEADS, json=sent, headers=headers, environ_base={"REMOTE_ADDR": f"2001:db8:{number:x}::1"}))


def use_again(client: FlaskClient, account: Account, time: time_machine.Traveller, times: int) -> None:
    """The real page sends a lead every two minutes."""
    for _ in range(times):
        time.shift(120)
        taken(post(client, account, PAGE, zip=secrets.token_hex(4)))


def test_a_page_that_is_used_more_than_invented_ones_stays_listed(client: FlaskClient, account: Account) -> None:
    with time_machine.travel(NOW, tick=False) as time:
        pass_strangers(client, account, MOST)
        use_again(client, account, time, 3)
        [found] = [each for each in seen(client, account) if each["origin"] == PAGE]
        assert found["uses"] == 3
        assert found["last_seen_at"] > found["first_seen_at"]
        pass_strangers(client, account, MOST + 20)
        found = seen(client, account)
        # Those that are used most come first.
        assert (len(found), found[0]["origin"]) == (MOST, PAGE)


def test_a_page_that_others_have_seen_meanwhile_keeps_its_place(
    client: FlaskClient, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    with time_machine.travel(NOW, tick=False) as time:
        use_again(client, account, time, 2)
        # A further process, which reads what is there, and one that has not heard of what came since.
        monkeypatch.setattr(queries, "_kept", {})
        see(account, MOST + 20)
        use_again(client, account, time, 2)
        taken(post(client, account, "https://late.example", zip="late"))
        found = seen(client, account)
        assert (len(found), found[0]["origin"], found[0]["uses"]) == (MOST, PAGE, 4)
        assert "https://late.example" in {each["origin"] for each in found}
    # And two processes that see the same page at once list it once.
    execute(account, "delete from origin_seen where origin = 'https://page0.example' and company_id = :company_id")
    taken(post(client, account, "https://page1.example", zip="2"))
    assert names(client, account).count("https://page1.example") == 1


def test_a_list_of_tokens_looks_once_for_the_pages_of_all(app: Flask, client: FlaskClient, account: Account) -> None:
    def looks() -> int:
        asked: list[str] = []
        with app.app_context():
            engine = db.engine
        event.listen(engine, "before_cursor_execute", note := lambda *about: asked.append(about[2]))
        try:
            listed = client.get(TOKENS, headers=account.bearer).get_json()["lead_tokens"]
        finally:
            event.remove(engine, "before_cursor_execute", note)
        assert {each["origin"] for token in listed for each in token["seen_origins"]} == {PAGE}
        return sum("origin_seen" in sql for sql in asked)

    taken(post(client, account, PAGE))
    few = looks()
    for _ in range(3):
        take(client, account.token(kind="publishable"), headers={"Origin": PAGE}, caller_id=NUMBER)
    assert (few, looks()) == (1, 1)
