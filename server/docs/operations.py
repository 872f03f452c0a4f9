"""What the document says of each endpoint: who may ask it, what it takes, what it answers and how it refuses.

To add a kind of thing, declare its `Resource`: its routes are described by it. To add any other route, name its
endpoint in `OPERATIONS`; a test says which one is missing.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from server.api.batch import MOST_LEADS
from server.api.resource import LIST, Resource
from server.api.submissions import ReplaySchema
from server.contacts.number_list import MOST_NUMBERS
from server.docs.answers import TEXT, UUID, WHOLE, always, listing, ref
from server.docs.fields import Json, asked, in_query, property_of, strict, taken
from server.docs.managed import ETAG, IF_MATCH, MANAGED, SEEN, beside, links_of
from server.docs.operation import (
    FOR_BODY,
    FOR_EDIT,
    FOR_KEY,
    FOR_LEAD,
    FOR_PARAMETERS,
    FOR_PATH,
    FOR_RULES,
    FOR_TOKEN,
    FORM,
    JSON,
    MULTIPART,
    TOKEN,
    Operation,
    link,
)
from server.lead_tokens.schemas import RotationSchema
from server.leads.counts import CountFilter
from server.leads.params import CREDENTIALS, TOKEN_PARAMETERS
from server.leads.queries import LeadFilter
from server.leads.schemas import LeadSchema
from server.leads.submissions import SubmissionFilter, WithToken
from server.outcomes.schemas import CallSchema

CONTROLS: Mapping[str, Json] = {
    "dry_run": {"type": "boolean", "description": "Answers what would happen, and keeps nothing."},
    "explain": {"type": "boolean", "description": "Has the answer say `why`, step by step."},
    "idempotency_key": {
        "type": "string",
        "pattern": "^[!-+\\--~]{1,255}$",
        "description": "As the header `Idempotency-Key`: one lead, however often the request comes.",
    },
    "data_json": {"type": "string", "description": "`data` as JSON in a text."},
    "redirect_to": {"type": "string", "description": "Where a native form's visitor goes then; the token lists where."},
    "redirect_error": {"type": "string", "description": "Where a native form's visitor goes if the lead is refused."},
    "google_key": {"type": "string", "description": "What proves a payload of Google's; the token's payload_secret."},
    "auth_token": {"type": "string", "description": "A private API key; never in a URL."},
}
OF_PAGES_AND_REPEATS = {"idempotency_key", "redirect_to", "redirect_error"}
IDEMPOTENCY: Mapping[str, Json] = {
    "Idempotency-Key": {key: value for key, value in CONTROLS["idempotency_key"].items() if key != "description"}
    | {"description": "One lead, however often the request comes with this key within seven days."}
}
REPLAYED: Mapping[str, Json] = {
    "Idempotent-Replayed": {"type": "string", "enum": ["true"], "description": "The answer that the key had before."}
}
PHONE: Json = {"type": "string", "minLength": 1, "maxLength": 64}


# What can be asked next of the lead that an answer names.
LEAD_LINKS = {
    "show": link("records.show_lead", "GET", "lead_id", "lead_id"),
    "edit": link("lead_edits.edit", "PUT", "lead_id", "lead_id"),
    "delete": link("lead_edits.delete", "DELETE", "lead_id", "lead_id"),
    "restore": link("lead_edits.restore", "POST", "lead_id", "lead_id"),
    "update": link("leads.lead_update", "POST", "subject", "lead_id"),
    "opt_out": link("leads.lead_opt_out", "PUT", "subject", "lead_id"),
    "remove": link("leads.lead_remove", "POST", "subject", "lead_id"),
    "end": link("leads.lead_move_to_end_of_schedule", "PUT", "subject", "lead_id"),
    "opt_out_number": link("leads.caller_opt_out", "PUT", "subject", "lead/caller_id"),
    "why": link("submissions.show_submission", "GET", "submission_id", "metadata/submission_id"),
}


def lead_body() -> Json:
    """The parameters of a lead; any other name is a lead token."""
    fields = {name: property_of(each) for name, each in LeadSchema().load_fields.items()}
    return {"type": "object", "properties": fields | dict(CONTROLS), "additionalProperties": True}


def lead_change() -> Json:
    """What an edit by key takes: its guard is the state that was seen, and no page sends it."""
    body = lead_body()
    kept = {name: about for name, about in body["properties"].items() if name not in OF_PAGES_AND_REPEATS}
    return body | {"properties": kept | {"updated_at": SEEN}}


# The bodies of leads, as the document's components.
LEAD_BODIES = {"LeadBody": lead_body(), "LeadChange": lead_change()}


def lead_query() -> list[Json]:
    """The same in a query string, where no key and no object stand."""
    controls = [in_query(name, about) for name, about in CONTROLS.items() if name not in CREDENTIALS]
    return [*asked(LeadSchema(exclude=("data",))), *controls]


def lead_operation(*, path: Json | None = None, by_query: bool = False) -> Operation:
    """A lead that comes in, or one that the path names."""
    every = {content_type: ref("LeadBody") for content_type in (JSON, FORM, MULTIPART)}
    return Operation(
        answer=ref("LeadAnswer"),
        codes=FOR_LEAD | FOR_PATH if path else FOR_LEAD,
        opened_by=TOKEN,
        query=lead_query() if by_query else [],
        body={} if by_query else every,
        headers=IDEMPOTENCY,
        sends=REPLAYED,
        path=path or UUID,
        links=LEAD_LINKS,
        may_redirect=True,
    )


def batch_operation() -> Operation:
    """Many leads at once."""
    leads = {
        "type": "array",
        "items": lead_body(),
        "minItems": 1,
        "maxItems": MOST_LEADS,
        "description": "The leads; what stands beside them counts for each that does not say it differently.",
        "example": [{"caller_id": "+17192221234"}],
    }
    body = lead_body()
    return Operation(
        answer=ref("BatchAnswer"),
        codes=FOR_LEAD,
        opened_by=TOKEN,
        body={JSON: body | {"properties": body["properties"] | {"leads": leads}, "required": ["leads"]}},
        headers=IDEMPOTENCY,
    )


def edit_operation(body: Mapping[str, Json]) -> Operation:
    """One lead, as its company edits it."""
    codes = FOR_EDIT | FOR_RULES
    return Operation(answer=ref("LeadAnswer"), codes=codes, body=body, headers=IF_MATCH, sends=ETAG, links=LEAD_LINKS)


# The suppression list


def upload(*counted: str) -> Operation:
    """Many numbers at once."""
    counts = {name: WHOLE for name in (*counted, "invalid")}
    numbers = {
        "type": "array",
        "items": TEXT,
        "minItems": 1,
        "maxItems": MOST_NUMBERS,
        "description": "The numbers, in any usual spelling.",
    }
    text: Json = {"type": "string", "minLength": 1, "description": "One number a line, in the first column."}
    return Operation(
        answer=always(counts=always(**counts), errors=listing(always(line=WHOLE, value=TEXT, message=TEXT))),
        codes=FOR_KEY | FOR_BODY,
        body={JSON: strict({"numbers": numbers}, ["numbers"]), "text/csv": text, "text/plain": text},
    )


# Everything else that has a route, by endpoint; a method of its own where the methods differ.
OPERATIONS: Mapping[str, Operation] = {
    "leads.create": lead_operation(),
    "leads.capture": lead_operation(),
    "leads.create_or_update": lead_operation(),
    "batch.batch": batch_operation(),
    "leads.lead_update": lead_operation(path=UUID),
    "leads.lead_opt_out": lead_operation(path=UUID),
    "leads.lead_remove": lead_operation(path=UUID),
    "leads.lead_move_to_end_of_schedule": lead_operation(path=UUID),
    "leads.caller_opt_out": lead_operation(path=PHONE),
    "leads.caller_opt_out GET": lead_operation(path=PHONE, by_query=True),
    "leads.caller_remove": lead_operation(path=PHONE),
    "leads.caller_move_to_end_of_schedule": lead_operation(path=PHONE),
    "lead_edits.edit": edit_operation({JSON: ref("LeadChange")}),
    "lead_edits.delete": edit_operation({}),
    "lead_edits.restore": edit_operation({}),
    "records.list_leads": Operation(
        answer={"anyOf": [always(leads=listing(ref("ListedLead")), metadata=ref("Page")), listing(ref("ListedLead"))]},
        codes=FOR_KEY | FOR_PARAMETERS,
        query=asked(LeadFilter()),
    ),
    "records.show_lead": Operation(answer=always(lead=ref("Lead")), codes=FOR_KEY | FOR_PATH, sends=ETAG),
    "submissions.list_submissions": Operation(
        answer=always(submissions=listing({"anyOf": [ref("Submission"), ref("OwnSubmission")]}), metadata=ref("Page")),
        codes=FOR_KEY | FOR_PARAMETERS | {"lead_token_invalid"},
        opened_by=TOKEN,
        query=[*asked(SubmissionFilter()), *asked(WithToken())],
    ),
    "submissions.count_submissions": Operation(
        answer=always(counts=listing(ref("DailyCount")), metadata=ref("CountedPeriod")),
        codes=FOR_KEY | FOR_PARAMETERS | {"lead_token_invalid"},
        opened_by=TOKEN,
        query=[*asked(CountFilter()), *asked(WithToken())],
    ),
    "submissions.show_submission": Operation(answer=always(submission=ref("Submission")), codes=FOR_KEY | FOR_PATH),
    "submissions.replay_submission": Operation(
        answer=ref("ReplayAnswer"),
        codes=FOR_KEY | FOR_BODY | FOR_PATH | {"edit_conflict"},
        body={JSON: taken(ReplaySchema())},
        refuses=ref("ReplayRefusal"),
    ),
    "fields.list_fields": Operation(
        answer=always(fields=listing(ref("ExpectedField")), contact_field_types=listing(ref("ExpectedType"))),
        codes=FOR_PARAMETERS | FOR_TOKEN,
        opened_by=TOKEN,
        query=asked(LeadSchema(only=tuple(TOKEN_PARAMETERS))),
    ),
    "calls.report_call": Operation(
        answer=always(call=ref("Call"), action={"type": "string", "enum": ["created", "updated"]}),
        codes=FOR_KEY | FOR_BODY | {"invalid_caller_id"},
        body={JSON: taken(CallSchema())},
    ),
    "access.reset_password": beside("user", {"password": TEXT}),
    "access.rotate": beside("api_key", {"private": TEXT}),
    "lead_tokens.rotate": beside(
        "lead_token", {"previous_lead_token": ref("LeadToken")}, taken(RotationSchema(), more={"updated_at": SEEN})
    ),
    "lead_tokens.clear": beside("lead_token", {}),
    "contacts.add_to_list": upload("suppressed", "already"),
    "contacts.take_off_list": upload("removed", "absent"),
}


def operation_of(endpoint: str, method: str, view: Any) -> Operation | None:
    """What there is to say of one method of an endpoint; None where nobody has said it."""
    if isinstance(view, partial) and isinstance(view.args[0], Resource):
        resource, verb = view.args[0], endpoint.rpartition("_")[2]
        links = {} if verb == LIST else links_of(resource, endpoint.partition(".")[0])
        return replace(MANAGED[verb](resource), links=links)
    return OPERATIONS.get(f"{endpoint} {method}") or OPERATIONS.get(endpoint)
