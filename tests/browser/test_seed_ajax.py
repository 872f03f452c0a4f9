"""Leads sent by pages on another origin, in real Chromium: the seed's block with real jQuery, and every other way."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Request, expect

from tests.browser.host import Host
from tests.browser.reader import violations
from tests.factories import DAY, Account
from tests.live import Live
from tests.npm import package_file

# The seed's block, character for character; only its host and its token are replaced.
SEED = """\
$.ajax({
  url: "https://your-domain.com/api/v1/leads?lead_token=YOUR_TOKEN",
  method: "POST",
  data: {
    caller_id: "+17192221234",
    data: { loan_amount: "500" }
  }
});"""
NUMBER = "+17192221234"

# The last of each line that pages in the wild use.
JQUERY = ("1.12.4", "3.7.1", "4.0.0")
USUAL = "3.7.1"

REFUSED_422 = "Failed to load resource: .* status of 422"
REFUSED_403 = "Failed to load resource: .* status of 403"
# Chromium asks for one on its own where it shows JSON as a page.

FORM = "application/x-www-form-urlencoded"


@dataclass
class Visit:
    """A visitor's browser, and the two servers that it talks to."""

    page: Page
    host: Host
    live: Live
    account: Account
    expected_console: list[str]
    posts: list[Request]
    preflights: list[str]

    def place(self, name: str, token: str, jquery: str = USUAL, **changes: str) -> str:
        """Puts a page with its token on the customer's site, in a folder with that jQuery; its address."""
        folder = f"/jquery-{jquery}/"
        self.host.put(folder + "jquery.js", package_file("jquery", jquery, "dist/jquery.min.js").read_bytes())
        changed = {"THE_BLOCK": SEED, "https://your-domain.com": self.live.url, "YOUR_TOKEN": token} | changes
        return self.host.page(folder + name, changed)

    def open(self, name: str, token: str, jquery: str = USUAL, **changes: str) -> None:
        """Places a page and visits it."""
        self.page.goto(self.place(name, token, jquery, **changes))

    def submit(self) -> None:
        """Presses the page's button."""
        self.page.get_by_role("button").click()

    def heard(self, count: int = 1) -> list[dict[str, Any]]:
        """What the page's own script could read of that many answers."""
        items = self.page.locator("#heard li")
        expect(items).to_have_count(count)
        return [json.loads(text) for text in items.all_inner_texts()]

    def get(self, path: str, **params: str) -> Any:
        """What the API says to the owner."""
        answer = httpx.get(f"{self.live.url}/api/v1{path}", params=params, headers=self.account.bearer, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def submission_of(self, lead_id: str) -> dict[str, Any]:
        """The submission whose answer named this lead."""
        [submission] = self.get("/submissions", lead_id=lead_id)["submissions"]
        return dict(submission)

    def lead_of(self, submission: dict[str, Any]) -> dict[str, Any]:
        """The lead that a submission made or met."""
        return dict(self.get(f"/leads/{submission['lead_id']}")["lead"])


@pytest.fixture
def visit(page: Page, host: Host, live: Live, account: Account, expected_console: list[str]) -> Visit:
    """A visitor with an empty browser."""
    posts: list[Request] = []
    preflights: list[str] = []

    def on_request(request: Request) -> None:
        if request.method == "POST":
            posts.append(request)

    def on_any_request(event: dict[str, Any]) -> None:
        if event["request"]["method"] == "OPTIONS":
            preflights.append(event["request"]["url"])

    page.context.on("request", on_request)
    # Playwright's own events leave the preflights out.
    devtools = page.context.new_cdp_session(page)
    devtools.on("Network.requestWillBeSent", on_any_request)
    devtools.send("Network.enable")
    return Visit(page, host, live, account, expected_console, posts, preflights)


def assert_is_the_seeds_lead(lead: dict[str, Any], account: Account) -> None:
    """Field by field: what was sent, what the token says, and nothing that neither said."""
    created_at = datetime.fromisoformat(lead["created_at"])
    assert timedelta(0) <= datetime.now(UTC) - created_at < timedelta(minutes=1)
    assert datetime.fromisoformat(lead["next_action_at"]) == created_at + timedelta(seconds=DAY)
    expected = {
        "caller_id": NUMBER,
        "data": {"loan_amount": "500"},
        "offer_id": account.offer_id,
        "schedule_id": account.schedule_id,
        "status": "scheduled",
        "is_live": True,
        "test": False,
        "contact_attempts": 0,
        "blocked": False,
        "opt_out": False,
        "updated_at": lead["created_at"],
    }
    # The seed's page says nothing of consent, and its lead has a record that says so.
    assert lead.pop("consent")["evidence"] == "none"
    times = {"created_at", "next_action_at"}
    unsaid = lead.keys() - expected.keys() - times - {"id"}
    assert lead == expected | dict.fromkeys(unsaid) | {name: lead[name] for name in (*times, "id")}


def assert_is_public(answer: dict[str, Any]) -> None:
    """The answer tells a page what it sent and nothing else: neither the lead's id nor whether there was one."""
    assert answer["success"] is True
    assert answer["action"] == "received"
    assert answer["errors"] == {}
    assert answer["warnings"] == []
    assert UUID(answer["lead_id"]).version == 4
    assert answer["lead"]["id"] == answer["lead_id"]
    assert answer["lead"]["caller_id"] == NUMBER
    assert answer["lead"]["data"] == {"loan_amount": "500"}
    assert answer["lead"]["email"] is None


def assert_arrived(visit: Visit, answer: dict[str, Any]) -> None:
    """What the page was told leads the owner to the lead, and to the page that it came from."""
    assert_is_public(answer)
    submission = visit.submission_of(answer["lead_id"])
    assert submission["origin"] == visit.host.origin
    assert submission["action"] == "created"
    assert submission["powers"] == "public"
    assert submission["lead_id"] != answer["lead_id"]
    assert_is_the_seeds_lead(visit.lead_of(submission), visit.account)
    assert [lead["id"] for lead in visit.account.leads()] == [submission["lead_id"]]


@pytest.mark.parametrize("kind", ["publishable", "schedule"])
@pytest.mark.parametrize("jquery", JQUERY)
def test_the_seeds_block_in_a_submit_handler_brings_the_lead(visit: Visit, jquery: str, kind: str) -> None:
    visit.open("submit.html", getattr(visit.account, f"{kind}_token"), jquery)
    assert visit.page.evaluate("$.fn.jquery") == jquery
    visit.submit()
    [heard] = visit.heard()
    assert heard["status"] == 200
    assert_arrived(visit, heard["answer"])
    [post] = visit.posts
    assert post.headers["content-type"].startswith(FORM)
    # So no browser would keep a page of another site from posting: origins are for the server to judge.
    assert visit.preflights == []


def test_the_seeds_block_on_a_confirmation_page_brings_the_lead(visit: Visit) -> None:
    visit.open("confirmation.html", visit.account.publishable_token)
    [heard] = visit.heard()
    assert heard["status"] == 200
    assert_arrived(visit, heard["answer"])


def test_a_double_click_on_the_button_makes_one_lead(visit: Visit) -> None:
    visit.open("submit.html", visit.account.publishable_token)
    visit.page.get_by_role("button").dblclick()
    answers = [heard["answer"] for heard in visit.heard(2)]
    for answer in answers:
        assert_is_public(answer)
    assert answers[0]["lead_id"] != answers[1]["lead_id"]
    submissions = [visit.submission_of(answer["lead_id"]) for answer in answers]
    assert sorted(submission["action"] for submission in submissions) == ["created", "unchanged"]
    assert submissions[0]["lead_id"] == submissions[1]["lead_id"]


def test_a_server_token_in_a_page_is_taken_and_from_then_on_public(visit: Visit) -> None:
    account = visit.account
    token = account.schedule_token
    known = send(visit, token, caller_id=NUMBER, email="john@example.com")
    assert known["action"] == "created"
    assert token_row(account, token)["exposed_at"] is None

    visit.open("submit.html", token)
    visit.submit()
    [heard] = visit.heard()
    assert_is_public(heard["answer"])
    stored = visit.get(f"/leads/{known['lead_id']}")["lead"]
    assert (stored["email"], stored["data"]) == ("john@example.com", {"loan_amount": "500"})

    row = token_row(account, token)
    assert row["exposed_origin"] == visit.host.origin
    assert datetime.now(UTC) - row["exposed_at"] < timedelta(minutes=1)

    later = send(visit, token, caller_id=NUMBER, loan_amount="900", zip="80301")
    assert later["action"] == "received"
    assert later["lead_id"] != known["lead_id"]
    assert later["lead"]["data"] == {"loan_amount": "900", "zip": "80301"}
    stored = visit.get(f"/leads/{known['lead_id']}")["lead"]
    assert stored["data"] == {"loan_amount": "500", "zip": "80301"}

    assert token_row(account, account.vendor_token)["exposed_at"] is None
    assert send(visit, account.vendor_token, caller_id=NUMBER, zip="80302")["action"] == "updated"


def send(visit: Visit, token: str, **params: str) -> dict[str, Any]:
    """A post by a server: no Origin, nothing of a browser."""
    answer = visit.live.post(params={"lead_token": token}, data=params)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def token_row(account: Account, token: str) -> dict[str, Any]:
    """The token as it is stored."""
    [row] = account.rows("select exposed_at, exposed_origin from lead_token where value = :value", value=token)
    return row


def test_a_fetch_with_json_asks_first_and_repeats_safely(visit: Visit) -> None:
    visit.open("fetch.html", visit.account.publishable_token)
    visit.submit()
    visit.heard()
    visit.submit()
    first, second = visit.heard(2)
    [asked] = visit.preflights  # One only: the browser remembers the permission.
    assert asked.startswith(visit.live.url)
    assert [post.headers["content-type"] for post in visit.posts] == ["application/json"] * 2
    assert first["status"] == second["status"] == 200
    assert_arrived_once(visit, first["answer"])
    assert (first["replayed"], second["replayed"]) == (None, "true")
    assert second["answer"] == first["answer"]
    assert first["request"] == first["answer"]["metadata"]["request_id"] != second["request"]


def assert_arrived_once(visit: Visit, answer: dict[str, Any]) -> None:
    """As assert_arrived, where a repetition with the same key has come too."""
    assert_is_public(answer)
    created, replayed = visit.account.submissions()
    assert (created["action"], replayed["action"]) == ("created", "replayed")
    assert_is_the_seeds_lead(visit.lead_of(created), visit.account)
    assert len(visit.account.leads()) == 1


def test_form_data_is_read(visit: Visit) -> None:
    visit.open("form_data.html", visit.account.publishable_token)
    visit.submit()
    [heard] = visit.heard()
    [post] = visit.posts
    assert post.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert heard["status"] == 200
    assert_arrived(visit, heard["answer"])


def test_a_beacon_that_a_leaving_page_sends_arrives(visit: Visit) -> None:
    visit.place("thanks.html", "")
    visit.open("beacon.html", visit.account.publishable_token)
    visit.page.get_by_role("link").click()
    expect(visit.page.get_by_role("heading")).to_have_text("Thank you, we call you soon.")
    [lead] = soon(lambda: visit.get("/leads", number=NUMBER)["leads"])
    assert_is_the_seeds_lead(lead, visit.account)
    [submission] = visit.get("/submissions", lead_id=lead["id"])["submissions"]
    assert submission["origin"] == visit.host.origin
    [beacon] = visit.posts
    assert beacon.resource_type == "ping"
    assert beacon.headers["content-type"] == "text/plain;charset=UTF-8"


def soon(look: Callable[[], list[Any]]) -> list[Any]:
    """What a look finds within a few seconds: nobody hears the answer to a beacon."""
    deadline = time.monotonic() + 10
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def redirects(**targets: str) -> dict[str, str]:
    """The hidden fields of a native form."""
    fields = (f'<input type="hidden" name="{name}" value="{target}">' for name, target in targets.items())
    return {"<!-- redirects -->": "".join(fields)}


@pytest.fixture
def form_token(account: Account, host: Host) -> str:
    """A page's token whose owner lets visitors be sent on to the customer's site."""
    return account.token(kind="publishable", allowed_origins=[host.origin], allowed_redirects=[host.origin])


def test_a_form_without_script_sends_its_visitor_on_to_the_thanks(visit: Visit, form_token: str) -> None:
    thanks, sorry = visit.place("thanks.html", ""), visit.place("sorry.html", "")
    visit.open("native.html", form_token, **redirects(redirect_to=thanks, redirect_error=sorry))
    visit.submit()
    visit.page.wait_for_url(thanks)
    expect(visit.page.get_by_role("heading")).to_have_text("Thank you, we call you soon.")
    [submission] = visit.account.submissions()
    assert submission["origin"] == visit.host.origin
    assert_is_the_seeds_lead(visit.lead_of(submission), visit.account)


def test_a_form_without_script_sends_its_refused_visitor_to_the_other_page(visit: Visit, form_token: str) -> None:
    thanks, sorry = visit.place("thanks.html", ""), visit.place("sorry.html", "")
    visit.open("native.html", form_token, **redirects(redirect_to=thanks, redirect_error=sorry))
    visit.page.locator("[name=caller_id]").fill("911")
    visit.submit()
    visit.page.wait_for_url(sorry)
    expect(visit.page.get_by_role("heading")).to_have_text("Sorry, please check your number.")
    assert visit.account.leads() == []


def seen_page(visit: Visit, axe: Axe, text: str) -> dict[str, Any]:
    """Sends a native form; the newest submission, once its visitor has read our page with such a text, which everybody
    can use by light and by night."""
    with visit.page.expect_navigation(url=f"{visit.live.url}/**"):
        visit.submit()
    expect(visit.page.get_by_role("main")).to_contain_text(text)
    for scheme in ("light", "dark"):
        visit.page.emulate_media(color_scheme=scheme)
        assert violations(axe, visit.page) == []
    visit.page.set_viewport_size({"width": 390, "height": 700})
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390
    return visit.account.submissions()[0]


def test_a_form_without_script_and_redirect_thanks_its_visitor(visit: Visit, axe: Axe, form_token: str) -> None:
    visit.open("native.html", form_token)
    submission = seen_page(visit, axe, "Thank you. We have received it.")
    assert_is_the_seeds_lead(visit.lead_of(submission), visit.account)


def test_a_form_without_script_is_not_sent_on_to_a_stranger(visit: Visit, axe: Axe, form_token: str) -> None:
    stranger = visit.place("thanks.html", "").replace(visit.host.origin, visit.host.other_name)
    visit.open("native.html", form_token, **redirects(redirect_to=stranger))
    seen_page(visit, axe, "Thank you. We have received it.")
    assert len(visit.account.leads()) == 1


def test_a_refused_visitor_without_script_goes_back_to_what_was_typed(visit: Visit, axe: Axe, form_token: str) -> None:
    visit.expected_console.append(REFUSED_422)
    visit.open("native.html", form_token)
    visit.page.locator("[name=caller_id]").fill("911")
    submission = seen_page(visit, axe, "Enter a valid telephone number.")
    assert submission["code"] == "invalid_caller_id"
    expect(visit.page.get_by_role("main")).to_contain_text("Use the back button of your browser")
    visit.page.go_back()
    expect(visit.page.locator("[name=caller_id]")).to_have_value("911")


@pytest.mark.parametrize("jquery", JQUERY)
def test_a_page_can_show_its_visitor_what_is_wrong(visit: Visit, jquery: str) -> None:
    visit.expected_console.append(REFUSED_422)
    visit.open("errors.html", visit.account.publishable_token, jquery)
    visit.page.get_by_role("textbox").fill("911")
    visit.submit()
    expect(visit.page.get_by_role("listitem")).to_have_text(["422 caller_id is not a valid phone number"])
    assert visit.account.leads() == []
    [kept] = visit.account.submissions()
    assert (kept["code"], kept["origin"]) == ("invalid_caller_id", visit.host.origin)


def test_a_page_whose_origin_is_on_the_tokens_list_is_taken(visit: Visit) -> None:
    allowed = ["https://shop.example", visit.host.origin]
    visit.open("submit.html", visit.account.token(kind="publishable", allowed_origins=allowed))
    visit.submit()
    [heard] = visit.heard()
    assert heard["status"] == 200
    assert_arrived(visit, heard["answer"])


def assert_origin_refused(visit: Visit, heard: dict[str, Any], origin: str) -> None:
    """The page can read why, nothing is taken, and the owner can see what came."""
    assert heard["status"] == 403
    assert heard["answer"]["code"] == "origin_not_allowed"
    assert heard["answer"]["errors"] == {"lead_token": [f"may not be used from {origin}"]}
    assert visit.account.leads() == []
    [kept] = visit.account.submissions()
    assert (kept["code"], kept["origin"]) == ("origin_not_allowed", origin)


def test_a_page_whose_origin_only_looks_like_a_listed_one_is_refused_and_can_read_why(visit: Visit) -> None:
    visit.expected_console.append(REFUSED_403)
    port = visit.host.port
    listed = ["http://127.0.0.1", f"https://127.0.0.1:{port}", f"http://127.0.0.1:{port}0", visit.live.url]
    visit.open("submit.html", visit.account.token(kind="publishable", allowed_origins=listed))
    visit.submit()
    [heard] = visit.heard()
    assert_origin_refused(visit, heard, visit.host.origin)


def test_the_same_page_under_another_host_name_is_another_origin(visit: Visit) -> None:
    visit.expected_console.append(REFUSED_403)
    token = visit.account.token(kind="publishable", allowed_origins=[visit.host.origin])
    address = visit.place("submit.html", token)
    visit.page.goto(address.replace(visit.host.origin, visit.host.other_name))
    visit.submit()
    [heard] = visit.heard()
    assert_origin_refused(visit, heard, visit.host.other_name)


def open_without_origin(visit: Visit, token: str) -> dict[str, Any]:
    """Submits the page from within a sandboxed frame, where the browser says `Origin: null`."""
    visit.place("submit.html", token)
    visit.open("sandbox.html", token)
    frame = visit.page.frame_locator("iframe")
    frame.get_by_role("button").click()
    return dict(json.loads(frame.locator("#heard li").inner_text()))


def test_a_page_without_an_origin_is_refused_once_there_is_a_list(visit: Visit) -> None:
    visit.expected_console.append(REFUSED_403)
    token = visit.account.token(kind="publishable", allowed_origins=[visit.host.origin])
    assert_origin_refused(visit, open_without_origin(visit, token), "null")


def test_a_page_without_an_origin_is_taken_while_the_token_learns(visit: Visit) -> None:
    heard = open_without_origin(visit, visit.account.publishable_token)
    assert_is_public(heard["answer"])
    assert visit.submission_of(heard["answer"]["lead_id"])["origin"] == "null"
