"""What every submission keeps, be it taken or refused: what came, from where, when, and what that says of its token."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from server.lead_tokens import rules
from server.lead_tokens.rules import Grant
from server.leads import rows
from server.leads.accept import STOPPING, stops
from server.leads.plan import Plan
from server.leads.posting import Posting
from server.leads.room import ROW_BYTES
from server.leads.unproven import evidence_of
from server.leads.unread import kept_unread
from server.lib import json
from server.lib.ledger import Runner
from server.lib.redact import redact, redact_text
from server.periods import QUARANTINED_KEPT, REFUSED_KEPT

# It can be neither replayed nor released.
EMPTIED = json.dump({"query": {}, "body": {}, "emptied": True})

# Every value of a submission, for those of which a request says nothing.
UNSAID: dict[str, Any] = dict.fromkeys(f"submission_{name}" for name in rows.SUBMISSION_COLUMNS)


def kept_for(code: str) -> timedelta:
    """How long a submission is kept that was refused so."""
    return QUARANTINED_KEPT if code == "quarantined" else REFUSED_KEPT


def exposes(posting: Posting, grant: Grant) -> bool:
    """Whether this request is the first to show that a server's token stands in a page."""
    browser = rules.from_browser(posting.origin, posting.fetch_site, posting.own_origin)
    by_token = not posting.by_key and posting.original is None
    return browser and grant.kind == "server" and not grant.exposed and by_token


def exposed_origin(origin: str | None, referrer: str | None) -> str:
    """Where a server token was seen in a page."""
    return origin or rules.origin_of(referrer) or "a browser"


def expose(runner: Runner, grant: Grant, origin: str, now: datetime) -> None:
    """Marks a server token that was seen in a page where no submission is left that would."""
    values = {"token_id": grant.token_id, "company_id": grant.company_id, "exposed_origin": origin, "now": now}
    runner.run(lambda ledger: ledger.write([rows.TOKEN_EXPOSED, rows.CONFIG_CHANGED], values))


def circumstances(posting: Posting, grant: Grant) -> dict[str, Any]:
    """The values that every submission has, taken or refused: what came, from where, when."""
    received: dict[str, Any] = {"query": redact(posting.query), "body": redact(posting.body)}
    if posting.subject is not None:
        received["path"] = posting.subject[:100]
    if not posting.by_key and (grant.payload_secret is not None or grant.allowed_origins or posting.original):
        received |= evidence_of(posting, grant)
    if posting.gpc:
        received["gpc"] = True
    if posting.unreadable is not None:
        received |= kept_unread(posting.unreadable)
    values = UNSAID | {
        "company_id": grant.company_id,
        "token_id": grant.token_id,
        "vendor_id": grant.vendor_id,
        "owner_kind": grant.owner_kind,
        "owner_id": grant.owner_id,
        "now": posting.now,
        "submission_api_key_id": key_of(posting, grant),
        "submission_endpoint": posting.endpoint,
        "submission_received": json.dump(received),
        "submission_origin": posting.origin,
        "submission_referrer": posting.referrer and redact_text(posting.referrer),
        "submission_remote_ip": posting.remote_ip,
        "submission_user_agent": posting.user_agent,
        "submission_request_id": posting.request_id,
    }
    if posting.original is not None:
        values["submission_replay_of_id"] = posting.original.submission_id
    return values


def empty_for_room(values: dict[str, Any], plan: Plan) -> None:
    """Keeps nothing of what came where no sender may hear of a refusal and there is no room left for such; but who asks
    to be called no more may be a person, so that this wish is kept with its number."""
    keeping = plan.posting.keeping
    if keeping is None or keeping.keeps_hidden:
        return
    received = EMPTIED
    if stops(plan):
        wish = {name: True for name in STOPPING if plan.asked.fields.get(name) is True}
        wanted = {"query": {}, "body": {"caller_id": plan.phone.e164, **wish}, "shortened": True}
        received = json.dump(json.load(values["submission_received"]) | wanted)
    values |= {"submission_received": received, "submission_user_agent": None, "submission_referrer": None}


def bytes_of(values: Mapping[str, Any]) -> int:
    """What a submission takes up on disk, roughly."""
    return len(values["submission_received"]) + len(values["submission_why"]) + ROW_BYTES


def key_of(posting: Posting, grant: Grant) -> int | None:
    """The API key that came along, if it is one of this company."""
    key = posting.key
    return key.key_id if key is not None and key.company_id == grant.company_id else None
