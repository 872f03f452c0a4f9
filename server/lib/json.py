"""JSON as we write it: orjson everywhere, and one spelling to compare and hash."""

import json
from decimal import Decimal
from typing import Any

import orjson
from flask.json.provider import JSONProvider


def dump(value: Any) -> str:
    """Compact JSON text. A lone surrogate, which UTF-8 cannot say, is kept as its escape."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(value, separators=(",", ":"))


def canonical(value: Any) -> bytes:
    """The same bytes for the same value, whatever the order of its keys."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def pretty(value: Any) -> str:
    """JSON for people to read."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def load(text: str | bytes) -> Any:
    """The value of a JSON text, be it one that holds half a surrogate pair as `dump` keeps it."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


def plain(value: Any) -> str:
    """The value as a person would write it: text as it is, nothing for null, `true`, `12`, `0.5`, else compact JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        # Never with an exponent: nobody reads 1e-05 in a message.
        return format(Decimal(repr(value)), "f")
    return dump(value)


class OrjsonProvider(JSONProvider):
    """Makes Flask speak through orjson too."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """The text of any JSON value."""
        return dump(obj)

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """The value of a JSON text."""
        return load(s)
