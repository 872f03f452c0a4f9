"""Unbounce's webhook: a form whose field `data.json` holds the answers as JSON text, each a list."""

from server.foreign.reading import Leaf, Reading, Tree, beneath, guessed, rest_of, scalars
from server.foreign.walk import unclaimed, walk
from server.foreign.words import Key

# What Unbounce says of the page and the visit.
PAGE = frozenset({"page_id", "page_uuid", "page_url", "page_name", "variant"})
VISIT = PAGE | {"ip_address", "time_submitted", "date_submitted"}


def is_unbounce(tree: Tree) -> bool:
    """Whether it is a form of a page."""
    data = tree.get("data")
    if not isinstance(data, dict) or not isinstance(data.get("json"), dict):
        return False
    return not PAGE.isdisjoint(tree) or not PAGE.isdisjoint(data["json"])


def read_unbounce(tree: Tree, path: str = "") -> Reading:
    """The answers by their names; what is said of the page is not the lead's. `data.xml` says it all once more."""
    data, inside = tree["data"], beneath(path, "data")
    answers, place = data["json"], beneath(beneath(path, "data"), "json")
    leaves: list[Leaf] = []
    for name, value in answers.items():
        if name in VISIT:
            leaves += unclaimed(one(value), beneath(place, name), name)
        elif isinstance(value, dict | list) and not scalars(value):
            leaves += walk(value, beneath(place, name), name, Key(name))
        else:
            leaves.append(guessed(beneath(place, name), name, value, Key(name), by="field"))
    for name, value in rest_of(data, ["json", "xml"]).items():
        leaves += walk(value, beneath(inside, name), name, Key(name))
    for name, value in rest_of(tree, ["data"]).items():
        if one(answers.get(name)) != value:
            leaves += (
                unclaimed(value, beneath(path, name), name)
                if name in VISIT
                else walk(value, beneath(path, name), name, Key(name))
            )
    return Reading("unbounce", tuple(leaves))


def one(value: object) -> object:
    """The value of a list of one."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value
