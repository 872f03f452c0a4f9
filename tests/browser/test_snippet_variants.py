"""The variants that are pasted into a page, each as a company's copy of it reads."""

import html
import re

import pytest
from playwright.sync_api import expect

from server.config import PROJECT
from tests.browser.snippets import NUMBER, THANKS, Landing
from tests.npm import package_file

# What a browser sends does not depend on it.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="session")


def filled(landing: Landing, name: str, token: str, **more: str) -> str:
    """A variant as a company's copy of it reads."""
    texts = {
        "https://your-domain.com/s/YOUR_TOKEN.js": landing.snippet_url(token),
        "https://your-domain.com": landing.live.url,
        "YOUR_TOKEN": token,
        "YOUR_CONSENT_LABEL": "Yes, call me & my family.",
        "YOUR_CONSENT_TEXT": 'I agree to "automated" calls.',
        "YOUR_THANK_YOU_PAGE": landing.host.put("/thanks.html", THANKS) + "?a=1&b=2",
        "YOUR_DISCLOSURE": "9f86d081",
        "YOUR_CONSENT_LINKS": "Terms",
        **more,
    }
    text = (PROJECT / "snippet" / name).read_text(encoding="utf-8")
    for old, new in texts.items():
        text = text.replace(old, html.escape(new))
    jquery = landing.host.put("/jquery.js", package_file("jquery", "1.12.4", "dist/jquery.min.js").read_bytes())
    head = f'<link rel="icon" href="data:,"><script src="{jquery}"></script>'
    return landing.host.put("/pasted.html", f"<!doctype html><html lang=en><title>Page</title>{head}{text}".encode())


@pytest.mark.parametrize("name", ["jquery.html", "fetch.html", "no_javascript.html"])
def test_a_pasted_variant_waits_for_the_box_and_brings_the_lead(landing: Landing, name: str) -> None:
    origin = landing.host.origin
    token = landing.account.token(kind="publishable", allowed_origins=[origin], allowed_redirects=[origin])
    page = landing.page
    page.goto(filled(landing, name, token))
    page.get_by_label("Phone").fill(NUMBER)
    page.get_by_label("E-mail").fill("ann@example.com")
    page.get_by_role("button", name="Send").click()
    box = page.get_by_role("checkbox", name="Yes, call me & my family.")
    expect(box).to_be_focused()
    assert landing.posts == []
    box.check()
    page.get_by_role("button", name="Send").dblclick()
    page.wait_for_url("**/thanks.html?a=1&b=2")
    said = landing.said
    assert said["consent[granted]"] == "true"
    assert said["consent[text]"] == 'Yes, call me & my family. I agree to "automated" calls.'
    assert said["consent[disclosure]"] == "9f86d081"
    lead = landing.account.leads()[0]
    assert (lead["caller_id"], lead["email"]) == (NUMBER, "ann@example.com")
    assert len(landing.account.leads()) == 1


def test_the_pasted_confirmation_page_brings_the_lead_once(landing: Landing) -> None:
    page = landing.page
    url = filled(landing, "confirmation.html", landing.account.publishable_token)
    page.goto(url)
    landing.heard("sent")
    page.reload()
    page.wait_for_function("window.handraiser")
    [lead] = landing.account.leads()
    assert (lead["caller_id"], lead["data"]) == ("+17192221234", {"loan_amount": "500"})
    assert re.search("consent%5Btext%5D=The\\+text", landing.posts[0].post_data or "")


@pytest.mark.parametrize("name", ["jquery.html", "fetch.html"])
def test_a_pasted_variant_says_what_is_wrong(landing: Landing, name: str) -> None:
    landing.expected_console.append("Failed to load resource: .* status of 422")
    page = landing.page
    page.goto(filled(landing, name, landing.account.publishable_token))
    page.get_by_label("Phone").fill("911")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Send").click()
    expect(landing.status).to_have_text("Please enter a valid phone number")
    page.get_by_label("Phone").fill(NUMBER)
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/thanks.html*")
    assert [lead["caller_id"] for lead in landing.account.leads()] == [NUMBER]


@pytest.mark.parametrize("name", ["jquery.html", "fetch.html"])
def test_a_pasted_variant_without_a_page_that_thanks_does_so_itself(landing: Landing, name: str) -> None:
    page = landing.page
    page.goto(filled(landing, name, landing.account.publishable_token, YOUR_THANK_YOU_PAGE=""))
    page.get_by_label("Phone").fill(NUMBER)
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Send").click()
    expect(landing.status).to_have_text("Thank you. We will be in touch.")
    page.get_by_role("button", name="Send").click()
    assert len(landing.posts) == 1
    assert page.url.endswith("/pasted.html")
