"""What a request leaves behind that is refused: all of it, so that it can be replayed once the form is mended."""

from typing import Any

from marshmallow import ValidationError

from server.errors import Refused
from server.lead_tokens.rules import Grant
from server.leads import rows
from server.leads.admission import powers_of
from server.leads.circumstances import bytes_of, circumstances, empty_for_room, exposed_origin, exposes, kept_for
from server.leads.params import blank
from server.leads.plan import Plan, is_key, why_replay
from server.leads.posting import Posting
from server.leads.record import kept_values
from server.leads.schemas import FIELDS
from server.leads.state import KeptAnswer
from server.leads.suspicion import Quarantined
from server.lib import json, secrets
from server.lib.ledger import Arm, Ledger
from server.lib.wire import first_bad_character
from server.offers.acceptance import NotAccepted

COUNT = Arm(
    "insert into refusal_count (company_id, lead_token_id, hour_at, code, count)"
    " values (:company_id, :token_id, :hour_at, :submission_code, 1)"
    " on conflict (company_id, lead_token_id, hour_at, code) do update set count = refusal_count.count + 1"
)


def write_refusal(ledger: Ledger, posting: Posting, grant: Grant, refusal: Refused) -> dict[str, Any]:
    """Keeps a refused request with all that came; the values that say so."""
    values = refusal_values(posting, grant, refusal)
    ledger.write(refusal_arms(posting, grant, values), values)
    return values


def write_hidden_refusal(
    ledger: Ledger, plan: Plan, refusal: Refused, kept: KeptAnswer | None, content: dict[str, Any]
) -> int:
    """Keeps a refusal that the sender must not learn of, under its key too: a replay would tell it otherwise. How many
    bytes of it are kept.

    Where there is no room for it, all but what came is kept: to keep nothing would show in the next answer to its key.
    """
    values = refusal_values(plan.posting, plan.grant, refusal) | {
        "submission_id": plan.submission_id,
        "submission_public_lead_id": plan.public_lead_id,
        "submission_caller_id": plan.phone.e164,
        "submission_idempotency_key": plan.idempotency_key,
        "submission_content_hash": plan.content_hash,
    }
    arms = refusal_arms(plan.posting, plan.grant, values)
    if plan.idempotency_key is not None:
        values |= kept_values(plan, kept, content) | {"lead_id": None, "content_hash": plan.content_hash}
        arms.append(rows.ANSWER_RENEW if kept else rows.ANSWER_INSERT)
    empty_for_room(values, plan)
    ledger.write(arms, values)
    return bytes_of(values)


def kept_whole(posting: Posting) -> bool:
    """Whether a refusal that its sender hears of is kept with all that came, and not only counted."""
    return posting.keeping is None or posting.keeping.keeps_aloud


def refusal_values(posting: Posting, grant: Grant, refusal: Refused) -> dict[str, Any]:
    """The values of a submission that was refused, with the step of the rule that turned it away, if one did."""
    powers, _ = powers_of(posting, grant)
    step = {"step": "refuse", "read": refusal.errors, "decided": refusal.code, "rule": refusal.detail}
    why = [refusal.why, step] if isinstance(refusal, NotAccepted | Quarantined) else [step]
    original = posting.original
    if original is not None:
        why = why_replay(posting, original) + why
    # What came is kept as long as it was to be: a replay in vain is no reason to keep it for longer.
    purge_at = original.purge_at if original is not None else None
    told_id = original.public_lead_id if original is not None else None
    return circumstances(posting, grant) | {
        "hour_at": posting.now.replace(minute=0, second=0, microsecond=0),
        "submission_id": posting.submission_id or secrets.new_id(),
        "submission_powers": powers,
        "submission_vendor_lead_id": vendors_id(posting),
        "submission_public_lead_id": told_id,
        "submission_action": "refused",
        "submission_code": refusal.code,
        "submission_why": json.dump(why),
        "submission_purge_at": purge_at or posting.now + kept_for(refusal.code),
        "submission_idempotency_key": posting.idempotency_header if is_key(posting.idempotency_header) else None,
    }


def vendors_id(posting: Posting) -> str | None:
    """The vendor's own id, if so much of the request is right: by it the vendor finds what was refused."""
    sent = posting.tree.get("vendor_lead_id")
    if blank(sent):
        return None
    try:
        known = str(FIELDS["vendor_lead_id"].deserialize(sent))
    except ValidationError:
        return None
    return known if first_bad_character({"vendor_lead_id": known}) is None else None


def refusal_arms(posting: Posting, grant: Grant, values: dict[str, Any]) -> list[Arm]:
    """The submission, or where there is no room for it the count of it; and the mark of a token that a page has
    shown."""
    arms = [rows.SUBMISSION_INSERT.arm(values) if kept_whole(posting) else COUNT]
    if exposes(posting, grant):
        values["exposed_origin"] = exposed_origin(posting.origin, posting.referrer)
        arms += [rows.TOKEN_EXPOSED, rows.CONFIG_CHANGED]
    return arms
