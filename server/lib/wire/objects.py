"""JSON as it is sent: read by orjson, and by a slower reader where that one would lose something."""

import json
import math
import re
import string
from typing import Any

import orjson

from server.lib.wire.charsets import decode
from server.lib.wire.terms import EDGES, FORM, LIMITS, Limits, Note, Tree, Unreadable, add_note, shown, too_deep

# Beyond this a double, and so every JavaScript client, cannot tell an integer from its neighbour.
SAFE_INTEGER = 2**53
# Beyond this orjson reads an integer as a float, and which one it was is lost.
ORJSON_INTEGER = 2**63

# A string counts as one piece, also when it never ends, so that no text takes more than one pass.
JSON_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.S)

STRING = re.compile(r'"(?:[^"\\]|\\.)*+"', re.S)
CONTROL = re.compile("[\0-\x1f]")
MARKS = {code: 0xDC00 + code for code in range(0x20)}
CONTROLS = {mark: code for code, mark in MARKS.items()}
MARK = re.compile("[\udc00-\udc1f\udc80-\udcff]")


def parse_json(
    text: bytes, limits: Limits = LIMITS, notes: list[Note] | None = None, charset: str | None = None
) -> Tree:
    """The object of a JSON text; nothing and `null` are an empty one. With `notes`, texts that are not UTF-8 and raw
    line breaks in them are read as well, and noted; without, they are refused. Raises Unreadable."""
    if text.count(b",") > limits.values:
        message = f"There are more than {limits.values} values. Send fewer, or several requests."
        raise Unreadable("too_large", message)
    try:
        value = _tidy(orjson.loads(text), limits.depth, exact=False)
    except ValueError:
        # orjson refuses half a surrogate pair, whose field is to be named, and rounds integers of 20 digits.
        value = _tidy(_parse_exactly(text, limits.depth, notes, charset), limits.depth, exact=True)
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


def _parse_exactly(text: bytes, depth: int, notes: list[Note] | None, charset: str | None) -> Any:
    decoded = ""
    try:
        decoded = text.decode() if notes is None else _with_marks(text)
        _check_depth(decoded, depth)
        value = EXACT.decode(decoded) if decoded.strip(string.whitespace) else None
    except ValueError as error:
        message = f"The body is not valid JSON: {_reason(error)}. Send a JSON object, or a form as {FORM}."
        raise Unreadable("malformed_body", message) from error
    return value if notes is None or not MARK.search(decoded) else _without_marks(value, "", notes, charset)


def _reason(error: ValueError) -> str:
    """Why this is no JSON, and where."""
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    if not isinstance(error, json.JSONDecodeError):
        return str(error)
    where = f"line {error.lineno}, column {error.colno}"
    rest = error.doc[error.pos :].strip(string.whitespace)
    before = error.doc[: error.pos].rstrip(string.whitespace)
    if not rest or error.msg.startswith("Unterminated string"):
        return f"it ends too early, in what begins at {where}" if rest else f"it ends too early, at {where}"
    if rest[0] in "}]" and before.endswith(","):
        return f"a comma stands before the closing {rest[0]} at {where}"
    return f"{error.msg} at {where}"


# What JSON does not allow is marked in the text, so that it can be parsed, and the field be named after that. A mark is
# half a surrogate pair, one for each byte that is not UTF-8 (by Python's "surrogateescape") or control character.


def _with_marks(text: bytes) -> str:
    decoded = text.decode("utf-8", "surrogateescape")
    return STRING.sub(_marked, decoded) if CONTROL.search(decoded) else decoded


def _marked(found: re.Match[str]) -> str:
    text = found[0]
    return text.translate(MARKS) if CONTROL.search(text) else text


def _without_marks(value: Any, path: str, notes: list[Note], charset: str | None) -> Any:
    if isinstance(value, str):
        return _unmarked(value, path, notes, charset)
    if isinstance(value, list):
        return [_without_marks(item, f"{path}.{place}", notes, charset) for place, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    read = {}
    for key, item in value.items():
        name = _unmarked(key, "", [], charset)
        inner = f"{path}.{name.strip(EDGES)}".removeprefix(".")
        read[_unmarked(key, inner, notes, charset)] = _without_marks(item, inner, notes, charset)
    return read


def _unmarked(text: str, path: str, notes: list[Note], charset: str | None) -> str:
    if not MARK.search(text):
        return text
    whole = text.translate(CONTROLS)
    if whole != text:
        add_note(notes, Note(shown(path), "json_repaired"))
    try:
        raw = whole.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return whole  # It holds half of a pair that was sent as such, whose field is named later.
    read, guessed = decode(raw, charset)
    if guessed:
        add_note(notes, Note(shown(path), "charset_guessed"))
    return read


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
