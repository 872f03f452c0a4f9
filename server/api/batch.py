"""Many leads in one request: each is decided by itself, as if they had come one after the other."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from threading import Lock
from typing import Any

from flask import Blueprint, Response, current_app, g, request

from server.api import keys
from server.api.answers import error_answer, error_content, json_answer
from server.api.leads import read_posting
from server.lead_tokens.queries import knows_any
from server.leads.admission import is_key_name, no_token
from server.leads.batch import take_batch
from server.leads.intake import take_lead
from server.leads.limits import Limits as RateLimits
from server.leads.limits import count_stranger
from server.leads.params import sent_token
from server.leads.posting import Posting
from server.leads.settle import Taken
from server.lib import json, secrets
from server.lib.ledger import Runner
from server.lib.wire import LIMITS, Code, Limits, Note, Unreadable, undot

blueprint = Blueprint("batch", __name__, url_prefix="/api/v1/leads")

MOST_LEADS = 1000
# Each lead may be as deep as one that comes alone; here it lies in a list in an object.
BATCH = Limits(body_bytes=8 * 1024 * 1024, depth=LIMITS.depth + 2)
# A process works on one batch at a time. Two would fight for the interpreter at each step of the database, and take up
# memory for both.
TURN = Lock()
# Why a lead may not come in at all, or not now. If it is the same for all, it is said once.
CLOSED = frozenset(
    [
        "lead_token_invalid",
        "key_in_url",
        "key_required",
        "key_invalid",
        "scope_missing",
        "origin_not_allowed",
        "rate_limited",
        "unavailable",
    ]
)
COUNTED = ("created", "updated", "unchanged", "replayed", "refused", "unavailable")


@blueprint.post("/batch", endpoint="batch")
def submit_batch() -> Response:
    """Takes up to 1,000 leads; the answer holds an answer to each, in their order."""
    whole = read_posting(limits=BATCH)
    # Nobody signs a batch, and a signature of eight megabytes would be looked at for each lead.
    whole.signatures = None
    leads: Any = whole.tree.get("leads")
    runner: Runner = current_app.extensions["ledger"]
    limits: RateLimits = current_app.extensions["limits"]
    if not knows_any(sent_tokens(whole, leads)):
        # A whole body was read for it. Who has a token is not looked at, so that no neighbour's guesses lock it out.
        count_stranger(limits, whole.remote_ip)
        raise no_token(whole)
    problem = whole.unreadable or unfit(leads)
    with TURN:
        runner.give_way()
        if problem is not None:
            ends = [take_lead(runner, unread(whole, problem, leads), limits)]
        else:
            ends = take_batch(runner, postings(whole, leads), limits)
    note(ends)
    shut = ends[0].refusal
    if shut is not None and (problem is not None or same_for_all(ends, shut.code)):
        return error_answer(shut, ends[0].submission_id)
    return json_answer(content(ends))


def sent_tokens(whole: Posting, leads: Any) -> set[object]:
    """The lead tokens that a batch names: for all its leads, and in each of them."""
    trees = (
        [whole.tree, *(lead for lead in leads if isinstance(lead, dict))] if isinstance(leads, list) else [whole.tree]
    )
    return {token for token in (sent_token(tree)[0] for tree in trees) if isinstance(token, str)}


def unfit(leads: Any) -> Unreadable | None:
    """Why this is no list of leads; what is wrong with one of them is said of that one."""
    if isinstance(leads, list) and 0 < len(leads) <= MOST_LEADS:
        return None
    came = f" {len(leads)} came." if isinstance(leads, list) else ""
    text = f"Must be an Array of 1 to {MOST_LEADS} leads.{came} Send more in several requests."
    code: Code = "too_large" if isinstance(leads, list) and leads else "invalid_parameter"
    return Unreadable(code, text, "leads")


def unread(whole: Posting, problem: Unreadable, leads: Any) -> Posting:
    """The request as it is kept when none of its leads could be looked at: no longer than a lead's may be."""
    body = problem.body or json.dump(leads).encode()
    kept = Unreadable(problem.code, problem.message, problem.parameter, body[: LIMITS.body_bytes])
    return replace(whole, query=shared(whole), body={}, unreadable=kept)


def shared(whole: Posting) -> dict[str, Any]:
    """What stands beside the leads, and counts for each that does not say it differently."""
    apart = {"leads", "idempotency_key"} | {name for name in whole.body if is_key_name(name)} - whole.query.keys()
    return {name: value for name, value in whole.tree.items() if name not in apart}


def postings(whole: Posting, leads: list[Any]) -> list[Posting]:
    """Each lead as if it had come alone, with what the batch says of all; under the batch's key it has one of its
    own, made of its place."""
    for_all = shared(whole)
    key = whole.idempotency_header or whole.tree.get("idempotency_key")
    # All came at one time: their submissions' ids say in which order.
    ids = sorted(secrets.new_id() for _ in leads)
    # No lead is longer than all that came.
    short = (request.content_length or BATCH.body_bytes) <= LIMITS.body_bytes
    notes = notes_by_place(whole.notes)
    made = []
    for place, lead in enumerate(leads):
        problem = None if short and isinstance(lead, dict) else unfit_lead(lead, place)
        body = undot(lead) if problem is None else {}
        named = replace(whole, query=for_all, body=body, unreadable=problem, submission_id=ids[place])
        named.notes = notes.get(str(place), notes[""])
        named.idempotency_header = f"{key}/{place}" if key is not None and "idempotency_key" not in body else None
        if "auth_token" in body:
            named.key, named.key_sent = keys.find(None, body["auth_token"])
        made.append(named)
    return made


def notes_by_place(notes: Sequence[Note]) -> dict[str, list[Note]]:
    """What was noted of each lead, by its place; under no place what is noted of what stands beside them."""
    by_place: dict[str, list[Note]] = {"": [note for note in notes if not note.parameter.startswith("leads.")]}
    for note in notes:
        beside, _, within = note.parameter.partition("leads.")
        if within and not beside:
            place, _, name = within.partition(".")
            by_place.setdefault(place, list(by_place[""])).append(note._replace(parameter=name))
    return by_place


def unfit_lead(lead: Any, place: int) -> Unreadable | None:
    """Why this is no lead, or none that may be so long."""
    text = json.dump(lead).encode()
    if not isinstance(lead, dict):
        message = f'leads[{place}] is no object. Send one, such as {{"caller_id": "+17192221234"}}.'
        return Unreadable("object_expected", message, f"leads[{place}]", text[: LIMITS.body_bytes])
    if len(text) > LIMITS.body_bytes:
        message = f"leads[{place}] is longer than {LIMITS.body_bytes} bytes. Send less."
        return Unreadable("too_large", message, f"leads[{place}]", text[: LIMITS.body_bytes])
    return None


def same_for_all(ends: Sequence[Taken], code: str) -> bool:
    """Whether not one lead may come in, all for this reason."""
    return code in CLOSED and all(end.refusal is not None and end.refusal.code == code for end in ends)


def content(ends: Sequence[Taken]) -> dict[str, Any]:
    """The whole answer."""
    counts = Counter(map(counted, ends))
    return {
        "success": True,
        "status": 200,
        "errors": {},
        "warnings": [],
        "counts": {"total": len(ends)} | {name: counts[name] for name in COUNTED},
        "results": [result(end) for end in ends],
        "metadata": {"request_id": g.request_id},
    }


def counted(end: Taken) -> str:
    """Under which name a lead is counted: what was said to have been done with it."""
    if end.refusal is not None:
        return "unavailable" if end.unavailable else "refused"
    return "replayed" if end.replayed else str((end.answer or {})["action"])


def result(end: Taken) -> dict[str, Any]:
    """The answer to one lead, as it would have been alone; what a header says then stands in the metadata."""
    if end.refusal is not None:
        return error_content(end.refusal, end.submission_id)
    answer = end.answer or {}
    if not end.replayed:
        return answer
    return answer | {"metadata": answer["metadata"] | {"idempotent_replayed": True}}


def note(ends: Sequence[Taken]) -> None:
    """What the log line and the counters are told."""
    g.taken = Counter((end.action, end.refusal.code if end.refusal else "") for end in ends)
    refused = sum(end.refusal is not None for end in ends)
    known = next((end for end in ends if end.company_id is not None), ends[0])
    token = (known.token or "")[:8]
    g.facts = {"company": known.company_id, "token": token, "action": "batch", "leads": len(ends), "refused": refused}
