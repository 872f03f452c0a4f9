"""What a company configures for its leads: offers, schedules, sources, contact fields and numbers."""

from collections.abc import Callable
from dataclasses import fields as dataclass_fields
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import ColumnElement, func, select

from server.api.manage import blueprint_of
from server.api.resource import Resource, Values, add
from server.companies.models import Company
from server.lead_tokens.models import LeadToken
from server.lead_tokens.operations import create_token
from server.leads.queries import e164
from server.leads.tokens import token_name
from server.lib import phone
from server.lib.db import db
from server.numbers.models import Number, NumberPool
from server.numbers.schemas import NumberFilter, NumberPoolFilter, NumberPoolSchema, NumberSchema
from server.offers import contact_fields
from server.offers.contact_field_schemas import (
    ContactFieldFilter,
    ContactFieldSchema,
    ContactFieldTypeFilter,
    ContactFieldTypeSchema,
)
from server.offers.models import ContactField, ContactFieldType, Offer
from server.offers.schemas import OfferFilter, OfferSchema
from server.offers.value_types import READERS
from server.schedules.models import Schedule, ScheduleAction
from server.schedules.schemas import ScheduleActionFilter, ScheduleActionSchema, ScheduleFilter, ScheduleSchema
from server.sources.models import TrafficSource
from server.sources.schemas import TrafficSourceFilter, TrafficSourceSchema

# Where the ids begin that we give to traffic sources.
FIRST_SOURCE = 1000
FIRST_TOKEN = {"lead_token": "The value of its first lead token."}
PARTS_OF_CONTACT_FIELD = {each.name for each in dataclass_fields(contact_fields.ContactField)}


def create_offer(company: Company, wanted: Values) -> tuple[Any, Values]:
    """An offer with the first of its lead tokens."""
    return with_token("offer", add(Offer(company_id=company.id, **wanted)))


def create_schedule(company: Company, wanted: Values) -> tuple[Any, Values]:
    """A schedule with the first of its lead tokens."""
    return with_token("schedule", add(Schedule(company_id=company.id, **wanted)))


def with_token(kind: str, owner: Any) -> tuple[Any, Values]:
    """The owner, and the value of its first token, which the answer to its creation shows."""
    token = create_token(owner.company_id, kind, owner.id, "First", shows_stored_lead=True)
    return owner, {"lead_token": token.value}


def needed_by(model: Any, column: Any, ended: Any, what: str) -> Callable[[Company, Any], None]:
    """Refuses to delete what rows in use point at: they would lose it without a word."""

    def removable(company: Company, row: Any) -> None:
        query = select(model.id).where(model.company_id == company.id, column == row.id, ended.is_(None))
        ids = [str(row_id) for row_id in db.session.scalars(query.order_by(model.id).limit(10))]
        if ids:
            raise ValidationError({"id": [f"is still {what} {', '.join(ids)}; change or delete them first"]})

    return removable


def after_last(model: Any, *same: ColumnElement[bool]) -> int:
    """The first position after those of the rows in use."""
    last = db.session.scalar(select(func.max(model.position)).where(*same, model.deleted_at.is_(None)))
    return (last or 0) + 1


def complete_action(company: Company, wanted: Values, row: Any) -> None:
    """An action without a place comes last."""
    if wanted["position"] is None:
        wanted["position"] = after_last(ScheduleAction, ScheduleAction.schedule_id == wanted["schedule_id"])


def complete_source(company: Company, wanted: Values, row: Any) -> None:
    """A source without an id gets the next free number, which no deleted one has had either: it may come back."""
    if wanted["user_traffic_source_id"] is None:
        query = select(TrafficSource.user_traffic_source_id).where(TrafficSource.company_id == company.id)
        known = set(db.session.scalars(query))
        free = (str(number) for number in range(FIRST_SOURCE, FIRST_SOURCE + len(known) + 1))
        wanted["user_traffic_source_id"] = next(text for text in free if text not in known)


def complete_contact_field(company: Company, wanted: Values, row: Any) -> None:
    """What the parts of a field mean together; its bounds become what they are compared as."""
    parts = {name: value for name, value in wanted.items() if name in PARTS_OF_CONTACT_FIELD}
    problems = contact_fields.problem_with(contact_fields.ContactField(**parts | {"options": tuple(wanted["options"])}))
    if problems:
        raise ValidationError(problems)
    for name in ("minimum", "maximum"):
        if wanted[name] is not None and wanted["value_type"] != "time":
            wanted[name] = READERS[wanted["value_type"]](wanted[name])


def complete_number(company: Company, wanted: Values, row: Any) -> None:
    """A number is kept in one spelling."""
    known = phone.parse(wanted["number"], company.region)
    if known is None:
        raise ValidationError({"number": ["is not a valid phone number; send it as +17192221234"]})
    wanted["number"] = known.e164


def numbers_like(company: Company, asked: Values) -> list[ColumnElement[bool]]:
    """The filters of numbers: one in any usual spelling."""
    spelt = asked | ({"number": e164(asked["number"], company.region)} if "number" in asked else {})
    return [getattr(Number, name) == value for name, value in spelt.items()]


def complete_pool(company: Company, wanted: Values, row: Any) -> None:
    """A pool without a place comes last of its kind; its filters name tokens as leads have them."""
    wanted["filters"] = named_as_tokens(wanted["filters"])
    wanted["number_ids"] = list(dict.fromkeys(wanted["number_ids"]))
    if wanted["position"] is None:
        wanted["position"] = after_last(
            NumberPool, NumberPool.schedule_id == wanted["schedule_id"], NumberPool.kind == wanted["kind"]
        )


def named_as_tokens(filters: dict[str, list[str]]) -> dict[str, list[str]]:
    """Filters under the names that tokens have; raises ValidationError for a key without one, or of the same one."""
    named: dict[str, list[str]] = {}
    for key, texts in filters.items():
        name = token_name(key)
        if not name or name in named:
            text = "names the same token as another" if name else "is no token's name"
            raise ValidationError({"filters": {key[:64]: [text]}})
        named[name] = texts
    return named


OFFERS = Resource(
    one="offer",
    many="offers",
    model=Offer,
    schema=OfferSchema,
    filters=OfferFilter,
    create=create_offer,
    once=FIRST_TOKEN,
    removable=needed_by(Schedule, Schedule.offer_id, Schedule.deleted_at, "the offer of the schedules"),
)
SCHEDULES = Resource(
    one="schedule",
    many="schedules",
    model=Schedule,
    schema=ScheduleSchema,
    filters=ScheduleFilter,
    references={"offer_id": Offer},
    create=create_schedule,
    once=FIRST_TOKEN,
)
SCHEDULE_ACTIONS = Resource(
    one="schedule_action",
    many="schedule_actions",
    model=ScheduleAction,
    schema=ScheduleActionSchema,
    filters=ScheduleActionFilter,
    fixed=frozenset({"schedule_id"}),
    references={"schedule_id": Schedule},
    complete=complete_action,
)
TRAFFIC_SOURCES = Resource(
    one="traffic_source",
    many="traffic_sources",
    model=TrafficSource,
    schema=TrafficSourceSchema,
    filters=TrafficSourceFilter,
    complete=complete_source,
    removable=needed_by(
        LeadToken,
        LeadToken.default_traffic_source_id,
        LeadToken.disabled_at,
        "the default source of the lead tokens",
    ),
)
CONTACT_FIELD_TYPES = Resource(
    one="contact_field_type",
    many="contact_field_types",
    model=ContactFieldType,
    schema=ContactFieldTypeSchema,
    filters=ContactFieldTypeFilter,
    removable=needed_by(
        ContactField, ContactField.contact_field_type_id, ContactField.deleted_at, "the type of the contact fields"
    ),
)
CONTACT_FIELDS = Resource(
    one="contact_field",
    many="contact_fields",
    model=ContactField,
    schema=ContactFieldSchema,
    filters=ContactFieldFilter,
    references={"offer_id": Offer, "contact_field_type_id": ContactFieldType},
    complete=complete_contact_field,
)
NUMBERS = Resource(
    one="number",
    many="numbers",
    model=Number,
    schema=NumberSchema,
    filters=NumberFilter,
    complete=complete_number,
    conditions=numbers_like,
)
NUMBER_POOLS = Resource(
    one="number_pool",
    many="number_pools",
    model=NumberPool,
    schema=NumberPoolSchema,
    filters=NumberPoolFilter,
    references={"schedule_id": Schedule, "number_ids": Number},
    complete=complete_pool,
)

blueprint = blueprint_of(
    "configured",
    OFFERS,
    SCHEDULES,
    SCHEDULE_ACTIONS,
    TRAFFIC_SOURCES,
    CONTACT_FIELD_TYPES,
    CONTACT_FIELDS,
    NUMBERS,
    NUMBER_POOLS,
)
