"""The types that a contact field's value can have, and how each is read from a form's text or from JSON. Pure.

Every reader raises ValueError with the end of a sentence that says what the value has to be.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from server.lib.json import plain

WHOLE = re.compile(r"[+-]?[0-9]{1,40}")
DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})")
DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?) ?(Z|UTC|[+-]\d\d:?\d\d)?)?", re.ASCII | re.IGNORECASE
)
TRUE = ("1", "true", "yes", "on")
FALSE = ("0", "false", "no", "off")


def read_text(value: Any) -> str:
    """Text; a number is read as its digits, for many programs send numbers so."""
    if isinstance(value, bool | dict | list):
        raise ValueError("must be text")
    return plain(value).strip()


def read_whole(value: Any) -> int:
    """A whole number: never a float, never `1_000`."""
    if isinstance(value, int | str) and not isinstance(value, bool) and WHOLE.fullmatch(str(value).strip()):
        return int(value)
    raise ValueError("must be a whole number, such as 12")


def read_decimal(value: Any) -> float:
    """A decimal number, without an exponent when it is text."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and DECIMAL.fullmatch(value.strip()):
        return float(value)
    raise ValueError("must be a decimal number, such as 12.5")


def read_time(value: Any) -> datetime:
    """A time in ISO 8601, or only its day; one without an offset counts as UTC here, where it is only compared."""
    match = TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    try:
        if match is None:
            raise ValueError(value)
        offset = (match[3] or "Z").upper().replace("UTC", "Z")
        return datetime.fromisoformat(f"{match[1]}T{match[2] or '00:00'}{offset}")
    except ValueError as error:
        raise ValueError("must be a valid time, such as 2026-11-23 06:00:00 +0000") from error


def read_boolean(value: Any) -> bool:
    """One of the words that the lead endpoint takes for a boolean everywhere."""
    word = plain(value).strip().lower() if isinstance(value, bool | int | str) else ""
    if word not in TRUE and word not in FALSE:
        raise ValueError(f"must be a boolean value: {', '.join(TRUE + FALSE)}")
    return word in TRUE


READERS: Mapping[str, Callable[[Any], Any]] = {
    "string": read_text,
    "decimal": read_decimal,
    "integer": read_whole,
    "time": read_time,
    "boolean": read_boolean,
    "hidden": read_text,
}
