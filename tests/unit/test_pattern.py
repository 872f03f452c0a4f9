"""Patterns: what is read means what Python's engine says it means, and no pattern takes long."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.lib.pattern import LONGEST_TEXT, BadPattern, compile_pattern
from tests.unit import table

ONES = st.sampled_from(["a", "b", "1", " ", "-", ".", r"\d", r"\w", r"\S", r"\.", "[ab]", "[^a]", "[a-z1]", r"[\d-]"])
COUNTS = st.sampled_from(["*", "+", "?", "{2}", "{0}", "{0,2}", "{1,}", "{1,3}", "*?", "{1,2}?"])


def wider(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Patterns made of patterns."""
    groups = st.tuples(st.sampled_from(["(", "(?:"]), parts, st.just(")")).map("".join)
    return (
        st.lists(parts, max_size=3).map("".join)
        | st.tuples(parts, st.just("|"), parts).map("".join)
        | st.tuples(ONES | groups, COUNTS).map("".join)
        | groups
    )


PATTERNS = st.recursive(ONES, wider, max_leaves=6).filter(lambda text: len(text) <= 200)


@given(PATTERNS, st.lists(st.text(alphabet="ab1 -.é\n", max_size=6), min_size=1, max_size=8))
@settings(deadline=None, max_examples=500)
def test_a_pattern_matches_what_pythons_engine_matches(pattern: str, texts: list[str]) -> None:
    for text in texts:
        expected = re.compile(pattern, re.ASCII).fullmatch(text) is not None
        assert compile_pattern(pattern).matches(text) == expected


@pytest.mark.parametrize("row", table("patterns.csv"), ids=lambda row: row["case"])
def test_a_text_matches_or_not(row: dict[str, str]) -> None:
    assert compile_pattern(row["pattern"]).matches(row["text"]) == (row["matches"] == "yes")


@pytest.mark.parametrize("row", table("bad_patterns.csv"), ids=lambda row: row["case"])
def test_what_is_not_read_is_refused_with_a_reason(row: dict[str, str]) -> None:
    with pytest.raises(BadPattern, match=re.escape(row["says"])):
        compile_pattern(row["pattern"])


@given(st.text(alphabet="ab1()[]{}|*+?\\^$.,-:=", max_size=30), st.text(alphabet="ab1(){}", max_size=5))
@settings(deadline=None, max_examples=300)
def test_any_text_is_a_pattern_that_python_agrees_with_or_is_refused(pattern: str, text: str) -> None:
    try:
        compiled = compile_pattern(pattern)
    except BadPattern:
        return
    assert compiled.matches(text) == (re.compile(pattern, re.ASCII).fullmatch(text) is not None)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+",
        "(a|a)*",
        "(a|aa)+",
        r"(\w*)*",
        ".*.*.*.*.*.*x",
        "(a?){140}",
        "a?" * 90 + "a" * 20,
        "((a{0,9}){0,9})?",
        "(a*)*b",
    ],
)
def test_patterns_that_stall_other_engines_answer_at_once(pattern: str) -> None:
    began = time.process_time()
    assert not compile_pattern(pattern).matches("a" * (LONGEST_TEXT - 1) + "!")
    assert time.process_time() - began < 1


def test_a_text_that_is_too_long_never_matches() -> None:
    assert compile_pattern("a*").matches("a" * LONGEST_TEXT)
    assert not compile_pattern("a*").matches("a" * (LONGEST_TEXT + 1))
