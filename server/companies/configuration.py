"""Keeps `config_version` true: whatever changes a company's configuration through the session raises it."""

from typing import Any

from sqlalchemy import event, update
from sqlalchemy.orm import Session

from server.companies.models import Company


def configures(thing: Any) -> bool:
    """Whether a model is configuration that intake reads; such a class says so itself."""
    return bool(getattr(thing, "configures_intake", False))


def raise_versions(session: Session, *_: object) -> None:
    """Raises the version of every company whose configuration this flush has written."""
    changed = {thing for thing in (*session.new, *session.dirty, *session.deleted) if configures(thing)}
    companies = {thing.id if isinstance(thing, Company) else thing.company_id for thing in changed}
    if companies:
        session.execute(
            update(Company)
            .where(Company.id.in_(companies))
            .values(config_version=Company.config_version + 1)
            .execution_options(synchronize_session=False)
        )


def watch(session_factory: object) -> None:
    """Listens to every flush of the session."""
    event.listen(session_factory, "after_flush", raise_versions)
