"""literal: a value as source code, laid out as a person would: what is short on one line, else an entry a line."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from server.lib.wire import SAFE_INTEGER

WIDTH = 80

NAMED = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def nothing(keys: Mapping[str, Any]) -> str:
    """What stands before an object in most languages."""
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notation:
    """How a language writes values."""

    text: Callable[[str], str]
    # A name with what stands between it and its value.
    key: Callable[[str], str]
    words: Mapping[Any, str]
    braces: tuple[str, str] = ("{", "}")
    # What stands within braces on one line.
    air: str = ""
    indent: int = 4
    # What follows the last entry that has a line of its own.
    end: str = ","
    before: Callable[[Mapping[str, Any]], str] = nothing


def literal(value: Any, notation: Notation, depth: int = 0, *, broken: bool = False) -> str:
    """The value in a line that is indented so often; `broken` gives each entry a line of its own in any case."""
    one_line = inline(value, notation)
    if not isinstance(value, Mapping | list) or not value:
        return one_line
    if not broken and len(one_line) + notation.indent * depth <= WIDTH:
        return one_line
    opening, entries, closing = parts(value, notation)
    outer, inner = (" " * (notation.indent * level) for level in (depth, depth + 1))
    lines = [f"{inner}{name}{literal(each, notation, depth + 1)}" for name, each in entries]
    return f"{opening}\n" + ",\n".join(lines) + f"{notation.end}\n{outer}{closing}"


def inline(value: Any, notation: Notation) -> str:
    """The value on one line."""
    if not isinstance(value, Mapping | list):
        return scalar(value, notation)
    opening, entries, closing = parts(value, notation)
    air = notation.air if entries and isinstance(value, Mapping) else ""
    return opening + air + ", ".join(name + inline(each, notation) for name, each in entries) + air + closing


def parts(value: Mapping[str, Any] | list[Any], notation: Notation) -> tuple[str, list[tuple[str, Any]], str]:
    """What opens a tree, its entries by how they begin, and what closes it."""
    if isinstance(value, list):
        return "[", [("", each) for each in value], "]"
    opening, closing = notation.braces
    return notation.before(value) + opening, [(notation.key(name), each) for name, each in value.items()], closing


def scalar(value: Any, notation: Notation) -> str:
    """A text, a number or a word."""
    if value is None or isinstance(value, bool):
        return notation.words[value]
    if isinstance(value, str):
        return notation.text(value)
    # Many languages would round it, and the API keeps it as text anyway.
    if isinstance(value, int) and abs(value) > SAFE_INTEGER:
        return notation.text(str(value))
    return repr(value)


def quoted(text: str, escape: Callable[[int], str]) -> str:
    """A text in double quotes; `escape` writes what nobody would see by its code point."""
    return '"' + "".join(NAMED.get(char) or (char if char.isprintable() else escape(ord(char))) for char in text) + '"'


def braced(code: int) -> str:
    """A code point as JavaScript, PHP and Ruby write it."""
    return f"\\u{{{code:x}}}"
