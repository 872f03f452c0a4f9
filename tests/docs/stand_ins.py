"""Puts what never changes in place of ids, secrets and times, so that two runs record the same."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256, sha384
from typing import Any

from server.lib.secrets import spelt

Json = dict[str, Any]

SECRET_NAMES = {"private", "password"}

UUID = r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
TOKEN = r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])"
MASKED = r"(?<![0-9a-f])[0-9a-f]{4}…[0-9a-f]{2}(?![0-9a-f])"
# The row that a sentence names by its path.
ROW = r"(?<=/disclosures/)[0-9]+"
# What a file's bytes are called: as its name in a URL or alone, as a page wants it, and the beginning of it.
HASH = r"(?<=\.)[\w-]{64}(?=\.js\b)|^[\w-]{64}$"
INTEGRITY = r"(?<=\bsha384-)[\w+/]{64}"
# What tests make so that no two are alike.
WORD = r"\b(?:name|key|source|john|life|zip|loan_amount)_[0-9]+\b"
NUMBER = r"\+1719555[0-9]{4}"
# A run takes some seconds, and on a busy machine a minute.
TIME = r"(\d{4}-\d\d-\d\dT\d\d:\d)\d:\d\d(\.\d+)?"
# Who asks is another one with each version.
CLIENT = r"^Werkzeug/[0-9.]+$"


class StandIns:
    """Those of one record: the same value has the same one, wherever it stands."""

    def __init__(self, record: str) -> None:
        self.record = record
        self.known: dict[str, dict[Any, Any]] = {}

    def of(self, kind: str, value: Any, make: Callable[[int], Any]) -> Any:
        """What stands for a value, made by its place among those of its kind."""
        known = self.known.setdefault(kind, {})
        return known.setdefault(value, make(len(known) + 1))

    def replaced(self, value: Any, name: str = "", within: str = "") -> Any:
        """A value of that name, in the object of that name, with stand-ins for all that changes."""
        if isinstance(value, dict):
            # A step of a submission's why names the row that decided it.
            whose = value.get("step") or name or within
            return {self.text(key): self.replaced(inner, key, whose) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.replaced(inner, name, within) for inner in value]
        if type(value) is int and (subject := subject_of(name, within)):
            return self.of(subject, value, int)
        return self.named(value, name) if isinstance(value, str) else value

    def named(self, value: str, name: str) -> str:
        """A text of that name."""
        if name in SECRET_NAMES:
            return f"YOUR_{name.upper()}"
        if name == "content_hash":
            return value
        if name == "version":
            return self.digits("version")[:12]
        if name.endswith("cursor") and value:
            return self.digits("cursor")[:24]
        return self.text(value)

    def text(self, text: str) -> str:
        """A text with stand-ins for what changes within it."""
        text = re.sub(CLIENT, "curl/8.5.0", re.sub(TIME, r"\g<1>0:00.000", text))
        for kind, pattern, make in (
            ("uuid", UUID, self.uuid),
            ("token", TOKEN, lambda number, found: self.digits(f"token {number}")[:32]),
            ("masked", MASKED, self.mask),
            ("disclosure", ROW, lambda number, found: str(number)),
            ("word", WORD, lambda number, found: found.rpartition("_")[0] + (f"_{number}" if number > 1 else "")),
            ("number", NUMBER, lambda number, found: f"+1719555{2000 + number}"),
        ):
            text = re.sub(pattern, self.finder(kind, make), text)
        text = re.sub(HASH, lambda match: self.hash(match[0]), text)
        return re.sub(INTEGRITY, lambda match: in_base64(self.hash(in_url(match[0]))), text)

    def finder(self, kind: str, make: Callable[[int, str], str]) -> Callable[[re.Match[str]], str]:
        """What a regular expression asks for each that it finds."""
        return lambda match: str(self.of(kind, match[0], lambda number: make(number, match[0])))

    def uuid(self, number: int, found: str) -> str:
        """A UUID of the same version."""
        return spelt(self.digits(f"uuid {number}")[:32], int(found[14]))

    def mask(self, number: int, found: str) -> str:
        """A lead token's value as it is shown later."""
        digits = self.digits(f"masked {number}")
        return f"{digits[:4]}…{digits[-2:]}"

    def hash(self, found: str) -> str:
        """The hash of other bytes, as an address spells it."""
        return str(self.of("hash", found, self.made_hash))

    def made_hash(self, number: int) -> str:
        """The hash of what nobody has."""
        return urlsafe_b64encode(sha384(f"{self.record} {number}".encode()).digest()).decode()

    def digits(self, what: str) -> str:
        """Digits that no other record has, and this one always."""
        return sha256(f"{self.record} {what}".encode()).hexdigest()


def in_url(text: str) -> str:
    """Base64 as an address spells it."""
    return text.replace("+", "-").replace("/", "_")


def in_base64(text: str) -> str:
    """The same as it is spelt elsewhere."""
    return text.replace("-", "+").replace("_", "/")


def subject_of(name: str, within: str) -> str:
    """Whose row id a number is: an offer's, whether as `offer_id` or as the `id` of an offer; nothing if it is none."""
    if name in ("id", "record"):
        return within.removesuffix("s")
    if within == "current":
        return "version"
    matched = re.fullmatch("(?:default_)?(.+?)_ids?|(api_key|first_action)", name)
    return matched[1] or matched[2] if matched else ""
