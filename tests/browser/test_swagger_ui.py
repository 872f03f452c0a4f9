"""Swagger UI as the product serves it, in real Chromium: it works, strictly confined, and asks nobody else."""

import pytest
from playwright.sync_api import Page, Request, expect

from tests.factories import Account
from tests.live import Live

# Everything that the page's policy forbids, from its first script on.
VIOLATIONS = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) => {
  violations.push(`${event.violatedDirective} ${event.blockedURI}`);
});
"""


# What it sends goes the way of every request.
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_swagger_ui_shows_and_tries_the_operations_and_asks_nobody_else(
    page: Page, live: Live, account: Account
) -> None:
    asked: list[str] = []

    def on_request(request: Request) -> None:
        if not request.url.startswith("data:"):
            asked.append(request.url)

    page.on("request", on_request)
    page.add_init_script(VIOLATIONS)
    page.goto(f"{live.url}/api/docs/ui/")
    expect(page.locator(".info .title")).to_contain_text("Handraiser")
    document = page.request.get(f"{live.url}/apispec_1.json").json()
    operations = page.locator(".opblock")
    expect(operations).to_have_count(sum(len(item) for item in document["paths"].values()))

    fields = page.locator("[id$=-fields_list_fields_get]")
    fields.locator(".opblock-summary").click()
    expect(fields.locator("[data-param-name=lead_token]")).to_be_visible()
    fields.get_by_role("button", name="Try it out").click()
    fields.locator("[data-param-name=lead_token] input").fill(account.vendor_token)
    fields.get_by_role("button", name="Execute").click()
    expect(fields.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    expect(fields.locator(".live-responses-table")).to_contain_text("contact_field_types")

    leads = page.locator("[id$=-leads_create_post]")
    leads.locator(".opblock-summary").click()
    expect(leads).to_contain_text("caller_id")

    assert asked
    assert [url for url in asked if not url.startswith(f"{live.url}/")] == []
    assert page.evaluate("violations") == []
