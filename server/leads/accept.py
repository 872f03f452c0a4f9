"""The acceptance rules of the token's owner, asked of a request and of what is stored. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from server.leads.plan import Plan, Why
from server.leads.state import ContactState, State
from server.lib.pattern import Matcher
from server.lib.phone import national_number, region_of
from server.offers.acceptance import (
    OFF,
    Acceptance,
    RequestFacts,
    StoredFacts,
    check_consent,
    check_request,
    check_stored,
)
from server.offers.contact_fields import compare_early, find_type


def accept(plan: Plan, state: State, found: Mapping[str, Any] | None) -> Why:
    """Why the lead is taken; raises NotAccepted. Without a rule that is switched on there is nothing to say."""
    rules, fields = plan.grant.acceptance, plan.grant.contact_fields
    if rules is OFF:
        return []
    if stops(plan):
        rule = "a request that stops calls is heard whatever else it holds"
        return [{"step": "accept", "read": {}, "decided": "accepted", "rule": rule}]
    if plan.posting.verb is not None:
        rules, fields = of_named(rules), tuple(replace(each, required=False) for each in fields)
    # What is stored would show in the answer if it counted for a page.
    known = None if plan.public else found
    steps = [check_request(rules, fields, request_facts(plan, known))]
    if state.facts is not None and rules.reads_stored:
        steps.append(check_stored(rules, with_contact(state.facts, state.contact)))
    # A lead that is there is not asked again.
    if rules.require_consent is not None and known is None:
        steps.append(check_consent(rules.require_consent, plan.consent.evidence))
    return steps


def of_named(rules: Acceptance) -> Acceptance:
    """The rules for a lead that was taken long ago: what is sent has to be right, what it lacks is not asked again."""
    return Acceptance(enforce_contact_fields=rules.enforce_contact_fields, only_known_keys=rules.only_known_keys)


# The wishes to be called no more.
STOPPING = ("blocked", "opt_out")


def stops(plan: Plan) -> bool:
    """Whether the request says that the number is to be called no more."""
    return any(plan.asked.fields.get(name) is True for name in STOPPING)


def request_facts(plan: Plan, found: Mapping[str, Any] | None) -> RequestFacts:
    """The request as the rules see it; what it leaves out is what the lead has already."""
    attribution, rules = plan.attribution, plan.grant.acceptance
    source, source_id = attribution.text, attribution.source_id
    if found is not None and source is None:
        source, source_id = found["traffic_source_text"], found["traffic_source_id"]
    sent = first_class(plan) | {"traffic_source_id": source}
    tokens = plan.asked.tokens
    stored: dict[str, Any] = {} if found is None else found["data"] | {n: found[n] for n in ("email", "sub_id")}
    e164 = plan.phone.e164
    lengths = rules.number_length_min is not None or rules.number_length_max is not None
    return RequestFacts(
        source=source,
        source_known=source_id is not None,
        national_number=national_number(e164) if lengths else "",
        region=region_of(e164) if rules.allowed_regions else None,
        values=stored | tokens | sent,
        sent=sorted({*(tokens.keys() - plan.asked.made), *(name for name in sent if sent[name] is not None)}),
        contact_field_type_id=type_of(plan, found),
        matcher=plan.matcher,
    )


def first_class(plan: Plan) -> dict[str, Any]:
    """What the request says of the lead itself, by the names that contact fields have for it."""
    sent: dict[str, Any] = {name: plan.asked.fields[name] for name in ("email", "sub_id") if name in plan.asked.fields}
    return sent | {"caller_id": plan.phone.e164, "traffic_source_id": plan.attribution.text}


def compare_patterns(plan: Plan) -> None:
    """Compares what was sent with the patterns of the contact fields, before anything is locked: a careless pattern
    takes long, and all writers would wait for it."""
    if plan.grant.acceptance.enforce_contact_fields:
        kind = plan.contact_field_type
        values = plan.asked.tokens | first_class(plan)
        plan.matcher = Matcher()
        compare_early(plan.grant.contact_fields, kind.id if kind else None, values, plan.matcher)


def type_of(plan: Plan, found: Mapping[str, Any] | None) -> int | None:
    """The contact field type that the lead will have."""
    if plan.contact_field_type is not None:
        return plan.contact_field_type.id
    stored = found["contact_field_type"] if found is not None else None
    known = find_type(plan.grant.contact_field_types, stored) if stored else None
    return known.id if known else None


def with_contact(facts: StoredFacts, contact: ContactState | None) -> StoredFacts:
    """The facts with what the number's contact says."""
    return StoredFacts(
        now=facts.now,
        latest_lead_at=facts.latest_lead_at,
        latest_same_source_at=facts.latest_same_source_at,
        leads_from_ip=facts.leads_from_ip,
        suppressed=contact is not None and contact.suppressed_at is not None,
    )
