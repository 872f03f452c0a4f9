"""What an offer or a schedule expects of a lead, for whoever builds a form: a lead token opens it."""

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, request

from server.api.answers import json_answer
from server.api.records import filters
from server.api.throttle import a_minute, limiter
from server.errors import Refused
from server.lead_tokens.queries import find_grant
from server.lead_tokens.rules import Grant, origin_allowed
from server.leads.admission import invalid_token
from server.leads.params import TOKEN_PARAMETERS, sent_token
from server.leads.schemas import LeadSchema
from server.lib import clock

blueprint = Blueprint("fields", __name__, url_prefix="/api/v1")


@blueprint.get("/tokens/fields")
@limiter.limit(a_minute("ADDRESS_LIMIT"))
def list_fields() -> Response:
    """The contact fields of the token's offer, and the company's contact field types."""
    value, owner_kind = sent_token(filters(LeadSchema(only=tuple(TOKEN_PARAMETERS))))
    grant = find_grant(value)
    if grant is None or owner_kind not in (None, grant.owner_kind) or not grant.takes_leads(clock.now()):
        raise invalid_token()
    origin = request.headers.get("Origin")
    if grant.kind == "publishable" and not origin_allowed(
        grant.allowed_origins, origin, request.headers.get("Referer")
    ):
        text = f"may not be used from {origin or 'no origin'}"
        raise Refused("origin_not_allowed", f"This token {text}", {"lead_token": [text]})
    return json_answer({"fields": fields_of(grant), "contact_field_types": types_of(grant)})


def fields_of(grant: Grant) -> list[dict[str, Any]]:
    """The fields in their order, each with the parameter that it is sent as."""
    keys = {each.id: each.key for each in grant.contact_field_types}
    return [
        asdict(field) | {"parameter": field.parameter, "contact_field_type": keys.get(field.contact_field_type_id or 0)}
        for field in grant.contact_fields
    ]


def types_of(grant: Grant) -> list[dict[str, Any]]:
    """The kinds of lead that may be named in `contact_field_type`."""
    return [asdict(each) for each in grant.contact_field_types]
