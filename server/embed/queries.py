"""Finding what a snippet's script is made of, and the builds whose addresses were given away."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, func, select

from server.consent.models import Disclosure, DisclosureVersion
from server.consent.render import Shown
from server.embed.models import Snippet, SnippetBuild
from server.embed.rules import Facts, Text
from server.embed.words import DEFAULT
from server.lead_tokens.models import LeadToken
from server.lead_tokens.rules import VALUE
from server.lib.db import db
from server.offers.models import Offer
from server.schedules.models import Schedule

# How long a process tells pages what it knows: whoever fetches the file after that sees an edit.
KEPT = timedelta(seconds=5)
KEPT_MOST = 10_000
# SHA-384 as base64url spells it.
HASH = re.compile(r"[\w-]{64}", re.A)

_kept: dict[str, tuple[datetime, "Hosted"]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosted:
    """A snippet as its pages meet it."""

    company_id: int
    facts: Facts
    disclosure_id: int | None
    allowed_origins: frozenset[str]
    # That it, its token or its owner was deleted.
    ended: bool
    expires_at: datetime | None

    def is_served(self, now: datetime) -> bool:
        """Whether pages get it: a form whose leads would be refused does better by itself."""
        return not self.ended and (self.expires_at is None or self.expires_at > now)


def find_hosted(token: str, now: datetime, fresh: bool = False) -> Hosted | None:
    """The snippet of a token's value, `fresh` as it is now; None where there is none that pages get."""
    if not VALUE.fullmatch(token):
        return None
    kept = _kept.get(token)
    # A clock that was set back must not keep it for longer.
    if fresh or kept is None or not timedelta() <= now - kept[0] < KEPT:
        with db.engine.connect() as connection:
            hosted = load_hosted(connection, LeadToken.value == token)
        if hosted is None:
            _kept.pop(token, None)
            return None
        if len(_kept) >= KEPT_MOST:
            _kept.clear()
        kept = _kept[token] = (now, hosted)
    return kept[1] if kept[1].is_served(now) else None


def load_hosted(connection: Connection, which: ColumnElement[bool]) -> Hosted | None:
    """Reads a snippet with its token, and the texts of its disclosure."""
    row = connection.execute(
        select(
            Snippet.__table__,
            LeadToken.value,
            LeadToken.allowed_origins,
            LeadToken.allowed_redirects,
            LeadToken.disclosure_id,
            LeadToken.expires_at,
            Disclosure.default_language,
            func.coalesce(Snippet.deleted_at, LeadToken.disabled_at, Schedule.deleted_at, Offer.deleted_at).label(
                "ended_at"
            ),
        )
        .join(LeadToken, LeadToken.id == Snippet.lead_token_id)
        .outerjoin(Disclosure, Disclosure.id == LeadToken.disclosure_id)
        .outerjoin(Schedule, and_(LeadToken.owner_kind == "schedule", Schedule.id == LeadToken.owner_id))
        .outerjoin(Offer, and_(LeadToken.owner_kind == "offer", Offer.id == LeadToken.owner_id))
        .where(which)
    ).first()
    if row is None:
        return None
    facts = Facts(
        token=row.value,
        field_map=row.field_map,
        parameters=row.parameters,
        messages=row.messages,
        thank_you_url=row.thank_you_url,
        allowed_redirects=row.allowed_redirects,
        carry=row.carry,
        default_language=row.default_language or DEFAULT,
        texts=texts_of(connection, row.company_id, row.disclosure_id),
    )
    return Hosted(
        company_id=row.company_id,
        facts=facts,
        disclosure_id=row.disclosure_id,
        allowed_origins=frozenset(row.allowed_origins),
        ended=row.ended_at is not None,
        expires_at=row.expires_at,
    )


def texts_of(connection: Connection, company_id: int, disclosure_id: int | None) -> tuple[Text, ...]:
    """What a disclosure shows now, by language."""
    if disclosure_id is None:
        return ()
    version = DisclosureVersion
    rows = connection.execute(
        select(version.__table__)
        .where(version.company_id == company_id, version.disclosure_id == disclosure_id, version.is_current)
        .order_by(version.language)
    )
    return tuple(
        Text(row.content_hash, Shown(row.language, row.text, row.label, row.terms_url, row.privacy_url)) for row in rows
    )


def hosted_of(snippet: Snippet) -> Hosted:
    """A snippet that is at hand, as its pages will meet it."""
    found = load_hosted(db.session.connection(), Snippet.id == snippet.id)
    if found is None:
        raise LookupError(f"snippet {snippet.id}: snippets are never removed")
    return found


def find_body(token: str, named: str) -> bytes | None:
    """The bytes of a build; None once its snippet is deleted."""
    if not VALUE.fullmatch(token) or not HASH.fullmatch(named):
        return None
    with db.engine.connect() as connection:
        found: bytes | None = connection.scalar(
            select(SnippetBuild.body)
            .join(Snippet, Snippet.id == SnippetBuild.snippet_id)
            .join(LeadToken, LeadToken.id == Snippet.lead_token_id)
            .where(LeadToken.value == token, SnippetBuild.hash == named, Snippet.deleted_at.is_(None))
        )
        return found


def has_build(snippet: Snippet, named: str) -> bool:
    """Whether the address of this build was given away before."""
    query = select(SnippetBuild.id).where(SnippetBuild.snippet_id == snippet.id, SnippetBuild.hash == named)
    return db.session.scalar(query) is not None


def builds_of(snippet: Snippet, most: int) -> list[SnippetBuild]:
    """The latest builds whose addresses were given away, without their bytes."""
    query = (
        select(SnippetBuild.hash, SnippetBuild.version, SnippetBuild.created_at)
        .where(SnippetBuild.company_id == snippet.company_id, SnippetBuild.snippet_id == snippet.id)
        .order_by(SnippetBuild.created_at.desc(), SnippetBuild.id.desc())
    )
    return [SnippetBuild(**row._asdict()) for row in db.session.execute(query.limit(most))]


def snippet_of_token(token_id: int) -> int | None:
    """The snippet that a lead token belongs to, by its id."""
    return db.session.scalar(select(Snippet.id).where(Snippet.lead_token_id == token_id))
