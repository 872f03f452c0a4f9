"""What answers look like: the envelope of a lead, of a list and of an error, each strict enough to be checked."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import JSON, Boolean, DateTime, Float, Integer
from sqlalchemy import types as column_types

from server.consent.evidence import Evidence
from server.consent.stamp import Freshness
from server.consent.texts import Match
from server.docs.fields import Json, strict
from server.errors import STATUS_OF_CODE
from server.leads.models import Submission
from server.leads.payload import SHOWN, TOLD_IF_SENT, UNTOLD
from server.lib.paging import MOST_PER_PAGE
from server.outcomes.models import Call

TEXT: Json = {"type": "string"}
WHOLE: Json = {"type": "integer"}
DECIMAL: Json = {"type": "number"}
SWITCH: Json = {"type": "boolean"}
TIME: Json = {"type": "string", "format": "date-time"}
UUID: Json = {"type": "string", "format": "uuid"}
OBJECT: Json = {"type": "object", "additionalProperties": True}


def or_null(schema: Json) -> Json:
    """The same, or null."""
    return schema | {"nullable": True}


def listing(each: Json) -> Json:
    """A list of such members."""
    return {"type": "array", "items": each}


def ref(name: str) -> Json:
    """A schema of the document's components."""
    return {"$ref": f"#/components/schemas/{name}"}


def always(**properties: Json) -> Json:
    """An object with exactly these members."""
    return strict(properties, [*properties])


SENTENCE: Json = {"type": "string", "minLength": 1}
TEXTS_BY_PARAMETER: Json = {"type": "object", "additionalProperties": {"type": "array", "items": TEXT, "minItems": 1}}
PAGE = always(
    total_count={"type": "integer", "minimum": 0, "nullable": True},
    per_page={"type": "integer", "minimum": 1, "maximum": MOST_PER_PAGE},
    next_cursor=or_null(TEXT),
)

# Members of a lead that are no text, or always there.
TYPES_OF_LEAD = {
    "id": UUID,
    "offer_id": or_null(WHOLE),
    "schedule_id": or_null(WHOLE),
    "status": TEXT,
    "is_live": SWITCH,
    "test": SWITCH,
    "lead_priority": or_null(DECIMAL),
    "contact_attempts": WHOLE,
    "max_contact_attempts": or_null(WHOLE),
    "blocked": SWITCH,
    "opt_out": SWITCH,
    "data": OBJECT,
    "created_at": TIME,
    "updated_at": TIME,
}


def lead_schema() -> Json:
    """A lead; a deleted one says when."""
    by_name = {name: or_null(TIME if name.endswith("_at") else TEXT) for name in SHOWN} | TYPES_OF_LEAD
    return strict(by_name | {"deleted_at": TIME, "consent": ref("LeadConsent")}, [*SHOWN])


def told_lead_schema() -> Json:
    """A lead in the answer to who sent it: a token that does not show stored leads is told null."""
    lead = lead_schema()
    untold = {name: or_null(lead["properties"][name]) for name in (*UNTOLD, *TOLD_IF_SENT, "test")}
    return lead | {"properties": lead["properties"] | untold}


def columns_of(lead: Json) -> Json:
    """A lead of a list, whose reader may pick columns."""
    return {key: value for key, value in lead.items() if key != "required"}


def row_schema(model: Any, without: Iterable[str], more: Json) -> Json:
    """A row that is shown as it is stored."""
    columns = {column.name: column for column in model.__table__.columns if column.name not in without}
    shown = {name: or_null(about) if column.nullable else about for name, column, about in typed(columns)} | more
    return strict(shown, [*shown])


def typed(columns: dict[str, Any]) -> list[tuple[str, Any, Json]]:
    """Each column with the JSON type that its own type is shown as."""
    return [(name, column, type_of(column.type)) for name, column in columns.items()]


def type_of(kind: column_types.TypeEngine[Any]) -> Json:
    """The JSON type of a column's."""
    inner = getattr(kind, "impl", kind)
    known = ((Boolean, SWITCH), (Integer, WHOLE), (Float, DECIMAL), (DateTime, TIME), (JSON, OBJECT))
    return next((shown for types, shown in known if isinstance(inner, types)), TEXT)


def submission_schema() -> Json:
    """A submission: everything that came, and why it ended as it did."""
    more = {"lead_token_name": or_null(TEXT), "received": OBJECT, "why": listing(OBJECT)}
    listed = row_schema(Submission, {"company_id", "content_hash", "lead_updated_at"}, more)
    # Of one that was refused there is none, and a list shows none.
    consent = {"allOf": [ref("ConsentRecord")], "nullable": True}
    return listed | {"properties": listed["properties"] | {"consent": consent}}


def call_schema() -> Json:
    """A call."""
    return row_schema(
        Call, {"company_id", "traffic_source_id", "traffic_source_text"}, {"traffic_source_id": or_null(TEXT)}
    )


EVIDENCE: Json = {"type": "string", "enum": [*Evidence]}
TEXT_IS: Json = {"type": "string", "enum": [*Match, None], "nullable": True}
SAID = {"evidence": EVIDENCE, "granted": or_null(SWITCH), "text_is": TEXT_IS, "gpc": SWITCH}
CONSENT_SHOWN: Json = SAID | {
    "granted_at": or_null(TIME),
    "received_at": or_null(TIME),
    "disclosure": or_null(TEXT),
    "submission_id": or_null(UUID),
}
LEAD_CONSENT = always(**CONSENT_SHOWN, claim=or_null(always(**CONSENT_SHOWN)))
CONSENT_RECORD = always(
    version=WHOLE,
    company_id=WHOLE,
    lead_token_id=WHOLE,
    submission_id=UUID,
    lead_id=or_null(UUID),
    caller_id=TEXT,
    **SAID,
    said_in=or_null(TEXT),
    disclosure=or_null(TEXT),
    disclosure_claimed=or_null(TEXT),
    text=or_null(TEXT),
    text_hash=or_null(TEXT),
    language=or_null(TEXT),
    default=or_null(TEXT),
    shown_at=or_null(TIME),
    granted_at=or_null(TIME),
    received_at=TIME,
    page_url=or_null(TEXT),
    origin=or_null(TEXT),
    referrer=or_null(TEXT),
    remote_ip=or_null(TEXT),
    user_agent=or_null(TEXT),
    stamp=or_null(always(freshness={"type": "string", "enum": [*Freshness]}, fetched_at=or_null(TIME))),
    attached=listing(always(kind=TEXT, token=TEXT, value=TEXT)),
)
WARNING = always(param=TEXT, code=TEXT, message=TEXT)
DEDUPE = always(action=TEXT, matched_lead_id=or_null(UUID), rule=or_null(TEXT))
MATCHED = strict(
    dict.fromkeys(("field", "from", "by", "payload", "rule"), TEXT)
    | {"passed_over": listing(always(**{"from": TEXT, "reason": SENTENCE}))},
    ["field", "from", "by", "payload"],
)
MESSAGE = always(action_id=WHOLE, position=WHOLE, kind=TEXT, content={})
METADATA = always(root={"type": "string", "enum": ["lead"]}, request_id=UUID, submission_id=or_null(UUID))
COUNTED = ("total", "created", "updated", "unchanged", "replayed", "refused", "unavailable")
OWN_SUBMISSION = always(
    submission_id=UUID,
    lead_id=or_null(UUID),
    vendor_lead_id=or_null(TEXT),
    action=TEXT,
    code=or_null(TEXT),
    created_at=TIME,
)
ACTIONS = ("created", "updated", "replayed", "unchanged", "received")


def lead_answer() -> Json:
    """The answer to a lead that was taken. `dedupe` is what `capture` adds, and comes back with a key's replay
    whatever the endpoint."""
    always_there: Json = {
        "success": {"type": "boolean", "enum": [True]},
        "status": {"type": "integer", "enum": [200]},
        "errors": {"type": "object", "maxProperties": 0},
        "warnings": listing(ref("Warning")),
        "action": {"type": "string", "enum": [*ACTIONS]},
        "lead_id": UUID,
        "lead": ref("ToldLead"),
        "metadata": METADATA,
    }
    on_demand = {
        "dedupe": DEDUPE,
        "why": listing(OBJECT),
        "dry_run": {"type": "boolean", "enum": [True]},
        "messages": listing(MESSAGE),
        "matched": listing(ref("Matched")),
    }
    return strict(always_there | on_demand, [*always_there])


REFUSAL = always(
    success={"type": "boolean", "enum": [False]},
    status=WHOLE,
    type={"type": "string", "format": "uri", "pattern": "/api/docs/1\\.0/errors\\.html#[a-z_]+$"},
    title=TEXT,
    code=TEXT,
    message=SENTENCE,
    error=SENTENCE,
    detail=SENTENCE,
    errors=TEXTS_BY_PARAMETER,
    metadata=always(request_id=UUID, submission_id=or_null(UUID)),
)


def batch_answer() -> Json:
    """The answer to a batch, with one to each of its leads."""
    repeated = strict(METADATA["properties"] | {"idempotent_replayed": SWITCH}, METADATA["required"])
    lead = lead_answer()
    one = lead | {"properties": lead["properties"] | {"metadata": repeated}}
    return always(
        success={"type": "boolean", "enum": [True]},
        status={"type": "integer", "enum": [200]},
        errors={"type": "object", "maxProperties": 0},
        warnings=listing(ref("Warning")),
        counts=always(**{name: WHOLE for name in COUNTED}),
        results=listing({"anyOf": [one, ref("Refusal")]}),
        metadata=always(request_id=UUID),
    )


def replay_members() -> Json:
    """What each answer to a replay holds beside the envelope."""
    before = always(action=TEXT, code=or_null(TEXT), lead_id=or_null(UUID), created_at=TIME)
    after = strict(
        {
            "action": TEXT,
            "code": or_null(TEXT),
            "lead_id": or_null(UUID),
            "errors": TEXTS_BY_PARAMETER,
            "message": TEXT,
        },
        ["action", "code", "lead_id", "errors"],
    )
    return {
        "submission_id": or_null(UUID),
        "replay_of_id": UUID,
        "outcome": always(before=before, after=after),
        "difference": listing(always(field=TEXT, before={}, after={})),
        "why": listing(OBJECT),
    }


def release_members() -> Json:
    """What each answer to a release holds beside the envelope: the submission stays what it is."""
    return {name: about for name, about in replay_members().items() if name != "replay_of_id"}


def taken_again(more: Json) -> Json:
    """The answer to what was taken once more, or to a dry run, which may find that it would be refused."""
    lead = lead_answer()
    taken = lead["properties"] | more | {"action": {"type": "string", "enum": [*ACTIONS, "refused"]}}
    taken |= {"lead_id": or_null(UUID), "lead": {"allOf": [ref("ToldLead")], "nullable": True}}
    return strict(taken, [*lead["required"], *more])


def refused_again(more: Json) -> Json:
    """What is refused once more says that it changed nothing; what cannot be tried is any refusal."""
    return strict(REFUSAL["properties"] | more | {"lead": {"nullable": True}}, REFUSAL["required"])


def refusal(status: int, codes: Iterable[str]) -> Json:
    """The answer of that status, which carries one of these codes."""
    own = {"status": {"type": "integer", "enum": [status]}, "code": {"type": "string", "enum": [*codes]}}
    return {"allOf": [ref("Refusal"), {"type": "object", "properties": own}]}


def by_status(codes: Iterable[str]) -> dict[int, list[str]]:
    """The codes of each status that they have."""
    known = sorted(codes)
    statuses = sorted({STATUS_OF_CODE[code] for code in known})
    return {status: [code for code in known if STATUS_OF_CODE[code] == status] for status in statuses}


EXPECTED_FIELD = always(
    key=TEXT,
    name=TEXT,
    hint=TEXT,
    value_type=TEXT,
    required=SWITCH,
    pattern=or_null(TEXT),
    options=listing(TEXT),
    minimum={"anyOf": [DECIMAL, TEXT], "nullable": True},
    maximum={"anyOf": [DECIMAL, TEXT], "nullable": True},
    contact_field_type_id=or_null(WHOLE),
    position=WHOLE,
    parameter=TEXT,
    contact_field_type=or_null(TEXT),
)
COMPONENTS = {
    "Warning": WARNING,
    "Refusal": REFUSAL,
    "Page": PAGE,
    "Lead": lead_schema(),
    "ToldLead": told_lead_schema(),
    "ListedLead": columns_of(lead_schema()),
    "LeadAnswer": lead_answer(),
    "Matched": MATCHED,
    "BatchAnswer": batch_answer(),
    "ReplayAnswer": taken_again(replay_members()),
    "ReplayRefusal": refused_again(replay_members()),
    "ReleaseAnswer": taken_again(release_members()),
    "ReleaseRefusal": refused_again(release_members()),
    "Submission": submission_schema(),
    "OwnSubmission": OWN_SUBMISSION,
    "DailyCount": always(date=TEXT, action=TEXT, code=or_null(TEXT), count=WHOLE),
    "UnkeptCount": always(hour_at=TIME, code=TEXT, count=WHOLE),
    "CountedPeriod": always(
        total_count=WHOLE, time_zone=TEXT, created_at_from=or_null(TIME), created_at_to=or_null(TIME)
    ),
    "LeadConsent": LEAD_CONSENT,
    "ConsentRecord": CONSENT_RECORD,
    "Call": call_schema(),
    "ExpectedField": EXPECTED_FIELD,
    "ExpectedType": always(id=WHOLE, key=TEXT, name=TEXT),
}
