"""HubSpot contacts: `properties`, each with its value, in the old shape (`{"value": …}`) and in the new (the value)."""

from collections.abc import Iterator
from typing import Any

from server.foreign.reading import Leaf, Reading, Tree, beneath, guessed, rest_of, scalars
from server.foreign.walk import walk
from server.foreign.words import Key

# What stands beside `properties`, in the one shape or the other.
BESIDE = frozenset(
    {"vid", "canonical-vid", "portal-id", "is-contact", "createdAt", "updatedAt", "archived", "objectId"}
)


def is_hubspot(tree: Tree) -> bool:
    """Whether it is a contact."""
    properties = tree.get("properties")
    if not isinstance(properties, dict) or not properties:
        return False
    return not BESIDE.isdisjoint(tree) or all(
        isinstance(each, dict) and "value" in each for each in properties.values()
    )


def read_hubspot(tree: Tree, path: str = "") -> Reading:
    """The properties by their names, and the rest, their histories among it, by its path."""
    inside = beneath(path, "properties")
    leaves: list[Leaf] = []
    histories: list[Leaf] = []
    for name, each in tree["properties"].items():
        place = beneath(inside, name)
        value = each
        if isinstance(each, dict) and "value" in each:
            value = each["value"]
            histories += walk(rest_of(each, ["value"]), place, name)
            place = beneath(place, "value")
        leaves += read_property(name, value, place)
    leaves += walk(rest_of(tree, ["properties"]), path)
    # What is too much is cut from the end.
    return Reading("hubspot", (*leaves, *histories))


def read_property(name: str, value: Any, path: str) -> Iterator[Leaf]:
    """One property."""
    if isinstance(value, dict | list) and not scalars(value):
        yield from walk(value, path, name, Key(name))
    else:
        yield guessed(path, name, value, Key(name), by="property")
