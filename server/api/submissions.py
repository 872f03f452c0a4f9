"""Submissions: everything received, with why; what became of it day by day; and once more, under today's rules."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from flask import Blueprint, Response, current_app, g, request
from marshmallow import Schema, ValidationError

from server.api import editing, keys
from server.api.answers import error_content, json_answer, own_origin
from server.api.manage import read_sent
from server.api.records import filters, found
from server.companies.models import Company
from server.companies.queries import KeyHolder
from server.errors import Refused
from server.lead_tokens.queries import find_grant, has_token
from server.lead_tokens.rules import Grant, from_browser
from server.leads import counts, submissions
from server.leads.admission import invalid_token
from server.leads.circumstances import expose, exposed_origin
from server.leads.intake import take_edit
from server.leads.params import invalid, sent_token
from server.leads.posting import Posting
from server.leads.release import original_id, posting_to_release
from server.leads.replay import Wanted, posting_of
from server.leads.settle import Taken
from server.lib import clock
from server.lib.db import db
from server.lib.fields import Hash, RowId, Switch, Text
from server.lib.wire import read_query

blueprint = Blueprint("submissions", __name__, url_prefix="/api/v1/submissions")

READS, REPLAYS, RELEASES = "submissions:read", "submissions:replay", "leads:update"


class ReplaySchema(Schema):
    """What a replay takes."""

    dry_run = Switch("Whether only to show what would happen.", load_default=False)
    accept_unproven = Switch(
        "Whether to take it though it lacks a proof or an origin that its token asks for; *why* keeps that you did.",
        load_default=False,
    )
    lead_token_id = RowId(
        "Another lead token of the company, with which it is taken as if it had come.", 1, load_default=None
    )
    body = Hash(
        "The parameters that should have come in the body, where what came could not be read.",
        {"caller_id": "+17192221234"},
        load_default=None,
    )
    charset = Text(
        "The charset in which the body that came is read, where it could not be.",
        "shift_jis",
        longest=40,
        load_default=None,
    )


class ReleaseSchema(Schema):
    """What a release takes."""

    dry_run = Switch("Whether only to show what would happen.", load_default=False)


# Reading


@blueprint.get("")
def list_submissions() -> Response:
    """A company's submissions; or those of a server token, as its sender was told of them."""
    grant = opening_token()
    if grant is not None:
        asked = filters(submissions.OwnFilter())
        return listed("submissions", submissions.list_own, grant.company_id, grant.vendor_id, grant.time_zone, asked)
    company = company_of(keys.require(request, READS))
    asked = filters(submissions.SubmissionFilter())
    return listed("submissions", submissions.list_submissions, company.id, company.region, company.time_zone, asked)


@blueprint.get("/counts")
def count_submissions() -> Response:
    """How many came each day, and what became of them."""
    grant = opening_token()
    if grant is not None:
        asked = filters(counts.OwnCountFilter())
        only = asked | {"vendor_id": grant.vendor_id}
        unkept = partial(counts.count_unkept, grant.company_id, grant.time_zone, only)
        own = (grant.company_id, grant.vendor_id, grant.time_zone, asked)
        return listed("counts", counts.count_own, *own, more={"not_kept": unkept})
    company = company_of(keys.require(request, READS))
    asked = filters(counts.CountFilter())
    about = (company.id, company.time_zone, asked)
    unkept = partial(counts.count_unkept, *about)
    return listed("counts", counts.count_submissions, *about, more={"not_kept": unkept})


@blueprint.get("/<submission_id>")
def show_submission(submission_id: str) -> Response:
    """One submission."""
    key = keys.require(request, READS)
    shown = found(submissions.find_submission, key.company_id, submission_id, "submission")
    return json_answer({"submission": shown})


def listed(name: str, read: Any, *about: Any, more: Mapping[str, Callable[[], Any]] | None = None) -> Response:
    """What a reader finds, under its name, with its metadata; `more` is what others find beside it."""
    try:
        rows, metadata = read(*about)
        beside = {each: find() for each, find in (more or {}).items()}
    except ValidationError as error:
        raise invalid(error.messages_dict) from error
    return json_answer({name: rows, **beside, "metadata": metadata})


def company_of(key: KeyHolder) -> Company:
    """The company of a key."""
    return db.session.get_one(Company, key.company_id)


def opening_token() -> Grant | None:
    """The server token that opens its own list, unless an API key came along; raises Refused for one that may not."""
    keys.refuse_in_url(request.environ)
    value, owner_kind = sent_token(read_query(request.environ, notes=[]))
    if value is None or keys.find(request.headers.get("Authorization"))[0] is not None:
        return None
    # No write compares the configuration here, so it is read anew.
    grant = find_grant(value, fresh=True)
    if grant is None or owner_kind not in (None, grant.owner_kind) or not grant.takes_leads(clock.now()):
        raise invalid_token()
    g.facts = {"company": grant.company_id, "token": grant.value[:8]}
    problem = why_not(grant)
    if problem is not None:
        text, remedy = problem
        raise Refused("scope_missing", f"This token {text}", {"lead_token": [text]}, f"This token {text}. {remedy}")
    return grant


def why_not(grant: Grant) -> tuple[str, str] | None:
    """Why a token in force may not read its list, and what to do; one that a page shows is marked as exposed."""
    origin = request.headers.get("Origin")
    browser = from_browser(origin, request.headers.get("Sec-Fetch-Site"), own_origin())
    if grant.kind == "server" and browser and not grant.exposed:
        runner = current_app.extensions["ledger"]
        expose(runner, grant, exposed_origin(origin, request.headers.get("Referer")), clock.now())
    if grant.kind != "server" or browser or grant.exposed:
        return "only adds leads: it is publishable, exposed, or used from a page", "Read the list with an API key."
    if not grant.reads_submissions:
        remedy = "Its owner can switch reads_submissions of this lead token on."
        return "may not read its submissions: reads_submissions is off", remedy
    return None


# Once more


@blueprint.post("/<submission_id>/replay")
def replay_submission(submission_id: str) -> Response:
    """Takes a submission once more, through the same gate, or shows what that would do."""
    key, sent = read_sent(REPLAYS)
    asked = editing.read_by(ReplaySchema(), sent)
    kept = found(submissions.find_kept, key.company_id, submission_id, "submission")
    other_token = asked["lead_token_id"]
    if other_token is not None and not has_token(key.company_id, other_token):
        raise invalid({"lead_token_id": ["is not a lead token of this company"]})
    wanted = Wanted(
        key=key,
        now=clock.now(),
        request_id=g.request_id,
        dry_run=asked["dry_run"],
        accepts_unproven=asked["accept_unproven"],
        other_token=other_token is not None,
        body=asked["body"],
        charset=asked["charset"],
    )
    return take_again(posting_of(kept, wanted), other_token or kept["lead_token_id"], wanted.dry_run)


@blueprint.post("/<submission_id>/release")
def release_submission(submission_id: str) -> Response:
    """Takes a submission out of quarantine, or shows what that would do."""
    key, sent = read_sent(RELEASES)
    asked = editing.read_by(ReleaseSchema(), sent)
    kept = found(submissions.find_kept, key.company_id, submission_id, "submission")
    first = original_id(kept)
    if first is not None:
        kept = submissions.find_kept(key.company_id, first) or kept
    wanted = Wanted(key=key, now=clock.now(), request_id=g.request_id, dry_run=asked["dry_run"])
    return take_again(posting_to_release(kept, wanted), kept["lead_token_id"], wanted.dry_run)


def take_again(posting: Posting, token_id: int, dry_run: bool) -> Response:
    """What came once, through the gate, and how it ends."""
    taken = take_edit(current_app.extensions["ledger"], posting, token_id)
    g.facts |= {"action": taken.action}
    if taken.refusal is not None:
        return refused(taken, taken.refusal, dry_run)
    return json_answer(taken.answer or {}, headers={"Idempotent-Replayed": "true"} if taken.replayed else None)


def refused(taken: Taken, refusal: Refused, dry_run: bool) -> Response:
    """The refusal of what was sent once: 422, whatever the code is answered with elsewhere, for this request is right.
    That a dry run finds it is no failure at all."""
    g.code = refusal.code
    content = error_content(refusal, taken.submission_id) | {"status": 422, "title": "Unprocessable Entity"}
    if not dry_run:
        return json_answer(content | (taken.answer or {}), 422)
    found_out = {"success": True, "status": 200, "errors": {}, "warnings": [], "action": "refused", "lead_id": None}
    return json_answer(
        found_out | (taken.answer or {}) | {"metadata": {"root": "lead"} | content["metadata"], "dry_run": True}
    )
