"""Snippets by API: each with a lead token of its own, its limits named, and every way to put it on a page filled in."""

import html
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.api.calls import NUMBER, PAGE, Json, refused, send, taken
from tests.api.kinds import API, VERSION, wrong
from tests.api.kinds import shown as shown_one
from tests.factories import Account, make_account
from tests.unit import table

PATH = f"{API}/snippets"
INLINE = ("jquery", "fetch", "confirmation", "no_javascript")


class Snippets:
    """The snippets of one company, by API."""

    def __init__(self, client: FlaskClient, account: Account) -> None:
        self.client, self.account = client, account

    def ask(self, method: str, path: str, **body: Any) -> TestResponse:
        """The answer to a request with the company's key."""
        return self.client.open(f"{API}{path}", method=method, json=body or None, headers=self.account.bearer)

    def new(self, **more: Any) -> Json:
        """A snippet of the schedule."""
        return shown(self.ask("POST", "/snippets", **{"name": "Page", "schedule_id": self.account.schedule_id} | more))

    def change(self, made: Json, **body: Any) -> Json:
        """A snippet, changed."""
        return shown(self.ask("PUT", f"/snippets/{made['id']}", **body))

    def token(self, made: Json) -> Json:
        """Its lead token, as that is shown."""
        found: Json = self.ask("GET", f"/lead_tokens/{made['lead_token_id']}").get_json()["lead_token"]
        return found

    def publish(self, disclosure_id: int, **more: Any) -> Json:
        """A published version."""
        path = f"/disclosures/{disclosure_id}/versions"
        made: Json = self.ask("POST", path, **VERSION | more).get_json()["version"]
        assert self.ask("POST", f"{path}/{made['id']}/publish").status_code == 200
        return made

    def embed(self, made: Json, query: str = "") -> Json:
        """The ways to put it on a page."""
        body: Json = self.ask("POST", f"/snippets/{made['id']}/publish{query}").get_json()
        ways: Json = body["embed"]
        return ways


@pytest.fixture
def snippets(client: FlaskClient, account: Account) -> Snippets:
    return Snippets(client, account)


def shown(answer: TestResponse) -> Json:
    """The snippet that an answer shows."""
    return shown_one(answer, "snippet")


# A snippet and its token


def test_a_snippet_has_a_publishable_token_and_a_disclosure_of_its_own(snippets: Snippets) -> None:
    account = snippets.account
    made = snippets.new(name="Solar page", traffic_source_id=account.source_id, allowed_origins=[f"{PAGE}/"])
    token = snippets.token(made)
    assert token["value"] == made["lead_token"]
    wanted = {
        "name": "Solar page",
        "kind": "publishable",
        "schedule_id": account.schedule_id,
        "default_traffic_source_id": account.source_id,
        "disclosure_id": made["disclosure_id"],
        "allowed_origins": [PAGE],
        "shows_stored_lead": False,
    }
    assert {name: token[name] for name in wanted} == wanted
    disclosure = snippets.ask("GET", f"/disclosures/{made['disclosure_id']}").get_json()["disclosure"]
    assert (disclosure["name"], disclosure["current"]) == ("Solar page", {})
    # Two pages of one company never share what they learn.
    assert snippets.new(name="Solar page")["disclosure_id"] != made["disclosure_id"]
    # One that is named is taken, and no other made.
    again = snippets.new(disclosure_id=made["disclosure_id"])
    assert again["disclosure_id"] == made["disclosure_id"]
    assert len(account.rows("select id from disclosure where company_id = :company_id")) == 2


def test_the_token_of_a_snippet_takes_leads_for_its_owner_and_source(snippets: Snippets) -> None:
    account = snippets.account
    of_offer = snippets.new(schedule_id=None, offer_id=account.offer_id, traffic_source_id=account.source_id)
    assert (of_offer["schedule_id"], of_offer["offer_id"]) == (None, account.offer_id)
    assert taken(send(snippets.client, of_offer["lead_token"]))["action"] == "received"
    [lead] = account.leads()
    assert (lead["owner_kind"], lead["owner_id"], lead["traffic_source_id"]) == (
        "offer",
        account.offer_id,
        account.source_id,
    )


def test_what_a_token_may_do_is_changed_through_its_snippet(snippets: Snippets) -> None:
    made = snippets.new()
    before = snippets.token(made)
    body: Json = {"name": "Roofs", "allowed_origins": [PAGE], "allows_callbacks": True, "traffic_source_id": None}
    changed = snippets.change(made, **body)
    token = snippets.token(made)
    assert {name: changed[name] for name in body} == body
    assert (token["name"], token["allowed_origins"], token["allows_callbacks"]) == ("Roofs", [PAGE], True)
    assert changed["updated_at"] > made["updated_at"]
    assert token["updated_at"] > before["updated_at"]
    # At once: intake asks for the state of now.
    refused(
        send(snippets.client, made["lead_token"], headers={"Origin": "https://other.example"}), "origin_not_allowed"
    )
    # What is the snippet's own is another state of it, and none of its token.
    again = snippets.change(made, carry=False)
    assert again["updated_at"] > changed["updated_at"]
    assert snippets.token(made) == token


def test_a_deleted_snippet_takes_no_leads_until_it_is_restored(snippets: Snippets) -> None:
    made = snippets.new()
    one = f"/snippets/{made['id']}"
    assert snippets.ask("DELETE", one).status_code == 200
    assert snippets.token(made)["disabled_at"] is not None
    refused(send(snippets.client, made["lead_token"]), "lead_token_invalid")
    assert wrong(snippets.ask("GET", f"{one}/embed")) == {"id": ["is deleted; restore the snippet first"]}
    assert shown(snippets.ask("POST", f"{one}/restore"))["lead_token"] == made["lead_token"]
    assert snippets.token(made)["disabled_at"] is None
    assert taken(send(snippets.client, made["lead_token"]))["action"] == "received"


def test_what_a_snippet_needs_has_to_be_there_when_it_comes_back(snippets: Snippets) -> None:
    made = snippets.new()
    snippets.ask("DELETE", f"/snippets/{made['id']}")
    snippets.ask("DELETE", f"/disclosures/{made['disclosure_id']}")
    errors = wrong(snippets.ask("POST", f"/snippets/{made['id']}/restore"))
    assert errors == {"disclosure_id": ["is not a disclosure of this company"]}
    assert snippets.token(made)["disabled_at"] is not None


def test_a_snippets_token_is_not_rotated_for_its_pages_would_lose_it(snippets: Snippets) -> None:
    made = snippets.new()
    errors = wrong(snippets.ask("POST", f"/lead_tokens/{made['lead_token_id']}/rotate"))
    assert errors["id"][0].startswith(f"is the token of the snippet {made['id']}")
    assert snippets.token(made)["expires_at"] is None


def test_the_site_that_thanks_is_one_where_visitors_may_go(snippets: Snippets) -> None:
    made = snippets.new(thank_you_url="https://Thanks.example:443/a?b=c", allowed_redirects=[PAGE])
    assert made["allowed_redirects"] == [PAGE, "https://thanks.example"]
    assert snippets.change(made, name="Other")["allowed_redirects"] == [PAGE, "https://thanks.example"]
    assert snippets.change(made, allowed_redirects=[])["allowed_redirects"] == ["https://thanks.example"]
    form = {"lead_token": made["lead_token"], "caller_id": NUMBER, "redirect_to": made["thank_you_url"].lower()}
    answer = snippets.client.post("/api/v1/leads", data=form, headers={"Origin": PAGE})
    assert (answer.status_code, answer.headers["Location"]) == (303, form["redirect_to"])


def test_a_list_is_filtered_by_name_and_by_token(snippets: Snippets) -> None:
    first, second = snippets.new(name="One"), snippets.new(name="Two")
    for query, wanted in (("name=One", first), (f"lead_token_id={second['lead_token_id']}", second)):
        body = snippets.ask("GET", f"/snippets?{query}").get_json()
        assert body["snippets"] == [wanted]


# What is refused


@pytest.mark.parametrize("row", table("wrong_snippets.csv"), ids=lambda row: row["case"])
def test_what_a_snippet_cannot_be_is_named(snippets: Snippets, row: dict[str, str]) -> None:
    offer = str(snippets.account.offer_id)
    body = {"name": "Page", "schedule_id": snippets.account.schedule_id} | json.loads(
        row["sent"].replace("OFFER", offer)
    )
    errors = wrong(snippets.ask("POST", "/snippets", **body))
    assert " ".join(errors) == row["parameters"]
    assert all(row["says"] in text for texts in errors.values() for text in texts), errors
    assert snippets.account.rows("select id from snippet where company_id = :company_id") == []


def test_names_are_kept_as_leads_have_them(snippets: Snippets) -> None:
    made = snippets.new(
        field_map={"Your Phone": "caller_id", "plz": "ZIP Code"},
        parameters={"aff": "sub_id", "kw": "keyword"},
        messages={"es_mx": {"sent": " Gracias. "}},
    )
    assert made["field_map"] == {"Your Phone": "caller_id", "plz": "zip_code"}
    assert made["parameters"] == {"aff": "sub_id", "kw": "keyword"}
    assert made["messages"] == {"es-MX": {"sent": "Gracias."}}


@pytest.mark.parametrize("kind", ["server", "postback"])
def test_only_a_publishable_token_shows_a_disclosure(snippets: Snippets, kind: str) -> None:
    made = snippets.new()
    account = snippets.account
    owner = {"traffic_source_id": account.source_id} if kind == "postback" else {"schedule_id": account.schedule_id}
    body = {"name": "X", "kind": kind, "disclosure_id": made["disclosure_id"], **owner}
    errors = wrong(snippets.ask("POST", "/lead_tokens", **body))
    assert errors == {"disclosure_id": ["does not fit the kind: only a publishable token stands in pages"]}


def test_another_companys_disclosure_is_not_shown(snippets: Snippets) -> None:
    theirs = Snippets(snippets.client, make_account(snippets.account.app)).new()
    body = {"name": "X", "schedule_id": snippets.account.schedule_id, "disclosure_id": theirs["disclosure_id"]}
    for path, more in (("/snippets", {}), ("/lead_tokens", {"kind": "publishable"})):
        errors = wrong(snippets.ask("POST", path, **body | more))
        assert errors == {"disclosure_id": ["is not a disclosure of this company"]}


# The ways to put it on a page


class Read(HTMLParser):
    """What a browser finds in a piece of HTML: the attributes of its tags, its text, and its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words, self.scripts, self.inside = "", "", ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "script":
            self.scripts += data
        else:
            self.words += data


def test_each_way_holds_the_token_and_where_it_goes_and_no_placeholder(snippets: Snippets) -> None:
    made = snippets.new(thank_you_url=f"{PAGE}/thanks")
    snippets.publish(made["disclosure_id"])
    ways = snippets.embed(made)
    urls, token = made["urls"], made["lead_token"]
    assert Read(ways["hosted"]).tags == [("script", {"src": urls["script"], "async": None})]
    [(tag, attributes)] = Read(ways["versioned"]).tags
    assert (tag, attributes["src"], attributes["crossorigin"]) == ("script", ways["download"], "anonymous")
    assert re.fullmatch(rf"http://localhost/s/{token}\.[\w-]{{64}}\.js", ways["download"])
    assert "asserted at most" in ways["versioned"]
    assert ways["csp"] == "script-src http://localhost; connect-src http://localhost; form-action http://localhost"
    for name in INLINE:
        assert token in ways[name], name
        assert urls["script" if name == "confirmation" else "leads"] in ways[name], name
        assert "YOUR_" not in ways[name], name
        assert "your-domain.com" not in ways[name], name
    assert ways["language"] == "en"
    assert ways["evidence"] == {"hosted": "witnessed"} | dict.fromkeys(("versioned", *INLINE), "asserted")


def test_what_is_not_known_stays_for_people_to_fill_in(snippets: Snippets) -> None:
    ways = snippets.embed(snippets.new())
    assert ways["language"] is None
    for place in ("YOUR_CONSENT_LABEL", "YOUR_CONSENT_TEXT", "YOUR_THANK_YOU_PAGE"):
        assert place in ways["no_javascript"]
    # These thank where the visitor is.
    for name in ("jquery", "fetch"):
        assert 'data-thank-you=""' in ways[name]


def test_a_way_shows_the_text_of_the_language_that_is_asked_for(snippets: Snippets) -> None:
    made = snippets.new()
    english = snippets.publish(made["disclosure_id"])
    spanish = snippets.publish(made["disclosure_id"], language="es", text=SPANISH, label="Sí, acepto")
    for query, version in (
        ("", english),
        ("?language=es-MX", spanish),
        ("?language=fr", english),
    ):
        ways = snippets.embed(made, query)
        assert ways["language"] == version["language"]
        for part in ("text", "label"):
            assert html.escape(version[part]) in ways["no_javascript"]
        assert version["content_hash"] in ways["no_javascript"]
    assert wrong(snippets.ask("GET", f"/snippets/{made['id']}/embed?language=klingon")).keys() == {"language"}


SPANISH = "Acme Solar llama con voz artificial. Mi consentimiento no es condición de compra. Responda STOP."
HOSTILE = "</script><b> \"'`${x} & <!-- </p>"


def test_nothing_that_a_company_writes_is_html_in_a_variant(snippets: Snippets) -> None:
    thanks = f"{PAGE}/?a=1&b=2&c='\"</script><b>"
    made = snippets.new(thank_you_url=thanks)
    snippets.publish(made["disclosure_id"])
    plain = snippets.embed(made)
    snippets.publish(made["disclosure_id"], label=HOSTILE, text=f"{VERSION['text']} {HOSTILE}")
    ways = snippets.embed(made)
    for name in INLINE:
        read, before = Read(ways[name]), Read(plain[name])
        # The same tags, whatever stands in them.
        assert [tag for tag, _ in read.tags] == [tag for tag, _ in before.tags], name
        if "YOUR_CONSENT_LABEL" in before.words:
            assert HOSTILE in read.words, name
        for quote in "\"'`":
            assert f"{quote}{thanks}" not in read.scripts, name
    inputs = [attributes for tag, attributes in Read(ways["no_javascript"]).tags if tag == "input"]
    assert thanks in [each.get("value") for each in inputs]


def test_a_snippet_that_learns_lists_the_pages_that_it_sees(snippets: Snippets) -> None:
    made = snippets.new()
    assert made["seen_origins"] == []
    for number, origin in ((NUMBER, PAGE), ("+17192225678", "https://other.example")):
        taken(send(snippets.client, made["lead_token"], headers={"Origin": origin}, caller_id=number))
    changed = snippets.change(made, allowed_origins=[PAGE], seen_origins=[])
    assert [(each["origin"], each["allowed"]) for each in changed["seen_origins"]] == [
        (PAGE, True),
        ("https://other.example", False),
    ]


def test_the_ways_that_name_a_build_are_there_once_it_is_published(snippets: Snippets) -> None:
    made = snippets.new()
    shown_first = snippets.ask("GET", f"/snippets/{made['id']}/embed").get_json()
    assert (shown_first["embed"]["versioned"], shown_first["embed"]["download"], shown_first["builds"]) == (
        None,
        None,
        [],
    )
    ways = snippets.embed(made)
    again = snippets.ask("GET", f"/snippets/{made['id']}/embed").get_json()
    assert again["embed"] == ways
    assert ways == shown_first["embed"] | {name: ways[name] for name in ("versioned", "download")}
    assert again["builds"][0]["url"] == ways["download"]
    assert wrong(snippets.ask("POST", f"/snippets/{made['id']}/publish", hash="x")).keys() == {"hash"}
