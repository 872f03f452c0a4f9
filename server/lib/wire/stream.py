"""The bytes of a body: no more of them than may be, and all that were announced."""

from collections.abc import Mapping
from typing import Any

from server.lib.wire.terms import Unreadable


def receive(environ: Mapping[str, Any], limit: int) -> bytes:
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
