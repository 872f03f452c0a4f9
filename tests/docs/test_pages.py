"""The pages of the docs: what each address answers, to whom, and that the parameters of the product are all there."""

import re
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from server.config import Settings
from server.docs import site
from server.docs.handmade import PAGES
from server.docs.reading import read_reference
from server.docs.resources import RESOURCES
from server.docs.specification import build_specification
from server.leads.params import RESERVED
from server.leads.schemas import LeadSchema
from tests.api.test_parameters import ROWS as PARAMETER_ROWS
from tests.conftest import opened
from tests.factories import Account

# The pages are made of no rows.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
CREATE = "/api/docs/1.0/leads_external/create"
# In apipie's order.
SECTIONS = ["Supported Formats", "Errors", "Examples", "Params", "Returns", "Headers"]
EMPTY = ("", "{}", "[]", "null")


def text_of(client: FlaskClient, path: str) -> str:
    answer = client.get(path, headers=HTML)
    assert (answer.status_code, answer.content_type) == (200, "text/html; charset=utf-8"), path
    return answer.get_data(as_text=True)


def test_every_page_is_there_and_no_two_share_an_address(client: FlaskClient, app: Flask) -> None:
    with app.test_request_context():
        paths = [*site.every_path()]
    assert len(paths) == len(set(paths)) > 100
    assert not {*PAGES} & RESOURCES.keys()
    for path in paths:
        assert text_of(client, f"/api/docs/1.0/{path}.html" if path else "/api/docs").count("<h1") == 1


@pytest.mark.parametrize(
    ("path", "accept", "kind"),
    [
        ("/api/docs", "text/html", "text/html; charset=utf-8"),
        ("/api/docs/", "text/html", "text/html; charset=utf-8"),
        ("/api/docs", "*/*", "application/json"),
        ("/api/docs.json", "text/html", "application/json"),
        ("/api/docs/1.0", "application/json", "application/json"),
        ("/api/docs/1.0.html", "*/*", "text/html; charset=utf-8"),
        (CREATE, "text/html", "text/html; charset=utf-8"),
        (CREATE, "application/json", "application/json"),
        (f"{CREATE}.html", "application/json", "text/html; charset=utf-8"),
        (f"{CREATE}.json", "text/html", "application/json"),
        (f"{CREATE}?format=json", "text/html", "application/json"),
        ("/api/docs/1.0/leads_external.html", "*/*", "text/html; charset=utf-8"),
        ("/api/docs/1.0/quickstart.html", "*/*", "text/html; charset=utf-8"),
    ],
)
def test_the_extension_says_what_comes_and_else_the_accept_header_does(
    client: FlaskClient, path: str, accept: str, kind: str
) -> None:
    answer = client.get(path, headers={"Accept": accept})
    assert (answer.status_code, answer.content_type) == (200, kind)


def test_who_opens_the_address_of_the_product_sees_the_docs(client: FlaskClient) -> None:
    answer = client.get("/", headers=HTML)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/api/docs")
    assert client.get("/").get_json()["docs"] == "/api/docs"


def test_the_json_has_apipies_form(client: FlaskClient) -> None:
    everything = client.get("/api/docs.json").get_json()["docs"]
    assert everything.keys() == {"name", "info", "copyright", "doc_url", "api_url", "resources"}
    assert everything["resources"].keys() == RESOURCES.keys()
    [resource] = client.get("/api/docs/1.0/leads_external.json").get_json()["docs"]["resources"]
    assert resource == everything["resources"]["leads_external"]
    assert resource["name"] == "Lead by third party"
    assert [each["name"] for each in resource["methods"]][:4] == ["create", "create_or_update", "capture", "batch"]
    [alone] = client.get(f"{CREATE}.json").get_json()["docs"]["resources"]
    [method] = alone["methods"]
    assert method == resource["methods"][0]
    assert method["doc_url"] == f"http://localhost{CREATE}"
    assert method["apis"][0] == {
        "api_url": "/api/v1/leads",
        "http_method": "POST",
        "short_description": "Create or update a lead",
        "deprecated": False,
    }
    caller_id = next(each for each in method["params"] if each["name"] == "caller_id")
    assert caller_id["required"]
    assert caller_id["expected_type"] == "string"
    assert caller_id["validations"][0] == "Must be a String"
    assert caller_id["description"].startswith("<p>The lead&#39;s") or caller_id["description"].startswith("<p>The")


def test_the_checksum_is_the_same_until_the_docs_change(client: FlaskClient) -> None:
    first = client.get("/api/docs/apipie_checksum").get_json()
    assert re.fullmatch("[0-9a-f]{40}", first["checksum"])
    assert client.get("/api/docs/apipie_checksum").get_json() == first


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("/api/docs/1.0/leads_external/creat.html", "/1.0/leads_external/create.html"),
        ("/api/docs/1.0/lead_token.html", "/1.0/lead_tokens.html"),
        ("/api/docs/1.0/quick-start.html", "/1.0/quickstart.html"),
        ("/api/docs/2.0/leads/index.html", ""),
        ("/api/docs/1.0/leads/index/more.html", "/1.0/leads/index.html"),
        ("/api/docs/<script>alert(1)</script>.html", ""),
    ],
)
def test_a_page_that_is_not_there_is_a_404_that_helps(client: FlaskClient, path: str, near: str) -> None:
    answer = client.get(path, headers=HTML)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 404
    assert "<script>alert" not in page
    assert f'href="/api/docs{near}"' in page
    assert client.get(path.replace(".html", ".json")).status_code == 404


def test_every_page_is_private_strict_and_tells_no_other_site_of_itself(client: FlaskClient) -> None:
    for path in ("/api/docs", f"{CREATE}.html", f"{CREATE}.json", "/api/docs/1.0/nothing.html"):
        headers = client.get(path, headers=HTML).headers
        assert headers["Cache-Control"] == "private, no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Content-Type-Options"] == "nosniff"
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "unsafe" not in policy


def test_the_files_of_the_pages_are_kept_by_browsers_until_they_change(client: FlaskClient) -> None:
    page = text_of(client, "/api/docs")
    for name in ("docs.css", "docs.js"):
        [address] = re.findall(rf'"(/api/docs/static/{name}\?v=[0-9a-f]+)"', page)
        with client.get(address) as file:
            assert file.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert client.get("/api/docs/static/../templates/base.html").status_code == 404
    assert client.get("/api/docs/static/%2e%2e/templates/base.html").status_code == 404


def test_the_examples_carry_the_readers_own_host(client: FlaskClient) -> None:
    page = client.get(f"{CREATE}.html", headers=HTML | {"Host": "leads.example:8443"}).get_data(as_text=True)
    assert "http://leads.example:8443/api/v1/leads" in plain(page)
    assert client.get(f"{CREATE}.html", headers=HTML | {"Host": 'x"><script>'}).status_code == 400


def test_a_method_has_apipies_sections_in_their_order(client: FlaskClient) -> None:
    page = text_of(client, f"{CREATE}.html")
    headings = [unescape(each) for each in re.findall(r"<h2[^>]*>([^<]+)", page)]
    assert [each for each in headings if each in SECTIONS] == SECTIONS


def test_every_parameter_is_on_the_create_page_with_what_it_says_of_a_wrong_value(client: FlaskClient) -> None:
    page = text_of(client, f"{CREATE}.html")
    for name, field in LeadSchema().load_fields.items():
        row = row_of(page, name)
        assert shown(field.metadata["description"]) in row, name
        said = {text for each in wrong_rows(name) for text in [each["text"]] if text.startswith("Must be")}
        assert said, f"no case of tests/data/parameters.csv has a wrong {name}"
        for text in said:
            # The page has a sample where the answer shows the present.
            sample = "Must be a valid time: " if text.startswith("Must be a valid time") else text
            assert shown(sample) in row, (name, text)


def test_the_scope_that_a_page_names_is_the_one_that_a_key_lacks(
    app: Flask, client: FlaskClient, account: Account
) -> None:
    without = account.key("leads:create")
    for method in read_reference(build_specification(app)).methods():
        about = re.search(r'<p class="opened">(.*?)</p>', text_of(client, f"/api/docs/1.0/{method.page}.html"), re.S)
        named = re.search(r"with the scope ([a-z:]+),", plain(about[1]) if about else "")
        # Who has a lead token is asked for no key, save where a list is read.
        assert bool(named) is (method.resource != "leads_external" and method.page != "tokens/fields"), method.page
        if named:
            answer = client.open(method.example_path, method=method.apis[0][0], headers=without, json={})
            assert answer.get_json().get("errors") == {"auth_token": [f"lacks the scope {named[1]}"]}, answer.text


def test_what_a_method_needs_is_not_allowed_to_be_blank(client: FlaskClient) -> None:
    page = text_of(client, f"{CREATE}.html")
    [resource] = client.get(f"{CREATE}.json").get_json()["docs"]["resources"]
    params = {each["name"]: each for each in resource["methods"][0]["params"]}
    for name, blank in (("lead_token", False), ("caller_id", False), ("sub_id", True)):
        assert ("Blank Value Allowed" in row_of(page, name)) is blank, name
        assert params[name]["allow_blank"] is blank, name


def test_a_batch_needs_a_number_in_each_lead_and_none_beside_them(client: FlaskClient) -> None:
    page = text_of(client, "/api/docs/1.0/leads_external/batch.html")
    needed = re.findall(r'id="param-([^"]+)">(?:(?!</tr>).)*?class="needed"', page, re.S)
    assert needed == ["leads", "leads[][caller_id]", "lead_token"]


def test_no_row_says_a_rule_twice(client: FlaskClient) -> None:
    page = text_of(client, f"{CREATE}.html")
    assert row_of(page, "sub_id").count("Must be a String") == 1
    assert "Must be a boolean value: 1, true, yes, on, 0, false, no, off" in row_of(page, "dry_run")


# These say what they are instead: a token that is none, whatever its shape.
BY_MEANING = {"lead_token", "schedule_lead_token", "offer_lead_token"}


def wrong_rows(name: str) -> list[dict[str, Any]]:
    """The cases in which a parameter has a wrong value."""
    rows = [each for each in PARAMETER_ROWS if each["param"] == name and each["kind"] == "invalid"]
    return [{"text": "Must be a String"}] if name in BY_MEANING and rows else rows


def row_of(page: str, name: str) -> str:
    """What the table of parameters says of one."""
    match = re.search(rf'<tr[^>]* id="param-{name}">(.*?)</tr>', page, re.S)
    assert match, f"{name} is not on the page"
    return plain(match[1])


def plain(page: str) -> str:
    """A page as its text."""
    return unescape(re.sub("<[^>]+>", "", page))


def shown(text: str) -> str:
    """A text without its marks."""
    return text.replace("`", "").replace("*", "")


def test_every_reserved_key_is_named(client: FlaskClient) -> None:
    page = plain(text_of(client, "/api/docs/1.0/lead-tokens.html") + text_of(client, f"{CREATE}.html"))
    assert sorted(name for name in RESERVED if not re.search(rf"\b{name}\b", page)) == []


def test_every_page_says_where_help_is_also_the_one_that_is_missing(settings: Settings) -> None:
    with opened(Settings(**{**settings.__dict__, "support_email": "help@leads.example"})) as app:
        client = app.test_client()
        for path in ("/api/docs", f"{CREATE}.html", "/api/docs/1.0/errors.html", "/api/docs/1.0/nothing.html"):
            page = client.get(path, headers=HTML).get_data(as_text=True)
            assert 'href="mailto:help@leads.example"' in page, path


def test_without_an_address_for_help_no_page_makes_one_up(client: FlaskClient) -> None:
    assert "mailto:" not in text_of(client, "/api/docs")
