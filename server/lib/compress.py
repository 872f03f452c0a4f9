"""Answers packed with gzip, for those who take them so."""

import gzip

from flask import Response, request

# Below that it is not worth its header.
LEAST_BYTES = 1024
TEXT = ("text/", "application/json", "image/svg+xml")


def compress(response: Response) -> Response:
    """The same answer, packed if it is a text that is worth it: a hook for after a request."""
    text = (response.mimetype or "").startswith(TEXT)
    if response.status_code != 200 or response.content_encoding or not text:
        return response
    response.vary.add("Accept-Encoding")
    response.direct_passthrough = False
    content = response.get_data()
    if takes_gzip() and len(content) > LEAST_BYTES:
        response.set_data(gzip.compress(content, 6))
        response.content_encoding = "gzip"
        etag, _ = response.get_etag()
        if etag:
            # The bytes are no longer those that it named.
            response.set_etag(etag, weak=True)
    return response


def takes_gzip() -> bool:
    """Whether whoever asks takes an answer in gzip."""
    return request.accept_encodings["gzip"] > 0
