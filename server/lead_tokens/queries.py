"""From the text in `lead_token` to what it grants, remembered for a few seconds."""

import time

from sqlalchemy import select
from sqlalchemy.engine import Connection, Row

from server.companies.models import Company
from server.lead_tokens.models import LeadToken
from server.lead_tokens.rules import VALUE, Grant
from server.lib.db import db
from server.offers.models import Offer
from server.schedules.models import Schedule, ScheduleAction
from server.schedules.rules import Step
from server.sources.models import TrafficSource
from server.sources.rules import Source

# Every write compares the company's config_version, so a grant is never stale; this only bounds how long an edit
# made behind our back (by hand, in SQL) goes unseen, in seconds.
KEPT_SECONDS = 5.0
KEPT_MOST = 10_000

_kept: dict[str, tuple[float, Grant]] = {}


def find_grant(value: object, fresh: bool = False) -> Grant | None:
    """What a token grants; None if no such token exists."""
    if not isinstance(value, str) or not VALUE.fullmatch(value):
        return None
    kept = _kept.get(value)
    if kept is None or fresh or kept[0] < time.monotonic():
        grant = load_grant(value)
        if grant is None:
            _kept.pop(value, None)
            return None
        if len(_kept) >= KEPT_MOST:
            _kept.clear()
        kept = _kept[value] = (time.monotonic() + KEPT_SECONDS, grant)
    return kept[1]


def load_grant(value: str) -> Grant | None:
    """Reads a token and its surroundings in one look at the database."""
    with db.engine.connect() as connection:
        row = connection.execute(
            select(
                LeadToken.__table__,
                Company.region,
                Company.time_zone,
                Company.require_authorization,
                Company.config_version,
            )
            .join(Company, Company.id == LeadToken.company_id)
            .where(LeadToken.value == value)
        ).first()
        return grant_of(connection, row) if row else None


def grant_of(connection: Connection, token: Row[tuple[object, ...]]) -> Grant:
    """The snapshot for one row of lead_token and company."""
    schedule_id = token.owner_id if token.owner_kind == "schedule" else None
    offer_id = token.owner_id if token.owner_kind == "offer" else None
    deleted = False
    if schedule_id is not None:
        owner = connection.execute(
            select(Schedule.offer_id, Schedule.deleted_at).where(Schedule.id == schedule_id)
        ).one()
        offer_id, deleted = owner.offer_id, owner.deleted_at is not None
    elif offer_id is not None:
        deleted = connection.execute(select(Offer.deleted_at).where(Offer.id == offer_id)).scalar_one() is not None
    sources = sources_of(connection, token.company_id)
    return Grant(
        token_id=token.id,
        kind=token.kind,
        value=token.value,
        company_id=token.company_id,
        config_version=token.config_version,
        region=token.region,
        time_zone=token.time_zone,
        require_authorization=token.require_authorization,
        owner_kind=token.owner_kind,
        owner_id=token.owner_id,
        offer_id=offer_id,
        schedule_id=schedule_id,
        owner_deleted=deleted,
        first_step=first_step(connection, token.company_id, schedule_id),
        default_source=next((s for s in sources.values() if s.id == token.default_traffic_source_id), None),
        sources=sources,
        shows_stored_lead=token.shows_stored_lead,
        allowed_origins=frozenset(token.allowed_origins),
        allowed_redirects=frozenset(token.allowed_redirects),
        expires_at=token.expires_at,
        disabled_at=token.disabled_at,
        exposed=token.exposed_at is not None,
        last_used_at=token.last_used_at,
    )


def first_step(connection: Connection, company_id: int, schedule_id: int | None) -> Step | None:
    """The action that a lead of this schedule meets first."""
    row = connection.execute(
        select(ScheduleAction.id, ScheduleAction.delay_seconds)
        .where(ScheduleAction.company_id == company_id, ScheduleAction.schedule_id == schedule_id)
        .order_by(ScheduleAction.position)
        .limit(1)
    ).first()
    return Step(row.id, row.delay_seconds) if row else None


def sources_of(connection: Connection, company_id: int) -> dict[str, Source]:
    """Every source of the company under our id and, over it, under the company's own."""
    rows = connection.execute(
        select(TrafficSource.id, TrafficSource.user_traffic_source_id).where(
            TrafficSource.company_id == company_id, TrafficSource.deleted_at.is_(None)
        )
    ).all()
    sources = [Source(row.id, row.user_traffic_source_id) for row in rows]
    return {str(source.id): source for source in sources} | {source.text: source for source in sources}
