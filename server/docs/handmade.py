"""The pages that people write: Markdown in `docs_site/pages`, whose links name what they lead to.

`[text](page:quickstart)`, `[text](method:leads_external/create)`, `[text](error:invalid_caller_id)`; `{{ base_url }}`
and `{{ lead_token }}` are the reader's own, and `{{ period.refused }}` is that period of `server/periods.py`. To add a
page, write the file and name it in `PAGES`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from server.docs.highlight import highlight
from server.periods import NAMED, spoken

FOLDER = Path(__file__).parents[2] / "docs_site" / "pages"

# In the order in which a newcomer reads them.
PAGES = (
    "quickstart",
    "landing-pages",
    "lead-tokens",
    "create-or-update",
    "attribution",
    "errors",
    "idempotency-and-retries",
    "batches-and-reconciliation",
    "foreign-payloads",
    "managing-by-api",
    "consent-texts",
    "consent",
    "rate-limits",
    "moving-from-trackdrive",
    "glossary",
    "changelog",
)
LINK = re.compile(r'href="(page|method|error):([^"#]+)(#[^"]*)?"')
PERIOD = re.compile(r"\{\{ period\.(\w+) \}\}")
STATUS = re.compile(r"HTTP \d+ ")
NOT_IN_ANCHORS = re.compile(r"[^a-z0-9_ -]")

Resolve = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page under a heading, for its contents and for the search."""

    level: int
    anchor: str
    title: str
    paragraphs: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All that it says."""
        return " ".join(self.paragraphs)


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its HTML without the title, in which links are not resolved yet."""

    slug: str
    title: str
    summary: str
    html: str
    sections: tuple[Section, ...]

    def resolved(self, resolve: Resolve) -> Markup:
        """Its HTML, with each link to where its kind and name lead."""
        linked = LINK.sub(lambda match: f'href="{resolve(match[1], match[2])}{match[3] or ""}"', self.html)
        return Markup(linked)  # noqa: S704 (markdown-it escapes what the files say)


@cache
def source(slug: str) -> str:
    """The Markdown of a page."""
    return (FOLDER / f"{slug}.md").read_text(encoding="utf-8")


def read_page(slug: str, base_url: str, lead_token: str) -> Page:
    """A page for who reads it under that address with that token."""
    text = source(slug).replace("{{ base_url }}", base_url).replace("{{ lead_token }}", lead_token)
    text = PERIOD.sub(lambda match: spoken(NAMED[match[1]]), text)
    markdown = MarkdownIt("commonmark", {"html": False, "highlight": highlighted}).enable("table")
    tokens = markdown.parse(text)
    title, tokens = tokens[1].content, tokens[3:]
    summary = next(token.content for token in tokens if token.type == "inline")
    sections = [*sections_of(tokens)]
    # A table that is wider than a phone scrolls in a box of its own.
    html = markdown.renderer.render(tokens, markdown.options, {})
    html = html.replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")
    return Page(slug, title, plain(summary), html, tuple(sections))


def highlighted(code: str, language: str, options: str) -> str:
    """A fenced block in colour."""
    return str(highlight(code, language.partition(" ")[0] or "text"))


def sections_of(tokens: list[Token]) -> list[Section]:
    """The headings with the text below each; gives each heading its anchor."""
    sections: list[Section] = []
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            title = plain(tokens[place + 1].content)
            token.attrSet("id", anchor_of(title))
            sections.append(Section(int(token.tag[1]), anchor_of(title), title))
        elif token.type == "inline" and sections and tokens[place - 1].type != "heading_open":
            sections[-1].paragraphs.append(plain(token.content))
    return sections


def meanings(errors: Page) -> dict[str, str]:
    """What each code means, in the sentence that begins its section: `**HTTP 422** The number does not exist.`"""
    return {section.anchor: STATUS.sub("", section.paragraphs[0]) for section in errors.sections if section.paragraphs}


def anchor_of(title: str) -> str:
    """The name under which a heading is linked to."""
    return NOT_IN_ANCHORS.sub("", title.lower()).strip().replace(" ", "-")


def plain(markdown: str) -> str:
    """Inline Markdown as text."""
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown).replace("`", "").replace("**", "").replace("*", "")
