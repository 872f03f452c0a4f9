"""The hosted script in real Chromium, on pages of another origin: the consent gate, what it reads, what it tells."""

import os
import re
import time
from contextlib import suppress
from signal import SIGCONT, SIGKILL, SIGSTOP
from typing import Any
from urllib.parse import parse_qsl

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error, Route, expect

from tests.browser.reader import violations
from tests.browser.snippets import DISCLOSURES, FORM, NUMBER, SHOWN, WORDS, Landing, soon
from tests.npm import package_file

ABORTED = "Failed to load resource: net::"
REFUSED = "Failed to load resource: .* status of {}"
FORMS = "application/x-www-form-urlencoded;charset=UTF-8"

OWN_BOX = """
<form data-lead>
  <p><label>Phone <input type="tel" name="phone"></label></p>
  <p><input type="checkbox" id="box" name="agree" data-lead-consent aria-describedby="more">
    <label for="box">Call me.</label></p>
  <p id="more">With   automated
    technology.</p>
  <p><button>Send</button></p>
</form>"""


@pytest.fixture(scope="session", params=["sqlite"])
def database(request: pytest.FixtureRequest) -> str:
    """One database is enough: what a browser does with a page does not depend on it."""
    return str(request.param)


def answering(landing: Landing, status: int, **answer: Any) -> None:
    """Lets the browser's own network layer answer in the server's place."""
    landing.expected_console.append(REFUSED.format(status))
    headers = {"Access-Control-Allow-Origin": "*"}
    answer = {"success": status == 200, "status": status, "errors": {}} | answer
    landing.page.route("**/api/v1/leads", lambda route: route.fulfill(status=status, headers=headers, json=answer))


THANKS = b'<link rel="icon" href="data:,"><title>Thanks</title><h1>Thanks</h1>'

# -- The consent gate.


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
    style = "<style>input { appearance: none; width: 100%; opacity: 0 } label, form div { display: none }</style>"
    landing.open("<form><input type=tel name=phone aria-label=Phone><button>Send</button></form>", head=style)
    landing.page.locator("[type=tel]").focus()
    expect(landing.box).to_be_visible()
    assert landing.box.evaluate("(box) => [box.offsetWidth < 30, getComputedStyle(box).opacity]") == [True, "1"]
    expect(landing.page.get_by_text("I agree that Acme Solar")).to_be_visible()


# -- Reading.

MANY = """
<form data-lead>
  <p><label>Phone <input type="tel" name="phone"></label></p>
  <input name="UGhvbmUgTnVtYmVyKg==" value="+17195550199" aria-label="Other">
  <input name="TG9hbiBhbW91bnQ=" value="500" aria-label="Loan">
  <input name="your-email" value="ann@example.com" aria-label="Mail">
  <input name="src" value="src-9" data-lead-field="sub_id" aria-label="Source">
  <input name="ref" value="r1" aria-label="Reference">
  <input name="data[rooms]" value="3" aria-label="Rooms"><input name="a[b]" value="4" aria-label="Nested">
  <input type="hidden" name="variant" value="B">
  <input id="city" value="Bonn" aria-label="City">
  <input type="checkbox" name="solar" value="yes" checked aria-label="Solar">
  <input type="checkbox" name="wind" value="yes" aria-label="Wind">
  <input type="checkbox" name="kinds[]" value="x" checked aria-label="X">
  <input type="checkbox" name="kinds[]" value="y" checked aria-label="Y">
  <input type="radio" name="when" value="am" aria-label="am">
  <input type="radio" name="when" value="pm" checked aria-label="pm">
  <select name="state" aria-label="State"><option value="CO">Colorado</option></select>
  <textarea name="note" aria-label="Note">Two
lines</textarea>
  <input type="password" name="secret" value="hidden1" aria-label="a">
  <input name="password_again" value="hidden2" aria-label="b">
  <input type="file" name="paper" aria-label="c">
  <input name="card" autocomplete="cc-number" value="hidden3" aria-label="d">
  <input name="own" data-lead-ignore value="hidden4" aria-label="e">
  <input disabled name="off" value="hidden5" aria-label="f">
  <div data-lead-ignore><input name="within" value="hidden6" aria-label="g"></div>
  <input type="hidden" name="_token" value="hidden7"><input type="hidden" name="csrf_token" value="hidden8">
  <p><button name="go" value="hidden9">Send</button></p>
</form>
<input name="elsewhere" value="far" form="none" aria-label="h">"""


def test_every_field_becomes_what_it_is_and_secrets_stay(landing: Landing) -> None:
    landing.open(MANY, fields={"ref": "traffic_source_id"})
    landing.fill()
    landing.agree()
    landing.send()
    landing.sent()
    lists = landing.lists
    known = {name: values for name, values in lists.items() if not re.match(r"consent|idempotency", name)}
    assert known == {
        "lead_token": [landing.account.publishable_token],
        "hp": [""],
        "caller_id": [NUMBER],
        "email": ["ann@example.com"],
        "sub_id": ["src-9"],
        "traffic_source_id": ["r1"],
        "data[Phone Number*]": ["+17195550199"],
        "data[Loan amount]": ["500"],
        "data[rooms]": ["3"],
        "data[a][b]": ["4"],
        "data[variant]": ["B"],
        "data[city]": ["Bonn"],
        "data[solar]": ["yes"],
        "data[kinds][]": ["x", "y"],
        "data[when]": ["pm"],
        "data[state]": ["CO"],
        "data[note]": ["Two\r\nlines"] if "\r" in lists["data[note]"][0] else ["Two\nlines"],
    }
    assert "hidden" not in (landing.posts[0].post_data or "")


NAMES = {
    'name="phone_number"': "caller_id",
    'name="Phone2"': "caller_id",
    'name="cellPhone"': "caller_id",
    'name="mobile"': "caller_id",
    'name="telefono"': "caller_id",
    'name="x" autocomplete="tel-national"': "caller_id",
    'name="x" autocomplete="home tel"': "caller_id",
    'name="UGhvbmU="': "caller_id",
    'name="VGVsw6lmb25v" type="tel"': "caller_id",
    'name="" id="phone"': "caller_id",
    'name="E-Mail-Address"': "email",
    'name="x" type="email"': "email",
    'name="x" data-lead-field="zip"': "data[zip]",
    'name="mapped"': "traffic_source_id",
    'name="hotel"': "data[hotel]",
    'name="phone_type"': "data[phone_type]",
    'name="phone" type="checkbox"': "data[phone]",
    'name="city"': "data[city]",
    'name="Zip1"': "data[Zip1]",
    'name="TG9hbiBhbW91bnQ="': "data[Loan amount]",
    'name="toString"': "data[toString]",
}


def test_a_field_is_known_by_what_the_page_says_by_its_name_its_autocomplete_or_its_type(landing: Landing) -> None:
    forms = "".join(f"<form><input {field} aria-label=Field></form>" for field in NAMES)
    empty = landing.host.put("/empty.js", b"")
    landing.open(forms, query="#handraiser-check", check=empty, fields={"mapped": "traffic_source_id"})
    read = "[...document.forms].map((form) => handraiser.check.read(form).map(([, key]) => key)[0])"
    assert dict(zip(NAMES, landing.page.evaluate(read), strict=True)) == NAMES


def test_of_several_telephone_numbers_the_one_that_the_page_names_counts(landing: Landing) -> None:
    form = """<form><input type=tel name=home value=1 aria-label=A>
      <input type=tel name=work value=2 data-lead-field=caller_id
      aria-label=Phone><button>Send</button></form>"""
    landing.open(form)
    landing.fill()
    landing.agree()
    landing.send()
    landing.sent()
    assert (landing.said["caller_id"], landing.said["data[home]"]) == (NUMBER, "1")


def test_of_two_forms_with_a_telephone_field_none_is_taken_unless_marked(landing: Landing) -> None:
    landing.open(FORM.replace("Phone", "Other").replace("Send", "Go") + FORM)
    landing.page.get_by_label("Phone").focus()
    expect(landing.page.get_by_role("checkbox")).to_have_count(0)
    marked = FORM.replace("<form", "<form data-lead")
    landing.open(marked.replace("Phone", "Other").replace("Send", "Go") + marked)
    landing.fill()
    landing.agree()
    landing.send()
    landing.page.wait_for_function("heard.length == 1")
    landing.page.get_by_label("Other").fill("+17195550199")
    landing.page.get_by_role("checkbox", checked=False).check()
    landing.page.get_by_role("button", name="Go").click()
    landing.page.wait_for_function("heard.length == 2")
    assert sorted(lead["caller_id"] for lead in landing.account.leads()) == [NUMBER, "+17195550199"]


def test_a_form_that_comes_later_is_found(landing: Landing) -> None:
    landing.open("<div id=place></div>")
    landing.page.evaluate("(html) => document.getElementById('place').innerHTML = html", FORM)
    landing.fill()
    landing.agree()
    landing.send()
    landing.sent()
    assert landing.said["caller_id"] == NUMBER


def test_a_field_elsewhere_that_belongs_to_the_form_is_read(landing: Landing) -> None:
    landing.open("<form id=f><button>Send</button></form><label>Phone <input type=tel name=phone form=f></label>")
    landing.fill()
    landing.agree()
    landing.send()
    landing.sent()
    assert landing.said["caller_id"] == NUMBER


# -- What follows.


def agreed(landing: Landing, form: str = FORM, **about: Any) -> None:
    """A visitor who has filled in everything and ticked the box."""
    landing.open(form, **about)
    landing.fill()
    landing.agree()


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
    ({}, "", "/own.html?phone=%2B17195550142&_website=&zip=&go=1"),
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
    expect(phone).to_have_accessible_description("is no number")
    expect(zip_code).to_have_accessible_description("is wrong")
    expect(zip_code).to_have_attribute("aria-invalid", "true")
    expect(landing.status).to_have_text(f"{WORDS['en']['refused']} sub_id is long")
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
    landing.expected_console.append(REFUSED.format(403))
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


# -- The network.


def test_offline_it_waits_and_online_it_sends_one(landing: Landing) -> None:
    landing.expected_console.append(ABORTED)
    agreed(landing)
    landing.page.context.set_offline(True)
    landing.send()
    expect(landing.status).to_have_text(WORDS["en"]["sending"])
    landing.page.context.set_offline(False)
    landing.sent()
    assert len(landing.account.leads()) == len(landing.account.submissions()) == 1


def holding(landing: Landing, form: str = FORM, **about: Any) -> None:
    """A visitor who is about to send, in a browser whose clock we hold."""
    landing.expected_console.append("Failed to load resource")
    landing.page.clock.install()
    agreed(landing, form, **about)
    landing.page.clock.pause_at(time.time() + 60)
    landing.page.evaluate("window.begin = Date.now()")


def run_until(landing: Landing, condition: str) -> None:
    """Lets the browser's time run, twice as fast as ours: our server needs time that is its own to answer."""
    for _ in range(200):
        landing.page.clock.run_for(200)
        landing.page.wait_for_timeout(100)
        if landing.page.evaluate(condition):
            return
    pytest.fail(f"{condition} did not come true")


def test_a_lead_on_its_way_to_a_killed_server_comes_to_the_next_one(landing: Landing) -> None:
    holding(landing)
    assert landing.live.process is not None
    os.killpg(landing.live.process.pid, SIGSTOP)
    with landing.page.expect_event("requestfailed"):
        landing.send()
        landing.live.end(SIGKILL)
    landing.live.start()
    run_until(landing, "heard.length")
    landing.heard("sent")
    assert len(landing.posts) > 1
    assert [lead["caller_id"] for lead in landing.account.leads()] == [NUMBER]


ATTEMPTS = """
const real = window.fetch;
window.attempts = [];
window.fetch = (...asked) => { attempts.push(Date.now() - begin); return real(...asked) };
"""


def test_without_an_answer_it_tries_again_for_eight_seconds_and_then_says_so(landing: Landing) -> None:
    landing.page.add_init_script(ATTEMPTS)
    holding(landing)
    landing.page.route("**/api/v1/leads", lambda route: route.abort())
    landing.send()
    run_until(landing, "heard.length")
    assert landing.heard("failed") == {}
    expect(landing.status).to_have_text(WORDS["en"]["failed"])
    first, second, third, *more, last = landing.page.evaluate("attempts")
    assert first < 500 <= second - first < third - second < more[0] - third
    assert last < 8_500
    landing.page.unroute_all()
    landing.send()
    run_until(landing, "heard.length == 2")
    landing.sent()
    assert len({dict(parse_qsl(post.post_data or ""))["idempotency_key"] for post in landing.posts}) == 1


def test_when_our_server_is_down_the_page_goes_on_and_a_beacon_is_the_last_try(landing: Landing) -> None:
    landing.host.put("/own.html", THANKS)
    form = FORM.replace("<form>", "<form action=/own.html>")
    holding(landing, form, endpoint=f"{landing.host.origin}/leads")
    landing.host.posts.clear()
    landing.send()
    while "/own.html" not in landing.page.url:
        with suppress(Error):  # The page may just be going.
            landing.page.clock.run_for(200)
    expect(landing.page.get_by_role("heading")).to_have_text("Thanks")
    soon(lambda: [mode for mode, _ in landing.host.posts if mode == "no-cors"])
    (*fetches, beacon), bodies = zip(*landing.host.posts, strict=True)
    assert ({*fetches}, beacon) == ({"cors"}, "no-cors")
    assert len({*bodies}) == 1


def test_a_server_that_asks_for_time_gets_it(landing: Landing) -> None:
    landing.page.add_init_script(ATTEMPTS)
    holding(landing)
    cors = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After", "Retry-After": "3"}
    busy = {"success": False, "status": 503, "code": "unavailable"}
    landing.page.route("**/api/v1/leads", lambda route: route.fulfill(status=503, headers=cors, json=busy), times=1)
    landing.send()
    run_until(landing, "heard.length")
    landing.heard("sent")
    first, second = landing.page.evaluate("attempts")
    assert 3_000 <= second - first < 4_000


def test_a_visitor_who_leaves_meanwhile_hands_over_to_a_beacon(landing: Landing) -> None:
    landing.host.put("/thanks.html", THANKS)
    agreed(landing, FORM + "<a href=/thanks.html>Leave</a>")
    assert landing.live.process is not None
    os.killpg(landing.live.process.pid, SIGSTOP)
    try:
        landing.send()
        landing.page.get_by_role("link", name="Leave").click()
        landing.page.wait_for_url("**/thanks.html")
    finally:
        os.killpg(landing.live.process.pid, SIGCONT)
    soon(lambda: landing.account.submissions()[1:])
    # Which of the two comes first is the network's affair.
    assert sorted(each["action"] for each in landing.account.submissions()) == ["created", "replayed"]
    # A beacon is sent when nobody listens any more: what the server has seen beside the fetch is the beacon.
    assert [each.resource_type for each in landing.posts] == ["fetch"]


def test_a_visitor_who_comes_back_can_send_again(landing: Landing) -> None:
    """The browser keeps the page as it was left, with what was on its way."""
    landing.host.put("/own.html", THANKS)
    agreed(landing, FORM.replace("<form>", "<form action=/own.html>"))
    landing.send()
    landing.page.wait_for_url("**/own.html?*")
    landing.page.go_back()
    landing.page.get_by_label("ZIP").fill("80301")
    if not landing.box.is_checked():
        landing.agree()
    landing.send()
    landing.page.wait_for_url("**/own.html?*zip=80301*")
    assert [each["action"] for each in landing.account.submissions()] == ["created", "updated"]


def test_an_answer_that_comes_after_the_page_was_left_is_nobodys(landing: Landing) -> None:
    """The browser may keep a page that was left and bring it back: the visitor can send again, with the same key."""
    agreed(landing)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    landing.page.route("**/api/v1/leads", hold, times=1)
    landing.send()
    expect(landing.status).to_have_text(WORDS["en"]["sending"])
    landing.page.evaluate("() => { dispatchEvent(new Event('pagehide')) }")
    with landing.page.expect_event("requestfinished"):
        held[0].continue_()
    landing.send()
    landing.sent()
    assert landing.page.evaluate("heard.length") == 1
    assert len({dict(parse_qsl(post.post_data or ""))["idempotency_key"] for post in landing.posts}) == 1
    assert len(landing.account.leads()) == 1


def test_what_is_too_big_to_outlive_the_page_is_sent_all_the_same(landing: Landing) -> None:
    answering(landing, 200)
    agreed(landing, FORM.replace("<p><button", "<textarea name=story aria-label=Story></textarea><p><button"))
    landing.page.get_by_label("Story").fill("x" * 70_000)
    landing.send()
    landing.sent()


def test_a_company_that_takes_leads_on_its_own_host_gets_no_cookie_with_them(landing: Landing) -> None:
    landing.expected_console.append("Failed to load resource")
    agreed(landing, endpoint=f"{landing.host.origin}/leads")
    landing.page.evaluate("() => { document.cookie = 'session=secret' }")
    with landing.page.expect_request("**/leads") as post:
        landing.send()
    assert "cookie" not in post.value.all_headers()


# -- Attribution.


def test_the_click_is_kept_for_the_tab_after_consent_and_carried_without_storage(landing: Landing) -> None:
    landing.put(path="/form.html", parameters={"src": "traffic_source_id"})
    links = '<a href="/form.html?a=1#top">Form</a> <a href="#here">Here</a>'
    landing.open(links, query="?utm_source=news&gclid=c1&src=ads&other=1", parameters={"src": "traffic_source_id"})
    landing.page.get_by_role("link", name="Here").click()
    assert landing.page.url.endswith("/landing.html?utm_source=news&gclid=c1&src=ads&other=1#here")
    landing.page.get_by_role("link", name="Form").click()
    landing.page.wait_for_url("**/form.html?a=1&utm_source=news&gclid=c1&src=ads#top")
    assert landing.kept() == []
    landing.fill()
    landing.agree()
    landing.send()
    landing.sent()
    said = landing.said
    clicked = (said["data[utm_source]"], said["data[gclid]"], said["traffic_source_id"])
    assert clicked == ("news", "c1", "ads")
    assert said["data[referrer]"] == f"{landing.host.origin}/landing.html?utm_source=news&gclid=c1&src=ads&other=1"
    assert landing.kept() == ["handraiser"]
    landing.page.goto(f"{landing.host.origin}/form.html")
    landing.fill()
    landing.agree()
    landing.send()
    landing.sent()
    assert landing.said["data[utm_source]"] == "news"


def test_a_link_within_the_page_stays_within_it(landing: Landing) -> None:
    landing.open("<a href='#here'>Here</a>", query="?utm_source=news")
    landing.page.evaluate("() => { history.replaceState(null, '', location.pathname) }")
    landing.page.get_by_role("link", name="Here").click()
    landing.page.wait_for_url("**/landing.html#here")


def test_links_stay_as_they_are_where_the_company_wants_it(landing: Landing) -> None:
    landing.host.put("/thanks.html", THANKS)
    landing.open("<a href=/thanks.html>Next</a>", query="?utm_source=news", carry=False)
    landing.page.get_by_role("link", name="Next").click()
    landing.page.wait_for_url("**/thanks.html")


def test_with_global_privacy_control_it_keeps_carries_and_names_no_click(landing: Landing) -> None:
    landing.page.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })")
    landing.open(
        FORM + "<a href=/thanks.html>Next</a>", query="?utm_source=news&gclid=click1&fbclid=click2&msclkid=click3"
    )
    landing.fill()
    landing.agree()
    landing.send()
    landing.sent()
    said = landing.said
    assert (said["consent[gpc]"], said["data[utm_source]"]) == ("true", "news")
    assert said["consent[page_url]"] == f"{landing.host.origin}/landing.html"
    assert not re.search("click[123]", landing.posts[0].post_data or "")
    assert landing.kept() == []
    landing.host.put("/thanks.html", THANKS)
    landing.page.get_by_role("link", name="Next").click()
    landing.page.wait_for_url("**/thanks.html")


# -- Confirmation pages.


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


# -- A guest's manners.


def test_it_is_accessible_and_nothing_moves_by_itself(landing: Landing, axe: Axe) -> None:
    landing.open(FORM + "<p>Below</p>")
    assert violations(axe, landing.page) == []
    landing.page.keyboard.press("Tab")
    expect(landing.page.get_by_label("Phone")).to_be_focused()
    landing.page.keyboard.type(NUMBER)
    assert violations(axe, landing.page) == []
    landing.page.keyboard.press("Enter")
    expect(landing.status).to_have_text(WORDS["en"]["consent"])
    assert violations(axe, landing.page) == []
    landing.page.keyboard.press("Space")
    landing.page.keyboard.press("Enter")
    landing.sent()
    assert violations(axe, landing.page) == []
    assert landing.page.evaluate("shift") == 0
    assert landing.said["caller_id"] == NUMBER


def test_nobody_meets_the_trap_but_who_fills_in_everything(landing: Landing) -> None:
    agreed(landing)
    trap = landing.page.locator("[name=_website]")
    expect(trap).not_to_be_in_viewport()
    assert trap.evaluate("(trap) => [trap.tabIndex, trap.closest('label')?.control !== trap]") == [-1, True]
    trap.evaluate("(trap) => { trap.value = 'https://spam.example' }")
    landing.send()
    landing.sent()
    assert landing.said["hp"] == "https://spam.example"


def test_loaded_twice_it_works_once(landing: Landing) -> None:
    url = landing.snippet_url()
    agreed(landing, head=f"<script src={url}></script>")
    landing.send()
    landing.sent()
    assert len(landing.posts) == 1
    assert landing.page.evaluate("Object.keys(handraiser)") == ["version", "send"]


HOSTILE = """<script>
Array.prototype.extra = Object.prototype.extra = function () { throw new Error("touched") };
Array.from = () => [];
</script>"""
CLOBBERED = """
<form action=/own.html>
  <p><label>Phone <input type="tel" name="phone"></label></p>
  <input name=elements value=1 aria-label=a><input name=action value=2 aria-label=b><input name=submit aria-label=c>
  <input name=method aria-label=d><input name=id aria-label=e><input name=name value=3 aria-label=f>
  <p><button name=requestSubmitted>Send</button></p>
</form>"""


def test_polluted_prototypes_and_clobbered_names_are_survived(landing: Landing) -> None:
    landing.host.put("/own.html", THANKS)
    agreed(landing, CLOBBERED, head=HOSTILE)
    landing.send()
    landing.page.wait_for_url("**/own.html?*")
    said = landing.said
    assert (said["caller_id"], said["data[elements]"], said["data[action]"]) == (NUMBER, "1", "2")
    assert not [name for name in said if "extra" in name]


STRICT = (
    "default-src 'none'; script-src {host}; connect-src {live}; require-trusted-types-for 'script'; "
    "trusted-types 'none'; base-uri 'none'; img-src data:"
)


def test_a_strict_policy_with_trusted_types_is_kept(landing: Landing) -> None:
    policy = STRICT.format(host=landing.host.origin, live=landing.live.url)
    head = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    agreed(landing, head=head)
    landing.send()
    landing.sent()
    assert landing.page.locator("[name=_website]").evaluate("(trap) => getComputedStyle(trap).position") == "fixed"


REACT = """
const element = React.createElement;
function Form() {
  const [phone, setPhone] = React.useState("");
  const [done, setDone] = React.useState(false);
  if (done) return element("p", {}, "Done");
  return element("form", { onSubmit: (event) => { event.preventDefault(); setDone(true); } },
    element("label", {}, "Phone",
      element("input", { type: "tel", value: phone, onChange: (event) => setPhone(event.target.value) })),
    element("p", {}, "Digits: " + phone.length), element("button", {}, "Send"));
}
ReactDOM.createRoot(document.getElementById("root")).render(element(Form));
"""


def test_a_form_that_react_controls_is_read_and_goes_on(landing: Landing) -> None:
    react = package_file("react", "18.3.1", "umd/react.production.min.js").read_bytes()
    dom = package_file("react-dom", "18.3.1", "umd/react-dom.production.min.js").read_bytes()
    app = landing.host.put("/app.js", react + b"\n" + dom + b"\n" + REACT.encode())
    agreed(landing, f"<div id=root></div><script src={app}></script>")
    landing.send()
    expect(landing.page.get_by_text("Done")).to_be_visible()
    landing.heard("sent")
    assert landing.said["caller_id"] == NUMBER
