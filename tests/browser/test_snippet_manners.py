"""The hosted script as a guest: accessible, unmoved, and at home on strict and on hostile pages."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.reader import violations
from tests.browser.snippets import FORM, NUMBER, THANKS, WORDS, Landing, agreed
from tests.npm import package_file

# What a browser does with a page does not depend on it.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="session")


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
    trap = landing.page.locator("[tabindex='-1'][aria-hidden]")
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
    assert (
        landing.page.locator("[tabindex='-1'][aria-hidden]").evaluate("(trap) => getComputedStyle(trap).position")
        == "fixed"
    )


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


NEIGHBOURS = """<form><input type=tel name=phone aria-label=Phone oninput="this.nextElementSibling.focus()">
  <input name=zip aria-label=ZIP><button>Send</button></form>"""


def test_a_page_that_goes_on_to_the_next_field_never_leads_its_visitor_into_the_trap(landing: Landing) -> None:
    landing.open(NEIGHBOURS)
    landing.fill()
    expect(landing.page.get_by_label("ZIP")).to_be_focused()


STEPS = """<form><div><label>ZIP <input name=zip></label>
    <button onclick="this.parentNode.hidden = true; this.parentNode.nextElementSibling.hidden = false; return false">
      Next</button></div>
  <div hidden><label>Phone <input type=tel name=phone></label><button>Send</button></div></form>"""


def test_the_box_stands_in_the_step_that_its_visitor_sees(landing: Landing) -> None:
    landing.open(STEPS)
    landing.page.get_by_label("ZIP").fill("80301")
    expect(landing.box).to_be_visible()
    landing.page.get_by_role("button", name="Next").click()
    landing.fill()
    landing.agree()
    landing.send()
    landing.sent()
    assert landing.said["data[zip]"] == "80301"
