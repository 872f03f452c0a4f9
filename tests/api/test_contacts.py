"""Contacts by API: what must not be done with a number, and that what is set stops at once, whoever posts meanwhile."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from server.api import contacts
from server.contacts.models import Contact
from server.leads import state
from server.leads.models import Callback, Lead
from server.lib import clock
from server.lib.db import db
from server.lib.paging import REACH
from server.lib.secrets import new_id
from tests.api.calls import NOW, NUMBER, OTHER_NUMBER, Json, end, refused, send, take
from tests.api.kinds import shown, wrong
from tests.bench.million import fill
from tests.factories import Account, make_account

CONTACTS = "/api/v1/contacts"
STATES = {"blocked": "blocked_at", "opt_out": "opted_out_at", "suppressed": "suppressed_at"}
STATUSES = {"blocked": "blocked", "opt_out": "opt_out", "suppressed": "blocked"}
# So long a statement that has to wait is given to show that it does not.
A_WHILE = 0.3


def contact_id(account: Account, number: str = NUMBER) -> str:
    """The id of the number's contact."""
    [row] = account.rows("select id from contact where company_id = :company_id and caller_id = :n", n=number)
    return str(row["id"])


def put(client: FlaskClient, account: Account, number: str = NUMBER, **sent: Any) -> Json:
    """The number's contact after a change."""
    path = f"{CONTACTS}/{contact_id(account, number)}"
    return shown(client.put(path, json=sent, headers=account.bearer), "contact")


def post(client: FlaskClient, account: Account, **sent: Any) -> TestResponse:
    return client.post(CONTACTS, json=sent, headers=account.bearer)


def book(account: Account, answer: Json, number: str = NUMBER, **more: Any) -> str:
    """A callback of the lead that this answer is about, as intake books one."""
    callback = Callback(
        id=new_id(),
        company_id=account.company_id,
        lead_id=answer["lead_id"],
        submission_id=answer["metadata"]["submission_id"],
        caller_id=number,
        due_at=datetime.now(UTC) + timedelta(hours=1),
        created_at=datetime.now(UTC),
        **more,
    )
    callback_id = account.add(callback)
    account.change(Lead, answer["lead_id"], scheduled_callback_id=callback_id, scheduled_callback_at=callback.due_at)
    return str(callback_id)


def callbacks(account: Account) -> list[Json]:
    return account.rows("select * from callback where company_id = :company_id order by created_at, id")


# One contact


def test_a_number_is_made_known_in_any_spelling_of_the_companys_region(client: FlaskClient, app: Flask) -> None:
    account = make_account(app, region="GB")
    contact = shown(post(client, account, caller_id="020 7946 0958", opt_out=True), "contact")
    assert contact["caller_id"] == "+442079460958"
    assert [contact[name] for name in STATES] == [False, True, False]
    assert [contact[name] is None for name in STATES.values()] == [True, False, True]
    take(client, account.schedule_token, caller_id="+442079460958")
    [lead] = account.leads()
    assert (lead["contact_id"], lead["status"]) == (contact["id"], "opt_out")


@pytest.mark.parametrize(
    ("sent", "name", "says"),
    [
        ({}, "caller_id", "is missing"),
        ({"caller_id": "911"}, "caller_id", "is not a valid phone number"),
        ({"caller_id": ""}, "caller_id", "must not be blank"),
        ({"caller_id": None}, "caller_id", "must be text"),
        ({"caller_id": ["7192221234"]}, "caller_id", "must be text"),
        ({"caller_id": NUMBER, "blocked": "perhaps"}, "blocked", "must be true or false"),
        ({"caller_id": NUMBER, "opt_out": None}, "opt_out", "must be true or false"),
        ({"caller_id": NUMBER, "suppressed": []}, "suppressed", "must be true or false"),
        ({"caller_id": NUMBER, "blocked_at": "2026-11-23"}, "blocked_at", "is unknown"),
    ],
)
def test_what_a_contact_cannot_be_is_named(
    client: FlaskClient, account: Account, sent: Json, name: str, says: str
) -> None:
    errors = wrong(post(client, account, **sent))
    assert list(errors) == [name]
    assert errors[name][0].startswith(says)
    assert account.rows("select id from contact where company_id = :company_id") == []


def test_a_number_that_is_known_is_named_by_its_contact(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token)
    assert wrong(post(client, account, caller_id="(719) 222-1234", blocked=True)) == {
        "caller_id": [f"is taken: use the contact {contact_id(account)}"]
    }
    [lead] = account.leads()
    assert lead["status"] == "scheduled"
    # Each company has its own.
    other = make_account(account.app)
    assert shown(post(client, other, caller_id=NUMBER), "contact")["id"] != contact_id(account)


def test_a_number_that_a_lead_brings_meanwhile_is_taken(
    client: FlaskClient, account: Account, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = contacts.add_contact

    def after_a_lead(*args: Any) -> Any:
        in_time(lambda: send(account.app.test_client(), account.schedule_token))
        return add(*args)

    monkeypatch.setattr(contacts, "add_contact", after_a_lead)
    answer = post(client, account, caller_id=NUMBER, blocked=True)
    settle()
    [lead] = account.leads()
    if database == "sqlite":
        # The lead had to wait: it came second, and was stopped.
        assert shown(answer, "contact")["blocked"] is True
        assert (lead["status"], lead["is_live"], lead["next_action_at"]) == ("blocked", True, None)
    else:
        assert wrong(answer) == {"caller_id": [f"is taken: use the contact {contact_id(account)}"]}
        assert (lead["status"], lead["next_action_at"] is None) == ("scheduled", False)


def test_the_number_of_a_contact_stays(client: FlaskClient, account: Account) -> None:
    contact = shown(post(client, account, caller_id=NUMBER), "contact")
    path = f"{CONTACTS}/{contact['id']}"
    errors = wrong(client.put(path, json={"caller_id": OTHER_NUMBER}, headers=account.bearer))
    assert errors == {"caller_id": ["cannot be changed"]}
    assert shown(client.put(path, json=contact | {"blocked": True}, headers=account.bearer), "contact")["blocked"]


def test_a_number_that_is_none_any_more_can_be_blocked(client: FlaskClient, account: Account) -> None:
    contact = shown(post(client, account, caller_id=NUMBER), "contact")
    # Whoever numbers the world has taken it away since.
    account.change(Contact, contact["id"], caller_id="+19992221234")
    assert put(client, account, "+19992221234", blocked=True)["blocked"] is True


def test_contacts_are_neither_deleted_nor_restored(client: FlaskClient, account: Account) -> None:
    contact = shown(post(client, account, caller_id=NUMBER), "contact")
    path = f"{CONTACTS}/{contact['id']}"
    refused(client.delete(path, headers=account.bearer), "method_not_allowed")
    refused(client.post(f"{path}/restore", headers=account.bearer), "not_found")
    assert list(wrong(client.get(f"{CONTACTS}?deleted=true", headers=account.bearer))) == ["deleted"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "1234"),
        ("number=(719) 222-0002", "2"),
        ("number=nobody", ""),
        ("blocked=true", "1"),
        ("blocked=false", "234"),
        ("opt_out=yes", "2"),
        ("suppressed=1", "3"),
        ("suppressed=0&blocked=0&opt_out=0", "4"),
        ("blocked=true&opt_out=true", ""),
    ],
)
def test_contacts_are_found_by_number_and_state(client: FlaskClient, app: Flask, query: str, found: str) -> None:
    account = make_account(app)
    for digit, mark in (("1", "blocked"), ("2", "opt_out"), ("3", "suppressed"), ("4", None)):
        shown(post(client, account, caller_id=f"+1719222000{digit}", **({mark: True} if mark else {})), "contact")
    listed = client.get(f"{CONTACTS}?{query}", headers=account.bearer).get_json()
    assert sorted(contact["caller_id"][-1] for contact in listed["contacts"]) == list(found)
    assert listed["metadata"]["total_count"] == len(found)


# What is set stops at once


@pytest.mark.parametrize("state", STATES)
def test_what_is_set_stops_every_pending_action_of_the_number(
    client: FlaskClient, account: Account, state: str
) -> None:
    answers = [take(client, token) for token in (account.schedule_token, account.offer_token)]
    for answer in answers:
        book(account, answer)
    ended = take(client, account.vendor_token, caller_id=OTHER_NUMBER)
    before = {lead["id"]: lead for lead in account.leads()}
    version = account.rows("select version from contact where id = :id", id=contact_id(account))[0]["version"]
    began = clock.now()
    contact = put(client, account, **{state: True})
    assert {name: contact[name] for name in STATES} == dict.fromkeys(STATES, False) | {state: True}
    for lead in account.leads():
        if lead["id"] == ended["lead_id"]:
            assert lead == before[lead["id"]]
            continue
        assert (lead["status"], lead["is_live"], lead["next_action_at"]) == (STATUSES[state], True, None)
        assert (lead["scheduled_callback_id"], lead["scheduled_callback_at"]) == (None, None)
        assert lead["updated_at"] > before[lead["id"]]["updated_at"]
    assert [(row["cancelled_at"] is None, row["done_at"]) for row in callbacks(account)] == [(False, None)] * 2
    [row] = account.rows("select * from contact where id = :id", id=contact_id(account))
    assert row["version"] == version + 1
    assert {name: row[name] for name in STATES.values() if name != STATES[state]} == dict.fromkeys(
        set(STATES.values()) - {STATES[state]}
    )
    assert began <= row[STATES[state]] <= clock.now()
    assert row["updated_at"] >= began


def test_what_is_over_or_anothers_is_not_touched(client: FlaskClient, account: Account) -> None:
    other = make_account(account.app)
    anothers = book(other, take(client, other.schedule_token))
    over = take(client, account.schedule_token)
    done = book(account, over, done_at=datetime.now(UTC))
    account.change(Lead, over["lead_id"], scheduled_callback_id=None, scheduled_callback_at=None)
    end(account, over["lead_id"])
    neighbour = take(client, account.schedule_token, caller_id=OTHER_NUMBER)
    kept = book(account, neighbour, OTHER_NUMBER)
    before = (account.leads(), other.leads())
    put(client, account, blocked=True)
    assert (account.leads(), other.leads()) == before
    assert {row["id"]: row["cancelled_at"] for row in callbacks(account)} == {done: None, kept: None}
    assert [(row["id"], row["cancelled_at"]) for row in callbacks(other)] == [(anothers, None)]


def test_a_callback_is_cancelled_though_its_lead_has_another_number_since(
    client: FlaskClient, account: Account
) -> None:
    moved = take(client, account.schedule_token)
    book(account, moved)
    take(client, account.schedule_token, caller_id=OTHER_NUMBER)
    end(account, account.leads()[-1]["id"])
    account.change(Lead, moved["lead_id"], caller_id=OTHER_NUMBER, contact_id=contact_id(account, OTHER_NUMBER))
    put(client, account, blocked=True)
    [lead] = [lead for lead in account.leads() if lead["id"] == moved["lead_id"]]
    assert (lead["status"], lead["scheduled_callback_id"]) == ("scheduled", None)
    assert callbacks(account)[0]["cancelled_at"] is not None


def test_a_callback_of_a_lead_is_cancelled_by_the_number_that_it_has_now(client: FlaskClient, account: Account) -> None:
    answer = take(client, account.schedule_token)
    book(account, answer, OTHER_NUMBER)
    put(client, account, blocked=True)
    assert callbacks(account)[0]["cancelled_at"] is not None
    assert account.leads()[0]["scheduled_callback_id"] is None


def test_whatever_else_is_against_a_number_goes_before_its_opting_out(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token)
    statuses = []
    for sent in ({"opt_out": True}, {"suppressed": True}, {"suppressed": False, "blocked": True}):
        put(client, account, **sent)
        statuses.append(account.leads()[0]["status"])
    assert statuses == ["opt_out", "blocked", "blocked"]


def test_a_lead_that_stops_in_the_millisecond_of_its_making_has_another_version(
    client: FlaskClient, account: Account
) -> None:
    with time_machine.travel(NOW, tick=False):
        take(client, account.schedule_token)
        [before] = account.leads()
        put(client, account, blocked=True)
        [after] = account.leads()
    assert after["updated_at"] == before["updated_at"] + timedelta(milliseconds=1)


def test_lifting_starts_nothing_and_the_next_post_does(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token)
    put(client, account, blocked=True, opt_out=True)
    stopped = account.leads()
    contact = put(client, account, blocked=False, opt_out=False)
    assert [contact[name] for name in (*STATES, *STATES.values())] == [False] * 3 + [None] * 3
    assert account.leads() == stopped
    take(client, account.schedule_token, zip="1")
    [lead] = account.leads()
    assert (lead["status"], lead["next_action_id"]) == ("scheduled", account.action_id)


def test_saying_it_again_changes_nothing(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token)
    put(client, account, blocked=True)
    before = account.rows("select * from contact where company_id = :company_id"), account.leads()
    put(client, account, blocked=True, opt_out=False)
    assert (account.rows("select * from contact where company_id = :company_id"), account.leads()) == before


# Whoever posts meanwhile

_threads: list[Thread] = []


def in_time(work: Callable[[], Any]) -> None:
    """Begins work of somebody else, and waits until it is done, or has shown that it has to wait for us."""
    thread = Thread(target=work)
    thread.start()
    thread.join(A_WHILE)
    _threads.append(thread)


def settle() -> None:
    """Waits for whoever had to wait."""
    while _threads:
        _threads.pop().join(20)


def stopped(account: Account) -> bool:
    """Whether nothing is planned for the company's leads, of which there are some."""
    leads = account.leads()
    return bool(leads) and all((lead["status"], lead["next_action_at"]) == ("blocked", None) for lead in leads)


@pytest.mark.parametrize("way", ["contact", "list"])
def test_a_post_that_has_read_the_number_before_it_was_blocked_decides_again(
    client: FlaskClient, account: Account, database: str, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    # The next one makes a lead, which no update of leads that were there could have stopped.
    end(account, take(client, account.schedule_token)["lead_id"])
    read_state = state.read_state
    reads = []

    def then_block(*args: Any) -> Any:
        state = read_state(*args)
        reads.append(state)
        if len(reads) == 1:
            in_time(lambda: block(account, way))
        return state

    monkeypatch.setattr(state, "read_state", then_block)
    take(client, account.schedule_token, zip="1")
    settle()
    # On SQLite the block has to wait and comes second.
    assert len(reads) == (2 if database == "postgresql" else 1)
    lead = account.leads()[-1]
    assert (lead["status"], lead["is_live"], lead["next_action_at"]) == ("blocked", True, None)


@pytest.mark.parametrize("way", ["contact", "list"])
def test_a_post_in_the_middle_of_a_block_comes_after_it(
    client: FlaskClient, account: Account, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    take(client, account.schedule_token)
    answers: list[Json] = []
    stop = contacts.stop_numbers

    def with_a_post(*args: Any) -> None:
        def post() -> None:
            answers.append(take(account.app.test_client(), account.offer_token))

        in_time(post)
        assert answers == [], "the post has to wait until the block is committed"
        stop(*args)

    monkeypatch.setattr(contacts, "stop_numbers", with_a_post)
    block(account, way)
    settle()
    assert len(answers) == 1
    assert len(account.leads()) == 2
    assert stopped(account)


def block(account: Account, way: str) -> None:
    """Blocks the number, as its contact or by the suppression list."""
    client = account.app.test_client()
    if way == "contact":
        put(client, account, blocked=True)
        return
    answer = client.post(f"{CONTACTS}/suppression", json={"numbers": [NUMBER]}, headers=account.bearer)
    assert answer.status_code == 200, answer.get_json()


def test_among_many_posts_at_once_none_slips_through(client: FlaskClient, account: Account) -> None:
    tokens = [account.schedule_token, account.offer_token, account.vendor_token]
    take(client, account.schedule_token)

    def one(place: int) -> int:
        own = account.app.test_client()
        if place == 8:
            block(account, "contact")
            return 200
        return send(own, tokens[place % 3], sub_id=f"click-{place}").status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(one, range(24))) == {200}
    assert stopped(account)


# Many


@pytest.fixture(scope="module")
def crowd(app: Flask) -> Account:
    """A company with more numbers than one request looks at, made one after the other; only the first is blocked."""
    account = make_account(app)
    fill(account, REACH + 10)
    account.execute(
        "update contact set blocked_at = created_at where company_id = :company_id and created_at ="
        " (select min(created_at) from contact where company_id = :company_id)"
    )
    return account


def test_a_list_of_many_contacts_looks_so_far_and_its_cursor_goes_on(client: FlaskClient, crowd: Account) -> None:
    body = client.get(f"{CONTACTS}?blocked=true", headers=crowd.bearer).get_json()
    assert (body["contacts"], body["metadata"]["total_count"]) == ([], None)
    cursor = body["metadata"]["next_cursor"]
    body = client.get(f"{CONTACTS}?blocked=true&cursor={cursor}", headers=crowd.bearer).get_json()
    [first] = body["contacts"]
    assert (first["blocked"], body["metadata"]["next_cursor"]) == (True, None)
    # One number is found wherever it stands.
    found = client.get(CONTACTS, query_string={"number": first["caller_id"]}, headers=crowd.bearer).get_json()
    assert (found["contacts"], found["metadata"]["total_count"]) == ([first], 1)


def test_a_page_of_many_contacts_is_read_by_the_order_in_which_they_stand(client: FlaskClient, crowd: Account) -> None:
    """No look at all of them to find the newest fifty: the database names the index by which it reads."""
    queries: list[tuple[str, Any]] = []
    with crowd.app.app_context():
        engine = db.engine

        def note(connection: Any, cursor: Any, statement: str, values: Any, *about: Any) -> None:
            if statement.lower().startswith("select contact."):
                queries.append((statement, values))

        event.listen(engine, "before_cursor_execute", note)
        try:
            assert len(client.get(CONTACTS, headers=crowd.bearer).get_json()["contacts"]) == 50
        finally:
            event.remove(engine, "before_cursor_execute", note)
        explain = "explain query plan " if engine.dialect.name == "sqlite" else "explain "
        assert queries
        with engine.connect() as connection:
            for statement, values in queries:
                plan = " ".join(str(row) for row in connection.exec_driver_sql(explain + statement, values))
                assert "ix_contact_company_id_created_at" in plan
                assert "TEMP B-TREE" not in plan
                assert "Seq Scan" not in plan
