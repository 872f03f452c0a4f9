"""Callbacks: a lead has one that is open, and it goes when the lead does."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient

from server.contacts.models import Contact
from server.leads.models import Callback, Lead
from tests.api.calls import LEADS, NOW, NUMBER, OTHER_NUMBER, PAGE, Json, send, take, taken, warned
from tests.factories import Account

AT = datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)
LATER = datetime(2027, 2, 3, 4, 5, 6, tzinfo=UTC)
DUE = AT.isoformat(timespec="milliseconds")


def book(client: FlaskClient, token: str, at: datetime = AT, **sent: Any) -> Json:
    """A lead that wants to be called at that time."""
    return take(client, token, schedule_callback_at=at.isoformat(), **sent)


def callbacks(account: Account) -> list[dict[str, Any]]:
    """Every callback of the company, oldest first."""
    return account.rows("select * from callback where company_id = :company_id order by created_at, id")


def the_open(account: Account) -> list[tuple[str, datetime]]:
    """Of each open callback the lead and the time; the lead's own row says the same."""
    rows = [row for row in callbacks(account) if row["done_at"] is None and row["cancelled_at"] is None]
    held = {(row["lead_id"], row["id"], row["due_at"]) for row in rows}
    leads = [lead for lead in account.leads() if lead["scheduled_callback_id"]]
    assert held == {(lead["id"], lead["scheduled_callback_id"], lead["scheduled_callback_at"]) for lead in leads}
    return [(row["lead_id"], row["due_at"]) for row in rows]


# Booking


def test_a_callback_is_booked_and_told(client: FlaskClient, account: Account) -> None:
    body = book(client, account.schedule_token)
    assert (body["warnings"], body["lead"]["scheduled_callback_at"]) == ([], DUE)
    [row] = callbacks(account)
    assert row["due_at"] == AT
    assert (row["lead_id"], row["caller_id"]) == (body["lead_id"], NUMBER)
    assert row["submission_id"] == body["metadata"]["submission_id"]
    assert (row["done_at"], row["cancelled_at"]) == (None, None)


@pytest.mark.parametrize("seconds", ["0", "90", "31536000"])
def test_seconds_count_from_the_request(client: FlaskClient, account: Account, seconds: str) -> None:
    with time_machine.travel(NOW, tick=False):
        body = take(client, account.schedule_token, schedule_callback_in_seconds=seconds)
    assert the_open(account) == [(body["lead_id"], NOW + timedelta(seconds=int(seconds)))]


def test_a_time_wins_over_seconds(client: FlaskClient, account: Account) -> None:
    body = book(client, account.schedule_token, schedule_callback_in_seconds="60")
    assert warned(body) == [("schedule_callback_in_seconds", "no_effect")]
    assert the_open(account) == [(body["lead_id"], AT)]


def test_a_lead_of_an_offer_can_be_called_back_too(client: FlaskClient, account: Account) -> None:
    body = book(client, account.offer_token)
    assert body["lead"]["scheduled_callback_at"] == DUE
    assert the_open(account) == [(body["lead_id"], AT)]


def test_a_callback_leaves_the_next_action_as_it_is_planned(client: FlaskClient, account: Account) -> None:
    before = take(client, account.schedule_token)["lead"]["next_action_at"]
    assert book(client, account.schedule_token, zip="1")["lead"]["next_action_at"] == before


def test_explain_says_that_a_callback_is_booked_and_that_it_is_moved(client: FlaskClient, account: Account) -> None:
    said = []
    for at in (AT, LATER):
        body = book(client, account.schedule_token, at, explain=True)
        [step] = [step for step in body["why"] if step["step"] == "callback"]
        said.append((step["rule"], step["decided"]))
    assert [rule for rule, _ in said] == ["a callback is booked", "the lead's callback is moved"]
    assert [datetime.fromisoformat(decided) for _, decided in said] == [AT, LATER]


def test_a_dry_run_books_nothing(client: FlaskClient, account: Account) -> None:
    body = book(client, account.schedule_token, dry_run=True)
    assert body["lead"]["scheduled_callback_at"] == DUE
    assert callbacks(account) == []


# One for each lead


def test_a_second_request_moves_the_callback(client: FlaskClient, account: Account) -> None:
    book(client, account.schedule_token)
    [first] = callbacks(account)
    body = book(client, account.schedule_token, LATER)
    [moved] = callbacks(account)
    assert (moved["id"], moved["due_at"]) == (first["id"], LATER)
    assert moved["submission_id"] == body["metadata"]["submission_id"]
    assert the_open(account) == [(body["lead_id"], LATER)]


def test_who_says_nothing_of_it_leaves_the_callback(client: FlaskClient, account: Account) -> None:
    book(client, account.schedule_token)
    body = take(client, account.schedule_token, zip="1", schedule_callback_at="")
    assert the_open(account) == [(body["lead_id"], AT)]
    assert body["lead"]["scheduled_callback_at"] == DUE


def test_a_double_click_books_once(client: FlaskClient, account: Account) -> None:
    first, second = (book(client, account.schedule_token) for _ in range(2))
    assert (first["action"], second["action"]) == ("created", "unchanged")
    assert len(callbacks(account)) == 1


def test_a_callback_that_is_done_makes_room_for_another(client: FlaskClient, account: Account) -> None:
    lead_id = book(client, account.schedule_token)["lead_id"]
    [first] = callbacks(account)
    done(account, lead_id)
    body = book(client, account.schedule_token, LATER)
    assert the_open(account) == [(body["lead_id"], LATER)]
    assert [row["id"] == first["id"] for row in callbacks(account)] == [True, False]


def done(account: Account, lead_id: str) -> None:
    """As if the lead had been called back."""
    [row] = callbacks(account)
    account.change(Callback, row["id"], done_at=datetime.now(UTC))
    account.change(Lead, lead_id, scheduled_callback_id=None, scheduled_callback_at=None)


def test_two_leads_of_a_number_have_a_callback_each(client: FlaskClient, account: Account) -> None:
    schedules = book(client, account.schedule_token)["lead_id"]
    offers = book(client, account.offer_token, LATER)["lead_id"]
    assert set(the_open(account)) == {(schedules, AT), (offers, LATER)}


# How it goes


@pytest.mark.parametrize("stop", ["blocked", "opt_out"])
def test_a_number_that_is_stopped_is_called_back_by_no_lead(client: FlaskClient, account: Account, stop: str) -> None:
    book(client, account.schedule_token)
    book(client, account.offer_token)
    other = book(client, account.schedule_token, caller_id=OTHER_NUMBER)["lead_id"]
    body = take(client, account.schedule_token, **{stop: True})
    assert body["lead"]["scheduled_callback_at"] is None
    assert the_open(account) == [(other, AT)]
    assert len(callbacks(account)) == 3


@pytest.mark.parametrize("stop", ["blocked", "opt_out"])
def test_a_page_that_stops_a_number_stops_its_callbacks(client: FlaskClient, account: Account, stop: str) -> None:
    book(client, account.schedule_token)
    book(client, account.offer_token)
    take(client, account.publishable_token, **{stop: True})
    assert the_open(account) == []


@pytest.mark.parametrize("stop", ["blocked", "opt_out"])
def test_none_is_booked_for_a_number_that_is_stopped(client: FlaskClient, account: Account, stop: str) -> None:
    for sent in ({stop: True}, {}):
        body = book(client, account.schedule_token, **sent)
        assert warned(body) == [("schedule_callback_at", "no_effect")]
        assert body["lead"]["scheduled_callback_at"] is None
    assert callbacks(account) == []


def test_none_is_booked_for_a_number_on_the_suppression_list(client: FlaskClient, account: Account) -> None:
    book(client, account.schedule_token)
    [contact] = account.rows("select id from contact where company_id = :company_id")
    account.change(Contact, contact["id"], suppressed_at=datetime.now(UTC))
    body = book(client, account.schedule_token, LATER)
    assert warned(body) == [("schedule_callback_at", "no_effect")]
    assert the_open(account) == []


def test_who_lifts_a_block_may_book_in_the_same_breath(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token, blocked=True)
    body = book(client, account.schedule_token, headers=account.bearer, unblock_contact=True)
    assert the_open(account) == [(body["lead_id"], AT)]


def test_lifting_a_block_brings_no_callback_back(client: FlaskClient, account: Account) -> None:
    book(client, account.schedule_token, blocked=False)
    take(client, account.schedule_token, blocked=True)
    take(client, account.schedule_token, headers=account.bearer, unblock_contact=True)
    assert the_open(account) == []


@pytest.mark.parametrize(
    "path",
    [
        "{lead}/lead_remove",
        "{lead}/lead_opt_out",
        "{lead}/lead_move_to_end_of_schedule",
        "{number}/caller_remove",
        "{number}/caller_opt_out",
        "{number}/caller_move_to_end_of_schedule",
    ],
)
def test_a_lead_that_is_ended_by_name_is_not_called_back(client: FlaskClient, account: Account, path: str) -> None:
    lead = book(client, account.schedule_token)["lead_id"]
    url = f"{LEADS}/{path.format(lead=lead, number=NUMBER.replace('+', '%2B'))}"
    body = taken(client.put(url, json={"lead_token": account.schedule_token}))
    assert (body["lead"]["scheduled_callback_at"], the_open(account)) == (None, [])
    [row] = callbacks(account)
    assert row["cancelled_at"] is not None


@pytest.mark.parametrize("wish", ["expire_existing", "delete_existing"])
def test_a_lead_that_makes_way_is_not_called_back(client: FlaskClient, account: Account, wish: str) -> None:
    book(client, account.schedule_token)
    take(client, account.schedule_token, **{wish: True})
    assert the_open(account) == []
    assert [row["cancelled_at"] is not None for row in callbacks(account)] == [True]


@pytest.mark.parametrize("wish", ["expire_existing", "delete_existing"])
def test_the_lead_that_follows_has_a_callback_of_its_own(client: FlaskClient, account: Account, wish: str) -> None:
    book(client, account.schedule_token)
    body = book(client, account.schedule_token, LATER, **{wish: True})
    assert the_open(account) == [(body["lead_id"], LATER)]
    assert len(callbacks(account)) == 2


@pytest.mark.parametrize("term", ["hours_to_expire", "expires_in"])
def test_a_lead_that_has_run_out_of_time_is_not_called_back(client: FlaskClient, account: Account, term: str) -> None:
    with time_machine.travel(NOW, tick=False):
        old = book(client, account.schedule_token, **{term: 1})["lead_id"]
    with time_machine.travel(NOW + timedelta(hours=2), tick=False):
        new = take(client, account.schedule_token, zip="1")["lead_id"]
    assert old != new
    assert the_open(account) == []


def test_a_lead_that_is_deleted_is_not_called_back(client: FlaskClient, account: Account) -> None:
    lead = book(client, account.schedule_token)["lead_id"]
    assert client.delete(f"{LEADS}/{lead}", headers=account.bearer).status_code == 200
    assert the_open(account) == []


def test_a_person_may_book_and_move_a_callback(client: FlaskClient, account: Account) -> None:
    lead = take(client, account.schedule_token)["lead_id"]
    for at in (AT, LATER):
        sent = {"schedule_callback_at": at.isoformat()}
        taken(client.put(f"{LEADS}/{lead}", json=sent, headers=account.bearer))
        assert the_open(account) == [(lead, at)]


# Publishable powers


def test_a_page_books_none_unless_its_token_may(client: FlaskClient, account: Account) -> None:
    for sent in ({"schedule_callback_at": AT.isoformat()}, {"schedule_callback_in_seconds": "60"}):
        body = take(client, account.publishable_token, **sent)
        assert warned(body) == [(*sent, "needs_server_token")]
        assert body["lead"]["scheduled_callback_at"] is None
    assert callbacks(account) == []


def test_a_page_whose_token_may_books_one(client: FlaskClient, account: Account) -> None:
    token = account.token(kind="publishable", allows_callbacks=True)
    body = book(client, token)
    assert (body["warnings"], body["lead"]["scheduled_callback_at"]) == ([], DUE)
    [lead] = account.leads()
    assert the_open(account) == [(lead["id"], AT)]


def test_a_servers_token_in_a_page_books_as_its_owner_allows(client: FlaskClient, account: Account) -> None:
    may, may_not = account.token(allows_callbacks=True), account.token()
    answers = [
        taken(send(client, token, headers={"Origin": PAGE}, caller_id=number, schedule_callback_in_seconds="60"))
        for token, number in ((may, NUMBER), (may_not, OTHER_NUMBER))
    ]
    assert [warned(body) for body in answers] == [[], [("schedule_callback_in_seconds", "needs_server_token")]]
    assert [row["caller_id"] for row in callbacks(account)] == [NUMBER]


def test_a_page_adds_a_callback_to_a_lead_that_has_none(client: FlaskClient, account: Account) -> None:
    lead = take(client, account.schedule_token)["lead_id"]
    book(client, account.token(kind="publishable", allows_callbacks=True))
    assert the_open(account) == [(lead, AT)]


def test_a_page_never_moves_a_callback_and_never_learns_of_one(client: FlaskClient, account: Account) -> None:
    token = account.token(kind="publishable", allows_callbacks=True)
    lead = book(client, account.schedule_token)["lead_id"]
    known = book(client, token, LATER)
    unknown = book(client, token, LATER, caller_id=OTHER_NUMBER)
    assert the_open(account)[0] == (lead, AT)
    assert known["warnings"] == unknown["warnings"] == []
    assert known["lead"]["scheduled_callback_at"] == unknown["lead"]["scheduled_callback_at"]


def test_a_page_does_not_learn_that_a_number_is_not_called_back(client: FlaskClient, account: Account) -> None:
    token = account.token(kind="publishable", allows_callbacks=True)
    take(client, account.schedule_token, blocked=True)
    body = book(client, token)
    assert (body["warnings"], body["lead"]["scheduled_callback_at"]) == ([], DUE)
    assert callbacks(account) == []
