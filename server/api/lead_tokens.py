"""Lead tokens by API: the credentials of vendors and pages, their rotation, and the mark of an exposed one."""

from datetime import timedelta
from typing import Any

from flask import Response, current_app, g, request
from marshmallow import ValidationError
from sqlalchemy import ColumnElement

from server.api import editing, keys
from server.api.answers import json_answer
from server.api.manage import answer, blueprint_of, kept, opened, refuse_any
from server.api.resource import Resource, Values
from server.companies.models import Company
from server.consent.models import Disclosure
from server.embed.queries import snippet_of_token
from server.lead_tokens.models import LeadToken
from server.lead_tokens.operations import clear_exposure, create_token, rotate_token
from server.lead_tokens.schemas import LeadTokenFilter, LeadTokenSchema, RotationSchema
from server.leads.normalise import in_zone
from server.leads.params import invalid
from server.lib import clock
from server.lib.db import commit, db
from server.offers.models import Offer
from server.schedules.models import Schedule
from server.sources.models import TrafficSource

OWNERS = {"schedule_id": "schedule", "offer_id": "offer", "traffic_source_id": "traffic_source"}

# A payload's secret that is shorter than the first is warned of; the second is what nobody guesses.
SHORT_SECRET, GOOD_SECRET = 16, 24


def complete_token(company: Company, wanted: Values, row: Any) -> None:
    """One owner, of a kind that fits the token's; the time of its end in the company's zone; its secret sealed."""
    sent = [name for name in OWNERS if wanted[name] is not None]
    if len(sent) != 1:
        raise ValidationError({name: [f"send exactly one of {', '.join(OWNERS)}"] for name in sent or ["schedule_id"]})
    postback = wanted["kind"] == "postback"
    if postback != (sent == ["traffic_source_id"]):
        text = "a postback token is a traffic source's" if postback else "a traffic source has postback tokens only"
        raise ValidationError({sent[0]: [f"does not fit the kind: {text}"]})
    if wanted["reads_submissions"] and wanted["kind"] != "server":
        raise ValidationError({"reads_submissions": ["does not fit the kind: only a server token reads submissions"]})
    if wanted["disclosure_id"] is not None and wanted["kind"] != "publishable":
        raise ValidationError({"disclosure_id": ["does not fit the kind: only a publishable token stands in pages"]})
    if wanted["expires_at"] is not None:
        wanted["expires_at"] = in_zone(wanted["expires_at"], company.time_zone)
    if postback and wanted["payload_secret"] is not None:
        raise ValidationError({"payload_secret": ["does not fit the kind: a postback token takes no leads"]})
    wanted["payload_secret"] = sealed_secret(wanted["payload_secret"], row)


def sealed_secret(secret: str | None, row: LeadToken | None) -> str | None:
    """The secret as it is stored; the one that is there already stays as it is."""
    stored = row.payload_secret if row is not None else None
    vault = current_app.extensions["vault"]
    if secret is None or secret == stored or (stored is not None and secret == vault.open(stored)):
        return stored if secret is not None else None
    sealed: str = vault.seal(secret)
    return sealed


def warnings_of(row: LeadToken) -> list[dict[str, str]]:
    """What makes its secret one that can be guessed."""
    secret = row.payload_secret and current_app.extensions["vault"].open(row.payload_secret)
    if not secret or len(secret) >= SHORT_SECRET:
        return []
    message = (
        f"The secret has fewer than {SHORT_SECRET} characters, so that it may be guessed. Send a random one of"
        f" {GOOD_SECRET} or more as payload_secret, and set it on the other side too."
    )
    return [{"param": "payload_secret", "code": "secret_short", "message": message}]


def create_lead_token(company: Company, wanted: Values) -> tuple[LeadToken, Values]:
    """A lead token of its owner, with a value of our own."""
    owners = {name: wanted.pop(name) for name in OWNERS}
    name, owner_id = next((name, owner_id) for name, owner_id in owners.items() if owner_id is not None)
    token = create_token(company.id, OWNERS[name], owner_id, **wanted)
    return token, {"value": token.value}


def token_conditions(company: Company, asked: Values) -> list[ColumnElement[bool]]:
    """The filters that were sent, as conditions."""
    conditions: list[ColumnElement[bool]] = []
    for name, value in asked.items():
        if name in OWNERS:
            conditions += [LeadToken.owner_kind == OWNERS[name], LeadToken.owner_id == value]
        elif name == "exposed":
            conditions.append(LeadToken.exposed_at.is_not(None) if value else LeadToken.exposed_at.is_(None))
        else:
            conditions.append(getattr(LeadToken, name) == value)
    return conditions


LEAD_TOKENS = Resource(
    one="lead_token",
    many="lead_tokens",
    model=LeadToken,
    schema=LeadTokenSchema,
    filters=LeadTokenFilter,
    ended="disabled_at",
    fixed=frozenset({"kind", *OWNERS}),
    references={
        "schedule_id": Schedule,
        "offer_id": Offer,
        "traffic_source_id": TrafficSource,
        "default_traffic_source_id": TrafficSource,
        "disclosure_id": Disclosure,
    },
    complete=complete_token,
    create=create_lead_token,
    warns=warnings_of,
    moving=frozenset({"last_used_at", "seen_origins"}),
    conditions=token_conditions,
)

blueprint = blueprint_of("lead_tokens", LEAD_TOKENS)


@blueprint.post("/lead_tokens/<row_id>/rotate")
def rotate(row_id: str) -> Response:
    """Makes the token's successor and sets the end of its own time."""
    _, token, sent = opened(LEAD_TOKENS, row_id)
    asked = editing.read_by(RotationSchema(), sent)
    editing.refuse_deleted(LEAD_TOKENS, token)
    snippet_id = snippet_of_token(token.id)
    if snippet_id is not None:
        text = f"is the token of the snippet {snippet_id}, whose pages would lose it; make a new snippet instead"
        raise invalid({"id": [text]})
    now = clock.now()
    if token.expires_at is not None and token.expires_at <= now:
        raise invalid({"expires_at": ["is past; make a new lead token instead"]})
    new = rotate_token(token, timedelta(hours=asked["overlap_hours"]), asked["name"], now)
    editing.touch(token)
    shown = {"lead_token": LEAD_TOKENS.view(new) | {"value": new.value}, "previous_lead_token": LEAD_TOKENS.view(token)}
    commit()
    return json_answer(shown)


@blueprint.get("/lead_tokens/<row_id>/reveal")
def reveal(row_id: str) -> Response:
    """Shows a token with its whole value; the log says which key has seen it."""
    key = keys.require(request, "tokens:reveal")
    token = editing.find(LEAD_TOKENS, key.company_id, row_id)
    g.facts |= {"api_key": key.key_id, "revealed": token.id}
    return answer(LEAD_TOKENS, token, {"value": token.value})


@blueprint.post("/lead_tokens/<row_id>/clear_exposure")
def clear(row_id: str) -> Response:
    """Takes the mark off a token that a page has exposed."""
    _, token, sent = opened(LEAD_TOKENS, row_id)
    refuse_any(sent)
    editing.refuse_deleted(LEAD_TOKENS, token)
    if token.exposed_at is not None:
        clear_exposure(token)
        editing.touch(token)
        db.session.flush()
    return kept(LEAD_TOKENS, token)
