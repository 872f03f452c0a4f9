"""Which API key a request carries: in its Authorization header, or as `auth_token` in its body; never in its URL."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Request, g

from server.api.throttle import count_guess
from server.companies.queries import KeyHolder, find_key
from server.companies.rules import lacking
from server.errors import Refused
from server.leads.admission import key_in_url, names_key, unreadable
from server.lib.wire import Unreadable, read_query

HOW = "Send `Authorization: Bearer <private key>`, or HTTP Basic with the public and the private key."


def credential(header: str | None) -> tuple[str, str | None] | None:
    """The private part, and the public one if it came too; None if nothing like a key was sent."""
    scheme, _, rest = (header or "").strip().partition(" ")
    rest = rest.strip()
    if scheme.lower() in ("bearer", "token") and rest:
        return rest, None
    if scheme.lower() == "basic" and rest:
        try:
            public, _, private = base64.b64decode(rest, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return rest, None
        return private, public
    return None


def find(header: str | None, auth_token: object = None) -> tuple[KeyHolder | None, bool]:
    """The key, if it is one, and whether anything was sent at all."""
    in_header = credential(header)
    key = find_key(*in_header) if in_header else None
    if key is None and isinstance(auth_token, str) and auth_token:
        return find_key(auth_token), True
    return key, bool((header or "").strip())


def refuse_in_url(environ: Mapping[str, Any]) -> None:
    """Refuses an API key in the URL, where logs keep it; raises Refused, also for a URL that cannot be read."""
    try:
        sent = read_query(environ, notes=[])
    except Unreadable as error:
        raise unreadable(error) from error
    if names_key(sent):
        raise key_in_url(HOW)


def require(request: Request, scope: str, auth_token: object = None, otherwise: str = "") -> KeyHolder:
    """The key of a request that needs one, whose company the log line names; raises Refused. It stands in `g.key` then.

    `auth_token` is what the body holds under that name, where there is a body; `otherwise` says what may be done
    without a key.
    """
    refuse_in_url(request.environ)
    key, sent = find(request.headers.get("Authorization"), auth_token)
    if key is None:
        count_guess()
    if not sent:
        raise Refused(
            "key_required", "An API key is required", {"auth_token": ["is missing"]}, f"{HOW} {otherwise}".strip()
        )
    if key is None:
        raise Refused("key_invalid", "The API key is not valid", {"auth_token": ["is not valid"]}, HOW)
    g.facts = {"company": key.company_id}
    refuse_without(key, scope)
    g.key = key
    return key


def refuse_without(key: KeyHolder, scope: str) -> None:
    """Raises Refused for a key that lacks a scope."""
    if scope not in key.scopes:
        text = f"lacks the scope {scope}"
        raise Refused(
            "scope_missing",
            f"The API key {text}",
            {"auth_token": [text]},
            f"Use a key with the scope {scope}.",
        )


def refuse_lacking(scopes: Iterable[str]) -> None:
    """Raises Refused where the key of this request would hand on scopes that it does not have itself."""
    missing = lacking(scopes, g.key.scopes)
    if missing:
        text = f"cannot grant what it lacks: {', '.join(missing)}"
        errors = {"auth_token": [f"lacks the scope {scope}" for scope in missing]}
        raise Refused("scope_missing", f"The API key {text}", errors, f"The API key {text}. Use one that has it.")
