"""Each mapper: what it makes of the real payload, of variations by hand, and of payloads broken at any place."""

import copy
import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import cycle, islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.foreign.opening import MOST_OPENED
from server.foreign.recognise import MAPPERS, Lifted
from server.foreign.walk import read_any
from server.leads.lifting import lift_payload, open_tree
from server.leads.params import RESERVED
from server.leads.tokens import LONGEST_NAME, capture, token_name
from tests.unit.foreign import CASES, NEAR_MISSES, SAMPLES, Tree


def lift(tree: Tree) -> tuple[Tree, Tree, Lifted]:
    """The parameters and the tokens of a request; the request itself stays as it was."""
    before = copy.deepcopy(tree)
    lifted, about = lift_payload(tree, "US")
    assert tree == before
    return {name: value for name, value in lifted.items() if name != "data"}, lifted["data"], about


# The samples


NUMBERS = {
    "typeform": "+17194451111",
    "google_ads": "+17194451111",
    "meta": "+17194451111",
    "hubspot": "719-445-1111",
    "gravity_forms": "7194451111",
    "elementor": "(719) 445-1111",
    "elementor_simple": "7194451111",
    "jotform": "719 445-1111",
    "unbounce": "(719) 445-1111",
    "tally": "+17194451111",
    "formstack": "(719) 445-1111",
    "mautic": "+17194451111",
    "callrail": "+17194451111",
    "callrail_form": "+17194451111",
    "whatconverts": "+17194451111",
    "webflow": "(719) 445-1111",
    "webflow_first": "(719) 445-1111",
    "zapier": "(719) 445-1111",
    "make": "(719) 445-1111",
}
# Samples that are not called as what they are recognised as.
PAYLOADS = {
    "elementor_simple": "unknown",
    "callrail_form": "callrail",
    "webflow_first": "webflow",
    "zapier": "flat",
    "make": "flat",
}


@pytest.mark.parametrize("name", NUMBERS)
def test_the_number_and_the_address_of_a_real_payload_are_found(name: str) -> None:
    fields, _, about = lift(SAMPLES[name])
    assert about.payload == PAYLOADS.get(name, name)
    assert fields["caller_id"] == NUMBERS[name]
    assert fields["email"] == ("laura@example.com" if name == "typeform" else "jane@example.com")


def test_a_typeform_is_read_by_the_names_that_its_author_gave() -> None:
    fields, tokens, about = lift(SAMPLES["typeform"])
    assert fields == {
        "caller_id": "+17194451111",
        "email": "laura@example.com",
        "vendor_lead_id": "a3a12ec67a1365927098a606107fac15",
        "traffic_source_id": "google_ads",
        "sub_id": "a1b2c3d",
    }
    assert tokens == {
        "form_id": "lT4Z3j",
        "submitted_at": "2018-01-18T18:17:02Z",
        "landed_at": "2018-01-18T18:07:02Z",
        "calculated_score": 9,
        "score": 4,
        "name": "typeform",
        "user_id": "abc123456",
        "utm_source": "newsletter",
        "readable_ref_short_text": "Laura",
        "readable_ref_date": "2005-10-15",
        "readable_ref_picture_choice": ["London", "Sydney"],
        "readable_ref_legal": True,
        "readable_ref_multiple_choice": "London",
        "q7m2xawy04dw": 5,
        "ending_id": "dN5FLyFpCMFo",
        "ending_ref": "01GRC8GR2017M6WW347T86VV39",
        "event_id": "LtWXD3crgy",
        "event_type": "form_response",
        "first_name": "Laura",
    }
    assert about.matched[:2] == [
        {
            "field": "caller_id",
            "from": "form_response.answers[7].phone_number",
            "by": "type phone_number",
            "payload": "typeform",
        },
        {"field": "email", "from": "form_response.answers[0].email", "by": "type email", "payload": "typeform"},
    ]


def test_an_elementor_form_is_the_same_flat_and_nested() -> None:
    nested: Tree = {}
    for key, value in SAMPLES["elementor"].items():
        head, *steps = key.replace("]", "").split("[")
        inner = nested.setdefault(head, {})
        for step in steps[:-1]:
            inner = inner.setdefault(step, {})
        inner[steps[-1]] = value
    flat, deep = lift(SAMPLES["elementor"]), lift(nested)
    assert flat == deep
    assert flat[1]["utm_source"] == "x"


# Variations by hand


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['of']}: {case['case']}")
def test_a_variation_is_read_as_the_table_says(case: Tree) -> None:
    fields, tokens, about = lift(case["tree"])
    found = {"payload": about.payload, "lifted": fields, "tokens": tokens, "test": about.test, "missing": about.missing}
    assert found == {name: case.get(name, {"test": False}.get(name)) for name in found}
    for each in about.matched:
        name = each["field"]
        value = tokens[name.removeprefix("data.")] if name.startswith("data.") else fields[name]
        sent = open_tree(case["tree"])[0]
        sent |= {"data": json.loads(sent["data_json"])} if "data_json" in sent else {}
        there = at(sent, each["from"])
        # A number in its parts is one.
        said = " ".join(there.values()) if isinstance(there, dict) else str(there)
        assert said.removeprefix("p:") == str(value).removeprefix("+" if isinstance(there, dict) else "")


@pytest.mark.parametrize("row", NEAR_MISSES, ids=lambda row: row["case"])
def test_a_payload_that_resembles_anothers_is_not_taken_for_it(row: Tree) -> None:
    fields, _, about = lift(row["tree"])
    assert (about.payload, fields["caller_id"]) == (row["payload"], "+17194451111")


@pytest.mark.parametrize("name", NUMBERS)
def test_a_payload_that_another_program_passes_on_is_known_too(name: str) -> None:
    fields, _, about = lift({"body": SAMPLES[name], "hop": "x"})
    assert fields["caller_id"] == NUMBERS[name]
    if PAYLOADS.get(name) not in ("unknown", "flat"):
        assert about.payload == PAYLOADS.get(name, name)


def at(tree: Any, path: str) -> Any:
    """What stands at a path of the answer's `matched`: nested, under a flat key, or under one with a dot in it."""
    if not path or not isinstance(tree, dict | list):
        return tree
    if isinstance(tree, list):
        index, _, rest = path.removeprefix("[").partition("]")
        return at(tree[int(index)], rest.removeprefix("."))
    head, *steps = path.split(".")
    spelt = {name: name for name in tree} | {"".join([head, *(f"[{step}]" for step in steps)]): path}
    found = [name for name in tree if name in spelt and re.match(rf"{re.escape(spelt[name])}(?=$|[.\[])", path)]
    for name in sorted(found, key=lambda name: (spelt[name] != name, -len(name))):
        with suppress(KeyError, ValueError):
            return at(tree[name], path[len(spelt[name]) :].removeprefix("."))
    raise KeyError(path)


def test_only_the_first_of_many_numbers_are_looked_at_closely() -> None:
    none = [{"phone": f"+1999999{number:04}"} for number in range(40)]
    assert lift({"a": [*none[:19], {"phone": "+17194451111"}]})[0]["caller_id"] == "+17194451111"
    assert lift({"a": [*none, {"phone": "+17194451111"}]})[0]["caller_id"] == "+19999990000"


def test_names_without_end_are_cut() -> None:
    fields, tokens, about = lift({"k" * 9000: {"m" * 9000: {"phone": "+17194451111"}}, "a" + "[b]" * 5000: "x"})
    assert fields == {"caller_id": "+17194451111"}
    assert sorted(tokens.values()) == ["+17194451111", "x"]
    assert len(about.matched[0]["from"]) < 500


def test_lines_without_end_are_read_in_one_pass() -> None:
    began = time.perf_counter()
    lift({"a": f"x = {' ' * 120_000}\ny = {' ' * 120_000}", "b": f"{'x' * 120_000} = 1\n" * 2})
    assert time.perf_counter() - began < 2


def test_no_more_texts_are_opened_than_a_payload_has() -> None:
    tokens = lift({f"t{number}": '{"a": 1}' for number in range(30)})[1]
    assert [value for value in tokens.values() if value == 1] == [1] * MOST_OPENED
    assert [value for value in tokens.values() if value != 1] == ['{"a": 1}'] * 10


def test_each_mapper_has_variations() -> None:
    counted = Counter(case["of"] for case in CASES)
    mapped = {PAYLOADS.get(name, name) for name in SAMPLES} - {"meta_webhook"}
    assert {name for name, number in counted.items() if number >= 8} == mapped | {"questions", "opened"}


# Broken at any place


STRANGE: list[Any] = [None, "", "text", 7, True, 1.5, [], {}, [None], ["a", {"b": [1]}], {"value": {"type": []}}]


# So many of the strange things come to each node, and all to each in the long form.
TIMES = 3


def broken(tree: Any, times: int, turn: Iterator[Any]) -> Iterator[Any]:
    """The tree with each of its nodes in turn replaced by something else; which comes next is the turn's to say."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, inner in items:
        for node in [*islice(turn, times), *broken(inner, times, turn)]:
            copied = copy.copy(tree)
            copied[key] = node
            yield copied


@pytest.mark.parametrize("name", SAMPLES)
def test_a_payload_that_is_broken_at_any_place_is_read_all_the_same(name: str, long: bool) -> None:
    for tree in broken(SAMPLES[name], len(STRANGE) if long else TIMES, cycle(STRANGE)):
        lifted, _ = lift_payload(tree, "US")
        check_names(lifted["data"])


def check_names(tokens: Tree) -> None:
    """Every name is a token's as it stands, but for its length, and none is reserved."""
    for name in tokens:
        assert token_name(name) == name != ""
    assert tokens.keys() & RESERVED == set()
    assert all(0 < len(name) <= LONGEST_NAME for name in capture(tokens).tokens)
    is_short = all(len(name) <= LONGEST_NAME and len(str(value)) < 8000 for name, value in tokens.items())
    if is_short and len(tokens) <= 200:
        assert capture(tokens).tokens == {name: value for name, value in tokens.items() if value not in (None, "")}


# Whatever comes


def keys_of(tree: Any) -> Iterator[str]:
    """Every key of a tree."""
    if isinstance(tree, dict):
        yield from tree
    for inner in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from keys_of(inner)


KNOWN = sorted({key for sample in [*SAMPLES.values(), *(case["tree"] for case in CASES)] for key in keys_of(sample)})
KEYS = st.sampled_from(KNOWN) | st.text(max_size=6)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.sampled_from(["+17194451111", "(719) 445-1111", "jane@example.com", "phone_number", "email", "tel", "true"])
)
TREES = st.dictionaries(
    KEYS,
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
        max_leaves=12,
    ),
    max_size=6,
)


@given(TREES)
@settings(deadline=None, max_examples=120)
def test_no_tree_makes_any_mapper_stumble(tree: Tree) -> None:
    for knows, mapper in MAPPERS:
        if knows(tree):
            mapper(tree, "")
    tree = {name: value for name, value in tree.items() if name != "data_json"}
    lifted, _ = lift_payload(tree, "US")
    check_names(lifted["data"])


def leaves_of(value: Any) -> Iterator[Any]:
    """Every plain value of a tree that is not blank."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    if inner is not None:
        for each in inner:
            yield from leaves_of(each)
    elif value is not None and not (isinstance(value, str) and not value.strip()):
        yield value


@given(TREES)
@settings(deadline=None, max_examples=120)
def test_of_a_walked_tree_no_leaf_is_lost(tree: Tree) -> None:
    wanted = Counter(json.dumps(leaf) for leaf in leaves_of(tree))
    walked = Counter(json.dumps(leaf) for leaf in leaves_of([leaf.value for leaf in read_any(tree).leaves]))
    assert walked == wanted
    # And none loses its name to another, or to a parameter of ours; credentials alone are left out.
    free = {f"x {name}": value for name, value in tree.items()}
    kept, about = lift_payload({"data": free}, "US")
    if about.payload == "unknown" and not any("token" in key or "key" in key.lower() for key in keys_of(tree)):
        values = [value for name, value in kept.items() if name != "data"]
        tokens = {name: value for name, value in kept["data"].items() if name not in about.aliases}
        found = Counter(json.dumps(leaf) for leaf in leaves_of([tokens, values]))
        assert not wanted - found
