"""What a request may hold at most, and how it is said that something cannot be read."""

import re
import string
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Tree = dict[str, Any]
Code = Literal["malformed_body", "object_expected", "too_large", "unsupported_media_type", "invalid_parameter"]

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"

# What stands around a key by accident: white space, tabs, a no-break space, a byte order mark.
EDGES = string.whitespace + "\u00a0\ufeff"

UNSTORABLE = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may hold at most; checked before anything is built of it."""

    body_bytes: int = 256 * 1024
    fields: int = 500
    depth: int = 20
    # Of a form, whose fields are few, and of a JSON text in commas: what lies between two takes its time to read.
    form_bytes: int = 256 * 1024
    values: int = 250_000


LIMITS = Limits()


class Note(NamedTuple):
    """What was read although it was not quite right: which parameter, by its path, and how."""

    parameter: str
    code: Literal["charset_guessed", "json_repaired"]

    @property
    def message(self) -> str:
        """What was done, and what to send instead."""
        return f"{self.parameter} {NOTED[self.code]}"


NOTED = {
    "charset_guessed": "is not UTF-8, and was read as Windows-1252. Send UTF-8, or declare the charset.",
    "json_repaired": "holds a raw line break, tab or other control character, which was read. Send it escaped.",
}


# Enough for a batch in which several fields of each lead are wrong.
MOST_NOTES = 20_000


def add_note(notes: list[Note], note: Note) -> None:
    """Keeps a note, unless there are more of them than anybody reads."""
    if len(notes) < MOST_NOTES:
        notes.append(note)


class Unreadable(Exception):
    """What was sent cannot be read: why, and what to send instead. `body` is what arrived, perhaps cut."""

    # What the body says that it is.
    content_type = ""

    def __init__(self, code: Code, message: str, parameter: str | None = None, body: bytes = b"") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.parameter = parameter
        self.body = body


def shown(text: str) -> str:
    """A name that came with the request, fit to stand in an answer."""
    return UNSTORABLE.sub("\ufffd", text[:64])


def too_deep(parameter: str | None = None) -> Unreadable:
    """The refusal of parameters in parameters in parameters."""
    return Unreadable("malformed_body", "The parameters are nested too deeply. Send them flatter.", parameter)


def too_many(limits: Limits) -> Unreadable:
    """The refusal of a form with more fields than anybody fills in."""
    return Unreadable("too_large", f"There are more than {limits.fields} fields. Send fewer.")


def unsupported(what: str) -> Unreadable:
    """The refusal of a format."""
    return Unreadable("unsupported_media_type", f"We do not read {what}.")
