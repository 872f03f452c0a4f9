"""Which pages may read what we answer, and with which headers they may ask.

Anyone may post a lead from any page: what a token may do there is judged by its powers, not by the browser. A page's
own scripts add headers and credentials to all that it sends, and a refusal of those is silent: a lead leaves no trace.
The lead endpoints read no cookie, so that they allow both. All else answers any page too, without credentials; there
Flask-CORS answers preflights, and finds these headers on our answers.
"""

import re

EXPOSED = {"Access-Control-Expose-Headers": "Retry-After, Idempotent-Replayed, X-Request-Id"}
ANY_PAGE = {"Access-Control-Allow-Origin": "*"} | EXPOSED
# The blueprints of the endpoints that a lead token opens.
LEADS = frozenset({"leads", "batch"})
A_DAY = "86400"

# A browser sends nothing else; what it sends is answered.
ORIGIN = re.compile(r"null|[a-z][a-z0-9+.-]*://[\w.:\[\]-]{1,300}", re.A | re.I)
HEADER_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]{1,200}", re.A)


def is_for_leads(endpoint: str | None) -> bool:
    """Whether a lead token opens this endpoint."""
    return (endpoint or "").partition(".")[0] in LEADS


def headers_for(endpoint: str | None, origin: str | None) -> dict[str, str]:
    """The headers of an answer to whoever asks from there."""
    if origin is None or not is_for_leads(endpoint) or not ORIGIN.fullmatch(origin):
        return ANY_PAGE
    allowed = {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true", "Vary": "Origin"}
    return allowed | EXPOSED


def permission(endpoint: str, origin: str, wanted: str) -> dict[str, str]:
    """The answer to a browser that asks before it sends a lead with headers of its page."""
    names = [name for each in wanted.split(",") if HEADER_NAME.fullmatch(name := each.strip())]
    return headers_for(endpoint, origin) | {
        "Access-Control-Allow-Headers": ", ".join(names),
        "Access-Control-Allow-Methods": "GET, POST, PUT",
        "Access-Control-Max-Age": A_DAY,
        "Vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
    }
