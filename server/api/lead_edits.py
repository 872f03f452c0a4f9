"""Leads as their company manages them: an API key opens one, to edit, delete, restore or release it."""

from flask import Blueprint, Response, current_app, g, request

from server.api import keys
from server.api.answers import error_answer, json_answer
from server.api.leads import read_posting
from server.errors import Refused
from server.leads import queries
from server.leads.intake import take_edit
from server.lib.secrets import is_id

blueprint = Blueprint("lead_edits", __name__, url_prefix="/api/v1/leads")

SCOPES = {"edit": "leads:update", "delete": "leads:delete", "restore": "leads:delete", "release": "leads:update"}


@blueprint.put("/<lead_id>", endpoint="edit")
@blueprint.delete("/<lead_id>", endpoint="delete")
@blueprint.post("/<lead_id>/restore", endpoint="restore")
@blueprint.post("/<lead_id>/release", endpoint="release")
def edit_lead(lead_id: str) -> Response:
    """Changes one lead through the same gate that takes leads in, so that it is on record with why."""
    posting = read_posting(lead_id, by_key=True)
    key = keys.require(request, SCOPES[posting.endpoint], posting.body.get("auth_token"))
    token_id = queries.token_of(key.company_id, lead_id.lower()) if is_id(lead_id) else None
    if token_id is None:
        raise Refused("not_found", "There is no such lead", {"id": ["names no lead"]})
    taken = take_edit(current_app.extensions["ledger"], posting, token_id)
    g.facts |= {"action": taken.action}
    if taken.refusal is not None:
        return error_answer(taken.refusal, taken.submission_id)
    content = taken.answer or {}
    return json_answer(content, headers={"ETag": etag(content["lead"]["updated_at"])})


def etag(updated_at: str) -> str:
    """The state of a thing, as caches and editors name it."""
    return f'"{updated_at}"'
