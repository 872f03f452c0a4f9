"""Flat posts of Zapier and Make: nested data whose keys are joined, `contact__phone` or `contact.phone`."""

import re

from server.foreign.reading import Leaf, Reading, Tree, guessed, scalars
from server.foreign.words import Key

# Two underscores are Zapier's, a dot is Make's; a name stands on each side, so that `1.3` and `v2.0` are none.
JOINT = re.compile(r"(?<=[^\W_])(?:__|\.)(?=[^\W\d_])")


def is_flat(tree: Tree) -> bool:
    """Whether nothing in it is nested but in its keys."""
    return any(map(JOINT.search, tree)) and not any(
        isinstance(value, dict) or (isinstance(value, list) and not scalars(value)) for value in tree.values()
    )


def read_flat(tree: Tree, path: str = "") -> Reading:
    """The values by the last part of their keys, in what the parts before it say."""
    leaves: list[Leaf] = []
    for name, value in tree.items():
        *above, last = JOINT.split(name)
        place = f"{path}.{name}" if path else name
        leaves.append(guessed(place, name, value, Key(last, above[-1] if above else "", tuple(above)), by="name"))
    return Reading("flat", tuple(leaves))
