"""From the text in `lead_token` to what it grants, remembered for a few seconds."""

import secrets
import time
from collections.abc import Iterable
from dataclasses import fields as dataclass_fields
from typing import Any, NamedTuple

from flask import current_app
from sqlalchemy import ColumnElement, column, select, table
from sqlalchemy.engine import Connection, Row

from server.companies.models import Company
from server.consent.queries import find_texts
from server.lead_tokens.models import LeadToken, OriginSeen
from server.lead_tokens.rules import VALUE, Grant
from server.lib.db import batches, db
from server.lib.uses import Use, Uses
from server.numbers import rules
from server.numbers.models import Number, NumberPool
from server.numbers.rules import Pool
from server.offers import models
from server.offers.contact_fields import ContactField, ContactFieldType
from server.offers.models import Offer
from server.offers.schemas import acceptance_of
from server.schedules.models import Schedule, ScheduleAction
from server.schedules.rules import Step
from server.sources.models import TrafficSource
from server.sources.rules import Source

# Every write compares the company's config_version, so a grant is never stale; this only bounds how long an edit
# made behind our back (by hand, in SQL) goes unseen, in seconds.
KEPT_SECONDS = 5.0
KEPT_MOST = 10_000
# All grants together may hold so many entries, of some 200 bytes each: every token of a company with thousands of names
# and sources holds them all.
ENTRIES_MOST = 500_000

# The model stands with the leads, who bring the names.
TOKEN = table("token", column("company_id"), column("name"), column("deleted_at"))

_kept: dict[str, tuple[float, Grant]] = {}
_held = [0]


def find_grant(value: object, fresh: bool = False) -> Grant | None:
    """What a token grants; None if no such token exists."""
    if not isinstance(value, str) or not VALUE.fullmatch(value):
        return None
    kept = _kept.get(value)
    if kept is None or fresh or kept[0] < time.monotonic():
        grant = load_grant(LeadToken.value == value)
        if grant is None:
            _kept.pop(value, None)
            return None
        kept = (time.monotonic() + KEPT_SECONDS, grant)
        keep(value, kept)
    return kept[1]


def keep(value: str, kept: tuple[float, Grant]) -> None:
    """Remembers a grant; when there is no room for it, nothing else."""
    held = entries(kept[1])
    # What was read anew counts twice: then all is forgotten earlier, which costs a look at the database.
    _held[0] += held
    if len(_kept) >= KEPT_MOST or _held[0] > ENTRIES_MOST:
        _kept.clear()
        _held[0] = held
    _kept[value] = kept


def entries(grant: Grant) -> int:
    """How much a grant holds, counted by what a company may have many of."""
    numbers = sum(len(pool.numbers) for pools in grant.pools.values() for pool in pools)
    options = sum(len(field.options) for field in grant.contact_fields)
    texts = len(grant.texts.by_text) + len(grant.texts.by_name)
    named = len(grant.token_names) + len(grant.sources) + len(grant.seen_origins) + len(grant.allowed_origins)
    return 20 + named + numbers + options + texts + len(grant.contact_fields) + len(grant.first_steps)


def knows_any(values: Iterable[object]) -> bool:
    """Whether one of the texts is a token at all, be it in force or not: one look at the database for all of them."""
    spelt = [value for value in values if isinstance(value, str) and VALUE.fullmatch(value)]
    if any(value in _kept for value in spelt):
        return True
    with db.engine.connect() as connection:
        return any(
            connection.scalar(select(LeadToken.id).where(LeadToken.value.in_(some)).limit(1)) is not None
            for some in batches(spelt)
        )


def has_token(company_id: int, token_id: int) -> bool:
    """Whether it is one of the company's that stands for a schedule or an offer, be it in force or not."""
    with db.engine.connect() as connection:
        query = select(LeadToken.id).where(
            LeadToken.id == token_id, LeadToken.company_id == company_id, LeadToken.kind != "postback"
        )
        return connection.scalar(query) is not None


def find_grant_of(token_id: int) -> Grant:
    """What a lead's own token grants, be it in force or not: who acts on the lead has another authority."""
    grant = load_grant(LeadToken.id == token_id)
    if grant is None:
        raise LookupError(f"lead token {token_id}: tokens are never removed")
    return grant


def load_grant(which: ColumnElement[bool]) -> Grant | None:
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
            .where(which)
        ).first()
        return grant_of(connection, row) if row else None


def grant_of(connection: Connection, token: Row[tuple[object, ...]]) -> Grant:
    """The snapshot for one row of lead_token and company."""
    owner = owner_of(connection, token.owner_kind, token.owner_id)
    schedules = schedules_of(connection, token.company_id, owner.schedule_id, owner.offer_id)
    types = contact_field_types_of(connection, token.company_id)
    sources = sources_of(connection, token.company_id)
    names = token_names_of(connection, token.company_id)
    return Grant(
        token_id=token.id,
        vendor_id=token.first_id or token.id,
        kind=token.kind,
        value=token.value,
        company_id=token.company_id,
        config_version=token.config_version,
        region=token.region,
        time_zone=token.time_zone,
        require_authorization=token.require_authorization,
        owner_kind=token.owner_kind,
        owner_id=token.owner_id,
        offer_id=owner.offer_id,
        schedule_id=owner.schedule_id,
        owner_deleted=owner.deleted,
        acceptance=acceptance_of(owner.acceptance),
        contact_fields=contact_fields_of(connection, token.company_id, owner.offer_id),
        contact_field_types=types,
        first_steps=first_steps_of(connection, token.company_id, schedules),
        pools=pools_of(connection, token.company_id, schedules),
        default_source=next((s for s in sources.values() if s.id == token.default_traffic_source_id), None),
        sources=sources,
        shows_stored_lead=token.shows_stored_lead,
        allows_callbacks=token.allows_callbacks,
        per_minute_limit=token.per_minute_limit,
        allowed_origins=frozenset(token.allowed_origins),
        allowed_redirects=frozenset(token.allowed_redirects),
        expires_at=token.expires_at,
        replaced=token.replaced_at is not None,
        disabled_at=token.disabled_at,
        exposed=token.exposed_at is not None,
        last_used_at=token.last_used_at,
        most_token_names=current_app.config["TOKEN_NAMES"],
        most_public_bytes=current_app.config["PUBLIC_BYTES"],
        token_names=set(names),
        deleted_names=sum(names.values()),
        payload_secret=token.payload_secret and open_secret(token.payload_secret),
        reads_submissions=token.reads_submissions,
        texts=find_texts(connection, token.company_id, token.disclosure_id),
        stamp_key=stamp_key(),
        seen_origins=seen_origins_of(connection, token.id),
    )


def open_secret(sealed: str) -> str:
    """The secret that was sealed; empty if the key is not that of then, which is no other token's trouble."""
    opened: str | None = current_app.extensions["vault"].open(sealed)
    return opened or ""


def stamp_key() -> bytes:
    """What stamps are signed with. Where it cannot be kept it is nobody's: then no stamp is good, and leads come in."""
    try:
        key: bytes = current_app.extensions["vault"].signing_key("stamp")
    except OSError:
        return secrets.token_bytes(32)
    return key


class Owner(NamedTuple):
    """What a token belongs to."""

    schedule_id: int | None = None
    offer_id: int | None = None
    deleted: bool = False
    acceptance: dict[str, Any] | None = None


def owner_of(connection: Connection, kind: str, owner_id: int) -> Owner:
    """The schedule with its offer, or the offer; a traffic source owns no leads."""
    if kind == "schedule":
        schedule = select(Schedule.offer_id, Schedule.deleted_at, Schedule.acceptance).where(Schedule.id == owner_id)
        offer_id, deleted_at, acceptance = connection.execute(schedule).one()
        return Owner(owner_id, offer_id, deleted_at is not None, acceptance)
    if kind == "offer":
        offer = select(Offer.deleted_at, Offer.acceptance).where(Offer.id == owner_id)
        deleted_at, acceptance = connection.execute(offer).one()
        return Owner(None, owner_id, deleted_at is not None, acceptance)
    return Owner()


def schedules_of(connection: Connection, company_id: int, schedule_id: int | None, offer_id: int | None) -> list[int]:
    """The schedules whose leads the token may meet: its own, and those of the offer."""
    if offer_id is None:
        return [] if schedule_id is None else [schedule_id]
    found = connection.scalars(
        select(Schedule.id).where(Schedule.company_id == company_id, Schedule.offer_id == offer_id)
    )
    return list(found)


def first_steps_of(connection: Connection, company_id: int, schedules: list[int]) -> dict[int, Step]:
    """The action that a lead of each schedule meets first."""
    rows = connection.execute(
        select(ScheduleAction.schedule_id, ScheduleAction.id, ScheduleAction.delay_seconds)
        .where(
            ScheduleAction.company_id == company_id,
            ScheduleAction.schedule_id.in_(schedules),
            ScheduleAction.deleted_at.is_(None),
        )
        .order_by(ScheduleAction.position.desc())
    )
    return {row.schedule_id: Step(row.id, row.delay_seconds) for row in rows}


def pools_of(connection: Connection, company_id: int, schedules: list[int]) -> dict[int, tuple[Pool, ...]]:
    """The pools of each schedule, with those of their numbers that are in use."""
    in_use = select(Number.id, Number.number).where(Number.company_id == company_id, Number.deleted_at.is_(None))
    pools: dict[int, tuple[Pool, ...]] = {}
    asked = select(NumberPool.__table__).where(
        NumberPool.company_id == company_id, NumberPool.schedule_id.in_(schedules), NumberPool.deleted_at.is_(None)
    )
    stored = connection.execute(asked).all()
    known = {row.id: rules.Number(row.id, row.number) for row in connection.execute(in_use)} if stored else {}
    for row in stored:
        pool = Pool(
            id=row.id,
            kind=row.kind,
            position=row.position,
            name=row.name,
            filters=row.filters,
            numbers=tuple(known[each] for each in row.number_ids if each in known),
        )
        pools[row.schedule_id] = (*pools.get(row.schedule_id, ()), pool)
    return pools


def contact_fields_of(connection: Connection, company_id: int, offer_id: int | None) -> tuple[ContactField, ...]:
    """What the offer, and each schedule of it, expects of a lead."""
    stored = models.ContactField
    rows = connection.execute(
        select(stored.__table__)
        .where(stored.company_id == company_id, stored.offer_id == offer_id, stored.deleted_at.is_(None))
        .order_by(stored.position, stored.id)
    )
    return tuple(contact_field(row) for row in rows)


def contact_field(row: Any) -> ContactField:
    """A row of contact_field as the rules know it."""
    values = {each.name: getattr(row, each.name) for each in dataclass_fields(ContactField)}
    return ContactField(**values | {"options": tuple(row.options)})


def contact_field_types_of(connection: Connection, company_id: int) -> tuple[ContactFieldType, ...]:
    """The company's types, in the order in which they were made."""
    stored = models.ContactFieldType
    rows = connection.execute(
        select(stored.id, stored.key, stored.name)
        .where(stored.company_id == company_id, stored.deleted_at.is_(None))
        .order_by(stored.id)
    )
    return tuple(ContactFieldType(*row) for row in rows)


def sources_of(connection: Connection, company_id: int) -> dict[str, Source]:
    """Every source of the company under our id and, over it, under the company's own."""
    rows = connection.execute(
        select(TrafficSource.id, TrafficSource.user_traffic_source_id).where(
            TrafficSource.company_id == company_id, TrafficSource.deleted_at.is_(None)
        )
    ).all()
    sources = [Source(row.id, row.user_traffic_source_id) for row in rows]
    return {str(source.id): source for source in sources} | {source.text: source for source in sources}


def seen_origins_of(connection: Connection, token_id: int) -> Uses:
    """The pages that have used the token, and how often."""
    seen = OriginSeen
    query = select(seen.origin, seen.uses, seen.last_seen_at).where(seen.lead_token_id == token_id)
    return {row.origin: Use(row.uses, row.last_seen_at) for row in connection.execute(query)}


def token_names_of(connection: Connection, company_id: int) -> dict[str, bool]:
    """The names under which the company's leads have brought tokens, and whether each is deleted."""
    query = select(TOKEN.c.name, TOKEN.c.deleted_at.is_not(None)).where(TOKEN.c.company_id == company_id)
    return {name: bool(deleted) for name, deleted in connection.execute(query)}
