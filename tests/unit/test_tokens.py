"""Which tokens the free keys of a lead become."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.leads.tokens import Captured, capture, token_name
from tests.unit import table


@pytest.mark.parametrize("row", table("token_names.csv"), ids=lambda row: row["case"])
def test_a_key_is_named_by_its_letters_and_digits(row: dict[str, str]) -> None:
    assert token_name(row["key"]) == row["name"]


@given(st.text())
@settings(deadline=None, max_examples=200)
def test_a_name_is_plain_and_names_itself(key: str) -> None:
    name = token_name(key)
    assert re.fullmatch(r"([a-z0-9]([a-z0-9_]*[a-z0-9])?)?", name)
    assert token_name(name) == name


def test_values_keep_their_type_and_their_structure() -> None:
    values = {"a": "1", "b": 1, "c": 1.5, "d": False, "e": 0, "f": {"x": [1, None]}, "g": [], "h": {}}
    captured = capture(values)
    assert captured.tokens == values
    assert captured.tokens["d"] is False
    assert captured.warnings == []


def test_of_two_keys_named_alike_the_last_that_is_not_blank_wins() -> None:
    assert capture({"Zip": "1", "zip": "2"}).tokens == {"zip": "2"}
    assert capture({"zip": "1", "ZIP": " \t", "Zip ": None, "zip!": ""}).tokens == {"zip": "1"}
    assert capture({"zip": "", "ZIP": "2"}).tokens == {"zip": "2"}


def test_blank_values_make_no_token() -> None:
    assert capture({"a": "", "b": None, "c": " \n\u00a0"}).tokens == {}


def test_keys_of_which_nothing_is_left_are_numbered_and_named_in_a_warning() -> None:
    captured = capture({"Имя": "Иван", "a": "1", "": "x"})
    assert captured.tokens == {"field_1": "Иван", "a": "1", "field_2": "x"}
    assert [(warning["param"], warning["code"]) for warning in captured.warnings] == [
        ("Имя", "renamed_key"),
        ("", "renamed_key"),
    ]
    assert "field_1" in captured.warnings[0]["message"]


def test_a_numbered_field_never_takes_the_place_of_one_that_has_the_name_of_its_own() -> None:
    tokens = capture({"Имя": "a", "Field 1": "b", "field_3": "", "???": "c", "!": "d"}).tokens
    assert tokens == {"field_1": "b", "field_2": "a", "field_4": "c", "field_5": "d"}


def test_a_numbered_field_keeps_its_number_when_the_one_before_it_is_blank() -> None:
    captured = capture({"Имя": " ", "Адрес": "x"})
    assert captured.tokens == {"field_2": "x"}
    assert [warning["param"] for warning in captured.warnings] == ["Адрес"]


def test_a_warning_about_an_endless_key_is_short() -> None:
    assert capture({"?" * 1000: "1"}).warnings[0]["param"] == "?" * 64


def test_a_name_of_more_than_64_characters_is_cut() -> None:
    assert capture({"a" * 64: "1", "!" * 100 + "b": "2"}) == Captured({"a" * 64: "1", "b": "2"}, [])
    captured = capture({"A" * 65: "1"})
    assert captured.tokens == {"a" * 64: "1"}
    assert [(each["param"], each["code"]) for each in captured.warnings] == [("A" * 64, "name_cut")]
    assert "a" * 64 in captured.warnings[0]["message"]


def test_an_underscore_at_the_cut_goes_too() -> None:
    assert capture({"a" * 63 + " question": "1"}).tokens == {"a" * 63: "1"}


def test_names_that_are_cut_stay_apart() -> None:
    long = "a" * 64
    tokens = capture({long + "x": "1", long: "2", long + "y": "3", "a" * 62 + "_3": "4"}).tokens
    assert tokens == {"a" * 62 + "_2": "1", long: "2", "a" * 62 + "_4": "3", "a" * 62 + "_3": "4"}


def test_of_two_long_keys_named_alike_the_last_that_is_not_blank_wins() -> None:
    assert capture({"a" * 70: "1", "A" * 70: "2", "A" * 70 + "!": ""}).tokens == {"a" * 64: "2"}


def test_a_cut_name_keeps_its_number_when_the_one_before_it_is_blank() -> None:
    captured = capture({"a" * 65: "", "a" * 66: "x"})
    assert captured.tokens == {"a" * 62 + "_2": "x"}
    assert len(captured.warnings) == 1


@pytest.mark.parametrize(
    ("fits", "too_long"),
    [
        ("x" * 8192, "x" * 8193),
        ("é" * 4096, "é" * 4097),
        ("👍" * 2048, "👍" * 2049),
        ("x" + "👍" * 2047, "x" + "👍" * 2048),
        ("\ud800" * 2730, "\ud800" * 2731),
        (["x" * 8188], ["x" * 8189]),
        (["x" * 8187], ["x" * 8187, "y"]),
        ({"k": "é" * 4092}, {"k": "é" * 4093}),
        ({"a": 1, "k": [True, "x" * 8171]}, {"a": 1, "k": [True, "x" * 9000, 3], "z": 5}),
        ([{}], [{"x" * 9000: 1}]),
        ({}, {"a": '"' * 9000}),
    ],
    ids=["text", "UTF-8", "emoji", "odd", "surrogates", "list", "items", "tree", "nested", "key", "escapes"],
)
def test_a_value_of_more_than_8192_bytes_is_cut(fits: Any, too_long: Any) -> None:
    assert capture({"a": fits}).warnings == []
    captured = capture({"b": "1", "A b": too_long})
    assert [(each["param"], each["code"]) for each in captured.warnings] == [("A b", "value_cut")]
    assert "a_b" in captured.warnings[0]["message"]
    if too_long == "\ud800" * 2731:
        return
    assert captured.tokens == {"b": "1", "a_b": fits}
    assert capture(captured.tokens).warnings == []


def test_tokens_beyond_200_are_kept_in_one() -> None:
    full = {f"k{number}": number for number in range(200)}
    assert capture(full).tokens == full
    assert capture(full).warnings == []
    captured = capture(full | {"more": 1, "and more": "2"})
    assert captured.tokens == full | {"extra": {"more": 1, "and_more": "2"}}
    assert [(warning["param"], warning["code"]) for warning in captured.warnings] == [("extra", "too_many_tokens")]


def test_a_token_that_is_called_extra_is_not_lost_among_the_rest() -> None:
    full = {"extra": "own"} | {f"k{number}": number for number in range(199)}
    assert capture(full).tokens == full
    assert capture(full | {"more": 1}).tokens["extra"] == {"more": 1, "extra": "own"}


@given(st.dictionaries(st.text(max_size=20), st.none() | st.text(max_size=5) | st.integers(), max_size=8))
@settings(deadline=None, max_examples=200)
def test_nothing_that_is_not_blank_is_lost_but_to_a_namesake(stray: dict[str, Any]) -> None:
    kept = [key for key, value in stray.items() if value is not None and str(value).strip()]
    named = {token_name(key) for key in kept if token_name(key)}
    nameless = [key for key in kept if not token_name(key)]
    captured = capture(stray)
    assert len(captured.tokens) == len(named) + len(nameless)
    assert len(captured.warnings) == len(nameless)
