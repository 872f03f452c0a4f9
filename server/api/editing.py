"""Editing a managed thing within one transaction of its company; nothing here commits.

Edits of one company happen one after another: each locks the company's row first. So what an edit reads (the rows it
points at, the last position, the version that the client saw) still holds when it writes.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError
from sqlalchemy import Index, Integer, UniqueConstraint, select
from sqlalchemy.exc import IntegrityError
from werkzeug.datastructures import ETags

from server.api.resource import Resource, Values, version, with_article
from server.companies.models import Company
from server.errors import Refused
from server.leads.params import blank, invalid
from server.leads.schemas import Time
from server.lib import clock
from server.lib.db import begin_write, db
from server.lib.fields import MOST_NAMED
from server.lib.paging import is_number
from server.lib.secrets import is_id


def begin_edit(company_id: int) -> Company:
    """Begins a transaction that changes things of this company, which has it for itself from here on."""
    begin_write()
    # Rows that point at the company may still be written meanwhile: its key does not change.
    query = select(Company).where(Company.id == company_id).with_for_update(key_share=True)
    return db.session.execute(query).scalar_one()


def find(resource: Resource, company_id: int, text: str, lock: bool = False) -> Any:
    """The company's row, also a deleted one; raises the 404 that another company's row gets too."""
    model = resource.model
    numbered = isinstance(model.__table__.c.id.type, Integer)
    row = None
    if is_number(text) if numbered else is_id(text):
        query = select(model).where(
            model.company_id == company_id, model.id == (int(text) if numbered else text.lower())
        )
        row = db.session.execute(query.with_for_update() if lock else query).scalar_one_or_none()
    if row is None:
        raise unknown(resource)
    return row


def unknown(resource: Resource) -> Refused:
    """The refusal of an id that names nothing of the company."""
    return Refused("not_found", f"There is no such {resource.words}", {"id": [f"names no {resource.words}"]})


def refuse_stale(row: Any, if_match: ETags, seen: object) -> None:
    """Raises Refused when a client saw another state than this: by the header If-Match, or `updated_at` in the body."""
    stale = bool(if_match) and not if_match.contains_weak(version(row))
    if not blank(seen):
        stale = stale or clock.text(read_seen(seen)) != version(row)
    if stale:
        text = "is not that of the present state"
        raise Refused(
            "edit_conflict",
            "It was changed since you read it",
            {"updated_at": [text]},
            "It was changed since you read it, and nothing was done now. Read it again, then send your change"
            " with the new updated_at (or ETag).",
        )


def read_seen(seen: object) -> datetime:
    """The `updated_at` of a body."""
    try:
        instant: datetime = Time().deserialize(seen)
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValidationError, OverflowError) as error:
        raise invalid({"updated_at": ["must be the updated_at of an answer"]}) from error


def create(resource: Resource, company: Company, sent: Values, prepared: Values) -> tuple[Any, Values]:
    """A new one, and what only the answer to its creation shows; raises Refused."""
    wanted = load(resource, sent, None)
    settle(resource, company, wanted, {})
    with judged(resource):
        return resource.make(company, wanted | prepared)


def change(resource: Resource, company: Company, row: Any, sent: Values) -> None:
    """Changes what was sent and nothing else; raises Refused."""
    refuse_deleted(resource, row)
    loaded = load(resource, sent, row)
    stored = {name: getattr(row, name) for name in resource.schema().load_fields if hasattr(row, name)}
    # What is only taken when it is made is not stored under its name.
    moved = [name for name in sorted(resource.fixed) if loaded.get(name, stored.get(name)) != stored.get(name)]
    if moved:
        raise invalid({name: ["cannot be changed"] for name in moved})
    wanted = stored | {name: value for name, value in loaded.items() if name in stored}
    settle(resource, company, wanted, stored, row)
    with judged(resource):
        resource.change(company, row, wanted)
        if db.session.is_modified(row):
            touch(row)
        db.session.flush()


def refuse_deleted(resource: Resource, row: Any) -> None:
    """Raises Refused for what is deleted: it is restored first or not changed at all."""
    if resource.ended_at(row) is not None:
        raise invalid({"id": [f"is deleted; restore the {resource.words} first"]})


def remove(resource: Resource, company: Company, row: Any) -> None:
    """Marks it as deleted; raises Refused when something still needs it."""
    if resource.ended_at(row) is not None:
        return
    with refusing():
        resource.removable(company, row)
    resource.end(row, clock.now())
    touch(row)
    db.session.flush()


def restore(resource: Resource, company: Company, row: Any) -> None:
    """Takes the deletion back; raises Refused when its name or place was taken, or what it belongs to is deleted."""
    if resource.ended_at(row) is None:
        return
    with refusing():
        resource.restorable(company, row)
    # What a list holds may go while it is in use as well.
    whole = {name: getattr(row, name) for name in resource.references if hasattr(row, name)}
    refuse_unknown_rows(resource, company, {name: value for name, value in whole.items() if type(value) is not list})
    with judged(resource):
        resource.end(row, None)
        touch(row)
        db.session.flush()


def touch(row: Any) -> None:
    """Moves `updated_at` by a millisecond at least, so that two states never look alike."""
    row.updated_at = clock.after(row.updated_at or row.created_at)


# What was sent


def read_by(schema: Schema, sent: Values) -> Values:
    """What an action takes, by its schema; raises Refused."""
    strange = {name[:64]: [f"is unknown; this takes: {', '.join(schema.load_fields)}"] for name in sent}
    errors = {name: texts for name, texts in strange.items() if name not in schema.load_fields}
    try:
        loaded: Values = schema.load(sent, unknown=EXCLUDE)
    except ValidationError as error:
        errors |= flat(error.messages_dict)
    if errors:
        raise invalid(errors)
    return loaded


def load(resource: Resource, sent: Values, row: Any) -> Values:
    """The values of a body by the resource's schema; a row that is there makes all of them optional. Raises Refused."""
    schema = resource.schema()
    errors = strange_errors(resource, sent, row)
    try:
        loaded: Values = schema.load(sent, partial=row is not None, unknown=EXCLUDE)
    except ValidationError as error:
        errors |= flat(error.messages_dict)
    if errors:
        raise invalid(errors)
    return loaded


def strange_errors(resource: Resource, sent: Values, row: Any) -> dict[str, list[str]]:
    """What is sent under names that are not taken. What only we write may be sent back as it is or as it was shown: a
    secret is shown whole once."""
    known = resource.schema().load_fields
    shown = resource.view(row) if row is not None else {}
    errors: dict[str, list[str]] = {}
    for name, value in sent.items():
        if name not in known and name not in shown:
            errors[name[:64]] = [f"is unknown; {resource.named} takes: {', '.join(known)}"]
        elif name not in known and name not in resource.moving and value not in (shown[name], getattr(row, name, None)):
            errors[name] = ["cannot be changed"]
    return errors


def settle(resource: Resource, company: Company, wanted: Values, stored: Values, row: Any = None) -> None:
    """Judges what is wanted by what is stored elsewhere, and by what its parts mean together; raises Refused."""
    moved = {name: value for name, value in wanted.items() if value != stored.get(name)}
    refuse_unknown_rows(resource, company, moved, stored)
    with refusing():
        resource.complete(company, wanted, row)


def refuse_unknown_rows(
    resource: Resource, company: Company, values: Mapping[str, Any], stored: Mapping[str, Any] | None = None
) -> None:
    """Raises Refused naming each parameter that points at what is not there: unknown, deleted or another company's."""
    errors: dict[str, list[str]] = {}
    for name, model in resource.references.items():
        value = values.get(name)
        ids = {*(value if isinstance(value, list) else [value])} - {None}
        if isinstance(value, list) and stored:
            ids -= {*stored.get(name, ())}
        missing = sorted(ids - in_use(model, company.id, ids))
        if missing:
            what = with_article(model.__tablename__)
            errors[name] = [
                f"{row_id} is not {what} of this company"
                if isinstance(value, list)
                else f"is not {what} of this company"
                for row_id in missing[:MOST_NAMED]
            ]
    if errors:
        raise invalid(errors)


def in_use(model: Any, company_id: int, ids: set[int]) -> set[int]:
    """Which of these rows the company has and has not deleted."""
    if not ids:
        return set()
    query = select(model.id).where(model.company_id == company_id, model.id.in_(ids), model.deleted_at.is_(None))
    return set(db.session.scalars(query))


def flat(messages: Mapping[Any, Any], prefix: str = "") -> dict[str, list[str]]:
    """marshmallow's nested messages as parameters (`acceptance.ip_limit`) with their texts."""
    errors: dict[str, list[str]] = {}
    for name, inner in messages.items():
        path = prefix if name == "_schema" and prefix else f"{prefix}.{name}".removeprefix(".")
        errors |= flat(inner, path) if isinstance(inner, dict) else {path[:200]: [str(text) for text in inner]}
    return errors


@contextmanager
def refusing() -> Iterator[None]:
    """Turns a ValidationError by parameter into a refusal."""
    try:
        yield
    except ValidationError as error:
        raise invalid(flat(error.messages_dict)) from error


# What the database refuses


@contextmanager
def judged(resource: Resource) -> Iterator[None]:
    """Lets the database judge what is unique: what it refuses becomes a refusal that names the parameter."""
    try:
        with refusing():
            yield
    except IntegrityError as error:
        name = taken_parameter(resource.model, error)
        if name is None:
            raise
        raise invalid({name: [f"is taken: another {resource.words} has it"]}) from error


def taken_parameter(model: Any, error: IntegrityError) -> str | None:
    """The last column of the unique key that refused a row; None when it was none of this table's."""
    table = model.__table__
    said = str(error.orig)
    constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    keys: list[Any] = [each for each in table.constraints if isinstance(each, UniqueConstraint)]
    keys += [each for each in table.indexes if isinstance(each, Index) and each.unique]
    for key in keys:
        names = [column.name for column in key.columns]
        # PostgreSQL says the key's name, SQLite its columns.
        if constraint == key.name or said.endswith(f": {', '.join(f'{table.name}.{name}' for name in names)}"):
            return str(names[-1])
    return None
