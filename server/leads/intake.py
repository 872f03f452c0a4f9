"""take_lead: the one way in. It finds the token, makes the plan, and settles it with the database in one commit."""

from dataclasses import dataclass, field
from typing import Any

from server.errors import Refused
from server.lead_tokens.queries import find_grant
from server.lead_tokens.rules import Grant
from server.leads import payload, rows
from server.leads.decide import Decision, decide
from server.leads.params import sent_token
from server.leads.plan import Plan, make_plan, unreadable
from server.leads.posting import Posting
from server.leads.record import Record, write_refusal
from server.leads.rows import KeptAnswer, StaleGrant, State
from server.lib import json
from server.lib.ledger import Ledger, Runner

# A configuration that changes under a request this often is no configuration.
READINGS = 5


@dataclass(slots=True)
class Taken:
    """How a request ended: the answer's content and what the log line says of it."""

    answer: dict[str, Any] | None = None
    refusal: Refused | None = None
    replayed: bool = False
    action: str = "refused"
    company_id: int | None = None
    token: str | None = None
    submission_id: str | None = None
    redirects: frozenset[str] = field(default_factory=frozenset)


def take_lead(runner: Runner, posting: Posting) -> Taken:
    """Creates or updates one lead, or refuses it; either way it is on record when this returns.

    Raises Refused where no such token exists (nothing is kept then), and WriteFailed.
    """
    fresh = False
    for _ in range(READINGS):
        grant = find_grant(sent_token(posting.tree)[0], fresh=fresh)
        if grant is None:
            raise no_token(posting)
        try:
            return take_with(runner, posting, grant)
        except StaleGrant:
            fresh = True
    raise Refused("edit_conflict", "The configuration is changing right now", None, "Send the request again.")


def take_with(runner: Runner, posting: Posting, grant: Grant) -> Taken:
    """Takes a lead under one reading of the configuration; raises StaleGrant if that has changed."""
    planned = plan_or_refusal(posting, grant)
    if isinstance(planned, Plan):
        plan = planned
        try:
            taken, record = runner.run(lambda ledger: settle(ledger, plan), keep=not plan.dry_run)
            record.remember()
            return taken
        except Refused as error:
            planned = error
    refusal = planned
    return runner.run(lambda ledger: record_refusal(ledger, posting, grant, refusal), keep=not dry_run(posting))


def plan_or_refusal(posting: Posting, grant: Grant) -> Plan | Refused:
    """What the request asks, or why it cannot be done; a refusal is a result here, for it is kept."""
    try:
        if not authorises(grant, posting):
            raise no_token(posting)
        return make_plan(posting, grant)
    except Refused as error:
        return error


def authorises(grant: Grant, posting: Posting) -> bool:
    """Whether the token counts for this request: it is in force, and its owner is of the kind that was named."""
    owner_kind = sent_token(posting.tree)[1]
    return owner_kind in (None, grant.owner_kind) and grant.takes_leads(posting.now)


def no_token(posting: Posting) -> Refused:
    """One answer for a token that is unknown, disabled, expired or of the wrong kind."""
    if posting.unreadable is not None:
        return unreadable(posting.unreadable)
    return Refused(
        "lead_token_invalid",
        "Lead token is not valid",
        {"lead_token": ["is not valid"]},
        "lead_token names no schedule and no offer. Copy the token from the schedule or the offer.",
    )


def dry_run(posting: Posting) -> bool:
    """Whether a request that did not come as far as a plan asked for nothing to be kept."""
    return str(posting.tree.get("dry_run", "")).strip().lower() in ("1", "true", "yes", "on")


def settle(ledger: Ledger, plan: Plan) -> tuple[Taken, Record]:
    """One attempt: read what bears on the plan, decide, and write all of it or nothing."""
    kept = None
    if plan.idempotency_key is not None:
        kept = rows.read_kept(ledger, plan.grant, plan.powers, plan.idempotency_key)
        if kept is not None and kept.expires_at is not None and kept.expires_at > plan.now:
            return replay(ledger, plan, kept)
    vendor = None
    if plan.vendor_lead_id is not None:
        vendor = rows.read_kept(ledger, plan.grant, "vendor", plan.vendor_lead_id)
    if ledger.guesses and vendor is None and not plan.asked.fields.get("update_only"):
        taken, record = conclude(ledger, plan, State(None, None), kept)
        # Most numbers are new.
        if record.only_inserts and record.write_if_new(ledger):
            return taken, record
    state = rows.read_state(ledger, plan.grant, plan.phone.e164)
    if vendor is not None:
        state.vendor, state.vendor_lead = vendor, rows.read_lead(ledger, plan.grant.company_id, vendor.lead_id)
    taken, record = conclude(ledger, plan, state, kept)
    record.write(ledger)
    return taken, record


def conclude(ledger: Ledger, plan: Plan, state: State, kept: KeptAnswer | None) -> tuple[Taken, Record]:
    """What follows if this is what is stored: how the request ends, and what it leaves behind."""
    decision = decide(plan, state)
    content = answer(plan, decision)
    record = Record(plan, ledger.dialect)
    record.lead(decision, state)
    record.answer(decision, kept, state.vendor, content)
    return finished(plan, decision.action, content), record


def answer(plan: Plan, decision: Decision) -> dict[str, Any]:
    """What is said to the sender; publishable powers hear `received` and what they sent themselves."""
    lead = payload.lead_of_answer(plan, decision.lead, decision.contact)
    if plan.public:
        return payload.success(plan, "received", lead, plan.asked.warnings)
    # What was found stored is for those who may see the stored lead: one vendor must not learn of another's.
    open_book = plan.grant.shows_stored_lead
    warnings = plan.asked.warnings + (decision.warnings if open_book else [])
    content = payload.success(plan, decision.action, lead, warnings)
    if plan.posting.endpoint == "capture":
        content["dedupe"]["matched_lead_id"] = decision.before["id"] if decision.before else None
        content["dedupe"]["rule"] = decision.matched_by
    if plan.explain:
        content["why"] = plan.why + (decision.why if open_book else [])
    return content


def replay(ledger: Ledger, plan: Plan, kept: KeptAnswer) -> tuple[Taken, Record]:
    """The answer that this key has had before; raises Refused when the key came with other content."""
    rows.check_version(ledger, plan.grant)
    if kept.content_hash != plan.content_hash:
        text = "was used with other content"
        detail = f"This Idempotency-Key {text}. Use a new key for a new lead, the same one only to repeat a request."
        raise Refused("idempotency_key_reused", f"Idempotency-Key {text}", {"idempotency_key": [text]}, detail)
    record = Record(plan, ledger.dialect)
    record.replay(kept)
    record.write(ledger)
    return finished(plan, "replayed", json.load(kept.answer or "{}"), replayed=True), record


def record_refusal(ledger: Ledger, posting: Posting, grant: Grant, refusal: Refused) -> Taken:
    """Keeps a refused request, so that it can be replayed once the form or the setting is mended."""
    rows.check_version(ledger, grant)
    submission_id = write_refusal(ledger, posting, grant, refusal)
    # The answer to a token that exists but does not count must be the answer to one that does not exist.
    unknown = not authorises(grant, posting)
    return Taken(
        refusal=refusal,
        company_id=grant.company_id,
        token=grant.value,
        submission_id=None if unknown or dry_run(posting) else submission_id,
        redirects=frozenset() if unknown else grant.allowed_redirects,
    )


def finished(plan: Plan, action: str, content: dict[str, Any], replayed: bool = False) -> Taken:
    """The end of a request that was taken."""
    return Taken(
        answer=content,
        action=action,
        replayed=replayed,
        company_id=plan.grant.company_id,
        token=plan.grant.value,
        submission_id=plan.submission_id,
        redirects=plan.grant.allowed_redirects,
    )
