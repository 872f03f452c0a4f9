"""Jotform's webhook: `rawRequest` holds the answers as JSON text, under the numbers and the names of the questions."""

import re
from collections.abc import Iterator
from typing import Any

from server.foreign.reading import Leaf, Reading, Tree, beneath, guessed, rest_of, scalars, told
from server.foreign.walk import unclaimed, walk
from server.foreign.words import Key

ANSWER = re.compile(r"q(\d{1,6})_(.+)", re.S)
# The parts of names and addresses.
PARTS = {
    "first": "first name",
    "last": "last name",
    "addr_line1": "address",
    "city": "city",
    "state": "state",
    "postal": "zip",
}
NUMBER = frozenset({"country", "area", "phone", "full"})


def is_jotform(tree: Tree) -> bool:
    """Whether it is a submission."""
    return isinstance(tree.get("rawRequest"), dict) and not {"formID", "submissionID"}.isdisjoint(tree)


def read_jotform(tree: Tree, path: str = "") -> Reading:
    """The answers by their names, the submission's own id, and what Jotform says of the form, which is not the lead's.

    The address of the webhook is left out: our token stands in it.
    """
    raw, place = tree["rawRequest"], beneath(path, "rawRequest")
    leaves: list[Leaf] = []
    beside: list[Leaf] = []
    for name, value in raw.items():
        match = ANSWER.fullmatch(name)
        if match:
            # Older forms repeat the number behind the name.
            called = match[2].removesuffix(match[1]) or match[2]
            leaves += read_answer(called, value, beneath(place, name))
        else:
            beside += unclaimed(value, beneath(place, name), name)
    if isinstance(tree.get("submissionID"), str | int):
        at = beneath(path, "submissionID")
        leaves.append(told("vendor_lead_id", at, "submissionID", str(tree["submissionID"]), "id of the submission"))
    for name, value in rest_of(tree, ["rawRequest", "submissionID", "webhookURL"]).items():
        leaves += unclaimed(value, beneath(path, name), name)
    return Reading("jotform", (*leaves, *beside), test=str(raw.get("preview")).lower() == "true")


def read_answer(called: str, value: Any, path: str) -> Iterator[Leaf]:
    """One answer; names, addresses and numbers have parts."""
    if isinstance(value, dict) and value.keys() <= NUMBER and not {"phone", "full"}.isdisjoint(value):
        yield guessed(path, called, number_of(value), Key(called), Key("phone"), by="field")
    elif isinstance(value, dict):
        for part, inner in value.items():
            place, name = beneath(path, part), f"{called}_{part}"
            if part in PARTS and isinstance(inner, str):
                yield guessed(place, name, inner, Key(PARTS[part]), Key(called), by="part")
            else:
                yield from unclaimed(inner, place, name)
    elif isinstance(value, list) and not scalars(value):
        yield from walk(value, path, called, Key(called))
    else:
        yield guessed(path, called, value, Key(called), by="field")


def number_of(parts: Tree) -> str:
    """A number in its parts as one; a country is its calling code."""
    if parts.get("full"):
        return str(parts["full"])
    digits = [str(parts[part]).strip() for part in ("area", "phone") if parts.get(part)]
    country = re.sub(r"\D", "", str(parts.get("country") or ""))
    return " ".join([f"+{country}", *digits] if country and digits else digits)
