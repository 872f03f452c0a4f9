"""The acceptance rules: what each takes, its code, its words and its step of why; and how they are kept."""

import json
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from marshmallow import ValidationError

from server.errors import Refused
from server.offers.acceptance import (
    OFF,
    Acceptance,
    NotAccepted,
    RequestFacts,
    StoredFacts,
    check_consent,
    check_request,
    check_stored,
    consent_finding,
    request_findings,
    stored_findings,
)
from server.offers.contact_fields import ContactField
from server.offers.said import said
from server.offers.schemas import AcceptanceSchema, acceptance_of
from server.periods import spoken
from tests.unit import table

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
FIELDS = [
    ContactField(key="zip", name="ZIP code", pattern=r"\d{5}", required=True),
    ContactField(key="age", name="Age", value_type="integer", minimum=18),
    ContactField(key="car", name="Car", required=True, contact_field_type_id=7),
]
ALL_ON: dict[str, Any] = {
    "require_traffic_source": True,
    "duplicate_seconds": 60,
    "duplicate_scope": "company",
    "same_source_seconds": 3600,
    "enforce_contact_fields": True,
    "only_known_keys": True,
    "number_length_min": 9,
    "number_length_max": 10,
    "allowed_regions": ["US", "CA"],
    "ip_limit": 3,
    "ip_limit_seconds": 60,
    "refuse_suppressed": True,
    "require_consent": "third_party",
}


def check_all(acceptance: Acceptance, facts: dict[str, Any]) -> list[dict[str, Any]]:
    """The steps of all checks; times of the facts are seconds ago."""
    ago = {name: NOW - timedelta(seconds=value) for name, value in facts.items() if name.endswith("_at")}
    requested = {each.name for each in fields(RequestFacts)}
    request = RequestFacts(**{name: value for name, value in facts.items() if name in requested})
    stored = {name: value for name, value in facts.items() if name not in requested} | ago
    evidence = str(stored.pop("evidence", "none"))
    steps = [check_request(acceptance, FIELDS, request), check_stored(acceptance, StoredFacts(now=NOW, **stored))]
    wanted = acceptance.require_consent
    return steps if wanted is None else [*steps, check_consent(wanted, evidence)]


@pytest.mark.parametrize("row", table("said_rules.csv"), ids=lambda row: row["case"])
def test_a_rule_is_said_with_the_code_of_its_refusal(row: dict[str, str]) -> None:
    acceptance = acceptance_of(AcceptanceSchema().load(json.loads(row["rules"])))
    assert said(acceptance) == ([(row["code"], row["sentence"])] if row["code"] else [])


def test_no_switch_is_left_unsaid() -> None:
    tried = {name for row in table("said_rules.csv") for name in json.loads(row["rules"])}
    assert tried == {each.name for each in fields(Acceptance)}


def test_all_rules_are_said_in_the_order_in_which_they_refuse() -> None:
    acceptance = acceptance_of(ALL_ON)
    worst = StoredFacts(now=NOW, latest_lead_at=NOW, latest_same_source_at=NOW, leads_from_ip=3, suppressed=True)
    findings = [
        *request_findings(acceptance, tuple(FIELDS), RequestFacts(sent=["shoe_size"])),
        *stored_findings(acceptance, worst),
        consent_finding("witnessed", "none"),
    ]
    assert [code for code, _ in said(acceptance)] == [finding.code for finding in findings]


@pytest.mark.parametrize("row", table("acceptance.csv"), ids=lambda row: row["case"])
def test_a_lead_is_taken_or_refused_with_the_rules_own_code(row: dict[str, str]) -> None:
    acceptance, facts = acceptance_of(json.loads(row["rules"])), json.loads(row["facts"])
    if not row["code"]:
        assert {step["decided"] for step in check_all(acceptance, facts)} == {"accepted"}
        return
    with pytest.raises(Refused) as caught:
        check_all(acceptance, facts)
    refusal = caught.value
    assert (refusal.code, refusal.status, refusal.errors) == (row["code"], 422, json.loads(row["errors"]))
    assert all(name in refusal.detail and text in refusal.detail for name, [text] in refusal.errors.items())
    assert refusal.detail.endswith(".")
    assert isinstance(refusal, NotAccepted)
    assert (refusal.why["step"], refusal.why["decided"]) == ("accept", row["code"])
    assert refusal.why["rule"] in acceptance_rules(acceptance)
    assert refusal.why["read"]


def acceptance_rules(acceptance: Acceptance) -> set[str]:
    """The names of the rules that are switched on."""
    on = {name for name, value in asdict(acceptance).items() if value != getattr(OFF, name)}
    return {name.removesuffix("_min").removesuffix("_max") for name in on}


def test_when_nothing_is_switched_on_the_step_says_so() -> None:
    for step in check_all(OFF, {"suppressed": True, "latest_lead_at": 0, "leads_from_ip": 99, "sent": ["?"]}):
        assert step == {"step": "accept", "read": {}, "decided": "accepted", "rule": "no rule is switched on"}


def test_an_accepted_lead_is_told_what_every_rule_has_read() -> None:
    facts = {
        "source": "google_ads",
        "source_known": True,
        "national_number": "7192221234",
        "region": "US",
        "values": {"zip": "90210"},
        "sent": ["zip"],
        "evidence": "witnessed",
        "latest_lead_at": 61,
    }
    requested, stored, consented = check_all(acceptance_of(ALL_ON), facts)
    assert requested["rule"] == (
        "all that is switched on is met: require_traffic_source, number_length, allowed_regions, only_known_keys,"
        " enforce_contact_fields"
    )
    assert requested["read"] == {
        "traffic_source_id": "google_ads",
        "traffic_source_known": True,
        "number_length": 10,
        "region": "US",
        "unknown_keys": [],
        "contact_field_type_id": None,
        "contact_field_errors": {},
    }
    assert consented["read"] == {"evidence": "witnessed", "evidence_wanted": "third_party"}
    assert stored["rule"] == (
        "all that is switched on is met: ip_limit, refuse_suppressed, duplicate_seconds, same_source_seconds"
    )
    assert stored["read"] == {
        "suppressed": False,
        "latest_lead_at": NOW - timedelta(seconds=61),
        "latest_same_source_at": None,
        "leads_from_ip": 0,
    }


@pytest.mark.parametrize("name", sorted(ALL_ON))
def test_what_is_stored_is_read_only_for_the_rules_that_rest_on_it(name: str) -> None:
    rests = {"duplicate_seconds", "same_source_seconds", "ip_limit", "refuse_suppressed"}
    assert acceptance_of({name: ALL_ON[name]}).reads_stored == (name in rests)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (90, "90 seconds"),
        (5400, "90 minutes"),
        (3600, "1 hour"),
        (86_400, "1 day"),
        (90_000, "25 hours"),
        (172_800, "2 days"),
    ],
)
def test_a_time_is_said_in_its_largest_unit(seconds: int, text: str) -> None:
    assert spoken(seconds) == text


# How they are kept


def test_every_rule_survives_being_kept() -> None:
    loaded = AcceptanceSchema().load(ALL_ON)
    assert set(loaded) == {each.name for each in fields(Acceptance)}
    acceptance = acceptance_of(json.loads(json.dumps(loaded)))
    assert acceptance == Acceptance(**ALL_ON | {"allowed_regions": ("US", "CA")})
    assert AcceptanceSchema().dump(acceptance) == ALL_ON


@pytest.mark.parametrize("stored", [None, {}, {"of another version": 1}, {"ip_limit": None, "allowed_regions": []}])
def test_what_is_missing_is_off(stored: dict[str, Any] | None) -> None:
    assert acceptance_of(stored) == OFF
    assert AcceptanceSchema().load(AcceptanceSchema().dump(OFF)) == AcceptanceSchema().dump(OFF)


def test_a_form_spells_no_regions_by_an_empty_field() -> None:
    assert AcceptanceSchema().load({"allowed_regions": ""}) == {"allowed_regions": []}


@pytest.mark.parametrize(
    ("sent", "name", "text"),
    [
        ({"no_such_rule": True}, "no_such_rule", "is no acceptance rule"),
        ({"require_traffic_source": "perhaps"}, "require_traffic_source", "must be true or false"),
        ({"refuse_suppressed": None}, "refuse_suppressed", "must be true or false"),
        ({"duplicate_seconds": 0}, "duplicate_seconds", "must be a whole number from 1 to 315360000, or null"),
        ({"duplicate_seconds": "soon"}, "duplicate_seconds", "must be a whole number from 1 to 315360000, or null"),
        ({"duplicate_seconds": 1.5}, "duplicate_seconds", "must be a whole number from 1 to 315360000, or null"),
        ({"duplicate_seconds": True}, "duplicate_seconds", "must be a whole number from 1 to 315360000, or null"),
        ({"duplicate_scope": "world"}, "duplicate_scope", "must be one of: `owner`, `company`"),
        ({"duplicate_scope": None}, "duplicate_scope", "must be one of: `owner`, `company`"),
        ({"number_length_max": 16}, "number_length_max", "must be a whole number from 1 to 15, or null"),
        (
            {"number_length_min": 10, "number_length_max": 9},
            "number_length_max",
            "must not be less than number_length_min",
        ),
        ({"allowed_regions": ["US", "UK"]}, "allowed_regions", "'UK' is not the ISO code of a region, such as US"),
        ({"allowed_regions": [1]}, "allowed_regions", "'1' is not the ISO code of a region, such as US"),
        ({"allowed_regions": "US"}, "allowed_regions", "must be a list of ISO codes; an empty one allows all"),
        ({"allowed_regions": None}, "allowed_regions", "must be a list of ISO codes; an empty one allows all"),
        *(
            (
                {"require_consent": sent},
                "require_consent",
                "must be one of: `asserted`, `third_party`, `witnessed`, or null",
            )
            for sent in ("none", "imported", True, "ASSERTED")
        ),
        ({"ip_limit": 3}, "ip_limit_seconds", "must be set together with ip_limit"),
        ({"ip_limit_seconds": 3}, "ip_limit", "must be set together with ip_limit_seconds"),
    ],
)
def test_what_is_no_rule_is_told_what_to_send(sent: dict[str, Any], name: str, text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        AcceptanceSchema().load(sent)
    assert caught.value.messages == {name: [text]}


def test_regions_are_kept_once_and_in_capitals() -> None:
    assert AcceptanceSchema().load({"allowed_regions": ["us", " ca ", "US"]}) == {"allowed_regions": ["US", "CA"]}


def test_each_rule_is_described_with_an_example_that_it_takes() -> None:
    for name, field in AcceptanceSchema().load_fields.items():
        assert field.metadata["description"].endswith(".")
        assert field.deserialize(field.metadata["example"], name) == field.metadata["example"]
