"""Rotation keeps a vendor whole: what one of its tokens has brought, another of them knows again."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient

from server.lead_tokens.models import LeadToken
from tests.api.calls import CAPTURE, LEADS, NOW, NUMBER, OTHER_NUMBER, PAGE, SUBMISSIONS, Json, end, send, take, warned
from tests.api.kinds import shown
from tests.factories import Account

TOKENS = "/api/v1/lead_tokens"
COUNTS = f"{SUBMISSIONS}/counts"
DAY = timedelta(days=1)
REPLACED = ("lead_token", "token_replaced")


def make(client: FlaskClient, account: Account, **sent: Any) -> Json:
    """A vendor's token, which reads its list."""
    known = {"name": "Acme", "schedule_id": account.schedule_id, "reads_submissions": True}
    return shown(client.post(TOKENS, json=known | sent, headers=account.bearer), "lead_token")


def rotate(client: FlaskClient, account: Account, token: Json, **sent: Any) -> Json:
    """The token's successor."""
    answer = client.post(f"{TOKENS}/{token['id']}/rotate", json=sent, headers=account.bearer)
    successor: Json = answer.get_json()["lead_token"]
    return successor


def chain(client: FlaskClient, account: Account, **sent: Any) -> list[Json]:
    """A token, its successor, and that one's, all of them in force."""
    first = make(client, account, **sent)
    second = rotate(client, account, first)
    return [first, second, rotate(client, account, second)]


def row_of(account: Account, token: Json) -> Json:
    [row] = account.rows("select * from lead_token where id = :id", id=token["id"])
    return row


def own(client: FlaskClient, token: Json) -> list[Json]:
    """The submissions that a token reads as its own."""
    rows: list[Json] = client.get(SUBMISSIONS, query_string={"lead_token": token["value"]}).get_json()["submissions"]
    return rows


def keyed(client: FlaskClient, token: Json, key: str, **sent: Any) -> tuple[Json, bool]:
    """The answer to a lead with a key, without its warnings, and whether it is a repetition."""
    answer = send(client, token["value"], headers={"Idempotency-Key": key}, **sent)
    return answer.get_json() | {"warnings": []}, answer.headers.get("Idempotent-Replayed") == "true"


@pytest.mark.parametrize(("before", "after"), [(0, 1), (0, 2), (1, 2), (2, 0), (1, 0)], ids=str)
def test_a_vendors_own_id_names_its_lead_whichever_of_its_tokens_comes(
    client: FlaskClient, account: Account, before: int, after: int
) -> None:
    tokens = chain(client, account)
    first = take(client, tokens[before]["value"], vendor_lead_id="L-1")
    # Its number's live lead would be found anyway.
    end(account, first["lead_id"])
    again = take(client, tokens[after]["value"], vendor_lead_id="L-1")
    other = take(client, tokens[after]["value"], vendor_lead_id="L-1", caller_id=OTHER_NUMBER)
    assert [(each["action"], each["lead_id"]) for each in (again, other)] == [
        ("replayed", first["lead_id"]),
        ("updated", first["lead_id"]),
    ]
    assert len(account.leads()) == 1


@pytest.mark.parametrize(("before", "after"), [(0, 1), (0, 2), (1, 2), (2, 0), (1, 0)], ids=str)
def test_a_key_repeats_the_answer_that_another_token_of_the_vendor_had(
    client: FlaskClient, account: Account, before: int, after: int
) -> None:
    tokens = chain(client, account)
    first = keyed(client, tokens[before], "key-1", zip="1")
    assert keyed(client, tokens[after], "key-1", zip="1") == (first[0], True)
    refused, _ = keyed(client, tokens[after], "key-1", zip="2")
    assert refused["code"] == "idempotency_key_reused"
    assert len(account.leads()) == 1


def test_a_key_is_known_again_in_a_batch(client: FlaskClient, account: Account) -> None:
    old, _, newest = chain(client, account)
    leads = [
        {"caller_id": NUMBER, "idempotency_key": "key-1", "zip": "1"},
        {"caller_id": OTHER_NUMBER, "vendor_lead_id": "L-1"},
    ]
    first = client.post(f"{LEADS}/batch", json={"lead_token": old["value"], "leads": leads}).get_json()
    for lead in account.leads():
        end(account, lead["id"])
    again = client.post(f"{LEADS}/batch", json={"lead_token": newest["value"], "leads": leads}).get_json()
    assert again["counts"]["replayed"] == 2, again
    assert [each["lead_id"] for each in again["results"]] == [each["lead_id"] for each in first["results"]]
    assert len(account.leads()) == 2


def test_a_server_and_a_page_stay_apart_across_a_rotation(client: FlaskClient, account: Account) -> None:
    old, new, _ = chain(client, account)
    from_server, _ = keyed(client, old, "key-1", zip="1")
    answer = send(client, new["value"], headers={"Idempotency-Key": "key-1", "Origin": PAGE}, zip="2")
    assert (answer.status_code, answer.get_json()["action"]) == (200, "received")
    assert "Idempotent-Replayed" not in answer.headers
    account.change(LeadToken, new["id"], exposed_at=None, exposed_origin=None)
    assert keyed(client, new, "key-1", zip="1") == (from_server, True)


def test_a_page_goes_on_with_the_next_publishable_token(client: FlaskClient, account: Account) -> None:
    old, new, _ = chain(client, account, kind="publishable", reads_submissions=False)
    first = keyed(client, old, "key-1")
    assert keyed(client, new, "key-1") == (first[0], True)


def test_two_vendors_stay_two_whatever_is_rotated(client: FlaskClient, account: Account) -> None:
    acme, best = make(client, account), make(client, account, name="Best")
    take(client, acme["value"], vendor_lead_id="L-1")
    new = rotate(client, account, best)
    assert take(client, new["value"], vendor_lead_id="L-1", zip="2")["action"] == "updated"
    assert len(own(client, acme)) == len(own(client, new)) == 1
    assert keyed(client, acme, "key-1")[1] is keyed(client, new, "key-1")[1] is False


def test_a_vendor_reads_all_that_it_has_sent(client: FlaskClient, account: Account) -> None:
    tokens = chain(client, account)
    for place, token in enumerate(tokens):
        take(client, token["value"], vendor_lead_id=f"L-{place}", zip=str(place))
    take(client, account.vendor_token, caller_id=OTHER_NUMBER)
    for token in tokens:
        assert [row["vendor_lead_id"] for row in own(client, token)] == ["L-2", "L-1", "L-0"]
        counts = client.get(COUNTS, query_string={"lead_token": token["value"]}).get_json()
        assert counts["metadata"]["total_count"] == 3
    found = [own_id["vendor_lead_id"] for own_id in own(client, tokens[2])]
    for asked, expected in (({"vendor": "Acme"}, found), ({"lead_token_id": tokens[0]["id"]}, ["L-0"])):
        rows = client.get(SUBMISSIONS, query_string=asked, headers=account.bearer).get_json()["submissions"]
        assert [row["vendor_lead_id"] for row in rows] == expected
        assert {row["vendor_id"] for row in rows} == {tokens[0]["id"]}
        counted = client.get(COUNTS, query_string=asked, headers=account.bearer).get_json()
        assert counted["metadata"]["total_count"] == len(expected)


def test_the_successor_has_the_vendors_plain_name_and_settings(client: FlaskClient, account: Account) -> None:
    settings = {
        "default_traffic_source_id": account.source_id,
        "shows_stored_lead": True,
        "per_minute_limit": 60,
        "allowed_redirects": [PAGE],
    }
    tokens = chain(client, account, **settings)
    rows = [row_of(account, token) for token in tokens]
    assert [row["name"] for row in rows] == ["Acme (replaced)", "Acme (replaced)", "Acme"]
    assert [row["first_id"] for row in rows] == [None, tokens[0]["id"], tokens[0]["id"]]
    assert {token["vendor_id"] for token in tokens} == {tokens[0]["id"]}
    assert tokens[2] | {name: None for name in ("id", "value", "created_at", "updated_at")} == tokens[0] | {
        name: None for name in ("id", "value", "created_at", "updated_at")
    }


@pytest.mark.parametrize(
    ("name", "sent", "expected"),
    [
        ("Acme (rotated 2026-11-23)", {}, ["Acme (replaced)", "Acme"]),
        ("Acme (replaced)", {}, ["Acme (replaced)", "Acme"]),
        ("(replaced)", {}, ["(replaced) (replaced)", "(replaced)"]),
        ("Acme", {"name": "Acme 2027"}, ["Acme (replaced)", "Acme 2027"]),
        ("x" * 255, {}, ["x" * 244 + " (replaced)", "x" * 255]),
    ],
    ids=lambda text: str(text)[:30],
)
def test_the_replaced_token_is_marked_once(
    client: FlaskClient, account: Account, name: str, sent: Json, expected: list[str]
) -> None:
    token = make(client, account, name=name)
    new = rotate(client, account, token, **sent)
    assert [row_of(account, each)["name"] for each in (token, new)] == expected


def test_a_replaced_token_says_until_when_it_counts(client: FlaskClient, account: Account) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        old = make(client, account)
        first, _ = keyed(client, old, "key-1", zip="1")
        new = rotate(client, account, old, overlap_hours=24)
        clock.shift(DAY / 2)
        answers = [
            send(client, old["value"], headers={"Idempotency-Key": "key-1"}, zip="1"),
            send(client, old["value"], zip="2"),
            send(client, old["value"], url=CAPTURE, zip="3"),
            send(client, old["value"], url=f"{LEADS}/create_or_update", zip="4"),
            send(client, old["value"], zip="5", dry_run=True),
            client.post(f"{LEADS}/{first['lead_id']}/lead_update", json={"lead_token": old["value"], "zip": "6"}),
        ]
        for answer in answers:
            assert warned(answer.get_json()) == [REPLACED]
            assert "2026-11-24T06:00:00.000+00:00" in answer.get_json()["warnings"][0]["message"]
        batch = {"lead_token": old["value"], "leads": [{"caller_id": NUMBER, "zip": "7"}]}
        [result] = client.post(f"{LEADS}/batch", json=batch).get_json()["results"]
        assert warned(result) == [REPLACED]
        kept = send(client, old["value"], headers={"Idempotency-Key": "key-2"}, zip="8").get_json()
        repeated = send(client, new["value"], headers={"Idempotency-Key": "key-2"}, zip="8").get_json()
        assert (warned(kept), warned(repeated)) == ([REPLACED], [])
        assert take(client, new["value"], zip="9")["warnings"] == []


def test_people_hear_nothing_of_the_token_that_a_lead_came_with(client: FlaskClient, account: Account) -> None:
    old = make(client, account)
    lead_id = take(client, old["value"])["lead_id"]
    rotate(client, account, old)
    edited = client.put(f"{LEADS}/{lead_id}", json={"email": "a@example.com"}, headers=account.bearer)
    assert (edited.status_code, edited.get_json()["warnings"]) == (200, [])
