"""What the document says of each endpoint: who may ask it, what it takes, what it answers and how it refuses.

To add a kind of thing, declare its `Resource`: its routes are described by it. To add any other route, name its
endpoint in `OPERATIONS`; a test says which one is missing.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from server.api.resource import LIST, SHOW, Resource
from server.api.submissions import ReleaseSchema, ReplaySchema
from server.contacts.number_list import MOST_NUMBERS
from server.docs.answers import TEXT, UUID, WHOLE, always, listing, ref
from server.docs.disclosure_operations import DISCLOSURE_OPERATIONS
from server.docs.fields import Json, asked, strict, taken
from server.docs.lead_operations import LEAD_OPERATIONS, WITH_TOKEN
from server.docs.managed import ETAG, MANAGED, ROW_ID, SEEN, beside, links_of
from server.docs.operation import (
    FOR_BODY,
    FOR_KEY,
    FOR_PARAMETERS,
    FOR_PATH,
    FOR_TOKEN,
    JSON,
    TOKEN,
    Example,
    Operation,
    Subject,
)
from server.docs.snippet_operations import SNIPPET_OPERATIONS
from server.lead_tokens.schemas import RotationSchema
from server.leads.counts import CountFilter
from server.leads.params import TOKEN_PARAMETERS
from server.leads.quarantine import ACTS, QuarantineSchema
from server.leads.queries import LeadFilter
from server.leads.schemas import LeadSchema
from server.leads.submissions import SubmissionFilter, WithToken
from server.outcomes.schemas import CallSchema

SUBMISSION_ID = Subject(
    "submission_id",
    UUID
    | {
        "description": "The submission: the `submission_id` of an answer's `metadata`.",
        "example": "01a20d5f-0d69-78af-b862-321960f79462",
    },
)


# The suppression list


def upload(method: str, summary: str, description: str, *counted: str) -> Operation:
    """Many numbers at once."""
    counts = {name: WHOLE for name in (*counted, "invalid")}
    numbers = {
        "type": "array",
        "items": TEXT,
        "minItems": 1,
        "maxItems": MOST_NUMBERS,
        "description": "The numbers, in any usual spelling.",
        "example": ["+17192221234"],
    }
    text: Json = {
        "type": "string",
        "minLength": 1,
        "description": "One number a line, in the first column.",
        "example": "+17192221234\n",
    }
    return Operation(
        page=f"contacts/{method}",
        scope="leads:update",
        summary=summary,
        description=description,
        answer=always(counts=always(**counts), errors=listing(always(line=WHOLE, value=TEXT, message=TEXT))),
        codes=FOR_KEY | FOR_BODY,
        body={JSON: strict({"numbers": numbers}, ["numbers"]), "text/csv": text, "text/plain": text},
    )


# Everything else that has a route, by endpoint; a method of its own where the methods differ.
OPERATIONS: Mapping[str, Operation] = {
    **LEAD_OPERATIONS,
    **DISCLOSURE_OPERATIONS,
    **SNIPPET_OPERATIONS,
    "records.list_leads": Operation(
        page="leads/index",
        scope="leads:read",
        summary="List leads",
        description="The newest first, a page at a time; `next_cursor` opens the next page.",
        answer={"anyOf": [always(leads=listing(ref("ListedLead")), metadata=ref("Page")), listing(ref("ListedLead"))]},
        codes=FOR_KEY | FOR_PARAMETERS,
        query=asked(LeadFilter()),
        asks={"status": "scheduled", "per_page": 50},
    ),
    "records.show_lead": Operation(
        page="leads/show",
        scope="leads:read",
        summary="Show a lead",
        description="Also a deleted one, with `deleted_at`.",
        answer=always(lead=ref("Lead")),
        codes=FOR_KEY | FOR_PATH,
        sends=ETAG,
    ),
    "submissions.list_submissions": Operation(
        page="submissions/index",
        scope="submissions:read",
        summary="List submissions",
        description="Everything that came in, taken or refused, with *why*. A server token that may read its list sees"
        " only its own, with what its sender was told.",
        answer=always(submissions=listing({"anyOf": [ref("Submission"), ref("OwnSubmission")]}), metadata=ref("Page")),
        codes=FOR_KEY | FOR_PARAMETERS | {"lead_token_invalid"},
        opened_by=TOKEN,
        query=[*asked(SubmissionFilter()), *asked(WithToken())],
        asks={"created_at_from": "2026-11-23T00:00:00Z", "created_at_to": "2026-11-24T00:00:00Z"},
    ),
    "submissions.count_submissions": Operation(
        page="submissions/counts",
        scope="submissions:read",
        summary="Count submissions by day",
        description="How many came each day, and what became of them.",
        answer=always(
            counts=listing(ref("DailyCount")), not_kept=listing(ref("UnkeptCount")), metadata=ref("CountedPeriod")
        ),
        codes=FOR_KEY | FOR_PARAMETERS | {"lead_token_invalid"},
        opened_by=TOKEN,
        query=[*asked(CountFilter()), *asked(WithToken())],
    ),
    "submissions.show_submission": Operation(
        page="submissions/show",
        scope="submissions:read",
        summary="Show a submission",
        description="What came, from where, what was done, and *why*.",
        answer=always(submission=ref("Submission")),
        codes=FOR_KEY | FOR_PATH,
        subject=SUBMISSION_ID,
    ),
    "submissions.replay_submission": Operation(
        page="submissions/replay",
        scope="submissions:replay",
        summary="Replay a submission",
        description="Takes it once more, under today's rules, and only once; a dry run shows the difference first.",
        answer=ref("ReplayAnswer"),
        codes=FOR_KEY | FOR_BODY | FOR_PATH | {"edit_conflict"},
        body={JSON: taken(ReplaySchema())},
        examples=(Example("", {"dry_run": True}),),
        refuses=ref("ReplayRefusal"),
        subject=SUBMISSION_ID,
    ),
    "submissions.release_submission": Operation(
        page="submissions/release",
        scope="leads:update",
        summary="Release a submission from quarantine",
        description="Takes what looked as if a program had sent it, under today's rules, and only once: the submission"
        " keeps its id and gets its lead. A dry run shows the difference first.",
        answer=ref("ReleaseAnswer"),
        codes=FOR_KEY | FOR_BODY | FOR_PATH | {"edit_conflict"},
        body={JSON: taken(ReleaseSchema())},
        examples=(Example("", {"dry_run": True}),),
        refuses=ref("ReleaseRefusal"),
        subject=SUBMISSION_ID,
    ),
    "quarantine.settle_quarantined": Operation(
        page="submissions/quarantine",
        scope="leads:update",
        summary="Release or dismiss many at once",
        description="Settles all submissions in quarantine that the filters mean: it takes them by today's rules, or"
        " keeps them no longer. A dry run tells how many there are, which is what `count` has to say.",
        answer=always(
            act={"type": "string", "enum": [*ACTS]},
            dry_run={"type": "boolean"},
            counts=always(matching=WHOLE, done=WHOLE, refused=WHOLE, left=WHOLE),
        ),
        codes=FOR_KEY | FOR_BODY | {"edit_conflict"},
        body={JSON: taken(QuarantineSchema())},
        examples=(Example("", {"act": "release", "reason": "opt_outs", "dry_run": True}),),
    ),
    "fields.list_fields": Operation(
        page="tokens/fields",
        summary="List the contact fields of a lead token",
        description="The fields that the token's offer asks for: what you need to build a form.",
        answer=always(fields=listing(ref("ExpectedField")), contact_field_types=listing(ref("ExpectedType"))),
        codes=FOR_PARAMETERS | FOR_TOKEN,
        opened_by=TOKEN,
        query=asked(LeadSchema(only=tuple(TOKEN_PARAMETERS))),
        asks=WITH_TOKEN,
        needs=("lead_token",),
    ),
    "calls.report_call": Operation(
        page="calls/create",
        scope="outcomes:write",
        summary="Report a call",
        description="It belongs to the number's lead; one with the same `external_id` is updated.",
        answer=always(call=ref("Call"), action={"type": "string", "enum": ["created", "updated"]}),
        codes=FOR_KEY | FOR_BODY | {"invalid_caller_id"},
        body={JSON: taken(CallSchema())},
    ),
    "access.reset_password": beside(
        "users/reset_password",
        "Give a user a new password",
        "The old one stops working at once; the answer shows the new one, only this once. It opens this company only.",
        {"password": TEXT},
        scope="access:write",
    ),
    "access.rotate": beside(
        "api_keys/rotate",
        "Give an API key a new private part",
        "The old one stops working at once; the answer shows the new one, only this once.",
        {"private": TEXT},
        scope="access:write",
    ),
    "lead_tokens.rotate": beside(
        "lead_tokens/rotate",
        "Rotate a lead token",
        "Makes its successor; the present one keeps working for `overlap_hours`.",
        {"previous_lead_token": ref("LeadToken")},
        taken(RotationSchema(), more={"updated_at": SEEN}),
        scope="config:write",
    ),
    "lead_tokens.reveal": Operation(
        page="lead_tokens/reveal",
        scope="tokens:reveal",
        summary="Reveal a lead token",
        description="Shows the whole value, which other answers mask. Our log says which key has seen it.",
        answer=always(lead_token=ref("LeadToken"), warnings=listing(ref("Warning"))),
        codes=FOR_KEY | FOR_PATH,
        sends=ETAG,
        subject=Subject("id", ROW_ID | {"description": "The `id` of the lead token."}),
    ),
    "lead_tokens.clear": beside(
        "lead_tokens/clear_exposure",
        "Clear the mark of exposure",
        "The token has its full powers again, until a page uses it once more.",
        {"warnings": listing(ref("Warning"))},
        scope="config:write",
    ),
    "contacts.add_to_list": upload(
        "suppress",
        "Put numbers on the suppression list",
        "What is planned for them stops at once.",
        "suppressed",
        "already",
    ),
    "contacts.take_off_list": upload(
        "unsuppress",
        "Take numbers off the suppression list",
        "Actions that were stopped do not start again.",
        "removed",
        "absent",
    ),
}


def operation_of(endpoint: str, method: str, view: Any) -> Operation | None:
    """What there is to say of one method of an endpoint; None where nobody has said it."""
    if isinstance(view, partial) and isinstance(view.args[0], Resource):
        resource, verb = view.args[0], endpoint.rpartition("_")[2]
        links = {} if verb == LIST else links_of(resource, endpoint.partition(".")[0])
        scope = resource.reads if verb in (LIST, SHOW) else resource.writes
        return replace(MANAGED[verb](resource), links=links, scope=scope)
    return OPERATIONS.get(f"{endpoint} {method}") or OPERATIONS.get(endpoint)
