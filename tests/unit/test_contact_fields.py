"""What a contact field takes, and which contact fields can be kept."""

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.lib.pattern import LONGEST_TEXT, Matcher
from server.offers.contact_fields import (
    ContactField,
    ContactFieldType,
    field_errors,
    find_type,
    problem_with,
    value_problem,
)
from server.offers.value_types import READERS
from tests.unit import table


def field(**about: Any) -> ContactField:
    """A contact field that could be kept."""
    known: dict[str, Any] = {"key": "zip", "name": "ZIP code"} | about
    return ContactField(**known | {"options": tuple(known.get("options", ()))})


ZIP = field(pattern=r"\d{5}", required=True, position=2)
AGE = field(key="age", value_type="integer", minimum=18, position=1)
EMAIL = field(key="email", required=True, position=3)
CAR = field(key="car", required=True, contact_field_type_id=7, position=4)
FIELDS = [ZIP, CAR, EMAIL, AGE]


@pytest.mark.parametrize("row", table("contact_field_values.csv"), ids=lambda row: row["case"])
def test_a_value_is_what_its_field_says_or_told_what_it_has_to_be(row: dict[str, str]) -> None:
    judged = field(**json.loads(row["field"]))
    assert problem_with(judged) == {}
    assert value_problem(judged, json.loads(row["value"]), Matcher()) == (row["problem"] or None)


@pytest.mark.parametrize("row", table("wrong_contact_fields.csv"), ids=lambda row: row["case"])
def test_a_field_that_makes_no_sense_is_not_kept(row: dict[str, str]) -> None:
    problems = problem_with(field(**json.loads(row["field"])))
    assert list(problems) == [row["attribute"]]
    assert row["says"] in problems[row["attribute"]][0]


def test_several_mistakes_of_a_field_are_told_at_once() -> None:
    wrong = field(key="?", name="", pattern="(", value_type="integer", minimum="x", maximum="y")
    assert set(problem_with(wrong)) == {"key", "name", "pattern", "minimum", "maximum"}


def test_all_that_is_wrong_is_told_in_the_order_of_the_fields() -> None:
    errors = field_errors(FIELDS, 7, {"age": "17", "zip": "x"}, {"age", "zip"})
    assert list(errors.items()) == [
        ("data.age", ["must be at least 18"]),
        ("data.zip", [r"must match the pattern \d{5}"]),
        ("email", ["is missing"]),
        ("data.car", ["is missing"]),
    ]


@pytest.mark.parametrize(("type_id", "asked"), [(7, True), (8, False), (None, False)])
def test_a_field_of_a_type_is_asked_only_of_leads_of_that_type(type_id: int | None, asked: bool) -> None:
    values = {"zip": "90210", "email": "a@example.com"}
    assert (field_errors(FIELDS, type_id, values, values) == {"data.car": ["is missing"]}) == asked
    assert (field_errors(FIELDS, type_id, values, values) == {}) != asked


@pytest.mark.parametrize("blank", [None, "", " \t"])
def test_a_blank_value_is_missing_and_that_is_wrong_only_where_it_is_required(blank: str | None) -> None:
    values = {"zip": blank, "age": blank, "email": "a@example.com"}
    assert field_errors(FIELDS, None, values, values) == {"data.zip": ["is missing"]}


def test_what_is_stored_satisfies_a_required_field_and_is_not_judged_again() -> None:
    values = {"zip": "stored before the pattern", "age": 17, "email": "a@example.com"}
    assert field_errors(FIELDS, None, values, set()) == {}
    assert field_errors(FIELDS, None, values, {"age"}) == {"data.age": ["must be at least 18"]}


def test_two_fields_of_one_key_both_count() -> None:
    errors = field_errors([AGE, field(key="age", pattern="1.")], None, {"age": "7"}, {"age"})
    assert errors == {"data.age": ["must match the pattern 1.", "must be at least 18"]}


def test_of_a_long_list_a_message_names_the_first() -> None:
    problem = value_problem(field(options=[str(each) for each in range(1000)]), "x", Matcher())
    assert problem is not None
    assert problem.endswith("`19`, …")


def test_a_text_that_no_pattern_reads_is_told_its_length() -> None:
    assert value_problem(field(pattern=".*"), "x" * 1000, Matcher()) is None
    assert value_problem(field(pattern=".*"), "x" * 1001, Matcher()) == "must be at most 1000 characters long"


def test_a_type_is_named_by_its_key_before_its_id() -> None:
    auto, odd = ContactFieldType(1, "auto", "Auto"), ContactFieldType(2, "1", "Odd")
    assert find_type([auto, odd], "auto") == auto
    assert find_type([auto, odd], "1") == odd
    assert find_type([auto], "1") == auto
    assert find_type([auto, odd], "Auto") is None


@given(
    st.sampled_from(sorted(READERS)),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
        max_leaves=3,
    ),
)
@settings(deadline=None, max_examples=300)
def test_whatever_is_sent_is_taken_or_told_what_it_must_be(value_type: str, value: Any) -> None:
    problem = value_problem(field(value_type=value_type), value, Matcher())
    assert problem is None or problem.startswith("must be ")


def test_the_patterns_of_one_lead_share_one_budget() -> None:
    slow = [field(key=f"note_{number}", name="Note", pattern=".*" * 99, position=number) for number in range(50)]
    values = {each.key: "x" * (LONGEST_TEXT - number) for number, each in enumerate(slow)}
    began = time.process_time()
    errors = field_errors(slow, None, values, values)
    assert time.process_time() - began < 1
    # One by one each of them is compared, and matches.
    assert field_errors(slow[-1:], None, values, values) == {}
    assert {text.split(" with ")[0] for [text] in errors.values()} == {"takes too long to compare"}
    assert 1 < len(slow) - len(errors) < 10
