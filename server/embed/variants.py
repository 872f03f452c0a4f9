"""What a marketer copies: the lines of the hosted script, and the variants that stand in a page as a whole. Pure."""

import html
import re
from collections.abc import Mapping

from markupsafe import escape

from server.consent.render import linked
from server.embed.build import integrity
from server.embed.rules import Facts, Places, Text, spelt
from server.embed.script import source

# The variants, each a file of the same name in `snippet/`.
INLINE = ("jquery", "fetch", "confirmation", "no_javascript")
# The best evidence that each way can give: only the file that is fetched anew has a stamp.
EVIDENCE: Mapping[str, str] = {"hosted": "witnessed", "versioned": "asserted"} | dict.fromkeys(INLINE, "asserted")
# Without a page that thanks they do so themselves.
THANKS_IN_PLACE = frozenset({"jquery", "fetch"})
ENDPOINT = "https://your-domain.com/api/v1/leads"
SCRIPT = "https://your-domain.com/s/YOUR_TOKEN.js"
PLACEHOLDER = re.compile(
    rf"{re.escape(SCRIPT)}|YOUR_(?:TOKEN|CONSENT_LABEL|CONSENT_TEXT|CONSENT_LINKS|THANK_YOU_PAGE|DISCLOSURE)\b|{re.escape(ENDPOINT)}"
)
SCRIPTS = re.compile(r"(<script\b[^>]*>.*?</script>)", re.S | re.I)
# What ends the other strings of JavaScript, or a template's text.
QUOTES = str.maketrans({character: f"\\u{ord(character):04x}" for character in "'`$"})
ASSERTED = (
    "<!-- This file never changes, so that it carries no fresh stamp: consent that it sends is asserted at most. -->"
)


def hosted(token: str, places: Places) -> str:
    """The line that loads the present script."""
    return f'<script src="{html.escape(places.script(token))}" async></script>'


def versioned(token: str, places: Places, named: str) -> str:
    """The line that loads one build and no other."""
    address = html.escape(places.build(token, named))
    return f'{ASSERTED}\n<script src="{address}" integrity="{integrity(named)}" crossorigin="anonymous" async></script>'


def policy(origin: str) -> str:
    """What the Content-Security-Policy of a strict page needs beside its own."""
    return f"script-src {origin}; connect-src {origin}; form-action {origin}"


def inline(name: str, facts: Facts, places: Places, text: Text | None) -> str:
    """A variant with what is known in its places; a place of which nothing is known stays, for people to see, unless
    the variant does well without it."""
    known = {
        "YOUR_TOKEN": facts.token,
        ENDPOINT: places.leads,
        SCRIPT: places.script(facts.token),
        "YOUR_CONSENT_LABEL": text.shown.label if text else None,
        "YOUR_CONSENT_TEXT": text.shown.text if text else None,
        "YOUR_CONSENT_LINKS": linked(text.shown) if text else None,
        "YOUR_DISCLOSURE": text.content_hash if text else None,
        "YOUR_THANK_YOU_PAGE": facts.thank_you_url or ("" if name in THANKS_IN_PLACE else None),
    }
    return filled(source(f"{name}.html"), {place: value for place, value in known.items() if value is not None})


def filled(template: str, known: Mapping[str, str]) -> str:
    """A template with its places filled: within a script as its strings spell a text, elsewhere as HTML does."""
    in_pages = {place: str(escape(value)) for place, value in known.items()}
    in_scripts = {place: in_string(value) for place, value in known.items()}
    made = []
    for at, part in enumerate(SCRIPTS.split(template)):
        values = in_scripts if at % 2 else in_pages
        made.append(PLACEHOLDER.sub(lambda found, values=values: values.get(found[0], found[0]), part))
    return "".join(made)


def in_string(value: str) -> str:
    """A text as it may stand within any quotes of JavaScript."""
    return spelt(value)[1:-1].translate(QUOTES)
