"""Bodies that are made to take long: eight megabytes, as a batch may have, cost no more than a moment of CPU."""

import time
from collections.abc import Callable
from io import BytesIO

import pytest

from server.api.batch import BATCH
from server.lib.wire import Unreadable, read_body

ROOM = 8 * 1024 * 1024
# The aim is half a second; it was two to eight. A busy machine counts more than it takes.
SECONDS = 1.5
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
PARTS = "multipart/form-data; boundary=b"


def filled(start: bytes, middle: bytes, end: bytes = b"") -> bytes:
    """As many of the middle as there is room for."""
    return start + middle * ((ROOM - len(start) - len(end)) // len(middle)) + end


def part(start: bytes, middle: bytes) -> bytes:
    return filled(b"--b\r\n" + start, middle, b"\r\n\r\nx\r\n--b--\r\n")


BODIES: dict[str, Callable[[], tuple[bytes, str]]] = {
    "percent signs": lambda: (filled(b"", b"%"), FORM),
    "percent signs of no type": lambda: (filled(b"", b"%"), ""),
    "escapes": lambda: (filled(b"a=", b"%41"), FORM),
    "brackets": lambda: (filled(b"a", b"[b]", b"=1"), FORM),
    "JSON that says it is a form": lambda: (filled(b'{"leads":[', b"[],", b"{]}"), FORM),
    "numbers": lambda: (filled(b'{"leads":[', b"1,", b"1]}"), JSON),
    "objects": lambda: (filled(b'{"leads":[', b"{},", b"{}]}"), JSON),
    "JSON that is none": lambda: (filled(b'{"leads":[', b"[],", b"{]}"), JSON),
    "half a pair and numbers": lambda: (filled(b'{"leads":["\\ud800",', b"1,", b"1]}"), JSON),
    "a text without end": lambda: (filled(b'{"a":"', b'\\"'), JSON),
    "depth": lambda: (filled(b"", b"["), JSON),
    "a long parameter": lambda: (part(b'Content-Disposition: form-data; name="', b'\\"'), PARTS),
    "many parameters": lambda: (part(b"Content-Disposition: form-data", b"; a=b"), PARTS),
    "semicolons": lambda: (part(b"Content-Disposition: form-data", b";"), PARTS),
    "many headers": lambda: (part(b"", b"a: b\r\n"), PARTS),
    "a header in many lines": lambda: (part(b"a: b", b"\r\n c"), PARTS),
    "blanks after a boundary": lambda: (filled(b"--b", b" "), PARTS),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_body_costs_a_moment(name: str) -> None:
    body, content_type = BODIES[name]()
    environ = {
        "wsgi.input": BytesIO(body),
        "wsgi.input_terminated": True,
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": content_type,
    }
    began = time.process_time()
    with pytest.raises(Unreadable):
        read_body(environ, BATCH)
    assert time.process_time() - began < SECONDS


def test_a_batch_of_a_thousand_full_leads_is_read() -> None:
    lead = b"{" + b",".join(b'"field_%d":"value, with a comma"' % number for number in range(100)) + b"}"
    body = b'{"leads":[' + b",".join([lead] * 1000) + b"]}"
    environ = {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": JSON}
    assert len(read_body(environ, BATCH)["leads"]) == 1000
