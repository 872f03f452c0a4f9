"""The texts that one lead token knows, and how what a visitor was shown compares with them. Pure."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from server.consent.render import Shown, links_of
from server.consent.rules import tidy
from server.lib.uses import Uses, note

# So many texts that nobody has reviewed are known of one disclosure: pages can invent as many as they like.
MOST_UNREVIEWED = 50


class Match(StrEnum):
    """How a text compares: with a reviewed version, with one that was only learned, or with nothing that is known."""

    SAME = "same"
    UNREVIEWED = "unreviewed"
    DIFFERS = "differs"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class KnownVersion:
    """A version of a disclosure, by its address; `texts` are the hashes of what visitors read where it is shown."""

    content_hash: str
    reviewed: bool
    texts: frozenset[str]


@dataclass(slots=True)
class Texts:
    """The versions of a token's own disclosure, or, where it has none, those that the company has reviewed."""

    disclosure_id: int | None = None
    # Of a text that is learned and does not say which it is in.
    language: str = "en"
    by_text: dict[str, KnownVersion] = field(default_factory=dict)
    # As a request may name them: by their address or their id.
    by_name: Mapping[str, KnownVersion] = field(default_factory=dict)
    reviewed: bool = False
    # By their address, those that were only learned.
    uses: Uses = field(default_factory=dict)

    @property
    def learns(self) -> bool:
        """Whether a page's own text becomes a version."""
        return self.disclosure_id is not None

    def note(self, content_hash: str, text_hash: str | None, now: datetime) -> None:
        """Knows that a version was used which was only learned, and with `text_hash` that it was made of that text."""
        if text_hash is not None and text_hash not in self.by_text:
            self.by_text[text_hash] = KnownVersion(content_hash, reviewed=False, texts=frozenset([text_hash]))
        gone = note(self.uses, content_hash, now, MOST_UNREVIEWED)
        if gone is not None:
            known = self.by_text.copy()
            self.by_text = {text: version for text, version in known.items() if version.content_hash != gone}


def text_hash(text: str) -> str:
    """SHA-256 in hex of a text as it is kept."""
    return hashlib.sha256(tidy(text).encode()).hexdigest()


def spellings(shown: Shown) -> Iterator[str]:
    """What may be read where a version is shown: label, text and links, or without the links, or the text alone."""
    links = " ".join(link.text for link in links_of(shown))
    yield tidy(f"{shown.label} {shown.text} {links}")
    yield tidy(f"{shown.label} {shown.text}")
    yield tidy(shown.text)


def compare(texts: Texts, text: str | None, named: str | None) -> tuple[Match | None, KnownVersion | None]:
    """How the text of a request compares, and which version it is, or was said to be; None where none was sent."""
    claimed = texts.by_name.get(named or "")
    if not text:
        return None, claimed
    known = texts.by_text.get(text_hash(text))
    if known is not None and known.reviewed:
        return Match.SAME, known
    # Where somebody has reviewed what visitors are to see, anything else is to be looked at.
    if claimed is not None or (texts.reviewed and texts.disclosure_id is not None):
        return Match.DIFFERS, known
    return (Match.UNKNOWN if known is None else Match.UNREVIEWED), known
