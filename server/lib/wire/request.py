"""A WSGI request's parameters: its query string, and its body in every common format."""

import codecs
import re
from collections.abc import Mapping
from typing import Any

from server.lib.wire.forms import read_form, read_parts
from server.lib.wire.objects import parse_json
from server.lib.wire.stream import receive
from server.lib.wire.terms import FORM, LIMITS, MULTIPART, Limits, Tree, Unreadable, shown, unsupported
from server.lib.wire.tree import nest, undot

TEXT = ("text/csv", "text/plain")

CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([^\"';\s]*)", re.I)


def read_query(environ: Mapping[str, Any], limits: Limits = LIMITS) -> Tree:
    """The parameters of the query string; raises Unreadable."""
    # WSGI hands bytes over as latin-1 text (PEP 3333).
    query = environ.get("QUERY_STRING", "").encode("latin-1")
    try:
        return read_form(query, "query string", limits)
    except Unreadable as error:
        error.body = query
        raise


def read_body(environ: Mapping[str, Any], limits: Limits = LIMITS) -> Tree:
    """The parameters of the body; raises Unreadable, which carries the body."""
    return _read_received(receive(environ, limits.body_bytes), environ, limits)


def read_signed(environ: Mapping[str, Any], limits: Limits = LIMITS) -> tuple[Tree, bytes]:
    """The parameters of the body, and the bytes that somebody signed; raises Unreadable, which carries the body."""
    body = receive(environ, limits.body_bytes)
    return _read_received(body, environ, limits), body


def _read_received(body: bytes, environ: Mapping[str, Any], limits: Limits) -> Tree:
    try:
        return _parse(body.removeprefix(codecs.BOM_UTF8), environ, limits)
    except Unreadable as error:
        error.body = body
        raise


def read_upload(environ: Mapping[str, Any], limits: Limits = LIMITS) -> Tree | str:
    """The parameters of the body, or its text where it is text or CSV by its type; raises Unreadable."""
    body = receive(environ, limits.body_bytes).removeprefix(codecs.BOM_UTF8)
    _refuse_encoding(environ)
    if _media(environ) in TEXT and not body.lstrip().startswith(b"{"):
        # A name in another character set, in a column that nobody reads, spoils no upload.
        return body.decode("utf-8", "replace")
    return _parse(body, environ, limits)


def _refuse_encoding(environ: Mapping[str, Any]) -> None:
    encoding = environ.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if encoding not in ("", "identity"):
        raise unsupported(f"a body in Content-Encoding {shown(encoding)}. Send it uncompressed")
    transfer = environ.get("HTTP_TRANSFER_ENCODING", "").strip().lower()
    if transfer not in ("", "chunked"):
        raise unsupported(f"a body in Transfer-Encoding {shown(transfer)}. Send it chunked and uncompressed")


def _media(environ: Mapping[str, Any]) -> str:
    """The type of the body in small letters; raises Unreadable for a character set that we do not read."""
    content_type = environ.get("CONTENT_TYPE") or ""
    charset = CHARSET.search(content_type)
    if charset and charset[1].lower() not in ("", "utf-8", "utf8"):
        raise unsupported(f"charset {shown(charset[1])}. Send UTF-8")
    return content_type.partition(";")[0].strip().lower()


def _parse(body: bytes, environ: Mapping[str, Any], limits: Limits) -> Tree:
    _refuse_encoding(environ)
    if not body or body.isspace():
        return {}
    media = _media(environ)
    if media == FORM:
        return _parse_form(body, limits)
    if media == "application/json" or media.endswith("+json"):
        return undot(parse_json(body, limits))
    if media == MULTIPART:
        return nest(read_parts(body, environ["CONTENT_TYPE"], limits), limits)
    # Beacons send JSON as text/plain, and some clients send no type at all.
    if media in ("", "text/plain") and (body.lstrip().startswith(b"{") or body.strip() == b"null"):
        return undot(parse_json(body, limits))
    if not media:
        return read_form(body, "body", limits)
    raise unsupported(f"Content-Type {shown(media)}. Send application/json, {FORM} or {MULTIPART}")


def _parse_form(body: bytes, limits: Limits) -> Tree:
    if body.lstrip().startswith(b"{") and _is_object(body, limits):
        message = f"The body is JSON but says that it is {FORM}. Send Content-Type: application/json."
        raise Unreadable("malformed_body", message)
    return read_form(body, "body", limits)


def _is_object(body: bytes, limits: Limits) -> bool:
    try:
        parse_json(body, limits)
    except Unreadable:
        return False
    return True
