"""What looks like a program is kept apart (TRUST 10): its sender hears what a person hears, and an API key lets it out.

`release` asks for a dry run first, which must say what the real one then does, and leave nothing.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.config import Settings
from server.consent.models import Disclosure
from server.consent.stamp import make_stamp
from server.lead_tokens.models import LeadToken
from server.schedules.models import Schedule
from tests.api.calls import (
    CAPTURE,
    LEADS,
    NOW,
    NUMBER,
    OTHER_NUMBER,
    PAGE,
    SUBMISSIONS,
    Json,
    refused,
    send,
    take,
    taken,
    warned,
)
from tests.api.test_public_token import shape
from tests.api.test_rate_limits import DAYS, SECONDS_IN, Street
from tests.api.test_replay import UNKNOWN, accept, essence, token_id
from tests.conftest import opened
from tests.factories import Account
from tests.live import Live
from tests.snapshot import difference, snapshot
from tests.unit import table

BURST = 3
BOT: Json = {"hp": "https://spam.example"}


def from_page(client: FlaskClient, account: Account, url: str = LEADS, key: str = "", **params: Any) -> TestResponse:
    """A lead as the page sends it."""
    headers = {"Origin": PAGE} | ({"Idempotency-Key": key} if key else {})
    return send(client, account.publishable_token, url, headers, **params)


def quarantined(client: FlaskClient, account: Account, **params: Any) -> str:
    """The submission of a lead that a program has sent."""
    body = taken(from_page(client, account, **BOT, **params))
    assert body["action"] == "received"
    submission_id: str = body["metadata"]["submission_id"]
    assert row_of(account, submission_id)["code"] == "quarantined"
    return submission_id


def row_of(account: Account, submission_id: str) -> Json:
    [row] = account.rows("select * from submission where id = :id", id=submission_id)
    return row


def codes(account: Account) -> list[str | None]:
    return [row["code"] for row in account.submissions()]


def events(account: Account) -> list[str]:
    found = account.rows("select kind from outbox_event where company_id = :company_id order by created_at, id")
    return [row["kind"] for row in found]


def ask(client: FlaskClient, account: Account, submission_id: str, **how: Any) -> TestResponse:
    """The answer to a release."""
    url = f"{SUBMISSIONS}/{submission_id}/release"
    return client.post(url, json=how or None, headers=account.key("leads:update"))


def release(client: FlaskClient, account: Account, submission_id: str) -> Json:
    """What a release says, after a dry run that has said it before and left nothing."""
    headers = account.key("leads:update")
    url = f"{SUBMISSIONS}/{submission_id}/release"
    stored = snapshot(account.app, account.company_id)
    dry = taken(client.post(url, json={"dry_run": True}, headers=headers))
    assert snapshot(account.app, account.company_id) == stored
    assert (dry["dry_run"], dry["metadata"]["submission_id"]) == (True, None)
    body: Json = client.post(url, headers=headers).get_json()
    assert essence(dry) == essence(body)
    assert "replay_of_id" not in body
    return body


# What is suspicious


@pytest.mark.parametrize("hp", ["x", " x ", "0", "x" * 8192], ids=lambda hp: repr(hp)[:20])
def test_whatever_stands_in_the_honeypot_a_program_has_put_there(
    client: FlaskClient, account: Account, hp: Any
) -> None:
    body = taken(from_page(client, account, hp=hp))
    assert (body["action"], body["warnings"]) == ("received", [])
    assert (codes(account), account.leads()) == (["quarantined"], [])


@pytest.mark.parametrize("hp", ["", " \t ", None])
def test_a_honeypot_that_is_blank_is_a_persons(client: FlaskClient, account: Account, hp: Any) -> None:
    body = taken(from_page(client, account, hp=hp))
    assert (body["action"], body["warnings"]) == ("received", [])
    [lead] = account.leads()
    assert lead["data"] == {}


def test_a_program_with_a_server_token_is_no_spammer(client: FlaskClient, account: Account) -> None:
    body = take(client, account.schedule_token, **BOT)
    assert (body["action"], warned(body)) == ("created", [("hp", "no_effect")])
    assert [lead["data"] for lead in account.leads()] == [{}]


def test_a_server_token_in_a_page_is_quarantined_and_exposed(client: FlaskClient, account: Account) -> None:
    assert taken(send(client, account.schedule_token, headers={"Origin": PAGE}, **BOT))["action"] == "received"
    assert (codes(account), account.leads()) == (["quarantined"], [])
    [token] = account.rows("select * from lead_token where value = :value", value=account.schedule_token)
    assert token["exposed_origin"] == PAGE


@pytest.fixture
def disclosures(account: Account) -> list[int]:
    """Two disclosures, the first of them that of the page."""
    of_company = {"company_id": account.company_id}
    ids = [account.add(Disclosure(**of_company, name=name)) for name in ("Shop", "Other")]
    account.change(LeadToken, token_id(account, account.publishable_token), disclosure_id=ids[0])
    return ids


def stamps(account: Account, disclosures: list[int]) -> dict[str, Any]:
    """What may be sent as a stamp, by name."""
    key = account.app.extensions["vault"].signing_key("stamp")
    token, disclosure = account.publishable_token, disclosures[0]
    fresh = make_stamp(key, token, disclosure, NOW - timedelta(hours=23))
    return {
        "fresh": fresh,
        "stale": make_stamp(key, token, disclosure, NOW - timedelta(days=2)),
        "forged": fresh[:-1] + ("0" if fresh[-1] != "0" else "1"),
        "other token": make_stamp(key, "pub_" + "0" * 32, disclosure, NOW),
        "other disclosure": make_stamp(key, token, disclosures[1], NOW),
        "list": [fresh],
        "long": fresh + "0" * 5000,
        "blank": " ",
        "": None,
    }


@pytest.mark.parametrize("row", table("hasty_stamps.csv"), ids=lambda row: row["case"])
def test_an_old_stamp_and_a_haste_that_no_person_has_are_suspicious(
    client: FlaskClient, account: Account, disclosures: list[int], row: dict[str, str]
) -> None:
    consent: Json = {"stamp": stamps(account, disclosures)[row["stamp"]]}
    for name in ("shown", "granted"):
        text = row[name]
        number = text.lstrip("-").replace(".", "").isdigit()
        consent[f"{name}_at"] = (NOW + timedelta(seconds=float(text))).isoformat() if number else text
    with time_machine.travel(NOW, tick=False):
        taken(from_page(client, account, consent=consent))
    [submission] = account.submissions()
    assert (submission["code"] == "quarantined") == bool(row["quarantined"])
    assert len(account.leads()) == (0 if row["quarantined"] else 1)


def test_a_server_may_send_an_old_stamp_as_fast_as_it_likes(client: FlaskClient, account: Account) -> None:
    at = NOW.isoformat()
    take(client, account.schedule_token, consent={"stamp": "0-" + "0" * 32, "shown_at": at, "granted_at": at})
    assert codes(account) == [None]


# Bursts


@pytest.fixture(scope="module")
def tired(settings: Settings) -> Iterator[Flask]:
    """An application that thinks three leads a minute many."""
    with opened(replace(settings, burst_limit=BURST)) as app:
        yield app


@pytest.fixture
def moment() -> Iterator[time_machine.Traveller]:
    """A minute that no other test shares."""
    day = datetime(2028, 1, 1, 6, 0, SECONDS_IN, tzinfo=UTC) + timedelta(days=next(DAYS))
    with time_machine.travel(day) as traveller:
        yield traveller


@pytest.mark.parametrize(
    ("house", "next_door"),
    [
        (["203.0.113.7"] * (BURST + 1), "203.0.113.8"),
        ([f"2001:db8:0:1::{host:x}" for host in range(1, BURST + 2)], "2001:db8:0:2::1"),
    ],
    ids=["IPv4", "IPv6, by its /64"],
)
def test_what_one_address_sends_beyond_a_burst_is_quarantined(
    tired: Flask, account: Account, moment: time_machine.Traveller, house: list[str], next_door: str
) -> None:
    street, page = Street(tired), account.publishable_token
    for address in house:
        assert taken(street.post(page, address=address))["action"] == "received"
    assert codes(account) == [None] * BURST + ["quarantined"]
    # It goes on for a minute, for this address with this token.
    taken(street.post(page, address=house[0]))
    taken(street.post(page, address=next_door))
    taken(street.post(account.token(kind="publishable"), address=house[0]))
    taken(street.post(account.schedule_token, address=house[0]))
    moment.shift(121)
    taken(street.post(page, address=house[0]))
    assert codes(account)[BURST + 1 :] == ["quarantined", None, None, None, None]
    why = json.loads(account.submissions()[BURST]["why"])
    assert (why[0]["step"], why[0]["decided"], why[0]["read"]) == ("suspicion", "burst", {"remote_ip": house[BURST]})


@pytest.mark.parametrize("kind", ["publishable", "server"])
def test_a_token_with_a_limit_of_its_own_knows_no_burst(
    tired: Flask, account: Account, moment: object, kind: str
) -> None:
    client = tired.test_client()
    own = account.token(kind=kind, name="Call centre", per_minute_limit=600)
    usual = account.token(kind=kind, name="Page")
    for token, expected in ((own, [None] * 6), (usual, [None] * BURST + ["quarantined"] * 3)):
        before = len(account.submissions())
        for number in range(6):
            # From a browser a server token has the powers of a page.
            take(client, token, caller_id=f"+1719222{number:04}", headers={"Origin": PAGE}, zip=token)
        assert codes(account)[before:] == expected


def test_servers_refusals_and_edits_are_no_burst(tired: Flask, account: Account, moment: object) -> None:
    street, address = Street(tired), "203.0.113.7"
    for _ in range(BURST):
        taken(street.post(account.schedule_token, address=address))
        refused(street.post(account.publishable_token, address=address, caller_id="911"), "invalid_caller_id")
    for _ in range(BURST):
        taken(street.post(account.publishable_token, address=address))
    assert set(codes(account)) == {None, "invalid_caller_id"}


def test_a_lead_that_meets_a_change_of_the_configuration_is_counted_once(
    tired: Flask, account: Account, moment: object
) -> None:
    """This process knows the token as it was, and has to look again in the middle."""
    street, address = Street(tired), "203.0.113.7"
    for number in range(BURST + 1):
        taken(street.post(account.publishable_token, address=address))
        account.change(Schedule, account.schedule_id, name=f"Call {number}")
    assert codes(account) == [None] * BURST + ["quarantined"]


# What is kept of it, and what is answered


def test_nothing_but_the_submission_is_kept_for_thirty_days(client: FlaskClient, account: Account) -> None:
    before = snapshot(account.app, account.company_id)
    with time_machine.travel(NOW, tick=False):
        sent = {"email": "a@example.com", "zip": "1", "sub_id": "s", "traffic_source_id": "google_ads"}
        body = taken(from_page(client, account, url=CAPTURE, **sent, **BOT))
    found = difference(before, snapshot(account.app, account.company_id))
    assert ([key.table for key in found.inserted], found.changed, found.removed) == (["submission"], [], {})
    [row] = account.submissions()
    assert (row["action"], row["code"], row["lead_id"]) == ("refused", "quarantined", None)
    assert (row["purge_at"], row["released_at"]) == (NOW + timedelta(days=30), None)
    assert (row["public_lead_id"], row["caller_id"]) == (body["lead_id"], NUMBER)
    assert json.loads(row["received"])["body"]["hp"] == BOT["hp"]
    suspicion, refusal = json.loads(row["why"])
    assert (suspicion["step"], suspicion["decided"], suspicion["read"]) == (
        "suspicion",
        "honeypot",
        {"hp": "filled in"},
    )
    assert (refusal["step"], refusal["decided"]) == ("refuse", "quarantined")


HOW: dict[str, Json] = {
    "plain": {},
    "capture": {"url": CAPTURE},
    "a key": {"key": "k"},
    "dry run": {"dry_run": True},
    "explained": {"explain": True, "url": CAPTURE},
    "warned of": {"restart_schedule": True},
}


@pytest.mark.parametrize("name", HOW)
def test_a_program_hears_to_the_letter_what_a_person_hears(client: FlaskClient, account: Account, name: str) -> None:
    how = HOW[name] | {"email": "a@example.com", "zip": "1"}
    program, again = (from_page(client, account, caller_id=NUMBER, **how, **BOT) for _ in range(2))
    how |= {"key": "another"} if "key" in how else {}
    person = from_page(client, account, caller_id=OTHER_NUMBER, **how)
    assert shape(program, NUMBER) == shape(person, OTHER_NUMBER)
    if "key" in how:
        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.get_data() == program.get_data()
    else:
        assert shape(again, NUMBER) == shape(program, NUMBER)
    assert len(account.leads()) == (0 if "dry_run" in how else 1)


def test_a_programs_form_is_sent_on_like_a_persons(client: FlaskClient, account: Account) -> None:
    account.change(LeadToken, token_id(account, account.publishable_token), allowed_redirects=[PAGE])
    program = from_page(client, account, redirect_to=f"{PAGE}/thanks", **BOT)
    assert (program.status_code, program.headers["Location"]) == (303, f"{PAGE}/thanks")
    assert codes(account) == ["quarantined"]


def test_a_repetition_under_its_key_is_quarantined_too(client: FlaskClient, account: Account) -> None:
    for _ in range(2):
        from_page(client, account, key="k", **BOT)
    first, repeat = account.submissions()
    assert (repeat["action"], repeat["code"], repeat["original_id"]) == ("refused", "quarantined", first["id"])
    assert repeat["purge_at"] - repeat["created_at"] == timedelta(days=30)


@pytest.mark.parametrize(("flag", "column"), [("blocked", "blocked_at"), ("opt_out", "opted_out_at")])
def test_who_wants_no_calls_is_heard_whatever_else_is_sent(
    client: FlaskClient, account: Account, flag: str, column: str
) -> None:
    take(client, account.schedule_token)
    taken(from_page(client, account, **{flag: True}, **BOT))
    [lead] = account.leads()
    [contact] = account.rows("select * from contact where company_id = :company_id")
    assert (lead["next_action_at"], contact[column] is None) == (None, False)


def test_what_is_refused_aloud_is_refused_aloud(client: FlaskClient, account: Account) -> None:
    refused(from_page(client, account, caller_id="911", **BOT), "invalid_caller_id")
    accept(account, require_traffic_source=True)
    refused(from_page(client, account, **BOT), "traffic_source_required")
    assert codes(account) == ["invalid_caller_id", "traffic_source_required"]


def test_what_is_refused_in_secret_is_quarantined_first(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token)
    accept(account, duplicate_seconds=3600)
    submission_id = quarantined(client, account)
    refused(ask(client, account, submission_id), "duplicate_lead")
    assert row_of(account, submission_id)["code"] == "quarantined"


def test_a_limit_by_address_counts_what_was_answered_as_taken(client: FlaskClient, account: Account) -> None:
    accept(account, ip_limit=2, ip_limit_seconds=3600)
    for last in range(2):
        quarantined(client, account, caller_id=f"+1719222{1000 + last}")
    refused(from_page(client, account), "ip_limit")


# Who sees it


def test_the_company_finds_it_and_the_sender_does_not(client: FlaskClient, account: Account) -> None:
    row_id = token_id(account, account.vendor_token)
    body = taken(send(client, account.vendor_token, headers={"Origin": PAGE}, **BOT))
    submission_id = body["metadata"]["submission_id"]
    listed = client.get(f"{SUBMISSIONS}?reason=quarantined", headers=account.bearer).get_json()["submissions"]
    assert [(row["id"], row["action"], row["released_at"]) for row in listed] == [(submission_id, "refused", None)]
    counts = client.get(f"{SUBMISSIONS}/counts", headers=account.bearer).get_json()["counts"]
    assert [(row["action"], row["code"], row["count"]) for row in counts] == [("refused", "quarantined", 1)]
    # Once the token is out of the page its holder may read what became of its own.
    account.change(LeadToken, row_id, exposed_at=None, exposed_origin=None, reads_submissions=True)
    own = {"lead_token": account.vendor_token}
    [told] = client.get(SUBMISSIONS, query_string=own).get_json()["submissions"]
    assert (told["action"], told["code"], told["lead_id"]) == ("received", None, body["lead_id"])
    [count] = client.get(f"{SUBMISSIONS}/counts", query_string=own).get_json()["counts"]
    assert (count["action"], count["code"]) == ("received", None)
    assert client.get(SUBMISSIONS, query_string=own | {"code": "quarantined"}).get_json()["submissions"] == []


# Release


def test_what_is_released_becomes_what_it_would_have_been(client: FlaskClient, account: Account) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        submission_id = quarantined(client, account, email="a@example.com", zip="1", traffic_source_id="google_ads")
        before = row_of(account, submission_id)
        clock.shift(3600)
        body = release(client, account, submission_id)
    [lead] = account.leads()
    [row] = account.submissions()
    assert (body["success"], body["action"], body["lead_id"]) == (True, "created", lead["id"])
    assert (body["submission_id"], body["metadata"]["submission_id"]) == (submission_id, submission_id)
    stored = client.get(f"{LEADS}/{lead['id']}", headers=account.bearer).get_json()["lead"]
    assert stored.pop("consent")["submission_id"] == submission_id
    assert body["lead"] == stored
    assert body["outcome"] == {
        "before": {
            "action": "refused",
            "code": "quarantined",
            "lead_id": None,
            "created_at": "2026-11-23T06:00:00.000+00:00",
        },
        "after": {"action": "created", "code": None, "errors": {}, "lead_id": lead["id"]},
    }
    assert {each["field"]: each["after"] for each in body["difference"]}["data.zip"] == "1"
    # The submission keeps its id, its time, what came and what the page was told.
    key = account.rows("select id from api_key where company_id = :company_id order by id desc")[0]["id"]
    changed: Json = {
        "action": "created",
        "code": None,
        "lead_id": lead["id"],
        "lead_updated_at": lead["updated_at"],
        "purge_at": None,
        "released_at": NOW + timedelta(hours=1),
        "api_key_id": key,
        "why": row["why"],
    }
    assert row == before | changed
    steps = json.loads(row["why"])
    assert steps == body["why"]
    assert [step["step"] for step in steps[:4]] == ["suspicion", "refuse", "release", "token"]
    assert steps[2]["read"] == {"action": "refused", "code": "quarantined", "api_key": key}
    # All that follows from a lead follows now, once.
    assert (lead["email"], lead["created_at"]) == ("a@example.com", NOW + timedelta(hours=1))
    assert lead["next_action_at"] > lead["created_at"]
    assert events(account) == ["lead.created"]
    [touch] = account.rows("select * from touch where company_id = :company_id")
    assert (touch["submission_id"], touch["traffic_source_text"]) == (submission_id, "google_ads")
    assert [each["name"] for each in account.rows("select name from token where company_id = :company_id")] == ["zip"]
    [seen] = account.rows("select origin from origin_seen where company_id = :company_id")
    assert seen["origin"] == PAGE


def test_what_is_released_again_stays_as_it_is(client: FlaskClient, account: Account) -> None:
    submission_id = quarantined(client, account)
    lead_id = release(client, account, submission_id)["lead_id"]
    stored = snapshot(account.app, account.company_id)
    headers = account.bearer
    answer = client.post(f"{SUBMISSIONS}/{submission_id}/release", headers=headers)
    body = taken(answer)
    assert answer.headers["Idempotent-Replayed"] == "true"
    assert (body["action"], body["lead_id"], body["difference"]) == ("replayed", lead_id, [])
    assert body["outcome"]["after"] == {"action": "created", "code": None, "errors": {}, "lead_id": lead_id}
    assert snapshot(account.app, account.company_id) == stored


def test_a_release_has_the_powers_of_the_page(client: FlaskClient, account: Account) -> None:
    first = take(client, account.schedule_token, email="mine@example.com", zip="1")["lead_id"]
    submission_id = quarantined(client, account, email="other@example.com", zip="2", city="Denver")
    body = release(client, account, submission_id)
    assert (body["action"], body["lead_id"]) == ("updated", first)
    [lead] = account.leads()
    assert (lead["email"], lead["data"]) == ("mine@example.com", {"zip": "1", "city": "Denver"})
    assert events(account) == ["lead.created", "lead.updated"]


def test_the_page_goes_on_hearing_what_it_heard(client: FlaskClient, account: Account) -> None:
    heard = from_page(client, account, key="k", **BOT)
    from_page(client, account, key="k", **BOT)
    first, repeat = account.submissions()
    # Whoever finds the repetition finds the lead too.
    body = release(client, account, repeat["id"])
    assert (body["action"], body["submission_id"]) == ("created", first["id"])
    again = from_page(client, account, key="k", **BOT)
    assert again.get_data() == heard.get_data()
    [lead] = account.leads()
    found = [(row["action"], row["code"], row["lead_id"]) for row in account.submissions()]
    assert found == [("created", None, lead["id"]), ("refused", "quarantined", None), ("replayed", None, lead["id"])]
    # Nobody has to look at the one in the middle any more.
    released = [row["released_at"] for row in account.submissions()]
    assert (released[0], released[2]) == (released[1], None)
    assert events(account) == ["lead.created"]
    assert taken(ask(client, account, repeat["id"]))["action"] == "replayed"
    assert len(account.leads()) == 1


def test_a_key_that_has_another_answer_since_keeps_it(client: FlaskClient, account: Account) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        submission_id = taken(from_page(client, account, key="k", **BOT))["metadata"]["submission_id"]
        clock.shift(timedelta(days=8))
        heard = from_page(client, account, key="k", caller_id=OTHER_NUMBER)
        assert release(client, account, submission_id)["action"] == "created"
        assert from_page(client, account, key="k", caller_id=OTHER_NUMBER).get_data() == heard.get_data()
    assert len(account.leads()) == 2


def test_what_todays_rules_refuse_stays_in_quarantine(client: FlaskClient, account: Account) -> None:
    submission_id = quarantined(client, account)
    row_id = token_id(account, account.publishable_token)
    for code, how, back in (
        ("origin_not_allowed", {"allowed_origins": ["https://good.example"]}, {"allowed_origins": []}),
        ("lead_token_invalid", {"disabled_at": datetime.now(UTC)}, {"disabled_at": None}),
    ):
        account.change(LeadToken, row_id, **how)
        stored = snapshot(account.app, account.company_id)
        answer = client.post(f"{SUBMISSIONS}/{submission_id}/release", headers=account.bearer)
        body = refused(answer, code)
        assert (answer.status_code, body["metadata"]["submission_id"]) == (422, submission_id)
        assert (body["outcome"]["after"]["code"], body["lead"]) == (code, None)
        dry = taken(client.post(f"{SUBMISSIONS}/{submission_id}/release?dry_run=1", headers=account.bearer))
        assert (dry["action"], dry["outcome"]["after"]["code"]) == ("refused", code)
        assert snapshot(account.app, account.company_id) == stored
        account.change(LeadToken, row_id, **back)
    assert release(client, account, submission_id)["action"] == "created"


def test_only_what_is_in_quarantine_is_released(client: FlaskClient, account: Account) -> None:
    made = take(client, account.schedule_token)["metadata"]["submission_id"]
    bad = refused(send(client, account.schedule_token, caller_id="911"), "invalid_caller_id")["metadata"]
    for submission_id, text in (
        (made, "was not quarantined: it was taken when it came"),
        (bad["submission_id"], "was not quarantined but refused"),
    ):
        body = refused(ask(client, account, submission_id), "invalid_parameter")
        assert body["errors"] == {"id": [text]}
    assert refused(ask(client, account, UNKNOWN), "not_found")["errors"] == {"id": ["names no submission"]}
    refused(ask(client, account, made, lead_token_id=1), "invalid_parameter")


def test_a_replay_of_what_is_in_quarantine_points_at_the_release(client: FlaskClient, account: Account) -> None:
    submission_id = quarantined(client, account)
    url = f"{SUBMISSIONS}/{submission_id}/replay"
    body = refused(client.post(url, headers=account.bearer), "invalid_parameter")
    assert "/release" in body["detail"]
    release(client, account, submission_id)
    # From then on it is like any other that was taken.
    assert taken(client.post(url, headers=account.bearer))["replay_of_id"] == submission_id


def test_ten_releases_at_once_make_one_lead(live: Live, client: FlaskClient, account: Account) -> None:
    submission_id = quarantined(client, account)
    url = f"{live.url}{SUBMISSIONS}/{submission_id}/release"
    with httpx.Client(timeout=30, headers=account.bearer, verify=False) as web, ThreadPoolExecutor(10) as pool:
        bodies = [answer.json() for answer in pool.map(lambda _: web.post(url), range(10))]
    assert sorted(body["action"] for body in bodies) == ["created", *["replayed"] * 9]
    [lead] = account.leads()
    assert {body["lead_id"] for body in bodies} == {lead["id"]}
    assert (len(account.submissions()), events(account)) == (1, ["lead.created"])
