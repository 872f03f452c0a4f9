"""What follows a submit with consent: one lead, the way on, errors at their fields, what the page is told."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Route, expect

from server.config import PROJECT
from tests.browser.reader import violations
from tests.browser.snippets import DISCLOSURES, FORM, NUMBER, THANKS, WORDS, Landing, agreed, answering
from tests.npm import package_file

# What a browser does with a page does not depend on it.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="session")


def test_a_double_click_and_a_second_enter_send_one(landing: Landing) -> None:
    agreed(landing)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    landing.page.route("**/api/v1/leads", hold)
    landing.page.get_by_role("button", name="Send").dblclick()
    landing.page.get_by_label("Phone").press("Enter")
    expect(landing.status).to_have_text(WORDS["en"]["sending"])
    held[0].continue_()
    landing.sent()
    assert len(landing.posts) == len(landing.account.submissions()) == 1


def test_the_key_stays_until_a_value_changes(landing: Landing) -> None:
    agreed(landing)
    landing.send()
    landing.sent()
    first = landing.said["idempotency_key"]
    landing.send()
    landing.page.wait_for_function("heard.length == 2")
    assert landing.said["idempotency_key"] == first
    landing.page.get_by_label("ZIP").fill("80301")
    landing.send()
    landing.page.wait_for_function("heard.length == 3")
    assert landing.said["idempotency_key"] != first
    assert [each["action"] for each in landing.account.submissions()] == ["created", "replayed", "updated"]


GOING_ON = [
    ({}, "", "/own.html?phone=%2B17195550142&zip=&go=1"),
    ({"thankYou": "/thanks.html"}, "", "/thanks.html"),
    ({"thankYou": "/own.html"}, "data-lead-redirect=/thanks.html", "/thanks.html"),
    ({"thankYou": "/thanks.html"}, "data-lead-redirect=https://evil.example/", "/thanks.html"),
    ({"thankYou": "/thanks.html"}, "data-lead-redirect=javascript:alert(1)", "/thanks.html"),
]


@pytest.mark.parametrize(("config", "attribute", "path"), GOING_ON)
def test_when_the_lead_is_taken_the_visitor_goes_on(
    landing: Landing, config: dict[str, str], attribute: str, path: str
) -> None:
    for name in ("/own.html", "/thanks.html"):
        landing.host.put(name, THANKS)
    form = FORM.replace("<form>", f"<form action=/own.html {attribute}>").replace("<button", "<button name=go value=1")
    agreed(landing, form, **config)
    landing.send()
    landing.page.wait_for_url(landing.host.origin + path)
    assert len(landing.account.leads()) == len(landing.posts) == 1


def test_a_form_that_goes_on_has_run_the_pages_handlers_once(landing: Landing) -> None:
    landing.host.put("/own.html", THANKS)
    count = "const { zip } = this.elements; zip.value += 'x'"
    agreed(landing, FORM.replace("<form>", f'<form action=/own.html onsubmit="{count}">'))
    landing.send()
    landing.page.wait_for_url("**/own.html?*zip=x")


def test_a_visitor_may_be_sent_to_a_site_that_the_company_has_named(landing: Landing) -> None:
    landing.host.put("/thanks.html", THANKS)
    wish = f"{landing.host.other_name}/thanks.html"
    agreed(landing, FORM.replace("<form>", f'<form data-lead-redirect="{wish}">'), redirects=[landing.host.other_name])
    landing.send()
    landing.page.wait_for_url(wish)


def test_a_form_whose_action_is_our_endpoint_tells_in_place(landing: Landing) -> None:
    agreed(landing, FORM.replace("<form>", f'<form method="post" action="{landing.live.url}/api/v1/leads">'))
    landing.send()
    landing.sent()
    assert len(landing.posts) == 1


HANDLERS = [
    "form.addEventListener('submit', (event) => { event.preventDefault(); event.stopPropagation(); ran += 1 })",
    "form.addEventListener('submit', (event) => { event.preventDefault(); form.reset(); ran += 1 })",
    "form.onsubmit = () => { ran += 1; return false }",
    "jQuery(form).on('submit', function () { ran += 1; return false })",
]


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_page_that_goes_on_by_itself_runs_its_handlers_once_and_loses_no_lead(landing: Landing, handler: str) -> None:
    jquery = landing.host.put("/jquery.js", package_file("jquery", "3.7.1", "dist/jquery.min.js").read_bytes())
    later = f"<script>var ran = 0, form = document.querySelector('form'); {handler}</script>"
    agreed(landing, FORM.replace("<form>", "<form action=/own.html>") + later, head=f"<script src={jquery}></script>")
    landing.send()
    assert landing.heard("sent")["action"] == "received"
    assert landing.page.evaluate("ran") == 1
    assert landing.page.url.endswith("/landing.html")
    expect(landing.status).to_have_text("")
    assert [lead["caller_id"] for lead in landing.account.leads()] == [NUMBER]


def test_what_a_page_fills_in_at_the_last_moment_is_sent(landing: Landing) -> None:
    form = FORM.replace("<form>", "<form onsubmit='this.elements.zip.value = 80301'>")
    agreed(landing, form)
    landing.send()
    landing.sent()
    assert landing.said["data[zip]"] == "80301"


def test_errors_stand_at_their_fields(landing: Landing, axe: Axe) -> None:
    answering(landing, 422, errors={"caller_id": ["is no number"], "data.zip": ["is wrong"], "sub_id": ["is long"]})
    agreed(landing, FORM.replace("<form>", "<form action=/own.html>"))
    landing.send()
    phone, zip_code = landing.page.get_by_label("Phone"), landing.page.get_by_label("ZIP")
    expect(phone).to_be_focused()
    expect(phone).to_have_accessible_description(WORDS["en"]["phone"])
    expect(zip_code).to_have_accessible_description(WORDS["en"]["refused"])
    expect(zip_code).to_have_attribute("aria-invalid", "true")
    expect(landing.status).to_have_text(WORDS["en"]["refused"])
    assert landing.heard("refused")["status"] == 422
    assert violations(axe, landing.page) == []
    landing.page.unroute_all()
    landing.page.locator("form").evaluate("(form) => form.removeAttribute('action')")
    landing.send()
    landing.sent()
    expect(phone).to_have_accessible_description("")
    expect(phone).to_have_attribute("aria-invalid", "false")


@pytest.mark.parametrize("action", ["", "action=/own.html"])
def test_who_is_refused_for_what_the_page_did_wrong_is_not_kept(landing: Landing, action: str) -> None:
    landing.expected_console.append("Failed to load resource: .* status of 403")
    landing.host.put("/own.html", THANKS)
    token = landing.account.token(kind="publishable", allowed_origins=["https://shop.example"])
    agreed(landing, FORM.replace("<form>", f"<form {action}>"), token=token)
    landing.send()
    if action:
        landing.page.wait_for_url("**/own.html?*")
    else:
        expect(landing.status).to_contain_text(WORDS["en"]["refused"])
        assert landing.heard("refused")["code"] == "origin_not_allowed"
    assert [each["code"] for each in landing.account.submissions()] == ["origin_not_allowed"]


def test_the_page_is_told_with_events_and_a_function_whose_failures_stay_its_own(landing: Landing) -> None:
    agreed(landing)
    told = "(answer, form) => { window.told = [answer.action, form.tagName]; throw 1 }"
    landing.page.evaluate(f"() => {{ window.onLead = {told} }}")
    landing.send()
    landing.sent()
    assert landing.page.evaluate("[told, heard[0][0], heard[0][2]]") == [["received", "FORM"], "sent", "FORM"]


def test_a_confirmation_page_sends_once_for_a_key(landing: Landing) -> None:
    landing.open("")
    send = f"""handraiser.send({{ caller_id: "{NUMBER}", rooms: "3" }},
      {{ consent: {{ text: "I agree.", granted_at: "2026-11-24T15:30:00Z" }}, key: "order-1" }})"""
    assert landing.page.evaluate(send)["action"] == "received"
    landing.page.reload()
    assert landing.page.evaluate(send) is None
    assert len(landing.posts) == 1
    assert "consent[stamp]" not in landing.said
    assert landing.said["consent[text]"] == "I agree."
    assert (landing.said["data[rooms]"], landing.said["idempotency_key"]) == ("3", "order-1")
    assert len(landing.account.leads()) == 1


def test_a_confirmation_page_without_consent_sends_nothing(landing: Landing) -> None:
    landing.open("")
    assert landing.page.evaluate(f'handraiser.send({{ caller_id: "{NUMBER}" }}, {{}})') is None
    assert (landing.posts, landing.kept()) == ([], [])


def test_a_form_that_is_refused_twice_goes_on_and_says_why_in_the_pages_language(landing: Landing) -> None:
    landing.host.put("/own.html", THANKS)
    answering(landing, 422, errors={"caller_id": ["is not a valid phone number"]})
    landing.open(FORM.replace("<form>", "<form action=/own.html>"), lang="es", languages=DISCLOSURES, messages=WORDS)
    landing.fill("911")
    landing.page.get_by_role("checkbox").check()
    landing.send()
    expect(landing.page.get_by_label("Phone")).to_have_accessible_description(WORDS["es"]["phone"])
    assert landing.page.url.endswith("/landing.html")
    landing.send()
    landing.page.wait_for_url("**/own.html?phone=911*")


@pytest.mark.parametrize(
    "field", ["<input name=x aria-label=Number>", "<select name=phone aria-label=Number></select>"]
)
def test_a_form_without_a_field_that_we_know_for_a_number_goes_on_at_once(landing: Landing, field: str) -> None:
    landing.host.put("/own.html", THANKS)
    landing.open(f"<form data-lead action=/own.html>{field}<button>Send</button></form>")
    landing.page.get_by_label("Number").focus()
    landing.send()
    landing.page.wait_for_url("**/own.html*")
    assert landing.posts == []


GUIDE = (PROJECT / "docs_site" / "pages" / "landing-pages.md").read_text(encoding="utf-8")
RECIPES = re.findall(r"```html\n(<script>.*?</script>)\n```", GUIDE, re.DOTALL)
TOOLS = """<script>
window.told = [];
window.gtag = (...said) => told.push(["gtag", ...said]);
window.fbq = (...said) => told.push(["fbq", ...said]);
window.dataLayer = { push: (said) => told.push(["dataLayer", said]) };
</script>"""


def test_the_guides_recipes_tell_the_tools_of_the_lead_and_nothing_of_the_person(landing: Landing) -> None:
    assert len(RECIPES) == 3
    agreed(landing, FORM + "".join(RECIPES), head=TOOLS)
    landing.send()
    lead_id = landing.heard("sent")["lead_id"]
    assert landing.page.evaluate("told") == [
        ["gtag", "event", "generate_lead", {"lead_id": lead_id}],
        ["fbq", "track", "Lead", {}, {"eventID": lead_id}],
        ["dataLayer", {"event": "lead_sent", "lead_id": lead_id, "lead_code": None}],
    ]
