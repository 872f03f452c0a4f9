"""What becomes of a lead when the network or the server fails, or the visitor leaves."""

import os
from contextlib import suppress
from signal import SIGCONT, SIGKILL, SIGSTOP
from urllib.parse import parse_qsl

import pytest
from playwright.sync_api import Error, Route, expect

from tests.browser.snippets import FORM, NUMBER, THANKS, WORDS, Landing, agreed, answering, holding, run_until, soon

ABORTED = "Failed to load resource: net::"


# What a browser does with a page does not depend on it.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="session")


def test_offline_it_waits_and_online_it_sends_one(landing: Landing) -> None:
    landing.expected_console.append(ABORTED)
    agreed(landing)
    landing.page.context.set_offline(True)
    landing.send()
    expect(landing.status).to_have_text(WORDS["en"]["sending"])
    landing.page.context.set_offline(False)
    landing.sent()
    assert len(landing.account.leads()) == len(landing.account.submissions()) == 1


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
    held[0].continue_()
    expect(landing.status).to_have_text("")
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
