"""What was quarantined, many at once: released, or dismissed as the flood that it looked like."""

from typing import Any

from flask import Blueprint, Response, current_app, g
from marshmallow import ValidationError

from server.api import editing
from server.api.answers import json_answer
from server.api.manage import read_sent
from server.companies.models import Company
from server.companies.queries import KeyHolder
from server.errors import Refused
from server.leads import quarantine, submissions
from server.leads.intake import take_edit
from server.leads.params import invalid
from server.leads.release import posting_to_release
from server.leads.replay import Wanted
from server.lib import clock
from server.lib.db import begin_write, commit, db

blueprint = Blueprint("quarantine", __name__, url_prefix="/api/v1/submissions")

SCOPE = "leads:update"


@blueprint.post("/quarantine")
def settle_quarantined() -> Response:
    """Releases or dismisses all that the filters mean, or says how many those are."""
    key, sent = read_sent(SCOPE)
    asked = editing.read_by(quarantine.QuarantineSchema(), sent)
    if asked["act"] == "dismiss":
        begin_write()
    company = db.session.get_one(Company, key.company_id)
    try:
        meant = quarantine.meant_by(company.id, company.time_zone, asked, clock.now())
    except ValidationError as error:
        raise invalid(error.messages_dict) from error
    matching = quarantine.count(meant)
    if asked["dry_run"]:
        return answer(asked, matching)
    if asked["count"] is None:
        raise invalid({"count": [f"has to say how many are meant, as a dry run tells; now it would be {matching}"]})
    if asked["count"] != matching:
        raise another_count(matching)
    if asked["act"] == "dismiss":
        done = quarantine.dismiss(meant, clock.now())
        commit()
        return answer(asked, matching, done)
    chosen = quarantine.oldest(meant)
    db.session.remove()
    ends = [release(key, each) for each in chosen]
    return answer(asked, matching, ends.count(True), ends.count(False))


def release(key: KeyHolder, submission_id: str) -> bool:
    """Takes one out of quarantine; whether today's rules took it."""
    kept = submissions.find_kept(key.company_id, submission_id)
    if kept is None:
        return False
    wanted = Wanted(key=key, now=clock.now(), request_id=g.request_id)
    try:
        posting = posting_to_release(kept, wanted)
        return take_edit(current_app.extensions["ledger"], posting, kept["lead_token_id"]).refusal is None
    except Refused:
        return False


def another_count(matching: int) -> Refused:
    """The refusal of an act on more or fewer than whoever asks for it has seen."""
    text = f"is not how many there are now: {matching}"
    detail = f"count {text}. Nothing was done. Look at them again, and send count={matching}."
    return Refused("edit_conflict", f"count {text}", {"count": [text]}, detail)


def answer(asked: dict[str, Any], matching: int, done: int = 0, refused: int = 0) -> Response:
    """How many were meant, and what became of them."""
    counted = {"matching": matching, "done": done, "refused": refused, "left": matching - done - refused}
    return json_answer({"act": asked["act"], "dry_run": asked["dry_run"], "counts": counted})
