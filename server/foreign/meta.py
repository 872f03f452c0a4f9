"""Meta lead ads: a lead as the Graph API shows it (`field_data`), and the webhook that only tells that there is one."""

from collections.abc import Iterator
from typing import Any

from server.foreign.reading import Leaf, Reading, Tree, beneath, guessed, rest_of, scalars, told
from server.foreign.walk import walk
from server.foreign.words import Key

# Of several leads that one webhook tells of so many are named.
MOST_NAMED = 10

# What Meta's test tool writes in place of an answer.
DUMMY = "<test lead: dummy data for "

DISCLAIMERS = "custom_disclaimer_responses"

FIELD_OF_NAME = {"phone_number": "caller_id", "email": "email"}


def is_meta(tree: Tree) -> bool:
    """Whether it is a lead of a lead ad."""
    return isinstance(tree.get("field_data"), list)


def read_meta(tree: Tree, path: str = "") -> Reading:
    """The answers by their names, Meta's own id of the lead, and the rest by its path."""
    inside = beneath(path, "field_data")
    leaves: list[Leaf] = []
    for index, answer in enumerate(tree["field_data"]):
        leaves += read_answer(answer, beneath(inside, index), index)
    leaves += read_disclaimers(tree, path)
    known = ["field_data", DISCLAIMERS]
    if isinstance(tree.get("id"), str):
        leaves.append(told("vendor_lead_id", beneath(path, "id"), "id", tree["id"], "id of the lead"))
        known.append("id")
    leaves += walk(rest_of(tree, known), path)
    return Reading("meta", tuple(leaves), test=any(is_dummy(leaf.value) for leaf in leaves))


def is_dummy(value: Any) -> bool:
    """Whether a value is one of Meta's test lead."""
    return isinstance(value, str) and value.lstrip().startswith(DUMMY)


def read_disclaimers(tree: Tree, path: str) -> Iterator[Leaf]:
    """The boxes below a form: one that was left unticked is evidence as well, and blank is how Meta says so."""
    boxes, inside = tree.get(DISCLAIMERS), beneath(path, DISCLAIMERS)
    for index, box in enumerate(boxes if isinstance(boxes, list) else []):
        place = beneath(inside, index)
        if isinstance(box, dict) and isinstance(box.get("checkbox_key"), str) and "is_checked" in box:
            ticked = str(box["is_checked"]).strip().lower() in ("1", "true", "yes", "on")
            yield Leaf(beneath(place, "is_checked"), f"disclaimer_{box['checkbox_key']}", ticked)
        else:
            yield from walk(box, place, f"disclaimer_{index}")
    if boxes is not None and not isinstance(boxes, list):
        yield from walk(boxes, inside, DISCLAIMERS)


def read_answer(answer: Any, path: str, index: int) -> Iterator[Leaf]:
    """One answer; most have one value."""
    name = answer.get("name") if isinstance(answer, dict) else None
    if not isinstance(name, str) or "values" not in answer:
        yield from walk(answer, path, f"field_data_{index}")
        return
    value, place = answer["values"], beneath(path, "values")
    if isinstance(value, list) and len(value) == 1:
        value, place = value[0], beneath(place, 0)
    if isinstance(value, dict | list) and not scalars(value):
        yield from walk(value, place, name, Key(name))
    elif is_dummy(value):
        yield Leaf(place, name, value)
    elif name in FIELD_OF_NAME and not isinstance(value, list):
        # Meta's own exports write `p:` before a number.
        meant = value.removeprefix("p:") if isinstance(value, str) else value
        yield told(FIELD_OF_NAME[name], place, name, meant, f"name {name}")
    else:
        yield guessed(place, name, value, Key(name))


def is_meta_webhook(tree: Tree) -> bool:
    """Whether it only tells that a lead ad has a lead."""
    return any(True for _ in leadgen_ids(tree))


def read_meta_webhook(tree: Tree, path: str = "") -> Reading:
    """All that it holds, and why there is no number among it."""
    ids = list(leadgen_ids(tree))
    named = ", ".join(ids[:MOST_NAMED]) + (" and more" if len(ids) > MOST_NAMED else "")
    missing = (
        f"This is Meta's webhook, which carries no contact data: it only tells of the lead with leadgen_id {named}."
        f" Fetch it from the Graph API (GET /{ids[0]} with the page's access token) and post that answer here."
    )
    return Reading("meta_webhook", tuple(walk(tree, path)), missing=missing)


def leadgen_ids(tree: Tree) -> Iterator[str]:
    """The leads that a webhook tells of."""
    for entry in members(tree.get("entry")):
        for change in members(entry.get("changes")):
            value = change.get("value")
            if isinstance(value, dict) and isinstance(value.get("leadgen_id"), str | int):
                yield str(value["leadgen_id"])[:64]


def members(value: Any) -> Iterator[Tree]:
    """The objects of a list."""
    return (item for item in value if isinstance(item, dict)) if isinstance(value, list) else iter(())
