"""What a visitor sees whose browser sends the form itself: a page in place of JSON, and nothing more than JSON says."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.api.calls import CAPTURE, LEADS, NUMBER, OTHER_NUMBER, PAGE, refused, take, taken
from tests.factories import Account

# What Chromium sends with a form, and what older browsers do.
BROWSER = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Origin": PAGE,
    "Referer": f"{PAGE}/quote?a=1&b=2",
}
NAVIGATES = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "cross-site"}


def submit(client: FlaskClient, token: str, headers: dict[str, str] | None = None, **fields: str) -> TestResponse:
    """A form as a browser sends it."""
    form = {"lead_token": token, "caller_id": NUMBER} | fields
    return client.post(LEADS, data=form, headers=BROWSER | NAVIGATES | (headers or {}))


def page(answer: TestResponse, status: int) -> str:
    """The page, which is whole, and loads and runs nothing."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'none'" in policy
    assert "'unsafe-inline'" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    text = answer.get_data(as_text=True)
    assert text.startswith("<!doctype html>")
    assert not re.search(r"<script|<img|<iframe|@import|url\(", text)
    return text


@pytest.mark.parametrize("headers", [NAVIGATES, {}], ids=["a browser of now", "an older one"])
@pytest.mark.parametrize("kind", ["publishable_token", "schedule_token"])
def test_a_visitor_reads_that_the_form_was_received(
    client: FlaskClient, account: Account, kind: str, headers: dict[str, str]
) -> None:
    form = {"lead_token": getattr(account, kind), "caller_id": NUMBER}
    text = page(client.post(LEADS, data=form, headers=BROWSER | headers), 200)
    assert '<html lang="en">' in text
    assert "<h1>Thank you. We have received it.</h1>" in text
    assert len(account.leads()) == 1


def test_a_visitor_is_told_what_to_correct_and_the_way_back(client: FlaskClient, account: Account) -> None:
    text = page(submit(client, account.publishable_token, caller_id="1"), 422)
    assert "Enter a valid telephone number." in text
    assert f'<a href="{PAGE}/quote?a=1&amp;b=2" rel="noreferrer">Back to the form</a>' in text
    assert [row["code"] for row in account.submissions()] == ["invalid_caller_id"]


@pytest.mark.parametrize(
    ("languages", "language"),
    [
        ("es-MX,es;q=0.9,en;q=0.5", "es"),
        ("en-GB", "en"),
        ("fr", "en"),
        ("fr,es;q=0.5", "es"),
        ("*", "en"),
        ("x;q=y", "en"),
    ],
)
def test_a_page_speaks_the_visitors_language_where_it_can(
    client: FlaskClient, account: Account, languages: str, language: str
) -> None:
    answer = submit(client, account.publishable_token, headers={"Accept-Language": languages}, caller_id="1")
    text = page(answer, 422)
    assert f'<html lang="{language}">' in text
    assert ("Escriba un número de teléfono válido." in text) is (language == "es")


@pytest.mark.parametrize(
    "referrer",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "https://good.example@evil.example/",
        "//evil.example",
        "https://",
        "https://[",
        "about:blank",
        "",
        # What browsers say of a page on another origin: seldom the form's.
        PAGE,
        f"{PAGE}/",
    ],
)
def test_a_page_leads_back_to_no_address_that_is_none(client: FlaskClient, account: Account, referrer: str) -> None:
    text = page(submit(client, account.schedule_token, headers={"Referer": referrer}, caller_id="1"), 422)
    assert "<a " not in text
    assert "back button" in text


@pytest.mark.parametrize("payload", ["<script>alert(1)</script>", '"><svg onload=x>', "{title}", "&lt;"])
def test_what_was_sent_is_never_part_of_the_page_as_html(client: FlaskClient, account: Account, payload: str) -> None:
    headers = {"Referer": f"{PAGE}/?{payload}", "Accept-Language": payload}
    fields: dict[str, str] = {"caller_id": payload, "blocked": payload, payload: payload, "dry_run": payload}
    text = page(submit(client, account.schedule_token, headers=headers, **fields), 422)
    assert "<script" not in text
    assert "<svg" not in text
    assert text.count("<h1>") == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": "application/json"},
        {"Accept": "*/*"},
        {"Accept": "application/json, text/plain, */*"},
        {"Accept": "text/html, */*; q=0.01", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
        {"Accept": "application/json, text/html;q=0.9"},
        {},
    ],
)
def test_programs_read_json_as_ever(client: FlaskClient, account: Account, headers: dict[str, str]) -> None:
    form = {"lead_token": account.schedule_token, "caller_id": NUMBER}
    assert taken(client.post(LEADS, data=form, headers=headers))["action"] == "created"
    refused(client.post(CAPTURE, data=form | {"caller_id": "1"}, headers=headers), "invalid_caller_id")


def test_other_answers_stay_json_in_a_browser(client: FlaskClient, account: Account) -> None:
    for path in (LEADS, f"{LEADS}?lead_token={account.schedule_token}", "/api/v1/offers", "/nowhere"):
        assert client.get(path, headers=BROWSER | NAVIGATES).headers["Content-Type"] == "application/json"
    leads = {"lead_token": account.schedule_token, "leads": [{"caller_id": NUMBER}]}
    assert client.post(f"{LEADS}/batch", json=leads, headers=BROWSER).headers["Content-Type"] == "application/json"
    dry: Any = submit(client, account.schedule_token, dry_run="true")
    assert dry.get_json()["dry_run"] is True


def test_a_page_tells_nothing_of_what_is_stored(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token, blocked=True)
    known, unknown = (submit(client, account.publishable_token, caller_id=each) for each in (NUMBER, OTHER_NUMBER))
    assert page(known, 200) == page(unknown, 200)
    assert sorted(known.headers.keys()) == sorted(unknown.headers.keys())


def test_an_unknown_token_and_an_unreadable_form_show_a_page_too(client: FlaskClient, account: Account) -> None:
    assert "cannot be sent" in page(submit(client, "0" * 32), 422)
    broken = BROWSER | {"Content-Type": "multipart/form-data"}
    answer = client.post(f"{LEADS}?lead_token={account.schedule_token}", data=b"x", headers=broken)
    assert "cannot be sent" in page(answer, 400)


def test_an_allowed_redirect_goes_before_the_page(client: FlaskClient, account: Account) -> None:
    account.execute(
        """update lead_token set allowed_redirects = '["https://shop.example"]' where value = :value""",
        value=account.publishable_token,
    )
    account.execute("update company set config_version = config_version + 1 where id = :company_id")
    answer = submit(client, account.publishable_token, redirect_to=f"{PAGE}/thanks")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{PAGE}/thanks")
