"""What becomes of tokens in a text."""

import re
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.leads.substitute import SYSTEM_TOKENS, render, substitute, values_of
from tests.unit import table

TOKENS = {
    "first_name": "Ann",
    "blank": " \t",
    "nil": None,
    "sly": "[first_name] {{email}}",
    "yes": True,
    "no": False,
    "whole": 5,
    "broken": 1.0,
    "small": 0.00001,
    "address": {
        "zip": "90210",
        "lines": ["Main St", "Flat 2"],
        "State": {"Full Name": "?", "Name": "Utah"},
        "city": "no",
    },
    "address_city": "own",
    "email": "lead's own",
    "sub_id": "lead's own",
    "status": "employed",
}
SYSTEM = {"caller_id": "+17192221234", "email": "a@example.com", "status": "scheduled"}
VALUES = values_of(TOKENS, SYSTEM)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("aB_ ", max_size=3), inner, max_size=3),
    max_leaves=8,
)
TEMPLATES = st.lists(st.sampled_from(["[a]", "{{b}}", "[a_b]{x}", "{{", "[", "}}", "{", "}", "]", "a", " ", "é"])).map(
    "".join
)


@pytest.mark.parametrize("row", table("substitutions.csv"), ids=lambda row: row["case"])
def test_a_text_has_its_tokens_filled_in(row: dict[str, str]) -> None:
    assert substitute(row["text"], VALUES) == row["result"]


@given(TEMPLATES | st.text(), st.dictionaries(st.sampled_from(["a", "b", "a_b"]), JSON))
@settings(deadline=None, max_examples=300)
def test_any_text_with_any_tokens_is_filled_in(text: str, tokens: dict[str, Any]) -> None:
    substitute(text, values_of(tokens, {}))


@given(st.text().filter(lambda text: not re.search(r"\[[a-z0-9_]|\{\{", text)), st.dictionaries(st.text(), JSON))
@settings(deadline=None, max_examples=200)
def test_a_text_without_tokens_stays_itself(text: str, values: dict[str, Any]) -> None:
    assert substitute(text, values) == text


@given(TEMPLATES.filter(str.strip))
@settings(deadline=None, max_examples=200)
def test_what_is_put_in_is_left_alone(inserted: str) -> None:
    filled = substitute("<[a]|{{b}}|[c]{no}>", {"a": inserted, "b": inserted, "c": inserted, "a_b": "never"})
    assert filled == f"<{inserted}|{inserted}|{inserted}>"


@pytest.mark.parametrize("part", ["[a", "{{a", "{{ ", "[a]{", "[a]{x", "{{a }", "[a]{[a]{", "[", "{"])
def test_a_long_run_of_half_tokens_costs_no_more_than_its_length(part: str) -> None:
    text = part * 200_000
    began = time.process_time()
    assert len(substitute(text, {"a": "a"})) <= len(text)
    assert time.process_time() - began < 5


def test_the_first_of_two_paths_that_are_named_alike_wins() -> None:
    values = values_of({"a": {"b_c": 1}, "a_b": {"c": 2}}, {})
    assert substitute("[a_b_c] [a_b]", values) == '1 {"c":2}'


def test_a_body_is_filled_in_but_for_its_keys() -> None:
    body = {"[first_name]": ["{{first_name}}", 1, None, True, {"zip": "[address_zip]"}]}
    assert render(body, VALUES) == {"[first_name]": ["Ann", 1, None, True, {"zip": "90210"}]}


def test_each_system_token_is_a_name_and_a_sentence() -> None:
    for name, sentence in SYSTEM_TOKENS.items():
        assert substitute(f"[{name}]", {name: "x"}) == "x"
        assert re.fullmatch(r"[A-Z].*\.", sentence)
