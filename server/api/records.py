"""Reading leads back."""

from typing import Any

from flask import Blueprint, Response, request
from marshmallow import Schema, ValidationError

from server.api import keys
from server.api.answers import json_answer
from server.api.asking import HOW, POSTED, answer_asking
from server.api.challenge import echo
from server.api.lead_edits import etag
from server.companies.models import Company
from server.errors import Refused
from server.leads import queries
from server.leads.admission import unreadable
from server.leads.params import blank, invalid, invalid_character
from server.lib.db import db
from server.lib.secrets import is_id
from server.lib.wire import Unreadable, first_bad_character, read_query

blueprint = Blueprint("records", __name__, url_prefix="/api/v1")


@blueprint.get("/leads")
def list_leads() -> Response:
    """A company's leads; or what a system is told that asks before it sends any."""
    told = echo(request.args) or answer_asking()
    if told is not None:
        return told
    key = keys.require(request, "leads:read", otherwise=HOW)
    company = db.session.get_one(Company, key.company_id)
    asked = filters(queries.LeadFilter())
    try:
        leads, metadata = queries.list_leads(company.id, company.region, company.time_zone, asked)
    except ValidationError as error:
        raise invalid(error.messages_dict) from error
    return json_answer({"leads": leads, "metadata": metadata} if asked["root"] else leads)


@blueprint.get("/leads/<lead_id>")
def show_lead(lead_id: str) -> Response:
    """One lead."""
    told = answer_asking() if lead_id in POSTED else None
    if told is not None:
        return told
    key = keys.require(request, "leads:read", otherwise=HOW)
    lead = found(queries.find_lead, key.company_id, lead_id, "lead")
    return json_answer({"lead": lead}, headers={"ETag": etag(lead["updated_at"])})


def filters(schema: Schema) -> dict[str, Any]:
    """The query string as filters; raises Refused naming one that does not exist or does not validate."""
    try:
        sent = {name: value for name, value in read_query(request.environ).items() if not blank(value)}
    except Unreadable as error:
        raise unreadable(error) from error
    bad = first_bad_character(sent)
    if bad is not None:
        raise invalid_character(bad)
    try:
        loaded: dict[str, Any] = schema.load(sent)
    except ValidationError as error:
        raise invalid(error.messages_dict) from error
    return loaded


def found(find: Any, company_id: int, row_id: str, what: str) -> dict[str, Any]:
    """The row, or the 404 that another company's row gets too."""
    row: dict[str, Any] | None = find(company_id, row_id.lower()) if is_id(row_id) else None
    if row is None:
        raise Refused("not_found", f"There is no such {what}", {"id": [f"names no {what}"]})
    return row
