"""A page that was opened with a lead token is about that token, and tells nobody more than the token does."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from server.config import Settings
from server.offers.models import ContactField, ContactFieldType, Offer
from server.schedules.models import Schedule
from server.sources.models import TrafficSource
from tests.conftest import opened
from tests.docs.html import links_of
from tests.factories import Account, make_account

HTML = {"Accept": "text/html"}
CREATE = "/api/docs/1.0/leads_external/create.html"


def page_with(client: FlaskClient, token: str, path: str = CREATE) -> str:
    answer = client.get(path, query_string={"lead_token": token}, headers=HTML)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def plain(page: str) -> str:
    return unescape(re.sub("<[^>]+>", "", page))


def row(page: str, name: str) -> str:
    match = re.search(rf'<tr[^>]* id="param-{re.escape(name)}">(.*?)</tr>', page, re.S)
    assert match, f"{name} is not on the page"
    return plain(match[1])


def scope_of(page: str) -> str:
    """What a page says of the token that it was opened with."""
    about = re.search(r'<section class="scope".*?</section>', page, re.S)
    assert about
    return " ".join(plain(about[0]).split())


@pytest.fixture
def furnished(account: Account) -> Account:
    """An offer with fields and rules, and sources of which one is shown."""
    kind = account.add(ContactFieldType(company_id=account.company_id, key="sedan", name="Sedans"))
    for position, about in enumerate(
        [
            {"key": "zip", "name": "ZIP code", "hint": "Five digits.", "pattern": "[0-9]{5}", "required": True},
            {"key": "age", "name": "Age", "value_type": "integer", "minimum": 18, "maximum": 99},
            {"key": "car", "name": "Car", "options": ["Audi", "<BMW>"], "contact_field_type_id": kind},
            {"key": "email", "name": "E-mail", "required": True},
        ]
    ):
        account.add(ContactField(company_id=account.company_id, offer_id=account.offer_id, position=position, **about))
    rules = {"enforce_contact_fields": True, "duplicate_seconds": 30 * 86400, "allowed_regions": ["US", "CA"]}
    for model, row_id in ((Offer, account.offer_id), (Schedule, account.schedule_id)):
        account.change(model, row_id, acceptance=rules)
    for name, shown in (("bing", True), ("secret_source", False)):
        account.add(
            TrafficSource(
                company_id=account.company_id, user_traffic_source_id=name, name=f"{name} ads", show_in_docs=shown
            )
        )
    return account


def test_the_examples_carry_the_token_and_so_does_each_link(client: FlaskClient, account: Account) -> None:
    page = page_with(client, account.vendor_token)
    assert "YOUR_TOKEN" not in plain(page)
    assert f"/api/v1/leads?lead_token={account.vendor_token}" in plain(page)
    inner = [link for link in links_of(page).to if link.startswith("/api/docs/1.0/")]
    assert len(inner) > 50
    assert [link for link in inner if f".html?lead_token={account.vendor_token}" not in link] == []
    assert account.vendor_token in plain(page_with(client, account.vendor_token, "/api/docs/1.0/quickstart.html"))


def test_the_contact_fields_are_parameters_with_their_rules(client: FlaskClient, furnished: Account) -> None:
    page = page_with(client, furnished.schedule_token)
    zip_code = row(page, "data[zip]")
    assert "Required" in zip_code
    assert "ZIP code. Five digits." in zip_code
    assert "must match the pattern [0-9]{5}" in zip_code
    age = row(page, "data[age]")
    assert "Optional" in age
    assert "must be a whole number" in age
    assert "must be at least 18" in age
    assert "must be at most 99" in age
    assert "must be one of: Audi, <BMW>" in row(page, "data[car]")
    assert "Only of leads of the type sedan." in row(page, "data[car]")
    assert "Required" in row(page, "email")
    assert "Known here: sedan (Sedans)." in row(page, "contact_field_type")
    assert "<BMW>" not in page


def test_the_page_says_whose_token_it_is_about(client: FlaskClient, account: Account) -> None:
    said = scope_of(page_with(client, account.schedule_token))
    assert f"the lead token {account.schedule_token}, a server token of the schedule" in said
    # It has no contact fields, so none are promised.
    assert said.endswith("The examples carry it.")


def test_a_token_that_a_page_has_used_is_said_to_be_exposed(client: FlaskClient, account: Account) -> None:
    seen = {"exposed_at": datetime(2026, 11, 23, tzinfo=UTC), "exposed_origin": "https://shop.example"}
    token = account.token(**seen)
    assert "exposed" not in scope_of(page_with(client, account.schedule_token))
    said = scope_of(page_with(client, token))
    assert "It is marked as exposed, because a web page has used it" in said
    # What stands in a page is anybody's, so it tells no names.
    assert "a server token of a schedule." in said


def test_the_rules_that_are_switched_on_are_errors_and_no_others(client: FlaskClient, furnished: Account) -> None:
    errors = page_with(client, furnished.schedule_token).partition('id="errors"')[2].partition("</table>")[0]
    said = plain(errors)
    assert "Refuses a number that came here within the last 30 days." in said
    assert "Takes only numbers of these regions: US, CA." in said
    for code in ("duplicate_lead", "region_not_allowed", "contact_field_invalid", "invalid_caller_id"):
        assert f"#{code}" in errors
    for code in ("ip_limit", "suppressed", "unknown_key", "traffic_source_required"):
        assert f"#{code}" not in errors


def test_of_the_sources_only_those_are_named_that_the_docs_may_show(client: FlaskClient, furnished: Account) -> None:
    own = furnished.token(default_traffic_source_id=furnished.source_id)
    page = page_with(client, own)
    assert "Known here: google_ads (Google Ads), bing (bing ads)." in row(page, "traffic_source_id")
    assert "secret_source" not in page
    assert "google_ads (Google Ads)" not in row(page_with(client, furnished.schedule_token), "traffic_source_id")


def test_a_token_that_is_not_in_force_is_said_to_be_none_and_the_page_is_everybodys(
    client: FlaskClient, account: Account
) -> None:
    for token in ("0" * 32, "<script>alert(1)</script>", "pb_" + "0" * 32):
        page = page_with(client, token)
        assert "is no lead token in force" in plain(page)
        assert "YOUR_TOKEN" in plain(page)
        assert "Call now" not in page
        assert "<script>alert" not in page


def test_looking_for_tokens_is_limited_for_each_address(settings: Settings) -> None:
    # The counts begin anew at the full minute, so that the clock must not get there meanwhile; they are this process's.
    day = datetime(2031, 1, 2 if settings.database_url else 3, tzinfo=UTC)
    with opened(replace(settings, address_limit=3)) as app, time_machine.travel(day, tick=False):
        account = make_account(app)
        client = app.test_client()
        statuses = [
            client.get(CREATE, query_string={"lead_token": account.vendor_token}, headers=HTML).status_code
            for _ in range(4)
        ]
        assert statuses == [200, 200, 200, 429]


def test_another_companys_things_are_on_no_page(app: Flask, client: FlaskClient, furnished: Account) -> None:
    other = make_account(app)
    page = page_with(client, other.schedule_token)
    for word in ("ZIP code", "bing", "Sedans", furnished.schedule_token):
        assert word not in page
