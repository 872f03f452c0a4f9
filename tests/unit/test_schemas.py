"""LeadSchema: what each parameter takes, and that the fast way to load it says what the schema says."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError, missing, validates
from marshmallow.decorators import POST_LOAD, PRE_LOAD, VALIDATES, VALIDATES_SCHEMA

from server.leads.params import by_path
from server.leads.schemas import (
    FALSE,
    FIELDS,
    TRUE,
    Boolean,
    Decimal,
    Digits,
    Hash,
    Integer,
    LeadSchema,
    OneOf,
    Text,
    Time,
    invalid_time,
    load_sent,
)

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
HOOKS = (PRE_LOAD, POST_LOAD, VALIDATES, VALIDATES_SCHEMA)


def read(field: Any, value: Any) -> Any:
    """What a field makes of a value, or the texts of its refusal."""
    try:
        return field.deserialize(value)
    except ValidationError as error:
        return error.messages


# load_sent is LeadSchema().load


WORDS = [
    *TRUE,
    *FALSE,
    "calls",
    "YES",
    "2026-12-01 14:26:43 +0000",
    "2026-02-29",
    "1e3",
    "1_000",
    "+7",
    "-0",
    ".5",
    "5.",
]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.from_regex(r"[+-]?[0-9]{1,45}(\.[0-9]{0,3})?", fullmatch=True)
    | st.sampled_from(WORDS)
    | st.sampled_from(["x" * 255, "x" * 256, "x" * 8192, "x" * 8193])
    | st.datetimes().map(str)
)
VALUES = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.text(max_size=3), SCALARS, max_size=2)


def loaded(load: Any, sent: Mapping[str, Any]) -> Any:
    """What comes of it: the values, or the messages."""
    try:
        return "taken", load(sent)
    except ValidationError as error:
        return "refused", error.messages


@given(st.dictionaries(st.sampled_from(sorted(FIELDS)), VALUES, max_size=6))
@settings(deadline=None, max_examples=500)
def test_what_was_sent_loads_as_the_schema_loads_it(sent: dict[str, Any]) -> None:
    with time_machine.travel(NOW, tick=False):
        assert loaded(load_sent, sent) == loaded(LeadSchema().load, sent)


@given(st.sampled_from(sorted(FIELDS)), VALUES)
@settings(deadline=None, max_examples=500)
def test_every_parameter_by_itself_loads_as_the_schema_loads_it(name: str, value: Any) -> None:
    with time_machine.travel(NOW, tick=False):
        assert loaded(load_sent, {name: value}) == loaded(LeadSchema().load, {name: value})


def hooks_of(schema: type[Schema]) -> list[str]:
    """The names of its methods that marshmallow calls while it loads."""
    return [name for kind in HOOKS for name, *_ in schema._hooks[kind]]


def test_the_schema_has_no_hook_that_the_fast_way_would_skip() -> None:
    assert hooks_of(LeadSchema) == []
    assert all(not field.required and field.load_default is missing for field in FIELDS.values())


def test_a_hook_would_be_seen() -> None:
    class Hooked(LeadSchema):
        @validates("email")
        def check(self, value: str, data_key: str) -> None:
            """Would be skipped."""

    assert hooks_of(Hooked) == ["check"]


def test_each_parameter_has_a_description_and_an_example_that_it_takes() -> None:
    for name, field in FIELDS.items():
        assert field.metadata["description"].endswith(".")
        assert load_sent({name: field.metadata["example"]})


# What each kind of field takes


@pytest.mark.parametrize("value", [1.0, 1.7192221234e10, True, ["a"], {"a": 1}])
def test_text_is_text_and_with_digits_an_integer_too(value: object) -> None:
    assert read(Text(), value) == ["Must be a String"]
    assert read(Text(digits=True), value) == ["Must be a String"]


def test_an_integer_is_read_as_its_digits_only_where_programs_send_numbers() -> None:
    assert read(Text(digits=True), 17192221234) == "17192221234"
    assert read(Text(digits=True), 0) == "0"
    assert read(Text(), 1) == ["Must be a String"]


@pytest.mark.parametrize(("longest", "name"), [(255, "sub_id"), (8192, "email")])
def test_text_has_its_length_in_characters(longest: int, name: str) -> None:
    assert read(FIELDS[name], "é" * longest) == "é" * longest
    assert read(FIELDS[name], "é" * (longest + 1)) == [f"Must be a String of at most {longest} characters"]


@pytest.mark.parametrize("word", ["1", "true", "yes", "on", "TRUE", "Yes", " on ", True, 1])
def test_the_words_for_true(word: object) -> None:
    assert read(Boolean(), word) is True


@pytest.mark.parametrize("word", ["0", "false", "no", "off", "FALSE", "No", "off\t", False, 0])
def test_the_words_for_false(word: object) -> None:
    assert read(Boolean(), word) is False


@pytest.mark.parametrize("word", ["", "y", "t", "2", "-1", "undefined", "null", "\uff11", 2, -1, 1.0, 0.0, [True], {}])
def test_no_other_word_is_a_boolean(word: object) -> None:
    assert read(Boolean(), word) == ["Must be a boolean value: 1, true, yes, on, 0, false, no, off"]


@pytest.mark.parametrize(("value", "number"), [(7, 7), ("7", 7), (" 7\t", 7), ("+7", 7), ("007", 7), (1, 1), (10, 10)])
def test_an_integer_is_whole_and_plain(value: object, number: int) -> None:
    assert read(Integer(least=1, most=10), value) == number


@pytest.mark.parametrize(
    "value", [1.0, 1.5, "1.0", "1e3", "1_0", "0x1", "\uff11", "²", "", "+", True, [1], {}, "9" * 41, "1 0", "--1"]
)
def test_what_is_no_integer_is_told_so(value: object) -> None:
    assert read(Integer(least=1, most=10), value) == ["Must be a Integer"]


@pytest.mark.parametrize("value", [0, 11, -1, "0", "-5", "9" * 40, 2**63, 10**30])
def test_an_integer_out_of_range_is_told_the_range(value: object) -> None:
    assert read(Integer(least=1, most=10), value) == ["Must be a Integer from 1 to 10"]


@pytest.mark.parametrize(
    ("value", "number"),
    [(5, 5.0), (2.5, 2.5), ("2.5", 2.5), (" -.5 ", -0.5), ("5.", 5.0), ("+1", 1.0), (1e9, 1e9), (0, 0)],
)
def test_a_decimal_is_a_number(value: object, number: float) -> None:
    found = read(Decimal(most=1e9), value)
    assert (found, type(found)) == (number, float)


@pytest.mark.parametrize(
    "value", ["1e3", "nan", "inf", "1_0", "1,5", "", ".", "high", "\u0663", True, [1], {}, "0" * 41, "0x1p3"]
)
def test_what_is_no_decimal_is_told_so(value: object) -> None:
    assert read(Decimal(most=1e9), value) == ["Must be a decimal number."]


@pytest.mark.parametrize("value", [1e9 + 1, -1e10, "9" * 40, 1e308, 2**60])
def test_a_decimal_out_of_range_is_told_the_range(value: object) -> None:
    assert read(Decimal(most=1e9), value) == ["Must be a decimal number. From -1000000000 to 1000000000."]


@pytest.mark.parametrize("value", [0, "0", "31536000", 31536000, "007"])
def test_seconds_are_digits(value: object) -> None:
    assert read(FIELDS["schedule_callback_in_seconds"], value) == str(value)


@pytest.mark.parametrize("value", ["31536001", "-1", -1, "1e12", "1.5", "", "\u0661", "²", "9" * 5000, "9" * 21, " 1"])
def test_what_are_no_seconds_is_told_the_range(value: object) -> None:
    expected = ["Must be a String of digits, from 0 to 31536000"]
    assert read(Digits(least=0, most=31_536_000), value) == expected


@pytest.mark.parametrize("value", ["call", "Calls", "", ["calls"], {"calls": 1}, 1, True])
def test_one_of_a_list_is_spelt_as_in_the_list(value: object) -> None:
    assert read(OneOf("calls", "texts"), value) == ["Must be one of: `calls`, `texts`."]
    assert read(OneOf("calls"), "calls") == "calls"


@pytest.mark.parametrize("value", ["{}", "a", 1, True, [], ["a"]])
def test_a_hash_is_a_hash(value: object) -> None:
    assert read(Hash(), value) == ["Must be a Hash"]
    assert read(Hash(), {"a": [1]}) == {"a": [1]}


@pytest.mark.parametrize("value", [1627050403, 1627050403.5, True, ["2026-12-01"], {}])
def test_a_time_is_text(value: object) -> None:
    [text] = read(Time(), value)
    assert text.startswith("Must be a valid time: ")
    assert ("seconds since 1970" in text) == (value == 1627050403)


def test_a_refused_time_is_shown_what_one_of_now_looks_like() -> None:
    with time_machine.travel(NOW, tick=False):
        assert invalid_time("x") == "Must be a valid time: 2026-11-23 06:00:00 +0000"
        assert read(Time(), invalid_time("x").removeprefix("Must be a valid time: ")) == NOW


@given(st.sampled_from(sorted(FIELDS)), VALUES)
@settings(deadline=None, max_examples=300)
def test_what_a_field_takes_can_be_written_and_hashed(name: str, value: Any) -> None:
    outcome, content = loaded(load_sent, {name: value})
    assert json.dumps(content, default=str, allow_nan=False)
    assert outcome == "taken" or all(texts[0].startswith("Must be ") for texts in by_path(content).values())
