"""Names that come near to one of ours: a flag that is spelt wrongly must not be taken for something to keep. Pure."""

from collections import defaultdict
from functools import lru_cache
from typing import Any

from marshmallow import ValidationError

from server.leads.schemas import FIELDS

# Who sends one of these believes that nothing is kept, or made, or that something ends: to go on as if nothing had been
# said would make a real lead, or leave two.
FLAGS = ("dry_run", "update_only", "delete_existing", "expire_existing")
# The controls that are worth a question; the others do nothing, or are one short word.
CONTROLS = ("auth_token", "data_json", "explain", "google_key", "idempotency_key", "redirect_error", "redirect_to")

# Shorter words have neighbours that mean something else: a form may well ask for `emails`.
SHORTEST_ALIKE, SHORTEST_NEAR = 5, 8
# What people call the ones with long names.
SHORTER = {"callbackat": "schedule_callback_at", "callbackinseconds": "schedule_callback_in_seconds"}
LONGEST = 40


def squeezed(name: str) -> str:
    """The letters and digits of a name: `dryRun`, `Dry-Run` and `dry_run ` have the same."""
    return "".join(filter(str.isalnum, name.lower()))


# Of a word with one mistake either the first two or the last two letters are right.
NEIGHBOURS: dict[str, list[tuple[str, str]]] = defaultdict(list)
for _name in (*FLAGS, *FIELDS, *CONTROLS):
    _word = squeezed(_name)
    if len(_word) >= SHORTEST_ALIKE:
        NEIGHBOURS[f"{_word[:2]}*"].append((_word, _name))
        NEIGHBOURS[f"*{_word[-2:]}"].append((_word, _name))


@lru_cache(maxsize=4096)
def meant(key: str) -> str | None:
    """The name that a key was perhaps meant to be; None for one that is right, or nothing like ours."""
    if len(key) > LONGEST or key in FIELDS or key in FLAGS or key in CONTROLS:
        return None
    word = squeezed(key)
    for place in (f"{word[:2]}*", f"*{word[-2:]}"):
        for known, name in NEIGHBOURS.get(place, ()):
            near = len(known) >= SHORTEST_NEAR or name in FLAGS
            if word == known or (near and one_mistake(word, known)):
                return name
    return SHORTER.get(word)


def one_mistake(word: str, known: str) -> bool:
    """Whether one letter is missing, too many or another, or two have changed places."""
    if abs(len(word) - len(known)) > 1:
        return False
    first = next((i for i, (a, b) in enumerate(zip(word, known, strict=False)) if a != b), min(len(word), len(known)))
    rest, right = word[first:], known[first:]
    swapped = rest[1::-1] + rest[2:]
    return right in (rest[1:], swapped) or right[1:] in (rest, rest[1:])


def is_off(value: Any) -> bool:
    """Whether a flag's value says no: then nobody is misled."""
    try:
        return FIELDS["blocked"].deserialize(value) is False
    except ValidationError:
        return False


def dry_run_inside(value: Any, path: str) -> str | None:
    """Where something wishes, within what nobody reads it from, that nothing be kept; it would make a real lead."""
    if not isinstance(value, dict):
        return None
    for key, inner in value.items():
        here = f"{path}.{key}" if path else key
        wished = key == "dry_run" or meant(key) == "dry_run"
        if wished and inner not in (None, "") and not is_off(inner):
            return here
        found = dry_run_inside(inner, here)
        if found is not None:
            return found
    return None
