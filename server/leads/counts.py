"""How many submissions came each day, and what became of them; a day is one of the company's time zone."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from marshmallow import Schema, ValidationError
from sqlalchemy import ColumnElement, Select, func, literal, select, union_all

from server.lead_tokens.models import LeadToken
from server.leads import payload
from server.leads.models import RefusalCount, Submission
from server.leads.normalise import in_zone, zone
from server.leads.queries import instant
from server.leads.schemas import Time, about, invalid_time
from server.leads.submissions import TOLD_ACTION, TOLD_CODE, ByToken, WithToken, of_tokens, own, still_kept
from server.lib import clock
from server.lib.db import db
from server.periods import COUNTS_KEPT

DAY = timedelta(days=1)
USUAL_DAYS, MOST_DAYS = 7, 92

Span = tuple[str, datetime, datetime]
Counts = tuple[list[dict[str, Any]], dict[str, Any]]


class Period(Schema):
    """From when to when is counted."""

    created_at_from = Time(**about("Only what came then or later; a week is counted unless said.", "2026-11-01", False))
    created_at_to = Time(**about("Only what came before; until now unless said.", "2026-12-01", False))


class CountFilter(Period, ByToken):
    """The filters of `GET /api/v1/submissions/counts`."""


class OwnCountFilter(Period, WithToken):
    """The filters of the same for a server token."""


def count_submissions(company_id: int, time_zone: str, asked: Mapping[str, Any]) -> Counts:
    """A company's submissions by day, action and code, and between which times they came; raises ValidationError."""
    conditions = [Submission.company_id == company_id, still_kept(), *of_tokens(company_id, asked)]
    return counted(days_asked(asked, time_zone), time_zone, conditions, Submission.action, Submission.code)


def count_own(company_id: int, vendor_id: int, time_zone: str, asked: Mapping[str, Any]) -> Counts:
    """The same of what a vendor has sent, by what its sender was told."""
    days = days_asked(asked, time_zone)
    return counted(days, time_zone, own(company_id, vendor_id), TOLD_ACTION.element, TOLD_CODE.element)


def count_unkept(company_id: int, time_zone: str, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """How many were refused of which nothing else is kept, by hour and code, in the same days; raises
    ValidationError."""
    days = days_asked(asked, time_zone)
    if not days:
        return []
    table = RefusalCount
    # An hour counts with the time at which it begins.
    first = max(days[0][1], clock.now() - COUNTS_KEPT).replace(minute=0, second=0, microsecond=0)
    query = (
        select(table.hour_at, table.code, func.sum(table.count))
        .where(
            table.lead_token_id.in_(tokens_of(company_id, asked)),
            table.company_id == company_id,
            table.hour_at >= first,
            table.hour_at < days[-1][2],
        )
        .group_by(table.hour_at, table.code)
        .order_by(table.hour_at, table.code)
    )
    return [
        {"hour_at": payload.time(hour_at), "code": code, "count": int(count)}
        for hour_at, code, count in db.session.execute(query)
    ]


def tokens_of(company_id: int, asked: Mapping[str, Any]) -> Select[Any]:
    """The lead tokens that are meant; a vendor's before and after a rotation are meant together."""
    tokens = select(LeadToken.id).where(LeadToken.company_id == company_id)
    if "lead_token_id" in asked:
        tokens = tokens.where(LeadToken.id == int(asked["lead_token_id"]))
    if "vendor_id" in asked:
        tokens = tokens.where(LeadToken.vendor_id == asked["vendor_id"])
    if "vendor" in asked:
        named = select(LeadToken.vendor_id).where(LeadToken.company_id == company_id, LeadToken.name == asked["vendor"])
        tokens = tokens.where(LeadToken.vendor_id.in_(named))
    return tokens


def days_asked(asked: Mapping[str, Any], time_zone: str) -> list[Span]:
    """The days that are meant: the last seven with today, unless times were sent, which cut the first and the last;
    raises ValidationError for too many."""
    try:
        return days_between(asked, time_zone)
    except OverflowError as error:
        raise ValidationError({name: [invalid_time("")] for name in Period().fields if name in asked}) from error


def days_between(asked: Mapping[str, Any], time_zone: str) -> list[Span]:
    """The same; raises OverflowError where a day is beyond all calendars."""
    until = instant("created_at_to", asked, time_zone) if "created_at_to" in asked else None
    last = local_date(clock.now() if until is None else until - timedelta.resolution, time_zone)
    since = instant("created_at_from", asked, time_zone) if "created_at_from" in asked else None
    first = last - (USUAL_DAYS - 1) * DAY if since is None else local_date(since, time_zone)
    if (last - first).days >= MOST_DAYS:
        text = f"must be at most {MOST_DAYS} days before created_at_to, or before today"
        raise ValidationError({"created_at_from": [text]})
    begins = [first + number * DAY for number in range((last - first).days + 2)]
    edges = [in_zone(datetime.combine(day, time.min), time_zone) for day in begins]
    spans = zip(begins, edges, edges[1:], strict=False)
    return [(day.isoformat(), max(start, since or start), min(end, until or end)) for day, start, end in spans]


def local_date(at: datetime, time_zone: str) -> date:
    """Which day a time is in a zone."""
    return at.astimezone(zone(time_zone)).date()


def counted(
    days: list[Span],
    time_zone: str,
    conditions: list[ColumnElement[bool]],
    action: Any,
    code: Any,
) -> Counts:
    """The counts of each day, by action and code, and the metadata."""
    counts = count(days, conditions, action, code) if days else []
    return counts, {
        "total_count": sum(each["count"] for each in counts),
        "time_zone": time_zone,
        "created_at_from": payload.time(days[0][1]) if days else None,
        "created_at_to": payload.time(days[-1][2]) if days else None,
    }


def count(days: list[Span], conditions: list[ColumnElement[bool]], action: Any, code: Any) -> list[dict[str, Any]]:
    """One look, in which the database walks its index day by day."""
    query = union_all(*(of_day(each, conditions, action, code) for each in days))
    names = ("date", "action", "code", "count")
    rows = sorted(db.session.execute(query), key=lambda row: (row[0], row[1], row[2] or ""))
    return [dict(zip(names, row, strict=True)) for row in rows]


def of_day(day: Span, conditions: list[ColumnElement[bool]], action: Any, code: Any) -> Select[*tuple[Any, ...]]:
    """The counts of one day. What groups stands in a query of its own: an expression with values in it is never the
    same twice."""
    name, since, until = day
    came = (
        select(action.label("action"), code.label("code"))
        .where(*conditions, Submission.created_at >= since, Submission.created_at < until)
        .subquery()
    )
    groups = (came.c.action, came.c.code)
    return select(literal(name), *groups, func.count()).group_by(*groups)
