"""What a request leaves behind that is refused: all of it, so that it can be replayed once the form is mended."""

from typing import Any

from server.errors import Refused
from server.lead_tokens.rules import Grant
from server.leads import rows
from server.leads.circumstances import REFUSED_KEPT, circumstances, exposed_origin, exposes
from server.leads.plan import Plan, powers_of
from server.leads.posting import Posting
from server.leads.record import kept_values
from server.leads.state import KeptAnswer
from server.lib import json, secrets
from server.lib.ledger import Arm, Ledger
from server.offers.acceptance import NotAccepted


def write_refusal(ledger: Ledger, posting: Posting, grant: Grant, refusal: Refused) -> str:
    """Keeps a refused request with all that came; its id."""
    values = refusal_values(posting, grant, refusal)
    ledger.write(refusal_arms(posting, grant, values), values)
    return str(values["submission_id"])


def write_hidden_refusal(
    ledger: Ledger, plan: Plan, refusal: Refused, kept: KeptAnswer | None, content: dict[str, Any]
) -> None:
    """Keeps a refusal that the sender must not learn of, under its key too: a replay would tell it otherwise."""
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
    ledger.write(arms, values)


def refusal_values(posting: Posting, grant: Grant, refusal: Refused) -> dict[str, Any]:
    """The values of a submission that was refused, with the step of the rule that turned it away, if one did."""
    powers, _ = powers_of(posting, grant)
    step = {"step": "refuse", "read": refusal.errors, "decided": refusal.code, "rule": refusal.detail}
    why = [refusal.why, step] if isinstance(refusal, NotAccepted) else [step]
    return circumstances(posting, grant) | {
        "submission_id": posting.submission_id or secrets.new_id(),
        "submission_powers": powers,
        "submission_action": "refused",
        "submission_code": refusal.code,
        "submission_why": json.dump(why),
        "submission_purge_at": posting.now + REFUSED_KEPT,
    }


def refusal_arms(posting: Posting, grant: Grant, values: dict[str, Any]) -> list[Arm]:
    """The submission, and the mark of a token that a page has shown."""
    arms = [rows.SUBMISSION_INSERT.arm(values)]
    if exposes(posting, grant):
        values["exposed_origin"] = exposed_origin(posting)
        arms += [rows.TOKEN_EXPOSED, rows.CONFIG_CHANGED]
    return arms
