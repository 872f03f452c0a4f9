"""The check that a marketer sees with #handraiser-check at the end of a page's address."""

import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, expect

from server.config import PROJECT
from tests.browser.reader import violations
from tests.browser.snippets import FORM, Landing

# The database is not asked.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="session")


def checked(
    landing: Landing, form: str = FORM, allowed: bool = True, learning: bool = False, **about: object
) -> Locator:
    """Opens a page with the check; its panel."""
    check = landing.host.put("/s/check.js", (PROJECT / "snippet" / "check.js").read_bytes())
    answer = {"origin": landing.host.origin, "allowed": allowed, "learning": learning}
    landing.host.put(f"/s/{landing.account.publishable_token}/check", json.dumps(answer).encode())
    landing.open(form, query="#handraiser-check", check=check, **about)
    panel = landing.page.get_by_role("region", name="Handraiser's check of this page")
    expect(panel).to_contain_text("answers")
    return panel


def test_it_says_what_was_found_and_why(landing: Landing) -> None:
    field = '<p><input name="src" data-lead-field="sub_id" aria-label="S"></p><p><input name="ref" aria-label="R"></p>'
    panel = checked(landing, FORM.replace("<p><button", f"{field}<p><button"), fields={"ref": "traffic_source_id"})
    expect(panel.get_by_role("row")).to_have_text(
        [
            "FieldBecomesBy",
            "reftraffic_source_idyour field map",
            "srcsub_iddata-lead-field",
            "phonecaller_idits name, autocomplete or type",
            "zipdata[zip]its own name",
        ]
    )
    expect(panel).to_contain_text("Version 3f9a1c2b7d4e")
    expect(panel).to_contain_text("✓ Our box will be shown at the first touch, in en")
    expect(panel).to_contain_text(f"✓ {landing.host.origin} is on the list of origins")
    assert landing.posts == []


def test_it_says_what_is_wrong(landing: Landing) -> None:
    form = FORM.replace(
        "<p><button",
        "<p style='display: none'><label><input type=checkbox checked data-lead-consent> Yes</label></p><button",
    )
    panel = checked(landing, form, allowed=False)
    expect(panel).to_contain_text("✗ The box is ticked")
    expect(panel).to_contain_text("✗ Its text cannot be seen")
    expect(panel).to_contain_text(f"✗ {landing.host.origin} is not on the list of origins")


def test_it_says_that_there_is_no_form_and_that_origins_are_learned(landing: Landing) -> None:
    panel = checked(landing, "", learning=True)
    expect(panel).to_contain_text("✗ No form was found")
    expect(panel).to_contain_text("is still being learned")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_used_and_closed_by_everybody(landing: Landing, axe: Axe, scheme: str) -> None:
    landing.page.emulate_media(color_scheme=scheme)
    panel = checked(landing)
    expect(panel).to_be_focused()
    assert violations(axe, landing.page) == []
    landing.page.keyboard.press("Tab")
    landing.page.keyboard.press("Enter")
    expect(panel).to_have_count(0)


def test_it_stands_under_a_strict_policy_and_hears_what_the_policy_blocks(landing: Landing) -> None:
    landing.expected_console.append("Content Security Policy|Refused to")
    policy = f"default-src 'none'; script-src {landing.host.origin}; connect-src {landing.host.origin}; img-src data:"
    panel = checked(landing, head=f'<meta http-equiv="Content-Security-Policy" content="{policy}">')
    assert panel.evaluate("(panel) => getComputedStyle(panel).position") == "fixed"
    landing.fill()
    landing.agree()
    landing.send()
    expect(panel).to_contain_text(f"✗ Your policy has blocked {landing.live.url}/api/v1/leads by connect-src")
