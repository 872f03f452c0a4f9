"""Try it: the form on a method's page, in real Chromium against the real server."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect

from server.offers.models import ContactField, Offer
from server.schedules.models import Schedule
from tests.browser.reader import DOCS, Reader, run, violations
from tests.factories import Account
from tests.live import Live

CREATE = "leads_external/create"
REFUSED_422 = "Failed to load resource: .* status of 422"


# What the pages show does not depend on it.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="session")


@pytest.fixture
def trying(reader: Reader, account: Account) -> Page:
    """The page of one lead, with its form filled in for a server token."""
    reader.open(CREATE, "try")
    reader.page.get_by_label("lead_token required").fill(account.schedule_token)
    return reader.page


def add(page: Page, name: str, value: str) -> None:
    """A further parameter, by keyboard."""
    page.get_by_role("button", name="Add a parameter").press("Enter")
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(value)


def test_a_dry_run_shows_the_answer_and_why_and_keeps_nothing(
    trying: Page, reader: Reader, account: Account, tmp_path: Path
) -> None:
    add(trying, "note", "It's John's")
    add(trying, "data", '{"rooms": 3}')
    trying.get_by_role("textbox", name="email").press("Enter")
    expect(trying.locator("#try-state")).to_contain_text("200. Dry run: a lead would be created. Nothing was kept.")
    why = trying.locator(".why li")
    expect(why.nth(2)).to_contain_text("+17195550142: normalised to E.164")
    expect(why.last).to_contain_text("the schedule's first action")
    expect(trying.locator("#try-result")).to_contain_text(f"POST {reader.live.url}/api/v1/leads")
    assert account.leads() == account.submissions() == []
    trying.locator(".code:has(#try-curl)").get_by_role("button", name="Copy").click()
    answer = run(reader.clipboard(), tmp_path)
    assert (answer["action"], answer["dry_run"], answer["lead"]["data"]) == (
        "created",
        True,
        {"note": "It's John's", "rooms": 3},
    )
    assert account.schedule_token not in trying.url + str(trying.evaluate("JSON.stringify(localStorage)"))
    assert account.schedule_token not in "".join(reader.asked)


def test_sent_for_real_makes_one_lead_with_the_powers_of_a_server_token(trying: Page, account: Account) -> None:
    """The page is of the same origin as the API, so it does not count as somebody's web page."""
    trying.get_by_label("Dry run: nothing is kept").press("Space")
    expect(trying.locator("#try-real")).to_be_visible()
    button = trying.get_by_role("button", name="Send for real")
    button.dblclick()
    expect(trying.locator("#try-state")).to_contain_text("Done: the lead was created.")
    [lead] = account.leads()
    assert (lead["caller_id"], lead["test"]) == ("+17195550142", True)
    assert len(account.submissions()) == 1
    exposed = account.rows("select exposed_at, exposed_origin from lead_token where company_id = :company_id")
    assert {each["exposed_at"] for each in exposed} == {None}


def test_what_was_sent_is_told_also_if_the_switch_was_moved_meanwhile(trying: Page, account: Account) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    trying.route("**/api/v1/leads", hold)
    switch = trying.get_by_label("Dry run: nothing is kept")
    switch.press("Space")
    trying.get_by_role("button", name="Send for real").press("Enter")
    expect(trying.get_by_role("button", name="Sending…")).to_be_visible()
    switch.press("Space")
    held[0].continue_()
    expect(trying.locator("#try-state")).to_contain_text("Done: the lead was created.")
    assert len(account.leads()) == 1


def test_wrong_values_are_shown_at_their_fields(
    trying: Page, reader: Reader, account: Account, expected_console: list[str]
) -> None:
    expected_console.append(REFUSED_422)
    caller_id = trying.get_by_label("caller_id required")
    caller_id.fill("12")
    trying.get_by_role("button", name="Dry run").press("Enter")
    expect(caller_id).to_have_attribute("aria-invalid", "true")
    expect(caller_id).to_be_focused()
    expect(caller_id).to_have_accessible_description(re.compile("is not a valid phone number"))
    link = trying.locator(".wrong").get_by_role("link", name="invalid_caller_id")
    expect(link).to_have_attribute("href", f"{DOCS}/1.0/errors.html#invalid_caller_id")
    caller_id.fill("+17195550142")
    trying.get_by_role("textbox", name="email").fill("nobody@@")
    trying.get_by_role("button", name="Dry run").press("Enter")
    expect(trying.locator(".warned")).to_contain_text("email is not a valid address")
    expect(caller_id).not_to_have_attribute("aria-invalid", "true")


def test_a_page_that_knows_the_token_asks_for_its_contact_fields(
    reader: Reader, account: Account, axe: Axe, expected_console: list[str]
) -> None:
    expected_console.append(REFUSED_422)
    for about in ({"key": "zip", "name": "ZIP code", "pattern": "[0-9]{5}"}, {"key": "car", "options": ["Audi"]}):
        known = {"company_id": account.company_id, "offer_id": account.offer_id, "name": "Car"} | about
        account.add(ContactField(**known))
    account.change(Schedule, account.schedule_id, acceptance={"enforce_contact_fields": True})
    account.change(Offer, account.offer_id, acceptance={"enforce_contact_fields": True})
    reader.page.goto(f"{reader.address(CREATE)}?lead_token={account.schedule_token}")
    form = reader.page.locator("#try-form")
    expect(form.get_by_label("lead_token required")).to_have_value(account.schedule_token)
    form.get_by_label("zip").fill("abc")
    form.get_by_label("car").select_option("Audi")
    form.get_by_role("button", name="Dry run").click()
    expect(form.get_by_label("zip")).to_have_attribute("aria-invalid", "true")
    assert violations(axe, reader.page, "#try-form, #try-result") == []
    form.get_by_label("zip").fill("12345")
    form.get_by_role("button", name="Dry run").click()
    expect(reader.page.locator("#try-state")).to_contain_text("a lead would be created")
    expect(reader.page.locator("#try-curl")).to_contain_text('"data": {\n    "zip": "12345",\n    "car": "Audi"\n  }')


def test_a_batch_is_tried_from_its_json(reader: Reader, account: Account) -> None:
    reader.open("leads_external/batch", "try")
    page = reader.page
    page.get_by_label("lead_token required").fill(account.schedule_token)
    leads = page.get_by_role("textbox", name="leads")
    assert json.loads(leads.input_value())
    leads.fill("[{]")
    page.get_by_role("button", name="Dry run").click()
    expect(leads).to_have_accessible_description(re.compile("This is not JSON"))
    leads.fill('[{"caller_id": "+17195550142"}, {"caller_id": "12"}]')
    page.get_by_role("button", name="Dry run").click()
    expect(page.locator("#try-state")).to_contain_text("Dry run: 2 leads, 1 created, 1 refused.")
    expect(page.locator("#try-result details").nth(1)).to_contain_text("invalid_caller_id")
    assert account.leads() == []


def test_a_lead_is_changed_with_an_api_key(reader: Reader, account: Account, live: Live) -> None:
    made = live.post(params={"lead_token": account.schedule_token}, json={"caller_id": "+17195550142"}).json()
    reader.open("leads/update", "try")
    page = reader.page
    page.get_by_role("button", name="Dry run").click()
    expect(page.get_by_label("lead_id required")).to_be_focused()
    page.get_by_label("lead_id required").fill(made["lead_id"])
    page.get_by_label("API key required").fill(account.private_key)
    page.get_by_role("textbox", name="email").fill("john@example.com")
    page.get_by_role("button", name="Dry run").click()
    expect(page.locator("#try-state")).to_contain_text("Dry run: a lead would be updated.")
    assert account.leads()[0]["email"] is None


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"status": 429, "headers": {"Retry-After": "7"}, "json": {"code": "rate_limited"}}, "Try again in 7 seconds"),
        ({"status": 502, "body": "<h1>Bad gateway</h1>"}, "The answer is not JSON"),
        ({}, "No answer came"),
    ],
)
def test_an_answer_that_the_api_did_not_give_is_told(
    trying: Page, expected_console: list[str], answer: dict[str, Any], said: str
) -> None:
    """A limit, a proxy in between and a network that is down: told by the browser's own network layer."""
    expected_console.append("Failed to load resource")
    trying.route("**/api/v1/leads", lambda route: route.fulfill(**answer) if answer else route.abort())
    trying.get_by_role("button", name="Dry run").click()
    expect(trying.locator("#try-state")).to_contain_text(said)
    expect(trying.get_by_role("button", name="Dry run")).to_have_attribute("aria-disabled", "false")
