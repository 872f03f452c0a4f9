"""Bad inputs, one by one: `bad_inputs.csv` lists them and says where each is tested, `bad_requests.csv` spells them.

Whatever comes, the answer is JSON with its status and code, it costs little, and nothing else is touched.
"""

import ast
import json
import re
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner
from werkzeug.test import EnvironBuilder, create_environ
from werkzeug.wrappers import Response

from server.config import PROJECT, Settings
from server.leads.params import MOST_WARNINGS
from server.leads.schemas import FIELDS
from tests.api.calls import LEADS, NUMBER, PAGE, Json, refused, send, take, taken, warned
from tests.conftest import opened
from tests.factories import Account, make_account
from tests.snapshot import Difference, Snapshot, difference, snapshot
from tests.unit import table

INPUTS = table("bad_inputs.csv")
REQUESTS = table("bad_requests.csv")
HERE = "tests/data/bad_requests.csv"

# What a request may cost: far more than any should, and far less than one that goes wrong.
MOST_SECONDS = 5
MOST_BYTES = 50_000_000
HEAVY = 20_000
# So many cases share two companies.
CASES_EACH = 40

REPEATED = re.compile(r"<(\d+) ([^>]+)>")


class Scene:
    """Our company and another, each with a lead of one number; `numbers` are those that no case has used yet."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.numbers = (f"719{3_000_000 + number}" for number in count())
        self.begin()

    def begin(self) -> None:
        """Two companies in which nothing has happened."""
        client = self.app.test_client()
        self.ours, self.theirs = make_account(self.app), make_account(self.app)
        self.victim = take(client, self.ours.schedule_token, zip="1")["lead_id"]
        take(client, self.theirs.schedule_token, zip="1")
        self.left = CASES_EACH
        self.seen = self.stored()

    def number(self) -> str:
        """A number for one case. Two looks at all that happened cost more, the more there was."""
        if not self.left:
            self.begin()
        self.left -= 1
        return next(self.numbers)

    def filled(self, cell: str, number: str) -> str:
        """What a cell says: `<64 x>` is 64 times x, and words stand for what a scene has."""
        known = {
            "<token>": self.ours.schedule_token,
            "<public>": self.ours.publishable_token,
            "<key>": self.ours.private_key,
            "<victim>": NUMBER.removeprefix("+"),
            "<number>": number,
        }
        for word, value in known.items():
            cell = cell.replace(word, value)
        return REPEATED.sub(lambda match: match[2] * int(match[1]), cell)

    def stored(self) -> Snapshot:
        """All rows of both companies."""
        return snapshot(self.app, self.ours.company_id, self.theirs.company_id)

    def happened(self) -> Difference:
        """What has changed since the last look."""
        before, self.seen = self.seen, self.stored()
        return difference(before, self.seen)


@pytest.fixture(scope="module")
def scene(app: Flask) -> Scene:
    """One for all cases: each has a number of its own."""
    return Scene(app)


@dataclass(frozen=True)
class Spent:
    """What one request has cost in this process."""

    seconds: float
    peak: int


def environ(row: dict[str, str]) -> dict[str, Any]:
    """A request byte for byte, past everything that a client would tidy."""
    method, _, target = row["request"].partition(" ")
    path, _, query = target.partition("?")
    content = row["body"].encode("utf-8", "surrogateescape")
    made = create_environ(
        method=method, data=content, content_type=row["type"] or ("application/json" if content else None)
    )
    made["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1")
    made["QUERY_STRING"] = query.encode().decode("latin-1")
    if row["headers"]:
        name, _, value = row["headers"].partition(": ")
        made["HTTP_" + name.upper().replace("-", "_")] = value.encode().decode("latin-1")
    return made


def ask(app: Flask, asked: dict[str, Any], heavy: bool = False) -> tuple[Response, Spent]:
    """The answer and its price; to watch the memory takes three times as long, so only of large requests."""
    if heavy:
        tracemalloc.start()
    began = time.process_time()
    try:
        answer = Response.from_app(app, asked, buffered=True)
        return answer, Spent(time.process_time() - began, tracemalloc.get_traced_memory()[1] if heavy else 0)
    finally:
        if heavy:
            tracemalloc.stop()


def holds_all(shown: Any, wanted: Any) -> bool:
    """Whether what is shown holds what is wanted, with as much else beside it in objects."""
    if isinstance(wanted, dict) and isinstance(shown, dict):
        return all(name in shown and holds_all(shown[name], value) for name, value in wanted.items())
    return bool(shown == wanted and type(shown) is type(wanted))


def e164(text: str) -> str:
    return f"+1{text}"


@pytest.mark.parametrize("row", REQUESTS, ids=lambda row: f"{row['row']}: {row['case']}")
def test_a_bad_request_gets_what_its_row_says(scene: Scene, row: dict[str, str]) -> None:
    number = scene.number()
    row = row | {"request": row["request"] or f"POST {LEADS}?lead_token=<token>"}
    filled = {name: scene.filled(cell, number) for name, cell in row.items() if name not in ("row", "case", "stored")}
    asked = environ(filled)
    answer, spent = ask(scene.app, asked, heavy=len(filled["body"]) + len(filled["request"]) > HEAVY)
    left = scene.happened()
    assert spent.seconds < MOST_SECONDS
    assert spent.peak < MOST_BYTES
    body = said(answer)
    assert str(answer.status_code) == row["status"], body
    assert_code(body, filled["says"])
    if row["stored"]:
        wanted = json.loads(scene.filled(row["stored"].replace("<number>", e164(number)), number))
        assert holds_all(body["lead"], wanted), body["lead"]
    assert_left(scene, left, answer, body)


def said(answer: Response) -> Json:
    """The content, which is one JSON object with its id, for any page to read; never a word of how we are made."""
    text = answer.get_data(as_text=True)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Access-Control-Allow-Origin"] in ("*", PAGE, "null") or "Vary" in answer.headers
    assert not re.search(r"Traceback|sqlalchemy|psycopg|sqlite3|File \"", text)
    body: Json = json.loads(text)
    if "metadata" in body and "request_id" in body["metadata"]:
        assert body["metadata"]["request_id"] == answer.headers["X-Request-Id"]
    return body


def assert_code(body: Json, says: str) -> None:
    """A refusal's code and the parameter that it names, or each warning of a lead that was taken."""
    if "code" not in body:
        wanted = [tuple(each.rsplit(":", 1)) for each in says.split()]
        assert warned(body) == wanted if "warnings" in body else not wanted
        return
    code, colon, parameter = says.partition(":")
    assert body["code"] == code
    if colon and parameter:
        assert parameter in body["errors"]
    assert body["message"]
    assert body["detail"]


def assert_left(scene: Scene, left: Difference, answer: Response, body: Json) -> None:
    """What a request leaves: nothing at the other company, one lead at most, and where it was refused, itself only."""
    ours = scene.ours.company_id
    assert all(row.get("company_id", ours) == ours for row in left.inserted.values())
    assert left.removed == {}
    assert {change.column for change in left.changed} <= {"last_used_at", "version", "updated_at"}
    assert scene.victim not in {change.key.id for change in left.changed if change.column != "updated_at"}
    kept = left.of("submission")
    if answer.status_code == 200:
        assert len(left.of("lead")) <= 1
        assert len(kept) == ("lead" in body and "dry_run" not in body)
        return
    assert {key.table for key in left.inserted} <= {"submission"}
    # What names a token that exists is kept, to be replayed once it is mended.
    assert [row["code"] for row in kept] == ([body["code"]] if body["metadata"]["submission_id"] else [])
    if kept:
        assert kept[0]["id"] == body["metadata"]["submission_id"]


# The tables


def test_every_input_has_a_test_and_every_test_of_the_table_an_input() -> None:
    numbers = [row["number"] for row in INPUTS]
    assert numbers == sorted(set(numbers), key=int)
    spelt = {row["row"] for row in REQUESTS}
    assert spelt == {row["number"] for row in INPUTS if HERE in row["where"].split()}
    assert all(row["input"] and row["expected"] and row["where"] for row in INPUTS)


def functions(path: str) -> set[str]:
    """The tests in a file."""
    tree = ast.parse((PROJECT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_test_that_the_list_names_is_there() -> None:
    for row in INPUTS:
        for place in row["where"].split():
            path, _, name = place.partition("::")
            assert (PROJECT / path).exists(), place
            assert not name or name in functions(path), place


# What takes more than one request


def test_every_token_that_does_not_count_gets_one_answer(client: FlaskClient, account: Account) -> None:
    disabled = account.token(disabled_at=datetime.now(UTC))
    expired = account.token(expires_at=datetime.now(UTC))
    tokens: list[Any] = [None, "", "0" * 32, disabled, expired, "x", ["x"], {"a": 1}, 7, "%", "\x00", "a" * 10_000]
    answers = []
    for token in tokens:
        body = refused(send(client, token), "lead_token_invalid")
        del body["metadata"]["request_id"]
        answers.append(body)
    answers.append(
        refused(send(client, account.schedule_token, offer_lead_token="x", lead_token=""), "lead_token_invalid")
    )
    del answers[-1]["metadata"]["request_id"]
    assert all(body == answers[0] for body in answers)
    assert account.leads() == []


def test_a_token_in_the_body_wins_over_one_of_another_company_in_the_url(app: Flask, client: FlaskClient) -> None:
    ours, theirs = make_account(app), make_account(app)
    before = snapshot(app, ours.company_id)
    answer = client.post(
        f"{LEADS}?lead_token={ours.schedule_token}", json={"lead_token": theirs.schedule_token, "caller_id": NUMBER}
    )
    assert taken(answer)["lead"]["offer_id"] == theirs.offer_id
    assert difference(before, snapshot(app, ours.company_id)) == Difference()
    wrong = client.post(f"{LEADS}?lead_token={ours.schedule_token}", json={"lead_token": "x", "caller_id": NUMBER})
    refused(wrong, "lead_token_invalid")
    assert difference(before, snapshot(app, ours.company_id)) == Difference()


@pytest.mark.parametrize(
    "value", [["x"], {"a": "x"}, [[]], {}], ids=["a list", "an object", "a list of lists", "an empty object"]
)
def test_no_parameter_takes_more_than_one_value(client: FlaskClient, account: Account, value: Any) -> None:
    names = FIELDS.keys() - {"consent", "data", "lead_token", "schedule_lead_token", "offer_lead_token"}
    said = {}
    for name in sorted(names):
        body = send(client, account.schedule_token, **{name: value}).get_json()
        said[name] = (body.get("status"), body["success"], body.get("code"), [*body.get("errors", {})])
    assert said == {name: (422, False, "invalid_parameter", [name]) for name in names}
    assert account.leads() == []


def test_so_many_warnings_are_given_as_somebody_reads(app: Flask, account: Account) -> None:
    keys = {"caller_id": NUMBER} | {"!" * number: "x" for number in range(1, 250)}
    nested = {"data": {f"Blocked{'!' * number}": "true" for number in range(200)}}
    content = json.dumps(keys | nested | {"delete_existing": "true"}).encode()
    path = f"{LEADS}?lead_token={account.publishable_token}"
    row = {"request": f"POST {path}", "headers": "", "type": "", "body": content.decode()}
    answer, spent = ask(app, environ(row), heavy=True)
    body = said(answer)
    assert answer.status_code == 200
    assert len(warned(body)) == MOST_WARNINGS + 2
    assert warned(body)[-2:] == [("data", "more_warnings"), ("delete_existing", "needs_server_token")]
    assert spent.peak < MOST_BYTES
    assert spent.seconds < MOST_SECONDS


def test_keys_that_differ_in_case_are_two(client: FlaskClient, account: Account) -> None:
    for key, number in (("abc", "+17192220001"), ("ABC", "+17192220002")):
        answer = send(client, account.schedule_token, caller_id=number, headers={"Idempotency-Key": key})
        assert taken(answer)["action"] == "created"
        assert "Idempotent-Replayed" not in answer.headers


@pytest.mark.parametrize("spelling", ["upper", "title"])
def test_an_id_is_read_in_any_case(client: FlaskClient, account: Account, spelling: str) -> None:
    lead_id = take(client, account.schedule_token)["lead_id"]
    written = getattr(lead_id, spelling)()
    assert client.get(f"{LEADS}/{written}", headers=account.bearer).get_json()["lead"]["id"] == lead_id
    assert client.get(f"/api/v1/submissions?lead_id={written}", headers=account.bearer).get_json()["submissions"]


# Methods and paths


def paths(app: Flask) -> list[str]:
    """Every path that there is, with something in its places."""
    return sorted({re.sub(r"<[^>]+>", "1", rule.rule) for rule in app.url_map.iter_rules()})


# What a lead token opens; of the numbers in their places nothing is known.
LEAD_PATHS = {LEADS, *(f"{LEADS}/{name}" for name in ("capture", "create_or_update", "batch"))} | {
    f"{LEADS}/1/{name}"
    for name in (
        *("lead_update", "lead_opt_out", "lead_remove", "lead_move_to_end_of_schedule"),
        *("caller_opt_out", "caller_remove", "caller_move_to_end_of_schedule"),
    )
}

# What people read, or a browser loads.
PAGES = "/api/docs"


def test_every_path_answers_every_method_and_does_nothing_for_strangers(app: Flask, account: Account) -> None:
    client = app.test_client()
    before = snapshot(app, account.company_id)
    for path in paths(app):
        # What a browser asks for as a page or a script is answered as such.
        page = path.startswith(PAGES) or path.endswith(".js")
        for method in ("OPTIONS", "HEAD", "GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"):
            answer = client.open(path, method=method)
            assert answer.status_code < 500, (method, path)
            assert page or "html" not in answer.headers.get("Content-Type", ""), (method, path)
            assert answer.headers["X-Request-Id"]
            if method in ("OPTIONS", "HEAD"):
                assert answer.get_data() == b"", (method, path)
            elif not (page and method == "GET"):
                assert isinstance(answer.get_json(), dict), (method, path)
            answer.close()
    assert difference(before, snapshot(app, account.company_id)) == Difference()


def test_a_preflight_says_nothing_of_private_networks_and_of_credentials_only_for_leads(app: Flask) -> None:
    asks = {
        "Origin": PAGE,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-csrf-token",
        "Access-Control-Request-Private-Network": "true",
        "Cookie": "a=b",
    }
    for path in paths(app):
        answer = app.test_client().options(path, headers=asks)
        assert answer.status_code == 200
        assert "Access-Control-Allow-Private-Network" not in answer.headers
        told = [answer.headers.get(f"Access-Control-Allow-{name}") for name in ("Origin", "Credentials", "Headers")]
        if path in LEAD_PATHS:
            assert told == [PAGE, "true", "x-csrf-token"], path
        else:
            open_to_all = path.startswith("/api/v1/") or path == "/apispec_1.json"
            assert told == ["*" if open_to_all else None, None, None], path


class Watched(dict[str, Any]):
    """A request that notes what is looked up in it."""

    asked: set[object]

    def __getitem__(self, name: str) -> Any:
        self.asked.add(name)
        return super().__getitem__(name)

    def get(self, name: str, *default: Any) -> Any:
        self.asked.add(name)
        return super().get(name, *default)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS"])
def test_no_lead_endpoint_ever_reads_a_cookie(app: Flask, account: Account, method: str) -> None:
    query = f"lead_token={account.schedule_token}&caller_id={NUMBER.removeprefix('+')}"
    for path in sorted(LEAD_PATHS):
        for headers in ({}, {"Origin": PAGE}, account.bearer):
            sent = headers | {"Cookie": "session=x"}
            made = EnvironBuilder(method=method, path=path, query_string=query, headers=sent)
            environ = Watched(made.get_environ())
            environ.asked = set()
            b"".join(app.wsgi_app(environ, lambda *_: lambda _: None))
            assert environ.asked, path
            assert "HTTP_COOKIE" not in environ.asked, path


# Hosts


OURS = ["leads.example.com", "LEADS.example.com", "leads.example.com:443", ""]
NOT_OURS = [
    "leads.example.com:444",
    "leads.example.com.",
    "leads.example.com.evil.example",
    "evil.example",
    "user@leads.example.com",
    "leads.example.com, evil.example",
    "127.0.0.1",
    "localhost:8000",
    "x" * 100_000,
]


@pytest.fixture(scope="module")
def public(settings: Settings) -> Iterator[Flask]:
    """An installation that knows its address, behind a proxy of ours."""
    with opened(replace(settings, public_url="https://leads.example.com", trusted_proxies=1)) as app:
        yield app


def at_host(app: Flask, account: Account, host: str | None, path: str = LEADS, **more: str) -> Response:
    """The answer to a lead, or to a look, that names a host."""
    row = {
        "request": f"POST {path}?lead_token={account.schedule_token}&caller_id=7192221234",
        "headers": "",
        "type": "",
        "body": "",
    }
    if path != LEADS:
        row["request"] = f"GET {path}"
    asked = environ(row) | more
    asked.pop("HTTP_HOST", None)
    if host is not None:
        asked["HTTP_HOST"] = host
    answer, _ = ask(app, asked)
    return answer


@pytest.mark.parametrize("host", [*OURS, None])
def test_an_installation_that_knows_its_address_takes_leads_there(
    public: Flask, account: Account, host: str | None
) -> None:
    assert said(at_host(public, account, host))["success"] is True


@pytest.mark.parametrize("host", NOT_OURS)
def test_and_nowhere_else(public: Flask, account: Account, host: str) -> None:
    answer = at_host(public, account, host)
    body = said(answer)
    assert (answer.status_code, body["code"]) == (400, "host_not_allowed")
    assert body["type"].startswith("https://leads.example.com/")
    assert "https://leads.example.com" in body["detail"]
    assert "evil" not in json.dumps(body)
    assert len(answer.get_data()) < 2000
    assert account.submissions() == account.leads() == []


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
@pytest.mark.parametrize("host", ["10.0.0.7:8000", "a;id", None])
def test_those_who_watch_over_it_may_call_it_anything(
    public: Flask, account: Account, path: str, host: str | None
) -> None:
    assert "code" not in said_plainly(at_host(public, account, host, path))


def said_plainly(answer: Response) -> Json:
    """The content of an answer that is for no page."""
    body: Json = json.loads(answer.get_data())
    return body


def test_a_proxy_of_ours_says_which_host_was_asked_for(public: Flask, account: Account) -> None:
    good, evil = "leads.example.com", "evil.example"
    assert at_host(public, account, "127.0.0.1:8000", HTTP_X_FORWARDED_HOST=good).status_code == 200
    assert at_host(public, account, good, HTTP_X_FORWARDED_HOST=evil).status_code == 400
    assert at_host(public, account, good, HTTP_X_FORWARDED_HOST=f"{evil}, {good}").status_code == 200


def test_an_answer_never_repeats_a_host_that_is_none(app: Flask, account: Account) -> None:
    for host in ("a;id", '"><script>', "x" * 100_000, None):
        for path in ("/nowhere", "/healthz/x", LEADS):
            text = at_host(app, account, host, path).get_data(as_text=True)
            assert "script" not in text
            assert "a;id" not in text
            assert len(text) < 2000
            assert json.loads(text).get("type", "/api").startswith(("/api", "http://localhost/api"))


# The command line


def test_what_the_command_line_repeats_is_escaped(commands: FlaskCliRunner, account: Account) -> None:
    dangerous = "\x1b[2J\u2028\u202eAcme\r\n"
    company = ("--company", str(account.company_id))
    for arguments in (
        ("company", "create", dangerous),
        ("company", "create", "Acme", "--region", dangerous),
        ("company", "create", "Acme", "--time-zone", dangerous),
        ("key", "create", dangerous, *company),
        ("key", "create", "First", *company, "--scope", dangerous),
    ):
        output = commands.invoke(args=arguments).output
        assert output.endswith("\n")
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202e]", output)
        assert "Acme" in output or "First" in output or "scope" in output
