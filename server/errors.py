"""What can go wrong, as one tree; each surface turns it into its own kind of answer in one handler.

    HandraiserError
    ├── SettingError        a setting of the environment is wrong: the start stops with its sentence
    ├── CommandError        a command of the command line cannot do what was asked
    └── Refused             a request that we understood and do not do; carries status, code and fields

A database that cannot take a write now is `server.lib.ledger.WriteFailed`, answered as 503 `unavailable`.
"""

from collections.abc import Mapping, Sequence

from werkzeug.http import HTTP_STATUS_CODES

from server.lib.redact import redact_text

# Every code that an answer can carry, with its status (the contract's table); `quarantined` stands in submissions
# only, for its sender hears what it would have heard anyway.
STATUS_OF_CODE = {
    "malformed_body": 400,
    "object_expected": 400,
    "key_in_url": 400,
    "bad_idempotency_key": 400,
    "host_not_allowed": 400,
    "key_required": 401,
    "key_invalid": 401,
    "scope_missing": 403,
    "origin_not_allowed": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "too_slow": 408,
    "edit_conflict": 409,
    "too_large": 413,
    "unsupported_media_type": 415,
    "rate_limited": 429,
    "lead_token_invalid": 422,
    "caller_id_missing": 422,
    "invalid_caller_id": 422,
    "invalid_parameter": 422,
    "invalid_character": 422,
    "no_matching_lead": 422,
    "idempotency_key_reused": 422,
    "duplicate_lead": 422,
    "traffic_source_required": 422,
    "contact_field_invalid": 422,
    "unknown_key": 422,
    "region_not_allowed": 422,
    "suppressed": 422,
    "ip_limit": 422,
    "consent_required": 422,
    "quarantined": 200,
    "unexpected": 500,
    "unavailable": 503,
}

# Refusals of which a page hears nothing, for they rest on what is stored or would help a program: it is answered
# `received`, and the submission keeps the refusal.
HIDDEN = frozenset({"consent_required", "duplicate_lead", "quarantined", "suppressed"})


class HandraiserError(Exception):
    """The root: everything that we raise on purpose."""


class SettingError(HandraiserError):
    """The sentence names the setting, what is wrong with it, and what to set instead."""


class CommandError(HandraiserError):
    """The sentence says what the command cannot do and what to do instead."""


class Refused(HandraiserError):
    """A request that is answered with its code; `errors` maps parameter names to sentences.

    `retry_after` is in how many seconds it may be sent again, where that is known.
    """

    def __init__(
        self,
        code: str,
        message: str,
        errors: Mapping[str, Sequence[str]] | None = None,
        detail: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = STATUS_OF_CODE[code]
        self.message = echoed(message)
        self.errors = {echoed(name): [echoed(text) for text in texts] for name, texts in (errors or {}).items()}
        self.detail = echoed(detail or message)
        self.retry_after = retry_after

    @property
    def title(self) -> str:
        """The name of the status, as RFC 9457 wants it."""
        return HTTP_STATUS_CODES[self.status]


def echoed(text: str) -> str:
    """A text that may repeat what was sent, which is an address or JSON where it holds a secret."""
    return redact_text(text) if "=" in text or '"' in text else text
