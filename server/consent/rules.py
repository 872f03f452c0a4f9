"""What the content of a disclosure's version is, and which version a language gets. Pure."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

import rfc8785

# What is hashed and never changes, under the names that the API has for it.
CONTENT = ("language", "text", "label", "seller_name", "terms_url", "privacy_url")
# Language, script and region of BCP 47: the parts by which people choose; nobody writes a text for a variant.
LANGUAGE = re.compile(r"([a-z]{2,3})(?:-([a-z]{4}))?(?:-([a-z]{2}|[0-9]{3}))?", re.A)


def content_of(version: Any) -> dict[str, str | None]:
    """The content alone of a version."""
    return {name: getattr(version, name) for name in CONTENT}


def content_hash(content: Mapping[str, str | None]) -> str:
    """SHA-256 in hex of the content's canonical JSON (RFC 8785): the same content has the same address everywhere."""
    return hashlib.sha256(rfc8785.dumps(dict(content))).hexdigest()


def tidy(text: str) -> str:
    """A text as it is kept: one blank for any white space, so that it is the same wherever a page breaks its lines,
    and one spelling of each letter (NFC)."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def read_language(text: str) -> str | None:
    """A language in its usual spelling, such as `es-MX`; None if it is none."""
    found = LANGUAGE.fullmatch(text.strip().replace("_", "-").lower())
    if found is None:
        return None
    language, script, region = found.groups()
    return "-".join(part for part in (language, script and script.title(), region and region.upper()) if part)


def falls_back(*languages: str | None) -> Iterator[str]:
    """Each language and what is meant by less of it (RFC 4647, lookup): `es-MX`, `es`, then those of the next one."""
    for language in languages:
        parts = language.split("-") if language else []
        for length in range(len(parts), 0, -1):
            yield "-".join(parts[:length])
