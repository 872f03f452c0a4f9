"""Reads a WSGI request into trees of parameters: its query string, and its body in every common format."""

import codecs
import json
import math
import re
import string
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import unquote_to_bytes

import orjson
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder

Tree = dict[str, Any]
Code = Literal["malformed_body", "object_expected", "too_large", "unsupported_media_type"]

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
TEXT = ("text/csv", "text/plain")

# What stands around a key by accident: white space, tabs, a no-break space, a byte order mark.
EDGES = string.whitespace + "\u00a0\ufeff"

# Beyond this a double, and so every JavaScript client, cannot tell an integer from its neighbour.
SAFE_INTEGER = 2**53
# Beyond this orjson reads an integer as a float, and which one it was is lost.
ORJSON_INTEGER = 2**63

# Undone in the whole text at once, to spare most fields their turn; none makes a `%`, `&`, `=` or hex digit.
COMMON_ESCAPES = (("%2B", "+"), ("%40", "@"), ("%5B", "["), ("%5D", "]"))

BRACKETS = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])+)")
CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([^\"';\s]*)", re.I)
# A string counts as one piece, also when it never ends, so that no text takes more than one pass.
JSON_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.S)
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


def read_query(environ: Mapping[str, Any], limits: Limits = LIMITS) -> Tree:
    """The parameters of the query string; raises Unreadable."""
    # WSGI hands bytes over as latin-1 text (PEP 3333).
    query = environ.get("QUERY_STRING", "").encode("latin-1")
    try:
        return _read_form(query, "query string", limits)
    except Unreadable as error:
        error.body = query
        raise


def read_body(environ: Mapping[str, Any], limits: Limits = LIMITS) -> Tree:
    """The parameters of the body; raises Unreadable, which carries the body."""
    body = _receive(environ, limits.body_bytes)
    try:
        return _parse(body.removeprefix(codecs.BOM_UTF8), environ, limits)
    except Unreadable as error:
        error.body = body
        raise


def read_upload(environ: Mapping[str, Any], limits: Limits = LIMITS) -> Tree | str:
    """The parameters of the body, or its text where it is text or CSV by its type; raises Unreadable."""
    body = _receive(environ, limits.body_bytes).removeprefix(codecs.BOM_UTF8)
    _refuse_encoding(environ)
    if _media(environ) in TEXT and not body.lstrip().startswith(b"{"):
        # A name in another character set, in a column that nobody reads, spoils no upload.
        return body.decode("utf-8", "replace")
    return _parse(body, environ, limits)


def merge(under: Tree, over: Tree) -> Tree:
    """Both trees in one: where they differ, the second wins."""
    tree = dict(under)
    for key, value in over.items():
        below = tree.get(key)
        tree[key] = merge(below, value) if type(below) is dict and type(value) is dict else value
    return tree


def first_bad_character(tree: Tree) -> str | None:
    """The path (`data.x`) of the first key or value with a NUL or a lone surrogate; no database keeps one."""
    try:
        if b"\\u0000" not in orjson.dumps(tree):
            return None
    except orjson.JSONEncodeError:
        pass  # Half a surrogate pair is what orjson cannot write; the walk finds where.
    return next(_bad_paths(tree, ""), None)


def _bad_paths(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, str):
        if UNSTORABLE.search(value):
            yield path
        return
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in inner:
        name = str(key)
        inner_path = f"{path}.{_shown(name)}".removeprefix(".")
        if UNSTORABLE.search(name):
            yield inner_path
        yield from _bad_paths(child, inner_path)


def _shown(text: str) -> str:
    """A name that came with the request, fit to stand in an answer."""
    return UNSTORABLE.sub("\ufffd", text[:64])


# The bytes


def _receive(environ: Mapping[str, Any], limit: int) -> bytes:
    """The body; one byte over the limit is read at most. Raises Unreadable when it is longer or cut."""
    announced = _announced(environ)
    # A server that marks no end of its stream would let us wait for ever behind a body without a length.
    expected = limit + 1 if environ.get("wsgi.input_terminated") else 0
    body = _read(environ, min(expected if announced is None else announced, limit + 1))
    if len(body) > limit:
        message = f"The body is longer than {limit} bytes. Send less, or several requests."
        raise Unreadable("too_large", message, body=body[:limit])
    if announced is not None and len(body) < announced:
        # What a broken connection leaves of a form still looks like a form, with half a number at its end.
        message = f"The body ended after {len(body)} of {announced} bytes. Send the request again."
        raise Unreadable("malformed_body", message, body=body)
    return body


def _announced(environ: Mapping[str, Any]) -> int | None:
    """The length that the client gave, in bytes; None when only the end of the stream says it."""
    text = environ.get("CONTENT_LENGTH") or ""
    if "HTTP_TRANSFER_ENCODING" in environ or not (text.isascii() and text.isdigit()):
        return None
    # Digits without end are refused by int(); eighteen are over any limit.
    return int(text) if len(text) <= 18 else 10**18


def _read(environ: Mapping[str, Any], size: int) -> bytes:
    chunks = []
    try:
        while size > 0 and (chunk := environ["wsgi.input"].read(size)):
            chunks.append(chunk)
            size -= len(chunk)
    except OSError as error:
        message = "The connection broke before the body had arrived. Send the request again."
        raise Unreadable("malformed_body", message, body=b"".join(chunks)) from error
    return b"".join(chunks)


# The formats


def _refuse_encoding(environ: Mapping[str, Any]) -> None:
    encoding = environ.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if encoding not in ("", "identity"):
        raise _unsupported(f"a body in Content-Encoding {_shown(encoding)}. Send it uncompressed")


def _media(environ: Mapping[str, Any]) -> str:
    """The type of the body in small letters; raises Unreadable for a character set that we do not read."""
    content_type = environ.get("CONTENT_TYPE") or ""
    charset = CHARSET.search(content_type)
    if charset and charset[1].lower() not in ("", "utf-8", "utf8"):
        raise _unsupported(f"charset {_shown(charset[1])}. Send UTF-8")
    return content_type.partition(";")[0].strip().lower()


def _parse(body: bytes, environ: Mapping[str, Any], limits: Limits) -> Tree:
    _refuse_encoding(environ)
    if not body or body.isspace():
        return {}
    media = _media(environ)
    if media == FORM:
        return _parse_form(body, limits)
    if media == "application/json" or media.endswith("+json"):
        return _undot(parse_json(body, limits))
    if media == MULTIPART:
        return _nest(_parts(body, environ["CONTENT_TYPE"], limits), limits)
    # Beacons send JSON as text/plain, and some clients send no type at all.
    if media in ("", "text/plain") and (body.lstrip().startswith(b"{") or body.strip() == b"null"):
        return _undot(parse_json(body, limits))
    if not media:
        return _read_form(body, "body", limits)
    raise _unsupported(f"Content-Type {_shown(media)}. Send application/json, {FORM} or {MULTIPART}")


def _unsupported(what: str) -> Unreadable:
    return Unreadable("unsupported_media_type", f"We do not read {what}.")


def _parse_form(body: bytes, limits: Limits) -> Tree:
    if body.lstrip().startswith(b"{") and _is_object(body, limits):
        message = f"The body is JSON but says that it is {FORM}. Send Content-Type: application/json."
        raise Unreadable("malformed_body", message)
    return _read_form(body, "body", limits)


def _is_object(body: bytes, limits: Limits) -> bool:
    try:
        parse_json(body, limits)
    except Unreadable:
        return False
    return True


# JSON


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
            raise _too_deep()
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
            raise _too_deep()


def _too_deep(parameter: str | None = None) -> Unreadable:
    return Unreadable("malformed_body", "The parameters are nested too deeply. Send them flatter.", parameter)


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


def _undot(tree: Tree) -> Tree:
    """Puts `data.x` into `data`."""
    dotted = [key for key in tree if key.startswith("data.") and key != "data."]
    if not dotted:
        return tree
    data = {key.removeprefix("data.").strip(EDGES): tree.pop(key) for key in dotted}
    return merge(tree, {"data": data})


# Forms


def _read_form(raw: bytes, where: str, limits: Limits) -> Tree:
    if not raw:
        return {}
    if raw.count(b"&") >= limits.fields:
        raise _too_many(limits)
    try:
        return _nest(_pairs(raw.decode()), limits)
    except UnicodeDecodeError as error:
        message = f"The {where} is not UTF-8. Send it in UTF-8, percent-encoded."
        raise Unreadable("malformed_body", message) from error


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    text = text.replace("+", " ")
    if "%" in text:
        for escape, char in COMMON_ESCAPES:
            text = text.replace(escape, char)
    for field in text.split("&"):
        key, _, value = field.partition("=")
        if "%" in field:
            yield unquote_to_bytes(key).decode(), unquote_to_bytes(value).decode()
        elif field:
            yield key, value


def _parts(body: bytes, content_type: str, limits: Limits) -> list[tuple[str, str]]:
    """The fields of a multipart body; raises Unreadable."""
    boundary = parse_options_header(content_type)[1].get("boundary")
    if not boundary:
        message = f"The Content-Type {MULTIPART} names no boundary. Let the client write the header."
        raise Unreadable("malformed_body", message)
    decoder = MultipartDecoder(boundary.encode("latin-1", "replace"), max_parts=limits.fields)
    decoder.receive_data(body)
    decoder.receive_data(None)
    pairs: list[tuple[str, str]] = []
    name, content = "", bytearray()
    try:
        while not isinstance(event := decoder.next_event(), Epilogue):
            # A file input that was left empty is sent as a part with an empty file name: no file came.
            if isinstance(event, File) and event.filename:
                raise _unsupported("files. Send the form without them")
            if isinstance(event, Field | File):
                name, content = event.name or "", bytearray()
            elif isinstance(event, Data):
                content += event.data
                if not event.more_data:
                    pairs.append((name, content.decode()))
    except RequestEntityTooLarge as error:
        raise _too_many(limits) from error
    except ValueError as error:
        message = f"The body is not valid {MULTIPART}: {error}. Let the client write the header."
        raise Unreadable("malformed_body", message) from error
    return pairs


def _too_many(limits: Limits) -> Unreadable:
    return Unreadable("too_large", f"There are more than {limits.fields} fields. Send fewer.")


def _nest(pairs: Iterable[tuple[str, str]], limits: Limits) -> Tree:
    """The tree that keys such as `a[b]`, `a[]` and `data.x` spell; the last of two that collide wins."""
    tree: Tree = {}
    nested = False
    for key, value in pairs:
        if "[" in key or "data." in key:
            nested = True
            _plant(tree, _path(key.strip(EDGES)), value.rstrip(), limits)
        else:
            tree[key.strip(EDGES)] = value.rstrip()
    if not nested:
        return tree
    return {key: _with_lists(value) for key, value in tree.items()}


def _path(key: str) -> list[str]:
    """`a[b][c]` in parts; a key whose brackets do not pair up is one part as it stands."""
    match = BRACKETS.fullmatch(key)
    head, rest = match.groups() if match else (key, "")
    parts = [part.strip(EDGES) for part in rest[1:-1].split("][")] if rest else []
    if head.startswith("data.") and head != "data.":
        parts.insert(0, head.removeprefix("data.").strip(EDGES))
        head = "data"
    return [head.strip(EDGES), *parts]


def _plant(tree: Tree, path: list[str], value: str, limits: Limits) -> None:
    if len(path) > limits.depth:
        raise _too_deep(_shown(path[0]))
    *branches, leaf = path
    for branch in branches:
        name = branch or _next_index(tree)
        if type(tree.get(name)) is not dict:
            tree[name] = {}
        tree = tree[name]
    tree[leaf or _next_index(tree)] = value


def _next_index(tree: Tree) -> str:
    """The name that `[]` stands for."""
    index = len(tree)
    while str(index) in tree:
        index += 1
    return str(index)


def _with_lists(value: Any) -> Any:
    """Turns each dict whose keys are exactly the numbers from 0 on into the list that was meant."""
    if type(value) is not dict:
        return value
    inner = {key: _with_lists(child) for key, child in value.items()}
    if "0" not in inner:
        return inner
    indices = [str(index) for index in range(len(inner))]
    return [inner[index] for index in indices] if inner.keys() == set(indices) else inner
