"""Tokens in the texts of messages and webhooks: `[name]`, `[name]{default}`, `{{name}}`. Pure.

One pass: what is put in is never looked at again, so a lead's own text cannot reach another token, and no template
engine ever sees it.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from server.leads.tokens import token_name
from server.lib.json import plain

# No part of it can begin in two places of one run, so a search takes time in proportion to the text.
TOKEN = re.compile(r"\[([a-z0-9_]+)\](?:\{([^{}]*)\})?|\{\{[ \t]*([a-z0-9_]+)[ \t]*\}\}")

SYSTEM_TOKENS: Mapping[str, str] = {
    "lead_id": "The lead's id.",
    "caller_id": "The lead's phone number in E.164.",
    "email": "The lead's e-mail address.",
    "contact_field_type": "The contact field type that the lead was sent with.",
    "traffic_source_id": "The traffic source's own id, or the text that was sent in its place.",
    "sub_id": "The sub source within the traffic source.",
    "offer_id": "The id of the offer.",
    "offer_name": "The name of the offer.",
    "schedule_id": "The id of the schedule.",
    "schedule_name": "The name of the schedule.",
    "trackdrive_number": "The number that is assigned to the lead for calls, in E.164.",
    "sms_number": "The number that is assigned to the lead for messages, in E.164.",
    "scheduled_callback_at": "When a callback is booked, in ISO 8601 and UTC.",
    "created_at": "When the lead was made, in ISO 8601 and UTC.",
    "updated_at": "When the lead was last changed, in ISO 8601 and UTC.",
}


def values_of(tokens: Mapping[str, Any], system: Mapping[str, Any]) -> dict[str, Any]:
    """Every name that a text may use. A system token wins over a lead's, a lead's own name over a nested one.

    Of `system` only names of SYSTEM_TOKENS count; its values are JSON values, times ISO texts.
    """
    values: dict[str, Any] = {}
    for name, value in tokens.items():
        for path, inner in nested(name, value):
            values.setdefault(path, inner)
    return values | dict(tokens) | {name: system.get(name) for name in SYSTEM_TOKENS}


def nested(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """What is inside of a value, by its path: `a_b` of a hash, `a_0` of a list."""
    if isinstance(value, dict):
        inside = [(token_name(key), each) for key, each in value.items()]
    elif isinstance(value, list):
        inside = [(str(at), each) for at, each in enumerate(value)]
    else:
        return
    for key, each in inside:
        path = f"{name}_{key}" if key else name
        yield path, each
        yield from nested(path, each)


def substitute(text: str, values: Mapping[str, Any]) -> str:
    """The text with its tokens filled in; one without a value is its default, or nothing."""

    def filled(match: re.Match[str]) -> str:
        inserted = plain(values.get(match[1] or match[3]))
        return inserted if inserted.strip() else match[2] or ""

    return TOKEN.sub(filled, text)


def render(value: Any, values: Mapping[str, Any]) -> Any:
    """A JSON value, such as a webhook's body, with the tokens of every text in it filled in; keys stay as they are."""
    if isinstance(value, str):
        return substitute(value, values)
    if isinstance(value, dict):
        return {key: render(each, values) for key, each in value.items()}
    if isinstance(value, list):
        return [render(each, values) for each in value]
    return value
