"""Lists of questions with their answers: `{label, value, type, key}`, in the words of several form builders.

Each is named by what was asked; what describes the form (its types, keys and choices) is no part of the lead.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from server.foreign.reading import LONGEST, Leaf, Reading, Tree, beneath, guessed, rest_of, scalars, told
from server.foreign.walk import walk
from server.foreign.words import HINTS, Key, spelt

ANSWERS = ("value", "values", "answer", "field_value", "fieldValue", "response")
ASKED = ("label", "title", "question", "field_name", "fieldName", "name", "field_label", "text")
KEYS = ("custom_key", "key", "ref", "field_id", "fieldId", "id", "slug")
TYPES = ("type", "field_type", "fieldType", "field_datatype", "kind")
# What else describes a question.
DESCRIBES = frozenset(
    [*ASKED, *KEYS, *TYPES, "description", "options", "choices", "rows", "columns", "required", "position", "order"]
)

FIELD_OF_TYPE = {
    "input_phone_number": "caller_id",
    "phone_number": "caller_id",
    "phonenumber": "caller_id",
    "phone": "caller_id",
    "tel": "caller_id",
    "input_email": "email",
    "email": "email",
}
# Such answers may be several, so that one of them is a list too.
SEVERAL = ("checkboxes", "multi_select", "ranking", "multiplechoice", "multiple_choice", "checkbox")

# A token's name has to have room for what is put behind it.
LONGEST_NAME = 55


def is_questions(tree: Tree) -> bool:
    """Whether there is a list of questions in it, or in one of its members."""
    return any(True for _ in lists_of_questions(tree))


def lists_of_questions(tree: Tree) -> Iterator[tuple[str, ...]]:
    """Where the lists of questions are."""
    for name, value in tree.items():
        if asks_all(name, value):
            yield (name,)
        elif isinstance(value, dict):
            yield from ((name, inner) for inner, list_ in value.items() if asks_all(inner, list_))


def asks_all(name: str, value: Any) -> bool:
    """Whether a member is a list of questions; several numbers, each with its kind, are none."""
    if not isinstance(value, list) or not value or any(hint.search(spelt(name)) for hint in HINTS.values()):
        return False
    return all(isinstance(item, dict) and asks(item) for item in value)


def asks(item: Tree) -> bool:
    """Whether it is a question with its answer, blank as it may be."""
    return answer_of(item) is not None and bool(text_of(item, ASKED))


def read_questions(tree: Tree, path: str = "") -> Reading:
    """The answers by what was asked, and the rest by its path."""
    leaves: list[Leaf] = []
    rest = {name: dict(value) if isinstance(value, dict) else value for name, value in tree.items()}
    for place in lists_of_questions(tree):
        holder, at = tree, path
        remaining: Any = rest
        for name in place[:-1]:
            holder, at, remaining = holder[name], beneath(at, name), remaining[name]
        del remaining[place[-1]]
        leaves += read_list(holder[place[-1]], beneath(at, place[-1]))
    return Reading("questions", (*leaves, *walk(rest, path)))


def read_list(items: list[Any], path: str) -> Iterator[Leaf]:
    """The answers of one list."""
    for index, item in enumerate(items):
        yield from read_question(item, beneath(path, index))


def read_question(item: Any, path: str) -> Iterator[Leaf]:
    """One answer; the question's text is kept where the name of the token does not spell it."""
    member = answer_of(item) if isinstance(item, dict) else None
    if member is None:
        yield from walk(item, path, "answer")
        return
    key = text_of(item, KEYS)
    label = text_of(item, ASKED).strip() or key
    name = name_of(label, key)
    value, place = chosen(item[member], item), beneath(path, member)
    kind = text_of(item, TYPES).lower()
    if isinstance(value, list) and len(value) == 1 and kind not in SEVERAL:
        value, place = value[0], beneath(place, 0)
    field = FIELD_OF_TYPE.get(kind)
    if isinstance(value, dict | list) and not scalars(value):
        yield from walk(value, place, name, Key(label))
    elif field and not isinstance(value, list):
        yield told(field, place, name, value, f"type {text_of(item, TYPES)}", Key(label))
    else:
        yield guessed(place, name, value, Key(label), by="question")
    if not spells(name, label) and value not in (None, "", []):
        yield Leaf(beneath(path, "label"), f"{name}_question", label)
    yield from walk(rest_of(item, [member, *DESCRIBES]), path, name)


def answer_of(item: Tree) -> str | None:
    """The member that holds the answer."""
    return next((name for name in ANSWERS if name in item), None)


def text_of(item: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """The first text among members of these names."""
    return next((str(item[name]) for name in names if isinstance(item.get(name), str) and item[name].strip()), "")


def name_of(label: str, key: str) -> str:
    """What the answer's token is called: the question as far as it can be spelt in a name, else the field's key."""
    name = re.sub(r"^\W+|\W+$", "", label)[:LONGEST_NAME].strip()
    return name if re.search(r"[a-z0-9]", name, re.I) else key[:LONGEST_NAME] or label[:LONGEST_NAME]


def spells(name: str, label: str) -> bool:
    """Whether the token's name says the question in full, but for case and the signs at its ends."""
    said = re.sub(r"[^a-z0-9]+", " ", name.lower()).strip()
    return said == " ".join(re.sub(r"^\W+|\W+$", "", label.lower()).replace("_", " ").split())


def chosen(value: Any, item: Tree) -> Any:
    """The answer in words: choices are sent by their ids, and described beside the answer."""
    options = item.get("options")
    words: dict[Any, str] = {}
    for option in options if isinstance(options, list) else []:
        if isinstance(option, dict) and isinstance(option.get("id"), str):
            words[option["id"]] = text_of(option, ("text", "label", "name", "value"))[:LONGEST] or option["id"]
    if isinstance(value, list):
        return [words.get(each, each) if isinstance(each, str) else each for each in value]
    return words.get(value, value) if isinstance(value, str) else value
