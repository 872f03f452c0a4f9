"""The consent gate of the hosted script: what holds a submit, what is shown, what is recorded."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.snippets import DISCLOSURES, FORM, SHOWN, THANKS, WORDS, Landing, agreed

FORMS = "application/x-www-form-urlencoded;charset=UTF-8"


# What a browser does with a page does not depend on it.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="session")


OWN_BOX = """
<form data-lead>
  <p><label>Phone <input type="tel" name="phone"></label></p>
  <p><input type="checkbox" id="box" name="agree" data-lead-consent aria-describedby="more">
    <label for="box">Call me.</label></p>
  <p id="more">With   automated
    technology.</p>
  <p><button>Send</button></p>
</form>"""


def test_before_consent_there_is_no_request_and_no_storage(landing: Landing) -> None:
    landing.open(query="?utm_source=news&gclid=c1")
    landing.fill()
    landing.send()
    expect(landing.status).to_have_text(WORDS["en"]["consent"])
    assert [each.url.rpartition("/")[2] for each in landing.requests] == [
        "landing.html?utm_source=news&gclid=c1",
        f"{landing.account.publishable_token}.js",
    ]
    assert landing.kept() == []


def test_an_unticked_box_holds_the_submit_and_takes_the_focus(landing: Landing) -> None:
    landing.open(FORM.replace("<form>", '<form action="/thanks.html" onsubmit="window.ran = true">'))
    landing.fill()
    landing.send()
    expect(landing.box).to_be_focused()
    expect(landing.box).to_have_attribute("aria-invalid", "true")
    expect(landing.box).to_have_accessible_description(re.compile("Please tick the box to go on.$"))
    assert landing.page.evaluate("window.ran") is None
    landing.page.keyboard.press("Space")
    expect(landing.status).to_have_text("")
    expect(landing.box).to_have_attribute("aria-invalid", "false")


def test_what_was_shown_and_agreed_to_travels_with_the_lead(landing: Landing) -> None:
    landing.open(query="?utm_source=news")
    landing.fill()
    landing.agree()
    landing.send()
    landing.sent()
    said = landing.said
    assert said["consent[granted]"] == "true"
    assert said["consent[disclosure]"] == DISCLOSURES["en"]["version"]
    assert said["consent[text]"] == SHOWN
    assert said["consent[default]"] == "unticked"
    assert said["consent[page_url]"] == landing.page.url
    assert said["consent[stamp]"] == landing.stamp(landing.account.publishable_token)
    assert said["consent[language]"] == "en"
    assert "consent[gpc]" not in said
    assert said["consent[shown_at]"] < said["consent[granted_at]"]
    assert re.fullmatch(r"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", said["consent[granted_at]"])
    assert landing.posts[0].headers["content-type"] == FORMS


def test_a_text_that_the_page_shows_in_capitals_is_sent_as_it_is_seen(landing: Landing) -> None:
    landing.open(FORM.replace("<form>", '<form style="text-transform: uppercase">'))
    landing.fill()
    landing.agree()
    landing.send()
    landing.sent()
    assert landing.said["consent[text]"] == SHOWN.upper()


@pytest.mark.parametrize(("ticked", "default"), [("", "unticked"), ("checked", "ticked")])
def test_the_pages_own_box_is_read_and_how_it_stood_at_first(landing: Landing, ticked: str, default: str) -> None:
    landing.open(OWN_BOX.replace("data-lead-consent", f"data-lead-consent {ticked}"))
    landing.fill()
    box = landing.page.get_by_label("Call me.")
    expect(box).to_be_checked(checked=bool(ticked))
    if not ticked:
        landing.send()
        expect(box).to_be_focused()
        expect(landing.status).to_have_text(WORDS["en"]["consent"])
        box.check()
    landing.send()
    landing.sent()
    said = landing.said
    assert (said["consent[default]"], said["consent[text]"]) == (default, "Call me. With automated technology.")
    assert "consent[disclosure]" not in said
    assert landing.page.get_by_role("checkbox").count() == 1


def test_consent_is_given_when_the_box_is_ticked_not_when_the_form_is_sent(landing: Landing) -> None:
    agreed(landing)
    ticked = landing.page.evaluate("new Date().toISOString()")
    landing.page.get_by_label("ZIP").fill("80301")
    landing.send()
    landing.sent()
    assert landing.said["consent[granted_at]"] <= ticked


def test_a_first_press_on_the_button_is_not_swallowed_by_the_box_that_appears(landing: Landing) -> None:
    landing.open()
    landing.send()
    expect(landing.status).to_have_text(WORDS["en"]["consent"])


def test_the_text_of_marked_elements_belongs_to_the_consent(landing: Landing) -> None:
    landing.open(OWN_BOX.replace('<p id="more">', "<p data-lead-consent-text>"))
    landing.fill()
    landing.page.get_by_label("Call me.").check()
    landing.send()
    landing.sent()
    assert landing.said["consent[text]"] == "Call me. With automated technology."


def test_without_a_box_of_anybody_nothing_is_sent_and_the_page_goes_on(landing: Landing) -> None:
    landing.host.put("/thanks.html", THANKS)
    landing.open(FORM.replace("<form>", '<form action="/thanks.html">'), languages=None)
    landing.fill()
    landing.send()
    landing.page.wait_for_url("**/thanks.html?*")
    assert landing.posts == []


@pytest.mark.parametrize(("lang", "chosen"), [("es", "es"), ("es-MX", "es"), ("en-GB", "en"), ("de", "en"), ("", "es")])
def test_the_box_speaks_the_visitors_language(new_context: Any, landing: Landing, lang: str, chosen: str) -> None:
    page = new_context(locale="es-AR").new_page()
    landing.page = page
    both = {"languages": DISCLOSURES, "messages": WORDS}
    page.goto(landing.put(lang=lang, **both))
    page.get_by_label("Phone").focus()
    expect(page.get_by_role("checkbox", name=DISCLOSURES[chosen]["label"])).not_to_be_checked()
    landing.send()
    expect(landing.status).to_have_text(WORDS[chosen]["consent"])
    expect(page.locator(f'div[lang="{chosen}"][dir="auto"]')).to_contain_text(DISCLOSURES[chosen]["text"])


def test_the_box_stands_at_once_where_the_page_keeps_a_place_for_it(landing: Landing) -> None:
    landing.open(FORM.replace("<button", "<span data-lead-consent-here></span><button"))
    expect(landing.page.locator("[data-lead-consent-here]").get_by_role("checkbox")).to_be_visible()
    landing.fill()
    landing.send()
    expect(landing.page.get_by_role("checkbox")).to_have_count(1)


def test_the_pages_style_sheet_does_not_hide_or_distort_the_box(landing: Landing) -> None:
    style = """<style>input { appearance: none; width: 100%; opacity: 0 } label, form div { display: none }
      body { background: black; color: rgb(250, 250, 250) } a { text-decoration: none }</style>"""
    landing.open("<form><input type=tel name=phone aria-label=Phone><button>Send</button></form>", head=style)
    landing.page.locator("[type=tel]").focus()
    expect(landing.box).to_be_visible()
    assert landing.box.evaluate("(box) => [box.offsetWidth < 30, getComputedStyle(box).opacity]") == [True, "1"]
    expect(landing.page.get_by_text("I agree that Acme Solar")).to_be_visible()
    link = landing.page.get_by_role("link", name="Terms")
    expect(link).to_have_css("color", "rgb(250, 250, 250)")
    expect(link).to_have_css("text-decoration-line", "underline")
