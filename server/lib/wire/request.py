"""A WSGI request's parameters: its query string, and its body in every common format."""

import codecs
from collections.abc import Mapping
from typing import Any

from server.lib.wire.charsets import WIDE_STARTS, charset_of, to_utf_8
from server.lib.wire.forms import read_form, read_parts
from server.lib.wire.objects import parse_json
from server.lib.wire.stream import receive
from server.lib.wire.terms import FORM, LIMITS, MULTIPART, Limits, Note, Tree, Unreadable, shown, unsupported
from server.lib.wire.tree import nest, undot

TEXT = ("text/csv", "text/plain")


def read_query(environ: Mapping[str, Any], limits: Limits = LIMITS, notes: list[Note] | None = None) -> Tree:
    """The parameters of the query string; raises Unreadable.

    With `notes`, a reader is lenient: it reads what is nearly right, and appends what was wrong with it.
    """
    # WSGI hands bytes over as latin-1 text (PEP 3333).
    query = environ.get("QUERY_STRING", "").encode("latin-1")
    try:
        return read_form(query, "query string", limits, notes)
    except Unreadable as error:
        error.body = query
        raise


def read_body(environ: Mapping[str, Any], limits: Limits = LIMITS, notes: list[Note] | None = None) -> Tree:
    """The parameters of the body; raises Unreadable, which carries the body."""
    return _read_received(receive(environ, limits.body_bytes), environ, limits, notes)


def read_signed(
    environ: Mapping[str, Any], limits: Limits = LIMITS, notes: list[Note] | None = None
) -> tuple[Tree, bytes]:
    """The parameters of the body, and the bytes that somebody signed; raises Unreadable, which carries the body."""
    body = receive(environ, limits.body_bytes)
    return _read_received(body, environ, limits, notes), body


def read_upload(environ: Mapping[str, Any], limits: Limits = LIMITS) -> Tree | str:
    """The parameters of the body, or its text where it is text or CSV by its type; raises Unreadable."""
    body = receive(environ, limits.body_bytes).removeprefix(codecs.BOM_UTF8)
    _refuse_encoding(environ)
    content_type = environ.get("CONTENT_TYPE") or ""
    if media_of(content_type) in TEXT and not body.lstrip().startswith(b"{"):
        # A name in another character set, in a column that nobody reads, spoils no upload.
        return to_utf_8(body, charset_of(content_type)).decode("utf-8", "replace")
    return parse_body(body, content_type, limits)


def _read_received(body: bytes, environ: Mapping[str, Any], limits: Limits, notes: list[Note] | None) -> Tree:
    try:
        _refuse_encoding(environ)
        return parse_body(body.removeprefix(codecs.BOM_UTF8), environ.get("CONTENT_TYPE") or "", limits, notes)
    except Unreadable as error:
        error.body, error.content_type = body, environ.get("CONTENT_TYPE") or ""
        raise


def _refuse_encoding(environ: Mapping[str, Any]) -> None:
    encoding = environ.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if encoding not in ("", "identity"):
        raise unsupported(f"a body in Content-Encoding {shown(encoding)}. Send it uncompressed")
    transfer = environ.get("HTTP_TRANSFER_ENCODING", "").strip().lower()
    if transfer not in ("", "chunked"):
        raise unsupported(f"a body in Transfer-Encoding {shown(transfer)}. Send it chunked and uncompressed")


def media_of(content_type: str) -> str:
    """The type of a body in small letters."""
    return content_type.partition(";")[0].strip().lower()


def parse_body(body: bytes, content_type: str, limits: Limits = LIMITS, notes: list[Note] | None = None) -> Tree:
    """The parameters of a body by its type; raises Unreadable."""
    if not body or body.isspace():
        return {}
    charset = charset_of(content_type)
    if charset is not None or body[:2] in WIDE_STARTS:
        body = to_utf_8(body, charset)
    media = media_of(content_type)
    is_json = media == "application/json" or media.endswith("+json") or body.lstrip().startswith(b"{")
    if len(body) > limits.form_bytes and (media in (FORM, MULTIPART) or not is_json):
        message = f"The form is longer than {limits.form_bytes} bytes. Send less, or JSON."
        raise Unreadable("too_large", message)
    if media == FORM:
        return _parse_form(body, limits, notes, charset)
    if media == "application/json" or media.endswith("+json"):
        return undot(parse_json(body, limits, notes, charset))
    if media == MULTIPART:
        return nest(read_parts(body, content_type, limits, notes, charset), limits)
    # Beacons send JSON as text/plain, and some clients send no type at all.
    if media in ("", "text/plain") and (body.lstrip().startswith(b"{") or body.strip() == b"null"):
        return undot(parse_json(body, limits, notes, charset))
    if not media:
        return read_form(body, "body", limits, notes, charset)
    raise unsupported(f"Content-Type {shown(media)}. Send application/json, {FORM} or {MULTIPART}")


def _parse_form(body: bytes, limits: Limits, notes: list[Note] | None, charset: str | None) -> Tree:
    if body.lstrip().startswith(b"{") and _is_object(body, limits):
        message = f"The body is JSON but says that it is {FORM}. Send Content-Type: application/json."
        raise Unreadable("malformed_body", message)
    return read_form(body, "body", limits, notes, charset)


def _is_object(body: bytes, limits: Limits) -> bool:
    try:
        parse_json(body, limits)
    except Unreadable:
        return False
    return True
