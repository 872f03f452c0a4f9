"""Whoever calls us by ever new names is answered, and costs neither memory nor more work than anybody else."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from server.config import Settings
from server.docs import highlight, site
from server.embed import build
from tests.api.kinds import API, shown
from tests.conftest import opened
from tests.factories import Account

GUIDE = "/api/docs/1.0/quickstart.html"
METHOD = "/api/docs/1.0/leads_external/create.html"
PUBLIC = "https://leads.example.com"
HOSTS, HOSTS_LONG = 200, 10_000


@pytest.fixture
def script(client: FlaskClient, account: Account) -> str:
    """The path of a snippet's script."""
    body = {"name": "Page", "schedule_id": account.schedule_id}
    made = shown(client.post(f"{API}/snippets", json=body, headers=account.bearer), "snippet")
    return f"/s/{made['lead_token']}.js"


def kept() -> int:
    """How many things a process keeps that it has made for readers and pages."""
    caches = (site.read_page, highlight.highlight, build.packed)
    return sum(cache.cache_info().currsize for cache in caches)


def fetch(client: FlaskClient, path: str, host: str) -> str:
    answer = client.get(path, headers={"Host": host, "Accept": "text/html"})
    assert answer.status_code == 200
    return answer.text


def cost(work: Callable[[str], object], hosts: list[str]) -> float:
    """Seconds of the processor for each host."""
    began = time.process_time()
    for host in hosts:
        work(host)
    return (time.process_time() - began) / len(hosts)


@pytest.mark.parametrize("path", [GUIDE, METHOD, "/api/docs.json", "/api/docs/static/search.js"])
def test_the_docs_are_made_once_for_all_hosts(client: FlaskClient, path: str, told: list[str]) -> None:
    first = fetch(client, path, "first.example")
    before = kept()
    hosts = [f"h{number}.example" for number in range(30)]
    new = cost(lambda host: fetch(client, path, host), hosts)
    known = cost(lambda _: fetch(client, path, "first.example"), hosts)
    told.append(f"{path}: {new * 1000:.1f} ms for a new host, {known * 1000:.1f} ms for a known one")
    assert (kept(), new < 2 * known + 0.005) == (before, True)
    assert fetch(client, path, "other.example").replace("other.example", "first.example") == first


def test_hosts_without_end_leave_nothing_behind_and_cost_little(
    client: FlaskClient, script: str, told: list[str], long: bool
) -> None:
    fetch(client, script, "localhost")
    before = kept()
    each = cost(
        lambda host: fetch(client, script, host),
        [f"h{number}.example" for number in range(HOSTS_LONG if long else HOSTS)],
    )
    told.append(f"{each * 1000:.2f} ms for a script under a new name")
    assert (kept(), each < 0.01) == (before, True)
    assert "http://h1.example/api/v1/leads" in fetch(client, script, "h1.example")


def test_a_script_under_our_own_names_is_packed_once(client: FlaskClient, script: str) -> None:
    for host in ("localhost", "127.0.0.1", "[::1]"):
        fetch(client, script, host)
        before = kept()
        fetch(client, script, host)
        assert kept() == before
    assert build.packed.cache_info().hits > 0


@pytest.fixture
def public(settings: Settings) -> Iterator[Flask]:
    """An application that knows its address."""
    with opened(replace(settings, public_url=PUBLIC)) as app:
        yield app


def test_an_installation_that_knows_its_address_answers_no_other(public: Flask, script: str) -> None:
    client = public.test_client()
    fetch(client, script, "leads.example.com")
    before = kept()
    for path in (script, GUIDE, METHOD, "/api/docs.json"):
        for number in range(20):
            assert client.get(path, headers={"Host": f"h{number}.example"}).status_code == 400
    assert kept() == before
