"""The management API: everything that the console can do, the API can do. One engine for every kind of thing.

To add a kind, write its schemas in its feature, declare a `Resource` (see `resource.py` for what it can say) in
`configured.py` or a module beside it, hand it to that module's `blueprint_of`, and see that `app.py` registers the
blueprint. Then there are:

    GET    /api/v1/{many}               a page of them, newest first: {many: [...], "metadata": {...}}
    POST   /api/v1/{many}               makes one: {one: {...}}
    GET    /api/v1/{many}/{id}          shows one, also a deleted one, which has `deleted_at`
    PUT    /api/v1/{many}/{id}          changes what is sent and nothing else
    DELETE /api/v1/{many}/{id}          marks it as deleted
    POST   /api/v1/{many}/{id}/restore  takes that back

Every answer about one carries its `ETag`, made of `updated_at`. A change with `If-Match`, or with `updated_at` in the
body, is done only if that is still its state, else it is 409 `edit_conflict`; without either the last one wins.
Each view reads, asks `editing.py` to do it, and commits once.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Blueprint, Response, request
from marshmallow import ValidationError
from sqlalchemy import ColumnElement, select

from server.api import editing, keys
from server.api.answers import json_answer
from server.api.records import filters
from server.api.resource import CREATE, DELETE, LIST, RESTORE, SHOW, UPDATE, Resource, Values, version
from server.companies.models import Company
from server.companies.queries import KeyHolder
from server.leads.admission import unreadable
from server.leads.params import blank, invalid, invalid_character
from server.leads.queries import created_between, paged
from server.lib.db import commit, db
from server.lib.wire import Unreadable, first_bad_character, merge, read_body, read_query

View = Callable[..., Response]


def blueprint_of(name: str, *resources: Resource) -> Blueprint:
    """The routes of some resources; each rule's endpoint is `{name}.{many}_{verb}`."""
    blueprint = Blueprint(name, __name__, url_prefix="/api/v1")
    for resource in resources:
        one = f"/{resource.many}/<row_id>"
        routes: tuple[tuple[str, str, str, View], ...] = (
            (LIST, "GET", f"/{resource.many}", list_rows),
            (CREATE, "POST", f"/{resource.many}", create_row),
            (SHOW, "GET", one, show_row),
            (UPDATE, "PUT", one, update_row),
            (DELETE, "DELETE", one, delete_row),
            (RESTORE, "POST", f"{one}/restore", restore_row),
        )
        for verb, method, path, view in routes:
            if verb not in resource.without:
                blueprint.add_url_rule(path, f"{resource.many}_{verb}", partial(view, resource), methods=[method])
    return blueprint


def list_rows(resource: Resource) -> Response:
    """A page of a company's things."""
    key = keys.require(request, resource.reads)
    company = db.session.get_one(Company, key.company_id)
    asked = filters(resource.listing())
    rows, metadata = listed(resource, company, asked)
    return json_answer({resource.many: [resource.view(row) for row in rows], "metadata": metadata})


def create_row(resource: Resource) -> Response:
    """Makes one."""
    key, sent = read(resource)
    prepared = resource.prepare()
    company = editing.begin_edit(key.company_id)
    row, extra = editing.create(resource, company, sent, prepared)
    return kept(resource, row, extra)


def show_row(resource: Resource, row_id: str) -> Response:
    """One, also a deleted one."""
    key = keys.require(request, resource.reads)
    return answer(resource, editing.find(resource, key.company_id, row_id))


def update_row(resource: Resource, row_id: str) -> Response:
    """Changes what is sent of one."""
    company, row, sent = opened(resource, row_id)
    editing.change(resource, company, row, sent)
    return kept(resource, row)


def delete_row(resource: Resource, row_id: str) -> Response:
    """Marks one as deleted; again, it stays as it is."""
    company, row, sent = opened(resource, row_id)
    refuse_any(sent)
    editing.remove(resource, company, row)
    return kept(resource, row)


def restore_row(resource: Resource, row_id: str) -> Response:
    """Takes a deletion back; what is in use stays as it is."""
    company, row, sent = opened(resource, row_id)
    refuse_any(sent)
    editing.restore(resource, company, row)
    return kept(resource, row)


def read(resource: Resource) -> tuple[KeyHolder, Values]:
    """The key of a request that writes such a thing, and what it sends."""
    return read_sent(resource.writes)


def read_sent(scope: str) -> tuple[KeyHolder, Values]:
    """The key of a request that writes, and what it sends; its key is judged before its body is."""
    sent: Values = {}
    problem = None
    try:
        sent = merge(read_query(request.environ), read_body(request.environ))
    except Unreadable as error:
        problem = error
    key = keys.require(request, scope, sent.pop("auth_token", None))
    if problem is not None:
        raise unreadable(problem)
    bad = first_bad_character(sent)
    if bad is not None:
        raise invalid_character(bad)
    return key, sent


def opened(resource: Resource, row_id: str) -> tuple[Company, Any, Values]:
    """The row that a request wants to change, in the state that its client saw, and what it sends for it."""
    key, sent = read(resource)
    row = locked(resource, row_id, key, sent)
    return db.session.get_one(Company, key.company_id), row, sent


def locked(resource: Resource, row_id: str, key: KeyHolder, sent: Values) -> Any:
    """The row that a request wants to change, which nobody else changes from here on; in the state that its client
    saw."""
    company = editing.begin_edit(key.company_id)
    row = editing.find(resource, company.id, row_id, lock=True)
    editing.refuse_stale(row, request.if_match, sent.pop("updated_at", None))
    return row


def refuse_any(sent: Values) -> None:
    """Refuses what is sent where there is nothing to say."""
    if sent:
        raise invalid({name[:64]: ["is unknown here; nothing but updated_at is taken"] for name in sent})


def kept(resource: Resource, row: Any, extra: Values | None = None) -> Response:
    """Commits, and only then says so."""
    made = answer(resource, row, extra)
    commit()
    return made


def answer(resource: Resource, row: Any, extra: Values | None = None) -> Response:
    """One of them, with its version."""
    beside, inside = (extra or {}, {}) if resource.apart else ({}, extra or {})
    shown = {resource.one: resource.view(row) | inside, **beside}
    if resource.warns is not None:
        shown["warnings"] = resource.warns(row)
    return json_answer(shown, headers={"ETag": f'"{version(row)}"'})


def listed(
    resource: Resource, company: Company, asked: Values, *within: ColumnElement[bool]
) -> tuple[list[Any], Values]:
    """The rows of one page and the list's metadata; `within` says of which of the company's things."""
    model = resource.model
    query = select(model).where(model.company_id == company.id, *within, *conditions(resource, company, asked))
    if resource.ended:
        ended = getattr(model, resource.ended)
        query = query.where(ended.is_not(None) if asked["deleted"] else ended.is_(None))
    try:
        between = created_between(model.created_at, asked, company.time_zone)
        scope = [*resource.scope(company, asked), *between] if resource.scope is not None else []
        rows, metadata = paged(query.where(*between), model, asked, scope)
    except ValidationError as error:
        raise invalid(error.messages_dict) from error
    return [row[0] for row in rows], metadata


def conditions(resource: Resource, company: Company, asked: Values) -> list[Any]:
    """The list's own filters that were sent, as conditions."""
    own = {name: asked[name] for name in resource.filters().load_fields if not blank(asked.get(name))}
    if resource.conditions is not None:
        return list(resource.conditions(company, own))
    return [getattr(resource.model, name) == value for name, value in own.items()]
