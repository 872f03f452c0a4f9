"""Which submissions in quarantine are meant, and how many; and how they are dismissed. Nothing here commits."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from marshmallow import Schema
from sqlalchemy import ColumnElement, CursorResult, func, or_, select, update

from server.leads.models import Submission
from server.leads.queries import created_between
from server.leads.submissions import of_tokens
from server.leads.suspicion import SAID
from server.lib.db import db
from server.lib.fields import RowId, Switch, Text, Time, Whole, Word

ACTS = ("release", "dismiss")
# Each is released in a commit of its own; more would keep the client waiting for longer than clients wait.
MOST_AT_ONCE = 1000

Conditions = list[ColumnElement[bool]]


class QuarantineSchema(Schema):
    """What is to be done with which submissions in quarantine."""

    act = Word(
        "`release` takes them by today's rules, the oldest first, up to 1,000 at once; `dismiss` says that they are"
        " what they look like: they are not kept any longer.",
        "release",
        ACTS,
        required=True,
    )
    count = Whole(
        "How many you mean, as a dry run has told: with another number nothing is done. A dry run needs none.",
        12,
        allow_none=True,
        load_default=None,
    )
    dry_run = Switch("Whether only to count them.", load_default=False)
    reason = Word("Only those that are there for this reason.", "opt_outs", SAID)
    remote_ip = Text("Only those of this address.", "203.0.113.7")
    lead_token_id = RowId("Only those of this lead token.", 1)
    vendor = Text("Only those of lead tokens of this name.", "Shop")
    created_at_from = Time("Only what came then or later.", "2026-11-23T00:00:00Z")
    created_at_to = Time("Only what came before.", "2026-11-24T00:00:00Z")


def meant_by(company_id: int, time_zone: str, asked: Mapping[str, Any], now: datetime) -> Conditions:
    """The submissions that the filters mean, but for those that only repeat another; raises ValidationError."""
    conditions = [
        Submission.company_id == company_id,
        Submission.code == "quarantined",
        Submission.original_id.is_(None),
        or_(Submission.purge_at.is_(None), Submission.purge_at > now),
        *of_tokens(company_id, asked),
        *created_between(Submission.created_at, asked, time_zone),
    ]
    if "remote_ip" in asked:
        conditions.append(Submission.remote_ip == asked["remote_ip"])
    if "reason" in asked:
        # As the step `suspicion` says it, which holds no text of the sender's.
        conditions.append(Submission.why.contains(f'"decided":"{asked["reason"]}","rule":', autoescape=True))
    return conditions


def count(meant: Conditions) -> int:
    """How many there are."""
    return db.session.scalar(select(func.count()).select_from(Submission).where(*meant)) or 0


def oldest(meant: Conditions) -> list[str]:
    """As many of them as are released at once, in the order in which they came."""
    query = select(Submission.id).where(*meant).order_by(Submission.created_at, Submission.id).limit(MOST_AT_ONCE)
    return list(db.session.scalars(query))


def dismiss(meant: Conditions, now: datetime) -> int:
    """Lets their time end now."""
    changed = db.session.execute(update(Submission).where(*meant).values(purge_at=now))
    return cast("CursorResult[Any]", changed).rowcount
