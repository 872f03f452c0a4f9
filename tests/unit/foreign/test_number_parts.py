"""The country beside a number and numbers in pieces: tests/data/number_parts.json."""

import json
import time
from itertools import permutations

import pytest

from server.foreign.pieces import join_list
from server.leads.lifting import lift_payload
from server.lib.phone import parse
from tests.pace import slowness
from tests.unit import DATA
from tests.unit.foreign import Tree

CASES: list[Tree] = json.loads((DATA / "number_parts.json").read_text(encoding="utf-8"))


def number_of(tree: Tree) -> str | None:
    """The number that is stored for a payload of a company in the United States."""
    fields, about = lift_payload(tree, "US")
    phone = parse(str(fields.get("caller_id", "")), about.region or "US")
    return phone.e164 if phone else None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_a_number_is_read_with_its_country_and_all_its_pieces(case: Tree) -> None:
    tree = case["tree"]
    for order in permutations(tree):
        assert number_of({name: tree[name] for name in order}) == case["number"]


@pytest.mark.parametrize(
    ("values", "number"),
    [
        (["719", "445", "1111"], "7194451111"),
        (["719", "4451111"], "7194451111"),
        (["+1", "719", "4451111"], None),
        (["7194451111", "1"], None),
        (["719445", "1111"], None),
        (["71", "44", "11"], None),
        (["719", "44511", "11115"], None),
        (["719", "", "1111"], None),
        (["719"], None),
        (["7", "1", "9", "4", "4511"], None),
        (["719", None, "4451111"], None),
    ],
)
def test_two_whole_numbers_are_never_joined(values: list[str], number: str | None) -> None:
    assert join_list(values) == number


@pytest.mark.parametrize(
    "tree",
    [
        {"x": "a@" + "b." * 20_000 + " c"},
        {f"x{index}": "a@" + "b." * 1000 + " c" for index in range(200)},
        {f"phone{index}_country_code": "+44" for index in range(4000)} | {f"phone{i}": "20712" for i in range(4000)},
        {"agent" * 30 + str(index): "+17194451111" for index in range(2000)},
        {"x" * 40 + str(index): "+17194451111" for index in range(2000)},
        {"phone": {"area": "7" * 100_000, "number": "+" * 100_000}},
    ],
    ids=["a long text", "many texts", "many countries", "long compounds", "long names", "long pieces"],
)
def test_no_payload_takes_long(tree: Tree) -> None:
    started = time.process_time()
    lift_payload(tree, "US")
    assert time.process_time() - started < 1.5 * slowness()
