"""People and API keys as the API and the console show them; never a password, never a private key."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError

from server.companies.rules import ROLES, SCOPES
from server.lib import email
from server.lib.fields import Listing, Text, Time, Word

WHEN = "2026-12-01T14:26:43Z"


class Email(Text):
    """An e-mail address in small letters."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        known = email.normalise(super()._deserialize(value, attr, data) or "")
        if known is None:
            raise ValidationError("is not a valid e-mail address, such as john@example.com")
        return known.lower()


class Scope(Text):
    """A scope that there is."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        scope = super()._deserialize(value, attr, data) or ""
        if scope not in SCOPES:
            raise ValidationError(f"{scope!r:.80} is no scope; the scopes are: {', '.join(SCOPES)}")
        return scope


class Scopes(Listing):
    """Scopes, each of them once and in one order."""

    def __init__(self) -> None:
        one = Scope("A scope.", "leads:read")
        super().__init__("What the key may do.", ["leads:read"], one, most=100, required=True)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> list[Any]:
        scopes = sorted(set(super()._deserialize(value, attr, data)))
        if not scopes:
            raise ValidationError(f"must name at least one scope of: {', '.join(SCOPES)}")
        return scopes


class UserSchema(Schema):
    """A person as a user of one company."""

    email = Email(
        "The address that the person signs in with; it stays. The person may be a user of other companies, which"
        " nobody is told.",
        "john@example.com",
        required=True,
    )
    name = Text("What the company calls the person.", "John Doe", required=True)
    role = Word("What the person may do in the console.", "agent", ROLES, required=True)
    disabled_at = Time("When the person was deleted.", WHEN, dump_only=True)


class UserFilter(Schema):
    """The filters of the list of people."""

    email = Email("Only the person with this address.", "john@example.com")
    name = Text("Only people of exactly this name.", "John Doe")
    role = Word("Only people of this role.", "admin", ROLES)


class ApiKeySchema(Schema):
    """An API key; its private part is shown once, when it is made."""

    name = Text("What people call it: the program that has it.", "Reporting", required=True)
    scopes = Scopes()
    public = Text(
        "Its public part, the user name of HTTP Basic.", "key_0123456789abcdef0123456789abcdef", dump_only=True
    )
    revoked_at = Time("When it was deleted.", WHEN, dump_only=True)


class ApiKeyFilter(Schema):
    """The filters of the list of API keys."""

    name = Text("Only keys of exactly this name.", "Reporting")
    public = Text("Only the key with this public part.", "key_0123456789abcdef0123456789abcdef")
