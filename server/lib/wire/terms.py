"""What a request may hold at most, and how it is said that something cannot be read."""

import re
import string
from dataclasses import dataclass
from typing import Any, Literal

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


LIMITS = Limits()


class Unreadable(Exception):
    """What was sent cannot be read: why, and what to send instead. `body` is what arrived, perhaps cut."""

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
