"""Requests that send no lead: systems that ask first, people who paste the address, keys in a URL, GETs that write."""

import json

import pytest
from flask import Flask
from flask.testing import FlaskClient

from server.app import trust_proxies
from tests.api.calls import LEADS, NUMBER, SUBMISSIONS, refused
from tests.factories import Account
from tests.live import Live
from tests.raw import ask, request
from tests.snapshot import Difference, difference, snapshot
from tests.unit import table

KINDS = ("schedule_token", "offer_token", "publishable_token", "vendor_token")
OTHERS = (LEADS, f"{LEADS}.json", f"{LEADS}/capture", f"{LEADS}/create_or_update", f"{LEADS}/batch")


@pytest.mark.parametrize("path", OTHERS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_system_that_asks_first_hears_that_leads_go_there_by_post(
    live: Live, app: Flask, account: Account, path: str, kind: str
) -> None:
    before = snapshot(app, account.company_id)
    target = f"{path}?lead_token={getattr(account, kind)}"
    answer = ask(live.port, request("GET", target, {"Accept": "text/html", "Authorization": "Bearer undefined"}))
    assert (answer.status, answer.json["success"]) == (200, True)
    assert "Send leads by POST" in answer.json["message"]
    assert getattr(account, kind) not in answer.body.decode()
    bare = ask(live.port, request("HEAD", target))
    assert (bare.status, bare.body) == (200, b"")
    assert difference(before, snapshot(app, account.company_id)) == Difference()


@pytest.mark.parametrize("path", OTHERS)
def test_who_asks_without_a_token_is_told_of_keys_and_of_post(live: Live, path: str) -> None:
    answer = ask(live.port, request("GET", path))
    assert (answer.status, answer.json["code"]) == (401, "key_required")
    assert "by POST" in answer.json["detail"]


@pytest.mark.parametrize("token", ["0" * 32, "x", "YOUR_TOKEN"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_who_asks_with_a_token_that_is_none_hears_what_a_post_hears(
    client: FlaskClient, account: Account, token: str, method: str
) -> None:
    posted = client.post(f"{LEADS}?lead_token={token}")
    asked = client.open(f"{LEADS}?lead_token={token}", method=method)
    assert asked.status_code == posted.status_code == 422
    if method == "GET":
        assert refused(asked, "lead_token_invalid")["errors"] == posted.get_json()["errors"]


def test_a_token_that_has_ended_and_one_of_another_kind_hear_the_same(client: FlaskClient, account: Account) -> None:
    account.execute("update lead_token set disabled_at = created_at where value = :value", value=account.vendor_token)
    account.execute("update company set config_version = config_version + 1 where id = :company_id")
    refused(client.get(f"{LEADS}?lead_token={account.vendor_token}"), "lead_token_invalid")
    refused(client.get(f"{LEADS}?offer_lead_token={account.schedule_token}"), "lead_token_invalid")


@pytest.mark.parametrize("name", ["caller_id", "number", "phone", "data[caller_id]", "caller_id%20"])
def test_a_lead_by_get_is_told_that_nothing_was_taken(live: Live, account: Account, name: str) -> None:
    answer = ask(live.port, request("GET", f"{LEADS}?lead_token={account.schedule_token}&{name}=7192221234"))
    assert (answer.status, answer.json["code"]) == (401, "key_required")
    assert "Nothing was taken" in answer.json["message"]
    assert "by POST" in answer.json["detail"]
    assert account.leads() == account.submissions() == []


def test_a_key_still_lists_leads_and_still_knows_no_filter_of_that_name(client: FlaskClient, account: Account) -> None:
    assert client.get(LEADS, headers=account.bearer).get_json()["leads"] == []
    answer = client.get(f"{LEADS}?lead_token={account.schedule_token}", headers=account.bearer)
    assert list(refused(answer, "invalid_parameter")["errors"]) == ["lead_token"]


def test_a_method_that_an_endpoint_does_not_take_is_told_which_it_does(client: FlaskClient, account: Account) -> None:
    answer = client.get(f"{LEADS}/{NUMBER}/caller_remove?lead_token={account.schedule_token}")
    assert refused(answer, "method_not_allowed")["detail"].endswith("Send POST or PUT.")


# Keys in URLs


@pytest.mark.parametrize("row", table("keys_in_urls.csv"), ids=lambda row: row["case"])
def test_a_key_in_a_url_is_refused_however_it_is_spelt(live: Live, account: Account, row: dict[str, str]) -> None:
    query = row["query"].replace("KEY", account.private_key)
    lead = json.dumps({"caller_id": NUMBER}).encode()
    asked = [
        request(
            "POST", f"{LEADS}?lead_token={account.vendor_token}&{query}", {"Content-Type": "application/json"}, lead
        ),
        request("GET", f"{LEADS}?{query}", account.bearer),
        request("GET", f"{LEADS}?lead_token={account.schedule_token}&{query}"),
        request("GET", f"{SUBMISSIONS}?{query}", account.bearer),
        request("GET", f"{SUBMISSIONS}?lead_token={account.schedule_token}&{query}"),
        request("GET", f"/api/v1/schedules/{account.schedule_id}?{query}", account.bearer),
        request("PUT", f"/api/v1/schedules/{account.schedule_id}?{query}", account.bearer | {"Content-Length": "0"}),
    ]
    codes = [ask(live.port, each).json.get("code") for each in asked]
    if row["refused"]:
        assert codes == ["key_in_url"] * len(asked)
        assert account.leads() == []
    else:
        assert "key_in_url" not in codes
        assert len(account.leads()) == 1


# What stands in front of us


@pytest.mark.parametrize("path", ["/metrics/", "//metrics", "///metrics", "/metrics//", "//metrics/", "/./metrics"])
def test_metrics_have_one_address_so_that_a_proxy_can_close_it(live: Live, path: str) -> None:
    # Where they are switched off, the one address says so.
    assert "switched off" in ask(live.port, request("GET", "/metrics")).json["status"]
    answer = ask(live.port, request("GET", path))
    assert (answer.status, answer.json["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "scheme", ["http", "https", "HTTPS", "javascript", "ftp", "", "https://evil.example/x?", "a b"]
)
def test_a_proxy_may_say_http_or_https_and_nothing_else(scheme: str) -> None:
    seen: list[str] = []
    wsgi = trust_proxies(lambda environ, start: seen.append(environ["wsgi.url_scheme"]) or [], 1)
    wsgi({"wsgi.url_scheme": "http", "HTTP_X_FORWARDED_PROTO": scheme, "REMOTE_ADDR": "127.0.0.1"}, None)
    assert seen == ["https" if scheme.lower() == "https" else "http"]
