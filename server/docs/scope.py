"""Scope: what a page of the documentation knows of the lead token that it was opened with.

Whoever has a token may see it, and nothing else of the company: no secret, no lead, no other token.
"""

from dataclasses import dataclass

from sqlalchemy import Select, or_, select

from server.companies.models import Company
from server.lead_tokens.queries import find_grant
from server.lead_tokens.rules import Grant
from server.lib import clock
from server.lib.db import db
from server.offers.contact_fields import ContactField, ContactFieldType
from server.offers.models import Offer
from server.offers.said import said
from server.schedules.models import Schedule
from server.sources.models import TrafficSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A contact field as the parameter that it is sent as.

    `wanted` is what the company asks for; a lead without it is refused only where it is `required`.
    """

    name: str
    title: str
    hint: str
    value_type: str
    wanted: bool
    required: bool
    pattern: str | None
    options: tuple[str, ...]
    minimum: float | str | None
    maximum: float | str | None
    # The key of the only contact field type whose leads it is asked of.
    contact_field_type: str | None


@dataclass(frozen=True, slots=True)
class Rule:
    """An acceptance rule that is switched on: the code of its refusal, and what it asks."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Source:
    """A traffic source that a lead may name."""

    user_traffic_source_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A lead token that is in force, with what leads that are sent with it have to be.

    One that stands in a page, which anyone may read, tells the name of neither its owner nor the company.
    """

    lead_token: str
    kind: str
    # A server token that a page has used: it has a page's powers until its owner clears the mark.
    exposed: bool
    owner_kind: str
    owner_name: str | None
    company_name: str | None
    fields: tuple[Parameter, ...]
    contact_field_types: tuple[ContactFieldType, ...]
    rules: tuple[Rule, ...]
    # The token's own comes first.
    sources: tuple[Source, ...]


def find_scope(value: str) -> Scope | None:
    """The scope of a lead token; None where it takes no leads, whatever the reason: nobody learns which.

    Writes nothing.
    """
    grant = find_grant(value)
    return scope_of(grant) if grant is not None and grant.takes_leads(clock.now()) else None


def scope_of(grant: Grant) -> Scope:
    """What is to be shown of a grant, with the names that intake has no need of."""
    owner = Schedule if grant.owner_kind == "schedule" else Offer
    names = (
        select(owner.name, Company.name).join(Company, Company.id == owner.company_id).where(owner.id == grant.owner_id)
    )
    with db.engine.connect() as connection:
        owner_name, company_name = connection.execute(names).one()
        sources = tuple(Source(*row) for row in connection.execute(shown_sources(grant)))
    # What stands in a page is anybody's.
    named = grant.kind == "server" and not grant.exposed
    keys = {each.id: each.key for each in grant.contact_field_types}
    return Scope(
        lead_token=grant.value,
        kind=grant.kind,
        exposed=grant.exposed,
        owner_kind=grant.owner_kind,
        owner_name=owner_name if named else None,
        company_name=company_name if named else None,
        fields=tuple(
            parameter(field, grant.acceptance.enforce_contact_fields, keys.get(field.contact_field_type_id or 0))
            for field in grant.contact_fields
        ),
        contact_field_types=grant.contact_field_types,
        rules=tuple(Rule(*each) for each in said(grant.acceptance)),
        sources=sources,
    )


def shown_sources(grant: Grant) -> Select[str, str]:
    """The token's default source, and those that the company has marked for the documentation."""
    own = grant.default_source.id if grant.default_source else 0
    is_own = TrafficSource.id == own
    return (
        select(TrafficSource.user_traffic_source_id, TrafficSource.name)
        .where(
            TrafficSource.company_id == grant.company_id,
            TrafficSource.deleted_at.is_(None),
            or_(is_own, TrafficSource.show_in_docs),
        )
        .order_by(is_own.desc(), TrafficSource.name, TrafficSource.id)
    )


def parameter(field: ContactField, enforced: bool, contact_field_type: str | None) -> Parameter:
    """A contact field as a page shows it."""
    return Parameter(
        name=field.parameter,
        title=field.name,
        hint=field.hint,
        value_type=field.value_type,
        wanted=field.required,
        required=field.required and enforced,
        pattern=field.pattern,
        options=field.options,
        minimum=field.minimum,
        maximum=field.maximum,
        contact_field_type=contact_field_type,
    )
