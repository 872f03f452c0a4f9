"""What may be kept and shown of what came: all of it but its secrets, however their names are spelt. Pure."""

import re
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

REDACTED = "[redacted]"

# Every name under which a secret of ours, or the proof of a foreign payload, may come. `auth_token`, `authToken`,
# `AUTH-TOKEN` and `data[auth_token]` are one name, and so is `my_auth_token`.
CREDENTIALS = frozenset(
    [
        "lead_token",
        "auth_token",
        "api_key",
        "api_token",
        "access_token",
        "private_key",
        "google_key",
        "hub_verify_token",
        "handshake_key",
    ]
)

# A text that is shorter holds no name with a secret; a name that is longer may be a whole form.
SHORTEST, LONGEST_NAME = 10, 20
# So often is a text decoded that was encoded as often.
LAYERS = 3

PUNCTUATION = re.compile(r"[\W_]+")
# A list is sent as `auth_token[0]`.
FOLDED = re.compile(rf"(?:{'|'.join(name.replace('_', '') for name in CREDENTIALS)})\d*$")
ESCAPE = re.compile(r"\\+u([0-9a-fA-F]{4})")
NAME = "|".join(name.replace("_", r"[\W_]?") for name in CREDENTIALS)
# In JSON and forms a sign stands between name and value, in multipart an empty line. What is redacted stays so, and so
# does what only stands for a secret in our own sentences: `lead_token=…`, `Bearer <private key>`.
SIGN = r"[\"'\]\[\s\\]{0,20}[:=](?:\[(?!redacted\])|[\s\\]){0,20}"
EMPTY_LINE = r"[\"']?[^\S\n]{0,20}\n\r?\n"
SECRET = re.compile(
    rf"((?:{NAME})(?:{SIGN}|{EMPTY_LINE})|authorization\W{{1,20}}(?:bearer|basic|token)\s+)"
    r"(?:([\"'])(?!\[redacted\])[^\"'\\]*|[^<…\"'&\s,;}\\\[\]][^\"'&\s,;}\\]*)",
    re.I,
)


def redact(value: Any) -> Any:
    """A tree of parameters without the secrets in it: those with a name of their own, and those within texts."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, list):
        return [redact(item) for item in value]
    return redact_members(value) if isinstance(value, dict) else value


def redact_members(members: dict[str, Any]) -> dict[str, Any]:
    """The same of an object. Most of what comes is short: that is judged here, without a call."""
    kept: dict[str, Any] = {}
    for name, value in members.items():
        if len(name) <= LONGEST_NAME:
            shown, secret = name, is_known_credential(name)
        else:
            # A form that was sent as one piece is all in a name.
            shown, secret = redact_text(name), is_credential(name)
        if secret:
            kept[shown] = REDACTED
        elif type(value) is str and len(value) < SHORTEST:
            kept[shown] = value
        else:
            kept[shown] = redact(value)
    return kept


def is_credential(name: str) -> bool:
    """Whether a parameter of this name is a secret."""
    if name in CREDENTIALS:
        return True
    lower = name.lower()
    if "token" not in lower and "key" not in lower and "%" not in lower:
        return False
    return FOLDED.search(PUNCTUATION.sub("", decoded(lower))) is not None


# Forms have the same names each time.
is_known_credential = lru_cache(maxsize=4096)(is_credential)


def redact_text(text: str) -> str:
    """A text without the secrets in it, as far as they stand beside their names; as it was if there are none."""
    if len(text) < SHORTEST:
        return text
    lower = text.lower()
    if names_secret(lower):
        text = SECRET.sub(replaced, text)
    elif "%" not in lower and "\\u" not in lower:
        return text
    plain = decoded(text)
    # What was encoded is kept decoded, for its secret ends where the encoding says so.
    is_hidden = plain != text and names_secret(plain.lower()) and SECRET.search(plain) is not None
    return SECRET.sub(replaced, plain) if is_hidden else text


def names_secret(lower: str) -> bool:
    """Whether a text in small letters may hold a credential's name. Few do, and a pattern costs more than this."""
    return "token" in lower or "key" in lower or "authorization" in lower


def replaced(match: re.Match[str]) -> str:
    """A name with what stands in the place of its secret."""
    return f"{match[1]}{match[2] or ''}{REDACTED}"


def decoded(text: str) -> str:
    """A text without the encodings of addresses and of JSON, however often they were laid upon it."""
    for _ in range(LAYERS):
        plain = ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), unquote(text))
        if plain == text:
            break
        text = plain
    return text


def without_redacted(value: Any) -> Any:
    """A tree without the members whose secret was taken out: they say nothing any more."""
    if isinstance(value, list):
        return [without_redacted(item) for item in value]
    if isinstance(value, dict):
        return {name: without_redacted(each) for name, each in value.items() if each != REDACTED}
    return value
