"""What one snippet tells the script: its configuration as one JSON object, and how it is spelt. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.consent.render import Shown, links_of
from server.embed.words import DEFAULT, words_of

# What would end a script in a page or a line of JavaScript; the rest that is not ASCII json escapes by itself.
ESCAPES = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&"})


@dataclass(frozen=True, slots=True)
class Text:
    """The published text of one language, with the address of its content."""

    content_hash: str
    shown: Shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is configured of a snippet and of its token."""

    token: str
    field_map: Mapping[str, str]
    parameters: Mapping[str, str]
    messages: Mapping[str, Mapping[str, str]]
    thank_you_url: str | None
    allowed_redirects: Sequence[str]
    carry: bool
    default_language: str = DEFAULT
    texts: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Places:
    """Where pages find us: our origin, and the paths that an operator may name."""

    origin: str
    script_path: str
    leads_path: str

    @property
    def scripts(self) -> str:
        """What the addresses of all scripts begin with."""
        return self.origin + self.script_path

    @property
    def leads(self) -> str:
        """Where leads go."""
        return self.origin + self.leads_path

    @property
    def check(self) -> str:
        """The second file, which looks at a page."""
        return f"{self.scripts}/check.js"

    def script(self, token: str) -> str:
        """The file with the stamp."""
        return f"{self.scripts}/{token}.js"

    def build(self, token: str, named: str) -> str:
        """The file that never changes."""
        return f"{self.scripts}/{token}.{named}.js"


def configuration(facts: Facts, places: Places) -> dict[str, Any]:
    """All that is the same until somebody changes it; what is empty is not there."""
    languages = {text.shown.language: language(text) for text in facts.texts}
    # A default without a text would show nothing to visitors of other languages.
    default = facts.default_language
    default = default if default in languages else next(iter(languages), default)
    used = sorted({default, *languages})
    members = {
        "token": facts.token,
        "endpoint": places.leads,
        "check": places.check,
        "language": default,
        "languages": languages,
        "messages": {each: words_of(each, facts.messages) for each in used},
        "fields": dict(facts.field_map),
        "parameters": dict(facts.parameters),
        "thankYou": facts.thank_you_url,
        "redirects": [*facts.allowed_redirects],
    }
    made = {name: value for name, value in members.items() if value}
    # It is on unless it is switched off.
    return made if facts.carry else made | {"carry": False}


def language(text: Text) -> dict[str, Any]:
    """What the script shows visitors of one language."""
    links = [[link.text, link.url] for link in links_of(text.shown)]
    said = {"version": text.content_hash, "label": text.shown.label, "text": text.shown.text}
    return said | ({"links": links} if links else {})


def spelt(value: Any) -> str:
    """A value as JavaScript and as JSON, safe wherever a script may stand: pure ASCII, so that a file needs no charset
    to show every visitor the same words, and nothing that a page would take for a tag."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True).translate(ESCAPES)
