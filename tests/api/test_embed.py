"""What pages fetch: the script with its stamp, its builds as they were, and whether a page is allowed."""

import gzip
import json
import re
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha384
from pathlib import Path
from typing import Any

import brotli
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from server.config import Settings
from server.consent.stamp import BUCKET, Freshness, read_stamp
from server.lib.db import db
from tests.api.calls import LEADS, NOW, NUMBER, PAGE, Json, refused
from tests.api.kinds import API, VERSION, shown
from tests.conftest import opened
from tests.factories import Account, make_account

HOST = "http://localhost"
SCRIPT = "text/javascript; charset=utf-8"
# What a process remembers of a snippet it has forgotten after that.
LATER = timedelta(seconds=6)


class Pages:
    """One company's snippets, and the pages that fetch them."""

    def __init__(self, client: FlaskClient, account: Account) -> None:
        self.client, self.account = client, account
        self.now = NOW

    def new(self, **more: Any) -> Json:
        """A snippet."""
        body = {"name": "Page", "schedule_id": self.account.schedule_id} | more
        return shown(self.client.post(f"{API}/snippets", json=body, headers=self.account.bearer), "snippet")

    def change(self, snippet: Json, **body: Any) -> Json:
        """A snippet, changed."""
        path = f"{API}/snippets/{snippet['id']}"
        return shown(self.client.put(path, json=body, headers=self.account.bearer), "snippet")

    def publish(self, snippet: Json, **more: Any) -> Json:
        """A published version of its disclosure."""
        path = f"{API}/disclosures/{snippet['disclosure_id']}/versions"
        made = self.client.post(path, json=VERSION | more, headers=self.account.bearer).get_json()["version"]
        answer = self.client.post(f"{path}/{made['id']}/publish", headers=self.account.bearer)
        version: Json = answer.get_json()["version"]
        return version

    def embed(self, snippet: Json, query: str = "") -> Json:
        """The ways to put it on a page."""
        answer = self.client.post(f"{API}/snippets/{snippet['id']}/publish?{query}", headers=self.account.bearer)
        assert answer.status_code == 200, answer.get_json()
        body: Json = answer.get_json()
        return body

    def fetch(self, snippet: Json, **how: Any) -> TestResponse:
        """Its script, as a page gets it some seconds after all that happened before."""
        self.now += LATER
        with time_machine.travel(self.now, tick=False):
            return self.client.open(snippet["urls"]["script"].removeprefix(HOST), **how)

    def told(self, snippet: Json) -> Json:
        """What the script is told."""
        answer = self.fetch(snippet)
        assert answer.status_code == 200
        return configuration(answer.data)


@pytest.fixture
def pages(client: FlaskClient, account: Account) -> Pages:
    return Pages(client, account)


def configuration(script: bytes) -> Json:
    """The configuration in a script: its one argument."""
    text = script.decode("ascii")
    found, end = json.JSONDecoder().raw_decode(text, text.index('({"build":') + 1)
    assert text[end:].strip() in (")", ");")
    known: Json = found
    return known


def without_stamp(known: Json) -> Json:
    return {name: value for name, value in known.items() if name != "stamp"}


# The script of now


def test_any_page_may_load_a_script_and_caches_keep_it_for_a_minute(pages: Pages) -> None:
    answer = pages.fetch(pages.new())
    assert answer.status_code == 200
    assert headers_of(answer) == EXPECTED | {"Cache-Control": A_MINUTE}
    assert re.fullmatch(r'"[\w+/-]+"', answer.headers["ETag"])
    assert "Set-Cookie" not in answer.headers
    head = pages.fetch(pages.new(), method="HEAD")
    assert (head.status_code, head.data) == (200, b"")
    assert int(head.headers["Content-Length"]) > 100


EXPECTED = {
    "Content-Type": SCRIPT,
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Timing-Allow-Origin": "*",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Encoding",
}
A_MINUTE, FOR_EVER = "public, max-age=60", "public, max-age=31536000, immutable"


def headers_of(answer: TestResponse) -> dict[str, str]:
    """Those of every script, and for how long it is kept."""
    return {name: answer.headers[name] for name in (*EXPECTED, "Cache-Control")}


UNPACKED = {"br": brotli.decompress, "gzip": gzip.decompress, "": bytes}


@pytest.mark.parametrize(
    ("takes", "encoding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("br", "br"),
        ("*", "br"),
        ("gzip", "gzip"),
        ("gzip, br;q=0", "gzip"),
        ("gzip;q=1, br;q=0.5", "gzip"),
        ("deflate", ""),
        ("identity", ""),
        ("br;q=0, gzip;q=0", ""),
        ("", ""),
    ],
)
def test_each_encoding_holds_the_same_bytes_under_a_tag_of_its_own(pages: Pages, takes: str, encoding: str) -> None:
    with time_machine.travel(NOW, tick=False):
        path = pages.new()["urls"]["script"].removeprefix(HOST)
        plain = pages.client.get(path)
        answer = pages.client.get(path, headers={"Accept-Encoding": takes})
        assert answer.headers.get("Content-Encoding", "") == encoding
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert UNPACKED[encoding](answer.data) == plain.data
        assert (answer.headers["ETag"] == plain.headers["ETag"]) == (encoding == "")
        again = pages.client.get(path, headers={"Accept-Encoding": takes, "If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        kept = {name: again.headers[name] for name in ("ETag", "Cache-Control", "Vary", "Access-Control-Allow-Origin")}
        assert kept == {name: answer.headers[name] for name in kept}


def test_a_script_has_a_stamp_for_its_token_and_disclosure_that_changes_every_ten_minutes(pages: Pages) -> None:
    snippet = pages.new()
    key = pages.account.app.extensions["vault"].signing_key("stamp")
    scripts = []
    for minutes in (0, 9, 10):
        at = NOW + timedelta(minutes=minutes)
        with time_machine.travel(at, tick=False):
            answer = pages.client.get(snippet["urls"]["script"].removeprefix(HOST))
        stamp = read_stamp(
            key, snippet["lead_token"], snippet["disclosure_id"], configuration(answer.data)["stamp"], at
        )
        assert (stamp.freshness, stamp.fetched_at) == (Freshness.FRESH, NOW + (minutes // 10) * BUCKET)
        scripts.append((answer.headers["ETag"], configuration(answer.data)))
    first, second, third = scripts
    assert first == second
    assert first[0] != third[0]
    assert without_stamp(first[1]) == without_stamp(third[1])


def test_a_script_knows_what_its_snippet_says_and_nothing_that_is_empty(pages: Pages) -> None:
    snippet = pages.new(name="Only for us")
    known = pages.told(snippet)
    assert known.pop("messages").keys() == {"en"}
    assert re.fullmatch(r"[\w-]{12}", known.pop("build"))
    known.pop("stamp")
    assert known == {
        "token": snippet["lead_token"],
        "endpoint": f"{HOST}{LEADS}",
        "check": f"{HOST}/s/check.js",
        "language": "en",
    }
    changed = pages.change(
        snippet,
        field_map={"your-phone": "caller_id", "TmFtZQ==": "Full Name"},
        parameters={"aff": "sub_id"},
        messages={"en": {"sent": "We call you."}, "de": {"sent": "Danke."}},
        thank_you_url=f"{PAGE}/thanks",
        allowed_redirects=["https://other.example"],
        carry=False,
    )
    told = pages.told(changed)
    assert told["fields"] == {"your-phone": "caller_id", "TmFtZQ==": "full_name"}
    assert told["parameters"] == {"aff": "sub_id"}
    assert told["thankYou"] == f"{PAGE}/thanks"
    assert told["redirects"] == ["https://other.example", PAGE]
    assert told["carry"] is False
    assert told["messages"].keys() == {"en"}
    assert told["messages"]["en"]["sent"] == "We call you."
    assert told["messages"]["en"].keys() == {"consent", "sending", "sent", "refused", "failed", "phone"}
    assert told["build"] != known.get("build")


def test_a_script_shows_what_is_published_in_each_language_with_words_for_it(pages: Pages) -> None:
    snippet = pages.new(messages={"es-MX": {"sent": "Listo."}, "fr": {"failed": "Erreur."}})
    english = pages.publish(snippet)
    spanish = pages.publish(snippet, language="es-MX", text=SPANISH, label="Acepto", terms_url=f"{PAGE}/t?a=1&b=2")
    pages.publish(snippet, language="fr", label="Oui")
    known = pages.told(snippet)
    assert known["languages"].keys() == {"en", "es-MX", "fr"}
    assert known["languages"]["en"] == {
        "version": english["content_hash"],
        "label": VERSION["label"],
        "text": VERSION["text"],
        "links": [["Terms", VERSION["terms_url"]], ["Privacy policy", VERSION["privacy_url"]]],
    }
    assert known["languages"]["es-MX"]["version"] == spanish["content_hash"]
    assert known["languages"]["es-MX"]["links"][0] == ["Términos", f"{PAGE}/t?a=1&b=2"]
    # The company's words come first, then ours for less of the language, then the English ones.
    words = known["messages"]
    assert (words["es-MX"]["sent"], words["es-MX"]["sending"]) == ("Listo.", "Enviando...")
    assert (words["fr"]["failed"], words["fr"]["sending"]) == ("Erreur.", "Sending...")
    # Another text is another version, and a deleted one is shown as before.
    newer = pages.publish(snippet, label="Yes, call me")
    assert pages.told(snippet)["languages"]["en"]["version"] == newer["content_hash"] != english["content_hash"]


SPANISH = "Acme Solar llama con voz artificial. Mi consentimiento no es condición de compra. Responda STOP."


def test_an_edit_is_seen_within_seconds_and_until_then_nothing_is_read(pages: Pages) -> None:
    snippet = pages.new()
    path = snippet["urls"]["script"].removeprefix(HOST)
    with time_machine.travel(NOW, tick=False) as clock_of_test:
        pages.client.get(path)
        pages.change(snippet, carry=False)
        with reading(pages.account.app) as statements:
            assert "carry" not in configuration(pages.client.get(path).data)
        assert statements == []
        clock_of_test.shift(LATER)
        with reading(pages.account.app) as statements:
            assert configuration(pages.client.get(path).data)["carry"] is False
        assert len(statements) == 2
        # A clock that was set back keeps nothing for longer.
        pages.change(snippet, carry=True)
        clock_of_test.shift(-timedelta(hours=1))
        assert "carry" not in configuration(pages.client.get(path).data)


@contextmanager
def reading(app: Flask) -> Iterator[list[str]]:
    """What is read from the database meanwhile."""
    statements: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.lower().startswith("select"):
            statements.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


HOSTILE = [
    "</script><script>alert(1)</script>",
    "a\u2028b\u2029c",
    "\"'`\\${x}",
    "<!--",
    "שלום العربية",
    "🙂 ü",
    "constructor",
]


def test_nothing_that_a_company_writes_ends_the_script(pages: Pages) -> None:
    snippet = pages.new(
        name=HOSTILE[0],
        field_map={text: "email" for text in HOSTILE},
        parameters={text: "sub_id" for text in HOSTILE},
        messages={"en": {"sent": "".join(HOSTILE), "failed": HOSTILE[0]}},
        thank_you_url=f"{PAGE}/?a=1&b=<script>'\"",
    )
    pages.publish(snippet, label=f"{HOSTILE[0]} {HOSTILE[2]}", text=f"{VERSION['text']} {HOSTILE[1]} {HOSTILE[4]}")
    script = pages.fetch(snippet).data
    # It needs no charset, and stands in HTML as well.
    text = script.decode("ascii")
    known = configuration(script)
    written = text[text.index('({"build":') :]
    assert not set("<>&") & set(written)
    assert {*known["fields"]} == {*known["parameters"]} == {*HOSTILE}
    assert known["messages"]["en"]["sent"] == "".join(HOSTILE)
    assert known["languages"]["en"]["label"] == f"{HOSTILE[0]} {HOSTILE[2]}"
    # JavaScript reads what JSON does.
    node = Path(sys.executable).parent / "node"
    program = f"process.stdout.write(JSON.stringify{written})"
    run = subprocess.run([node, "-e", program], capture_output=True, timeout=60, check=True)
    assert json.loads(run.stdout) == known


@pytest.mark.parametrize("name", ["__proto__", " ", "", "x" * 256])
def test_what_no_input_is_called_is_refused(pages: Pages, name: str) -> None:
    body = {"name": "Page", "schedule_id": pages.account.schedule_id, "field_map": {name: "email"}}
    answer = pages.client.post(f"{API}/snippets", json=body, headers=pages.account.bearer)
    [(parameter, [text])] = refused(answer, "invalid_parameter")["errors"].items()
    assert parameter.startswith("field_map")
    assert text.startswith("is no name of a field")


# Builds


def test_a_build_has_the_bytes_that_its_integrity_names_and_no_stamp(pages: Pages) -> None:
    snippet = pages.new()
    body = pages.embed(snippet)
    [build] = body["builds"]
    answer = pages.client.get(build["url"].removeprefix(HOST))
    assert headers_of(answer) == EXPECTED | {"Cache-Control": FOR_EVER}
    digest = sha384(answer.data).digest()
    assert build["integrity"] == f"sha384-{b64encode(digest).decode()}"
    assert build["hash"] == b64encode(digest, b"-_").decode()
    known = configuration(answer.data)
    assert known["build"] == build["version"]
    # The page that has it is told from one that has the stamped script of the same build by nothing else.
    assert known == without_stamp(pages.told(snippet))
    packed = pages.client.get(build["url"].removeprefix(HOST), headers={"Accept-Encoding": "br"})
    assert brotli.decompress(packed.data) == answer.data


def test_a_build_stays_as_it_was_whatever_changes(pages: Pages) -> None:
    snippet = pages.new()
    [first] = pages.embed(snippet)["builds"]
    before = pages.client.get(first["url"].removeprefix(HOST)).data
    assert pages.embed(snippet)["builds"] == [first]
    pages.change(snippet, carry=False)
    pages.publish(snippet)
    second, listed = pages.embed(snippet)["builds"]
    assert listed == first
    assert second["version"] != first["version"]
    assert pages.client.get(first["url"].removeprefix(HOST)).data == before
    assert "languages" in configuration(pages.client.get(second["url"].removeprefix(HOST)).data)
    # What goes back is the build that was.
    pages.publish(snippet, label="Other")
    assert len(pages.embed(snippet)["builds"]) == 3
    pages.publish(snippet)
    assert len(pages.embed(snippet)["builds"]) == 3


def test_a_build_that_two_ask_for_at_once_is_kept_once(app: Flask, pages: Pages) -> None:
    snippet = pages.new()
    with ThreadPoolExecutor(4) as pool:
        asked = list(pool.map(lambda _: Pages(app.test_client(), pages.account).embed(snippet)["builds"], range(4)))
    assert all(builds == asked[0] for builds in asked)
    assert len(asked[0]) == 1


def test_the_address_is_that_of_this_server_where_a_request_names_none(pages: Pages) -> None:
    path = pages.new()["urls"]["script"].removeprefix(HOST)
    answer = pages.client.get(path, environ_overrides={"HTTP_HOST": "", "SERVER_NAME": ""})
    assert configuration(answer.data)["endpoint"] == f"http://127.0.0.1:8000{LEADS}"


# What is not there


def test_what_is_no_snippet_in_use_is_answered_with_a_comment(pages: Pages) -> None:
    snippet = pages.new()
    [build] = pages.embed(snippet)["builds"]
    other = pages.new()
    paths = [
        f"/s/{pages.account.publishable_token}.js",
        f"/s/{pages.account.schedule_token}.js",
        "/s/pub_00000000000000000000000000000000.js",
        "/s/x.js",
        "/s/%3Cscript%3E.js",
        f"/s/{snippet['lead_token']}.{'A' * 64}.js",
        f"/s/{snippet['lead_token']}..js",
        f"/s/{snippet['lead_token']}.{'%00' * 64}.js",
        "/s/pub_%00.js",
        f"/s/pub_%00.{build['hash']}.js",
        f"/s/%ed%a0%80.{build['hash']}.js",
        f"/s/{other['lead_token']}.{build['hash']}.js",
    ]
    for path in paths:
        not_there(pages.client.get(path))


def not_there(answer: TestResponse) -> None:
    """A comment, which no browser complains about twice."""
    assert answer.status_code == 404
    assert re.fullmatch(rb"/\* Handraiser: [^*]+ \*/\n", answer.data)
    assert headers_of(answer) == EXPECTED | {"Cache-Control": A_MINUTE}


def test_the_script_of_what_has_ended_is_not_there_until_it_is_back(pages: Pages) -> None:
    snippet = pages.new()
    [build] = pages.embed(snippet)["builds"]
    headers = pages.account.bearer
    token, one = f"{API}/lead_tokens/{snippet['lead_token_id']}", f"{API}/snippets/{snippet['id']}"
    ends = [
        lambda: pages.client.delete(one, headers=headers),
        lambda: pages.client.delete(token, headers=headers),
        lambda: pages.client.put(token, json={"expires_at": "2026-11-01T00:00:00Z"}, headers=headers),
        lambda: pages.client.delete(f"{API}/schedules/{snippet['schedule_id']}", headers=headers),
    ]
    backs = [
        lambda: pages.client.post(f"{one}/restore", headers=headers),
        lambda: pages.client.post(f"{token}/restore", headers=headers),
        lambda: pages.client.put(token, json={"expires_at": None}, headers=headers),
        lambda: pages.client.post(f"{API}/schedules/{snippet['schedule_id']}/restore", headers=headers),
    ]
    for place, (end, back) in enumerate(zip(ends, backs, strict=True)):
        assert pages.fetch(snippet).status_code == 200
        assert end().status_code == 200
        not_there(pages.fetch(snippet))
        # A build lives as long as its snippet, whatever becomes of the token.
        assert pages.client.get(build["url"].removeprefix(HOST)).status_code == (404 if place == 0 else 200)
        assert back().status_code == 200


def test_the_path_of_scripts_takes_nothing_but_questions(pages: Pages) -> None:
    path = pages.new()["urls"]["script"].removeprefix(HOST)
    for method in ("POST", "PUT", "DELETE"):
        answer = pages.client.open(path, method=method)
        refused(answer, "method_not_allowed")
        assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    refused(pages.client.get("/s/other"), "not_found")


# Whether a page is allowed


def test_the_second_file_is_a_script_like_any_other(client: FlaskClient) -> None:
    answer = client.get("/s/check.js")
    assert answer.status_code == 200
    assert headers_of(answer) == EXPECTED | {"Cache-Control": A_MINUTE}
    assert b"/**" not in answer.data


def test_a_page_is_told_whether_it_is_allowed(pages: Pages) -> None:
    snippet = pages.new()
    assert asked(pages, snippet, PAGE) == {"origin": PAGE, "allowed": True, "learning": True}
    # At once: who asks has perhaps just changed it.
    pages.change(snippet, allowed_origins=[PAGE])
    for origin, allowed in ((PAGE, True), (f"{PAGE}:8443", False), ("null", False), ("https://xshop.example", False)):
        assert asked(pages, snippet, origin) == {"origin": origin, "allowed": allowed, "learning": False}
    refused(pages.client.get(f"/s/{pages.account.publishable_token}/check"), "not_found")


def asked(pages: Pages, snippet: Json, origin: str) -> Json:
    """What a page is told, which no cache keeps."""
    with time_machine.travel(pages.now, tick=False):
        answer = pages.client.get(f"/s/{snippet['lead_token']}/check", headers={"Origin": origin})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    body: Json = answer.get_json()
    return body


# Where it lies


@pytest.fixture
def elsewhere(settings: Settings) -> Iterator[Pages]:
    """An installation whose operator has named the paths, and which asks no address too often."""
    named = replace(
        settings,
        snippet_path="/assets/forms",
        leads_path="/contact",
        public_url=HOST,
        address_limit=3,
    )
    with opened(named) as app:
        yield Pages(app.test_client(), make_account(app))


def test_an_operator_names_the_paths(elsewhere: Pages) -> None:
    snippet = elsewhere.new()
    assert snippet["urls"] == {
        "script": f"{HOST}/assets/forms/{snippet['lead_token']}.js",
        "leads": f"{HOST}/contact",
        "check": f"{HOST}/assets/forms/check.js",
    }
    known = configuration(elsewhere.client.get(f"/assets/forms/{snippet['lead_token']}.js").data)
    assert (known["endpoint"], known["check"]) == (snippet["urls"]["leads"], snippet["urls"]["check"])
    assert elsewhere.client.get(f"/s/{snippet['lead_token']}.js").status_code == 404
    for name, text in elsewhere.embed(snippet)["embed"].items():
        if name not in ("language", "evidence"):
            assert HOST in text, name
    sent = {"lead_token": snippet["lead_token"], "caller_id": NUMBER}
    answer = elsewhere.client.post("/contact", data=sent, headers={"Origin": PAGE})
    assert answer.get_json()["action"] == "received"
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert elsewhere.client.put("/contact", data=sent).get_json()["action"] == "received"
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "POST"}
    preflight = elsewhere.client.options("/contact", headers=asked)
    assert (preflight.status_code, preflight.headers["Access-Control-Allow-Origin"]) == (200, PAGE)
    # The one that everybody knows stays, and nothing is read at the other.
    assert elsewhere.client.post(LEADS, data=sent).status_code == 200
    for method, path in (("GET", "/contact"), ("DELETE", "/contact"), ("POST", "/contact/us"), ("POST", "/contacts")):
        refused(elsewhere.client.open(path, method=method, headers=elsewhere.account.bearer), "not_found")


def test_who_asks_too_often_whether_a_page_is_allowed_has_to_wait(elsewhere: Pages) -> None:
    path = f"/assets/forms/{elsewhere.new()['lead_token']}/check"
    with time_machine.travel(datetime(2027, 6, 1, 6, 0, 5, tzinfo=NOW.tzinfo), tick=False):
        assert [elsewhere.client.get(path).status_code for _ in range(3)] == [200, 200, 200]
        answer = elsewhere.client.get(path)
    refused(answer, "rate_limited")
    assert answer.headers["Retry-After"] == "56"
