"""Keeping what a disclosure says, and showing it to visitors. Nothing here commits."""

from collections.abc import Mapping
from datetime import datetime

from marshmallow import ValidationError

from server.consent.models import Disclosure, DisclosureVersion
from server.consent.queries import find_content
from server.consent.rules import content_hash
from server.lib import clock
from server.lib.db import db


def add_version(
    disclosure: Disclosure, content: Mapping[str, str | None], now: datetime
) -> tuple[DisclosureVersion, bool]:
    """The version with this content, a draft that somebody stands by, and whether it is new: the same again is what is
    there. Raises ValidationError where another disclosure of the company has it."""
    address = content_hash(content)
    known = find_content(disclosure.company_id, address)
    if known is not None:
        if known.disclosure_id != disclosure.id:
            text = (
                f"is the version {known.id} of the disclosure {known.disclosure_id}, with all beside it: use that one"
            )
            raise ValidationError({"text": [text]})
        return known, False
    version = DisclosureVersion(
        company_id=disclosure.company_id,
        disclosure_id=disclosure.id,
        content_hash=address,
        reviewed_at=now,
        created_at=now,
        updated_at=now,
        **content,
    )
    db.session.add(version)
    db.session.flush()
    return version, True


def publish(disclosure: Disclosure, version: DisclosureVersion, now: datetime) -> None:
    """Makes it the current version of its language, in the place of the one before. Who publishes has reviewed it."""
    for before in disclosure.current_versions:
        if before.language == version.language:
            before.is_current = False
            before.updated_at = clock.after(before.updated_at)
    # There is one current version at any moment, so that the old one has to go first.
    db.session.flush()
    version.is_current = True
    version.review(now)
    version.published_at = version.published_at or now
    # What each of them shows is another now.
    for each in (version, disclosure):
        each.updated_at = clock.after(each.updated_at)
