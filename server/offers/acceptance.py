"""Acceptance rules: what an owner may ask of a lead before it is taken, each with its code and its reason. Pure.

`check_request` holds the rules that the request decides by itself, `check_stored` those that rest on what is stored,
and `check_consent` the one about consent. Each answers a step of *why*, or raises NotAccepted, which carries that step.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from server.errors import Refused
from server.lib.pattern import Matcher
from server.offers.contact_fields import FIRST_CLASS, ContactField, field_errors, parameter_of
from server.periods import spoken

AGAIN = "Put this right and send the lead again."
# Evidence of consent that can be asked for, the least first: each takes what is better too. The names are those of
# `Evidence`; imports bring theirs past these rules.
WANTED = ("asserted", "third_party", "witnessed")
LATER = "Send it again when that time is over, or not at all."


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """The switches of a schedule or an offer; everything is off unless it is set."""

    require_traffic_source: bool = False
    duplicate_seconds: int | None = None
    duplicate_scope: str = "owner"
    same_source_seconds: int | None = None
    enforce_contact_fields: bool = False
    only_known_keys: bool = False
    number_length_min: int | None = None
    number_length_max: int | None = None
    allowed_regions: tuple[str, ...] = ()
    ip_limit: int | None = None
    ip_limit_seconds: int | None = None
    refuse_suppressed: bool = False
    require_consent: str | None = None

    @property
    def reads_stored(self) -> bool:
        """Whether any rule rests on what is stored: without one nothing need be read."""
        return bool(self.duplicate_seconds or self.same_source_seconds or self.ip_limit or self.refuse_suppressed)


OFF = Acceptance()


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFacts:
    """What the rules look at in a request.

    `values` are the lead's tokens and first-class fields as they will be, `sent` the names of those that this request
    sent under their own name (not `email_raw`, which we make). See `field_errors` for why there are both. The `matcher`
    knows what was compared before.
    """

    source: str | None = None
    source_known: bool = False
    national_number: str = ""
    region: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    sent: Collection[str] = ()
    contact_field_type_id: int | None = None
    matcher: Matcher | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFacts:
    """What the rules look at in the database.

    `latest_lead_at` is of the number's leads in the scope of `duplicate_scope`; `latest_same_source_at` of its leads
    with the same source text in the company; `leads_from_ip` counts those of `ip_limit_seconds`, without this one.
    """

    now: datetime
    latest_lead_at: datetime | None = None
    latest_same_source_at: datetime | None = None
    leads_from_ip: int = 0
    suppressed: bool = False


class NotAccepted(Refused):
    """A lead that an acceptance rule turns away; `why` is the step that says so."""

    why: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one switched-on rule read, and the refusal that follows, if any: code and errors."""

    rule: str
    read: dict[str, Any]
    code: str | None = None
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    detail: str = AGAIN


def check_request(acceptance: Acceptance, fields: Iterable[ContactField], facts: RequestFacts) -> dict[str, Any]:
    """Why the request may go on; raises NotAccepted by the first rule that it does not meet."""
    return judge(request_findings(acceptance, tuple(fields), facts))


def check_stored(acceptance: Acceptance, facts: StoredFacts) -> dict[str, Any]:
    """Why what is stored does not stand in the way; raises NotAccepted by the first rule that says it does."""
    return judge(stored_findings(acceptance, facts))


def check_consent(wanted: str, evidence: str) -> dict[str, Any]:
    """Why the lead's consent is evidenced well enough; raises NotAccepted. It comes last: a page does not hear of it,
    and has to hear before of all that its visitor can put right, and of its address's limit."""
    return judge(iter([consent_finding(wanted, evidence)]))


def judge(findings: Iterator[Finding]) -> dict[str, Any]:
    """The step that the findings make; raises NotAccepted at the first refusal."""
    read: dict[str, Any] = {}
    rules: list[str] = []
    for finding in findings:
        read |= finding.read
        rules.append(finding.rule)
        if finding.code is not None:
            texts = "; ".join(f"{name} {text}" for name, texts in finding.errors.items() for text in texts)
            refusal = NotAccepted(finding.code, texts, finding.errors, f"{texts}. {finding.detail}")
            refusal.why = {"step": "accept", "read": read, "decided": finding.code, "rule": finding.rule}
            raise refusal
    rule = f"all that is switched on is met: {', '.join(rules)}" if rules else "no rule is switched on"
    return {"step": "accept", "read": read, "decided": "accepted", "rule": rule}


def request_findings(
    acceptance: Acceptance, fields: tuple[ContactField, ...], facts: RequestFacts
) -> Iterator[Finding]:
    """What the rules that are switched on find in the request, in the order in which they count."""
    if acceptance.require_traffic_source:
        yield source_finding(facts)
    if acceptance.number_length_min is not None or acceptance.number_length_max is not None:
        yield length_finding(acceptance, facts)
    if acceptance.allowed_regions:
        yield region_finding(acceptance, facts)
    if acceptance.only_known_keys:
        yield keys_finding(fields, facts)
    if acceptance.enforce_contact_fields:
        errors = field_errors(fields, facts.contact_field_type_id, facts.values, facts.sent, facts.matcher)
        read = {"contact_field_type_id": facts.contact_field_type_id, "contact_field_errors": errors}
        yield Finding("enforce_contact_fields", read, "contact_field_invalid" if errors else None, errors)


def source_finding(facts: RequestFacts) -> Finding:
    """A traffic source that the company knows: the one that was sent, or the token's own."""
    read = {"traffic_source_id": facts.source, "traffic_source_known": facts.source_known}
    if facts.source_known:
        return Finding("require_traffic_source", read)
    text = "is missing" if facts.source is None else "is not a known traffic source"
    detail = "Send the id of a traffic source of this company."
    errors = {"traffic_source_id": [text]}
    return Finding("require_traffic_source", read, "traffic_source_required", errors, detail)


def length_finding(acceptance: Acceptance, facts: RequestFacts) -> Finding:
    """How many digits the national number has, without the country's code."""
    digits, least, most = len(facts.national_number), acceptance.number_length_min, acceptance.number_length_max
    read = {"number_length": digits}
    if (least is None or digits >= least) and (most is None or digits <= most):
        return Finding("number_length", read)
    text = f"has {digits} digits without its country's code; {wanted_length(least, most)} are taken here"
    return Finding("number_length", read, "invalid_caller_id", {"caller_id": [text]}, "Send a number of that length.")


def wanted_length(least: int | None, most: int | None) -> str:
    """How many digits a number may have, of which at least one end is set: `7 to 10`."""
    if least == most:
        return str(least)
    if least is None or most is None:
        return f"at most {most}" if least is None else f"at least {least}"
    return f"{least} to {most}"


def region_finding(acceptance: Acceptance, facts: RequestFacts) -> Finding:
    """The region of the number; one of no region, such as +800, is in none that is allowed."""
    read = {"region": facts.region}
    if facts.region in acceptance.allowed_regions:
        return Finding("allowed_regions", read)
    allowed = ", ".join(acceptance.allowed_regions)
    text = f"is a number of {facts.region or 'no region'}; allowed here: {allowed}"
    detail = "Send a number of a region that is allowed."
    return Finding("allowed_regions", read, "region_not_allowed", {"caller_id": [text]}, detail)


def keys_finding(fields: tuple[ContactField, ...], facts: RequestFacts) -> Finding:
    """Names of tokens that no contact field has, of whatever type the lead is."""
    known = {each.key for each in fields} | FIRST_CLASS
    unknown = sorted(name for name in facts.sent if name not in known)
    read = {"unknown_keys": unknown}
    if not unknown:
        return Finding("only_known_keys", read)
    errors = {parameter_of(name): ["is not the key of a contact field"] for name in unknown}
    detail = "Leave such keys out, or add contact fields for them."
    return Finding("only_known_keys", read, "unknown_key", errors, detail)


# How a lead comes to the evidence that is asked for.
HOW_TO_CONSENT = {
    "asserted": "Send consent[granted]=true and consent[text] for a visitor who has agreed.",
    "third_party": "Send the visitor's TrustedForm certificate or Jornaya LeadiD with the lead.",
    "witnessed": "Send the lead from a page with a snippet of this company, whose text the visitor has agreed to.",
}


def consent_finding(wanted: str, evidence: str) -> Finding:
    """Consent that is evidenced as well as is asked for, or better."""
    read = {"evidence": evidence, "evidence_wanted": wanted}
    if evidence in WANTED[WANTED.index(wanted) :]:
        return Finding("require_consent", read)
    text = "is missing" if evidence == "none" else f"is evidenced as {evidence}"
    errors = {"consent": [f"{text}; {or_better(wanted)} is asked for here"]}
    return Finding("require_consent", read, "consent_required", errors, HOW_TO_CONSENT[wanted])


def or_better(wanted: str) -> str:
    """A level of evidence, and that a better one will do where there is one: `asserted or better`."""
    return wanted if wanted == WANTED[-1] else f"{wanted} or better"


def stored_findings(acceptance: Acceptance, facts: StoredFacts) -> Iterator[Finding]:
    """What the rules that are switched on find in the database, in the order in which they count.

    The address first: a page hears of it, and must not hear of it only where no rule in secret came before.
    """
    if acceptance.ip_limit and acceptance.ip_limit_seconds:
        yield ip_finding(acceptance.ip_limit, acceptance.ip_limit_seconds, facts)
    if acceptance.refuse_suppressed:
        read = {"suppressed": facts.suppressed}
        errors = {"caller_id": ["is on the suppression list"]}
        detail = "Do not send this number."
        yield Finding("refuse_suppressed", read, "suppressed" if facts.suppressed else None, errors, detail)
    if acceptance.duplicate_seconds:
        yield duplicate_finding(acceptance.duplicate_seconds, acceptance.duplicate_scope, facts)
    if acceptance.same_source_seconds:
        yield same_source_finding(acceptance.same_source_seconds, facts)


def duplicate_finding(seconds: int, scope: str, facts: StoredFacts) -> Finding:
    """A lead of the same number within the time."""
    code = "duplicate_lead" if younger(facts.latest_lead_at, seconds, facts.now) else None
    text = f"has been sent {'to this company' if scope == 'company' else 'here'} within {spoken(seconds)}"
    return Finding("duplicate_seconds", {"latest_lead_at": facts.latest_lead_at}, code, {"caller_id": [text]}, LATER)


def same_source_finding(seconds: int, facts: StoredFacts) -> Finding:
    """A lead of the same number by the same traffic source within the time."""
    at = facts.latest_same_source_at
    code = "duplicate_lead" if younger(at, seconds, facts.now) else None
    text = f"has been sent by this traffic source within {spoken(seconds)}"
    return Finding("same_source_seconds", {"latest_same_source_at": at}, code, {"caller_id": [text]}, LATER)


def ip_finding(limit: int, seconds: int, facts: StoredFacts) -> Finding:
    """How many leads the address has sent already within the time."""
    read = {"leads_from_ip": facts.leads_from_ip}
    text = f"has sent {facts.leads_from_ip} leads within {spoken(seconds)}; {limit} are taken here"
    code = "ip_limit" if facts.leads_from_ip >= limit else None
    return Finding("ip_limit", read, code, {"remote_ip": [text]}, LATER)


def younger(at: datetime | None, seconds: int, now: datetime) -> bool:
    """Whether that was within the time; what is exactly that old counts no more."""
    return at is not None and now - at < timedelta(seconds=seconds)
