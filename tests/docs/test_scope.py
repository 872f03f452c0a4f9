"""What the documentation knows of the lead token that it was opened with, and what it keeps to itself."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from server.docs.scope import Scope, find_scope
from server.lead_tokens.models import LeadToken
from server.offers.models import ContactField, ContactFieldType, Offer
from server.schedules.models import Schedule
from server.sources.models import TrafficSource
from tests.factories import Account, make_account

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
SECRET = "hunter2"


def look(account: Account, token: str) -> Scope | None:
    """What a request for a page finds."""
    with account.app.test_request_context("/api/docs/ui/", environ_base={"REMOTE_ADDR": "127.0.0.1"}):
        return find_scope(token)


def seen(account: Account, token: str) -> Scope:
    """What a page shows of a token, which must be one in force."""
    scope = look(account, token)
    assert scope is not None
    return scope


def token_id(account: Account, value: str) -> int:
    """The row of a lead token."""
    [row] = account.rows("select id from lead_token where value = :value", value=value)
    return int(row["id"])


def furnish(account: Account, word: str) -> None:
    """Names with the word in everything of a company that a scope may show."""
    company_id = account.company_id
    kind = account.add(ContactFieldType(company_id=company_id, key=f"{word}_type", name=f"{word} type"))
    for position, about in enumerate(
        (
            {"key": f"{word}_zip", "name": "ZIP code", "hint": "five digits", "pattern": "[0-9]{5}", "required": True},
            {"key": "email", "name": "E-mail", "contact_field_type_id": kind},
            {"key": f"{word}_age", "name": "Age", "value_type": "integer", "minimum": 18, "maximum": 99},
            {"key": f"{word}_car", "name": "Car", "options": ["Audi", "BMW"]},
        )
    ):
        account.add(ContactField(company_id=company_id, offer_id=account.offer_id, position=9 - position, **about))
    for name, shown in ((f"{word} shown", True), (f"{word} hidden", False)):
        source = TrafficSource(company_id=company_id, user_traffic_source_id=name, name=name, show_in_docs=shown)
        account.add(source)
    deleted = {"show_in_docs": True, "deleted_at": NOW}
    account.add(TrafficSource(company_id=company_id, user_traffic_source_id="gone", name=f"{word} gone", **deleted))


@pytest.mark.parametrize(
    ("token", "about"),
    [
        ("vendor_token", {"kind": "server", "owner_kind": "schedule", "owner_name": "Call now"}),
        ("offer_token", {"kind": "server", "owner_kind": "offer", "owner_name": "Auto insurance"}),
        ("publishable_token", {"kind": "publishable", "owner_kind": "schedule", "owner_name": None}),
    ],
)
def test_a_token_shows_its_owner_and_in_a_page_not_the_company(
    account: Account, token: str, about: dict[str, str]
) -> None:
    value = getattr(account, token)
    company_name = "Acme" if about["kind"] == "server" else None
    nothing: dict[str, Any] = dict.fromkeys(("fields", "contact_field_types", "rules", "sources"), ())
    assert seen(account, value) == Scope(lead_token=value, exposed=False, company_name=company_name, **about, **nothing)


def test_a_server_token_that_a_page_has_exposed_does_not_name_the_company(account: Account) -> None:
    page = {"exposed_at": NOW, "exposed_origin": "https://shop.example"}
    account.change(LeadToken, token_id(account, account.vendor_token), **page)
    assert seen(account, account.vendor_token).company_name is None


@pytest.mark.parametrize("token", ["schedule_token", "offer_token", "publishable_token"])
def test_the_fields_are_shown_as_they_are_sent_in_their_order(account: Account, token: str) -> None:
    furnish(account, "our")
    fields = [asdict(field) for field in seen(account, getattr(account, token)).fields]
    plain = {
        "hint": "",
        "value_type": "string",
        "wanted": False,
        "required": False,
        "pattern": None,
        "options": (),
        "minimum": None,
        "maximum": None,
        "contact_field_type": None,
    }
    zip_code = {"hint": "five digits", "wanted": True, "pattern": "[0-9]{5}"}
    assert fields == [
        plain | {"name": "data.our_car", "title": "Car", "options": ("Audi", "BMW")},
        plain | {"name": "data.our_age", "title": "Age", "value_type": "integer", "minimum": 18, "maximum": 99},
        plain | {"name": "email", "title": "E-mail", "contact_field_type": "our_type"},
        plain | {"name": "data.our_zip", "title": "ZIP code"} | zip_code,
    ]
    [kind] = seen(account, getattr(account, token)).contact_field_types
    assert (kind.key, kind.name) == ("our_type", "our type")


@pytest.mark.parametrize(
    ("model", "token"), [(Schedule, "schedule_token"), (Schedule, "publishable_token"), (Offer, "offer_token")]
)
def test_the_rules_are_those_of_the_tokens_own_owner(account: Account, model: Any, token: str) -> None:
    furnish(account, "our")
    owner_id = account.schedule_id if model is Schedule else account.offer_id
    account.change(model, owner_id, acceptance={"enforce_contact_fields": True, "duplicate_seconds": 30 * 86_400})
    scope = seen(account, getattr(account, token))
    assert [(rule.code, rule.sentence) for rule in scope.rules] == [
        ("contact_field_invalid", "Refuses a lead whose values are not what the contact fields ask for."),
        ("duplicate_lead", "Refuses a number that came here within the last 30 days."),
    ]
    assert [field.name for field in scope.fields if field.required] == ["data.our_zip"]
    other = account.offer_token if model is Schedule else account.schedule_token
    assert seen(account, other).rules == ()
    assert not any(field.required for field in seen(account, other).fields)


def test_its_own_source_is_shown_and_those_that_are_marked(account: Account) -> None:
    furnish(account, "0")
    assert [source.name for source in seen(account, account.vendor_token).sources] == ["0 shown"]
    own = account.token(default_traffic_source_id=account.source_id)
    sources = [(source.user_traffic_source_id, source.name) for source in seen(account, own).sources]
    assert sources == [("google_ads", "Google Ads"), ("0 shown", "0 shown")]


def test_another_companys_things_never_show(app: Flask, account: Account) -> None:
    other = make_account(app)
    furnish(other, SECRET)
    furnish(account, "our")
    for token in (account.schedule_token, account.offer_token, account.publishable_token):
        scope = seen(account, token)
        assert SECRET not in str(scope)
        assert len(scope.fields) == 4
        assert len(scope.sources) == 1
    assert SECRET in str(seen(other, other.schedule_token))


def test_a_source_of_another_company_does_not_show_as_a_default(app: Flask, account: Account) -> None:
    other = make_account(app, source=SECRET)
    account.change(LeadToken, token_id(account, account.vendor_token), default_traffic_source_id=other.source_id)
    assert seen(account, account.vendor_token).sources == ()


def test_what_takes_no_leads_shows_nothing_whatever_the_reason(account: Account) -> None:
    assert look(account, account.vendor_token) is not None
    postback = account.token(kind="postback", owner_kind="traffic_source", owner_id=account.source_id)
    for value in ("", "?", "0" * 32, account.vendor_token.upper(), postback):
        assert look(account, value) is None, value
    for about in ({"disabled_at": NOW}, {"expires_at": NOW}):
        ended = account.token()
        account.change(LeadToken, token_id(account, ended), **about)
        assert look(account, ended) is None, about
    account.change(Schedule, account.schedule_id, deleted_at=NOW)
    assert look(account, account.schedule_token) is None
    assert look(account, account.offer_token) is not None


def test_looking_writes_nothing(account: Account) -> None:
    before = account.rows("select * from lead_token where company_id = :company_id order by id")
    seen(account, account.vendor_token)
    assert account.rows("select * from lead_token where company_id = :company_id order by id") == before
    assert account.submissions() == []
