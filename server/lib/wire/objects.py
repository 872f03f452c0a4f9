"""JSON as it is sent: read by orjson, and by a slower reader where that one would lose something."""

import json
import math
import re
import string
from typing import Any

import orjson

from server.lib.wire.terms import EDGES, FORM, LIMITS, Limits, Tree, Unreadable, too_deep

# Beyond this a double, and so every JavaScript client, cannot tell an integer from its neighbour.
SAFE_INTEGER = 2**53
# Beyond this orjson reads an integer as a float, and which one it was is lost.
ORJSON_INTEGER = 2**63

# A string counts as one piece, also when it never ends, so that no text takes more than one pass.
JSON_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.S)


def parse_json(text: bytes, limits: Limits = LIMITS) -> Tree:
    """The object of a JSON text; nothing and `null` are an empty one. Raises Unreadable."""
    try:
        value = _tidy(orjson.loads(text), limits.depth, exact=False)
    except ValueError:
        # orjson refuses half a surrogate pair, whose field is to be named, and rounds integers of 20 digits.
        value = _tidy(_parse_exactly(text, limits.depth), limits.depth, exact=True)
    if value is None:
        return {}
    if type(value) is not dict:
        message = 'The JSON is no object. Send one, such as {"caller_id": "+17192221234"}.'
        raise Unreadable("object_expected", message)
    return value


def _tidy(value: Any, room: int, exact: bool) -> Any:
    """The value with keys and texts stripped, unsafe integers as text; ValueError when orjson rounded one."""
    kind = type(value)
    if kind is str:
        return value.rstrip()
    if kind is dict or kind is list:
        if not room:
            raise too_deep()
        if kind is list:
            return [_tidy(item, room - 1, exact) for item in value]
        return {key.strip(EDGES): _tidy(item, room - 1, exact) for key, item in value.items()}
    if kind is int and not -SAFE_INTEGER <= value <= SAFE_INTEGER:
        return str(value)
    if kind is float and not exact and abs(value) >= ORJSON_INTEGER:
        raise ValueError("perhaps an integer")
    return value


def _parse_exactly(text: bytes, depth: int) -> Any:
    try:
        decoded = text.decode()
        _check_depth(decoded, depth)
        return EXACT.decode(decoded) if decoded.strip(string.whitespace) else None
    except ValueError as error:
        reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
        message = f"The body is not valid JSON: {reason}. Send a JSON object, or a form as {FORM}."
        raise Unreadable("malformed_body", message) from error


def _check_depth(text: str, depth: int) -> None:
    """Counts brackets before the recursive parser may see them: its stack is the thread's."""
    room = depth
    for piece in JSON_STRUCTURE.finditer(text):
        sign = text[piece.start()]
        if sign in "[{":
            room -= 1
        elif sign in "]}":
            room += 1
        if room < 0:
            raise too_deep()


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) < 20 else digits


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


EXACT = json.JSONDecoder(parse_int=_integer, parse_float=_finite, parse_constant=_no_constant)
