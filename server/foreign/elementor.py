"""Elementor forms with "advanced data": `fields[<id>][value]`, nested or as flat keys, and `form` and `meta` beside.

What a field is called and of which type it is describes the form and is no part of the lead.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from server.foreign.reading import Leaf, Reading, Tree, beneath, guessed, rest_of, scalars, told
from server.foreign.walk import unclaimed, walk
from server.foreign.words import Key

# An id that Elementor made, which says nothing.
MADE = re.compile(r"field_[0-9a-f]{6,8}")

FIELD_OF_TYPE = {"tel": "caller_id", "email": "email"}
ASKED = frozenset({"name", "label", "question"})
DESCRIBES = ("id", "type", "title", "required", "value", "raw_value")


def is_elementor(tree: Tree) -> bool:
    """Whether each of its fields has a value, and none a name or a label, which others call a field by."""
    fields = things(tree.get("fields"))
    return bool(fields) and all(
        isinstance(each, dict) and "value" in each and ASKED.isdisjoint(each) for each in fields.values()
    )


def read_elementor(tree: Tree, path: str = "") -> Reading:
    """The fields by their ids or titles, what `meta` holds by its names, and the rest by its path."""
    leaves: list[Leaf] = []
    for part, read in (("fields", read_field), ("meta", read_meta)):
        inside = beneath(path, part)
        for name, each in things(tree.get(part)).items():
            index = int(name) if isinstance(tree[part], list) else name
            leaves += read(name, each, beneath(inside, index))
    known = [part for part in ("fields", "meta") if things(tree.get(part))]
    leaves += walk(rest_of(tree, known), path)
    return Reading("elementor", tuple(leaves))


def things(value: Any) -> Mapping[str, Any]:
    """The members of an object, or those of a list by their numbers: a form's `fields[0][value]` is either."""
    if isinstance(value, list):
        return {str(index): item for index, item in enumerate(value)}
    return value if isinstance(value, dict) else {}


def read_field(name: str, each: Tree, path: str) -> Iterator[Leaf]:
    """One field; its raw value is kept where it differs."""
    title, given = each.get("title") or each.get("label"), each.get("id")
    own = name if not name.isdigit() or not isinstance(given, str) else given
    label = title if isinstance(title, str) and title.strip() else own
    called = label if MADE.fullmatch(own) or own.isdigit() else own
    value, place = each["value"], beneath(path, "value")
    field = FIELD_OF_TYPE.get(str(each.get("type")))
    if isinstance(value, dict | list) and not scalars(value):
        yield from walk(value, place, called, Key(label))
    elif field is not None:
        yield told(field, place, called, value, f"type {each['type']}", Key(own), Key(label))
    else:
        # The id first: who gave one knew what it is.
        yield guessed(place, called, value, Key(own), Key(label), by="field")
    if each.get("raw_value") not in (None, value):
        yield from unclaimed(each["raw_value"], beneath(path, "raw_value"), f"{called}_raw")
    yield from unclaimed(rest_of(each, DESCRIBES), path, called)


def read_meta(name: str, each: Any, path: str) -> Iterator[Leaf]:
    """One circumstance of the visit, such as the address that it came from; none of them is the lead's."""
    if isinstance(each, dict) and "value" in each:
        yield from unclaimed(each["value"], beneath(path, "value"), name)
        yield from unclaimed(rest_of(each, ["value", "title"]), path, name)
    else:
        yield from unclaimed(each, path, name)
