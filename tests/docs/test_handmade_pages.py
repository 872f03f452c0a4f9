"""The hand-written pages: their form, their links, and every example run as a reader would run it."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from server.errors import STATUS_OF_CODE
from server.periods import NAMED
from tests.docs.pages import Block, Page, pages
from tests.factories import Account
from tests.live import Live

PAGES = pages()
EXPECTED = [
    "attribution",
    "batches-and-reconciliation",
    "changelog",
    "consent",
    "consent-texts",
    "create-or-update",
    "errors",
    "foreign-payloads",
    "glossary",
    "idempotency-and-retries",
    "landing-pages",
    "lead-tokens",
    "managing-by-api",
    "moving-from-trackdrive",
    "quickstart",
    "rate-limits",
]

each_page = pytest.mark.parametrize("guide", PAGES.values(), ids=PAGES)
sqlite_only = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="session")


def anchor(heading: str) -> str:
    """What a heading is called in a URL."""
    return re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading.lower()).strip())


# Form


def test_the_pages_are_these() -> None:
    assert sorted(PAGES) == EXPECTED


@each_page
def test_a_page_has_one_title_and_begins_with_a_paragraph(guide: Page) -> None:
    assert [level for level, _ in guide.headings].count(1) == 1
    title, _, rest = guide.text.partition("\n\n")
    assert re.fullmatch(r"# .+", title)
    summary = rest.partition("\n\n")[0]
    assert re.match(r"[A-Z]", summary)
    assert summary.endswith(".")
    assert 60 <= len(summary) <= 300


@each_page
def test_no_page_holds_html(guide: Page) -> None:
    assert re.findall(r"</?[a-zA-Z!][^\n]*?>|&[a-z]+;", guide.words) == []


@each_page
def test_headings_of_a_page_skip_no_level_and_have_anchors_of_their_own(guide: Page) -> None:
    levels = [level for level, _ in guide.headings]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    anchors = [anchor(text) for _, text in guide.headings]
    assert sorted(set(anchors)) == sorted(anchors)


@each_page
def test_every_link_leads_somewhere(guide: Page) -> None:
    # That each method has its page is seen where all links are followed, in `test_export.py`.
    for link in guide.links:
        kind, _, target = link.partition(":")
        name, _, place = target.partition("#")
        if kind == "page":
            assert name in PAGES, link
            assert not place or place in [anchor(text) for _, text in PAGES[name].headings], link
        elif kind == "error":
            assert target in STATUS_OF_CODE, link
        else:
            assert kind == "method", link


@each_page
def test_only_the_readers_own_and_our_periods_are_filled_in(guide: Page) -> None:
    # What looks like one in the text of a template is written without blanks.
    known = {"{{ base_url }}", "{{ lead_token }}", *(f"{{{{ period.{name} }}}}" for name in NAMED)}
    assert set(re.findall(r"\{\{ .*? \}\}", guide.text)) <= known


@each_page
def test_what_is_shown_as_json_is_json(guide: Page) -> None:
    for block in guide.blocks:
        if block.language == "json":
            assert isinstance(block.value, dict | list), f"line {block.line}"


@each_page
def test_every_block_says_its_language(guide: Page) -> None:
    assert {block.language for block in guide.blocks} <= {
        "bash",
        "json",
        "python",
        "http",
        "javascript",
        "text",
        "html",
    }


# Examples


@sqlite_only
@each_page
def test_every_example_works_and_answers_what_the_page_shows(
    guide: Page, live: Live, account: Account, tmp_path: Path
) -> None:
    world = World(account, live, tmp_path)
    if any("status=429" in block.info for block in guide.blocks):
        pass_the_full_minute()
    for block in guide.blocks:
        if block.language in ("bash", "python") and "norun" not in block.info:
            world.run(block)
        elif block.language == "json" and not block.info:
            assert world.answered, f"line {block.line}: nothing was asked before"
            differences = list(differ(block.value, world.answered[-1], ""))
            assert differences == [], f"line {block.line}: {json.dumps(world.answered[-1], indent=1)}"


def pass_the_full_minute() -> None:
    """Waits where the counts of rate limits would begin anew between an example and the next."""
    left = 60 - time.time() % 60
    if left < 5:
        time.sleep(left)


class World:
    """A reader with an account of their own, who runs one block after the other in one folder."""

    def __init__(self, account: Account, live: Live, folder: Path) -> None:
        self.account, self.live, self.folder = account, live, folder
        self.answered: list[Any] = []
        # Every answer of curl shows its status where the test looks, and whatever the block prints stays as it is.
        (folder / ".curlrc").write_text("silent\nverbose\n")
        self.token_id: int = account.rows(
            "select id from lead_token where company_id = :company_id and value = :value", value=account.schedule_token
        )[0]["id"]

    def run(self, block: Block) -> None:
        """Runs a block; curl's answers have the status that the block announces, or none of failure."""
        text = block.text.replace("{{ base_url }}", self.live.url)
        text = text.replace("{{ lead_token }}", self.account.schedule_token)
        program = ["bash", "-eu", "-c", text] if block.language == "bash" else [sys.executable, "-c", text]
        run = subprocess.run(
            program, cwd=self.folder, env=self.environment(), capture_output=True, text=True, timeout=60, check=False
        )
        said = f"line {block.line}: {run.stdout}\n{run.stderr}"
        assert run.returncode == 0, said
        self.answered = list(objects(run.stdout)) or self.answered
        if block.language == "bash" and "curl" in block.text:
            statuses = [int(status) for status in re.findall(r"^< HTTP/[\d.]+ ([2-5]\d\d)", run.stderr, re.M)]
            wanted = [int(word.removeprefix("status=")) for word in block.info if word.startswith("status=")]
            assert len(statuses) >= block.text.count("{{ base_url }}"), said
            assert all(status in wanted if wanted else status < 400 for status in statuses), said

    def environment(self) -> dict[str, str]:
        """What a page tells its reader to put into the environment."""
        leads = [each["id"] for each in self.account.leads() if each["is_live"]]
        refused = [each["id"] for each in self.account.submissions() if each["action"] == "refused"]
        return os.environ | {
            "CURL_HOME": str(self.folder),
            "HANDRAISER_KEY": self.account.private_key,
            "PUBLISHABLE_TOKEN": self.account.publishable_token,
            "VENDOR_TOKEN": self.account.vendor_token,
            "LEAD_TOKEN_ID": str(self.token_id),
            "SCHEDULE_ID": str(self.account.schedule_id),
            "OFFER_ID": str(self.account.offer_id),
            "LEAD_ID": leads[-1] if leads else "",
            "SUBMISSION_ID": refused[-1] if refused else "",
            "DISCLOSURE_ID": self.latest("disclosure"),
            "SNIPPET_ID": self.latest("snippet"),
            "SNIPPET_TOKEN": self.latest_snippet_token(),
            "VERSION_ID": self.latest("disclosure_version"),
        }

    def latest(self, table: str) -> str:
        """The id that was given last there."""
        [row] = self.account.rows(f"select max(id) as id from {table} where company_id = :company_id")
        return str(row["id"] or "")

    def latest_snippet_token(self) -> str:
        """The token of the snippet that was made last."""
        query = "select value from lead_token join snippet on lead_token_id = lead_token.id"
        found = self.account.rows(f"{query} where snippet.company_id = :company_id order by snippet.id")
        return str(found[-1]["value"]) if found else ""


def objects(text: str) -> Iterator[Any]:
    """The JSON objects in what a program has printed."""
    at = text.find("{")
    while at >= 0:
        value, end = json.JSONDecoder().raw_decode(text, at)
        yield value
        at = text.find("{", end)


# What is another one each time: ids, times, places, tokens.
ALIKE = [
    re.compile(pattern)
    for pattern in (
        r"[0-9a-f]{8}-[0-9a-f-]{27}",
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(\d{3})?\+00:00",
        r"\d{4}-\d\d-\d\d",
        r"(pub_)?[0-9a-f]{32}",
    )
]
ADDRESS = re.compile(r"^https?://[^/]+")


def differ(shown: Any, real: Any, path: str) -> Iterator[str]:
    """Where an answer is not what the page shows of it: the page may leave out, but tell nothing else."""
    if isinstance(shown, dict) and isinstance(real, dict):
        for name, value in shown.items():
            if name not in real:
                yield f"{path}.{name} is not there"
            else:
                yield from differ(value, real[name], f"{path}.{name}")
    elif isinstance(shown, list) and isinstance(real, list):
        if len(shown) > len(real):
            yield f"{path} has {len(real)} items"
        for at, (one, other) in enumerate(zip(shown, real, strict=False)):
            yield from differ(one, other, f"{path}[{at}]")
    elif not same(shown, real, path):
        yield f"{path} is {real!r}, not {shown!r}"


def same(shown: Any, real: Any, path: str) -> bool:
    """Whether two plain values are the same, or the same sort of thing that differs each time."""
    if isinstance(shown, str) and isinstance(real, str):
        shown, real = (ADDRESS.sub("", text.replace("{{ base_url }}", "http://here")) for text in (shown, real))
        begun = shown.partition("…")[0]
        return (
            shown == real
            or ("…" in shown and real.startswith(begun))
            or any(kind.fullmatch(shown) and kind.fullmatch(real) for kind in ALIKE)
        )
    numbered = re.search(r"(\.|_)(id|record|first_action)$", path) is not None
    return (shown == real and type(shown) is type(real)) or (numbered and type(shown) is int and type(real) is int)


# Retry loops


@contextmanager
def faltering() -> Iterator[tuple[str, list[tuple[float, str, bytes]]]]:
    """A server that cannot take the first request now, drops the second, and takes the third; what it has received."""
    received: list[tuple[float, str, bytes]] = []

    class Faltering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((time.monotonic(), self.headers["Idempotency-Key"], body))
            if len(received) == 2:
                self.close_connection = True
                return
            status, answer = (503, {"code": "unavailable"}) if len(received) == 1 else (200, {"action": "created"})
            content = json.dumps(answer).encode()
            self.send_response(status)
            if status == 503:
                self.send_header("Retry-After", "2")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Faltering) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", received
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("language", ["bash", "python"])
def test_a_retry_loop_sends_the_same_request_until_it_is_answered(language: str, tmp_path: Path) -> None:
    block = next(
        each for each in PAGES["idempotency-and-retries"].blocks if "retries" in each.info and each.language == language
    )
    with faltering() as (url, received):
        text = block.text.replace("{{ base_url }}", url).replace("{{ lead_token }}", "0" * 32)
        program = ["bash", "-eu", "-c", text] if language == "bash" else [sys.executable, "-c", text]
        run = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    assert "created" in run.stdout
    assert len(received) == 3
    assert len({(key, body) for _, key, body in received}) == 1
    assert received[0][1]
    assert received[1][0] - received[0][0] >= 2, "it waits as long as Retry-After says"
