"""Lists of numbers as people upload them: which lines are numbers, and which are named as wrong."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.contacts.number_list import (
    LONGEST_SHOWN,
    MOST_ERRORS,
    MOST_NUMBERS,
    NumberList,
    TooMany,
    entries_of,
    read_numbers,
)
from tests.unit import table


def read(text: str) -> NumberList:
    return read_numbers(entries_of(text), "US")


@pytest.mark.parametrize("row", table("number_lists.csv"), ids=lambda row: row["case"])
def test_each_line_is_a_number_or_is_named(row: dict[str, str]) -> None:
    found = read(row["text"])
    assert found.numbers == row["numbers"].split()
    assert found.repeated == int(row["repeated"])
    assert [error["line"] for error in found.errors] == [int(line) for line in row["wrong"].split()]
    assert found.invalid == len(found.errors)


def test_a_number_without_its_countrys_code_is_of_the_companys_region() -> None:
    assert read_numbers([(1, "020 7946 0958")], "GB").numbers == ["+442079460958"]
    assert read_numbers([(1, "020 7946 0958")], "US").numbers == []


@pytest.mark.parametrize("value", [True, 1.5, None, [], {"number": "+17192221234"}, "", " ", 17])
def test_what_json_brings_and_is_no_number_is_named(value: Any) -> None:
    assert read_numbers([(1, value)], "US").errors == [
        {"line": 1, "value": str(value), "message": "is not a valid phone number"}
    ]


def test_an_integer_is_read_as_its_digits() -> None:
    assert read_numbers([(1, 17192221234)], "US").numbers == ["+17192221234"]


def test_of_many_wrong_lines_a_hundred_are_named_and_all_are_counted() -> None:
    found = read("\n".join(f"x{line}" for line in range(MOST_ERRORS + 10)))
    assert (found.invalid, len(found.errors)) == (MOST_ERRORS + 10, MOST_ERRORS)


def test_a_wrong_value_is_shown_as_far_as_anybody_needs() -> None:
    [error] = read("1" * 1_000_000).errors
    assert error["value"] == "1" * LONGEST_SHOWN


def test_a_list_has_an_end() -> None:
    assert read("+17192221234\n" * MOST_NUMBERS).repeated == MOST_NUMBERS - 1
    for line in ("+17192221234\n", "x1\n"):
        with pytest.raises(TooMany):
            read(line * (MOST_NUMBERS + 1))


def test_a_full_list_is_read_in_seconds() -> None:
    began = time.perf_counter()
    assert read("\n".join(f"+44 20 7946 {line:04}" for line in range(MOST_NUMBERS))).size == MOST_NUMBERS
    assert time.perf_counter() - began < 20


@given(st.text())
def test_no_text_is_too_odd_to_be_read(text: str) -> None:
    assert read(text).size <= len(text)
