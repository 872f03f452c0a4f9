"""Operation: what the document says of one method of one path, and how each part of a request can be wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from server.docs.answers import UUID
from server.docs.fields import Json

JSON, FORM, MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"

# How each part of a request can be wrong.
ALWAYS = frozenset({"host_not_allowed", "unavailable", "unexpected"})
FOR_KEY = frozenset({"key_in_url", "key_required", "key_invalid", "scope_missing"})
FOR_PARAMETERS = frozenset({"invalid_parameter", "invalid_character"})
FOR_BODY = FOR_PARAMETERS | {"malformed_body", "object_expected", "too_large", "too_slow", "unsupported_media_type"}
FOR_PATH = frozenset({"not_found"})
FOR_EDIT = FOR_KEY | FOR_BODY | FOR_PATH | {"edit_conflict"}
FOR_TOKEN = frozenset({"lead_token_invalid", "origin_not_allowed", "rate_limited"})
# What the rules of an offer or a schedule refuse.
FOR_RULES = frozenset(
    {
        "invalid_caller_id",
        "no_matching_lead",
        "duplicate_lead",
        "traffic_source_required",
        "contact_field_invalid",
        "unknown_key",
        "region_not_allowed",
        "suppressed",
        "ip_limit",
        "consent_required",
    }
)
FOR_IDEMPOTENCY = frozenset({"bad_idempotency_key", "idempotency_key_reused"})
FOR_LEAD = FOR_KEY | FOR_BODY | FOR_TOKEN | FOR_RULES | FOR_IDEMPOTENCY | {"caller_id_missing", "edit_conflict"}

KEY: list[Json] = [{"Bearer": []}, {"Basic": []}, {"Token": []}]
# The parameter `lead_token` opens these; a key as well only where the company asks for one, or a wish needs it.
TOKEN: list[Json] = [{}, *KEY]


@dataclass(frozen=True, slots=True)
class Subject:
    """What the variable of a path names."""

    name: str
    about: Json


LEAD_ID = Subject(
    "lead_id",
    UUID | {"description": "The lead: the `lead_id` of an answer.", "example": "74da9151-d988-4428-8087-c8dcf47ae9a2"},
)


@dataclass(frozen=True, slots=True)
class Example:
    """What one body may hold, with a title that says what it is for."""

    title: str
    body: Mapping[str, Any]
    content_type: str = JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path, and the page that shows it: `resource/method`, in the manner of apipie. `scope` is what a
    key has to have; `body` is by content type; `headers` are what a request may carry, `sends` what an answer may;
    `links` lead on from the answer; `examples` are bodies to copy, where what is required does not make one; `asks` is
    what stands in their URL; `needs` are parameters that have to be there, under this name or another."""

    page: str
    summary: str
    description: str = ""
    answer: Json
    codes: frozenset[str]
    opened_by: list[Json] = field(default_factory=lambda: KEY)
    scope: str = ""
    query: list[Json] = field(default_factory=list)
    body: Mapping[str, Json] = field(default_factory=dict)
    headers: Mapping[str, Json] = field(default_factory=dict)
    sends: Mapping[str, Json] = field(default_factory=dict)
    subject: Subject = LEAD_ID
    # What a second variable of the path names, within the first.
    part: Subject | None = None
    examples: tuple[Example, ...] = ()
    asks: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    links: Mapping[str, Json] = field(default_factory=dict)
    # What a 422 holds where it is more than a refusal.
    refuses: Json = field(default_factory=dict)
    may_redirect: bool = False


def operation_id(endpoint: str, method: str) -> str:
    """What the document calls one method of an endpoint."""
    return f"{endpoint.replace('.', '_')}_{method.lower()}"


def link(endpoint: str, method: str, parameter: str, found: str) -> Json:
    """Where an answer leads on: what it holds there names the subject of another operation."""
    return {"operationId": operation_id(endpoint, method), "parameters": {parameter: f"$response.body#/{found}"}}
