"""Google Ads lead forms: `user_column_data`, in which every answer has its column's id."""

from collections.abc import Iterator
from typing import Any

from server.foreign.reading import Leaf, Reading, Tree, beneath, guessed, rest_of, told
from server.foreign.walk import walk
from server.foreign.words import Key

FIELD_OF_COLUMN = {"PHONE_NUMBER": "caller_id", "EMAIL": "email"}


def is_google_ads(tree: Tree) -> bool:
    """Whether it is a lead of a lead form."""
    return isinstance(tree.get("user_column_data"), list)


def read_google_ads(tree: Tree, path: str = "") -> Reading:
    """The columns by their ids, Google's own id of the lead, and the rest by its path."""
    inside = beneath(path, "user_column_data")
    leaves: list[Leaf] = []
    for index, column in enumerate(tree["user_column_data"]):
        leaves += read_column(column, beneath(inside, index), index)
    if isinstance(tree.get("lead_id"), str):
        # It is there once for each lead, and comes again when Google sends again.
        leaves.append(told("vendor_lead_id", beneath(path, "lead_id"), "lead_id", tree["lead_id"], "lead_id"))
    known = ["user_column_data", *(["lead_id"] if isinstance(tree.get("lead_id"), str) else [])]
    leaves += walk(rest_of(tree, known), path)
    return Reading("google_ads", tuple(leaves), test=is_true(tree.get("is_test")))


def read_column(column: Any, path: str, index: int) -> Iterator[Leaf]:
    """One answer; the column's name may be empty, its id is there always."""
    if not isinstance(column, dict) or "string_value" not in column:
        yield from walk(column, path, f"user_column_data_{index}")
        return
    column_id, label = column.get("column_id"), column.get("column_name")
    names = [name for name in (column_id, label) if isinstance(name, str) and name.strip()]
    name = names[0].lower() if names else f"user_column_data_{index}"
    # Google's user is who fills in the form.
    key = Key(name.removeprefix("user "))
    place, value = beneath(path, "string_value"), column["string_value"]
    field = FIELD_OF_COLUMN.get(str(column_id).upper())
    if field:
        yield told(field, place, name, value, f"column_id {column_id}")
    elif isinstance(value, dict | list):
        yield from walk(value, place, name, key)
    else:
        yield guessed(place, name, value, key, by="column_id")


def is_true(value: Any) -> bool:
    """Whether a flag is set, also in a form."""
    return value is True or (isinstance(value, str) and value.strip().lower() == "true") or value == 1
