"""Calls, as whoever handles them reports them: they roll up to the lead, its source and sub source."""

from typing import Any

from flask import Blueprint, Response
from marshmallow import ValidationError
from sqlalchemy.exc import IntegrityError

from server.api.answers import json_answer
from server.api.manage import read_sent
from server.companies.models import Company
from server.leads import payload
from server.leads.params import blank, invalid
from server.lib.db import begin_write, commit, db
from server.outcomes.models import Call
from server.outcomes.operations import record_call
from server.outcomes.schemas import CallSchema

blueprint = Blueprint("calls", __name__, url_prefix="/api/v1")

SCHEMA = CallSchema()


@blueprint.post("/calls")
def report_call() -> Response:
    """Records a call, or updates the one that has the same `external_id`."""
    key, sent = read_sent("outcomes:write")
    try:
        values = SCHEMA.load({name: value for name, value in sent.items() if not blank(value)})
    except ValidationError as error:
        raise invalid(error.messages_dict) from error
    try:
        return recorded(key.company_id, values)
    except IntegrityError:
        # Somebody else has just reported the same call: now it is there to be updated.
        db.session.rollback()
        return recorded(key.company_id, values)


def recorded(company_id: int, values: dict[str, Any]) -> Response:
    """Records the call, and only then says so."""
    begin_write()
    call, created = record_call(db.session.get_one(Company, company_id), values)
    db.session.flush()
    answer = json_answer({"call": view(call), "action": "created" if created else "updated"})
    commit()
    return answer


def view(call: Call) -> dict[str, Any]:
    """A call as the API shows it."""
    shown = {column.name: getattr(call, column.name) for column in Call.__table__.columns}
    del shown["company_id"]
    shown["traffic_source_id"] = shown.pop("traffic_source_text")
    return shown | {name: payload.time(shown[name]) for name in ("started_at", "created_at", "updated_at")}
