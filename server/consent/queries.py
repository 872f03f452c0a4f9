"""Finding versions: by their content, and for a visitor's language."""

from sqlalchemy import select

from server.consent.models import Disclosure, DisclosureVersion
from server.consent.rules import falls_back
from server.lib.db import db


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
