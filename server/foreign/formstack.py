"""Formstack's webhook: the answers by the names or the numbers of their fields, beside the ids of form and submission.

Names and addresses come as an object, or as lines of `first = Ann`.
"""

from server.foreign.reading import Leaf, Reading, Tree, beneath, guessed, rest_of, told
from server.foreign.walk import walk
from server.foreign.words import Key

# What proves to others that a post is Formstack's is a secret, and no part of a lead.
PROOF = "HandshakeKey"
PARTS = {
    "first": "first name",
    "last": "last name",
    "address": "address",
    "city": "city",
    "state": "state",
    "zip": "zip",
}


def is_formstack(tree: Tree) -> bool:
    """Whether it is a submission; Wufoo has a `HandshakeKey` too, but numbers its fields."""
    return plain(tree.get("FormID")) and plain(tree.get("UniqueID"))


def plain(value: object) -> bool:
    """Whether it is an id."""
    return isinstance(value, str | int) and not isinstance(value, bool)


def read_formstack(tree: Tree, path: str = "") -> Reading:
    """The answers by their names, and the submission's own id."""
    leaves: list[Leaf] = [
        told("vendor_lead_id", beneath(path, "UniqueID"), "UniqueID", str(tree["UniqueID"]), "id of the submission")
    ]
    for name, value in rest_of(tree, ["UniqueID", "FormID", PROOF]).items():
        leaves += read_answer(name, value, beneath(path, name))
    leaves.append(Leaf(beneath(path, "FormID"), "FormID", tree["FormID"]))
    return Reading("formstack", tuple(leaves))


def read_answer(name: str, value: object, path: str) -> list[Leaf]:
    """One answer; those of names and addresses have parts. With its type Formstack sends it in an object."""
    if isinstance(value, dict) and "value" in value and value.keys() <= {"value", "field_type", "type", "label"}:
        return read_answer(name, value["value"], beneath(path, "value"))
    if not isinstance(value, dict):
        return list(walk(value, path, name, Key(name)))
    leaves: list[Leaf] = []
    for part, inner in value.items():
        place, called = beneath(path, part), f"{name}_{part}"
        if part in PARTS and isinstance(inner, str):
            leaves.append(guessed(place, called, inner, Key(PARTS[part]), Key(name)))
        else:
            leaves += walk(inner, place, called, Key(part, name))
    return leaves
