"""Forms: urlencoded, as in a query string, and multipart."""

from collections.abc import Iterable, Iterator
from urllib.parse import unquote_to_bytes

from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder

from server.lib.wire.charsets import charset_of, decode, find_charset
from server.lib.wire.terms import (
    EDGES,
    MULTIPART,
    Limits,
    Note,
    Tree,
    Unreadable,
    add_note,
    shown,
    too_many,
    unsupported,
)
from server.lib.wire.tree import nest, path_of

# Undone in the whole text at once, to spare most fields their turn; none makes a `%`, `&`, `=` or hex digit.
COMMON_ESCAPES = (("%2B", "+"), ("%40", "@"), ("%5B", "["), ("%5D", "]"))


def read_form(
    raw: bytes, where: str, limits: Limits, notes: list[Note] | None = None, charset: str | None = None
) -> Tree:
    """The tree that a urlencoded form spells. With `notes`, what is not UTF-8 is read as well, and noted; without, it
    is refused. Raises Unreadable."""
    if not raw:
        return {}
    if raw.count(b"&") >= limits.fields:
        raise too_many(limits)
    try:
        return nest(_pairs(raw.decode()), limits)
    except UnicodeDecodeError as error:
        if notes is None:
            message = f"The {where} is not UTF-8. Send it in UTF-8, percent-encoded."
            raise Unreadable("malformed_body", message) from error
    pairs = [(unquote_to_bytes(key), unquote_to_bytes(value)) for key, value in _raw_pairs(raw)]
    charset = _declared_in(pairs) or charset
    return nest([_decoded(key, value, charset, notes) for key, value in pairs], limits)


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


def _raw_pairs(raw: bytes) -> Iterator[tuple[bytes, bytes]]:
    for field in raw.replace(b"+", b" ").split(b"&"):
        key, _, value = field.partition(b"=")
        if field:
            yield key, value


def _declared_in(pairs: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The charset that browsers write into a field of this name (RFC 7578, 4.6)."""
    return next((find_charset(value.decode("latin-1")) for key, value in pairs if key == b"_charset_"), None)


def _decoded(key: bytes, value: bytes, charset: str | None, notes: list[Note] | None) -> tuple[str, str]:
    """A field in text; raises UnicodeDecodeError where nobody takes notes."""
    if notes is None:
        return key.decode(), value.decode()
    name, name_guessed = decode(key, charset)
    text, guessed = decode(value, charset)
    if guessed or name_guessed:
        path = ".".join(filter(None, path_of(name.strip(EDGES))))
        add_note(notes, Note(shown(path), "charset_guessed"))
    return name, text


class Decoder(MultipartDecoder):
    """Werkzeug's reader of multipart bodies, which also reads the names of fields where they are not UTF-8."""

    def _parse_headers(self, data: bytes | bytearray) -> Headers:
        # Each byte is one character for now; names are read later, as values are.
        return super()._parse_headers(bytes(data).decode("latin-1").encode())


def read_parts(
    body: bytes, content_type: str, limits: Limits, notes: list[Note] | None = None, charset: str | None = None
) -> list[tuple[str, str]]:
    """The fields of a multipart body; for `notes` see `read_form`. Raises Unreadable."""
    boundary = parse_options_header(content_type)[1].get("boundary")
    if not boundary:
        message = f"The Content-Type {MULTIPART} names no boundary. Let the client write the header."
        raise Unreadable("malformed_body", message)
    decoder = Decoder(boundary.encode("latin-1", "replace"), max_parts=limits.fields)
    decoder.receive_data(body)
    decoder.receive_data(None)
    try:
        parts = list(_raw_parts(decoder))
        charset = _declared_in((name, value) for name, value, _ in parts) or charset
        return [_decoded(name, value, own or charset, notes) for name, value, own in parts]
    except RequestEntityTooLarge as error:
        raise too_many(limits) from error
    except ValueError as error:
        message = f"The body is not valid {MULTIPART}: {error}. Let the client write the header."
        raise Unreadable("malformed_body", message) from error


def _raw_parts(decoder: Decoder) -> Iterator[tuple[bytes, bytes, str | None]]:
    """Each field's name and value as they came, and the charset that its own header declares."""
    name, content, charset = b"", bytearray(), None
    while not isinstance(event := decoder.next_event(), Epilogue):
        # A file input that was left empty is sent as a part with an empty file name: no file came.
        if isinstance(event, File) and event.filename:
            raise unsupported("files. Send the form without them")
        if isinstance(event, Field | File):
            name, content = _raw_name(event.name or ""), bytearray()
            charset = charset_of(event.headers.get("Content-Type", ""))
        elif isinstance(event, Data):
            content += event.data
            if not event.more_data:
                yield name, bytes(content), charset


def _raw_name(name: str) -> bytes:
    """The bytes of a name; one that was sent as `name*=utf-8''...` is text already."""
    try:
        return name.encode("latin-1")
    except UnicodeEncodeError:
        return name.encode()
