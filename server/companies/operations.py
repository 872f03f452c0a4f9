"""Making companies, people and API keys. Nothing here commits: the surface that calls does."""

from functools import cache
from typing import NamedTuple
from zoneinfo import available_timezones

from argon2 import PasswordHasher
from sqlalchemy import select, text

from server.companies.models import ApiKey, Company, Person, User
from server.companies.rules import SCOPES
from server.errors import CommandError
from server.lib import clock
from server.lib.db import db
from server.lib.phone import is_region
from server.lib.secrets import digest, new_secret, new_token

# argon2id, as costly as the library thinks right: 64 MiB and three passes a password.
HASHER = PasswordHasher()

# Reads all folders of the system's time zones, which takes longer than everything else about a company.
time_zones = cache(available_timezones)


def create_company(
    name: str, region: str = "US", time_zone: str = "UTC", require_authorization: bool = False
) -> Company:
    """A new tenant; raises CommandError for a region or a time zone that does not exist."""
    if not is_region(region):
        raise CommandError(f"{region!a} is no region. Use two capital letters of ISO 3166, such as US or GB.")
    if time_zone not in time_zones():
        raise CommandError(f"{time_zone!a} is no time zone. Use a name such as America/New_York.")
    company = Company(name=name, region=region, time_zone=time_zone, require_authorization=require_authorization)
    db.session.add(company)
    db.session.flush()
    return company


class Password(NamedTuple):
    """A fresh random password, which is shown once, and the argon2 hash that is kept of it."""

    text: str
    hash: str


def new_password() -> Password:
    """Makes a password. It takes an eighth of a second on purpose: make it before you lock anything."""
    secret = new_secret()
    return Password(secret, HASHER.hash(secret))


def person_of(email: str) -> Person:
    """The person with this address, who is new to the installation or not: nobody is told which.

    Two companies may bring the same address at once; who comes second waits for the first, and finds its person.
    """
    made = text("insert into person (email, created_at) values (:email, :now) on conflict do nothing")
    db.session.execute(made, {"email": email, "now": clock.now()})
    return db.session.scalars(select(Person).where(Person.email == email)).one()


def is_user(company: Company, email: str) -> bool:
    """Whether the company has a user with this address, also a deleted one, who may come back."""
    known = select(User.id).join(Person).where(User.company_id == company.id, Person.email == email)
    return db.session.scalar(known) is not None


def last_admin(user: User) -> bool:
    """Whether nobody else could manage the company if this person no longer did.

    Edits of one company come one after another, so two admins cannot let each other go at once.
    """
    enabled = (User.company_id == user.company_id, User.role == "admin", User.disabled_at.is_(None))
    return db.session.scalars(select(User.id).where(*enabled)).all() == [user.id]


def create_key(company: Company, name: str, scopes: list[str] | None = None) -> tuple[ApiKey, str]:
    """A new API key (all scopes unless some are named) and its private part, which is shown once."""
    unknown = set(scopes or ()) - SCOPES.keys()
    if unknown:
        raise CommandError(
            f"{', '.join(map(ascii, sorted(unknown)))} is no scope. The scopes are: {', '.join(SCOPES)}."
        )
    private = new_secret()
    key = ApiKey(
        company_id=company.id,
        name=name,
        public=new_token("key_"),
        private_hash=digest(private),
        scopes=sorted(scopes or SCOPES),
    )
    db.session.add(key)
    db.session.flush()
    return key, private


def renew_key(key: ApiKey) -> str:
    """A new private part for a key; the old one ends."""
    private = new_secret()
    key.private_hash = digest(private)
    return private
