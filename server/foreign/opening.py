"""Values that hold values: JSON text in one field, as form builders post it, and lines of `name = value`. Pure."""

import re
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from server.lib.wire import Tree, Unreadable, parse_json

# No real payload has more texts of JSON; to try each of forty thousand would cost.
MOST_OPENED = 20
# What stands before the sign in a line of several: Formstack's `first = Ann`.
NAME = re.compile(r"[^\W\d][\w .-]{0,39}")


class Opener:
    """Opens the values of one payload; `opened` are the paths of those that held values."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.tried = count(1)

    def open_members(self, tree: Mapping[str, Any], path: str = "") -> Tree:
        """The tree with what its texts hold in their place; what came out of a text is not opened again."""
        return {name: self.open(value, f"{path}.{name}" if path else name) for name, value in tree.items()}

    def open(self, value: Any, path: str) -> Any:
        """The value, or what it holds."""
        if isinstance(value, dict):
            return self.open_members(value, path)
        if isinstance(value, list):
            return [self.open(item, f"{path}[{index}]") for index, item in enumerate(value)]
        if not isinstance(value, str) or not may_hold(value):
            return value
        held = self.read(value)
        if held is None:
            return value
        self.opened.append(path)
        return held

    def read(self, text: str) -> Any:
        """What a text holds; None when it is no more than a text."""
        if text.lstrip()[:1] not in ("{", "["):
            return members_of_lines(text)
        return members_of_json(text) if next(self.tried) <= MOST_OPENED else None


def may_hold(text: str) -> bool:
    """Whether a text is worth a closer look."""
    ends = text[:1] + text[-1:]
    return ends in ("{}", "[]") or ("\n" in text and "=" in text) or (text[:1].isspace() and text.lstrip()[:1] in "{[")


def members_of_json(text: str) -> Any:
    """The object, or the list of objects, that a text is as JSON; None for any other."""
    try:
        # A list has to stand in an object to be read.
        found = (
            parse_json(f'{{"list":{text}}}'.encode()) if text.lstrip().startswith("[") else parse_json(text.encode())
        )
    except (Unreadable, UnicodeError):
        return None
    if not text.lstrip().startswith("["):
        return found or None
    items = found["list"] if found.keys() == {"list"} else []
    return items if items and all(isinstance(item, dict) for item in items) else None


def members_of_lines(text: str) -> dict[str, str] | None:
    """The members of a text of which each line is `name = value`; None for any other."""
    found = list(members_by_line(text))
    names = {name for name, _ in found}
    return dict(found) if len(names) == len(found) > 1 and all(names) else None


def members_by_line(text: str) -> Iterator[tuple[str, str]]:
    """The name and the value of each line; a line that has none has no name."""
    for line in text.strip().split("\n"):
        name, sign, value = line.partition("=")
        yield (name.strip() if sign and NAME.fullmatch(name.strip()) else "", value.strip())
