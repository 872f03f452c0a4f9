"""Gravity Forms' webhook: the entry as WordPress keeps it, whose answers have numbers for names (`3`, `4.1`)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from server.foreign.reading import NAMED, Claim, Leaf, Reading, Tree, beneath, guessed, simple
from server.foreign.walk import unclaimed, walk
from server.foreign.words import Key, fits

NUMBER = re.compile(r"\d{1,6}(?:\.\d{1,3})?", re.A)
# What every entry has beside its answers; one of the first is enough to know it by.
BESIDE = frozenset(
    ["date_created", "source_url", "is_starred", "is_read", "payment_status", "user_agent", "created_by"]
)
ENTRY = BESIDE.union(
    [
        "id",
        "form_id",
        "post_id",
        "date_updated",
        "ip",
        "currency",
        "payment_date",
        "payment_amount",
        "payment_method",
        "transaction_id",
        "transaction_type",
        "is_fulfilled",
        "status",
        "source_id",
        "submission_speeds",
    ]
)

# The inputs of a name and of an address have the same numbers in every form.
INPUTS_OF_NAME = {"3": "first_name", "6": "last_name"}
INPUTS_OF_ADDRESS = {"1": "address", "3": "city", "4": "state", "5": "zip"}


def is_gravity_forms(tree: Tree) -> bool:
    """Whether it is an entry."""
    return "form_id" in tree and not BESIDE.isdisjoint(tree) and any(map(NUMBER.fullmatch, tree))


def read_gravity_forms(tree: Tree, path: str = "") -> Reading:
    """The answers by their numbers and what they look like; what WordPress says of the entry is not the lead's."""
    inputs: dict[str, set[str]] = {}
    for field, _, part in (name.partition(".") for name in tree):
        inputs.setdefault(field, set()).add(part)
    answers: list[Leaf] = []
    beside: list[Leaf] = []
    for name, value in tree.items():
        if NUMBER.fullmatch(name):
            answers += read_answer(inputs, name, value, beneath(path, name))
        elif name in ENTRY:
            beside += unclaimed(value, beneath(path, name), name)
        else:
            # A feed of selected fields has names that a person chose.
            answers += walk(value, beneath(path, name), name, Key(name))
    return Reading("gravity_forms", (*answers, *beside))


def read_answer(inputs: Mapping[str, set[str]], name: str, value: Any, path: str) -> Iterator[Leaf]:
    """One answer, which only its shape and its place in a name or an address tell."""
    field = field_of_input(inputs, name)
    if isinstance(value, dict | list):
        yield from walk(value, path, name)
    elif field is not None and simple(value) and fits(field, value):
        yield Leaf(path, name, value, Claim(field, value, path, f"input {name}", NAMED))
    else:
        yield guessed(path, name, value, Key(""))


def field_of_input(inputs: Mapping[str, set[str]], name: str) -> str | None:
    """What an input of several is, by those that came with it: an address has 1, 3 and 5, a name 3 and 6."""
    field, _, part = name.partition(".")
    if inputs[field] >= {"1", "3", "5"}:
        return INPUTS_OF_ADDRESS.get(part)
    return INPUTS_OF_NAME.get(part) if inputs[field] >= {"3", "6"} else None
