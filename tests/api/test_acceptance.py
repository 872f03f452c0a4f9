"""Acceptance rules: what an owner who switches one on turns away, with which words, and what a page learns of it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient

from server.contacts.models import Contact
from server.offers.models import ContactField, ContactFieldType, Offer
from server.offers.schemas import AcceptanceSchema
from server.schedules.models import Schedule
from tests.api.calls import (
    CAPTURE,
    LEADS,
    NOW,
    NUMBER,
    OTHER_NUMBER,
    PAGE,
    SUBMISSIONS,
    Json,
    end,
    refused,
    send,
    take,
    taken,
)
from tests.factories import Account

CERTIFICATE = "https://cert.trustedform.com/0123456789abcdef0123456789abcdef01234567"
BRITISH = "+442071838750"
FRENCH = "+33123456789"
SECOND = timedelta(seconds=1)

by_owner = pytest.mark.parametrize("owner", ["schedule", "offer"])


def switch_on(account: Account, owner: str = "schedule", **rules: Any) -> str:
    """Switches rules on for the schedule or the offer; a server's token of it."""
    if owner == "schedule":
        account.change(Schedule, account.schedule_id, acceptance=rules)
        return account.schedule_token
    account.change(Offer, account.offer_id, acceptance=rules)
    return account.offer_token


def page_of(account: Account, owner: str) -> str:
    """A page's token of the schedule or the offer."""
    owner_id = {"schedule": account.schedule_id, "offer": account.offer_id}[owner]
    return account.token(kind="publishable", owner_kind=owner, owner_id=owner_id)


def contact_field(account: Account, key: str, **about: Any) -> int:
    known = {"company_id": account.company_id, "offer_id": account.offer_id, "key": key, "name": key}
    return account.add(ContactField(**(known | about)))


def suppress(account: Account) -> None:
    """Puts every number that the company knows on its suppression list."""
    for contact in account.rows("select id from contact where company_id = :company_id"):
        account.change(Contact, contact["id"], suppressed_at=datetime.now(UTC))


def last(account: Account) -> dict[str, Any]:
    """The latest submission."""
    return account.submissions()[-1]


def accept_step(account: Account) -> Json:
    """The step of the latest submission that says what the rules found."""
    steps = [step for step in json.loads(last(account)["why"]) if step["step"] == "accept"]
    return dict(steps[-1])


def accept_rules(account: Account) -> str:
    """The rules that the latest submission has met."""
    return "; ".join(step["rule"] for step in json.loads(last(account)["why"]) if step["step"] == "accept")


def nothing(client: FlaskClient, account: Account, token: str) -> None:
    """Nothing is there before."""


def a_lead(client: FlaskClient, account: Account, token: str) -> None:
    take(client, token, traffic_source_id="google_ads", zip="old")


def a_suppressed_number(client: FlaskClient, account: Account, token: str) -> None:
    a_lead(client, account, token)
    suppress(account)


def a_contact_field(client: FlaskClient, account: Account, token: str) -> None:
    contact_field(account, "zip", required=True, pattern=r"\d{5}")


@dataclass(frozen=True)
class Case:
    """A rule, a lead that it turns away and one that it takes."""

    rules: Json
    bad: Json
    good: Json
    code: str
    errors: dict[str, list[str]]
    decided_by: str
    before: Callable[[FlaskClient, Account, str], None] = nothing
    read: Json = field(default_factory=dict)


CASES = {
    "an unknown source": Case(
        {"require_traffic_source": True},
        {"traffic_source_id": "bing"},
        {"traffic_source_id": "google_ads"},
        "traffic_source_required",
        {"traffic_source_id": ["is not a known traffic source"]},
        "require_traffic_source",
        read={"traffic_source_id": "bing", "traffic_source_known": False},
    ),
    "no source": Case(
        {"require_traffic_source": True},
        {},
        {"traffic_source_id": "google_ads"},
        "traffic_source_required",
        {"traffic_source_id": ["is missing"]},
        "require_traffic_source",
    ),
    "a number that is too short": Case(
        {"number_length_min": 10},
        {"caller_id": FRENCH},
        {},
        "invalid_caller_id",
        {"caller_id": ["has 9 digits without its country's code; at least 10 are taken here"]},
        "number_length",
        read={"number_length": 9},
    ),
    "a number that is too long": Case(
        {"number_length_max": 9},
        {},
        {"caller_id": FRENCH},
        "invalid_caller_id",
        {"caller_id": ["has 10 digits without its country's code; at most 9 are taken here"]},
        "number_length",
    ),
    "a number of another region": Case(
        {"allowed_regions": ["US", "CA"]},
        {"caller_id": BRITISH},
        {"caller_id": "+14162223344"},
        "region_not_allowed",
        {"caller_id": ["is a number of GB; allowed here: US, CA"]},
        "allowed_regions",
        read={"region": "GB"},
    ),
    "a key that nobody knows": Case(
        {"only_known_keys": True},
        {"zip": "80903", "Zap": "1", "zop": "2"},
        {"zip": "80903", "email": "john@example.com", "sub_id": "a"},
        "unknown_key",
        {"data.zap": ["is not the key of a contact field"], "data.zop": ["is not the key of a contact field"]},
        "only_known_keys",
        a_contact_field,
        read={"unknown_keys": ["zap", "zop"]},
    ),
    "a value that does not fit": Case(
        {"enforce_contact_fields": True},
        {"zip": "x"},
        {"zip": "80903"},
        "contact_field_invalid",
        {"data.zip": [r"must match the pattern \d{5}"]},
        "enforce_contact_fields",
        a_contact_field,
        read={"contact_field_errors": {"data.zip": [r"must match the pattern \d{5}"]}},
    ),
    "a value that is missing": Case(
        {"enforce_contact_fields": True},
        {"zip": " "},
        {"zip": "80903"},
        "contact_field_invalid",
        {"data.zip": ["is missing"]},
        "enforce_contact_fields",
        a_contact_field,
    ),
    "the same number again": Case(
        {"duplicate_seconds": 3600},
        {"zip": "1"},
        {"caller_id": OTHER_NUMBER},
        "duplicate_lead",
        {"caller_id": ["has been sent here within 1 hour"]},
        "duplicate_seconds",
        a_lead,
    ),
    "the same number by the same source": Case(
        {"same_source_seconds": 86_400},
        {"traffic_source_id": "google_ads", "zip": "1"},
        {"traffic_source_id": "bing", "zip": "1"},
        "duplicate_lead",
        {"caller_id": ["has been sent by this traffic source within 1 day"]},
        "same_source_seconds",
        a_lead,
    ),
    "a number on the suppression list": Case(
        {"refuse_suppressed": True},
        {"zip": "1"},
        {"caller_id": OTHER_NUMBER},
        "suppressed",
        {"caller_id": ["is on the suppression list"]},
        "refuse_suppressed",
        a_suppressed_number,
        read={"suppressed": True},
    ),
    "no consent": Case(
        {"require_consent": "asserted"},
        {"zip": "1"},
        {"consent": {"granted": True}},
        "consent_required",
        {"consent": ["is missing; asserted or better is asked for here"]},
        "require_consent",
        read={"evidence": "none", "evidence_wanted": "asserted"},
    ),
    "a consent that was taken back": Case(
        {"require_consent": "asserted"},
        {"consent": {"granted": False}, "xxTrustedFormCertUrl": CERTIFICATE},
        {"consent": True},
        "consent_required",
        {"consent": ["is missing; asserted or better is asked for here"]},
        "require_consent",
    ),
    "a consent that only the sender asserts": Case(
        {"require_consent": "third_party"},
        {"consent": True},
        {"consent": True, "xxTrustedFormCertUrl": CERTIFICATE},
        "consent_required",
        {"consent": ["is evidenced as asserted; third_party or better is asked for here"]},
        "require_consent",
        read={"evidence": "asserted", "evidence_wanted": "third_party"},
    ),
    "too many of one address": Case(
        {"ip_limit": 1, "ip_limit_seconds": 60},
        {"caller_id": OTHER_NUMBER},
        {},
        "ip_limit",
        {"remote_ip": ["has sent 1 leads within 1 minute; 1 are taken here"]},
        "ip_limit",
        a_lead,
        read={"leads_from_ip": 1},
    ),
}
HIDDEN = ("consent_required", "duplicate_lead", "suppressed")
each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
open_cases = [case for case in CASES.values() if case.code not in HIDDEN]
hidden_cases = {name: case for name, case in CASES.items() if case.code in HIDDEN}
each_hidden = pytest.mark.parametrize("case", hidden_cases.values(), ids=hidden_cases.keys())


def test_every_rule_has_a_case() -> None:
    companions = {"duplicate_scope", "ip_limit_seconds"}
    assert {name for case in CASES.values() for name in case.rules} | companions == set(AcceptanceSchema().fields)


# Each rule


@by_owner
@each_case
def test_a_rule_that_is_switched_on_turns_away(client: FlaskClient, account: Account, case: Case, owner: str) -> None:
    token = account.schedule_token if owner == "schedule" else account.offer_token
    case.before(client, account, token)
    switch_on(account, owner, **case.rules)
    before = account.leads()
    body = refused(send(client, token, **case.bad), case.code)
    assert (body["status"], body["errors"], account.leads()) == (422, case.errors, before)
    submission = last(account)
    assert submission["id"] == body["metadata"]["submission_id"]
    assert (submission["action"], submission["code"], submission["lead_id"]) == ("refused", case.code, None)
    assert submission["purge_at"] - submission["created_at"] == timedelta(days=14)
    step = accept_step(account)
    assert (step["decided"], step["rule"]) == (case.code, case.decided_by)
    assert step["read"] | case.read == step["read"]


@by_owner
@each_case
def test_a_rule_that_is_switched_on_takes_what_meets_it(
    client: FlaskClient, account: Account, case: Case, owner: str
) -> None:
    token = switch_on(account, owner, **case.rules)
    if case.decided_by != "ip_limit":
        case.before(client, account, token)
    take(client, token, **case.good)
    assert accept_step(account)["decided"] == "accepted"
    assert case.decided_by in accept_rules(account)


@each_case
def test_a_rule_that_is_switched_off_turns_nobody_away(client: FlaskClient, account: Account, case: Case) -> None:
    case.before(client, account, account.schedule_token)
    take(client, account.schedule_token, **case.bad)
    assert "accept" not in {step["step"] for step in json.loads(last(account)["why"])}


@each_case
def test_an_owners_rule_is_no_rule_of_another_owner(client: FlaskClient, account: Account, case: Case) -> None:
    case.before(client, account, account.schedule_token)
    switch_on(account, "schedule", **case.rules)
    take(client, account.offer_token, **case.bad)


@each_case
def test_a_dry_run_says_what_would_be_refused_and_keeps_nothing(
    client: FlaskClient, account: Account, case: Case
) -> None:
    case.before(client, account, account.schedule_token)
    switch_on(account, **case.rules)
    before = account.submissions()
    assert refused(send(client, account.schedule_token, **case.bad, dry_run=True), case.code)["errors"] == case.errors
    assert account.submissions() == before


def test_a_lead_that_is_refused_is_taken_once_it_is_put_right(client: FlaskClient, account: Account) -> None:
    token = switch_on(account, require_traffic_source=True)
    headers = {"Idempotency-Key": "k"}
    refused(send(client, token, headers=headers), "traffic_source_required")
    body = taken(send(client, token, headers=headers, traffic_source_id="google_ads"))
    assert body["action"] == "created"


def test_the_first_rule_that_is_not_met_counts(client: FlaskClient, account: Account) -> None:
    token = switch_on(account, require_traffic_source=True, allowed_regions=["US"])
    refused(send(client, token, caller_id=BRITISH), "traffic_source_required")
    refused(send(client, token, caller_id=BRITISH, traffic_source_id="google_ads"), "region_not_allowed")


# Consent


def test_a_lead_that_is_there_is_not_asked_for_its_consent_again(client: FlaskClient, account: Account) -> None:
    before_the_rule = take(client, account.vendor_token, caller_id=OTHER_NUMBER)
    token = switch_on(account, require_consent="asserted")
    lead = take(client, token, consent=True)["lead_id"]
    assert take(client, token, zip="1")["action"] == "updated"
    assert take(client, token, caller_id=OTHER_NUMBER, zip="1")["lead_id"] == before_the_rule["lead_id"]
    sent = {"lead_token": token, "zip": "2"}
    assert taken(client.post(f"{LEADS}/{lead}/lead_update", json=sent))["action"] == "updated"
    # The one in whose place a new one is made brings the new one nothing.
    for wish in ("delete_existing", "expire_existing"):
        refused(send(client, token, **{wish: True}, zip="3"), "consent_required")
    assert [row["is_live"] for row in account.leads()] == [True, True]


def test_a_page_has_to_bring_the_consent_each_time_and_hears_the_same(client: FlaskClient, account: Account) -> None:
    token = switch_on(account, require_consent="asserted")
    take(client, token, consent=True)
    for number in (NUMBER, OTHER_NUMBER):
        body = take(client, account.publishable_token, caller_id=number, zip="9")
        assert (body["action"], last(account)["code"]) == ("received", "consent_required")
    assert "zip" not in account.leads()[0]["data"]
    body = take(client, account.publishable_token, zip="9", consent=True)
    assert (body["action"], last(account)["action"]) == ("received", "updated")


def test_a_lead_that_lacked_its_consent_is_taken_once_the_rule_is_off(client: FlaskClient, account: Account) -> None:
    switch_on(account, require_consent="witnessed")
    take(client, account.publishable_token, consent=True)
    path = f"{SUBMISSIONS}/{last(account)['id']}/replay"
    refused(client.post(path, headers=account.bearer), "consent_required")
    switch_on(account)
    assert client.post(path, headers=account.bearer).get_json()["action"] == "created"


# Sources


def test_the_tokens_own_source_is_a_known_one(client: FlaskClient, account: Account) -> None:
    switch_on(account, require_traffic_source=True)
    token = account.token(default_traffic_source_id=account.source_id, shows_stored_lead=True)
    assert take(client, token)["lead"]["traffic_source_id"] == "google_ads"
    refused(send(client, token, traffic_source_id="bing", zip="1"), "traffic_source_required")


def test_a_lead_that_has_a_known_source_may_be_updated_without_one(client: FlaskClient, account: Account) -> None:
    token = switch_on(account, require_traffic_source=True)
    take(client, token, traffic_source_id="google_ads")
    assert take(client, token, zip="1")["action"] == "updated"


def test_a_page_has_to_say_the_source_each_time(client: FlaskClient, account: Account) -> None:
    switch_on(account, require_traffic_source=True)
    for sent in ({"traffic_source_id": "google_ads"}, {"traffic_source_id": "google_ads", "zip": "1"}):
        take(client, account.publishable_token, **sent)
    refused(send(client, account.publishable_token, zip="2"), "traffic_source_required")


# Contact fields


def test_for_a_server_what_is_stored_and_what_is_sent_count_together(client: FlaskClient, account: Account) -> None:
    a_contact_field(client, account, "")
    token = switch_on(account, enforce_contact_fields=True)
    take(client, token, zip="80903")
    assert take(client, token, city="Denver")["action"] == "updated"
    refused(send(client, token, zip="x"), "contact_field_invalid")
    assert account.leads()[0]["data"] == {"zip": "80903", "city": "Denver"}


def test_for_a_page_what_is_sent_counts_alone(client: FlaskClient, account: Account) -> None:
    a_contact_field(client, account, "")
    switch_on(account, enforce_contact_fields=True)
    take(client, account.schedule_token, zip="80903")
    # Both numbers hear the same: that one of them has its zip already is nobody's business.
    for number in (NUMBER, OTHER_NUMBER):
        answer = send(client, account.publishable_token, caller_id=number, city="Denver")
        assert refused(answer, "contact_field_invalid")["errors"] == {"data.zip": ["is missing"]}
        take(client, account.publishable_token, caller_id=number, zip="80904")


def test_a_value_that_was_stored_before_its_rule_came_is_not_the_senders_mistake(
    client: FlaskClient, account: Account
) -> None:
    take(client, account.schedule_token, zip="x")
    a_contact_field(client, account, "")
    token = switch_on(account, enforce_contact_fields=True)
    assert take(client, token, city="Denver")["action"] == "updated"


def test_fields_of_a_type_are_asked_of_leads_of_that_type(client: FlaskClient, account: Account) -> None:
    kind = account.add(ContactFieldType(company_id=account.company_id, key="auto", name="Auto"))
    contact_field(account, "car", required=True, contact_field_type_id=kind)
    token = switch_on(account, enforce_contact_fields=True)
    assert take(client, token)["action"] == "created"
    for spelt in ("auto", str(kind)):
        body = refused(send(client, token, contact_field_type=spelt), "contact_field_invalid")
        assert body["errors"] == {"data.car": ["is missing"]}
    assert take(client, token, contact_field_type="auto", car="VW")["action"] == "updated"
    # The stored type counts as well.
    assert take(client, token, zip="1")["action"] == "updated"
    change_car = {"data": {"car": "Fiat"}}
    assert take(client, token, **change_car)["lead"]["data"] == {"car": "Fiat", "zip": "1"}


@pytest.mark.parametrize(
    ("about", "values", "problem"),
    [
        ({"options": ["VW", "Fiat"]}, ("BMW", "Fiat"), "must be one of: `VW`, `Fiat`"),
        ({"value_type": "integer", "minimum": 18}, ("17", "18"), "must be at least 18"),
        ({"value_type": "decimal", "maximum": 2.5}, ("2.6", 2.5), "must be at most 2.5"),
        (
            {"value_type": "time", "minimum": "2026-01-01"},
            ("2025-12-31", "2026-01-01"),
            "must not be before 2026-01-01",
        ),
    ],
)
def test_a_field_says_what_is_wrong_with_its_value(
    client: FlaskClient, account: Account, about: Json, values: tuple[Any, Any], problem: str
) -> None:
    bad, good = values
    contact_field(account, "car", **about)
    token = switch_on(account, enforce_contact_fields=True)
    body = refused(send(client, token, car=bad), "contact_field_invalid")
    assert body["errors"] == {"data.car": [problem]}
    take(client, token, car=good)


def test_a_field_may_ask_for_what_is_the_leads_own(client: FlaskClient, account: Account) -> None:
    contact_field(account, "email", required=True)
    token = switch_on(account, enforce_contact_fields=True, only_known_keys=True)
    assert refused(send(client, token), "contact_field_invalid")["errors"] == {"email": ["is missing"]}
    assert refused(send(client, token, email="none"), "contact_field_invalid")["errors"] == {"email": ["is missing"]}
    take(client, token, email="john@example.com")


def test_a_token_that_we_make_is_no_unknown_key(client: FlaskClient, account: Account) -> None:
    token = switch_on(account, only_known_keys=True)
    assert take(client, token, email="none")["lead"]["data"] == {"email_raw": "none"}


def test_tokens_that_are_stored_are_no_unknown_keys(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token, old="1")
    token = switch_on(account, only_known_keys=True)
    assert take(client, token, email="john@example.com")["action"] == "updated"


# Duplicates


@pytest.mark.parametrize(("age", "code"), [(59, "duplicate_lead"), (60, None)])
def test_a_duplicate_is_one_for_so_long(client: FlaskClient, account: Account, age: int, code: str | None) -> None:
    token = switch_on(account, duplicate_seconds=60)
    with time_machine.travel(NOW, tick=False):
        take(client, token, zip="1")
    with time_machine.travel(NOW + age * SECOND, tick=False):
        assert send(client, token, zip="2").get_json().get("code") == code


@by_owner
@pytest.mark.parametrize("scope", ["owner", "company"])
def test_a_duplicate_is_looked_for_here_or_in_the_whole_company(
    client: FlaskClient, account: Account, owner: str, scope: str
) -> None:
    elsewhere = account.offer_token if owner == "schedule" else account.schedule_token
    token = switch_on(account, owner, duplicate_seconds=60, duplicate_scope=scope)
    take(client, elsewhere)
    answer = send(client, token)
    if scope == "company":
        said = "has been sent to this company within 1 minute"
        assert refused(answer, "duplicate_lead")["errors"] == {"caller_id": [said]}
    else:
        assert taken(answer)["action"] == "created"


def test_a_lead_that_has_ended_makes_duplicates_and_a_deleted_one_does_not(
    client: FlaskClient, account: Account
) -> None:
    lead = take(client, account.schedule_token)["lead_id"]
    end(account, lead)
    token = switch_on(account, duplicate_seconds=60)
    refused(send(client, token, zip="1"), "duplicate_lead")
    client.delete(f"{LEADS}/{lead}", headers=account.bearer)
    assert take(client, token, zip="2")["action"] == "created"


def test_the_same_source_counts_in_the_whole_company(client: FlaskClient, account: Account) -> None:
    take(client, account.offer_token, traffic_source_id="google_ads")
    token = switch_on(account, same_source_seconds=60)
    take(client, token, traffic_source_id="bing")
    refused(send(client, token, traffic_source_id=str(account.source_id), zip="1"), "duplicate_lead")


def test_without_a_source_no_source_is_the_same(client: FlaskClient, account: Account) -> None:
    token = switch_on(account, same_source_seconds=60)
    for zip_code in ("1", "2"):
        take(client, token, zip=zip_code)


def test_a_double_click_is_no_duplicate(client: FlaskClient, account: Account) -> None:
    token = switch_on(account, duplicate_seconds=60, refuse_suppressed=True)
    assert [take(client, token, zip="1")["action"] for _ in range(2)] == ["created", "unchanged"]


def test_a_repeated_key_is_no_duplicate(client: FlaskClient, account: Account) -> None:
    token = switch_on(account, duplicate_seconds=60)
    answers = [send(client, token, headers={"Idempotency-Key": "k"}, zip="1") for _ in range(2)]
    assert answers[0].get_data() == answers[1].get_data()
    assert answers[1].headers["Idempotent-Replayed"] == "true"


def test_a_vendors_update_of_its_lead_is_no_duplicate(client: FlaskClient, account: Account) -> None:
    token = switch_on(account, duplicate_seconds=60, same_source_seconds=60)
    sent: Json = {"vendor_lead_id": "V", "traffic_source_id": "google_ads"}
    actions = [take(client, token, zip=zip_code, **sent)["action"] for zip_code in ("1", "1", "2")]
    assert actions == ["created", "replayed", "updated"]
    refused(send(client, token, **(sent | {"vendor_lead_id": "W"})), "duplicate_lead")


def test_who_names_the_lead_or_may_only_update_sends_no_duplicate(client: FlaskClient, account: Account) -> None:
    token = switch_on(account, duplicate_seconds=60)
    lead = take(client, token)["lead_id"]
    assert take(client, token, update_only=True, zip="1")["action"] == "updated"
    sent = {"lead_token": token, "zip": "2"}
    assert taken(client.post(f"{LEADS}/{lead}/lead_update", json=sent))["action"] == "updated"
    assert taken(client.put(f"{LEADS}/{lead}", json={"zip": "3"}, headers=account.bearer))["action"] == "updated"


@pytest.mark.parametrize("wish", ["delete_existing", "expire_existing"])
def test_a_duplicate_that_is_refused_clears_nothing(client: FlaskClient, account: Account, wish: str) -> None:
    token = switch_on(account, duplicate_seconds=60)
    take(client, token)
    before = account.leads()
    refused(send(client, token, **{wish: True}), "duplicate_lead")
    assert account.leads() == before


@pytest.mark.parametrize("stop", ["blocked", "opt_out"])
@pytest.mark.parametrize("sender", ["server", "page"])
@each_hidden
def test_a_person_who_wants_no_calls_is_heard_however_often_the_number_has_come(
    client: FlaskClient, account: Account, case: Case, sender: str, stop: str
) -> None:
    case.before(client, account, account.schedule_token)
    switch_on(account, **case.rules)
    token = {"server": account.schedule_token, "page": account.publishable_token}[sender]
    take(client, token, **(case.bad | {stop: True}))
    [contact] = account.rows("select * from contact where company_id = :company_id")
    assert contact[{"blocked": "blocked_at", "opt_out": "opted_out_at"}[stop]] is not None
    [lead] = account.leads()
    assert lead["next_action_at"] is None


# Addresses


def test_an_address_may_send_so_many_leads_in_so_long(client: FlaskClient, account: Account) -> None:
    token = switch_on(account, ip_limit=2, ip_limit_seconds=60)

    def post(at: int, address: str, number: int) -> str:
        with time_machine.travel(NOW + at * SECOND, tick=False):
            sent = {"lead_token": token, "caller_id": f"+1719222{number:04}", "at": at}
            answer = client.post(LEADS, json=sent, environ_base={"REMOTE_ADDR": address})
        body: Json = answer.get_json()
        return str(body.get("code") or body["action"])

    assert [post(0, "1.1.1.1", 1000), post(30, "1.1.1.1", 1001)] == ["created", "created"]
    assert post(59, "1.1.1.1", 1002) == "ip_limit"
    assert post(59, "2.2.2.2", 1003) == "created"
    assert post(60, "1.1.1.1", 1004) == "created"
    assert post(61, "1.1.1.1", 1005) == "ip_limit"
    assert post(61, "1.1.1.1", 1001) == "ip_limit"


def test_a_page_is_told_that_its_address_has_sent_too_many(client: FlaskClient, account: Account) -> None:
    switch_on(account, ip_limit=1, ip_limit_seconds=60)
    take(client, account.publishable_token)
    refused(send(client, account.publishable_token, caller_id=OTHER_NUMBER), "ip_limit")


@pytest.mark.parametrize("case", [case for case in hidden_cases.values()], ids=hidden_cases.keys())
def test_an_address_that_has_sent_too_many_learns_of_no_number(
    client: FlaskClient, account: Account, case: Case
) -> None:
    case.before(client, account, account.schedule_token)
    a_lead(client, account, account.schedule_token)
    switch_on(account, ip_limit=1, ip_limit_seconds=3600, **case.rules)
    sent: Json = {"traffic_source_id": "google_ads"}
    for number in (NUMBER, OTHER_NUMBER):
        refused(send(client, account.publishable_token, caller_id=number, **sent), "ip_limit")


def test_to_count_the_leads_of_an_address_tells_a_page_nothing(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token)
    switch_on(account, ip_limit=1, ip_limit_seconds=3600)

    def post(number: str, address: str) -> int:
        sent = {"lead_token": account.publishable_token, "caller_id": number, "zip": "1"}
        return client.post(LEADS, json=sent, environ_base={"REMOTE_ADDR": address}).status_code

    for number, address in ((NUMBER, "1.1.1.1"), (OTHER_NUMBER, "2.2.2.2")):
        assert [post(number, address), post("+17192220001", address)] == [200, 422]


# Those who stop calls, and leads that are there


@each_case
@pytest.mark.parametrize("wish", ["blocked", "opt_out"])
def test_who_wants_no_calls_is_heard_whatever_rule_is_on(
    client: FlaskClient, account: Account, case: Case, wish: str
) -> None:
    case.before(client, account, account.schedule_token)
    switch_on(account, "schedule", **case.rules)
    body = take(client, account.publishable_token, **(case.bad | {wish: True}))
    column = {"blocked": "blocked_at", "opt_out": "opted_out_at"}[wish]
    query = "select * from contact where company_id = :company_id and caller_id = :number"
    [contact] = account.rows(query, number=body["lead"]["caller_id"])
    assert contact[column] is not None
    assert accept_step(account)["rule"] == "a request that stops calls is heard whatever else it holds"


def test_a_rule_that_came_later_bars_no_change_of_a_lead_that_is_there(client: FlaskClient, account: Account) -> None:
    lead = take(client, account.schedule_token)["lead_id"]
    contact_field(account, "zip", required=True, pattern="[0-9]{5}")
    switch_on(account, require_traffic_source=True, enforce_contact_fields=True, allowed_regions=["GB"])
    url = f"{LEADS}/{lead}"
    taken(client.put(url, json={"email": "a@example.com"}, headers=account.bearer))
    taken(client.post(f"{url}/lead_update", json={"lead_token": account.schedule_token, "city": "x"}))
    for answer in (
        client.put(url, json={"zip": "1"}, headers=account.bearer),
        client.post(f"{url}/lead_update", json={"lead_token": account.schedule_token, "zip": "1"}),
    ):
        assert set(refused(answer, "contact_field_invalid")["errors"]) == {"data.zip"}
    assert account.leads()[0]["data"] == {"city": "x"}


# What a page learns


@by_owner
@pytest.mark.parametrize("how", ["publishable", "from a page"])
@each_hidden
def test_a_page_does_not_learn_that_a_number_is_turned_away(
    client: FlaskClient, account: Account, case: Case, owner: str, how: str
) -> None:
    token = account.schedule_token if owner == "schedule" else account.offer_token
    case.before(client, account, token)
    switch_on(account, owner, **case.rules)
    before = account.leads()
    headers = {"Origin": PAGE}
    if how == "publishable":
        token, headers = page_of(account, owner), {}
    known = taken(send(client, token, headers=headers, **case.bad))
    assert account.leads() == before
    submission = last(account)
    assert (submission["id"], submission["action"]) == (known["metadata"]["submission_id"], "refused")
    assert (submission["code"], submission["lead_id"], submission["caller_id"]) == (case.code, None, NUMBER)
    assert submission["public_lead_id"] == known["lead_id"]
    assert submission["purge_at"] - submission["created_at"] == timedelta(days=14)
    assert accept_step(account)["decided"] == case.code
    # To the sender it is as if the number were new.
    unknown = taken(send(client, token, headers=headers, **(case.bad | {"caller_id": OTHER_NUMBER})))
    assert shape(known) == shape(unknown)
    assert known["action"] == "received"


def shape(body: Json) -> Json:
    """An answer without its ids, its number and its times."""
    lead = {name: value for name, value in body["lead"].items() if name not in ("id", "caller_id")}
    timed = {name: None if value is None else "a time" for name, value in lead.items() if name.endswith("_at")}
    return body | {"lead": lead | timed, "lead_id": "an id", "metadata": sorted(body["metadata"])}


@each_hidden
def test_the_owner_finds_what_a_page_was_not_told(client: FlaskClient, account: Account, case: Case) -> None:
    case.before(client, account, account.schedule_token)
    switch_on(account, **case.rules)
    lead_id = take(client, account.publishable_token, **case.bad)["lead_id"]
    answer = client.get(f"{SUBMISSIONS}?lead_id={lead_id}", headers=account.bearer)
    [found] = answer.get_json()["submissions"]
    assert (found["action"], found["code"], found["public_lead_id"]) == ("refused", case.code, lead_id)
    assert found["received"]["body"]["caller_id"] == NUMBER
    assert [step["decided"] for step in found["why"]] == [case.code, case.code]


@each_hidden
def test_a_key_replays_a_hidden_refusal_as_it_was_answered(client: FlaskClient, account: Account, case: Case) -> None:
    case.before(client, account, account.schedule_token)
    switch_on(account, **case.rules)
    before = account.leads()
    headers = {"Idempotency-Key": "k"}
    first, second = (send(client, account.publishable_token, headers=headers, **case.bad) for _ in range(2))
    assert first.get_data() == second.get_data()
    assert ("Idempotent-Replayed" in first.headers, second.headers["Idempotent-Replayed"]) == (False, "true")
    assert account.leads() == before
    original, replayed = account.submissions()[-2:]
    assert [row["action"] for row in (original, replayed)] == ["refused", "refused"]
    assert [row["code"] for row in (original, replayed)] == [case.code, case.code]
    assert (replayed["original_id"], replayed["lead_id"]) == (original["id"], None)
    other = send(client, account.publishable_token, headers=headers, **(case.bad | {"city": "Denver"}))
    refused(other, "idempotency_key_reused")


def test_the_replay_stays_the_same_when_the_number_may_come_again(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token)
    switch_on(account, duplicate_seconds=60)
    headers = {"Idempotency-Key": "k"}
    first = send(client, account.publishable_token, headers=headers, zip="1")
    switch_on(account)
    second = send(client, account.publishable_token, headers=headers, zip="1")
    assert first.get_data() == second.get_data()
    assert account.leads()[0]["data"] == {}


@each_hidden
def test_a_page_that_asks_why_or_tries_it_dry_is_told_nothing_of_it(
    client: FlaskClient, account: Account, case: Case
) -> None:
    case.before(client, account, account.schedule_token)
    switch_on(account, **case.rules)
    kept = len(account.submissions())
    for asks in ("explain", "dry_run"):
        known = take(client, account.publishable_token, **(case.bad | {asks: True}))
        unknown = take(client, account.publishable_token, **(case.bad | {asks: True, "caller_id": OTHER_NUMBER}))
        assert shape(known) == shape(unknown)
        assert "why" not in known
    assert len(account.submissions()) == kept + 2


@each_hidden
def test_a_page_that_captures_is_told_nothing_of_it(client: FlaskClient, account: Account, case: Case) -> None:
    case.before(client, account, account.schedule_token)
    switch_on(account, **case.rules)
    known, unknown = (
        taken(send(client, account.publishable_token, url=CAPTURE, **(case.bad | {"caller_id": number})))
        for number in (NUMBER, OTHER_NUMBER)
    )
    assert shape(known) == shape(unknown)
    assert known["dedupe"] == {"action": "received", "matched_lead_id": None, "rule": None}


@pytest.mark.parametrize("case", open_cases, ids=[name for name, case in CASES.items() if case.code not in HIDDEN])
def test_a_page_is_told_what_it_can_put_right(client: FlaskClient, account: Account, case: Case) -> None:
    case.before(client, account, account.schedule_token)
    switch_on(account, **case.rules)
    before = account.leads()
    body = refused(send(client, account.publishable_token, **case.bad), case.code)
    assert (body["errors"], account.leads()) == (case.errors, before)


def test_a_double_click_in_a_page_is_one_lead_and_no_refusal(client: FlaskClient, account: Account) -> None:
    switch_on(account, duplicate_seconds=60)
    for _ in range(2):
        assert take(client, account.publishable_token, zip="1")["action"] == "received"
    assert [row["action"] for row in account.submissions()] == ["created", "unchanged"]


def test_a_visitor_who_comes_again_with_more_is_a_duplicate_in_secret(client: FlaskClient, account: Account) -> None:
    switch_on(account, duplicate_seconds=60)
    take(client, account.publishable_token, zip="1")
    take(client, account.publishable_token, zip="1", city="Denver")
    assert [row["code"] for row in account.submissions()] == [None, "duplicate_lead"]
    assert account.leads()[0]["data"] == {"zip": "1"}
