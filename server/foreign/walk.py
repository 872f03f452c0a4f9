"""Any payload: every value of it by its path, what its key says, and as a last resort what it looks like."""

from collections.abc import Iterator
from typing import Any

from server.foreign.reading import LONGEST, Leaf, Reading, Tree, beneath, guessed, scalars
from server.foreign.words import Key

# Members that only hold what the thing around them is called after.
HOLDERS = frozenset({"value", "values", "raw", "raw_value", "text", "answer", "string_value"})
# Members that say what the value beside them is.
LABELS = ("name", "label", "key", "title", "question", "field", "id")

NO_KEY = Key("")


def read_any(tree: Tree, path: str = "") -> Reading:
    """The reading of a payload that nobody knows."""
    return Reading("unknown", tuple(walk(tree, path)))


def walk(value: Any, path: str, name: str = "", *keys: Key) -> Iterator[Leaf]:
    """Every value beneath, in the order of the payload; a list of plain values is one value.

    `name` is what their tokens' names begin with, `keys` what stands nearest above them, the nearest first.
    """
    if isinstance(value, dict):
        label = label_of(value)
        above = keys[-1].name if keys else ""
        for member, inner in value.items():
            near: tuple[Key, ...] = (Key(member, above),)
            if member.lower() in HOLDERS and (label or keys):
                near = ((Key(label),) if label else ()) + keys
            yield from walk(inner, beneath(path, member), joined(name, member), *near)
    elif isinstance(value, list) and not scalars(value):
        for index, item in enumerate(value):
            yield from walk(item, beneath(path, index), joined(name, str(index)), *keys)
    else:
        yield guessed(path, name, value, *(keys or (NO_KEY,)))


def joined(name: str, member: str) -> str:
    """The name of a member's token; of what is longer than any name the end is left out."""
    return f"{name[:LONGEST]}_{member[:LONGEST]}" if name else member


def label_of(tree: Tree) -> str:
    """What a thing such as `{"label": "Phone", "value": "…"}` says of its value."""
    if HOLDERS.isdisjoint(tree):
        return ""
    return next((str(tree[name]) for name in LABELS if isinstance(tree.get(name), str) and tree[name]), "")[:LONGEST]


def unclaimed(value: Any, path: str, name: str) -> Iterator[Leaf]:
    """Values that fill no field, whatever they look like."""
    return (Leaf(leaf.path, leaf.name, leaf.value) for leaf in walk(value, path, name))
