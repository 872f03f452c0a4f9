"""Reading leads back, and what every list of what came in has: pages, times, numbers."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from marshmallow import Schema, ValidationError
from sqlalchemy import ColumnElement, Select, String, cast, or_, select

from server.contacts.models import Contact
from server.leads import consents, normalise, payload
from server.leads.models import Lead
from server.leads.schemas import Boolean, Digits, Integer, Text, Time, about, invalid_time
from server.lib import clock, json, paging, phone
from server.lib.db import db
from server.lib.secrets import is_id
from server.periods import RESTORABLE
from server.sources.models import TrafficSource

SOME_ID = "74da9151-d988-4428-8087-c8dcf47ae9a2"


def must_be_id(text: str) -> None:
    """Raises ValidationError for what no row can be called."""
    if not is_id(text):
        raise ValidationError("Must be a UUID")


class PageFilter(Schema):
    """What every list takes."""

    per_page = Integer(
        least=1, most=paging.MOST_PER_PAGE, load_default=paging.PER_PAGE, **about("How many a page holds.", 50, False)
    )
    cursor = Text(**about("The `next_cursor` of the page before.", "MjAyNi0xMS0yMw", False))
    created_at_from = Time(**about("Only what came at this time or later.", "2026-11-23T06:00:00Z", False))
    created_at_to = Time(**about("Only what came before this time.", "2026-11-24T06:00:00Z", False))


class LeadFilter(PageFilter):
    """The filters of `GET /api/v1/leads`."""

    number = Text(**about("Only leads of this number, in any usual spelling.", "+17192221234", False))
    email = Text(**about("Only leads of exactly this address.", "john@example.com", False))
    status = Text(**about("Only leads of this status.", "scheduled", False))
    offer_id = Digits(least=1, most=2**31 - 1, **about("Only leads of this offer.", "1", False))
    schedule_id = Digits(least=1, most=2**31 - 1, **about("Only leads of this schedule.", "1", False))
    traffic_source_id = Text(**about("Only leads of this source, by your id of it or by ours.", "google_ads", False))
    sub_id = Text(**about("Only leads of exactly this sub id.", "a1b2c3d", False))
    fulltext = Text(
        longest=200, **about("Only leads with this text in number, address, sub id or tokens.", "denver", False)
    )
    columns = Text(**about("What is shown of each lead, with commas between.", "id,caller_id,status", False))
    root = Boolean(load_default=True, **about("`false` answers the bare list, without metadata.", False, False))


def lead_query(company_id: int) -> Select[*tuple[Any, ...]]:
    """A company's leads with their contact and the present name of their source."""
    return (
        select(Lead, Contact.blocked_at, Contact.opted_out_at, TrafficSource.user_traffic_source_id)
        .join(Contact, Contact.id == Lead.contact_id)
        .outerjoin(TrafficSource, TrafficSource.id == Lead.traffic_source_id)
        .where(Lead.company_id == company_id)
    )


def list_leads(
    company_id: int, region: str, time_zone: str, asked: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """One page of leads that are not deleted, newest first, and the list's metadata; raises ValidationError."""
    # What an index finds; all else is looked for within its rows.
    scope = [Lead.company_id == company_id, *created_between(Lead.created_at, asked, time_zone)]
    if "number" in asked:
        scope.append(Lead.caller_id == e164(asked["number"], region))
    query = lead_query(company_id).where(*not_deleted(clock.now()), *lead_conditions(asked), *scope)
    reach = paging.SHORT_REACH if "fulltext" in asked else paging.REACH
    rows, metadata = paged(query, Lead, asked, scope, reach)
    columns = chosen_columns(asked.get("columns"))
    shown = lead_views(company_id, rows)
    if columns:
        shown = [{name: lead[name] for name in columns} for lead in shown]
    return shown, metadata


def find_lead(company_id: int, lead_id: str) -> dict[str, Any] | None:
    """One lead of this company, also one that somebody has deleted, as long as it can be restored."""
    now = clock.now()
    shown = (in_time(Lead.deletes_at, now), in_time(Lead.deleted_at, now - RESTORABLE))
    row = db.session.execute(lead_query(company_id).where(Lead.id == lead_id, *shown)).first()
    return lead_views(company_id, [row])[0] if row else None


def in_time(column: Any, now: datetime) -> ColumnElement[bool]:
    """Whether the end in this column has not come: what is past it is not shown, though it may still be stored."""
    return or_(column.is_(None), column > now)


def not_deleted(now: datetime) -> list[ColumnElement[bool]]:
    """The leads that nobody has deleted, and whose time to be deleted has not come."""
    return [Lead.deleted_at.is_(None), in_time(Lead.deletes_at, now)]


def lead_views(company_id: int, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Rows of `lead_query` as the API shows them, each with the best consent that there is."""
    best = consents.best_of(company_id, [row[0].id for row in rows])
    return [lead_view(row) | {"consent": best.get(row[0].id, consents.NONE)} for row in rows]


def lead_view(row: Any) -> dict[str, Any]:
    """A row of `lead_query` without its consent."""
    lead, blocked_at, opted_out_at, source = row
    columns = {column.name: getattr(lead, column.name) for column in Lead.__table__.columns}
    shown = payload.stored_lead(columns, blocked_at is not None, opted_out_at is not None)
    shown["traffic_source_id"] = source or shown["traffic_source_id"]
    return shown


def token_of(company_id: int, lead_id: str) -> int | None:
    """The lead token of one lead of this company, by which it came in."""
    # Not through the session: its transaction would stand in the way of the edit that follows.
    with db.engine.connect() as connection:
        return connection.scalar(select(Lead.lead_token_id).where(Lead.company_id == company_id, Lead.id == lead_id))


def lead_of_call(company_id: int, caller_id: str, offer_id: int | None, schedule_id: int | None) -> Lead | None:
    """The lead that a call with this number belongs to: a live one before one that has ended, the latest of them."""
    own = (Lead.company_id == company_id, Lead.caller_id == caller_id)
    query = select(Lead).where(*own, *not_deleted(clock.now()))
    if schedule_id is not None:
        query = query.where(Lead.schedule_id == schedule_id)
    elif offer_id is not None:
        query = query.where(Lead.offer_id == offer_id)
    return db.session.scalars(
        query.order_by(Lead.is_live.desc(), Lead.created_at.desc(), Lead.id.desc()).limit(1)
    ).first()


def e164(text: str, region: str) -> str:
    """A filter's number in the spelling that is stored; what is no number finds nothing."""
    known = phone.parse(text, region)
    return known.e164 if known else text


def lead_conditions(asked: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    """The filters that were sent, but for number and times, as conditions."""
    conditions: list[ColumnElement[bool]] = []
    for name in ("email", "status", "sub_id"):
        if name in asked:
            conditions.append(getattr(Lead, name) == asked[name])
    for name in ("offer_id", "schedule_id"):
        if name in asked:
            conditions.append(getattr(Lead, name) == int(asked[name]))
    if "traffic_source_id" in asked:
        text = asked["traffic_source_id"]
        conditions.append(
            or_(
                Lead.traffic_source_text == text,
                TrafficSource.user_traffic_source_id == text,
                cast(Lead.traffic_source_id, String) == text,
            )
        )
    if "fulltext" in asked:
        conditions.append(contains(asked["fulltext"]))
    return conditions


def contains(text: str) -> ColumnElement[bool]:
    """Whether number, address, sub id or any token holds a text, in any case; its wildcards are plain characters."""
    # Tokens are searched as the JSON that is stored, where quotes and backslashes are escaped.
    escaped = json.dump(text)[1:-1]
    return or_(
        *(column.icontains(text, autoescape=True) for column in (Lead.caller_id, Lead.email, Lead.sub_id)),
        cast(Lead.data, String).icontains(escaped, autoescape=True),
    )


def created_between(column: Any, asked: Mapping[str, Any], time_zone: str) -> list[ColumnElement[bool]]:
    """From the one time, up to but not including the other."""
    conditions: list[ColumnElement[bool]] = []
    if "created_at_from" in asked:
        conditions.append(column >= instant("created_at_from", asked, time_zone))
    if "created_at_to" in asked:
        conditions.append(column < instant("created_at_to", asked, time_zone))
    return conditions


def instant(name: str, asked: Mapping[str, Any], time_zone: str) -> datetime:
    """A filter's time; one without an offset is the company's. Raises ValidationError for one beyond all calendars."""
    try:
        return normalise.in_zone(asked[name], time_zone)
    except OverflowError as error:
        raise ValidationError({name: [invalid_time("")]}) from error


def paged(
    query: Select[*tuple[Any, ...]],
    model: Any,
    asked: Mapping[str, Any],
    scope: paging.Scope = (),
    reach: int = paging.REACH,
    *,
    size: ColumnElement[int] | None = None,
) -> tuple[list[Any], dict[str, Any]]:
    """One page; raises ValidationError for a cursor that is none."""
    try:
        return paging.page(
            db.session(),
            query,
            model.created_at,
            model.id,
            per_page=asked["per_page"],
            cursor=asked.get("cursor"),
            scope=scope,
            reach=reach,
            size=size,
        )
    except paging.BadCursor as error:
        text = "Must be the next_cursor of a list"
        raise ValidationError({"cursor": [text]}) from error


def chosen_columns(text: str | None) -> list[str]:
    """The columns that were asked for; raises ValidationError naming one that does not exist."""
    if not text:
        return []
    names = [name.strip() for name in text.split(",")]
    shown = [*payload.SHOWN, "consent"]
    unknown = [name for name in names if name not in shown]
    if unknown:
        text = f"Must be of: {', '.join(shown)}"
        raise ValidationError({"columns": [text]})
    return names
