"""The company "Demo": everything that a first lead needs, made once and found again."""

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import select

from server.companies.models import ApiKey, Company, User
from server.companies.operations import create_company, create_key, renew_key, set_password
from server.companies.rules import SCOPES
from server.errors import CommandError
from server.lead_tokens.models import LeadToken
from server.lead_tokens.operations import create_token
from server.lib.db import Model, db
from server.offers.models import Offer
from server.schedules.models import Schedule, ScheduleAction
from server.sources.models import TrafficSource

Row = TypeVar("Row", bound=Model)

NAME = "Demo"
EMAIL = "demo@example.com"
# Long enough that a demo lead stays live while one looks around.
FIRST_ACTION_SECONDS = 24 * 3600


def ensure(model: type[Row], make: Callable[[], Row], **known: Any) -> Row:
    """The row that is there already, or a new one."""
    row = db.session.scalars(select(model).filter_by(**known).limit(1)).first()
    return row if row is not None else added(make())


def added(row: Row) -> Row:
    """A row with its id."""
    db.session.add(row)
    db.session.flush()
    return row


def make_demo(url: str, force: bool = False) -> dict[str, Any]:
    """Makes or finds the demo company; its password and API secret are fresh each time. Raises CommandError."""
    if not force and db.session.scalar(select(Company.id).where(Company.name != NAME).limit(1)) is not None:
        raise CommandError("There is a company already, so this is no place for a demo. Use --force to make it anyway.")
    company = ensure(Company, lambda: create_company(NAME), name=NAME)
    mine = {"company_id": company.id}
    user = ensure(User, lambda: User(**mine, email=EMAIL, name=NAME, password_hash=""), **mine, email=EMAIL)
    password = set_password(user)
    key = ensure(ApiKey, lambda: create_key(company, NAME)[0], **mine, name=NAME, revoked_at=None)
    # A demo of an older version knew fewer scopes.
    key.scopes = sorted(SCOPES)
    private = renew_key(key)
    offer = ensure(Offer, lambda: Offer(**mine, name="Auto insurance"), **mine, name="Auto insurance")
    schedule = demo_schedule(company, offer)
    source = ensure(
        TrafficSource,
        lambda: TrafficSource(**mine, user_traffic_source_id="google_ads", name="Google Ads"),
        **mine,
        user_traffic_source_id="google_ads",
    )
    return {
        "url": url,
        "company_id": company.id,
        "user": {"email": user.email, "password": password},
        "api_key": {"public": key.public, "private": private},
        "offer": {"id": offer.id, "lead_token": demo_token(company, "offer", offer.id)},
        "schedule": {
            "id": schedule.id,
            "lead_token": demo_token(company, "schedule", schedule.id),
            "publishable_lead_token": demo_token(company, "schedule", schedule.id, "publishable"),
        },
        "traffic_source": {"id": source.id, "user_traffic_source_id": source.user_traffic_source_id},
    }


def demo_schedule(company: Company, offer: Offer) -> Schedule:
    """The schedule with its one action."""
    known = {"company_id": company.id, "name": "Auto insurance: call now"}
    schedule = ensure(Schedule, lambda: Schedule(**known, offer_id=offer.id), **known)
    first = {"company_id": company.id, "schedule_id": schedule.id, "position": 1}
    ensure(
        ScheduleAction,
        lambda: ScheduleAction(**first, kind="dial", delay_seconds=FIRST_ACTION_SECONDS),
        **first,
    )
    return schedule


def demo_token(company: Company, owner_kind: str, owner_id: int, kind: str = "server") -> str:
    """The value of the demo's token of this kind."""
    known: dict[str, Any] = {"company_id": company.id, "owner_kind": owner_kind, "owner_id": owner_id, "kind": kind}
    stored = kind == "server"
    # One that a page has exposed, or that was disabled, is no good for a first lead any more: a new one is made.
    good = {"exposed_at": None, "disabled_at": None}
    made = ensure(LeadToken, lambda: create_token(**known, name=NAME, shows_stored_lead=stored), **known, **good)
    return made.value
