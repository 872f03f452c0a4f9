"""What is packed with gzip for whom: texts that are worth it, whole, and never twice."""

import gzip

import pytest
from flask import Flask, Response

from server.lib.compress import LEAST_BYTES, compress

LONG, SHORT = b"x" * (LEAST_BYTES + 1), b"x" * LEAST_BYTES
HTML, JSON, PNG = "text/html; charset=utf-8", "application/json", "image/png"
app = Flask(__name__)


def sent(response: Response, accepted: str = "gzip, deflate, br") -> Response:
    """The response as it is sent to who takes these."""
    with app.test_request_context(headers={"Accept-Encoding": accepted}):
        return compress(response)


@pytest.mark.parametrize("content_type", [HTML, JSON, "text/css", "text/javascript", "image/svg+xml"])
def test_a_long_text_is_packed(content_type: str) -> None:
    response = sent(Response(LONG, content_type=content_type, headers={"ETag": '"abc"'}))
    assert gzip.decompress(response.data) == LONG
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Content-Length"] == str(len(response.data))
    assert response.headers["Vary"] == "Accept-Encoding"
    # Not the same bytes any more.
    assert response.headers["ETag"] == 'W/"abc"'


@pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "identity, *;q=0"])
def test_who_does_not_take_it_gets_it_plain_and_caches_are_told(accepted: str) -> None:
    response = sent(Response(LONG, content_type=HTML, headers={"ETag": '"abc"'}), accepted)
    assert (response.data, response.headers["Vary"], response.headers["ETag"]) == (LONG, "Accept-Encoding", '"abc"')


@pytest.mark.parametrize(
    "about",
    [
        {"response": SHORT, "content_type": HTML},
        {"response": LONG, "content_type": PNG},
        {"response": LONG, "content_type": HTML, "status": 206, "headers": {"Content-Range": "bytes 0-1024/9999"}},
        {"response": LONG, "content_type": HTML, "headers": {"Content-Encoding": "br"}},
    ],
    ids=["short", "no text", "a part", "packed already"],
)
def test_what_is_not_worth_it_or_not_whole_stays_as_it_is(about: dict[str, object]) -> None:
    response = sent(Response(**about))  # type: ignore[arg-type]
    assert response.data == about["response"]


def test_a_file_is_packed_as_well() -> None:
    response = Response(iter([LONG[:500], LONG[500:]]), content_type=HTML, direct_passthrough=True)
    assert gzip.decompress(sent(response).data) == LONG
