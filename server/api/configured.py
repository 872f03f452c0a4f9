"""What a company configures for its leads: offers, and what belongs to them."""

from marshmallow import ValidationError
from sqlalchemy import select

from server.api.manage import blueprint_of
from server.api.resource import Resource, Values, add
from server.companies.models import Company
from server.lead_tokens.operations import create_token
from server.lib.db import db
from server.offers.models import Offer
from server.offers.schemas import OfferFilter, OfferSchema
from server.schedules.models import Schedule


def create_offer(company: Company, wanted: Values) -> tuple[Offer, Values]:
    """An offer with the first of its lead tokens."""
    offer = add(Offer(company_id=company.id, **wanted))
    token = create_token(company.id, "offer", offer.id, "First", shows_stored_lead=True)
    return offer, {"lead_token": token.value}


def no_schedules(company: Company, offer: Offer) -> None:
    """An offer stays while schedules belong to it."""
    query = select(Schedule.id).where(
        Schedule.company_id == company.id, Schedule.offer_id == offer.id, Schedule.deleted_at.is_(None)
    )
    ids = [str(row_id) for row_id in db.session.scalars(query.order_by(Schedule.id))]
    if ids:
        raise ValidationError({"id": [f"is the offer of the schedules {', '.join(ids)}; delete or move them first"]})


OFFERS = Resource(
    one="offer",
    many="offers",
    model=Offer,
    schema=OfferSchema,
    filters=OfferFilter,
    create=create_offer,
    removable=no_schedules,
)

blueprint = blueprint_of("configured", OFFERS)
