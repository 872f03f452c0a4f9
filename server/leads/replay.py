"""A submission taken once more: the posting that it was, and what that changes. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from server.companies.queries import KeyHolder
from server.errors import Refused
from server.leads import payload
from server.leads.decide import Decision
from server.leads.params import TOKEN_PARAMETERS
from server.leads.plan import Plan
from server.leads.posting import EDITS, Original, Posting
from server.leads.state import ContactState, Done, KeptAnswer, State
from server.leads.unread import read_again
from server.lib import clock, json
from server.lib.redact import REDACTED, without_redacted

# What differs between any two leads, or any two states of one, and says nothing.
UNTOLD = frozenset({"id", "created_at", "updated_at"})

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Who wants a replay, and how."""

    key: KeyHolder
    now: datetime
    request_id: str
    dry_run: bool = False
    # Whether it is to be taken though it lacks a proof that was asked for.
    accepts_unproven: bool = False
    # Whether another token than the submission's own is to count.
    other_token: bool = False
    # What should have come, or in which charset it was written, where nobody could read it.
    body: Json | None = None
    charset: str | None = None


def posting_of(kept: Mapping[str, Any], wanted: Wanted) -> Posting:
    """The request as it came, from a row of `submission`; raises Refused for what was no lead's request.

    The secrets that it held are not kept: the key of who replays it counts in place of its own, and its token is known
    by its number.
    """
    if kept["endpoint"] in EDITS:
        text = "is an edit by API key, which is not replayed"
        detail = f"The submission {text}: send the edit again, with the lead as it is now."
        raise Refused("invalid_parameter", f"The submission {text}", {"id": [text]}, detail)
    if kept["code"] == "quarantined":
        text = "is in quarantine, and nothing has come of it yet"
        detail = f"The submission {text}: release it with POST /api/v1/submissions/{{id}}/release."
        raise Refused("invalid_parameter", f"The submission {text}", {"id": [text]}, detail)
    return posting_again(kept, wanted, original_of(kept, wanted))


def posting_again(kept: Mapping[str, Any], wanted: Wanted, original: Original) -> Posting:
    """The request as it came, for who may have it taken once more."""
    received = json.load(kept["received"])
    if received.get("emptied"):
        text = "was kept without what it held: its address had sent more in an hour than is kept of what is refused"
        raise Refused("invalid_parameter", f"The submission {text}", {"id": [text]}, f"The submission {text}.")
    body, problem = read_again({**kept, "received": received}, wanted.body, wanted.charset)
    left_out = {"auth_token", *(TOKEN_PARAMETERS if wanted.other_token else ())}
    return Posting(
        endpoint=kept["endpoint"],
        query=without(left_out, received["query"]),
        body=without(left_out, body),
        now=wanted.now,
        request_id=wanted.request_id,
        own_origin="",
        subject=received.get("path"),
        unreadable=problem,
        original=original,
        key=wanted.key,
        key_sent=True,
        idempotency_header=kept["idempotency_key"],
        origin=kept["origin"],
        referrer=kept["referrer"],
        remote_ip=kept["remote_ip"],
        user_agent=kept["user_agent"],
        gpc=received.get("gpc", False),
        submission_id=original.submission_id if original.released else None,
    )


def without(names: set[str], parameters: Mapping[str, Any]) -> Json:
    """Parameters without some of them, and without secrets that were not kept; a token is known by its name."""
    kept = {name: value for name, value in parameters.items() if name not in names}
    return {
        name: without_redacted(value) for name, value in kept.items() if value != REDACTED or name in TOKEN_PARAMETERS
    }


def original_of(kept: Mapping[str, Any], wanted: Wanted) -> Original:
    """What is taken once more. The replay of a replay is one of the first: so it is taken once in all."""
    received = json.load(kept["received"])
    return Original(
        submission_id=kept["replay_of_id"] or kept["id"],
        powers=kept["powers"],
        action=kept["action"],
        code=kept["code"],
        lead_id=kept["lead_id"],
        public_lead_id=kept["public_lead_id"],
        created_at=kept["created_at"],
        purge_at=kept["purge_at"],
        dry_run=wanted.dry_run,
        lacked=received.get("lacks", {}),
        proven=received.get("proven", False),
        accepts_unproven=wanted.accepts_unproven,
        corrected={"charset": wanted.charset} if wanted.charset else {"body": True} if wanted.body is not None else {},
    )


def holds(kept: KeptAnswer, plan: Plan) -> bool:
    """Whether a key's answer is the answer to this request: not once it has expired, and not for the replay of the
    very submission that was answered so, nor where it was refused in secret."""
    original = plan.posting.original
    if kept.expires_at is None or kept.expires_at <= plan.now or plan.posting.releases:
        return False
    if original is None:
        return True
    secret = kept.lead_id is None and kept.content_hash == plan.content_hash
    return kept.submission_id != original.submission_id and not secret


def answer_taken(plan: Plan, original: Original, decision: Decision, stored: State, messages: Any) -> Json:
    """What is said of a replay that is taken: all of it, also of what a page must not learn."""
    lead = shown(decision.lead, decision.contact)
    before = None
    if decision.before is not None:
        before = shown(decision.before, stored.contact_of(decision.before, plan.phone.e164))
    warnings = plan.asked.warnings + decision.warnings
    answer = payload.success(plan, decision.action, lead, warnings)
    answer.pop("dedupe", None)
    answer |= members(original, answer["metadata"]["submission_id"], after(decision.action, lead["id"]))
    answer |= {"difference": difference(before, lead), "why": plan.why + decision.why}
    return answer | ({"messages": messages} if plan.dry_run else {})


def answer_again(posting: Posting, original: Original, done: Done) -> Json:
    """What is said when it was taken before: what came of it, the lead as it is now, and that nothing happens now."""
    lead = shown(done.lead, done.contact)
    answer: Json = {
        "success": True,
        "status": 200,
        "errors": {},
        "warnings": [],
        "action": "replayed",
        "lead_id": lead["id"],
        "lead": lead,
        **members(original, done.submission_id, after(done.action, lead["id"])),
        "difference": [],
        "why": json.load(done.why),
        "metadata": {"root": "lead", "request_id": posting.request_id, "submission_id": done.submission_id},
    }
    return answer | ({"dry_run": True} if original.dry_run else {})


def answer_refused(original: Original, refusal: Refused, submission_id: str | None, why: list[Json]) -> Json:
    """What is said beside the refusal of a replay: nothing has changed, and it may be tried again."""
    then = after("refused", None) | {"code": refusal.code, "message": refusal.message, "errors": refusal.errors}
    return members(original, submission_id, then) | {"lead": None, "difference": [], "why": why}


def after(action: str, lead_id: str | None) -> Json:
    """What has become of it now."""
    return {"action": action, "code": None, "errors": {}, "lead_id": lead_id}


def members(original: Original, submission_id: str | None, then: Json) -> Json:
    """What every answer to a replay or a release has."""
    before = {
        "action": original.action,
        "code": original.code,
        "lead_id": original.lead_id,
        "created_at": clock.text(original.created_at),
    }
    again = {} if original.released else {"replay_of_id": original.submission_id}
    return {"submission_id": submission_id, **again, "outcome": {"before": before, "after": then}}


def shown(lead: Mapping[str, Any], contact: ContactState | None) -> Json:
    """A lead with what is known of its number."""
    blocked, opted_out = contact and contact.blocked_at, contact and contact.opted_out_at
    return payload.stored_lead(lead, blocked is not None, opted_out is not None)


def difference(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[Json]:
    """What a lead becomes, field by field, a token as `data.x`; of a new lead everything that it has."""
    old, new = flat(before or {}), flat(after)
    return [
        {"field": name, "before": old.get(name), "after": new.get(name)}
        for name in (old | new)
        if json.canonical(old.get(name)) != json.canonical(new.get(name))
    ]


def flat(lead: Mapping[str, Any]) -> Json:
    """The fields of a lead and its tokens beside one another."""
    fields = {name: value for name, value in lead.items() if name not in UNTOLD and name != "data"}
    return fields | {f"data.{name}": value for name, value in lead.get("data", {}).items()}
