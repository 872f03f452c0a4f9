"""Making lead tokens. Nothing here commits."""

from typing import Any

from server.lead_tokens.models import LeadToken
from server.lib.db import db
from server.lib.secrets import new_token

PREFIX = {"server": "", "publishable": "pub_", "postback": "pb_"}


def create_token(
    company_id: int, owner_kind: str, owner_id: int, name: str, kind: str = "server", **more: Any
) -> LeadToken:
    """A new token of a schedule, an offer or a traffic source."""
    token = LeadToken(
        company_id=company_id,
        owner_kind=owner_kind,
        owner_id=owner_id,
        name=name,
        kind=kind,
        value=new_token(PREFIX[kind]),
        **more,
    )
    db.session.add(token)
    db.session.flush()
    return token
