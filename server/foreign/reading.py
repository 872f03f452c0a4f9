"""What a mapper makes of a payload: its values, each with its place, its name, and the field that it might fill."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.foreign.words import Key, meaning, shape

Tree = Mapping[str, Any]

# Of a name or a path nobody needs more, and long ones that are repeated at every value would fill the memory.
LONGEST = 200

# How sure it is that a value is meant for a field: the payload says so, the key's whole name, a part of it, its shape.
TOLD, NAMED, HINTED, SHAPED = range(4)


@dataclass(frozen=True, slots=True)
class Claim:
    """A value that might fill a field: where it stands in the payload, what speaks for it, and the names that lead to
    it, the outermost first. `region` is where a number is dialled from, `postal` where its owner lives."""

    field: str
    value: Any
    path: str
    by: str
    sure: int
    trail: tuple[str, ...] = ()
    region: str | None = None
    postal: str | None = None


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value of a payload, and what its token would be called."""

    path: str
    name: str
    value: Any
    claim: Claim | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """All that a payload says. `missing` is why it can name no number, where it is of a kind that never does."""

    payload: str
    leaves: tuple[Leaf, ...]
    test: bool = False
    missing: str | None = None


def told(field: str, path: str, name: str, value: Any, by: str, *keys: Key) -> Leaf:
    """A value whose field the payload itself tells; its names say whose it is."""
    claim = Claim(field, value, path, by, TOLD, trail(keys)) if simple(value) and not blank(value) else None
    return Leaf(path, name, value, claim)


def guessed(path: str, name: str, value: Any, *keys: Key, by: str = "name") -> Leaf:
    """A value whose field is guessed by what it is called, and as a last resort by its shape."""
    first, place = (value[0], f"{path}[0]") if isinstance(value, list) and value else (value, path)
    # Many programs send each value in a list of its own.
    value = first if isinstance(value, list) and len(value) == 1 else value
    if not simple(first) or blank(first):
        return Leaf(path, name, value)
    for key in keys:
        found = meaning(key, first)
        if found is not None:
            field, whole = found
            said = f"{by} {key.name[:LONGEST]}"
            return Leaf(path, name, value, Claim(field, first, place, said, NAMED if whole else HINTED, trail(keys)))
    field_of_shape = shape(keys[0], first)
    if field_of_shape is not None:
        return Leaf(path, name, value, Claim(field_of_shape, first, place, "shape of the value", SHAPED, trail(keys)))
    return Leaf(path, name, value)


def trail(keys: Sequence[Key]) -> tuple[str, ...]:
    """The names that lead to a value, the outermost first, from its keys, of which the nearest is first."""
    return (*keys[-1].above, *(key.owner or key.name for key in reversed(keys))) if keys else ()


def simple(value: Any) -> bool:
    """Whether a value can fill a field: a text, or a whole number that stands for its digits."""
    return isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))


def blank(value: Any) -> bool:
    """Whether a value counts as absent."""
    return value is None or (isinstance(value, str) and not value.strip())


def scalars(value: Any) -> bool:
    """Whether it is a list of plain values, which is one value."""
    return isinstance(value, list) and bool(value) and not any(isinstance(item, dict | list) for item in value)


def beneath(path: str, key: str | int) -> str:
    """The path of a member."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path[:LONGEST]}.{key[:LONGEST]}" if path else key[:LONGEST]


def rest_of(tree: Tree, known: Iterable[str]) -> dict[str, Any]:
    """The members of which a mapper knows nothing better than their names."""
    apart = set(known)
    return {key: value for key, value in tree.items() if key not in apart}
