"""What the hosted script reads: which forms, which fields, which click."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.snippets import FORM, NUMBER, THANKS, Landing

# What a browser does with a page does not depend on it.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="session")


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
        "data[UGhvbmUgTnVtYmVyKg==]": ["+17195550199"],
        "data[TG9hbiBhbW91bnQ=]": ["500"],
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
    'name="telefone"': "caller_id",
    'name="téléphone"': "caller_id",
    'name="Telefonnummer"': "caller_id",
    'name="handynummer"': "caller_id",
    'name="puhelin"': "caller_id",
    'name="telefoon"': "caller_id",
    'name="nomor_hp"': "caller_id",
    'name="no_telp"': "caller_id",
    'name="movil"': "caller_id",
    'name="móvil"': "caller_id",
    'name="celular"': "caller_id",
    'name="電話番号"': "caller_id",
    'name="手机"': "caller_id",
    'name="телефон"': "caller_id",
    'name="contact_number"': "caller_id",
    'name="caller_id"': "caller_id",
    'name="x" id="your-phone"': "caller_id",
    'name="x" placeholder="Your telephone"': "caller_id",
    'name="x" title="L" aria-label="Teléfono móvil"': "caller_id",
    'name="telefax"': "data[telefax]",
    'name="phone_ext"': "data[phone_ext]",
    'name="automobile"': "data[automobile]",
    'name="television"': "data[television]",
    'name="tell_us"': "data[tell_us]",
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
    'name="TG9hbiBhbW91bnQ="': "data[TG9hbiBhbW91bnQ=]",
    'name="toString"': "data[toString]",
}


# What a field is that is for no number, a form with another one tells.
READ = """[...document.forms].map((form) => {
  const [, read] = handraiser.check;
  if (!read(form)[0]) form.append(Object.assign(document.createElement("input"), { type: "tel" }));
  return read(form)[0][1];
})"""


def test_a_field_is_known_by_what_the_page_says_by_its_name_its_autocomplete_or_its_type(landing: Landing) -> None:
    forms = "".join(f"<form><input {field} aria-label=Field></form>" for field in NAMES)
    empty = landing.host.put("/empty.js", b"")
    landing.open(forms, query="#handraiser-check", check=empty, fields={"mapped": "traffic_source_id"})
    assert dict(zip(NAMES, landing.page.evaluate(READ), strict=True)) == NAMES


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


# What pages ask for where we need one number: what their visitor types, what a widget's own script fills in.
DIAL = "<select name=dial aria-label=Country><option value=44>United Kingdom (+44)</select>"
WIDGET = """<input type=hidden name=full_phone>
<script>document.forms[0].addEventListener("submit", (event) => { event.preventDefault();
  event.target.elements.full_phone.value = "+447911123456"; });</script>"""
IN_PARTS = [
    ('<input name="phone1"><input name="phone2"><input name="phone3">', ["719", "555", "0142"], NUMBER),
    (
        '<input name="phone[area]"><input name="phone[prefix]"><input name="phone[line]">',
        ["719", "555", "0142"],
        NUMBER,
    ),
    ('<input name="area"><input name="phone">', ["719", "555-0142"], NUMBER),
    ('<input name="tel[]" type="tel"><input name="tel[]" type="tel">', ["719", "5550142"], NUMBER),
    (f'{DIAL}<input type="tel" name="phone">', ["07911 123456"], "+447911123456"),
    ('<input name="country_code" value="+44"><input type="tel" name="phone">', ["+44", "7911 123456"], "+447911123456"),
    (f'<input type="tel" name="phone">{WIDGET}', ["07911 123456"], "+447911123456"),
    (f'<input type="hidden" name="phone"><input type="tel" name="shown">{WIDGET}', ["07911 123456"], "+447911123456"),
]


@pytest.mark.parametrize(("fields", "typed", "number"), IN_PARTS)
def test_a_number_that_a_page_asks_for_in_parts_or_keeps_in_a_widget_comes_whole(
    landing: Landing, fields: str, typed: list[str], number: str
) -> None:
    landing.open(f"<form>{fields.replace('<input', '<input aria-label=Part')}<button>Send</button></form>")
    inputs = landing.page.locator("input:not([type=hidden]):not([tabindex])")
    for at, text in enumerate(typed):
        inputs.nth(at).fill(text)
    landing.agree()
    landing.send()
    landing.page.wait_for_function("heard.length")
    assert [lead["caller_id"] for lead in landing.account.leads()] == [number]


LOGIN = "<form><label>Account <input type=tel name=phone></label><input type=password aria-label=Password></form>"


def test_of_two_forms_with_a_telephone_field_each_has_its_own_gate_and_a_login_has_none(landing: Landing) -> None:
    landing.open(LOGIN + FORM.replace("Phone", "Other").replace("Send", "Go") + FORM)
    landing.page.get_by_label("Account").focus()
    expect(landing.page.get_by_role("checkbox")).to_have_count(0)
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
