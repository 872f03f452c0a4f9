"""HTTP itself, at the socket of the real server: how bodies arrive, what is too large, what takes no lead, who asks."""

import gzip
import json
import re
from collections.abc import Callable, Iterator

import pytest

from server.config import Settings
from server.lib.wire import LIMITS
from tests.api.calls import LEADS
from tests.factories import Account
from tests.live import Live, running_server
from tests.raw import Answer, Wire, ask, chunks, listed, permits, preflight, request, understood
from tests.unit import table

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}
CHUNKED = {"Transfer-Encoding": "chunked"}

# How what is too large or no HTTP may end without a lead: never as a fault of ours.
TURNED_AWAY = {400, 404, 405, 413, 414, 422, 431}


def url(account: Account, more: str = "") -> str:
    """A whole lead in the query string."""
    return f"{LEADS}?lead_token={account.schedule_token}&caller_id=7192221234{more}"


def post(account: Account, headers: dict[str, str], body: bytes, more: str = "") -> bytes:
    """The bytes of a lead with a further body."""
    return request("POST", url(account, more), headers, body)


def refused(answer: Answer, status: int, code: str) -> None:
    """The answer says no in JSON, under that code."""
    content = understood(answer)
    assert (answer.status, content["code"]) == (status, code)


# Bodies


@pytest.mark.parametrize("size", [1, 7, 4096, 10**6])
def test_a_chunked_body_is_read_whole_whatever_the_size_of_its_chunks(live: Live, account: Account, size: int) -> None:
    note = "äöü " * 500 + "end"
    answer = ask(live.port, post(account, JSON | CHUNKED, chunks(json.dumps({"note": note}).encode(), size)))
    assert understood(answer)["action"] == "created"
    assert account.leads()[0]["data"] == {"note": note}


@pytest.mark.parametrize("size", [None, 1000, 10**6], ids=["announced", "in small chunks", "in one chunk"])
@pytest.mark.parametrize(
    ("headers", "begin"), [(JSON, b'{"zip": "80202"}'), (FORM, b"zip=80202&x=")], ids=["JSON", "form"]
)
def test_a_body_of_the_limit_is_taken_and_one_byte_more_is_refused_not_cut(
    live: Live, account: Account, headers: dict[str, str], begin: bytes, size: int | None
) -> None:
    def sent(length: int) -> Answer:
        # Of a body that ends in spaces, what a cut would leave is a lead as good as any.
        body = begin.ljust(length)
        if size is None:
            return ask(live.port, post(account, headers, body))
        return ask(live.port, post(account, headers | CHUNKED, chunks(body, size)))

    refused(sent(LIMITS.body_bytes + 1), 413, "too_large")
    assert account.leads() == []
    assert understood(sent(LIMITS.body_bytes))["action"] == "created"
    assert account.leads()[0]["data"] == {"zip": "80202"}


@pytest.mark.parametrize("size", [None, 65536], ids=["announced", "chunked"])
def test_a_body_far_over_the_limit_is_refused(live: Live, account: Account, size: int | None) -> None:
    body = b" " * 8 * 1024 * 1024
    content = post(account, JSON, body) if size is None else post(account, JSON | CHUNKED, chunks(body, size))
    refused(ask(live.port, content), 413, "too_large")
    assert account.leads() == []


def test_a_length_beyond_the_limit_is_refused_without_waiting_for_the_rest(live: Live, account: Account) -> None:
    headers = JSON | {"Content-Length": str(10**10)}
    refused(ask(live.port, post(account, headers, b" " * (LIMITS.body_bytes + 1))), 413, "too_large")
    assert account.leads() == []


CUT = {
    "a form": FORM | {"Content-Length": "30"},
    "JSON": JSON | {"Content-Length": "30"},
    "chunked JSON": JSON | CHUNKED,
    "chunked FormData": MULTIPART | CHUNKED,
}
CUT_BODIES = {
    "a form": b"zip=802",
    "JSON": b'{"zip": "802"}',
    "chunked JSON": b'20\r\n{"zip": "802',
    "chunked FormData": b'80\r\n--b\r\nContent-Disposition: form-data; name="zip"\r\n\r\n802\r\n',
}


@pytest.mark.parametrize("kind", CUT)
def test_a_body_whose_connection_breaks_makes_no_lead(live: Live, account: Account, kind: str) -> None:
    with Wire(live.port) as wire:
        wire.send(post(account, CUT[kind], CUT_BODIES[kind]))
        wire.end()
        refused(wire.read(), 400, "malformed_body")
    assert account.leads() == []
    assert len(account.submissions()) == 1


@pytest.mark.parametrize("row", table("wire_charsets.csv"), ids=lambda row: row["case"])
def test_a_lead_of_an_old_page_is_taken_and_warned_of(live: Live, account: Account, row: dict[str, str]) -> None:
    answer = ask(live.port, post(account, {"Content-Type": row["type"]}, row["body"].encode("latin-1")))
    if not row["result"].startswith("{"):
        refused(answer, 400, row["result"])
        assert re.search(row["noted"], answer.json["message"])
    elif "half" in row["case"]:
        refused(answer, 422, "invalid_character")
    else:
        content = understood(answer)
        noted = [f"{warning['param']}:{warning['code']}" for warning in content["warnings"]]
        assert content["action"] == "created"
        assert [note for note in noted if note.endswith(("guessed", "repaired"))] == (
            row["noted"].split(" ") if row["noted"] else []
        )
        [kept] = account.submissions()
        assert json.loads(kept["received"])["body"] == json.loads(row["result"])


def test_a_query_string_of_an_old_page_is_taken_and_warned_of(live: Live, account: Account) -> None:
    content = understood(ask(live.port, request("POST", url(account, "&first_name=Jos%E9"))))
    assert content["lead"]["data"] == {"first_name": "José"}
    assert content["warnings"] == [
        {
            "param": "first_name",
            "code": "charset_guessed",
            "message": "first_name is not UTF-8, and was read as Windows-1252. Send UTF-8, or declare the charset.",
        }
    ]


def test_one_bad_byte_in_a_batch_costs_no_lead_and_is_warned_of_at_its_own(live: Live, account: Account) -> None:
    body = (
        b'{"leads": [{"caller_id": "7192221234", "first_name": "Jos\xc3\xa9"},'
        b' {"caller_id": "7192221235", "data": {"first_name": "Jos\xe9"}},'
        b' {"caller_id": "7192221236", "note": "one\ntwo"}, {"caller_id": "1", "note": "\xff"}]}'
    )
    answer = ask(live.port, request("POST", f"{LEADS}/batch?lead_token={account.schedule_token}", JSON, body))
    first, second, third, fourth = answer.json["results"]
    assert (first["lead"]["data"], first["warnings"]) == ({"first_name": "José"}, [])
    assert second["lead"]["data"] == {"first_name": "José"}
    assert [(warning["param"], warning["code"]) for warning in second["warnings"]] == [
        ("data.first_name", "charset_guessed")
    ]
    assert third["lead"]["data"] == {"note": "one\ntwo"}
    assert [(warning["param"], warning["code"]) for warning in third["warnings"]] == [("note", "json_repaired")]
    assert fourth["code"] == "invalid_caller_id"
    assert len(account.leads()) == 3


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, identity"])
def test_a_compressed_body_is_refused_and_never_unpacked(live: Live, account: Account, encoding: str) -> None:
    body = gzip.compress(b'{"zip": "80202"}')
    answer = ask(live.port, post(account, JSON | {"Content-Encoding": encoding}, body))
    refused(answer, 415, "unsupported_media_type")
    assert account.leads() == []


def test_a_client_that_asks_before_it_sends_its_body_is_told_to_go_on(live: Live, account: Account) -> None:
    body = b'{"zip": "80202"}'
    headers = JSON | {"Expect": "100-continue", "Content-Length": str(len(body))}
    with Wire(live.port) as wire:
        assert wire.ask(post(account, headers, b"")).status == 100
        assert understood(wire.ask(body))["lead"]["data"] == {"zip": "80202"}


# Connections


def test_a_connection_carries_one_request_after_another_whatever_their_answers(live: Live, account: Account) -> None:
    with Wire(live.port) as wire:
        for number in range(3):
            taken = understood(wire.ask(post(account, JSON, b'{"zip": "%d"}' % number)))
            assert taken["lead"]["data"] == {"zip": str(number)}
            refused(wire.ask(post(account, JSON, b"{")), 400, "malformed_body")
            refused(wire.ask(post(account, FORM, b"caller_id=1")), 422, "invalid_caller_id")
            refused(wire.ask(request("PATCH", url(account), JSON, b'{"zip": "9"}')), 405, "method_not_allowed")
            refused(wire.ask(request("POST", "/nowhere", JSON, b'{"zip": "9"}')), 404, "not_found")
    assert [lead["data"] for lead in account.leads()] == [{"zip": "2"}]


def test_requests_sent_without_waiting_are_answered_in_order(live: Live, account: Account) -> None:
    pipeline = [
        post(account, JSON, b'{"zip": "1"}'),
        post(account, FORM | CHUNKED, chunks(b"caller_id=1", 3)),
        post(account, FORM | CHUNKED, chunks(b"zip=2&city=Denver", 3)),
        request("POST", url(account, "&zip=3")),
    ]
    with Wire(live.port) as wire:
        wire.send(b"".join(pipeline))
        statuses = [wire.read().status for _ in pipeline]
    assert statuses == [200, 422, 200, 200]
    assert [lead["data"] for lead in account.leads()] == [{"zip": "3", "city": "Denver"}]


def test_a_request_that_arrives_byte_by_byte_is_one_request(live: Live, account: Account) -> None:
    content = post(account, JSON, '{"first_name": "José"}'.encode())
    with Wire(live.port) as wire:
        for byte in content[:-1]:
            wire.send(bytes([byte]))
        answer = wire.ask(content[-1:])
    assert understood(answer)["lead"]["data"] == {"first_name": "José"}


def test_a_request_with_two_lengths_is_one_request(live: Live, account: Account) -> None:
    hidden = post(account, FORM, b"zip=hidden")
    headers = FORM | CHUNKED | {"Content-Length": str(len(hidden) + 5)}
    with Wire(live.port) as wire:
        wire.send(post(account, headers, b"0\r\n\r\n" + hidden))
        assert wire.read().status in (200, 400)
        with pytest.raises(ConnectionError):
            wire.read()
    assert len(account.submissions()) <= 1
    assert all(lead["data"] == {} for lead in account.leads())


# Too large, and no HTTP

Written = Callable[[Account], bytes]
HUGE = "x" * 100_000


def with_header(name: str, value: str) -> Written:
    return lambda account: request("POST", url(account), {name: value})


ODD: dict[str, Written] = {
    "a URL of 64 KB": lambda account: request("POST", url(account, "&note=" + "x" * 64 * 1024)),
    "a URL of 60 KB": lambda account: request("POST", url(account, "&note=" + "x" * 60 * 1024)),
    "a path of 60 KB": lambda account: request("POST", LEADS + "/" + "x" * 60 * 1024),
    "a byte in the URL that is no UTF-8": lambda account: request("POST", url(account, "&note=\udcff")),
    "a byte in the path that is no UTF-8": lambda account: request("POST", LEADS + "\udcff" + url(account)),
    "an escape in the path that is no UTF-8": lambda account: request("POST", "/api/v1/leads%ff"),
    "an escaped NUL in the path": lambda account: request("POST", "/api/v1/leads%00"),
    "90 headers": lambda account: request("POST", url(account), [(f"X-{number}", "x") for number in range(90)]),
    "1,000 headers": lambda account: request("POST", url(account), [(f"X-{number}", "x") for number in range(1000)]),
    "a header of 1 MB": with_header("X-Note", "x" * 1_000_000),
    "a header with a NUL": with_header("X-Note", "a\0b"),
    "a header that is no UTF-8": with_header("User-Agent", "\udcff"),
    "two lengths that differ": lambda account: request(
        "POST", url(account), [("Content-Length", "2"), ("Content-Length", "3")], b"{}"
    ),
    "a length that is none": with_header("Content-Length", "-1"),
    "an unknown transfer encoding": lambda account: post(account, {"Transfer-Encoding": "xchunked"}, b"0\r\n\r\n"),
    "no host": lambda account: f"POST {url(account)} HTTP/1.1\r\n\r\n".encode(),
    "HTTP/1.0": lambda account: f"POST {url(account)} HTTP/1.0\r\n\r\n".encode(),
    "HTTP/3.7": lambda account: f"POST {url(account)} HTTP/3.7\r\nHost: x\r\n\r\n".encode(),
    "the first bytes of TLS": lambda account: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n" * 2,
    **{
        f"{name} of 100 KB": with_header(name, HUGE)
        for name in ("Accept", "Authorization", "Cookie", "Idempotency-Key", "Origin", "Referer", "User-Agent")
    },
}


@pytest.mark.parametrize("what", ODD)
def test_what_is_too_large_or_no_http_is_taken_or_turned_away_and_nothing_hangs(
    live: Live, account: Account, what: str
) -> None:
    answer = ask(live.port, ODD[what](account))
    assert answer.status in TURNED_AWAY | {200}
    assert len(account.leads()) == (answer.status == 200)
    assert ask(live.port, post(account, FORM, b"caller_id=7192225678")).status == 200


@pytest.mark.parametrize("second", ["a", "b"], ids=["the same", "another"])
def test_two_idempotency_keys_are_no_key(live: Live, account: Account, second: str) -> None:
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", second)]
    refused(ask(live.port, request("POST", url(account), headers)), 400, "bad_idempotency_key")
    assert account.leads() == []


# Methods, paths and pages


@pytest.mark.parametrize("path", [LEADS, f"{LEADS}/capture", f"{LEADS}.json", f"{LEADS}/create_or_update"])
@pytest.mark.parametrize(
    "wanted",
    [
        "content-type",
        "authorization, content-type,idempotency-key",
        "x-csrf-token,x-requested-with",
        "baggage,sentry-trace,traceparent,tracestate,newrelic,x-datadog-trace-id,x-b3-sampled",
        "whatever-a-page-invents",
    ],
)
def test_every_page_may_send_what_it_needs(live: Live, path: str, wanted: str) -> None:
    permits(ask(live.port, preflight(path, wanted)), wanted)


@pytest.mark.parametrize("method", ["GET", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", [LEADS, "/api/v1/offers", "/api/v1/submissions"])
def test_what_a_key_opens_hears_of_no_credentials_and_no_headers_of_pages(live: Live, path: str, method: str) -> None:
    asked = preflight(path, "x-csrf-token,authorization").replace(b"Method: POST", f"Method: {method}".encode())
    answer = ask(live.port, asked)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Allow-Credentials"] is None
    assert listed(answer.headers["Access-Control-Allow-Headers"]) == {"authorization"}


@pytest.mark.parametrize("origin", ["https://page.example", "null", "http://localhost:3000", "https://[::1]:8443"])
def test_a_page_that_sends_credentials_may_read_every_answer_about_a_lead(
    live: Live, account: Account, origin: str
) -> None:
    headers = JSON | {"Origin": origin, "Cookie": "session=x"}
    answers = [
        ask(live.port, post(account, headers, body)) for body in (b"{}", b"{", b'{"caller_id": "1"}', b'{"dry_run": 1}')
    ]
    assert [answer.status for answer in answers] == [200, 400, 422, 200]
    for answer in answers:
        understood(answer)
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"


@pytest.mark.parametrize("origin", ["evil", "https://a.example https://b.example", "<script>", "https://x\udcff"])
def test_what_is_no_origin_is_not_said_back(live: Live, account: Account, origin: str) -> None:
    assert understood(ask(live.port, post(account, JSON | {"Origin": origin}, b"{}")))["success"]
    answer = ask(live.port, post(account, JSON | {"Origin": origin}, b"{}"))
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("method", ["PATCH", "DELETE", "TRACE", "CONNECT", "FROBNICATE"])
@pytest.mark.parametrize("path", [LEADS, f"{LEADS}.json"])
def test_a_method_that_takes_no_lead_is_refused_by_name(live: Live, account: Account, path: str, method: str) -> None:
    answer = ask(live.port, request(method, path + url(account).removeprefix(LEADS), JSON, b'{"zip": "80202"}'))
    refused(answer, 405, "method_not_allowed")
    assert listed(answer.headers["Allow"]) >= {"post", "put"}
    assert account.submissions() == []


@pytest.mark.parametrize("path", ["/nowhere", "/api/v1/nowhere", f"{LEADS}/capture/more", f"{LEADS}.xml", "*"])
def test_a_path_that_does_not_exist_is_not_found_in_json(live: Live, path: str) -> None:
    refused(ask(live.port, request("POST", path, JSON, b"{}")), 404, "not_found")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_lead_by_get_is_refused_without_a_key_and_leaves_nothing(live: Live, account: Account, method: str) -> None:
    answer = ask(live.port, request(method, url(account)))
    assert answer.status == 401
    if method == "GET":
        refused(answer, 401, "key_required")
    assert account.submissions() == account.leads() == []


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_a_method_in_a_header_counts_for_nothing(live: Live, account: Account, name: str) -> None:
    taken = understood(ask(live.port, request("POST", url(account, "&_method=DELETE"), {name: "DELETE"})))
    assert taken["action"] == "created"
    [lead] = account.leads()
    assert lead["deleted_at"] is None
    refused(ask(live.port, request("GET", url(account), {name: "POST"})), 401, "key_required")


# Who is asking


@pytest.fixture(scope="module")
def proxied(settings: Settings) -> Iterator[Live]:
    """A server that has one proxy of ours in front."""
    with running_server(settings, HANDRAISER_TRUSTED_PROXIES="1") as server:
        yield server


def sender(port: int, account: Account, *forwarded: str) -> str:
    """The address under which a lead is on record that came with these X-Forwarded-For headers."""
    headers = [("X-Forwarded-For", value) for value in forwarded]
    understood(ask(port, request("POST", url(account), headers)))
    [lead], [submission] = account.leads(), account.submissions()
    assert lead["remote_ip"] == submission["remote_ip"]
    return str(lead["remote_ip"])


def test_without_a_proxy_of_ours_nobody_says_who_is_asking(live: Live, account: Account) -> None:
    assert sender(live.port, account, "203.0.113.7") == "127.0.0.1"


@pytest.mark.parametrize(
    "forwarded",
    [("203.0.113.7",), ("198.51.100.1, 203.0.113.7",), ("198.51.100.1", "203.0.113.7"), ("<script>,203.0.113.7",)],
    ids=["alone", "behind a forged one", "behind a forged header", "behind a script"],
)
def test_behind_a_proxy_of_ours_its_own_entry_counts(
    proxied: Live, account: Account, forwarded: tuple[str, ...]
) -> None:
    assert sender(proxied.port, account, *forwarded) == "203.0.113.7"


def test_behind_a_proxy_of_ours_that_says_nothing_the_peer_counts(proxied: Live, account: Account) -> None:
    assert sender(proxied.port, account) == "127.0.0.1"
