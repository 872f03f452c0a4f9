"""Recording calls. Nothing here commits: the surface that calls does."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from server.companies.models import Company
from server.errors import Refused
from server.leads.models import Lead
from server.leads.normalise import in_zone
from server.leads.params import invalid
from server.leads.queries import lead_of_call
from server.leads.schemas import invalid_time
from server.leads.tokens import capture
from server.lib import clock
from server.lib.db import db
from server.lib.phone import parse
from server.lib.secrets import is_id, new_id
from server.offers.models import Offer
from server.outcomes.models import Call
from server.schedules.models import Schedule

OWNERS: dict[str, tuple[type[Offer | Schedule], str]] = {
    "offer_id": (Offer, "is not an offer of this company"),
    "schedule_id": (Schedule, "is not a schedule of this company"),
}


def record_call(company: Company, sent: Mapping[str, Any]) -> tuple[Call, bool]:
    """The call that is reported, and whether it is new: the same `external_id` again updates it. Raises Refused."""
    values = known_values(company, sent)
    lead = find_lead(company.id, values)
    call = find_call(company.id, values.get("external_id"))
    lead = find_lead(company.id, values) if call is None or "lead_id" in values else None
    if lead is not None:
        values["lead_id"] = lead.id
    if call is not None:
        call.data = call.data | values.pop("data", {})
        for name, value in values.items():
            setattr(call, name, value)
        return call, False
    call = Call(id=new_id(), company_id=company.id, direction="inbound", started_at=clock.now())
    for name, value in (inherited(lead) | values).items():
        setattr(call, name, value)
    call.data = (lead.data if lead else {}) | values.get("data", {})
    db.session.add(call)
    db.session.flush()
    return call, True


def known_values(company: Company, sent: Mapping[str, Any]) -> dict[str, Any]:
    """What was sent, with its meaning: the number in E.164, the time an instant, owners that exist. Raises Refused."""
    values = {name: value for name, value in sent.items() if value is not None}
    phone = parse(values["caller_id"], company.region)
    if phone is None:
        text = "is not a valid phone number"
        raise Refused("invalid_caller_id", f"Caller ID {text}", {"caller_id": [text]})
    values["caller_id"] = phone.e164
    if "started_at" in values:
        values["started_at"] = instant(values["started_at"], company.time_zone)
    for name, (model, problem) in OWNERS.items():
        if name in values:
            found = db.session.scalars(select(model).where(model.id == values[name], model.company_id == company.id))
            owner = found.first()
            if owner is None:
                raise invalid({name: [problem]})
            if isinstance(owner, Schedule) and owner.offer_id is not None:
                values.setdefault("offer_id", owner.offer_id)
    if "data" in values:
        values["data"] = capture(values["data"]).tokens
    return values


def instant(time: datetime, time_zone: str) -> datetime:
    """When the call began; raises Refused for a time beyond all calendars."""
    try:
        return in_zone(time, time_zone)
    except OverflowError as error:
        raise invalid({"started_at": [invalid_time("")]}) from error


def find_call(company_id: int, external_id: str | None) -> Call | None:
    """The call that has this id of its reporter's."""
    if external_id is None:
        return None
    return db.session.scalars(
        select(Call).where(Call.company_id == company_id, Call.external_id == external_id).with_for_update()
    ).first()


def find_lead(company_id: int, values: Mapping[str, Any]) -> Lead | None:
    """The lead that the call belongs to; raises Refused for one that is named and is none of this number."""
    named = values.get("lead_id")
    if named is None:
        return lead_of_call(company_id, values["caller_id"], values.get("offer_id"), values.get("schedule_id"))
    query = select(Lead).where(Lead.company_id == company_id, Lead.id == named.lower())
    lead = db.session.scalars(query).first() if is_id(named) else None
    if lead is None or lead.caller_id != values["caller_id"]:
        raise invalid({"lead_id": ["is not a lead of this number"]})
    return lead


def inherited(lead: Lead | None) -> dict[str, Any]:
    """What a call has of its lead, unless it says otherwise."""
    if lead is None:
        return {}
    names = ("offer_id", "schedule_id", "traffic_source_id", "traffic_source_text", "sub_id")
    return {"lead_id": lead.id} | {name: getattr(lead, name) for name in names}
