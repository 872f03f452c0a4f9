"""Bad inputs that are about the wire, at the socket of the real server: framing, targets, hosts, what the log prints.

What is no HTTP the web server refuses by itself, with an empty 400 or by hanging up: that is no answer of ours.
"""

import json
import re
from collections.abc import Iterator

import pytest

from server.config import Settings
from tests.api.calls import LEADS
from tests.factories import Account
from tests.live import Live, running_server
from tests.raw import Wire, ask, preflight, request, understood

FORM = "Content-Type: application/x-www-form-urlencoded"

# How an answer may begin to something that is no request: by the web server, without a word of ours.
NO_HTTP = "400, no HTTP"
HUNG_UP = "hung up"


def line(account: Account, method: str = "POST", version: str = "1.1", before: str = "") -> str:
    """The first line of a lead."""
    target = f"{before}{LEADS}?lead_token={account.schedule_token}&caller_id=7192221234"
    return f"{method} {target} HTTP/{version}"


def written(first: str, *headers: str, body: bytes = b"", end: str = "\r\n") -> bytes:
    """A request as it is written, its Host included."""
    return end.join([first, *headers, "", ""]).encode("utf-8", "surrogateescape") + body


def outcome(live: Live, content: bytes) -> str:
    """What becomes of it: the action or code of an answer of ours, or what the web server does by itself."""
    with Wire(live.port) as wire:
        wire.send(content)
        try:
            answer = wire.read()
        except ConnectionError:
            return HUNG_UP
    if answer.status == 400 and not answer.body:
        return NO_HTTP
    body = understood(answer)
    return str(body.get("action") or body["code"])


ZIP = b"zip=80202"
HOST = "Host: leads.example"
CHUNKED = "Transfer-Encoding: chunked"

# Number of the input, what it is, the headers, the body, and what becomes of it.
FRAMING: list[tuple[int, str, list[str], bytes, str]] = [
    (113, "a space before the colon", [HOST, FORM, "Content-Length : 9"], ZIP, NO_HTTP),
    (113, "a header that goes on in the next line", [HOST, "X-Note: a", " b"], b"", NO_HTTP),
    (113, "a header without a name", [HOST, ": x"], b"", NO_HTTP),
    (113, "a name with brackets", [HOST, "X[a]: x"], b"", NO_HTTP),
    (113, "a name with an underscore", [HOST, "Content_Length: 9", "X_Forwarded_For: 203.0.113.7"], b"", "created"),
    (114, "one length twice", [HOST, FORM, "Content-Length: 9", "Content-Length: 9"], ZIP, "created"),
    (114, "two lengths in one header", [HOST, FORM, "Content-Length: 9, 9"], ZIP, NO_HTTP),
    (114, "a length with a sign", [HOST, FORM, "Content-Length: +9"], ZIP, NO_HTTP),
    (114, "a length in hex", [HOST, FORM, "Content-Length: 0x9"], ZIP, NO_HTTP),
    (115, "an expectation that we do not know", [HOST, "Expect: 200-maybe", "Content-Length: 0"], b"", "created"),
    (143, "two encodings", [HOST, FORM, "Transfer-Encoding: gzip, chunked"], b"0\r\n\r\n", "unsupported_media_type"),
    (143, "chunked twice", [HOST, FORM, CHUNKED, CHUNKED], b"0\r\n\r\n", "unsupported_media_type"),
    (143, "chunked, but not last", [HOST, FORM, "Transfer-Encoding: chunked, identity"], b"0\r\n\r\n", NO_HTTP),
    (143, "an extension and a trailer", [HOST, FORM, CHUNKED], b"9;a=b\r\nzip=80202\r\n0\r\nX-A: 1\r\n\r\n", "created"),
    (144, "an upgrade to HTTP/2", [HOST, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c"], b"", "created"),
]


@pytest.mark.parametrize("case", FRAMING, ids=lambda case: f"{case[0]}: {case[1]}")
def test_a_request_is_framed_in_one_way_or_refused(
    live: Live, account: Account, case: tuple[int, str, list[str], bytes, str]
) -> None:
    _, _, headers, body, expected = case
    assert outcome(live, written(line(account), *headers, body=body)) == expected
    leads = account.leads()
    assert len(leads) == (expected == "created")
    assert all(lead["remote_ip"] == "127.0.0.1" for lead in leads)
    assert all(lead["data"] == ({"zip": "80202"} if body.strip(b"0\r\n") else {}) for lead in leads)


@pytest.mark.parametrize("size", ["-9", "fffffffffffffffff", "9 9", "0x9", "z"])
def test_a_chunk_whose_size_is_none_hides_no_second_request(live: Live, account: Account, size: str) -> None:
    hidden = written(line(account), HOST, FORM, "Content-Length: 10", body=b"zip=hidden")
    body = f"{size}\r\nzip=80202\r\n0\r\n\r\n".encode() + hidden
    with Wire(live.port) as wire:
        wire.send(written(line(account), HOST, FORM, CHUNKED, body=body))
        assert wire.read().status in (200, 400)
        with pytest.raises(ConnectionError):
            wire.read()
    assert len(account.submissions()) <= 1
    assert all(lead["data"] == {} for lead in account.leads())


def test_lines_end_as_http_says_and_a_request_is_one_whatever_they_end_in(live: Live, account: Account) -> None:
    assert outcome(live, written(line(account), HOST, end="\r")) in (NO_HTTP, HUNG_UP)
    assert account.submissions() == []
    assert outcome(live, written(line(account), HOST, end="\n")) == "created"
    assert len(account.submissions()) == 1


def test_the_first_bytes_of_http_2_take_nothing(live: Live, account: Account) -> None:
    assert outcome(live, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") in (NO_HTTP, HUNG_UP)
    answer = ask(live.port, written(line(account, "GET"), HOST, "Connection: Upgrade", "Upgrade: websocket"))
    assert understood(answer)["code"] == "key_required"
    assert account.submissions() == []


# Hosts and targets


@pytest.fixture(scope="module")
def public(settings: Settings) -> Iterator[Live]:
    """A server that knows its address."""
    with running_server(settings, HANDRAISER_PUBLIC_URL="https://leads.example") as server:
        yield server


def test_an_old_client_without_a_host_is_heard(live: Live, public: Live, account: Account) -> None:
    for server in (live, public):
        assert outcome(server, written(line(account, version="1.0"))) in ("created", "unchanged")
        answer = ask(server.port, written("POST /nowhere HTTP/1.0"))
        body = understood(answer)
        assert (answer.status, body["code"]) == (404, "not_found")
        assert body["type"].startswith("/api/" if server is live else "https://leads.example/api/")


def test_two_hosts_are_none(live: Live, account: Account) -> None:
    assert outcome(live, written(line(account), "Host: a.example", "Host: b.example")) == "host_not_allowed"
    assert account.submissions() == []


@pytest.mark.parametrize("scheme", ["http", "https", "HTTP"])
def test_a_target_that_names_a_host_of_its_own_changes_nothing(public: Live, account: Account, scheme: str) -> None:
    first = line(account, before=f"{scheme}://evil.example")
    assert outcome(public, written(first, HOST)) == "created"
    # The Host is what counts, also where the target would be a good one.
    own = line(account, before="https://leads.example")
    answer = ask(public.port, written(own, "Host: evil.example"))
    assert understood(answer)["code"] == "host_not_allowed"
    assert "evil" not in answer.body.decode()
    assert len(account.submissions()) == 1


@pytest.mark.parametrize("target", ["evil.example:443", "leads.example", "*", "#", "?", "\\evil", "http://", "//"])
def test_a_target_that_is_no_path_takes_no_lead(live: Live, account: Account, target: str) -> None:
    found = outcome(live, written(f"POST {target} HTTP/1.1", HOST, FORM, "Content-Length: 9", body=ZIP))
    assert found in ("not_found", "method_not_allowed", NO_HTTP, HUNG_UP)
    assert account.submissions() == []


def test_a_preflight_hears_nothing_of_private_networks(live: Live) -> None:
    answer = ask(live.port, preflight(LEADS, "content-type"))
    assert "Access-Control-Allow-Private-Network" not in answer.headers
    assert "Content-Type" not in answer.headers
    assert answer.body == b""


# Headers that are no text


@pytest.mark.parametrize("name", ["Authorization", "Origin", "Referer", "User-Agent", "Cookie", "Host", "X-Note"])
@pytest.mark.parametrize(
    "value", ["\udcff\udcfe", "schlüssel", "\u202e\u2028", "a\x7fb"], ids=["bytes", "accents", "marks", "DEL"]
)
def test_a_header_that_is_no_plain_text_breaks_nothing(live: Live, account: Account, name: str, value: str) -> None:
    headers = [f"{name}: {value}"] + [HOST] * (name != "Host")
    found = outcome(live, written(line(account), *headers))
    assert found in ("created", "received", "host_not_allowed", NO_HTTP)
    assert len(account.leads()) == (found in ("created", "received"))


# The log

MARKS = "\u2028\u2029\u0085\ufeff\u202e"
DANGEROUS = f"\x1b[2J\x07{MARKS}"
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202e\ufeff]")


def test_whatever_comes_the_log_is_one_line_of_json_for_each_request(live: Live, account: Account) -> None:
    began = live.log.stat().st_size
    body = json.dumps(
        {"caller_id": "7192221234", "first_name": f"a\r\nb{DANGEROUS}", f"k\r\n{DANGEROUS}": "x"}
    ).encode()
    escaped = "%0d%0a%1b%5b2J%e2%80%a8"
    sent = [
        request("POST", f"{LEADS}?lead_token={account.schedule_token}", {"Content-Type": "application/json"}, body),
        request("POST", f"{LEADS}?lead_token={account.schedule_token}&caller_id=1{escaped}"),
        request("POST", f"{LEADS}?lead_token={escaped}&caller_id=1"),
        request("POST", f"/nowhere{escaped}"),
        request("GET", f"{LEADS}/{escaped}", {"Authorization": f"Bearer {account.private_key}"}),
        request("POST", line(account).split(" ")[1], {"User-Agent": MARKS, "Referer": MARKS}),
        request("POST", line(account).split(" ")[1], {"Idempotency-Key": "a\tb"}),
    ]
    ids = [ask(live.port, content).headers["X-Request-Id"] for content in sent]
    # Split at line feeds only: what others take for the end of a line must not be in it.
    lines = [each for each in live.log.read_bytes()[began:].decode().split("\n") if each]
    assert not any(CONTROL.search(each) for each in lines)
    assert [json.loads(each)["request_id"] for each in lines if json.loads(each)["request_id"] in ids] == ids
