"""What a request may do with a lead token: pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from server.consent.texts import Texts
from server.lib.uses import Uses
from server.numbers.rules import Pool
from server.offers.acceptance import Acceptance
from server.offers.contact_fields import ContactField, ContactFieldType
from server.schedules.rules import Step
from server.sources.rules import Source

# Server tokens have no prefix, publishable ones pub_, postback ones pb_.
VALUE = re.compile(r"(?:pub_|pb_)?[0-9a-f]{32}")

PREFIX = {"server": "", "publishable": "pub_", "postback": "pb_"}
SERVER = "server"
PUBLIC = "public"


@dataclass(slots=True)
class Grant:
    """A lead token with all that intake needs of its company: a snapshot, true as of `config_version`."""

    token_id: int
    # Whose keys and ids count: tokens that rotations have made of one another share it.
    vendor_id: int
    kind: str
    value: str
    company_id: int
    config_version: int
    region: str
    time_zone: str
    require_authorization: bool
    owner_kind: str
    owner_id: int
    offer_id: int | None
    schedule_id: int | None
    owner_deleted: bool
    acceptance: Acceptance
    contact_fields: tuple[ContactField, ...]
    contact_field_types: tuple[ContactFieldType, ...]
    # By schedule: the token's own, or all of the offer's.
    first_steps: Mapping[int, Step]
    pools: Mapping[int, tuple[Pool, ...]]
    default_source: Source | None
    sources: Mapping[str, Source]
    shows_stored_lead: bool
    allows_callbacks: bool
    per_minute_limit: int | None
    allowed_origins: frozenset[str]
    allowed_redirects: frozenset[str]
    expires_at: datetime | None
    # Whether a rotation has made its successor.
    replaced: bool
    disabled_at: datetime | None
    exposed: bool
    last_used_at: datetime | None
    reads_submissions: bool
    most_token_names: int
    most_public_bytes: int
    # Those that the company has; what this process adds to them meanwhile it adds here.
    token_names: set[str] = field(default_factory=set)
    # So many of them are deleted: they go on under their names, and take no place.
    deleted_names: int = 0
    # What visitors may have been shown, and what stamps are signed with.
    texts: Texts = field(default_factory=Texts)
    stamp_key: bytes = field(default=b"", repr=False)
    # What every request has to prove that it knows; empty where there is one that cannot be read.
    payload_secret: str | None = field(default=None, repr=False)
    # The pages that have used it, and how often; what this process adds to that meanwhile it adds here.
    seen_origins: Uses = field(default_factory=dict)

    def names_of(self, powers: str) -> int:
        """How many token names the company may have where these powers bring further ones: pages half of all, so that
        they never use up what its servers need."""
        return self.most_token_names // 2 if powers == PUBLIC else self.most_token_names

    def takes_leads(self, now: datetime) -> bool:
        """Whether it authorises a lead at this time."""
        ended = self.disabled_at is not None or (self.expires_at is not None and self.expires_at <= now)
        return not ended and not self.owner_deleted and self.kind != "postback"


def from_browser(origin: str | None, fetch_site: str | None, own_origin: str) -> bool:
    """Whether a page of another site sent it: a foreign or `null` Origin, or a Sec-Fetch-Site that says so."""
    foreign = origin is not None and origin != own_origin
    return foreign or fetch_site not in (None, "same-origin", "none")


def powers(kind: str, exposed: bool, browser: bool) -> tuple[str, dict[str, object]]:
    """`server` or `public`, and the reason. A server token that stood in a page once is public until it is cleared."""
    if kind == "publishable":
        decided, rule = PUBLIC, "a publishable token only adds"
    elif browser:
        decided, rule = PUBLIC, "a server token used from a browser has a publishable one's powers"
    elif exposed:
        decided, rule = PUBLIC, "the token is exposed: it was used from a browser before"
    else:
        decided, rule = SERVER, "a server token"
    read = {"kind": kind, "exposed": exposed, "browser": browser}
    return decided, {"step": "powers", "read": read, "decided": decided, "rule": rule}


def powers_once_more(kind: str, had: str) -> tuple[str, dict[str, object]]:
    """Those of a replay: what the submission had, for who sent it has not changed; a publishable token adds none."""
    decided = PUBLIC if kind == "publishable" else had
    rule = "those that the submission had"
    return decided, {"step": "powers", "read": {"kind": kind, "had": had}, "decided": decided, "rule": rule}


def origin_of(url: str | None) -> str | None:
    """Scheme, host and port of a URL; None if it has none."""
    try:
        parts = urlsplit(url or "")
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    plain = port in (None, 443 if parts.scheme == "https" else 80)
    return f"{parts.scheme}://{host}" if plain else f"{parts.scheme}://{host}:{port}"


def origin_allowed(allowed: frozenset[str], origin: str | None, referrer: str | None) -> bool:
    """Whether a page may use the token: an empty list learns and takes all; a set one wants a match, spelt in full.

    A request without an Origin is judged by its Referer, and one without either is refused: a list is a list.
    """
    if not allowed:
        return True
    return (origin if origin is not None else origin_of(referrer)) in allowed


def redirect_allowed(allowed: frozenset[str], target: object) -> bool:
    """Whether a native form post may be sent on to this URL: its origin is on the token's list, and nothing in it
    makes a browser read another host than we do."""
    if not isinstance(target, str) or not target.isascii() or "\\" in target or "@" in target.split("?")[0]:
        return False
    return target.isprintable() and " " not in target and origin_of(target) in allowed
