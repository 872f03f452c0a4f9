"""CallSchema: a call as it is reported."""

from typing import Any

from marshmallow import Schema, fields, validate

INTEGER: Any = {"invalid": "Must be a Integer", "null": "Must be a Integer"}
TEXT: Any = {"invalid": "Must be a String", "null": "Must be a String", "required": "is missing"}
TIME: Any = {"invalid": "Must be a valid time, such as 2026-11-23 06:00:00 +0000"}
LONGEST_SECONDS = 7 * 86_400


def reference(description: str) -> fields.Integer:
    """The id of a row of ours."""
    return fields.Integer(
        allow_none=True,
        validate=validate.Range(1, 2**31 - 1, error="Must be a Integer from {min} to {max}"),
        error_messages=INTEGER,
        metadata={"description": description, "example": 1},
    )


class CallSchema(Schema):
    """The parameters of `POST /api/v1/calls`."""

    error_messages = {"unknown": "is no parameter of a call; put tokens into `data`"}  # noqa: RUF012 (marshmallow's)

    caller_id = fields.String(
        required=True,
        error_messages=TEXT,
        metadata={"description": "The number of the caller, in any usual spelling.", "example": "+17192221234"},
    )
    offer_id = reference("The offer that the call was for.")
    schedule_id = reference("The schedule that placed the call.")
    lead_id = fields.String(
        allow_none=True,
        error_messages=TEXT,
        metadata={
            "description": "The lead that the call belongs to; without it the number's live lead is meant.",
            "example": "74da9151-d988-4428-8087-c8dcf47ae9a2",
        },
    )
    external_id = fields.String(
        allow_none=True,
        validate=validate.Length(1, 255, error="Must be a String of {min} to {max} characters"),
        error_messages=TEXT,
        metadata={
            "description": "Your own id of the call: sending it again updates the call.",
            "example": "CA-1042",
        },
    )
    direction = fields.String(
        load_default="inbound",
        validate=validate.OneOf(["inbound", "outbound"], error="Must be one of: `inbound`, `outbound`."),
        error_messages=TEXT,
        metadata={"description": "Who called.", "example": "inbound"},
    )
    started_at = fields.AwareDateTime(
        default_timezone=None,
        allow_none=True,
        error_messages=TIME,
        metadata={"description": "When the call began; now, unless it is said.", "example": "2026-11-23T06:00:00Z"},
    )
    duration_seconds = fields.Integer(
        allow_none=True,
        validate=validate.Range(0, LONGEST_SECONDS, error="Must be a Integer from {min} to {max}"),
        error_messages=INTEGER,
        metadata={"description": "How long the call took, in seconds.", "example": 312},
    )
    data = fields.Dict(
        keys=fields.String(),
        load_default=dict,
        error_messages={"invalid": "Must be a Hash", "null": "Must be a Hash"},
        metadata={"description": "Tokens of the call: any names and values.", "example": {"disposition": "sold"}},
    )
