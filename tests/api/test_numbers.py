"""The numbers that a lead is shown: from the pools of its schedule, and kept as long as a pool has them."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from server.numbers.models import Number, NumberPool
from server.numbers.rules import STEPS
from server.schedules.models import Schedule
from tests.api.calls import LEADS, NUMBER, OTHER_NUMBER, Json, send, take, taken, warned
from tests.factories import Account, make_account

# By kind of pool: the wish, the lead's column and how the answer shows it.
KINDS = {
    "dial": ("assign_trackdrive_number", "trackdrive_number", "trackdrive_number_plain"),
    "sms": ("assign_sms_number", "sms_number", "sms_number_plain"),
}
each_kind = pytest.mark.parametrize("kind", KINDS)
DIAL, SMS = "assign_trackdrive_number", "assign_sms_number"
LAST = 10_000


def make_number(account: Account, number: str) -> int:
    return account.add(Number(company_id=account.company_id, number=number))


def pool(account: Account, *numbers: str, kind: str = "dial", **about: Any) -> int:
    """A pool of the schedule with these numbers, at the place after those that there are."""
    known = account.rows("select id, number from number where company_id = :company_id and deleted_at is null")
    ids = {row["number"]: row["id"] for row in known}
    [row] = account.rows("select count(*) as number from number_pool where company_id = :company_id")
    about = {"schedule_id": account.schedule_id, "position": row["number"] + 1} | about
    number_ids = [ids.get(number) or make_number(account, number) for number in numbers]
    return account.add(NumberPool(company_id=account.company_id, kind=kind, name="P", number_ids=number_ids, **about))


def some(start: int, count: int = 5) -> list[str]:
    return [f"+1719555{start + number:04}" for number in range(count)]


def number_of(account: Account, body: Json, kind: str = "dial") -> str | None:
    """The number that the lead has; the answer shows the same."""
    _, column, shown = KINDS[kind]
    [lead] = [lead for lead in account.leads() if lead["id"] == body["lead_id"]]
    assert lead[column] == body["lead"][shown]
    number: str | None = lead[column]
    return number


def step(body: Json, kind: str = "dial") -> Json:
    """Why this number."""
    [found] = [each for each in body["why"] if each["step"] == STEPS[kind]]
    return dict(found)


@each_kind
def test_a_lead_gets_a_number_of_its_schedules_pool(client: FlaskClient, account: Account, kind: str) -> None:
    wish, column, _ = KINDS[kind]
    numbers = some(1000)
    pool(account, *numbers, kind=kind)
    body = take(client, account.schedule_token, **{wish: True})
    assert number_of(account, body, kind) in numbers
    assert body["warnings"] == []
    [lead] = account.leads()
    assert {name for _, name, _ in KINDS.values() if lead[name]} == {column}


def test_both_kinds_can_be_wished_at_once(client: FlaskClient, account: Account) -> None:
    pool(account, "+17195551000", kind="dial")
    pool(account, "+17195552000", kind="sms")
    body = take(client, account.schedule_token, **{DIAL: True, SMS: True})
    assert (number_of(account, body, "dial"), number_of(account, body, "sms")) == ("+17195551000", "+17195552000")


@each_kind
@pytest.mark.parametrize("wished", [None, "", False, "no"])
def test_who_does_not_wish_one_gets_none(client: FlaskClient, account: Account, kind: str, wished: Any) -> None:
    pool(account, *some(1000), kind=kind)
    body = take(client, account.schedule_token, **{KINDS[kind][0]: wished})
    assert (number_of(account, body, kind), body["warnings"]) == (None, [])


# Which pool


def test_the_first_pool_whose_filters_match_wins(client: FlaskClient, account: Account) -> None:
    pool(account, "+17195551000", filters={"state": ["TX"]})
    pool(account, "+17195551001", filters={"state": ["CA", "California"]})
    second = pool(account, "+17195551002", filters={"state": ["CA"]})
    pool(account, "+17195551003")
    body = take(client, account.schedule_token, state=" california ", explain=True, **{DIAL: True})
    assert number_of(account, body) == "+17195551001"
    assert step(body)["rule"] == "the first pool whose filters match and that has numbers"
    assert second not in step(body)["read"]["matching"]


def test_places_decide_and_not_when_a_pool_was_made(client: FlaskClient, account: Account) -> None:
    pool(account, "+17195551000", position=2)
    pool(account, "+17195551001", position=1)
    assert number_of(account, take(client, account.schedule_token, **{DIAL: True})) == "+17195551001"


def test_a_pool_without_numbers_is_passed_over(client: FlaskClient, account: Account) -> None:
    pool(account, filters={"state": ["CA"]})
    pool(account, "+17195551001", filters={"state": ["CA"]})
    pool(account, "+17195551002")
    assert number_of(account, take(client, account.schedule_token, state="CA", **{DIAL: True})) == "+17195551001"


def test_the_last_pool_is_for_all_whom_no_other_takes(client: FlaskClient, account: Account) -> None:
    pool(account, "+17195551000", filters={"state": ["TX"]})
    pool(account, "+17195551001", filters={"state": ["CA"]})
    body = take(client, account.schedule_token, state="NY", explain=True, **{DIAL: True})
    assert number_of(account, body) == "+17195551001"
    assert step(body)["rule"] == "no filters match: the last pool is the fallback"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("traffic_source_id", "google_ads"),
        ("sub_id", "a1"),
        ("email", "john@example.com"),
        ("caller_id", NUMBER),
        ("zip", 80903),
    ],
)
def test_filters_look_at_tokens_and_at_the_leads_own_fields(
    client: FlaskClient, account: Account, name: str, value: Any
) -> None:
    pool(account, "+17195551000", filters={name: [str(value)]})
    pool(account, "+17195551001")
    assert number_of(account, take(client, account.schedule_token, **{DIAL: True, name: value})) == "+17195551000"


def test_filters_look_at_what_is_stored_as_well(client: FlaskClient, account: Account) -> None:
    pool(account, "+17195551000", filters={"state": ["CA"]})
    pool(account, "+17195551001")
    take(client, account.schedule_token, state="CA")
    assert number_of(account, take(client, account.schedule_token, **{DIAL: True})) == "+17195551000"


def test_pools_of_another_schedule_or_company_give_nothing(client: FlaskClient, account: Account) -> None:
    other = account.add(Schedule(company_id=account.company_id, offer_id=account.offer_id, name="Other"))
    pool(account, "+17195551000", schedule_id=other)
    pool(make_account(account.app), "+17195552000")
    body = take(client, account.schedule_token, **{DIAL: True})
    assert (number_of(account, body), warned(body)) == (None, [(DIAL, "no_number")])
    body = take(client, account.token(owner_id=other), zip="1", **{DIAL: True})
    assert number_of(account, body) == "+17195551000"


def test_numbers_are_spread_and_a_new_one_moves_few_leads(client: FlaskClient, account: Account) -> None:
    row = pool(account, *some(1000, 4))
    leads = [f"+1719222{1000 + number}" for number in range(40)]

    def shown() -> dict[str, str | None]:
        sent: Json = {DIAL: True, "dry_run": True}
        answers = [(number, take(client, account.schedule_token, caller_id=number, **sent)) for number in leads]
        return {number: body["lead"]["trackdrive_number_plain"] for number, body in answers}

    before = shown()
    assert set(before.values()) == set(some(1000, 4))
    assert max(Counter(before.values()).values()) < 25
    ids = [each["id"] for each in account.rows("select id from number where company_id = :company_id order by id")]
    account.change(NumberPool, row, number_ids=[*ids, make_number(account, "+17195559999")])
    moved = {number: told for number, told in shown().items() if told != before[number]}
    assert set(moved.values()) == {"+17195559999"}
    assert len(moved) < 20


# Sticky


@each_kind
def test_a_lead_keeps_its_number(client: FlaskClient, account: Account, kind: str) -> None:
    wish = KINDS[kind][0]
    numbers = some(1000)
    row = pool(account, *numbers, kind=kind)
    first = number_of(account, take(client, account.schedule_token, **{wish: True}), kind)
    # A pool in front takes those who come from now on.
    pool(account, "+17195552000", kind=kind, position=0)
    body = take(client, account.schedule_token, zip="1", explain=True, **{wish: True})
    assert number_of(account, body, kind) == first
    assert step(body, kind)["rule"] == "the lead keeps the number that it has"
    assert step(body, kind)["record"] == row
    newcomer = take(client, account.schedule_token, caller_id=OTHER_NUMBER, **{wish: True})
    assert number_of(account, newcomer, kind) == "+17195552000"


def test_a_lead_keeps_its_number_when_nobody_wishes_one(client: FlaskClient, account: Account) -> None:
    pool(account, *some(1000))
    first = number_of(account, take(client, account.schedule_token, **{DIAL: True}))
    for sent in ({"zip": "1"}, {"zip": "2", DIAL: False}, {"zip": "3", DIAL: ""}):
        assert number_of(account, take(client, account.schedule_token, **sent)) == first


def deleted(account: Account, number: str, row: int) -> None:
    [stored] = account.rows("select id from number where company_id = :company_id and number = :number", number=number)
    account.change(Number, stored["id"], deleted_at=datetime.now(UTC))


def taken_out(account: Account, number: str, row: int) -> None:
    kept = account.rows("select id from number where company_id = :company_id and number != :number", number=number)
    account.change(NumberPool, row, number_ids=[each["id"] for each in kept])


@each_kind
@pytest.mark.parametrize("goes", [deleted, taken_out], ids=lambda goes: goes.__name__)
def test_a_number_that_no_pool_has_any_more_gives_way_to_a_new_one(
    client: FlaskClient, account: Account, kind: str, goes: Callable[[Account, str, int], None]
) -> None:
    wish = KINDS[kind][0]
    row = pool(account, *some(1000), kind=kind)
    first = number_of(account, take(client, account.schedule_token, **{wish: True}), kind)
    assert first is not None
    goes(account, first, row)
    second = number_of(account, take(client, account.schedule_token, zip="1", **{wish: True}), kind)
    assert second in set(some(1000)) - {first}
    assert number_of(account, take(client, account.schedule_token, zip="2", **{wish: True}), kind) == second


def test_a_lead_that_is_ended_and_comes_again_is_a_new_one(client: FlaskClient, account: Account) -> None:
    pool(account, *some(1000))
    first = take(client, account.schedule_token, **{DIAL: True})
    second = take(client, account.schedule_token, expire_existing=True, zip="1")
    assert (number_of(account, second), second["lead_id"] == first["lead_id"]) == (None, False)


# None to give


@each_kind
def test_an_empty_pool_gives_null_and_a_warning(client: FlaskClient, account: Account, kind: str) -> None:
    wish = KINDS[kind][0]
    pool(account, kind=kind)
    body = take(client, account.schedule_token, **{wish: True})
    assert (number_of(account, body, kind), warned(body)) == (None, [(wish, "no_number")])


def test_no_pool_gives_null_and_a_warning_that_says_so(client: FlaskClient, account: Account) -> None:
    pool(account, *some(1000), kind="sms")
    body = take(client, account.schedule_token, **{DIAL: True})
    assert (number_of(account, body), warned(body)) == (None, [(DIAL, "no_number")])
    assert "no pool of kind dial" in body["warnings"][0]["message"]


def test_a_deleted_pool_gives_nothing(client: FlaskClient, account: Account) -> None:
    row = pool(account, *some(1000))
    account.change(NumberPool, row, deleted_at=datetime.now(UTC))
    assert warned(take(client, account.schedule_token, **{DIAL: True})) == [(DIAL, "no_number")]


def test_the_lead_is_taken_all_the_same(client: FlaskClient, account: Account) -> None:
    body = take(client, account.schedule_token, zip="1", **{DIAL: True, SMS: True})
    assert (body["action"], body["lead"]["data"]) == ("created", {"zip": "1"})
    assert sorted(warned(body)) == [(SMS, "no_number"), (DIAL, "no_number")]


def test_a_lead_of_an_offer_is_in_no_schedule_that_has_pools(client: FlaskClient, account: Account) -> None:
    pool(account, *some(1000))
    body = take(client, account.offer_token, **{DIAL: True})
    assert (number_of(account, body), warned(body)) == (None, [(DIAL, "no_number")])


def test_a_lead_elsewhere_under_the_offer_gets_a_number_of_its_own_schedule(
    client: FlaskClient, account: Account
) -> None:
    pool(account, "+17195551000")
    lead = take(client, account.schedule_token)["lead_id"]
    sent = {"lead_token": account.offer_token, "caller_id": NUMBER, DIAL: True}
    body = taken(client.post(f"{LEADS}/create_or_update", json=sent))
    assert (body["lead_id"], number_of(account, body), body["warnings"]) == (lead, "+17195551000", [])


# Publishable powers


@each_kind
def test_a_page_shows_its_visitor_the_number_that_the_lead_has(
    client: FlaskClient, account: Account, kind: str
) -> None:
    wish, column, shown = KINDS[kind]
    pool(account, *some(1000), kind=kind)
    body = take(client, account.publishable_token, **{wish: True})
    [lead] = account.leads()
    assert body["lead"][shown] == lead[column] is not None


@each_kind
def test_a_page_does_not_learn_by_its_number_that_a_lead_is_there(
    client: FlaskClient, account: Account, kind: str
) -> None:
    wish, column, shown = KINDS[kind]
    pool(account, *some(1000), kind=kind)
    held = number_of(account, take(client, account.schedule_token, **{wish: True}), kind)
    pool(account, "+17195552000", kind=kind, position=0)
    # The lead keeps its number; the page is told the one that a stranger would have.
    body = take(client, account.publishable_token, **{wish: True})
    [lead] = account.leads()
    assert lead[column] == held
    assert (body["lead"][shown], body["warnings"]) == ("+17195552000", [])


def test_a_page_does_not_learn_by_filters_what_is_stored(client: FlaskClient, account: Account) -> None:
    pool(account, "+17195551000", filters={"state": ["CA"]})
    pool(account, "+17195551001")
    take(client, account.schedule_token, state="CA")
    assert take(client, account.publishable_token, **{DIAL: True})["lead"]["trackdrive_number_plain"] == "+17195551001"


def test_a_page_hears_of_an_empty_pool_whoever_its_visitor_is(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token)
    known, unknown = (
        take(client, account.publishable_token, caller_id=number, **{DIAL: True}) for number in (NUMBER, OTHER_NUMBER)
    )
    assert warned(known) == warned(unknown) == [(DIAL, "no_number")]


def test_a_vendor_is_told_a_number_and_nothing_of_what_others_have_sent(client: FlaskClient, account: Account) -> None:
    pool(account, "+17195551000", filters={"state": ["CA"]})
    pool(account, "+17195551001")
    take(client, account.schedule_token, state="CA")
    body = taken(send(client, account.vendor_token, **{DIAL: True}))
    assert body["lead"]["trackdrive_number_plain"] == "+17195551001"


@each_kind
@pytest.mark.parametrize("goes", [deleted, taken_out], ids=lambda goes: goes.__name__)
def test_a_page_never_takes_a_number_away_from_a_lead(
    client: FlaskClient, account: Account, kind: str, goes: Callable[[Account, str, int], None]
) -> None:
    wish, column, shown = KINDS[kind]
    row = pool(account, *some(1000, 2), kind=kind)
    held = number_of(account, take(client, account.schedule_token, **{wish: True}), kind)
    goes(account, str(held), row)
    [other] = set(some(1000, 2)) - {str(held)}
    assert take(client, account.publishable_token, **{wish: True})["lead"][shown] == other
    [lead] = account.leads()
    assert lead[column] == held
