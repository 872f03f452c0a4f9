"""The matrix of host pages: whatever a page is made with, one line brings the lead, with what its visitor agreed to."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.host import Host
from tests.browser.landing import LEAD, NUMBER, PERSON, READ, Landing, with_postgresql, with_sqlite
from tests.browser.test_seed_ajax import SEED
from tests.factories import Account
from tests.live import Live
from tests.npm import package_file

OTHER_NUMBER = "+17192225678"
OTHER_PERSON = {"Your name": "Max Moe", "Phone": "719 222 5678", "Email": "max@example.com"}
OTHER_LEAD = {"caller_id": OTHER_NUMBER, "email": "max@example.com", "data": {"name": "Max Moe"}}


@pytest.fixture
def landing(page: Page, host: Host, live: Live, account: Account, expected_console: list[str]) -> Landing:
    """A visitor with an empty browser."""
    return Landing(page, host, live, account, expected_console)


def with_data(**data: Any) -> dict[str, Any]:
    """The usual lead with further tokens."""
    return {"data": LEAD["data"] | data}


def test_a_plain_form_brings_the_lead_with_all_that_its_visitor_said_and_saw(landing: Landing) -> None:
    landing.page.add_init_script("addEventListener('lead:sent', (event) => (window.heard = event.detail))")
    landing.open("plain.html", "?utm_source=google&gclid=abc&sub_id=s1&unknown=1")
    landing.fill()
    landing.fill({"Anything else": "Call in the evening"})
    landing.page.get_by_label("Loan").select_option("500")
    landing.page.get_by_label("I own a home").check()
    landing.is_held()
    landing.agree()
    landing.sees()
    said = {"loan_amount": "500", "owner": "yes", "note": "Call in the evening", "variant": "b"}
    lead = with_data(**said, utm_source="google", gclid="abc")
    submission = landing.arrived(lead | {"sub_id": "s1"})
    heard = landing.page.evaluate("heard")
    assert (heard["action"], heard["lead_id"]) == ("received", submission["public_lead_id"])


@with_sqlite
def test_a_build_that_never_changes_is_run_and_brings_no_stamp(landing: Landing) -> None:
    landing.make("en")
    landing.open("plain.html", changes={"the hosted snippet": "the versioned snippet"})
    landing.fill()
    landing.agree()
    landing.sees()
    lead = with_data(loan_amount="100", variant="b")
    landing.arrived(lead, {"stamp": None, "evidence": "asserted"})


# Libraries


@pytest.mark.parametrize(
    ("jquery", "database"),
    [("1.12.4", "sqlite"), ("3.7.1", "postgresql"), ("4.0.0", "sqlite")],
    indirect=["database"],
)
def test_a_handler_of_jquery_runs_once_and_only_after_consent(landing: Landing, jquery: str) -> None:
    landing.host.put("/jquery.js", package_file("jquery", jquery, "dist/jquery.min.js").read_bytes())
    landing.open("jquery_handler.html")
    landing.fill()
    landing.is_held()
    thanks = landing.page.locator("#thanks b")
    expect(thanks).to_have_count(0)
    landing.agree()
    expect(thanks).to_have_text(f"Thanks, Jane Roe, with jQuery {jquery}!")
    landing.arrived()


@with_postgresql
def test_the_seeds_block_says_nothing_of_consent(landing: Landing) -> None:
    landing.make("en")
    landing.host.put("/jquery.js", package_file("jquery", "3.7.1", "dist/jquery.min.js").read_bytes())
    block = SEED.replace("https://your-domain.com", landing.live.url).replace(
        "YOUR_TOKEN", landing.snippet["lead_token"]
    )
    landing.open("seed.html", changes={"THE_BLOCK": block})
    landing.is_untouched()
    landing.press()
    unsaid = ("granted", "said_in", "disclosure", "disclosure_claimed", "text_is", "language", "default", "page_url")
    consent = dict.fromkeys((*unsaid, "read", "stamp")) | {"evidence": "none", "timed": False}
    landing.arrived({"email": None, "data": {"loan_amount": "500"}}, consent)


@with_postgresql
def test_inputs_that_react_controls_keep_what_was_typed(landing: Landing) -> None:
    for name, package in {"/react.js": "react", "/react-dom.js": "react-dom"}.items():
        file = package_file(package, "18.3.1", f"umd/{package}.production.min.js")
        landing.host.put(name, file.read_bytes())
    landing.open("react.html")
    landing.page.get_by_label("Your name").press_sequentially("Jane Roe")
    landing.fill()
    landing.is_held()
    expect(landing.page.get_by_text("Thanks")).to_have_count(0)
    landing.agree()
    expect(landing.page.get_by_text("Thanks, Jane Roe!")).to_be_visible()
    expect(landing.page.get_by_label("Phone")).to_have_value(PERSON["Phone"])
    landing.arrived()


@with_sqlite
def test_a_page_whose_libraries_have_changed_javascript_itself_works(landing: Landing) -> None:
    landing.open("polluted.html", "?utm_source=google")
    landing.fill()
    landing.is_held()
    landing.agree()
    landing.sees()
    landing.arrived(with_data(utm_source="google"))


# Forms that are not there at once, or not as a whole


@pytest.mark.parametrize(
    ("name", "database"),
    [("steps_hidden.html", "sqlite"), ("steps_removed.html", "postgresql")],
    indirect=["database"],
)
def test_a_form_of_steps_is_sent_as_a_whole(landing: Landing, name: str) -> None:
    landing.open(name)
    for label in ("Your name", "Email"):
        landing.fill({label: PERSON[label]})
        landing.page.get_by_role("button", name="Next").click()
    landing.fill({"Phone": PERSON["Phone"]})
    landing.is_held()
    landing.agree()
    landing.sees()
    landing.arrived()


@with_postgresql
def test_a_form_that_comes_late_is_found(landing: Landing) -> None:
    landing.open("late.html")
    landing.fill()
    landing.is_held()
    landing.agree()
    landing.sees()
    landing.arrived()


@with_sqlite
def test_a_form_of_an_applications_later_route_is_found_and_knows_the_click(landing: Landing) -> None:
    landing.open("route.html", "?utm_source=google")
    landing.page.get_by_role("link", name="Quote").click()
    # In the place that the page has reserved for it the box does not wait for the visitor.
    expect(landing.page.get_by_role("checkbox")).to_be_visible()
    landing.fill()
    landing.is_held()
    landing.agree()
    landing.sees()
    landing.arrived(with_data(utm_source="google"), {"page_url": f"{landing.host.origin}/hosts/quote?step=2"})


# More than one form


@with_postgresql
def test_each_of_two_forms_sends_its_own_lead(landing: Landing) -> None:
    landing.open("two.html")
    landing.within = landing.page.get_by_role("form", name="Below")
    landing.fill()
    landing.is_held()
    landing.agree()
    landing.sees()
    first = landing.arrived()
    landing.within = landing.page.get_by_role("form", name="Above")
    landing.fill(OTHER_PERSON)
    landing.agree()
    landing.sees()
    second = landing.arrived(OTHER_LEAD, of=2)
    assert first["idempotency_key"] != second["idempotency_key"]


@with_sqlite
def test_a_form_beside_that_of_leads_is_left_alone(landing: Landing) -> None:
    landing.host.put("/newsletter", b"Subscribed.")
    landing.open("newsletter.html")
    newsletter = landing.page.get_by_role("form", name="Newsletter")
    newsletter.get_by_label("Address").fill("news@example.com")
    newsletter.get_by_label("Mobile").fill("719-222-9999")
    expect(landing.page.get_by_role("checkbox")).to_have_count(0)
    landing.is_untouched()
    newsletter.get_by_role("button").click()
    landing.page.wait_for_url("**/newsletter")
    assert landing.host.posted == [("/newsletter", [("email", "news@example.com"), ("mobile", "719-222-9999")])]
    landing.page.goto(landing.address)
    landing.within = landing.page.get_by_role("form", name="Quote")
    landing.fill()
    landing.agree()
    landing.sees()
    landing.arrived()


# Page builders


@with_postgresql
def test_a_form_of_instapages_is_read_by_its_labels_and_sent_by_its_own_script(landing: Landing) -> None:
    landing.host.put("/ajax/pageserver/email/12345", b"{}")
    landing.open("instapage.html")
    landing.fill(PERSON | {"Zip code": "80301"})
    landing.is_held()
    landing.agree()
    expect(landing.page.locator("#thanks")).to_have_text("Thanks, Jane Roe!")
    landing.arrived({"data": {"your_name": "Jane Roe", "zip_code": "80301", "page": "12345"}})
    [(path, fields)] = landing.host.posted
    theirs = {name: value for name, value in fields if not name.startswith("_")}
    typed = ["Jane Roe", PERSON["Phone"], PERSON["Email"], "80301"]
    assert theirs == dict(zip(INSTAPAGE, ["12345", *typed], strict=True))
    assert path == "/ajax/pageserver/email/12345"


INSTAPAGE = ("page", "WW91ciBuYW1l", "UGhvbmUgTnVtYmVy", "RW1haWw=", "WmlwIGNvZGU=")


@with_sqlite
def test_a_form_of_unbounces_goes_on_to_its_own_server(landing: Landing) -> None:
    landing.host.put("/fsg", b"Thank you from Unbounce.")
    landing.open("unbounce.html")
    landing.fill()
    landing.is_held()
    assert landing.host.posted == []
    landing.agree()
    expect(landing.page.get_by_text("Thank you from Unbounce.")).to_be_visible()
    landing.arrived(with_data(pageid="0f3a", pagevariant="a"))
    [(path, fields)] = landing.host.posted
    theirs = {"name": "Jane Roe", "phone_number": PERSON["Phone"], "email": PERSON["Email"]}
    assert {name: value for name, value in fields if not name.startswith("_")} == theirs | UNBOUNCE
    assert path == "/fsg?pageId=0f3a&variant=a"


UNBOUNCE = {"pageId": "0f3a", "pageVariant": "a"}


# Pages that allow little, or break much


@with_postgresql
def test_a_strict_policy_with_trusted_types_is_kept(landing: Landing) -> None:
    server = landing.live.url
    policy = (
        f"default-src 'none'; script-src {server}; connect-src {server}; style-src 'none'; form-action 'self';"
        " require-trusted-types-for 'script'; trusted-types 'none'"
    )
    landing.open("simple.html", headers={"Content-Security-Policy": policy})
    landing.fill()
    landing.is_held()
    landing.agree()
    landing.sees()
    # Whatever would break the policy, an error in the console would tell.
    landing.arrived()


@with_sqlite
def test_inputs_that_hide_the_forms_own_members_do_not_matter(landing: Landing) -> None:
    landing.open("clobbered.html")
    landing.fill()
    landing.is_held()
    landing.agree()
    landing.sees()
    hidden = ("target", "title", "style", "reset", "attributes")
    others = {"action": "quote", "submit": "now", "elements": "four", "id": "17", "method": "phone", "length": "3"}
    landing.arrived(with_data(**others, **{name: name for name in hidden}, children="2"))


@with_postgresql
def test_what_is_nobodys_business_is_never_sent(landing: Landing) -> None:
    more = "".join(f'<label>More {at:02}<input name="more_{at:02}"></label>' for at in range(30))
    landing.open("many.html", changes={"<!-- thirty more -->": more})
    answers = {f"More {at:02}": f"answer {at}" for at in range(30)}
    landing.fill(PERSON | answers)
    secret = "4111111111111111"
    landing.fill(dict.fromkeys(("Password", "Card", "Code", "Private", "Within", "Elsewhere", "Outside"), secret))
    landing.page.get_by_label("Photo").set_input_files({"name": "p.png", "mimeType": "image/png", "buffer": b"secret"})
    landing.page.get_by_label("Solar").check()
    landing.page.get_by_label("Heat").check()
    landing.page.get_by_label("Yes, contact me.").check()
    landing.press()
    landing.sees()
    said = {f"more_{at:02}": f"answer {at}" for at in range(30)}
    submission = landing.arrived(with_data(**said, wants="heat"))
    assert secret not in str(submission)


# Languages and texts


@with_sqlite
def test_an_arabic_page_shows_the_default_text_as_english(landing: Landing) -> None:
    landing.button = "اطلب عرضا"
    landing.open("arabic.html")
    landing.fill({"الاسم": "جين", "الهاتف": PERSON["Phone"], "البريد": PERSON["Email"]})
    landing.is_held()
    direction = "(box) => getComputedStyle(box.closest('[lang]')).direction"
    assert landing.page.get_by_role("checkbox").evaluate(direction) == "ltr"
    landing.agree()
    landing.sees()
    landing.arrived({"data": {"name": "جين"}})


@with_postgresql
def test_a_mexican_page_shows_the_spanish_text(landing: Landing) -> None:
    landing.make("en", "es")
    landing.button = "Pedir presupuesto"
    landing.open("spanish.html")
    landing.fill({"Nombre": "Jane Roe", "Teléfono": PERSON["Phone"], "Correo": PERSON["Email"]})
    landing.is_held("Marque la casilla si acepta que le contactemos.")
    landing.agree()
    landing.sees("Gracias. Lo hemos recibido.")
    spanish = dict.fromkeys(("disclosure", "disclosure_claimed"), landing.versions["es"])
    landing.arrived(consent={"language": "es", "read": READ["es"], **spanish})


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
def test_a_text_that_was_translated_is_another_so_that_the_lead_is_held(landing: Landing) -> None:
    landing.open("simple.html")
    landing.fill()
    landing.page.get_by_role("checkbox").evaluate(TRANSLATE)
    landing.is_untouched()
    landing.agree()
    landing.sees()
    read = "Wort 0 Wort 1 Wort 2 Wort 3"
    learned = landing.learned()
    assert (learned["text"], learned["language"]) == (read, "en")
    differs = {"evidence": "asserted", "text_is": "differs", "disclosure": learned["content_hash"]}
    landing.arrived(consent={**differs, "read": read, "text": read}, held=True)


OWN_TEXT = "Call me, please. Acme Solar may call me with an autodialer."


@with_postgresql
def test_a_pages_own_text_is_learned_and_the_same_once_it_was_reviewed(landing: Landing) -> None:
    landing.make()
    landing.open("own_box.html")
    landing.fill()
    landing.is_held()
    landing.agree()
    landing.sees()
    learned = landing.learned()
    own = {"disclosure": learned["content_hash"], "read": OWN_TEXT}
    landing.arrived(consent=own | {"text_is": "unknown", "text": OWN_TEXT})
    assert (learned["text"], learned["reviewed_at"]) == (OWN_TEXT, None)
    landing.ask("POST", f"{landing.texts}/{learned['id']}/review")
    landing.page.reload()
    landing.fill(OTHER_PERSON)
    landing.agree()
    landing.sees()
    landing.arrived(OTHER_LEAD, own, of=2)


@with_sqlite
def test_a_box_that_starts_ticked_is_told_of(landing: Landing) -> None:
    landing.make()
    landing.open("own_box.html", changes={"data-lead-consent": "data-lead-consent checked"})
    landing.fill()
    expect(landing.page.get_by_role("checkbox")).to_be_checked()
    landing.is_untouched()
    landing.press()
    landing.sees()
    learned = {"disclosure": landing.learned()["content_hash"], "read": OWN_TEXT, "text": OWN_TEXT}
    landing.arrived(consent=learned | {"text_is": "unknown", "default": "ticked"})


@with_postgresql
def test_a_browser_that_asks_for_privacy_is_taken_at_its_word(landing: Landing) -> None:
    landing.page.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })")
    landing.open("simple.html", "?utm_source=google&gclid=abc")
    landing.fill()
    landing.agree()
    landing.sees()
    page_url = landing.address.partition("?")[0]
    landing.arrived(with_data(utm_source="google"), {"gpc": True, "page_url": page_url})
    landing.stores_nothing()


# Visitors


@with_sqlite
def test_the_keyboard_is_enough(landing: Landing) -> None:
    landing.open("simple.html")
    keyboard = landing.page.keyboard
    for value in PERSON.values():
        keyboard.press("Tab")
        keyboard.type(value)
    keyboard.press("Enter")
    expect(landing.page.get_by_role("checkbox")).to_be_focused()
    landing.is_untouched()
    keyboard.press("Space")
    # Past the links to the button.
    for _ in range(3):
        keyboard.press("Tab")
    expect(landing.page.get_by_role("button")).to_be_focused()
    keyboard.press("Enter")
    landing.sees()
    landing.arrived()


@with_postgresql
def test_a_form_that_was_filled_without_a_touch_is_read(landing: Landing) -> None:
    landing.open("simple.html")
    for label, value in PERSON.items():
        landing.page.get_by_label(label).evaluate("(field, value) => (field.value = value)", value)
    landing.is_held()
    landing.agree()
    landing.sees()
    landing.arrived()


@with_sqlite
def test_a_visitor_who_comes_back_can_send_another_lead(landing: Landing) -> None:
    landing.make("en")
    thanks = landing.place("thanks.html")
    landing.open("simple.html", changes={"<form>": '<form data-lead-redirect="thanks.html">'})
    landing.fill()
    landing.is_held()
    landing.agree()
    landing.page.wait_for_url(thanks)
    landing.arrived()
    landing.page.go_back()
    landing.fill(OTHER_PERSON)
    landing.agree()
    landing.page.wait_for_url(thanks)
    landing.arrived(OTHER_LEAD, of=2)


@with_postgresql
def test_a_page_in_a_frame_works_as_alone(landing: Landing) -> None:
    landing.make("en")
    framed = landing.place("plain.html") + "?utm_source=frame"
    landing.open("frame.html")
    around, landing.address = landing.address, framed
    landing.within = landing.page.frame_locator("iframe")
    landing.fill()
    landing.is_held()
    landing.agree()
    landing.sees()
    landing.arrived(with_data(loan_amount="100", variant="b", utm_source="frame", referrer=around))


@with_sqlite
def test_a_confirmation_page_sends_once_however_often_it_is_loaded(landing: Landing) -> None:
    landing.open("confirmation.html", changes={"You may call me.": READ["en"]})
    heard = landing.page.locator("#heard li")
    for _ in range(2):
        expect(heard).to_have_text("received")
        landing.page.reload()
    expect(heard).to_have_text("received")
    said = {"evidence": "asserted", "stamp": None, "timed": False}
    landing.arrived(consent=said | dict.fromkeys(("disclosure_claimed", "language", "default")))
