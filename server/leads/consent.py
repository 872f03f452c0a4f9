"""The consent record of a submission: what was said of consent, what it is worth, and all that shows it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from server.consent.evidence import Evidence, attached, level
from server.consent.given import HUBSPOT, Given, read_hubspot
from server.consent.rules import content_hash, read_language, tidy
from server.consent.stamp import Freshness, Stamp, read_stamp
from server.consent.texts import KnownVersion, Match, compare, text_hash
from server.lead_tokens.rules import PUBLIC, Grant
from server.leads.normalise import in_zone
from server.leads.params import Asked
from server.leads.posting import Posting
from server.lib import clock, json
from server.lib.redact import redact_text

# Of the record's shape.
VERSION = 1
HELD = (
    "consent.text is not the text of the version that was named: a new lead is held until the company has looked at it."
)


@dataclass(frozen=True, slots=True)
class Learned:
    """A page's own text as the version of a disclosure that it becomes."""

    text_hash: str
    content_hash: str
    content: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Consent:
    """What a request says of consent, judged as far as its token's configuration can judge it."""

    given: Given | None = None
    evidence: Evidence = Evidence.NONE
    match: Match | None = None
    version: KnownVersion | None = None
    stamp: Stamp | None = None
    attached: list[dict[str, str]] = field(default_factory=list)
    learned: Learned | None = None

    @property
    def granted(self) -> bool | None:
        """Whether the visitor agreed; None where nothing says so."""
        return None if self.given is None else self.given.granted

    @property
    def held(self) -> bool:
        """Whether somebody has to look at it before the lead is contacted: the visitor agreed to another text."""
        return self.match is Match.DIFFERS and self.granted is True

    @property
    def content_hash(self) -> str | None:
        """The address of the version that the visitor read, or is said to have read."""
        if self.version is not None:
            return self.version.content_hash
        return None if self.learned is None else self.learned.content_hash


NOTHING = Consent()


def read_consent(posting: Posting, asked: Asked, grant: Grant, powers: str) -> Consent:
    """What the request says of consent, and what it is worth."""
    given = given_in(posting, asked, grant)
    proofs = attached(asked.tokens)
    if given is None:
        return NOTHING if not proofs else Consent(evidence=Evidence.THIRD_PARTY, attached=proofs)
    match, version = compare(grant.texts, given.text, given.disclosure)
    stamp = read_stamp_of(posting, given, grant) if powers == PUBLIC else None
    if match is Match.DIFFERS and given.granted and powers != PUBLIC and posting.verb is None:
        asked.warn("consent", "held_for_review", HELD)
    fresh = stamp is not None and stamp.freshness is Freshness.FRESH
    # What our script brought is what it read in the page; a text that nobody knows of cannot be called another.
    witnessed = fresh and match is not None and match is not Match.DIFFERS
    return Consent(
        given=given,
        evidence=level(granted=given.granted, witnessed=witnessed, certified=bool(proofs)),
        match=match,
        version=version,
        stamp=stamp,
        attached=proofs,
        learned=learned_of(given, grant) if version is None else None,
    )


def given_in(posting: Posting, asked: Asked, grant: Grant) -> Given | None:
    """The statement of a request; our own parameter wins over a foreign one."""
    said = asked.fields.get("consent")
    if said is None:
        # Where it is a payload's, it is a token as well; what it says is said all the same.
        return read_hubspot(posting.tree[HUBSPOT]) if HUBSPOT in posting.tree else None
    times = {name: in_zone(said[name], grant.time_zone) for name in ("shown_at", "granted_at") if name in said}
    if "granted" not in said:
        asked.warn(
            "consent",
            "consent_incomplete",
            "consent.granted is missing, so that no consent is on record; send consent[granted]=true where the visitor"
            " agreed.",
        )
    return Given(said_in="consent", **said | times)


def read_stamp_of(posting: Posting, given: Given, grant: Grant) -> Stamp | None:
    """What the stamp showed when the request came for the first time."""
    if given.stamp is None:
        return None
    return read_stamp(grant.stamp_key, grant.value, grant.texts.disclosure_id, given.stamp, posting.came_at)


def learned_of(given: Given, grant: Grant) -> Learned | None:
    """The version that a text becomes which the token does not know, if it has a disclosure with room for it."""
    if not given.text or not grant.texts.learns:
        return None
    language = read_language(given.language or "") or grant.texts.language
    content: dict[str, str | None] = {"language": language, "text": tidy(given.text), "label": ""}
    content |= dict.fromkeys(("seller_name", "terms_url", "privacy_url"))
    return Learned(text_hash(given.text), content_hash(content), content)


def why_consent(consent: Consent) -> list[dict[str, Any]]:
    """The step of a plan that says what a consent is worth; where nothing was said, there is nothing to say."""
    if consent is NOTHING:
        return []
    rules = {
        Evidence.WITNESSED: "our script brought it with a fresh stamp for this token and disclosure",
        Evidence.THIRD_PARTY: "a certificate of TrustedForm or Jornaya came along",
        Evidence.ASSERTED: "the sender says so",
        Evidence.NONE: "nobody says that the visitor agreed",
    }
    read = {
        "granted": consent.granted,
        "text": consent.match,
        "stamp": consent.stamp.freshness if consent.stamp else None,
        "attached": [each["kind"] for each in consent.attached],
    }
    step = {"step": "consent", "read": read, "decided": consent.evidence, "rule": rules[consent.evidence]}
    return [step | {"record": consent.content_hash}]


def record_of(consent: Consent, posting: Posting, grant: Grant, subject: Mapping[str, str | None]) -> str:
    """The record as canonical JSON (RFC 8785); `subject` is its submission_id, lead_id and caller_id.

    All that it holds is text, whole numbers, true, false and null, and all of its names are ASCII, so that to sort
    them is all there is to do.
    """
    given = consent.given
    stamp = consent.stamp
    text = given.text if given is not None else None
    return json.canonical(
        {
            "version": VERSION,
            "company_id": grant.company_id,
            "lead_token_id": grant.token_id,
            **subject,
            "evidence": consent.evidence,
            "granted": consent.granted,
            "said_in": given.said_in if given else None,
            "disclosure": consent.content_hash,
            "disclosure_claimed": given.disclosure if given else None,
            "text": tidy(text) if text and consent.version is None else None,
            "text_hash": text_hash(text) if text else None,
            "text_is": consent.match,
            "language": given.language if given else None,
            "default": given.default if given else None,
            "shown_at": time(given.shown_at) if given else None,
            "granted_at": time(given.granted_at) if given else None,
            "received_at": clock.text(posting.came_at),
            "page_url": redact_text(given.page_url) if given and given.page_url else None,
            "origin": posting.origin,
            "referrer": posting.referrer and redact_text(posting.referrer),
            "remote_ip": posting.remote_ip,
            "user_agent": posting.user_agent,
            "gpc": posting.gpc or (given is not None and given.gpc),
            "stamp": stamp and {"freshness": stamp.freshness, "fetched_at": time(stamp.fetched_at)},
            "attached": consent.attached,
        }
    ).decode()


def time(instant: datetime | None) -> str | None:
    """A time, or nothing."""
    return None if instant is None else clock.text(instant)
