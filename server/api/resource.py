"""Resource: what one kind of managed thing says of itself, so that `manage.py` can do the rest.

A resource needs four names and two schemas; everything else has a default:

    OFFERS = Resource(one="offer", many="offers", model=Offer, schema=OfferSchema, filters=OfferFilter)

- `one`, `many`: the name in answers and in the path.
- `model`: has `id` (a number or a UUID), `company_id`, `created_at`, `updated_at`, and the column named in `ended`,
  whose being set means deleted (`deleted_at` unless another is named, such as `disabled_at`; None where there is no
  such thing as deleting).
- `schema`: the fields that a body may hold, by the names of the model's attributes; what it dumps is what is shown.
  `required` and `load_default` hold for the creation only. `dump_only` fields are shown and not taken.
- `scope`: of things of which a company may have a million, the conditions whose rows an index has in the order of the
  list: one request looks at so many of these, and a longer list goes on by its cursor;
- `filters`: the list's own filters; each compares the attribute of its name, unless `conditions` says otherwise.
- `reads`, `writes`: the scopes of a key.
- `fixed`: what cannot change once the thing is there.
- `references`: which parameter holds the id, or a list of ids, of which other model's rows: they must be of the same
  company and in use (that model has `deleted_at`).
- `complete(company, wanted, row)`: judges, fills in and respells what is wanted, before anything is written: a dict of
  *all* attributes of the schema as they will be. `row` is None when it is to be made. Raises ValidationError by
  parameter.
- `prepare()`: what takes long to make and needs no database, a password's hash say: it is made before the transaction,
  for which others wait, and joins what `create` gets.
- `create(company, wanted)`: makes the row and whatever belongs to it, and answers the row, which is flushed, with the
  members that only the answer to the creation shows (a secret, say).
- `change(company, row, wanted)`: writes what is wanted on the row.
- `removable(company, row)`: raises ValidationError where something still needs the row.
- `ends(row, at)`: ends what ends with it at that time, or brings it back where that is None.
- `restorable(company, row)`: raises ValidationError or Refused where it must not come back.
- `shown(row)`: what is shown beside id and times.
- `warns(row)`: what every answer about one says beside it that is no reason to refuse: parameter, code and message.
- `once`: what only the answer to the creation shows, by name with what it is.
- `apart`: whether that stands beside the thing in the answer, and not in it.
- `moving`: members that are shown and change by themselves, without `updated_at`: what a body says of them is not
  looked at, so that what was shown can be sent back.
- `without`: which of LIST, CREATE, SHOW, UPDATE, DELETE, RESTORE there are not.

Uniqueness needs no word: a unique index of the model that refuses a row becomes a 422 naming the index's last column.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from marshmallow import Schema
from sqlalchemy import ColumnElement
from sqlalchemy.orm.attributes import flag_modified

from server.companies.models import Company
from server.leads.schemas import Boolean, Integer, Text, Time
from server.lib import clock, json, paging
from server.lib.db import db

LIST, CREATE, SHOW, UPDATE, DELETE, RESTORE = "list", "create", "show", "update", "delete", "restore"

Values = dict[str, Any]


def complete_as_sent(company: Company, wanted: Values, row: Any) -> None:
    """Nothing to fill in, nothing to judge."""


def always(company: Company, row: Any) -> None:
    """Nothing needs it, nothing is against it."""


def alone(row: Any, at: datetime | None) -> None:
    """Nothing ends with it."""


def unprepared() -> Values:
    """Nothing takes long."""
    return {}


def write_attributes(company: Company, row: Any, wanted: Values) -> None:
    """Writes each value that differs on the attribute of its name."""
    for name, value in wanted.items():
        if not alike(getattr(row, name), value):
            setattr(row, name, value)
            flag_modified(row, name)


def alike(stored: Any, value: Any) -> bool:
    """Whether a value is what is stored. Within lists and objects Python, and so SQLAlchemy, takes 1 for true."""
    if isinstance(value, dict | list):
        return json.canonical(stored) == json.canonical(value)
    return bool(stored == value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One kind of managed thing; see the module."""

    one: str
    many: str
    model: Any
    schema: type[Schema]
    filters: type[Schema]
    reads: str = "config:read"
    writes: str = "config:write"
    ended: str | None = "deleted_at"
    fixed: frozenset[str] = frozenset()
    references: Mapping[str, Any] = field(default_factory=dict)
    complete: Callable[[Company, Values, Any], None] = complete_as_sent
    prepare: Callable[[], Values] = unprepared
    create: Callable[[Company, Values], tuple[Any, Values]] | None = None
    change: Callable[[Company, Any, Values], None] = write_attributes
    removable: Callable[[Company, Any], None] = always
    restorable: Callable[[Company, Any], None] = always
    ends: Callable[[Any, datetime | None], None] = alone
    conditions: Callable[[Company, Values], list[ColumnElement[bool]]] | None = None
    scope: Callable[[Company, Values], list[ColumnElement[bool]]] | None = None
    shown: Callable[[Any], Values] | None = None
    warns: Callable[[Any], list[dict[str, str]]] | None = None
    once: Mapping[str, str] = field(default_factory=dict)
    apart: bool = False
    moving: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()

    @property
    def words(self) -> str:
        """As a sentence names it: `traffic source`."""
        return self.one.replace("_", " ")

    @property
    def named(self) -> str:
        """As a sentence names one of them: `an offer`."""
        return with_article(self.one)

    def ended_at(self, row: Any) -> Any:
        """When it was deleted; None while it is in use."""
        return getattr(row, self.ended) if self.ended else None

    def end(self, row: Any, at: datetime | None) -> None:
        """Marks it as deleted at that time, or as in use."""
        if self.ended:
            setattr(row, self.ended, at)
            self.ends(row, at)

    def make(self, company: Company, wanted: Values) -> tuple[Any, Values]:
        """A new row, and what only the answer to its creation shows."""
        if self.create is not None:
            return self.create(company, wanted)
        return add(self.model(company_id=company.id, **wanted)), {}

    def view(self, row: Any) -> Values:
        """One of them as every answer shows it."""
        own = self.shown(row) if self.shown else self.schema().dump(row)
        shown = {"id": row.id, **own, "created_at": clock.text(row.created_at), "updated_at": version(row)}
        if self.ended_at(row) is not None:
            shown["deleted_at"] = clock.text(self.ended_at(row))
        return shown

    def listing(self) -> Schema:
        """All filters of its list."""
        also = ListFilter if self.ended else PageFilter
        made: Schema = type(f"{self.filters.__name__}OfList", (self.filters, also), {})()
        return made


class PageFilter(Schema):
    """What every list of managed things takes."""

    per_page = Integer(
        least=1,
        most=paging.MOST_PER_PAGE,
        load_default=paging.PER_PAGE,
        metadata={"description": "How many a page holds.", "example": 50},
    )
    cursor = Text(metadata={"description": "The `next_cursor` of the page before.", "example": "MjAyNi0xMS0yMw"})
    created_at_from = Time(
        metadata={"description": "Only what was made at this time or later.", "example": "2026-11-23T06:00:00Z"}
    )
    created_at_to = Time(
        metadata={"description": "Only what was made before this time.", "example": "2026-11-24T06:00:00Z"}
    )


class ListFilter(PageFilter):
    """What the list of things takes that can be deleted."""

    deleted = Boolean(
        load_default=False,
        metadata={"description": "Only those that are deleted, instead of those in use.", "example": True},
    )


def with_article(name: str) -> str:
    """The name of a model or a resource as a sentence names one: `an offer`, `a user`."""
    words = name.replace("_", " ")
    return f"an {words}" if words[0] in "aeio" else f"a {words}"


def add(row: Any) -> Any:
    """A row with its id."""
    db.session.add(row)
    db.session.flush()
    return row


def version(row: Any) -> str:
    """Which state of a row this is: the text of its `updated_at`, which each change moves."""
    return clock.text(row.updated_at or row.created_at)
