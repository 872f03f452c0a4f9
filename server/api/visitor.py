"""What a visitor sees whose form was sent by the browser itself, and not by a script: a small page in place of JSON."""

import base64
import hashlib
import html
from collections.abc import Mapping
from urllib.parse import urlsplit

from flask import Response, request

from server.api.cors import is_for_leads
from server.embed.words import DEFAULT, WORDS
from server.errors import Refused

STYLE = (
    ":root{color-scheme:light dark}"
    "body{margin:0;font:1.125rem/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff}"
    "main{max-width:34rem;margin:12vh auto;padding:0 1.25rem;overflow-wrap:anywhere}"
    "h1{font-size:1.5rem;line-height:1.3}a{color:#0b57d0}"
    "@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}a{color:#8ab4f8}}"
)
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Cache-Control": "no-store",
    # Nothing runs, nothing is loaded and nothing is sent from here.
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; img-src data:;"
    " base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept, Accept-Language, Origin",
    "X-Content-Type-Options": "nosniff",
}
PAGE = """\
<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{content}
</main>
</body>
</html>
"""

# Beside what the script says; it is not sent to pages with that.
OWN_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "correct": "Please correct this, then send it again:",
        "number": "Enter a valid telephone number.",
        "later": "Please try again in a few minutes.",
        "not_here": "This form cannot be sent at the moment. Please tell the owner of the page.",
        "back": "Back to the form",
        "history": "Use the back button of your browser to return to the form.",
    },
    "es": {
        "correct": "Corrija esto y envíelo otra vez:",
        "number": "Escriba un número de teléfono válido.",
        "later": "Inténtelo de nuevo en unos minutos.",
        "not_here": "Este formulario no se puede enviar en este momento. Avise al dueño de la página.",
        "back": "Volver al formulario",
        "history": "Use el botón «atrás» de su navegador para volver al formulario.",
    },
}
# What a form that a browser sends by itself can be written in.
FORM_TYPES = frozenset({"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})
NUMBER = frozenset({"caller_id_missing", "invalid_caller_id", "region_not_allowed"})
# What a visitor can correct by name; all else is between the page and us.
CORRECTED = frozenset({"invalid_parameter", "contact_field_invalid", "invalid_character"})
LATER = frozenset({"rate_limited", "unavailable", "unexpected", "ip_limit"})


def is_person() -> bool:
    """Whether a browser shows the answer to somebody: it sends the form itself, and wants to see a page."""
    header = request.environ.get
    if "text/html" not in header("HTTP_ACCEPT", ""):
        return False
    if request.method != "POST" or request.mimetype not in FORM_TYPES:
        return False
    if header("HTTP_SEC_FETCH_MODE", "navigate") != "navigate":
        return False
    best = request.accept_mimetypes.best_match(["application/json", "text/html"])
    return best == "text/html" and is_for_leads(request.endpoint) and request.endpoint != "batch.batch"


def page_of(refusal: Refused | None, status: int) -> Response:
    """The page that says that a form was received, or what is to be corrected, with the status that JSON has."""
    language = request.accept_languages.best_match(list(WORDS)) or DEFAULT
    said = {**WORDS[language], **OWN_WORDS[language]}
    title, content = said["sent"], ""
    if refusal is not None:
        title, content = reason(refusal, said)
        content += way_back(said)
    text = PAGE.format(language=language, title=html.escape(title), style=STYLE, content=content)
    return Response(text, status, HEADERS, content_type="text/html; charset=utf-8")


def reason(refusal: Refused, said: Mapping[str, str]) -> tuple[str, str]:
    """What is said of a refusal: no more than JSON says, and only what a visitor can do something about."""
    if refusal.code in NUMBER:
        return said["correct"], f"<ul><li>{html.escape(said['number'])}</li></ul>\n"
    if refusal.code in CORRECTED:
        texts = [f"{name.removeprefix('data.')}: {text}" for name, each in refusal.errors.items() for text in each]
        return said["correct"], f"<ul>{''.join(f'<li>{html.escape(text)}</li>' for text in texts)}</ul>\n"
    later = refusal.code in LATER
    return said["failed"], f"<p>{html.escape(said['later' if later else 'not_here'])}</p>\n"


def way_back(said: Mapping[str, str]) -> str:
    """A link to the page that the visitor came from, where the browser names it, else the word of the button. Of a page
    on another origin most browsers name no more than the origin, which is seldom where the form stands."""
    referrer = request.headers.get("Referer", "")
    try:
        parts = urlsplit(referrer)
        whole = parts.path.strip("/") != "" or parts.query != ""
        safe = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc and whole
    except ValueError:
        safe = False
    if not safe or not referrer.isascii() or not referrer.isprintable():
        return f"<p>{html.escape(said['history'])}</p>"
    return f'<p><a href="{html.escape(referrer)}" rel="noreferrer">{html.escape(said["back"])}</a></p>'
