"""The matrix of host pages: whatever a page is made with, one line brings the lead, with what its visitor agreed to."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.host import Host
from tests.browser.sites import LEAD, NAMES, PERSON, READ, TEXTS, Site, now, read, with_postgresql, with_sqlite
from tests.browser.test_seed_ajax import SEED
from tests.factories import Account
from tests.live import Live
from tests.npm import package_file

OTHER_NUMBER = "+17192225678"
OTHER_PERSON = {"Your name": "Max Moe", "Phone": "719 222 5678", "Email": "max@example.com"}
OTHER_LEAD = {
    "caller_id": OTHER_NUMBER,
    "email": "max@example.com",
    "data": {"name": "Max Moe", "first_name": "Max", "last_name": "Moe"},
}


@pytest.fixture
def site(page: Page, host: Host, live: Live, account: Account, expected_console: list[str]) -> Site:
    """A visitor with an empty browser."""
    return Site(page, host, live, account, expected_console)


def with_data(**data: Any) -> dict[str, Any]:
    """The usual lead with further tokens."""
    return {"data": LEAD["data"] | data}


def test_a_plain_form_brings_the_lead_with_all_that_its_visitor_said_and_saw(site: Site) -> None:
    site.page.add_init_script("addEventListener('lead:sent', (event) => (window.heard = event.detail))")
    site.open("plain.html", "?utm_source=google&gclid=abc&sub_id=s1&unknown=1")
    site.fill()
    site.fill({"Anything else": "Call in the evening"})
    site.page.get_by_label("Loan").select_option("500")
    site.page.get_by_label("I own a home").check()
    site.is_held()
    site.agree()
    site.sees()
    said = {"loan_amount": "500", "owner": "yes", "note": "Call in the evening", "variant": "b"}
    lead = with_data(**said, utm_source="google", gclid="abc")
    submission = site.arrived(lead | {"sub_id": "s1"})
    heard = site.page.evaluate("heard")
    assert (heard["action"], heard["lead_id"]) == ("received", submission["public_lead_id"])


@with_sqlite
def test_a_build_that_never_changes_is_run_and_brings_no_stamp(site: Site) -> None:
    site.make("en")
    site.open("plain.html", chosen={"hosted": "versioned"})
    site.fill()
    site.agree()
    site.sees()
    lead = with_data(loan_amount="100", variant="b")
    site.arrived(lead, {"stamp": None, "evidence": "asserted"})


# Libraries


@pytest.mark.parametrize(
    ("jquery", "database"),
    [("1.12.4", "sqlite"), ("3.7.1", "postgresql"), ("4.0.0", "sqlite")],
    indirect=["database"],
)
def test_a_handler_of_jquery_runs_once_and_only_after_consent(site: Site, jquery: str) -> None:
    site.host.put("/jquery.js", package_file("jquery", jquery, "dist/jquery.min.js").read_bytes())
    site.open("jquery_handler.html")
    site.fill()
    site.is_held()
    thanks = site.page.locator("#thanks b")
    expect(thanks).to_have_count(0)
    site.agree()
    expect(thanks).to_have_text(f"Thanks, Jane Roe, with jQuery {jquery}!")
    site.arrived()


@with_postgresql
def test_the_seeds_block_says_nothing_of_consent(site: Site) -> None:
    site.make("en")
    site.host.put("/jquery.js", package_file("jquery", "3.7.1", "dist/jquery.min.js").read_bytes())
    block = SEED.replace("https://your-domain.com", site.live.url).replace("YOUR_TOKEN", site.snippet["lead_token"])
    site.open("seed.html", changes={"THE_BLOCK": block})
    site.is_untouched()
    site.press()
    unsaid = ("granted", "said_in", "disclosure", "disclosure_claimed", "text_is", "language", "default", "page_url")
    consent = dict.fromkeys((*unsaid, "read", "stamp")) | {"evidence": "none", "times": []}
    site.arrived({"email": None, "data": {"loan_amount": "500"}}, consent)


@with_postgresql
def test_inputs_that_react_controls_keep_what_was_typed(site: Site) -> None:
    for name, package in {"/react.js": "react", "/react-dom.js": "react-dom"}.items():
        file = package_file(package, "18.3.1", f"umd/{package}.production.min.js")
        site.host.put(name, file.read_bytes())
    site.open("react.html")
    site.page.get_by_label("Your name").press_sequentially("Jane Roe")
    site.fill()
    site.is_held()
    expect(site.page.get_by_text("Thanks")).to_have_count(0)
    site.agree()
    expect(site.page.get_by_text("Thanks, Jane Roe!")).to_be_visible()
    expect(site.page.get_by_label("Phone")).to_have_value(PERSON["Phone"])
    site.arrived()


@with_sqlite
def test_a_page_whose_libraries_have_changed_javascript_itself_works(site: Site) -> None:
    site.open("polluted.html", "?utm_source=google")
    site.fill()
    site.is_held()
    site.agree()
    site.sees()
    site.arrived(with_data(utm_source="google"))


# Forms that are not there at once, or not as a whole


@pytest.mark.parametrize(
    ("name", "database"),
    [("steps_hidden.html", "sqlite"), ("steps_removed.html", "postgresql")],
    indirect=["database"],
)
def test_a_form_of_steps_is_sent_as_a_whole(site: Site, name: str) -> None:
    site.open(name)
    for label in ("Your name", "Email"):
        site.fill({label: PERSON[label]})
        site.page.get_by_role("button", name="Next").click()
    site.fill({"Phone": PERSON["Phone"]})
    site.is_held()
    site.agree()
    site.sees()
    site.arrived()


@with_postgresql
def test_a_form_that_comes_late_is_found(site: Site) -> None:
    site.open("late.html")
    site.fill()
    site.is_held()
    site.agree()
    site.sees()
    site.arrived()


@with_sqlite
def test_a_form_of_an_applications_later_route_is_found_and_knows_the_click(site: Site) -> None:
    site.open("route.html", "?utm_source=google")
    site.page.get_by_role("link", name="Quote").click()
    site.fill()
    # It stands in the place that the page has reserved for it.
    expect(site.page.locator("[data-lead-consent-here]").get_by_role("checkbox")).to_be_visible()
    site.is_held()
    site.agree()
    site.sees()
    site.arrived(with_data(utm_source="google"), {"page_url": f"{site.host.origin}/hosts/quote?step=2"})


# More than one form


@with_postgresql
def test_each_of_two_forms_sends_its_own_lead(site: Site) -> None:
    site.open("two.html")
    site.within = site.page.get_by_role("form", name="Below")
    site.fill()
    site.is_held()
    site.agree()
    site.sees()
    first = site.arrived()
    site.within = site.page.get_by_role("form", name="Above")
    site.fill(OTHER_PERSON)
    site.agree()
    site.sees()
    second = site.arrived(OTHER_LEAD, of=2)
    assert first["idempotency_key"] != second["idempotency_key"]


@with_sqlite
def test_a_form_beside_that_of_leads_is_left_alone(site: Site) -> None:
    site.host.put("/newsletter", b"Subscribed.")
    site.open("newsletter.html")
    newsletter = site.page.get_by_role("form", name="Newsletter")
    newsletter.get_by_label("Address").fill("news@example.com")
    newsletter.get_by_label("Mobile").fill("719-222-9999")
    expect(site.page.get_by_role("checkbox")).to_have_count(0)
    site.is_untouched()
    newsletter.get_by_role("button").click()
    site.page.wait_for_url("**/newsletter")
    assert site.host.posted == [("/newsletter", [("email", "news@example.com"), ("mobile", "719-222-9999")])]
    # What the page's own form does is the page's affair.
    site.asked.clear()
    site.page.goto(site.address)
    site.within = site.page.get_by_role("form", name="Quote")
    site.fill()
    site.agree()
    site.sees()
    site.arrived()


# Page builders


@with_postgresql
def test_a_form_of_instapages_is_read_by_its_labels_and_sent_by_its_own_script(site: Site) -> None:
    site.host.put("/ajax/pageserver/email/12345", b"{}")
    site.open("instapage.html")
    site.fill(PERSON | {"Zip code": "80301"})
    site.is_held()
    site.agree()
    expect(site.page.locator("#thanks")).to_have_text("Thanks, Jane Roe!")
    site.arrived({"data": {"your_name": "Jane Roe", "zip_code": "80301", "page": "12345"} | NAMES})
    [(path, fields)] = site.host.posted
    theirs = {name: value for name, value in fields if not name.startswith("_")}
    typed = ["Jane Roe", PERSON["Phone"], PERSON["Email"], "80301"]
    assert theirs == dict(zip(INSTAPAGE, ["12345", *typed], strict=True))
    assert path == "/ajax/pageserver/email/12345"


INSTAPAGE = ("page", "WW91ciBuYW1l", "UGhvbmUgTnVtYmVy", "RW1haWw=", "WmlwIGNvZGU=")


@with_sqlite
def test_a_form_of_unbounces_goes_on_to_its_own_server(site: Site) -> None:
    site.host.put("/fsg", b"Thank you from Unbounce.")
    site.open("unbounce.html")
    site.fill()
    site.is_held()
    assert site.host.posted == []
    site.agree()
    expect(site.page.get_by_text("Thank you from Unbounce.")).to_be_visible()
    site.arrived(with_data(pageid="0f3a", pagevariant="a"))
    [(path, fields)] = site.host.posted
    theirs = {"name": "Jane Roe", "phone_number": PERSON["Phone"], "email": PERSON["Email"]}
    assert {name: value for name, value in fields if not name.startswith("_")} == theirs | UNBOUNCE
    assert path == "/fsg?pageId=0f3a&variant=a"


UNBOUNCE = {"pageId": "0f3a", "pageVariant": "a"}


# Pages that allow little, or break much


@with_postgresql
def test_a_strict_policy_with_trusted_types_is_kept(site: Site) -> None:
    server = site.live.url
    policy = (
        f"default-src 'none'; script-src {server}; connect-src {server}; style-src 'none'; form-action 'self';"
        " require-trusted-types-for 'script'; trusted-types 'none'"
    )
    site.open("simple.html", headers={"Content-Security-Policy": policy})
    site.fill()
    site.is_held()
    site.agree()
    site.sees()
    # Whatever would break the policy, an error in the console would tell.
    site.arrived()


@with_sqlite
def test_inputs_that_hide_the_forms_own_members_do_not_matter(site: Site) -> None:
    site.open("clobbered.html")
    site.fill()
    site.is_held()
    site.agree()
    site.sees()
    hidden = ("target", "title", "style", "reset", "attributes")
    # `action` and `id` never become tokens, wherever they come from.
    others = {"submit": "now", "elements": "four", "method": "phone", "length": "3"}
    site.arrived(with_data(**others, **{name: name for name in hidden}, children="2"))


@with_postgresql
def test_what_is_nobodys_business_is_never_sent(site: Site) -> None:
    more = "".join(f'<label>More {at:02}<input name="more_{at:02}"></label>' for at in range(30))
    site.open("many.html", changes={"<!-- thirty more -->": more})
    answers = {f"More {at:02}": f"answer {at}" for at in range(30)}
    site.fill(PERSON | answers)
    secret = "4111111111111111"
    site.fill(dict.fromkeys(("Password", "Card", "Code", "Private", "Within", "Elsewhere", "Outside"), secret))
    site.page.get_by_label("Photo").set_input_files({"name": "p.png", "mimeType": "image/png", "buffer": b"secret"})
    site.page.get_by_label("Solar").check()
    site.page.get_by_label("Heat").check()
    site.page.get_by_label("Yes, contact me.").check()
    site.press()
    site.sees()
    said = {f"more_{at:02}": f"answer {at}" for at in range(30)}
    submission = site.arrived(with_data(**said, wants="heat"))
    assert secret not in str(submission)


# Languages and texts


@with_sqlite
def test_an_arabic_page_shows_the_default_text_as_english(site: Site) -> None:
    site.button = "اطلب عرضا"
    site.open("arabic.html")
    site.fill({"الاسم": "جين", "الهاتف": PERSON["Phone"], "البريد": PERSON["Email"]})
    site.is_held()
    direction = "(box) => getComputedStyle(box.closest('[lang]')).direction"
    assert site.page.get_by_role("checkbox").evaluate(direction) == "ltr"
    site.agree()
    site.sees()
    site.arrived({"data": {"name": "جين", "first_name": "جين"}})


@with_postgresql
def test_a_mexican_page_shows_the_spanish_text(site: Site) -> None:
    site.make("en", "es")
    site.button = "Pedir presupuesto"
    site.open("spanish.html")
    site.fill({"Nombre": "Jane Roe", "Teléfono": PERSON["Phone"], "Correo": PERSON["Email"]})
    site.is_held("Marque la casilla para enviar este formulario")
    site.agree()
    site.sees("Gracias. Lo hemos recibido.")
    spanish = dict.fromkeys(("disclosure", "disclosure_claimed"), site.versions["es"])
    site.arrived(consent={"language": "es", "read": READ["es"], **spanish})


# As browsers translate a page: each text becomes another, in two elements more.
TRANSLATE = """(box) => {
  document.documentElement.className = "translated-ltr";
  const walk = document.createTreeWalker(box.closest("[lang]"), NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walk.nextNode()) if (walk.currentNode.data.trim()) texts.push(walk.currentNode);
  for (const [at, text] of texts.entries()) {
    const outer = document.createElement("font"), inner = document.createElement("font");
    inner.textContent = ` Wort ${at}`;
    outer.append(inner);
    text.replaceWith(outer);
  }
}"""


@with_sqlite
def test_a_text_that_was_translated_is_another_so_that_the_lead_is_held(site: Site) -> None:
    site.open("simple.html")
    site.fill()
    site.page.get_by_role("checkbox").evaluate(TRANSLATE)
    site.is_untouched()
    site.agree()
    site.sees()
    read = "Wort 0 Wort 1 Wort 2 Wort 3"
    learned = site.learned()
    assert (learned["text"], learned["language"]) == (read, "en")
    differs = {"evidence": "asserted", "text_is": "differs", "disclosure": learned["content_hash"]}
    site.arrived(consent={**differs, "read": read, "text": read}, held=True)


OWN_TEXT = "Call me, please. Acme Solar may call me with an autodialer."


@with_postgresql
def test_a_pages_own_text_is_learned_and_the_same_once_it_was_reviewed(site: Site) -> None:
    site.make()
    site.open("own_box.html")
    site.fill()
    site.is_held()
    site.agree()
    site.sees()
    learned = site.learned()
    own = {"disclosure": learned["content_hash"], "read": OWN_TEXT}
    site.arrived(consent=own | {"text_is": "unknown", "text": OWN_TEXT})
    assert (learned["text"], learned["reviewed_at"]) == (OWN_TEXT, None)
    site.ask("POST", f"{site.texts}/{learned['id']}/review")
    site.page.reload()
    site.fill(OTHER_PERSON)
    site.agree()
    site.sees()
    site.arrived(OTHER_LEAD, own, of=2)


@with_sqlite
def test_a_box_that_starts_ticked_is_told_of(site: Site) -> None:
    site.make()
    site.open("own_box.html", changes={"data-lead-consent": "data-lead-consent checked"})
    site.fill()
    expect(site.page.get_by_role("checkbox")).to_be_checked()
    site.is_untouched()
    site.press()
    site.sees()
    learned = {"disclosure": site.learned()["content_hash"], "read": OWN_TEXT, "text": OWN_TEXT}
    site.arrived(consent=learned | {"text_is": "unknown", "default": "ticked"})


@with_postgresql
def test_a_browser_that_asks_for_privacy_is_taken_at_its_word(site: Site) -> None:
    site.page.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })")
    site.open("simple.html", "?utm_source=google&gclid=abc")
    site.fill()
    site.agree()
    site.sees()
    page_url = site.address.partition("?")[0]
    site.arrived(with_data(utm_source="google"), {"gpc": True, "page_url": page_url})
    site.stores_nothing()


# Visitors


@with_sqlite
def test_the_keyboard_is_enough(site: Site) -> None:
    site.open("simple.html")
    keyboard = site.page.keyboard
    for value in PERSON.values():
        keyboard.press("Tab")
        keyboard.type(value)
    keyboard.press("Enter")
    expect(site.page.get_by_role("checkbox")).to_be_focused()
    site.is_untouched()
    keyboard.press("Space")
    # Past the links to the button.
    for _ in range(3):
        keyboard.press("Tab")
    expect(site.page.get_by_role("button")).to_be_focused()
    keyboard.press("Enter")
    site.sees()
    site.arrived()


@with_postgresql
def test_a_form_that_was_filled_without_a_touch_is_read(site: Site) -> None:
    site.open("simple.html")
    for label, value in PERSON.items():
        site.page.get_by_label(label).evaluate("(field, value) => (field.value = value)", value)
    site.is_held()
    site.agree()
    site.sees()
    site.arrived()


@with_sqlite
def test_a_visitor_who_comes_back_can_send_another_lead(site: Site) -> None:
    site.make("en")
    thanks = site.place("thanks.html")
    site.open("simple.html", changes={"<form>": '<form data-lead-redirect="thanks.html">'})
    site.fill()
    site.is_held()
    site.agree()
    site.page.wait_for_url(thanks)
    site.arrived()
    site.page.go_back()
    site.fill(OTHER_PERSON)
    site.agree()
    site.page.wait_for_url(thanks)
    site.arrived(OTHER_LEAD, of=2)


@with_postgresql
def test_a_page_in_a_frame_works_as_alone(site: Site) -> None:
    site.make("en")
    framed = site.place("plain.html") + "?utm_source=frame"
    site.open("frame.html")
    around, site.address = site.address, framed
    site.within = site.page.frame_locator("iframe")
    site.fill()
    site.is_held()
    site.agree()
    site.sees()
    site.arrived(with_data(loan_amount="100", variant="b", utm_source="frame", referrer=around))


# The owner looks at the page


@with_postgresql
def test_the_check_of_a_page_asks_our_server_and_sends_and_stores_nothing(site: Site) -> None:
    site.open("simple.html", "#handraiser-check")
    panel = site.page.get_by_role("region", name="Handraiser's check of this page")
    expect(panel).to_contain_text("answers")
    expect(panel).to_contain_text(f"✓ {site.host.origin} is on the list of origins")
    expect(panel.get_by_role("row", name="phone caller_id")).to_be_visible()
    assert {each.method for each in site.asked} == {"GET"}
    site.stores_nothing()
    site.sent_only(0)
    assert site.account.submissions() == []


# The other ways onto a page, as they are handed out


FORM = {"Phone": PERSON["Phone"], "E-mail": PERSON["Email"]}
READ_INLINE = f"{TEXTS['en']['label']} {TEXTS['en']['text']}"
ASSERTED = {"evidence": "asserted", "stamp": None, "language": None, "read": READ_INLINE}


@pytest.mark.parametrize(
    ("name", "database"),
    [("inline_jquery.html", "sqlite"), ("inline_fetch.html", "postgresql")],
    indirect=["database"],
)
def test_an_inline_variant_holds_and_sends_as_it_stands(site: Site, name: str) -> None:
    site.host.put("/jquery.js", package_file("jquery", "1.12.4", "dist/jquery.min.js").read_bytes())
    thanks = site.place("thanks.html")
    site.make("en", thank_you_url=thanks)
    site.button = "Send"
    site.open(name)
    for words, member in {"Terms": "terms_url", "Privacy policy": "privacy_url"}.items():
        expect(site.page.get_by_role("link", name=words)).to_have_attribute("href", TEXTS["en"][member])
    site.fill(FORM)
    site.is_held("Tick the box to send this form")
    site.agree()
    site.page.wait_for_url(thanks)
    site.arrived({"data": {}}, ASSERTED)
    site.stores_nothing()


@with_sqlite
def test_a_confirmation_page_sends_once_however_often_it_is_loaded(site: Site) -> None:
    site.page.add_init_script("addEventListener('lead:sent', (event) => (window.heard = event.detail))")
    said = {"The text that your visitor has agreed to.": READ_INLINE, "name@example.com": PERSON["Email"]}
    site.make("en")
    granted_at = site.began = now()
    site.open("confirmation.html", changes=said | {"2026-11-24T15:30:00Z": granted_at.isoformat()})
    site.page.wait_for_function("window.heard")
    # The page is loaded when its scripts have run, and with them whatever would be sent.
    site.page.reload()
    site.page.reload()
    submission = site.arrived(
        {"data": {"loan_amount": "500"}},
        ASSERTED | {"times": ["granted_at"], "disclosure_claimed": None, "default": None},
    )
    assert read(submission["consent"]["granted_at"]) == granted_at


@with_postgresql
def test_a_form_without_javascript_is_sent_by_the_browser_itself(
    new_context: Callable[..., BrowserContext], host: Host, live: Live, account: Account, expected_console: list[str]
) -> None:
    page = new_context(java_script_enabled=False).new_page()
    site = Site(page, host, live, account, expected_console)
    thanks = site.place("thanks.html")
    site.make("en", thank_you_url=thanks)
    site.button = "Send"
    site.open("native.html")
    site.fill(FORM)
    # The browser itself holds a form whose required box is not ticked.
    site.press()
    site.is_untouched()
    site.agree()
    expect(page.get_by_role("heading")).to_have_text("Thank you, we call you soon.")
    site.arrived({"data": {}}, ASSERTED | {"times": [], "default": None, "page_url": None})
