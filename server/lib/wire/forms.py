"""Forms: urlencoded, as in a query string, and multipart."""

from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder

from server.lib.wire.terms import MULTIPART, Limits, Tree, Unreadable, too_many, unsupported
from server.lib.wire.tree import nest

# Undone in the whole text at once, to spare most fields their turn; none makes a `%`, `&`, `=` or hex digit.
COMMON_ESCAPES = (("%2B", "+"), ("%40", "@"), ("%5B", "["), ("%5D", "]"))


def read_form(raw: bytes, where: str, limits: Limits) -> Tree:
    if not raw:
        return {}
    if raw.count(b"&") >= limits.fields:
        raise too_many(limits)
    try:
        return nest(_pairs(raw.decode()), limits)
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


def read_parts(body: bytes, content_type: str, limits: Limits) -> list[tuple[str, str]]:
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
                raise unsupported("files. Send the form without them")
            if isinstance(event, Field | File):
                name, content = event.name or "", bytearray()
            elif isinstance(event, Data):
                content += event.data
                if not event.more_data:
                    pairs.append((name, content.decode()))
    except RequestEntityTooLarge as error:
        raise too_many(limits) from error
    except ValueError as error:
        message = f"The body is not valid {MULTIPART}: {error}. Let the client write the header."
        raise Unreadable("malformed_body", message) from error
    return pairs
