"""What the acceptance rules that are switched on ask, in sentences, before anything was sent. Pure."""

from collections.abc import Iterator

from server.offers.acceptance import Acceptance, or_better, wanted_length
from server.periods import spoken


def said(acceptance: Acceptance) -> list[tuple[str, str]]:
    """What the rules that are switched on ask, before anything was sent: each with the code of its refusal and a
    sentence, in the order in which they count."""
    return [*said_of_request(acceptance), *said_of_stored(acceptance), *said_of_consent(acceptance)]


def said_of_request(acceptance: Acceptance) -> Iterator[tuple[str, str]]:
    """The rules that the request decides by itself."""
    least, most = acceptance.number_length_min, acceptance.number_length_max
    if acceptance.require_traffic_source:
        yield "traffic_source_required", "Takes only leads of a traffic source that the company knows."
    if least is not None or most is not None:
        wanted = wanted_length(least, most)
        yield "invalid_caller_id", f"Takes only numbers of {wanted} digits, without their country's code."
    if acceptance.allowed_regions:
        allowed = ", ".join(acceptance.allowed_regions)
        yield "region_not_allowed", f"Takes only numbers of these regions: {allowed}."
    if acceptance.only_known_keys:
        yield "unknown_key", "Refuses a lead with a key that no contact field has."
    if acceptance.enforce_contact_fields:
        yield "contact_field_invalid", "Refuses a lead whose values are not what the contact fields ask for."


def said_of_stored(acceptance: Acceptance) -> Iterator[tuple[str, str]]:
    """The rules that rest on what is stored."""
    limit, seconds = acceptance.ip_limit, acceptance.ip_limit_seconds
    if limit and seconds:
        leads = "1 lead" if limit == 1 else f"{limit} leads"
        yield "ip_limit", f"Takes at most {leads} from one address within {spoken(seconds)}."
    if acceptance.refuse_suppressed:
        yield "suppressed", "Refuses a number that is on the company's suppression list."
    if acceptance.duplicate_seconds:
        where = "to this company" if acceptance.duplicate_scope == "company" else "here"
        last = spoken(acceptance.duplicate_seconds).removeprefix("1 ")
        yield "duplicate_lead", f"Refuses a number that came {where} within the last {last}."
    if acceptance.same_source_seconds:
        last = spoken(acceptance.same_source_seconds).removeprefix("1 ")
        yield "duplicate_lead", f"Refuses a number that came by the same traffic source within the last {last}."


def said_of_consent(acceptance: Acceptance) -> Iterator[tuple[str, str]]:
    """The rule about consent."""
    if acceptance.require_consent is not None:
        wanted = or_better(acceptance.require_consent)
        yield "consent_required", f"Takes only new leads with a consent whose evidence is {wanted}."
