"""What is kept of a body that could not be read, and how somebody has it read after all. Pure."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, get_args

from server.errors import Refused
from server.leads.params import invalid
from server.lib.redact import redact_text
from server.lib.wire import Code, Unreadable, find_charset, first_bad_character, parse_body

Json = dict[str, Any]


def kept_unread(problem: Unreadable) -> Json:
    """The body as text for people; its bytes too, where the text is not all of them. Secrets are in neither."""
    body = problem.body
    # Of UTF-16 that is broken the letters are left, so that a secret is found among them.
    wide = body.count(0) * 3 > len(body)
    kept: Json = {"unread": redact_text(storable(body.replace(b"\0", b"") if wide else body))}
    if problem.content_type:
        kept["content_type"] = problem.content_type[:200]
    try:
        body.decode()
    except UnicodeDecodeError:
        text = redact_text(body.decode("latin-1"))
        # What was encoded twice is kept as text only.
        if not wide and is_latin_1(text):
            kept["unread_bytes"] = b64encode(text.encode("latin-1")).decode()
    return kept


def storable(body: bytes) -> str:
    """A body that could not be read, as text that any database keeps."""
    return body.decode("utf-8", "backslashreplace").replace("\x00", "\\x00")


def is_latin_1(text: str) -> bool:
    """Whether each character stands for the byte that it was."""
    return all(character <= "\xff" for character in text)


def read_again(kept: Mapping[str, Any], body: Json | None, charset: str | None) -> tuple[Json, Unreadable | None]:
    """The parameters of a submission's body with a corrected body or charset, or why it cannot be read still. Raises
    Refused where there is nothing to correct, or not so."""
    received: Json = kept["received"]
    if body is None and charset is None:
        return received["body"], still_unreadable(kept) if "unread" in received else None
    name = "body" if charset is None else "charset"
    if "unread" not in received:
        raise invalid({name: ["is taken only where the body could not be read; this one was"]})
    if body is not None:
        if charset is not None:
            raise invalid({"charset": ["says how to read what came; send either it or body"]})
        return body, None
    return in_charset(received, charset or "")


def in_charset(received: Json, charset: str) -> tuple[Json, Unreadable | None]:
    """The bytes that were kept, read in another charset."""
    if find_charset(charset) is None:
        raise invalid({"charset": ["is not one that we know; send its usual name, such as windows-1251 or shift_jis"]})
    if "unread_bytes" not in received:
        raise invalid({"charset": ["changes nothing: what came is UTF-8, or its bytes are not kept; send body"]})
    media = received.get("content_type", "").split(";")
    others = [part for part in media if not part.strip().lower().startswith("charset")]
    try:
        tree = parse_body(b64decode(received["unread_bytes"]), f"{';'.join(others)}; charset={charset}", notes=[])
    except Unreadable as error:
        error.body, error.content_type = b64decode(received["unread_bytes"]), received.get("content_type", "")
        return {}, error
    bad = first_bad_character(tree)
    if bad is not None:
        raise Refused("invalid_character", "It holds a NUL in this charset", {bad: ["holds a NUL in this charset"]})
    return tree, None


def still_unreadable(kept: Mapping[str, Any]) -> Unreadable:
    """Why the body cannot be read, which no change of the configuration mends."""
    received = kept["received"]
    code: Code = kept["code"] if kept["code"] in get_args(Code) else "malformed_body"
    message = "What was sent could not be read, and is kept as it came. Send a corrected body or charset."
    in_bytes = received.get("unread_bytes")
    problem = Unreadable(code, message, body=b64decode(in_bytes) if in_bytes else received["unread"].encode())
    problem.content_type = received.get("content_type", "")
    return problem
