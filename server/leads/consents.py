"""Reading consent back: the record of a submission, and the best that a lead has."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import case, func, select

from server.consent.evidence import RANKS, Evidence
from server.consent.models import ConsentRecord
from server.leads.models import Submission
from server.lib import json
from server.lib.db import db

# What a lead shows of its best record.
SHOWN = ("evidence", "granted", "granted_at", "received_at", "disclosure", "text_is", "gpc", "submission_id")
NONE: dict[str, Any] = dict.fromkeys(SHOWN) | {"evidence": Evidence.NONE.value, "gpc": False}


def record_of(submission_id: str) -> dict[str, Any] | None:
    """The consent record of a submission; None for one that was refused."""
    kept = db.session.get(ConsentRecord, submission_id)
    return None if kept is None else json.load(kept.record)


def best_of(company_id: int, lead_ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """The best record of each lead, the latest of equal ones; what says no counts as none, but is shown."""
    rank = case(RANKS, value=ConsentRecord.evidence)
    place = func.row_number().over(
        partition_by=Submission.lead_id,
        order_by=(rank, ConsentRecord.granted.is_(None), Submission.created_at.desc(), Submission.id.desc()),
    )
    ranked = (
        select(Submission.lead_id, ConsentRecord.record, place.label("place"))
        .join(ConsentRecord, ConsentRecord.submission_id == Submission.id)
        .where(Submission.company_id == company_id, Submission.lead_id.in_(lead_ids))
        .subquery()
    )
    found = db.session.execute(select(ranked.c.lead_id, ranked.c.record).where(ranked.c.place == 1))
    return {str(lead_id): shown(json.load(record)) for lead_id, record in found}


def shown(record: dict[str, Any]) -> dict[str, Any]:
    """What a lead shows of a record."""
    return {name: record[name] for name in SHOWN}
