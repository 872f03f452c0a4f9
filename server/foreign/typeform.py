"""Typeform's webhook: `form_response`, whose answers are joined to the form's definition by the field's id.

The form's own description (`definition`) names the answers and is no part of the lead.
"""

import re
from collections.abc import Iterator
from typing import Any

from server.foreign.reading import LONGEST, Leaf, Reading, Tree, beneath, guessed, rest_of, scalars, told
from server.foreign.walk import unclaimed, walk
from server.foreign.words import Key

# A ref that a person wrote, and not a UUID, a ULID or another row of hex digits that Typeform made.
READABLE = re.compile(r"(?![0-9a-f-]{20,}\Z)(?![0-9A-Z]{26}\Z)[A-Za-z][A-Za-z0-9_-]*", re.A)
# What stands in a title for the answer to another question.
RECALL = re.compile(r"\{\{[^{}]*\}\}")

FIELD_OF_TYPE = {"phone_number": "caller_id", "email": "email"}


def is_typeform(tree: Tree) -> bool:
    """Whether it is a form response."""
    return isinstance(tree.get("form_response"), dict)


def read_typeform(tree: Tree, path: str = "") -> Reading:
    """The answers by their names, hidden fields and variables by theirs, and the rest by its path."""
    response: dict[str, Any] = tree["form_response"]
    inside = beneath(path, "form_response")
    leaves = [leaf for name, inner in response.items() for leaf in read_member(response, name, inner, inside)]
    leaves += walk(rest_of(tree, ["form_response"]), path)
    return Reading("typeform", tuple(leaves))


def read_member(response: Tree, name: str, value: Any, inside: str) -> Iterator[Leaf]:
    """What one member of the response says; one that is not of its usual type is walked like any other."""
    path = beneath(inside, name)
    if name == "answers" and isinstance(value, list):
        fields = defined_fields(response.get("definition"))
        for index, answer in enumerate(value):
            yield from read_answer(answer, fields, beneath(path, index))
    elif name == "hidden" and isinstance(value, dict):
        yield from walk(value, path)
    elif name == "variables" and isinstance(value, list):
        for index, variable in enumerate(value):
            yield from read_variable(variable, beneath(path, index))
    elif name == "token" and isinstance(value, str):
        # One to a response, also when it is delivered again.
        yield told("vendor_lead_id", path, name, value, "token of the response")
    elif not (name == "definition" and isinstance(value, dict)):
        yield from walk(value, path, name, Key(name))


def defined_fields(definition: Any) -> dict[str, Tree]:
    """The form's fields by their ids, those of groups too."""
    found: dict[str, Tree] = {}
    fields = definition.get("fields") if isinstance(definition, dict) else None
    for field in fields if isinstance(fields, list) else []:
        if isinstance(field, dict):
            found |= defined_fields(field.get("properties"))
            found[str(field.get("id"))] = field
    return found


def read_answer(answer: Any, fields: dict[str, Tree], path: str) -> Iterator[Leaf]:
    """One answer: its value stands under a key that is named by its type."""
    if not isinstance(answer, dict):
        yield from walk(answer, path, "answer")
        return
    field = tree_of(answer.get("field"))
    about = fields.get(str(field.get("id")), {})
    title = RECALL.sub("", text(about.get("title"))).strip()
    name = name_of(field, about, title)
    kind = text(answer.get("type"))
    value, place = value_of(answer, kind), beneath(path, kind)
    if value is None or (isinstance(value, dict | list) and not scalars(value)):
        # Of another type than we know: all that it holds.
        yield from walk(rest_of(answer, ["type", "field"]), path, name, Key(title or name))
    elif kind == "choices":
        # Of several that may be chosen one is a list too.
        yield Leaf(place, name, value)
    elif kind in FIELD_OF_TYPE:
        yield told(FIELD_OF_TYPE[kind], place, name, value, f"type {kind}", Key(title or name))
    else:
        yield guessed(place, name, value, Key(title or name), Key(name), by="question")


def value_of(answer: Tree, kind: str) -> Any:
    """The value of an answer; of choices their labels, with what was written beside them."""
    value = answer.get(kind)
    if not isinstance(value, dict):
        return value
    if kind == "choice":
        return value.get("label") or value.get("other")
    if kind == "choices":
        labels = value.get("labels")
        return [*(labels if isinstance(labels, list) else []), *([value["other"]] if value.get("other") else [])]
    return value


def name_of(field: Tree, about: Tree, title: str) -> str:
    """What the answer's token is called: the field's ref when a person wrote it, else the question, else its id."""
    ref = text(field.get("ref")) or text(about.get("ref"))
    return ref if READABLE.fullmatch(ref) else title or text(field.get("id")) or "answer"


def read_variable(variable: Any, path: str) -> Iterator[Leaf]:
    """One variable, whose value stands under its type too; the form made it, and nobody wrote it of himself."""
    if isinstance(variable, dict) and text(variable.get("key")) and text(variable.get("type")) in variable:
        kind, key = variable["type"], variable["key"]
        yield from unclaimed(variable[kind], beneath(path, kind), key)
    else:
        yield from walk(variable, path, "variable")


def tree_of(value: Any) -> Tree:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def text(value: Any) -> str:
    """The value if it is text, as far as a name reaches; else none."""
    return value[:LONGEST] if isinstance(value, str) else ""
