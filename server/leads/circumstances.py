"""What every submission keeps, be it taken or refused: what came, from where, when, and what that says of its token."""

from datetime import timedelta
from typing import Any

from server.lead_tokens import rules
from server.lead_tokens.rules import Grant
from server.leads import rows
from server.leads.params import redacted, redacted_text
from server.leads.posting import Posting
from server.lib import json

# So long a refused one can be replayed.
REFUSED_KEPT = timedelta(days=14)

# Every value of a submission, for those of which a request says nothing.
UNSAID: dict[str, Any] = dict.fromkeys(f"submission_{name}" for name in rows.SUBMISSION_COLUMNS)


def exposes(posting: Posting, grant: Grant) -> bool:
    """Whether this request is the first to show that a server's token stands in a page."""
    browser = rules.from_browser(posting.origin, posting.fetch_site, posting.own_origin)
    return browser and grant.kind == "server" and not grant.exposed and not posting.by_key


def exposed_origin(posting: Posting) -> str:
    """Where a server token was seen in a page."""
    return posting.origin or rules.origin_of(posting.referrer) or "a browser"


def circumstances(posting: Posting, grant: Grant) -> dict[str, Any]:
    """The values that every submission has, taken or refused: what came, from where, when."""
    received: dict[str, Any] = {"query": redacted(posting.query), "body": redacted(posting.body)}
    if posting.subject is not None:
        received["path"] = posting.subject[:100]
    if posting.unreadable is not None:
        received["unread"] = redacted_text(posting.unreadable.body)
    return UNSAID | {
        "company_id": grant.company_id,
        "token_id": grant.token_id,
        "owner_kind": grant.owner_kind,
        "owner_id": grant.owner_id,
        "now": posting.now,
        "submission_api_key_id": key_of(posting, grant),
        "submission_endpoint": posting.endpoint,
        "submission_received": json.dump(received),
        "submission_origin": posting.origin,
        "submission_referrer": posting.referrer,
        "submission_remote_ip": posting.remote_ip,
        "submission_user_agent": posting.user_agent,
        "submission_request_id": posting.request_id,
    }


def key_of(posting: Posting, grant: Grant) -> int | None:
    """The API key that came along, if it is one of this company."""
    key = posting.key
    return key.key_id if key is not None and key.company_id == grant.company_id else None
