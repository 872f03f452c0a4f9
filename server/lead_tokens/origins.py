"""The origins of a token's lists, in the one spelling in which browsers send them. Pure."""

import ipaddress
import re
from urllib.parse import urlsplit

from server.lead_tokens.rules import origin_of

LONGEST = 255
# Of those that have used a token so many are listed: strangers can invent as many as they like.
MOST_ORIGINS = 100
HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?")
HOW = "send scheme, host and port only, such as https://shop.example"


class BadOrigin(ValueError):
    """The text is no origin; the sentence says why and what to send instead."""


def read_origin(text: str) -> str:
    """`scheme://host[:port]` in lower case, without the port that goes without saying; raises BadOrigin."""
    written = text.strip()
    # A slash at the end is what an address bar copies along; it is no path.
    origin = origin_of(written)
    if origin is None or len(written) > LONGEST or not written.isprintable():
        raise BadOrigin(f"is no origin: {HOW}")
    parts = urlsplit(written)
    if parts.path not in ("", "/") or "?" in written or "#" in written:
        raise BadOrigin(f"has a path: {HOW}")
    if "@" in parts.netloc:
        raise BadOrigin(f"has a user: {HOW}")
    if not good_host(parts.hostname or ""):
        raise BadOrigin("has no host that a browser would send: no wildcard, letters in ASCII (xn--…)")
    return origin


def seen_origin(origin: str | None, referrer: str | None) -> str | None:
    """The page that a request came from, as a list of pages would name it, or `null`; None where no browser says so."""
    said = origin if origin is not None else origin_of(referrer)
    if said is None or said == "null":
        return said
    try:
        return said if read_origin(said) == said else None
    except BadOrigin:
        return None


def good_host(host: str) -> bool:
    """Whether browsers would call a host so."""
    if ":" not in host:
        return HOST.fullmatch(host) is not None
    try:
        # In its shortest spelling, which is the one that browsers send.
        return str(ipaddress.IPv6Address(host)) == host
    except ValueError:
        return False
