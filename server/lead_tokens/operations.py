"""Making lead tokens and changing them for others. Nothing here commits."""

import re
from datetime import datetime, timedelta
from typing import Any

from server.lead_tokens.models import LeadToken
from server.lead_tokens.rules import PREFIX
from server.lib.db import db
from server.lib.secrets import new_token

# The successor has the vendor's name; this marks the token that it replaces. Older versions marked the successor.
REPLACED = " (replaced)"
MARKS = re.compile(r"(?: \(replaced\)| \(rotated \d{4}-\d\d-\d\d\))+$", re.A)
LONGEST_NAME = 255

# What a rotated token has from the one before it.
KEPT_SETTINGS = (
    "default_traffic_source_id",
    "disclosure_id",
    "shows_stored_lead",
    "allowed_origins",
    "allowed_redirects",
    "per_minute_limit",
    "allows_callbacks",
    "payload_secret",
    "reads_submissions",
    "expires_at",
)


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


def rotate_token(token: LeadToken, overlap: timedelta, name: str | None, now: datetime) -> LeadToken:
    """A second token with the settings and the name of the first, which ends when the overlap is over, or before if it
    was to.

    The new one starts unexposed: nobody has seen it yet. Both are the same vendor's.
    """
    settings = {name: getattr(token, name) for name in KEPT_SETTINGS}
    new = create_token(
        token.company_id,
        token.owner_kind,
        token.owner_id,
        name or plain_name(token.name),
        token.kind,
        first_id=token.vendor_id,
        **settings,
    )
    token.name = plain_name(token.name)[: LONGEST_NAME - len(REPLACED)] + REPLACED
    token.replaced_at = now
    ends_at = now + overlap
    token.expires_at = ends_at if token.expires_at is None else min(token.expires_at, ends_at)
    return new


def plain_name(name: str) -> str:
    """The vendor's name, without what rotations have added to it; a name that is nothing but a mark stays."""
    return MARKS.sub("", name) or name


def clear_exposure(token: LeadToken) -> None:
    """Gives a server token its powers back, once its owner has taken it out of the page."""
    token.exposed_at = None
    token.exposed_origin = None
