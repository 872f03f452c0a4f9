"""How a plan ends with the database: read what bears on it, decide, write all of it or nothing, and say so."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from server.errors import HIDDEN, Refused
from server.lead_tokens.rules import Grant
from server.leads import payload, state
from server.leads.admission import authorises, dry_run
from server.leads.circumstances import bytes_of
from server.leads.decide import Decision, decide
from server.leads.match import gone, lost
from server.leads.messages import render_messages
from server.leads.named import belongs, decide_named, no_such_lead
from server.leads.plan import UNREAD, Plan
from server.leads.posting import Original, Posting
from server.leads.record import Record
from server.leads.refusal import kept_whole, refusal_values, write_hidden_refusal, write_refusal
from server.leads.replay import answer_again, answer_refused, answer_taken, holds
from server.leads.state import Done, KeptAnswer, State
from server.leads.suspicion import quarantined, suspicion
from server.lib import clock, json
from server.lib.ledger import Ledger
from server.lib.phone import Phone
from server.lib.secrets import is_id
from server.offers.acceptance import StoredFacts


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
    # Bytes that a refusal has left on disk.
    kept_bytes: int = 0
    redirects: frozenset[str] = field(default_factory=frozenset)

    @property
    def unavailable(self) -> bool:
        """Whether the database could not take it."""
        return self.action == "unavailable"


def settle_or_refuse(
    ledger: Ledger, posting: Posting, grant: Grant, planned: Plan | Refused
) -> tuple[Taken, Record | None]:
    """Settles what was planned, or keeps why it cannot be done. A replay is taken once: who comes second finds what the
    first has made."""
    done = None if posting.original is None else replayed_before(ledger, posting, posting.original, grant)
    if done is not None:
        return done, None
    if isinstance(planned, Plan):
        try:
            return settle(ledger, planned)
        except Refused as error:
            planned = error
    if posting.releases:
        # It stays in quarantine.
        state.check_version(ledger, grant)
        return refused(posting, grant, planned, refusal_values(posting, grant, planned)), None
    return record_refusal(ledger, posting, grant, planned), None


def settle(ledger: Ledger, plan: Plan) -> tuple[Taken, Record | None]:
    """One attempt: read what bears on the plan, decide, and write all of it or nothing."""
    kept = read_answer(ledger, plan)
    if kept is not None and holds(kept, plan):
        return repeat(ledger, plan, kept)
    if plan.public and plan.dry_run and plan.posting.original is None:
        return rehearse(ledger, plan, kept), None
    reason = suspicion(plan)
    if plan.posting.verb is not None:
        plan, stored = read_named(ledger, plan)
    else:
        vendor = None
        if plan.vendor_lead_id is not None:
            vendor = state.read_kept(ledger, plan.grant, "vendor", plan.vendor_lead_id)
        # Most numbers are new. A guess is no reason to refuse anybody: what is stored may be what was asked for.
        if vendor is None and reason is None and may_guess(ledger, plan):
            with suppress(Refused):
                taken, record = conclude(ledger, plan, State(None, None, facts=StoredFacts(now=plan.now)), kept)
                if record.only_inserts and record.write_if_new(ledger):
                    return taken, record
        stored = read_stored(ledger, plan, vendor)
    try:
        taken, record = conclude(ledger, plan, stored, kept)
    except Refused as refusal:
        if not plan.public or refusal.code not in HIDDEN or plan.posting.original is not None:
            raise
        return hide(ledger, plan, quarantined(plan, reason) if reason else refusal, kept), None
    if reason is not None:
        return hide(ledger, plan, quarantined(plan, reason), kept), None
    record.write(ledger)
    return taken, record


def read_answer(ledger: Ledger, plan: Plan) -> KeptAnswer | None:
    """The answer that the request's key has had; what is released knows only its own."""
    if plan.idempotency_key is None:
        return None
    kept = state.read_kept(ledger, plan.grant, plan.powers, plan.idempotency_key)
    others = kept is not None and plan.posting.releases and kept.submission_id != plan.submission_id
    return None if others else kept


def rehearse(ledger: Ledger, plan: Plan, kept: KeptAnswer | None) -> Taken:
    """How a page's dry run ends, which nothing that is stored of its number bears on: so none of it is read, and the
    answer takes as long for any number. Raises Refused for what a page hears of."""
    state.check_version(ledger, plan.grant)
    facts = StoredFacts(now=plan.now)
    if plan.grant.acceptance.ip_limit:
        # Of no number: only the address counts here.
        counted = state.read_facts(ledger, replace(plan, phone=UNREAD))
        facts = replace(facts, leads_from_ip=counted.leads_from_ip)
    try:
        taken, _ = conclude(ledger, plan, State(None, None, facts=facts), kept)
    except Refused as refusal:
        if refusal.code not in HIDDEN:
            raise
        return hide(ledger, plan, refusal, kept)
    return taken


def may_guess(ledger: Ledger, plan: Plan) -> bool:
    """Whether to decide as if the number were new: not where something else has to be read anyway, nor where a wrong
    guess would tell a page, by the time that it takes, that the number is known."""
    return ledger.guesses and plan.may_create and not plan.public and not plan.grant.acceptance.ip_limit


def read_stored(ledger: Ledger, plan: Plan, vendor: KeptAnswer | None) -> State:
    """What bears on a lead that comes in."""
    grant, e164 = plan.grant, plan.phone.e164
    read = state.read_state_at_once if plan.public else state.read_state
    stored = read(ledger, grant, e164, plan.matches_offer)
    if vendor is not None:
        state.read_vendors_lead(ledger, grant, e164, stored, vendor)
    # Who names a lead that is there sends no duplicate.
    if grant.acceptance.reads_stored and plan.may_create and stored.vendor_lead is None:
        stored.facts = state.read_facts(ledger, plan)
    return stored


def read_named(ledger: Ledger, plan: Plan) -> tuple[Plan, State]:
    """What bears on the one lead that the path names, and the plan with its number; raises Refused."""
    grant, posting = plan.grant, plan.posting
    if posting.names_number:
        lead = state.read_lead_of_number(ledger, grant, plan.phone.e164)
        if lead is not None and posting.verb != "opt_out" and (not lead["is_live"] or gone(lead, plan.now)):
            lead = None
    else:
        named = (posting.subject or "").lower()
        lead = state.read_lead(ledger, grant.company_id, named) if is_id(named) else None
        if lead is None or hidden(lead, plan) or not belongs(lead, grant):
            raise no_such_lead(plan)
        if not plan.phone.e164:
            plan = replace(plan, phone=Phone(lead["caller_id"], lead["test"], vanity=False))
    stored = state.read_state(ledger, grant, plan.phone.e164)
    stored.named = lead
    return plan, stored


def hidden(lead: dict[str, Any], plan: Plan) -> bool:
    """Whether the lead is deleted for who names it. An opt-out is about its number, which others may still call."""
    if plan.posting.verb == "opt_out":
        return False
    # What somebody has deleted can be brought back for a while, and is deleted again without effect.
    undoes = plan.posting.verb == "restore" or (plan.posting.verb == "delete" and lead["deleted_at"] is not None)
    return lost(lead, plan.now) if undoes else gone(lead, plan.now)


def conclude(ledger: Ledger, plan: Plan, stored: State, kept: KeptAnswer | None) -> tuple[Taken, Record]:
    """What follows if this is what is stored: how the request ends, and what it leaves behind; raises Refused."""
    decision = decide(plan, stored) if plan.posting.verb is None else decide_named(plan, stored)
    content = answer(plan, decision)
    original = plan.posting.original
    if plan.dry_run and (open_book(plan) or original is not None):
        content["messages"] = render_messages(ledger, plan, decision)
    record = Record(plan, ledger.dialect)
    record.lead(decision)
    record.answer(decision, kept, stored.vendor, content)
    if original is not None:
        # What was kept is for the sender; who replays hears all of it.
        content = answer_taken(plan, original, decision, stored, content.get("messages"))
    return finished(plan, decision.action, content), record


def hide(ledger: Ledger, plan: Plan, refusal: Refused, kept: KeptAnswer | None) -> Taken:
    """Refuses a page's lead on record, and tells the page what it is always told."""
    lead, warnings = payload.sent_lead(plan, plan.public_lead_id)
    content = payload.success(plan, "received", lead, plan.asked.warnings + warnings)
    taken = finished(plan, "refused", content)
    taken.kept_bytes = write_hidden_refusal(ledger, plan, refusal, kept, content)
    return taken


def open_book(plan: Plan) -> bool:
    """Whether the sender may see what is stored: one vendor must not learn of another's, and a page of nobody's."""
    return plan.posting.by_key or (not plan.public and plan.grant.shows_stored_lead)


def answer(plan: Plan, decision: Decision) -> dict[str, Any]:
    """What is said to the sender; publishable powers hear `received` and what they sent themselves, and so does a token
    that does not show stored leads, but for what was done and the lead's id."""
    if open_book(plan):
        contact = decision.contact
        lead = payload.stored_lead(decision.lead, contact.blocked_at is not None, contact.opted_out_at is not None)
        warnings = decision.warnings
    elif plan.public:
        lead, warnings = payload.sent_lead(plan, plan.public_lead_id)
    else:
        lead, warnings = payload.vendors_lead(plan, decision.lead["id"])
    warnings = plan.asked.warnings + warnings
    if plan.public:
        return payload.success(plan, "received", lead, warnings)
    content = payload.success(plan, decision.action, lead, warnings)
    if plan.posting.endpoint == "capture":
        content["dedupe"]["matched_lead_id"] = decision.before["id"] if decision.before else None
        content["dedupe"]["rule"] = decision.matched_by if open_book(plan) else None
    if plan.explain:
        content["why"] = plan.why + (decision.why if open_book(plan) else [])
    return content


def replayed_before(ledger: Ledger, posting: Posting, original: Original, grant: Grant) -> Taken | None:
    """How the replay, or the release, of a submission ended that was taken: that is all that comes of another."""
    read = state.read_released if original.released else state.read_taken_replay
    done = read(ledger, grant, original.submission_id)
    if done is None:
        return None
    return Taken(
        answer=answer_again(posting, original, done),
        replayed=True,
        action="replayed",
        company_id=grant.company_id,
        token=grant.value,
        submission_id=done.submission_id,
    )


def repeat(ledger: Ledger, plan: Plan, kept: KeptAnswer) -> tuple[Taken, Record]:
    """The answer that this key has had before; raises Refused when the key came with other content."""
    state.check_version(ledger, plan.grant)
    if kept.content_hash != plan.content_hash:
        text = "was used with other content"
        detail = f"This Idempotency-Key {text}. Use a new key for a new lead, the same one only to repeat a request."
        raise Refused("idempotency_key_reused", f"Idempotency-Key {text}", {"idempotency_key": [text]}, detail)
    record = Record(plan, ledger.dialect)
    code = None if kept.lead_id else state.read_code(ledger, plan.grant, kept.submission_id)
    record.replay(kept, code)
    record.write(ledger)
    original, content = plan.posting.original, json.load(kept.answer or "{}")
    if original is not None:
        submission_id = None if plan.dry_run else plan.submission_id
        lead, contact = state.read_lead_now(ledger, plan.grant, kept.lead_id)
        done = Done(submission_id, "replayed", record.values["submission_why"], lead, contact)
        content = answer_again(plan.posting, original, done)
    taken = finished(plan, "replayed", content, replayed=True)
    taken.kept_bytes = 0 if code is None else bytes_of(record.values)
    return taken, record


def record_refusal(ledger: Ledger, posting: Posting, grant: Grant, refusal: Refused) -> Taken:
    """Keeps a refused request, so that it can be replayed once the form or the setting is mended."""
    state.check_version(ledger, grant)
    return refused(posting, grant, refusal, write_refusal(ledger, posting, grant, refusal))


def refused(posting: Posting, grant: Grant, refusal: Refused, values: Mapping[str, Any]) -> Taken:
    """The end of a request that was refused on record, with the values of its submission."""
    original = posting.original
    # The answer to a token that exists but does not count must be the answer to one that does not exist.
    unknown = original is None and not authorises(grant, posting)
    whole = kept_whole(posting)
    submission_id = None if unknown or dry_run(posting) or not whole else values["submission_id"]
    why = json.load(values["submission_why"]) if original is not None else []
    return Taken(
        refusal=refusal,
        answer=answer_refused(original, refusal, submission_id, why) if original is not None else None,
        company_id=grant.company_id,
        token=grant.value,
        submission_id=submission_id,
        kept_bytes=bytes_of(values) if whole else 0,
        redirects=frozenset() if unknown else grant.allowed_redirects,
    )


def finished(plan: Plan, action: str, content: dict[str, Any], replayed: bool = False) -> Taken:
    """The end of a request that was taken."""
    return Taken(
        answer=with_end_of_token(plan, content),
        action=action,
        replayed=replayed,
        company_id=plan.grant.company_id,
        token=plan.grant.value,
        submission_id=plan.submission_id,
        redirects=plan.grant.allowed_redirects,
    )


def with_end_of_token(plan: Plan, content: dict[str, Any]) -> dict[str, Any]:
    """Tells who still sends a replaced token until when it counts. It is never kept: a repetition may bring the new
    one."""
    grant = plan.grant
    if not grant.replaced or grant.expires_at is None or plan.posting.by_key or plan.posting.original is not None:
        return content
    text = f"This lead token was replaced and ends at {clock.text(grant.expires_at)}: send its successor."
    ends = {"param": "lead_token", "code": "token_replaced", "message": text}
    return content | {"warnings": [*content["warnings"], ends]}
