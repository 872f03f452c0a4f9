"""What the document says of the endpoints that take leads in or change them."""

from collections.abc import Mapping
from typing import Any

from server.api.batch import MOST_LEADS
from server.docs.answers import ref
from server.docs.controls import CONTROLS, IDEMPOTENCY, OF_PAGES_AND_REPEATS, REPLAYED
from server.docs.fields import Json, asked, in_query, property_of
from server.docs.managed import ETAG, IF_MATCH, SEEN
from server.docs.operation import (
    FOR_EDIT,
    FOR_LEAD,
    FOR_PATH,
    FOR_RULES,
    FORM,
    JSON,
    LEAD_ID,
    MULTIPART,
    TOKEN,
    Example,
    Operation,
    Subject,
    link,
)
from server.leads.schemas import LeadSchema
from server.lib.redact import is_credential
from server.periods import RESTORABLE, spoken

CALLER_ID = Subject(
    "caller_id",
    {
        "type": "string",
        "minLength": 1,
        "maxLength": 64,
        "description": "The lead's phone number, in any usual spelling.",
        "example": "+17192221234",
    },
)
# What can be asked next of the lead that an answer names.
LEAD_LINKS = {
    "show": link("records.show_lead", "GET", "lead_id", "lead_id"),
    "edit": link("lead_edits.edit", "PUT", "lead_id", "lead_id"),
    "delete": link("lead_edits.delete", "DELETE", "lead_id", "lead_id"),
    "release": link("lead_edits.release", "POST", "lead_id", "lead_id"),
    "restore": link("lead_edits.restore", "POST", "lead_id", "lead_id"),
    "update": link("leads.lead_update", "POST", "lead_id", "lead_id"),
    "opt_out": link("leads.lead_opt_out", "PUT", "lead_id", "lead_id"),
    "remove": link("leads.lead_remove", "POST", "lead_id", "lead_id"),
    "end": link("leads.lead_move_to_end_of_schedule", "PUT", "lead_id", "lead_id"),
    "opt_out_number": link("leads.caller_opt_out", "PUT", "caller_id", "lead/caller_id"),
    "why": link("submissions.show_submission", "GET", "submission_id", "metadata/submission_id"),
}


# What stands for a lead token where none is known.
YOUR_TOKEN = "YOUR_TOKEN"  # noqa: S105 (it is none)
WITH_TOKEN = {"lead_token": YOUR_TOKEN}
A_LEAD: Mapping[str, Any] = {"caller_id": "+17192221234", "email": "john@example.com"}
NEW_LEADS = (
    Example("A form", {**A_LEAD, "loan_amount": "500"}, FORM),
    Example("JSON", {**A_LEAD, "data": {"first_name": "John", "loan_amount": 500}}),
    Example(
        "With its traffic source, and an idempotency key: a new one for each lead",
        {**A_LEAD, "traffic_source_id": "google_ads", "sub_id": "a1b2c3d", "idempotency_key": "order-1042"},
    ),
    Example("A dry run: what would happen, and why", {**A_LEAD, "dry_run": True}),
)
A_CHANGE = (Example("", {"email": "john@example.com", "data": {"loan_amount": 750}}),)


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
    controls = [in_query(name, about) for name, about in CONTROLS.items() if not is_credential(name)]
    return [*asked(LeadSchema(exclude=("data", "consent"))), *controls]


def lead_operation(
    method: str,
    summary: str,
    description: str,
    examples: tuple[Example, ...] = (),
    *,
    subject: Subject | None = None,
    by_query: bool = False,
) -> Operation:
    """A lead that comes in, or one that the path names."""
    every = {content_type: ref("LeadBody") for content_type in (JSON, FORM, MULTIPART)}
    return Operation(
        page=f"leads_external/{method}",
        summary=summary,
        description=description,
        answer=ref("LeadAnswer"),
        codes=FOR_LEAD | FOR_PATH if subject else FOR_LEAD,
        opened_by=TOKEN,
        query=lead_query() if by_query else [],
        body={} if by_query else every,
        headers=IDEMPOTENCY,
        sends=REPLAYED,
        subject=subject or LEAD_ID,
        examples=examples,
        asks=WITH_TOKEN,
        needs=("lead_token",) if subject else ("lead_token", "caller_id"),
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
        "description": "The leads. A parameter beside `leads` applies to each lead that does not set it itself.",
        "example": [{"caller_id": "+17192221234"}],
    }
    body = lead_body()
    return Operation(
        page="leads_external/batch",
        summary="Create or update many leads",
        description="Up to 1,000 leads in 8 MB. Each lead is decided by itself and has its own answer in `results`, in"
        " the same order: one that is refused stops no other. Needs a server token. An `Idempotency-Key` counts for"
        " each lead, together with its place in the batch.",
        answer=ref("BatchAnswer"),
        codes=FOR_LEAD,
        opened_by=TOKEN,
        body={JSON: body | {"properties": {"leads": leads} | body["properties"], "required": ["leads"]}},
        headers=IDEMPOTENCY,
        asks=WITH_TOKEN,
        needs=("lead_token", "leads[][caller_id]"),
        examples=(Example("", {"leads": [{**A_LEAD, "vendor_lead_id": "L-1042"}, {"caller_id": "+17192225678"}]}),),
    )


def edit_operation(method: str, scope: str, summary: str, description: str, body: Mapping[str, Json]) -> Operation:
    """One lead, as its company edits it."""
    return Operation(
        page=f"leads/{method}",
        scope=scope,
        summary=summary,
        description=description,
        answer=ref("LeadAnswer"),
        codes=FOR_EDIT | FOR_RULES,
        body=body,
        headers=IF_MATCH,
        sends=ETAG,
        links=LEAD_LINKS,
        examples=A_CHANGE if body else (),
    )


# By endpoint.
LEAD_OPERATIONS: Mapping[str, Operation] = {
    "leads.create": lead_operation(
        "create",
        "Create or update a lead",
        "A live lead of the same number under the token's schedule or offer is updated; otherwise a new lead is made,"
        " and the schedule starts. Any parameter that is not listed here becomes a lead token.",
        NEW_LEADS,
    ),
    "leads.capture": lead_operation(
        "capture",
        "Create or update a lead, and say which rule matched",
        "The same as `create`; the answer adds `dedupe`: what was done, which lead matched, and by which rule.",
        NEW_LEADS[:2],
    ),
    "leads.create_or_update": lead_operation(
        "create_or_update",
        "Create or update a lead, looking through the whole offer",
        "Like `create`, but a live lead of the number counts wherever it is: in the offer or in any of its schedules.",
        NEW_LEADS[:2],
    ),
    "batch.batch": batch_operation(),
    "leads.lead_update": lead_operation(
        "lead_update", "Update exactly that lead", "What is not sent stays as it is.", A_CHANGE, subject=LEAD_ID
    ),
    "leads.lead_opt_out": lead_operation(
        "lead_opt_out",
        "Opt that lead's number out",
        "Every pending action of the number stops at once.",
        subject=LEAD_ID,
    ),
    "leads.lead_remove": lead_operation(
        "lead_remove",
        "Remove that lead",
        "Its status becomes `removed`, and no further action runs.",
        subject=LEAD_ID,
    ),
    "leads.lead_move_to_end_of_schedule": lead_operation(
        "lead_move_to_end_of_schedule",
        "End that lead's schedule now",
        "The schedule's end-of-schedule actions run.",
        subject=LEAD_ID,
    ),
    "leads.caller_opt_out": lead_operation(
        "caller_opt_out",
        "Opt a number out",
        "Opts out the live lead of that number under the token; every pending action of the number stops at once.",
        subject=CALLER_ID,
    ),
    "leads.caller_opt_out GET": lead_operation(
        "caller_opt_out",
        "Opt a number out",
        "Opts out the live lead of that number under the token; every pending action of the number stops at once.",
        subject=CALLER_ID,
        by_query=True,
    ),
    "leads.caller_remove": lead_operation(
        "caller_remove",
        "Remove the live lead of a number",
        "Its status becomes `removed`, and no further action runs.",
        subject=CALLER_ID,
    ),
    "leads.caller_move_to_end_of_schedule": lead_operation(
        "caller_move_to_end_of_schedule",
        "End the schedule of a number's live lead now",
        "The schedule's end-of-schedule actions run.",
        subject=CALLER_ID,
    ),
    "lead_edits.edit": edit_operation(
        "update",
        "leads:update",
        "Change a lead",
        "What is not sent stays as it is. The change is recorded with *why*, like everything that comes in.",
        {JSON: ref("LeadChange")},
    ),
    "lead_edits.delete": edit_operation(
        "destroy",
        "leads:delete",
        "Delete a lead",
        f"It is only marked as deleted, and can be restored for {spoken(RESTORABLE)}.",
        {},
    ),
    "lead_edits.restore": edit_operation("restore", "leads:delete", "Restore a lead", "Takes a deletion back.", {}),
    "lead_edits.release": edit_operation(
        "release",
        "leads:update",
        "Release a lead that is held",
        "A lead is `held` where its visitor agreed to another text than the one that you reviewed. Released, it begins"
        " its schedule now; released again, it stays as it is.",
        {},
    ),
}
