"""Which number of which pool a lead gets."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.numbers.rules import Number, Pool, choose, pick


def numbers(*texts: str) -> tuple[Number, ...]:
    """Numbers whose ids are their texts."""
    return tuple(Number(int(text), text) for text in texts)


WEST = Pool(id=1, kind="dial", position=1, name="West", filters={"state": ["CA", "or"]}, numbers=numbers("10", "11"))
AUTO = Pool(
    id=2, kind="dial", position=2, name="Auto", filters={"state": ["NY"], "kind": ["auto"]}, numbers=numbers("20")
)
LAST = Pool(id=3, kind="dial", position=3, name="Rest", filters={"state": ["TX"]}, numbers=numbers("30"))
SMS = Pool(id=4, kind="sms", position=0, name="SMS", numbers=numbers("40"))
POOLS = [LAST, SMS, AUTO, WEST]


@pytest.mark.parametrize(
    ("tokens", "pool", "rule"),
    [
        ({"state": "CA"}, 1, "the first pool whose filters match and that has numbers"),
        ({"state": " ca "}, 1, "the first pool whose filters match and that has numbers"),
        ({"state": "OR"}, 1, "the first pool whose filters match and that has numbers"),
        ({"state": "NY", "kind": "auto"}, 2, "the first pool whose filters match and that has numbers"),
        ({"state": "TX"}, 3, "the first pool whose filters match and that has numbers"),
        ({"state": "NY"}, 3, "no filters match: the last pool is the fallback"),
        ({"state": "NY", "kind": True}, 3, "no filters match: the last pool is the fallback"),
        ({}, 3, "no filters match: the last pool is the fallback"),
    ],
)
def test_the_first_pool_that_a_lead_matches_wins(tokens: dict[str, Any], pool: int, rule: str) -> None:
    number, why = choose(POOLS, "dial", tokens, "+17192221234", None)
    assert number is not None
    assert number.id // 10 == pool
    assert (why["step"], why["decided"], why["record"]) == ("assign_trackdrive_number", number.number, pool)
    assert why["rule"] == rule
    assert why["read"]["pools"] == [1, 2, 3]


def test_a_pool_without_numbers_is_passed_over() -> None:
    number, why = choose([replace(WEST, numbers=()), AUTO, LAST], "dial", {"state": "CA"}, "+1", None)
    assert number == Number(30, "30")
    assert why["read"]["matching"] == [1]


@pytest.mark.parametrize(
    ("pools", "rule"),
    [
        ([], "no pool of kind dial"),
        ([SMS], "no pool of kind dial"),
        ([WEST, replace(LAST, numbers=())], "the last pool of kind dial has no numbers"),
    ],
)
def test_without_a_number_there_is_a_reason(pools: list[Pool], rule: str) -> None:
    number, why = choose(pools, "dial", {"state": "TX"}, "+1", None)
    assert (number, why["decided"], why["record"], why["rule"]) == (None, None, None, rule)


def test_numbers_for_messages_are_of_their_own_pools() -> None:
    number, why = choose(POOLS, "sms", {}, "+1", "10")
    assert (number, why["step"]) == (Number(40, "40"), "assign_sms_number")


def test_a_lead_keeps_its_number_while_any_pool_has_it() -> None:
    number, why = choose(POOLS, "dial", {"state": "CA"}, "+1", "20")
    assert (number, why["record"], why["rule"]) == (Number(20, "20"), 2, "the lead keeps the number that it has")
    assert why["read"]["held"] == "20"
    gone, _ = choose(POOLS, "dial", {"state": "CA"}, "+1", "99")
    assert gone in WEST.numbers


def test_a_filter_that_accepts_no_text_matches_nobody_and_none_matches_all() -> None:
    assert not replace(WEST, filters={"state": []}).matches({"state": "CA"})
    assert replace(WEST, filters={}).matches({})


def test_of_one_position_the_older_pool_is_first() -> None:
    pools = [replace(SMS, id=6, numbers=numbers("60")), SMS]
    assert choose(pools, "sms", {}, "+1", None)[0] == Number(40, "40")


@given(st.sets(st.integers(1, 99), min_size=1), st.integers(100, 199), st.text("0123456789", min_size=5))
def test_a_further_number_moves_only_the_leads_that_it_takes(ids: set[int], further: int, caller_id: str) -> None:
    before = numbers(*map(str, sorted(ids)))
    after = numbers(str(further), *map(str, sorted(ids, reverse=True)))
    assert pick(after, caller_id) in (pick(before, caller_id), Number(further, str(further)))


def test_leads_are_spread_over_a_pool() -> None:
    pool = numbers(*map(str, range(4)))
    taken = [pick(pool, f"+1719222{lead:04}") for lead in range(1000)]
    assert all(200 < taken.count(number) < 300 for number in pool)
