"""Pages whose own scripts make the browser ask before it sends a lead, in real Chromium: headers of their own, tracing
libraries, credentials, beacons of JSON."""

import time

import pytest
from playwright.sync_api import Page

from tests.browser.host import Host
from tests.factories import Account
from tests.live import Live
from tests.npm import package_file

NUMBER = "+17192221234"
JQUERY = package_file("jquery", "3.7.1", "dist/jquery.min.js")

# What a page does with our address; each gives the status, as far as the page may see it.
WAYS = {
    "jQuery with headers of the page's own": """async (url) => {
        $.ajaxSetup({headers: {"X-CSRF-TOKEN": "abc", "X-Requested-With": "XMLHttpRequest"}});
        return (await $.ajax({url, method: "POST", data: {caller_id: NUMBER}})).status; }""",
    "jQuery with credentials": """async (url) => {
        $.ajaxSetup({xhrFields: {withCredentials: true}});
        return (await $.ajax({url, method: "POST", data: {caller_id: NUMBER}})).status; }""",
    "fetch with the headers of tracing libraries": """async (url) => {
        const headers = {"Content-Type": "application/json", "sentry-trace": "0-1", baggage: "a=b", traceparent: "00-1",
            tracestate: "a=b", newrelic: "x", "x-datadog-trace-id": "1"};
        return (await fetch(url, {method: "POST", headers, body: JSON.stringify({caller_id: NUMBER})})).status; }""",
    "fetch with credentials and JSON": """async (url) => {
        const headers = {"Content-Type": "application/json"};
        const body = JSON.stringify({caller_id: NUMBER});
        return (await fetch(url, {method: "POST", credentials: "include", headers, body})).status; }""",
    "axios, as it is told to send credentials": """(url) => new Promise((resolve, reject) => {
        const request = new XMLHttpRequest();
        request.open("POST", url);
        request.withCredentials = true;
        request.setRequestHeader("X-XSRF-TOKEN", "abc");
        request.setRequestHeader("Content-Type", "application/json");
        request.onload = () => resolve(JSON.parse(request.responseText).status);
        request.onerror = () => reject("refused");
        request.send(JSON.stringify({caller_id: NUMBER})); })""",
    "a beacon of JSON": """(url) => {
        const body = new Blob([JSON.stringify({caller_id: NUMBER})], {type: "application/json"});
        return navigator.sendBeacon(url, body) ? 200 : 0; }""",
}


@pytest.mark.parametrize("way", WAYS)
def test_a_lead_of_a_page_whose_browser_asks_first_arrives(
    page: Page, host: Host, live: Live, account: Account, way: str
) -> None:
    page.goto(host.put("/asking.html", b"<!doctype html><title>A page</title><link rel=icon href=data:,>"))
    page.add_script_tag(content=JQUERY.read_text(encoding="utf-8"))
    # A cookie of ours, if there were one, would travel along.
    page.context.add_cookies([{"name": "session", "value": "x", "url": live.url}])
    url = f"{live.url}/api/v1/leads?lead_token={account.publishable_token}"
    assert page.evaluate(WAYS[way].replace("NUMBER", f'"{NUMBER}"'), url) == 200
    deadline = time.monotonic() + 10
    while not account.leads() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [lead["caller_id"] for lead in account.leads()] == [NUMBER]
