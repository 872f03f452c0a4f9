"""Systems that ask before they send, and people who paste the address: whether leads go there, and how."""

from flask import Response, g, request

from server.api import keys
from server.api.answers import json_answer, own_origin
from server.errors import Refused
from server.lead_tokens.queries import find_grant
from server.leads.admission import invalid_token, names_key
from server.leads.params import PHONE_NAMES, blank, sent_token
from server.lib import clock
from server.lib.wire import Unreadable, read_query

# What stands in the place of a lead's id and is none.
POSTED = frozenset({"capture", "create_or_update", "batch"})

HOW = "Leads are sent by POST: https://…/api/v1/leads?lead_token=… with the lead as a form or as JSON."


def answer_asking() -> Response | None:
    """That the lead token is good and leads go here by POST; None where it is asked by who has a key, or no token.
    Nothing is taken: raises Refused where the lead itself came along, or the token is none."""
    try:
        sent = read_query(request.environ, notes=[])
    except Unreadable:
        return None
    value, owner_kind = sent_token(sent)
    if (
        value is None
        or "hub.mode" in sent
        or names_key(sent)
        or keys.find(request.headers.get("Authorization"))[0] is not None
    ):
        return None
    # No write compares the configuration here, so it is read anew.
    grant = find_grant(value, fresh=True)
    if grant is None or owner_kind not in (None, grant.owner_kind) or not grant.takes_leads(clock.now()):
        raise invalid_token()
    g.facts = {"company": grant.company_id, "token": grant.value[:8]}
    if names_number(sent):
        text = "Nothing was taken: a GET sends no lead"
        raise Refused("key_required", text, {"auth_token": ["is missing"]}, f"{text}. {HOW}")
    content = {
        "success": True,
        "status": 200,
        "errors": {},
        "message": "The lead token is valid. Send leads by POST to this address, as a form or as JSON.",
        "send": f"POST {own_origin()}{request.path}",
        "docs": f"{own_origin()}/api/docs",
        "metadata": {"request_id": g.request_id},
    }
    return json_answer(content)


def names_number(sent: dict[str, object]) -> bool:
    """Whether somebody's number came along."""
    data = sent.get("data")
    inside = data if isinstance(data, dict) else {}
    names = ("caller_id", "number", *PHONE_NAMES)
    return any(not blank(place.get(name)) for place in (sent, inside) for name in names)
