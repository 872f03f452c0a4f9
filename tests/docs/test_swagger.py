"""The OpenAPI document and the page that shows it: valid, of this installation, packed, and for no other host."""

import gzip
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import validate
from werkzeug.test import TestResponse

from server.config import Settings
from server.docs.specification import build_specification
from tests.api.calls import LEADS, PAGE, refused
from tests.conftest import opened
from tests.factories import Account

DOCUMENT = "/apispec_1.json"
UI = "/api/docs/ui/"
ZIPPED = {"Accept-Encoding": "gzip, br"}
FROM_PAGE = {"Origin": PAGE, "Access-Control-Request-Method": "GET"}


def assets(client: FlaskClient) -> list[str]:
    """The addresses that the page loads from."""
    return re.findall(r'<(?:script|link)[^>]*(?:src|href)="([^"]+)"', client.get(UI).get_data(as_text=True))


def test_the_document_is_valid_and_tells_of_every_operation(app: Flask, client: FlaskClient) -> None:
    answer = client.get(DOCUMENT)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    document = answer.get_json()
    validate(document)
    # Neither the definitions nor the paths of flasgger's own stand beside ours.
    assert document == build_specification(app) | {"servers": [{"url": "http://localhost"}]}


def test_the_document_is_made_when_the_first_asks_and_once(settings: Settings) -> None:
    with opened(settings) as app:
        assert "swagger" not in app.extensions
        documents = []
        for _ in range(2):
            app.test_client().get(DOCUMENT)
            documents.append(app.extensions["swagger"])
        assert documents[0] is documents[1]


@pytest.mark.parametrize("host", ["localhost", "leads.example.com:8443", "127.0.0.1:8000", "[::1]:8000"])
def test_the_server_of_the_document_is_where_it_was_asked_for(client: FlaskClient, host: str) -> None:
    for scheme in ("http", "https"):
        answer = client.get(DOCUMENT, base_url=f"{scheme}://{host}", headers={"Host": host})
        assert answer.get_json()["servers"] == [{"url": f"{scheme}://{host}"}]


@pytest.fixture(scope="module")
def public(settings: Settings) -> Iterator[Flask]:
    """An application that knows its own address and who helps."""
    with opened(replace(settings, public_url="https://leads.example.com", address_limit=2)) as app:
        yield app


def test_with_a_public_url_it_is_that_and_no_other_host_gets_the_document(public: Flask) -> None:
    client = public.test_client()
    answer = client.get(DOCUMENT, headers={"Host": "leads.example.com"})
    assert answer.get_json()["servers"] == [{"url": "https://leads.example.com"}]
    for path in (DOCUMENT, UI):
        refused(client.get(path, headers={"Host": "evil.example"}), "host_not_allowed")


def test_one_address_gets_the_document_only_so_often(public: Flask) -> None:
    asks: dict[str, Any] = {"headers": {"Host": "leads.example.com"}, "environ_base": {"REMOTE_ADDR": "192.0.2.7"}}
    answers = [public.test_client().get(DOCUMENT, **asks) for _ in range(5)]
    # Five in a row lie in two minutes at most.
    refused(answers[-1], "rate_limited")


@pytest.mark.parametrize("host", ["evil.example/x", 'a"b', "a b"])
def test_what_is_no_host_is_refused(client: FlaskClient, host: str) -> None:
    for path in (DOCUMENT, UI):
        refused(client.get(path, headers={"Host": host}), "host_not_allowed")


def test_any_page_may_read_the_document_but_not_the_page(client: FlaskClient) -> None:
    assert client.get(DOCUMENT, headers=FROM_PAGE).headers.getlist("Access-Control-Allow-Origin") == ["*"]
    assert client.options(DOCUMENT, headers=FROM_PAGE).headers["Access-Control-Allow-Origin"] == "*"
    assert client.options(LEADS, headers=FROM_PAGE).headers["Access-Control-Allow-Origin"] == "*"
    for path in (UI, *assets(client)):
        assert "Access-Control-Allow-Origin" not in client.get(path, headers=FROM_PAGE).headers, path
        assert "Access-Control-Allow-Origin" not in client.options(path, headers=FROM_PAGE).headers, path


def test_what_is_text_is_packed_for_those_who_take_it_so(client: FlaskClient) -> None:
    for path in (DOCUMENT, *assets(client)):
        plain, packed = client.get(path), client.get(path, headers=ZIPPED)
        if len(plain.data) < 1024 or plain.mimetype == "image/png":
            continue
        assert "Content-Encoding" not in plain.headers
        assert packed.headers["Content-Encoding"] == "gzip"
        assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"
        assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data) / 2
        assert gzip.decompress(packed.data) == plain.data
        unwanted = client.get(path, headers={"Accept-Encoding": "br, gzip;q=0"})
        assert "Content-Encoding" not in unwanted.headers


def test_the_page_runs_only_what_is_ours(client: FlaskClient) -> None:
    page = client.get(UI)
    assert (page.status_code, page.content_type) == (200, "text/html; charset=utf-8")
    assert page.headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert assets(client)
    assert all(path.startswith("/") for path in assets(client))


def test_its_files_have_their_types_and_those_of_a_version_are_kept_for_ever(client: FlaskClient) -> None:
    found = {path.rpartition("/")[2]: client.get(path) for path in assets(client)}
    assert {name: answer.mimetype for name, answer in found.items()} == {
        "swagger-ui-bundle.js": "text/javascript",
        "swagger.js": "text/javascript",
        "swagger-ui.css": "text/css",
        "favicon-32x32.png": "image/png",
    }
    kept = {name for name, answer in found.items() if "immutable" in answer.headers["Cache-Control"]}
    assert kept == {"swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"}


def test_what_changes_with_us_is_asked_for_again_and_sent_only_if_it_did(client: FlaskClient) -> None:
    [script] = [path for path in assets(client) if path.endswith("swagger.js")]
    for headers in ({}, ZIPPED):
        first = client.get(script, headers=headers)
        assert first.headers["Cache-Control"] == "no-cache"
        again = client.get(script, headers=headers | {"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")


def test_the_pages_of_the_packages_are_not_served(client: FlaskClient) -> None:
    [bundle] = [path for path in assets(client) if path.endswith("bundle.js")]
    folder = bundle.rpartition("/")[0]
    for path in (
        f"{folder}/index.html",
        f"{folder}/oauth2-redirect.html",
        f"{folder}/../__init__.py",
        f"{folder}/%2e%2e/%2e%2e/__init__.py",
        "/apidocs/",
        "/apidocs/index.html",
        "/oauth2-redirect.html",
        "/flasgger_static/swagger-ui.css",
    ):
        refused(client.get(path), "not_found")


def test_the_api_answers_as_before(client: FlaskClient, account: Account) -> None:
    def is_ours(answer: TestResponse) -> bool:
        return bool(answer.get_json()["metadata"]["request_id"] == answer.headers["X-Request-Id"])

    assert client.get(DOCUMENT).status_code == client.get(UI).status_code == 200
    assert is_ours(client.get("/api/v1/nothing"))
    refused(client.get("/api/v1/nothing"), "not_found")
    refused(client.post(DOCUMENT), "method_not_allowed")
    refused(client.patch(LEADS), "method_not_allowed")
    # Half a surrogate pair, which only our own way of writing JSON survives.
    sent = {"lead_token": account.schedule_token, "caller_id": "+17192221234", "data": {"a": "\ud800"}}
    assert client.post(LEADS, json=sent, headers=ZIPPED).get_json()["metadata"]["request_id"]
    assert "Content-Encoding" not in client.get(LEADS, headers=account.bearer | ZIPPED).headers
