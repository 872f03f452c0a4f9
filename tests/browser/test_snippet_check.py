"""The check that a marketer sees with #handraiser-check at the end of a page's address."""

import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, expect

from server.config import PROJECT
from tests.browser.reader import violations
from tests.browser.snippets import FORM, Landing, answering

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
            "phonecaller_idits name, autocomplete or type",
            "zipdata[zip]its own name",
            "srcsub_iddata-lead-field",
            "reftraffic_source_idyour field map",
        ]
    )
    expect(panel).to_contain_text("Version 3f9a1c2b7d4e")
    expect(panel).to_contain_text("✓ Our box will be shown at the first touch, in en")
    expect(panel).to_contain_text(f"✓ {landing.host.origin} is on the list of origins")
    expect(panel.get_by_role("status")).to_have_text("✓ This page can send leads")
    assert landing.posts == []


DRAWN_LATER = """<div id=place></div><script>
  const draw = (html) => document.querySelector("#place").innerHTML = html;
  setTimeout(draw, 600, `%s`);
</script>"""


def test_it_waits_for_a_form_that_the_page_draws_and_speaks_of_the_next_one(landing: Landing) -> None:
    panel = checked(landing, DRAWN_LATER % FORM)
    expect(panel).to_contain_text("Form 1 has a telephone number")
    expect(panel.get_by_role("status")).to_have_text("✓ This page can send leads")
    # The next step of the page, without a telephone number.
    landing.page.evaluate("draw('<form data-lead><input name=zip aria-label=ZIP><button>Send</button></form>')")
    expect(panel).to_contain_text("no telephone field that we know among: zip")
    expect(panel).not_to_contain_text("Form 1 has a telephone number")
    expect(panel.get_by_role("status")).to_have_attribute("data-good", "false")


def test_it_says_what_is_wrong(landing: Landing) -> None:
    form = FORM.replace(
        "<p><button",
        "<p style='display: none'><label><input type=checkbox checked data-lead-consent> Yes</label></p><button",
    )
    panel = checked(landing, form, allowed=False)
    expect(panel).to_contain_text("✗ The box is ticked")
    expect(panel).to_contain_text("✗ Its text cannot be seen")
    expect(panel).to_contain_text(f"✗ {landing.host.origin} is not on the list of origins")


LOOSE = "<label>Phone <input type=tel name=phone></label><button>Send</button>"
FRAME = "<iframe srcdoc='<form><input type=tel></form>' title=Form></iframe>"
UNKNOWN = "<form><label>Number <input name=x></label><button>Send</button></form>"
LOGIN = "<form><input type=tel aria-label=Phone><input type=password aria-label=Password></form>"
THANKS_FOR_ALL = FORM.replace("<form>", '<form onsubmit="event.preventDefault(); this.append(`Thanks`)">')
# What makes a page send nothing, what the check says of it, and what the console is told meanwhile.
NOTHING = [
    ("", {}, "No form was found", "a phone"),
    (LOOSE, {}, "1 inputs stand outside of any form", "a phone"),
    (FRAME, {}, "A frame shows", "a phone"),
    (UNKNOWN, {}, "A form has no telephone field that we know among: x", "a phone"),
    (LOGIN, {}, "A form with a password is left alone", "a phone"),
    (UNKNOWN.replace("<form", "<form data-lead"), {}, "no telephone field that we know among: x", "a phone"),
    (FORM, {"languages": None}, "the snippet has no published consent text", "a consent text"),
    (FORM.replace("<button>", "<button type=button>"), {}, "has no button that submits it", ""),
    (THANKS_FOR_ALL, {}, "it thanks for everything", ""),
]


@pytest.mark.parametrize(("form", "about", "said", "needed"), NOTHING)
def test_what_makes_a_page_send_nothing_is_said_by_name_and_once_in_the_console(
    landing: Landing, form: str, about: dict[str, None], said: str, needed: str
) -> None:
    warnings: list[str] = []
    landing.page.on("console", lambda each: warnings.append(each.text) if each.type == "warning" else None)
    landing.page.clock.install()
    panel = checked(landing, form, learning=True, **about)
    expect(panel).to_contain_text(said)
    expect(panel).to_contain_text("is still being learned")
    verdict = panel.get_by_role("status")
    expect(verdict).to_have_attribute("data-good", "false")
    expect(verdict).to_contain_text("✗ Leads from this page are lost")
    landing.page.clock.run_for(7000)
    assert warnings == [f"handraiser needs {needed}, see #handraiser-check"] * bool(needed)


def test_it_names_a_page_that_thanks_for_a_lead_that_was_refused(landing: Landing) -> None:
    answering(landing, 422, code="invalid_parameter", errors={"caller_id": ["is no number"]})
    handler = "<script>document.forms[0].addEventListener('submit', (event) => event.preventDefault())</script>"
    panel = checked(landing, FORM + handler)
    expect(panel.get_by_role("status")).to_have_text("✓ This page can send leads")
    landing.fill()
    landing.agree()
    landing.send()
    expect(panel).to_contain_text("✗ The lead was refused. invalid_parameter; caller_id is no number")
    expect(panel).to_contain_text("it thanks for everything")
    expect(panel.get_by_role("status")).to_contain_text("✗ Leads from this page are lost: 2 things are to mend")


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
