"""The company "Demo": everything that a first lead needs, made once and found again."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import current_app
from sqlalchemy import select

from server.companies.models import ApiKey, Company, User
from server.companies.operations import create_company, create_key, new_password, person_of, renew_key
from server.companies.rules import SCOPES
from server.consent.models import Disclosure
from server.consent.operations import add_version, publish
from server.embed.models import Snippet
from server.embed.operations import add_snippet
from server.embed.rules import Places
from server.embed.variants import hosted
from server.errors import CommandError
from server.lead_tokens.models import LeadToken
from server.lead_tokens.operations import create_token
from server.lib import clock
from server.lib.db import Model, db
from server.offers.models import Offer
from server.schedules.models import Schedule, ScheduleAction
from server.sources.models import TrafficSource

Row = TypeVar("Row", bound=Model)

NAME = "Demo"
EMAIL = "demo@example.com"
PAGE = "Demo page"
LINKS = {"terms_url": "https://example.com/terms", "privacy_url": "https://example.com/privacy"}
# What the demo's pages ask for, by language.
CONSENT: dict[str, dict[str, str | None]] = {
    "en": {
        "text": "I agree that Demo may call and text me at the number that I gave, also by automated means and with"
        " prerecorded messages. My consent is not a condition of any purchase. I can opt out at any time by replying"
        " STOP.",
        "label": "Yes, contact me.",
    },
    "es": {
        "text": "Acepto que Demo me llame y me envíe mensajes al número que he dado, también con sistemas automáticos y"
        " con mensajes pregrabados. Mi consentimiento no es condición de ninguna compra. Puedo darme de baja en"
        " cualquier momento respondiendo STOP.",
        "label": "Sí, contácteme.",
    },
}
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
    known = mine | {"person_id": person_of(EMAIL).id}
    user = ensure(User, lambda: User(**known, name=NAME, password_hash=""), **known)
    password = new_password()
    user.password_hash = password.hash
    key = ensure(ApiKey, lambda: create_key(company, NAME)[0], **mine, name=NAME, revoked_at=None)
    # A demo of an older version knew fewer scopes.
    key.scopes = sorted(SCOPES)
    private = renew_key(key)
    offer = ensure(Offer, lambda: Offer(**mine, name="Auto insurance"), **mine, name="Auto insurance")
    schedule = demo_schedule(company, offer)
    page_token = demo_token(company, "schedule", schedule.id, "publishable")
    source = ensure(
        TrafficSource,
        lambda: TrafficSource(**mine, user_traffic_source_id="google_ads", name="Google Ads"),
        **mine,
        user_traffic_source_id="google_ads",
    )
    return {
        "url": url,
        "company_id": company.id,
        "user": {"email": user.email, "password": password.text},
        "api_key": {"public": key.public, "private": private},
        "offer": {"id": offer.id, "lead_token": demo_token(company, "offer", offer.id).value},
        "schedule": {
            "id": schedule.id,
            "lead_token": demo_token(company, "schedule", schedule.id).value,
            "publishable_lead_token": page_token.value,
        },
        "snippet": demo_snippet(page_token, url),
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


def demo_snippet(token: LeadToken, url: str) -> dict[str, Any]:
    """What a page of the demo gets: it learns on which pages it stands, and asks for consent in two languages."""
    snippet = ensure(Snippet, lambda: add_snippet(token, name=PAGE), lead_token_id=token.id)
    snippet.deleted_at = None
    if token.disclosure_id is None:
        token.disclosure_id = demo_disclosure(token.company_id).id
        db.session.flush()
    where = Places(url, current_app.config["SNIPPET_PATH"], current_app.config["LEADS_PATH"])
    return {"id": snippet.id, "url": where.script(token.value), "html": hosted(token.value, where)}


def demo_disclosure(company_id: int) -> Disclosure:
    """The disclosure with a published text of each language."""
    known = {"company_id": company_id, "name": "Demo consent"}
    disclosure = ensure(Disclosure, lambda: Disclosure(**known), **known)
    disclosure.deleted_at = None
    for language, content in CONSENT.items():
        if language not in disclosure.current:
            whole = {"language": language, "seller_name": NAME, **LINKS, **content}
            version, _ = add_version(disclosure, whole, clock.now())
            publish(disclosure, version, clock.now())
    return disclosure


def demo_token(company: Company, owner_kind: str, owner_id: int, kind: str = "server") -> LeadToken:
    """The demo's token of this kind."""
    known: dict[str, Any] = {"company_id": company.id, "owner_kind": owner_kind, "owner_id": owner_id, "kind": kind}
    stored = kind == "server"
    # One that a page has exposed, or that was disabled, is no good for a first lead any more: a new one is made.
    good = {"exposed_at": None, "disabled_at": None}
    return ensure(LeadToken, lambda: create_token(**known, name=NAME, shows_stored_lead=stored), **known, **good)
