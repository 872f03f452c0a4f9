"""What a landing page's post means beyond what every sender may say: its fields have the names of its builder. Pure."""

import re
from base64 import b64decode
from typing import Any

from server.foreign.words import EMAIL, Key, meaning
from server.leads.names import names_of
from server.leads.page_numbers import texts, whole_number
from server.leads.params import Asked

# Base64 as page builders encode a field's label with, and the labels that we take for one.
ENCODED = re.compile(r"[A-Za-z0-9+/]{4,}={0,2}")
LABEL = re.compile(r"(?:[^\W_]| )+\W?")


def with_labels(tree: dict[str, Any]) -> dict[str, Any]:
    """The parameters, whose tokens are called as the page's labels where the page has encoded those."""
    data = tree.get("data")
    if not isinstance(data, dict) or not any(map(encoded_label, data)):
        return tree
    return tree | {"data": {encoded_label(name) or name: value for name, value in data.items()}}


def encoded_label(name: str) -> str | None:
    """The label that a name encodes; None for a name that is one by itself."""
    if len(name) % 4 or not ENCODED.fullmatch(name):
        return None
    try:
        text = b64decode(name).decode()
    except ValueError:
        return None
    return text if LABEL.fullmatch(text) else None


def complete_number(asked: Asked, region: str) -> list[dict[str, Any]]:
    """Puts a number together that the page has asked for in parts; the step that says so."""
    said = asked.fields.get("caller_id")
    whole = whole_number(said, asked.tokens, region) if isinstance(said, str) else None
    if whole is None:
        return []
    asked.fields["caller_id"] = whole
    rule = "the page's form asks for the number in parts, or keeps it whole in a second field"
    return [{"step": "parts", "read": {"caller_id": said}, "decided": whole, "rule": rule}]


def find_email(asked: Asked) -> None:
    """Takes the address of the first field that a page calls so in another language than the script knows."""
    if "email" not in asked.fields:
        found = (text.strip() for name, text in texts(asked.tokens) if (meaning(Key(name), text) or "_")[0] == "email")
        address = next(filter(EMAIL.fullmatch, found), None)
        asked.fields |= {"email": address} if address else {}


def name_visitor(asked: Asked) -> None:
    """Adds what a page's own names for its fields say of the visitor's name; what was sent stays as it is."""
    names = names_of(asked.tokens)
    asked.tokens |= names
    asked.made |= names.keys()
