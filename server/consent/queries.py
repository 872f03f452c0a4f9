"""Finding versions: by their content, for a visitor's language, and by what visitors were shown."""

from typing import Any

from sqlalchemy import Connection, select

from server.consent.models import Disclosure, DisclosureVersion
from server.consent.render import Shown
from server.consent.rules import falls_back
from server.consent.texts import MOST_UNREVIEWED, KnownVersion, Texts, spellings, text_hash
from server.lib.db import db
from server.lib.uses import Use

# A company has a few; beyond that the newest are known.
MOST_VERSIONS = 500


def find_content(company_id: int, content_hash: str) -> DisclosureVersion | None:
    """The company's version with this content."""
    query = select(DisclosureVersion).where(
        DisclosureVersion.company_id == company_id, DisclosureVersion.content_hash == content_hash
    )
    return db.session.scalars(query).first()


def current_version(disclosure: Disclosure, language: str | None) -> DisclosureVersion | None:
    """What a visitor of this language is shown; None where nothing is published that it falls back to."""
    current = {version.language: version for version in disclosure.current_versions}
    return next((current[each] for each in falls_back(language, disclosure.default_language) if each in current), None)


def texts_of(row: Any) -> frozenset[str]:
    """The hashes of what visitors may read where a version is shown."""
    return frozenset(
        map(text_hash, spellings(Shown(row.language, row.text, row.label, row.terms_url, row.privacy_url)))
    )


def find_texts(connection: Connection, company_id: int, disclosure_id: int | None) -> Texts:
    """What a lead token knows of texts: all of its own disclosure, else those that the company has reviewed."""
    version = DisclosureVersion.__table__.c
    query = select(DisclosureVersion.__table__).where(version.company_id == company_id, version.retired_at.is_(None))
    if disclosure_id is not None:
        query = query.where(version.disclosure_id == disclosure_id)
    else:
        query = query.where(version.reviewed_at.is_not(None))
    rows = connection.execute(query.order_by(version.id.desc()).limit(MOST_VERSIONS + MOST_UNREVIEWED)).all()
    texts = Texts(disclosure_id=disclosure_id)
    if disclosure_id is not None:
        default = select(Disclosure.default_language).where(Disclosure.id == disclosure_id)
        texts.language = connection.scalar(default) or texts.language
    named: dict[str, KnownVersion] = {}
    # What somebody has reviewed goes before the same that was only learned.
    for row in sorted(rows, key=lambda row: row.reviewed_at is not None):
        hashes = texts_of(row)
        known = KnownVersion(row.content_hash, row.reviewed_at is not None, hashes)
        texts.by_text |= dict.fromkeys(hashes, known)
        named |= dict.fromkeys((row.content_hash, str(row.id)), known)
    texts.by_name = named
    texts.uses = {row.content_hash: Use(row.uses, row.last_used_at) for row in rows if row.reviewed_at is None}
    texts.reviewed = len(texts.uses) < len(rows)
    return texts
