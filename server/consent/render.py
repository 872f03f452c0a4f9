"""A version as a landing page shows it. Pure."""

from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

# What the links say, by language.
LINK_WORDS = {
    "en": ("Terms", "Privacy policy"),
    "es": ("Términos", "Política de privacidad"),
}


class Link(NamedTuple):
    """A link below the text."""

    kind: str
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What a visitor sees."""

    language: str
    text: str
    label: str
    terms_url: str | None
    privacy_url: str | None


def links_of(shown: Shown) -> list[Link]:
    """The links that there are, in the words of the language, or in English."""
    terms, privacy = LINK_WORDS.get(shown.language.partition("-")[0], LINK_WORDS["en"])
    links = [("terms", terms, shown.terms_url), ("privacy", privacy, shown.privacy_url)]
    return [Link(kind, text, url) for kind, text, url in links if url]


def linked(shown: Shown) -> Markup:
    """The links, which open a page of their own."""
    link = Markup('<a href="{}" target="_blank" rel="noopener">{}</a>')
    return Markup(" ").join(link.format(each.url, each.text) for each in links_of(shown))


def rendered(shown: Shown) -> Markup:
    """A box that starts unticked, the text and the links; all that a company wrote is escaped."""
    links = linked(shown)
    return Markup(
        '<div class="disclosure" lang="{}" dir="auto">'
        '<label><input type="checkbox" data-lead-consent> {}</label> <p>{}</p>{}</div>'
    ).format(
        shown.language,
        shown.label,
        shown.text,
        Markup("<p>{}</p>").format(links) if links else "",
    )
