"""People and API keys by API. A password and a private key are shown once, in the answer that makes them."""

from flask import Response
from marshmallow import ValidationError
from sqlalchemy import ColumnElement

from server.api import editing
from server.api.keys import refuse_lacking
from server.api.manage import blueprint_of, kept, locked, opened, read, refuse_any
from server.api.resource import Resource, Values, add
from server.companies.models import ApiKey, Company, Person, User
from server.companies.operations import create_key, is_user, last_admin, new_password, person_of, renew_key
from server.companies.schemas import ApiKeyFilter, ApiKeySchema, UserFilter, UserSchema
from server.lib.db import db

READS, WRITES = "access:read", "access:write"


# People


def complete_user(company: Company, wanted: Values, row: User | None) -> None:
    """An address is one user's in a company, and a company keeps an admin."""
    if row is None and is_user(company, wanted["email"]):
        raise ValidationError({"email": ["is taken: another user has it"]})
    if row is not None and wanted["role"] != "admin" and last_admin(row):
        raise ValidationError({"role": ["is that of the last admin; make another admin first"]})


def keep_admin(company: Company, row: User) -> None:
    """A company keeps an admin."""
    if last_admin(row):
        raise ValidationError({"id": ["is the last admin; make another admin first"]})


def create_user(company: Company, wanted: Values) -> tuple[User, Values]:
    """A person in this company, with a password for it; whether they are in another, nobody learns."""
    password, person = wanted.pop("password"), person_of(wanted.pop("email"))
    user = User(company_id=company.id, person=person, password_hash=password.hash, **wanted)
    return add(user), {"password": password.text}


def users_like(company: Company, asked: Values) -> list[ColumnElement[bool]]:
    """The filters that were sent, as conditions."""
    return [
        User.person.has(Person.email == value) if name == "email" else getattr(User, name) == value
        for name, value in asked.items()
    ]


USERS = Resource(
    one="user",
    many="users",
    model=User,
    schema=UserSchema,
    filters=UserFilter,
    reads=READS,
    writes=WRITES,
    ended="disabled_at",
    fixed=frozenset({"email"}),
    conditions=users_like,
    complete=complete_user,
    prepare=lambda: {"password": new_password()},
    create=create_user,
    removable=keep_admin,
    once={"password": "A password for this company, shown this once."},
    apart=True,
)


# API keys


def complete_key(company: Company, wanted: Values, row: ApiKey | None) -> None:
    """A key grants what it has itself; a stronger key keeps its scopes while only its name changes."""
    if row is None or wanted["scopes"] != row.scopes:
        refuse_lacking(wanted["scopes"])


def create_api_key(company: Company, wanted: Values) -> tuple[ApiKey, Values]:
    """A key with its private part."""
    key, private = create_key(company, wanted["name"], wanted["scopes"])
    return key, {"private": private}


def grantable(company: Company, row: ApiKey) -> None:
    """Whoever brings a key back grants what it may do."""
    refuse_lacking(row.scopes)


API_KEYS = Resource(
    one="api_key",
    many="api_keys",
    model=ApiKey,
    schema=ApiKeySchema,
    filters=ApiKeyFilter,
    reads=READS,
    writes=WRITES,
    ended="revoked_at",
    complete=complete_key,
    create=create_api_key,
    once={"private": "The private part, shown this once."},
    restorable=grantable,
    apart=True,
)

blueprint = blueprint_of("access", USERS, API_KEYS)


@blueprint.post("/users/<row_id>/reset_password")
def reset_password(row_id: str) -> Response:
    """Gives a person a fresh password; the old one ends."""
    key, sent = read(USERS)
    password = new_password()
    user = locked(USERS, row_id, key, sent)
    refuse_any(sent)
    editing.refuse_deleted(USERS, user)
    user.password_hash = password.hash
    editing.touch(user)
    db.session.flush()
    return kept(USERS, user, {"password": password.text})


@blueprint.post("/api_keys/<row_id>/rotate")
def rotate(row_id: str) -> Response:
    """Gives a key a fresh private part; the old one ends."""
    _, key, sent = opened(API_KEYS, row_id)
    refuse_any(sent)
    editing.refuse_deleted(API_KEYS, key)
    refuse_lacking(key.scopes)
    private = renew_key(key)
    editing.touch(key)
    db.session.flush()
    return kept(API_KEYS, key, {"private": private})
