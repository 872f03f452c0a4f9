"""Reading submissions back: all of them, with why, for their company; its own, with what it was told, for a sender."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError
from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import defer

from server.errors import HIDDEN
from server.lead_tokens.models import LeadToken
from server.leads import consents, payload
from server.leads.models import Lead, Submission
from server.leads.posting import EDITS
from server.leads.queries import SOME_ID, PageFilter, created_between, e164, in_time, must_be_id, paged
from server.leads.schemas import Digits, OneOf, Text, about
from server.lib import clock, json
from server.lib.db import db

Page = tuple[list[dict[str, Any]], dict[str, Any]]
Conditions = list[ColumnElement[bool]]

MOST_ROWS = 2**31 - 1

# What the sender was told, which for publishable powers is always that it was received, and by which id it knows the
# lead: a list that said more would tell what the answers keep to themselves.
PUBLIC = Submission.powers == "public"
RECEIVED = and_(PUBLIC, or_(Submission.action != "refused", Submission.code.in_(sorted(HIDDEN))))
TOLD_ACTION = case((RECEIVED, "received"), else_=Submission.action).label("told_action")
TOLD_CODE = case((RECEIVED, None), else_=Submission.code).label("told_code")
TOLD_LEAD = case((PUBLIC, Submission.public_lead_id), else_=Submission.lead_id).label("told_lead")


class ByOutcome(Schema):
    """The filters that both lists have."""

    action = Text(**about("Only submissions that ended so.", "refused", False))
    code = Text(**about("Only submissions refused with this code.", "invalid_caller_id", False))
    reason = Text(**about("The same as `code`.", "invalid_caller_id", False))
    vendor_lead_id = Text(**about("Only submissions with this id of the vendor's own.", "L-1042", False))
    lead_id = Text(
        validate=must_be_id,
        **about("Only submissions of this lead, by its id or by one that a page was told.", SOME_ID, False),
    )


class ByToken(Schema):
    """Whose submissions are meant, by the number or the name of the lead token."""

    lead_token_id = Digits(least=1, most=MOST_ROWS, **about("Only submissions of this lead token.", "1", False))
    vendor = Text(
        **about(
            "Only submissions of the vendors whose lead token has exactly this name, whichever of their tokens came.",
            "Acme Leads",
            False,
        )
    )


class SubmissionFilter(PageFilter, ByOutcome, ByToken):
    """The filters of `GET /api/v1/submissions`."""

    caller_id = Text(**about("Only submissions of this number, in any usual spelling.", "+17192221234", False))
    powers = OneOf("server", "public", **about("Only submissions with these powers.", "public", False))
    endpoint = Text(**about("Only submissions that came to this endpoint.", "create", False))
    replay_of_id = Text(validate=must_be_id, **about("Only replays of this submission.", SOME_ID, False))


class WithToken(Schema):
    """What a lead token is sent as, where it opens a list in place of a key."""

    lead_token = Text(**about("The server token that may read its list.", "YOUR_TOKEN", False))
    schedule_lead_token = Text(**about("The same, of a schedule.", "YOUR_TOKEN", False))
    offer_lead_token = Text(**about("The same, of an offer.", "YOUR_TOKEN", False))


class OwnFilter(PageFilter, ByOutcome, WithToken):
    """The filters of the same list for a server token."""


def still_kept() -> ColumnElement[bool]:
    """Whether a submission is kept on: a refused one has an end, past which it is neither shown nor taken once more."""
    return in_time(Submission.purge_at, clock.now())


def submission_query(company_id: int) -> Select[*tuple[Any, ...]]:
    """A company's submissions with the name of their token."""
    return (
        select(Submission, LeadToken.name)
        .outerjoin(LeadToken, LeadToken.id == Submission.lead_token_id)
        .where(Submission.company_id == company_id, still_kept())
    )


def list_submissions(company_id: int, region: str, time_zone: str, asked: Mapping[str, Any]) -> Page:
    """One page of submissions, newest first, and the list's metadata; raises ValidationError."""
    # What an index finds; all else is looked for within its rows.
    scope = [Submission.company_id == company_id, *created_between(Submission.created_at, asked, time_zone)]
    conditions = of_tokens(company_id, asked)
    stored = {name: getattr(Submission, name) for name in ("action", "vendor_lead_id", "powers", "endpoint")}
    conditions += same(stored | {"code": Submission.code}, {**asked, **coded(asked)})
    if "caller_id" in asked:
        conditions.append(Submission.caller_id == e164(asked["caller_id"], region))
    if "replay_of_id" in asked:
        conditions.append(Submission.replay_of_id == asked["replay_of_id"].lower())
    if "lead_id" in asked:
        lead_id = asked["lead_id"].lower()
        if is_lead(company_id, lead_id):
            scope.append(Submission.lead_id == lead_id)
        else:
            # Also by the random id that a page was told.
            conditions.append(Submission.public_lead_id == lead_id)
    elif "lead_token_id" in asked:
        scope.append(of_vendor(company_id, LeadToken.id == int(asked["lead_token_id"])))
    query = submission_query(company_id).where(*conditions, *scope)
    size = func.length(Submission.received) + func.length(Submission.why)
    rows, metadata = paged(query, Submission, asked, scope, size=size)
    return [submission_view(row) for row in rows], metadata


def list_own(company_id: int, vendor_id: int, time_zone: str, asked: Mapping[str, Any]) -> Page:
    """One page of what a vendor has sent, with no more than its sender was told; raises ValidationError."""
    told = {"action": TOLD_ACTION.element, "code": TOLD_CODE.element, "vendor_lead_id": Submission.vendor_lead_id}
    conditions = own(company_id, vendor_id) + same(told, {**asked, **coded(asked)})
    if "lead_id" in asked:
        conditions.append(TOLD_LEAD.element == asked["lead_id"].lower())
    scope = [
        Submission.company_id == company_id,
        Submission.vendor_id == vendor_id,
        *created_between(Submission.created_at, asked, time_zone),
    ]
    query = select(Submission, TOLD_ACTION, TOLD_CODE, TOLD_LEAD).where(*conditions, *scope)
    unread = (defer(Submission.received), defer(Submission.why))
    rows, metadata = paged(query.options(*unread), Submission, asked, scope)
    return [own_view(row) for row in rows], metadata


def same(columns: Mapping[str, Any], asked: Mapping[str, Any]) -> Conditions:
    """The filters that compare a column."""
    return [column == asked[name] for name, column in columns.items() if name in asked]


def coded(asked: Mapping[str, Any]) -> dict[str, str]:
    """`reason` is another word for `code`; raises ValidationError where they differ."""
    if asked.get("code", asked.get("reason")) != asked.get("reason", asked.get("code")):
        raise ValidationError({"reason": ["is another word for code, and was sent with another value: send one"]})
    return {"code": asked["reason"]} if "reason" in asked else {}


def of_tokens(company_id: int, asked: Mapping[str, Any]) -> Conditions:
    """The filters that say whose submissions are meant."""
    conditions: Conditions = []
    if "lead_token_id" in asked:
        token_id = int(asked["lead_token_id"])
        conditions += [of_vendor(company_id, LeadToken.id == token_id), Submission.lead_token_id == token_id]
    if "vendor" in asked:
        conditions.append(of_vendor(company_id, LeadToken.name == asked["vendor"]))
    return conditions


def of_vendor(company_id: int, which: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whose submissions are meant, by a lead token that the vendor has or had: what an index finds."""
    return Submission.vendor_id.in_(select(LeadToken.vendor_id).where(LeadToken.company_id == company_id, which))


def own(company_id: int, vendor_id: int) -> Conditions:
    """What a vendor has sent itself. People edit its leads under its rules, and have its submissions taken once more:
    of that it hears of a lead that was made of what it sent after all, but not where it was told that it had been."""
    return [
        Submission.company_id == company_id,
        Submission.vendor_id == vendor_id,
        Submission.endpoint.not_in(sorted(EDITS)),
        still_kept(),
        or_(Submission.replay_of_id.is_(None), and_(Submission.action != "refused", Submission.powers == "server")),
    ]


def is_lead(company_id: int, lead_id: str) -> bool:
    """Whether this company has such a lead."""
    return db.session.scalar(select(Lead.id).where(Lead.company_id == company_id, Lead.id == lead_id)) is not None


def find_submission(company_id: int, submission_id: str) -> dict[str, Any] | None:
    """One submission of this company."""
    row = db.session.execute(submission_query(company_id).where(Submission.id == submission_id)).first()
    return submission_view(row) | {"consent": consents.record_of(submission_id)} if row else None


def find_kept(company_id: int, submission_id: str) -> dict[str, Any] | None:
    """One submission of this company with all that is kept of it."""
    own = (Submission.company_id == company_id, Submission.id == submission_id)
    query = select(Submission.__table__).where(*own, still_kept())
    # Not through the session: its transaction would stand in the way of the replay that follows.
    with db.engine.connect() as connection:
        row = connection.execute(query).mappings().first()
    return dict(row) if row else None


def submission_view(row: Any) -> dict[str, Any]:
    """A row of `submission_query` as the API shows it."""
    submission, token_name = row
    shown = {column.name: getattr(submission, column.name) for column in Submission.__table__.columns}
    del shown["company_id"], shown["content_hash"], shown["lead_updated_at"]
    shown["lead_token_name"] = token_name
    shown["received"] = json.load(submission.received)
    shown["why"] = json.load(submission.why)
    for name in ("created_at", "purge_at", "released_at"):
        shown[name] = payload.time(shown[name])
    return shown


def own_view(row: Any) -> dict[str, Any]:
    """A submission as its sender may see it."""
    submission, action, code, lead_id = row
    return {
        "submission_id": submission.id,
        "lead_id": lead_id,
        "vendor_lead_id": submission.vendor_lead_id,
        "action": action,
        "code": code,
        "created_at": payload.time(submission.created_at),
    }
