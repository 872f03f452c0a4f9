"""Reading consent back: the record of a submission, and the best that a lead has."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import and_, case, func, select

from server.consent.evidence import RANKS, Evidence
from server.consent.models import ConsentRecord
from server.lead_tokens.rules import PUBLIC
from server.leads.models import Submission
from server.lib import json
from server.lib.db import db

# What a lead shows of its best record.
SHOWN = ("evidence", "granted", "granted_at", "received_at", "disclosure", "text_is", "gpc", "submission_id")
NONE: dict[str, Any] = dict.fromkeys(SHOWN) | {"evidence": Evidence.NONE.value, "gpc": False, "claim": None}


def record_of(submission_id: str) -> dict[str, Any] | None:
    """The consent record of a submission; None for one that was refused."""
    kept = db.session.get(ConsentRecord, submission_id)
    return None if kept is None else json.load(kept.record)


def best_of(company_id: int, lead_ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """The best record of each lead, the latest of equal ones; what says no counts as none, but is shown.

    A page's word counts for the lead that it made. For any other lead it is a claim, which is shown beside: a stranger
    with the page's token and somebody's number must not better what is known of that person's consent.
    """
    rank = case(RANKS, value=ConsentRecord.evidence)
    claims = and_(Submission.powers == PUBLIC, Submission.action != "created")
    place = func.row_number().over(
        partition_by=(Submission.lead_id, claims),
        order_by=(rank, ConsentRecord.granted.is_(None), Submission.created_at.desc(), Submission.id.desc()),
    )
    ranked = (
        select(Submission.lead_id, ConsentRecord.record, claims.label("claims"), place.label("place"))
        .join(ConsentRecord, ConsentRecord.submission_id == Submission.id)
        .where(Submission.company_id == company_id, Submission.lead_id.in_(lead_ids))
        .subquery()
    )
    query = select(ranked.c.lead_id, ranked.c.record, ranked.c.claims).where(ranked.c.place == 1)
    best: dict[str, dict[str, Any]] = {}
    for lead_id, record, is_claim in db.session.execute(query):
        read = shown(json.load(record))
        said = read["granted"] is not None or read["evidence"] != Evidence.NONE
        own = {"claim": read if said else None} if is_claim else read
        best[str(lead_id)] = best.get(str(lead_id), NONE) | own
    return best


def shown(record: dict[str, Any]) -> dict[str, Any]:
    """What a lead shows of a record."""
    return {name: record[name] for name in SHOWN}
