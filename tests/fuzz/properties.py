"""What must be true of the wire reader, whatever it is given."""

import io
import json
import math
from collections.abc import Callable
from typing import Any

from server.lib.wire import (
    EDGES,
    UNSTORABLE,
    Limits,
    Unreadable,
    first_bad_character,
    merge,
    parse_json,
    read_body,
    read_query,
    read_upload,
)
from tests.fuzz.mutation import Message

LIMITS = Limits()
CODES = {"malformed_body", "object_expected", "too_large", "unsupported_media_type"}
# JSON is as deep as its limit says; a form's `data.x` may stand one level lower.
DEEPEST = LIMITS.depth + 1


class Broken(io.BytesIO):
    """A body whose connection breaks before its end."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() or not self.getvalue():
            raise ConnectionResetError
        return super().read(max(1, (size or 0) // 2))


def environ(message: Message) -> dict[str, Any]:
    """The request as WSGI hands it over."""
    made: dict[str, Any] = {
        "QUERY_STRING": message.query.decode("latin-1"),
        "CONTENT_TYPE": message.content_type,
        "wsgi.input": Broken(message.body) if message.broken else io.BytesIO(message.body),
        "wsgi.input_terminated": True,
    }
    if message.encoding:
        made["HTTP_CONTENT_ENCODING"] = message.encoding
    if message.chunked:
        made["HTTP_TRANSFER_ENCODING"] = "chunked"
    elif message.missing is not None:
        made["CONTENT_LENGTH"] = str(len(message.body) + message.missing)
    return made


def read(message: Message) -> list[Any]:
    """Everything that the reader makes of a message: trees, texts, and refusals as what they say."""
    query = outcome(lambda: read_query(environ(message)), message.query)
    body = outcome(lambda: read_body(environ(message)), message.body)
    lenient = [
        outcome(lambda: read_query(environ(message), notes=[]), message.query),
        outcome(lambda: read_body(environ(message), notes=[]), message.body),
    ]
    upload = outcome(lambda: read_upload(environ(message)), message.body)
    merged = merge(query, body) if type(query) is type(body) is dict else {}
    parsed = outcome(lambda: parse_json(message.body), message.body)
    return [query, body, lenient, upload, parsed, merged, first_bad_character(merged)]


def outcome(reader: Callable[[], Any], sent: bytes) -> Any:
    """A tree or a text, or what the refusal says; any other exception is a finding."""
    try:
        return reader()
    except Unreadable as error:
        refusal = error
    judge_refusal(refusal, sent)
    return (refusal.code, refusal.message, refusal.parameter)


def judge_refusal(refusal: Unreadable, sent: bytes) -> None:
    """It has a code and a sentence, and can be shown and kept as it is."""
    assert refusal.code in CODES
    assert refusal.message.endswith(".")
    assert not UNSTORABLE.search(refusal.parameter or "")
    assert len(refusal.parameter or "") <= 64
    assert sent.startswith(refusal.body)


def judge(message: Message) -> None:
    """Reads a message, twice, and judges what came of it."""
    results = read(message)
    assert spelt(read(message)) == spelt(results), "it reads otherwise the second time"
    query, body, lenient, upload, parsed, merged, path = results
    assert {type(query), type(body), type(parsed)} <= {dict, tuple}
    assert type(upload) in (dict, tuple, str)
    for result in (query, body, *lenient, upload, parsed, merged):
        if isinstance(result, dict):
            judge_tree(result)
    if type(query) is type(body) is dict:
        assert merged.keys() == query.keys() | body.keys()
        assert all(merged[name] == value for name, value in body.items() if type(value) is not dict)
    assert (path is not None) == bad(merged), path
    assert not UNSTORABLE.search(path or "")


def judge_tree(tree: dict[str, Any]) -> None:
    """JSON's types, names without edges, no deeper than the limit, numbers that every client can hold."""
    waiting: list[tuple[Any, int]] = [(tree, 1)]
    while waiting:
        value, depth = waiting.pop()
        kind = type(value)
        if kind is dict or kind is list:
            assert depth <= DEEPEST
            for name in value if kind is dict else ():
                assert type(name) is str
                assert name == name.strip(EDGES), name
            waiting += [(inner, depth + 1) for inner in (value.values() if kind is dict else value)]
        elif kind is float:
            assert math.isfinite(value)
        elif kind is int:
            assert abs(value) <= 2**53
        elif kind is str:
            assert value == value.rstrip()
        else:
            assert value is None or kind is bool, kind


def bad(value: Any) -> bool:
    """Whether a NUL or half a surrogate pair stands anywhere, found without the reader's own shortcut."""
    if isinstance(value, str):
        return bool(UNSTORABLE.search(value))
    if isinstance(value, dict):
        return any(bad(name) or bad(inner) for name, inner in value.items())
    return isinstance(value, list) and any(map(bad, value))


def spelt(results: list[Any]) -> str:
    """The results as text, in which 1, 1.0 and true differ and the order counts."""
    return json.dumps(results)
