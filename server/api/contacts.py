"""Contacts by API: what must not be done with a number, and the suppression list. What is set stops at once."""

from typing import Any

from flask import Response, request
from marshmallow import ValidationError
from sqlalchemy import ColumnElement

from server.api import editing, keys
from server.api.answers import json_answer
from server.api.manage import blueprint_of
from server.api.resource import DELETE, RESTORE, Resource, Values
from server.companies.models import Company
from server.companies.queries import region
from server.contacts.models import Contact
from server.contacts.number_list import MOST_NUMBERS, NumberList, TooMany, entries_of, read_numbers
from server.contacts.operations import add_contact, lift_suppression, suppress
from server.contacts.schemas import ContactFilter, ContactSchema
from server.leads.admission import unreadable
from server.leads.operations import stop_numbers
from server.leads.params import blank, invalid, invalid_character
from server.leads.queries import e164
from server.leads.state import ContactState
from server.lib import clock, phone
from server.lib.db import commit, db
from server.lib.wire import Limits, Unreadable, first_bad_character, read_upload

READS, WRITES = "leads:read", "leads:update"
STATES = {"blocked": "blocked_at", "opt_out": "opted_out_at", "suppressed": "suppressed_at"}
UPLOAD = Limits(body_bytes=1024 * 1024)
HOW = 'Send {"numbers": [...]} as application/json, or one number a line as text/csv.'


def complete_contact(company: Company, wanted: Values, row: Contact | None) -> None:
    """The number in its one spelling; one that is there stays as it is, and can be blocked whatever it is."""
    if row is not None:
        return
    known = phone.parse(wanted["caller_id"], company.region)
    if known is None:
        raise ValidationError({"caller_id": ["is not a valid phone number, such as +17192221234"]})
    wanted["caller_id"] = known.e164


def create_contact(company: Company, wanted: Values) -> tuple[Contact, Values]:
    """A number that the company does not know yet: no lead has it, so nothing has to stop."""
    now = clock.now()
    contact, made = add_contact(company.id, wanted["caller_id"], now, times_of(wanted, now))
    if not made:
        raise ValidationError({"caller_id": [f"is taken: use the contact {contact.id}"]})
    return contact, {}


def change_contact(company: Company, contact: Contact, wanted: Values) -> None:
    """Sets or lifts what must not be done with the number; what is set stops all that is planned for it."""
    now = clock.now()
    changed = {name: now if wanted[name] else None for name in STATES if wanted[name] != getattr(contact, name)}
    for name, at in changed.items():
        setattr(contact, STATES[name], at)
    if not changed:
        return
    # Intake writes only if the version is what it has read, so it comes before this or decides again after it.
    contact.version = Contact.version + 1
    editing.touch(contact)
    db.session.flush()
    status = ContactState(contact.id, 0, contact.blocked_at, contact.opted_out_at, contact.suppressed_at).stopped_status
    if status is not None and any(changed.values()):
        stop_numbers(company.id, [contact.caller_id], status, now)


def times_of(wanted: Values, now: Any) -> dict[str, Any]:
    """The states that are set, as the times that are stored."""
    return {column: now for name, column in STATES.items() if wanted[name]}


def contact_conditions(company: Company, asked: Values) -> list[ColumnElement[bool]]:
    """The filters that were sent, as conditions."""
    conditions: list[ColumnElement[bool]] = []
    for name, value in asked.items():
        if name == "number":
            conditions.append(Contact.caller_id == e164(value, company.region))
        else:
            column = getattr(Contact, STATES[name])
            conditions.append(column.is_not(None) if value else column.is_(None))
    return conditions


def contact_scope(company: Company, asked: Values) -> list[ColumnElement[bool]]:
    """The contacts among which a list looks: one number's, or the company's."""
    scope: list[ColumnElement[bool]] = [Contact.company_id == company.id]
    if not blank(asked.get("number")):
        scope.append(Contact.caller_id == e164(asked["number"], company.region))
    return scope


CONTACTS = Resource(
    one="contact",
    many="contacts",
    model=Contact,
    schema=ContactSchema,
    filters=ContactFilter,
    reads=READS,
    writes=WRITES,
    ended=None,
    fixed=frozenset({"caller_id"}),
    complete=complete_contact,
    create=create_contact,
    change=change_contact,
    conditions=contact_conditions,
    scope=contact_scope,
    without=frozenset({DELETE, RESTORE}),
)

blueprint = blueprint_of("contacts", CONTACTS)


# The suppression list


@blueprint.post("/contacts/suppression")
def add_to_list() -> Response:
    """Puts many numbers on the list, and stops what is planned for them."""
    company, read = upload()
    now = clock.now()
    added = suppress(company.id, read.numbers, now)
    stop_numbers(company.id, read.numbers, "blocked", now)
    commit()
    counts = {"suppressed": len(added), "already": read.valid - len(added), "invalid": read.invalid}
    return json_answer({"counts": counts, "errors": read.errors})


@blueprint.delete("/contacts/suppression")
def take_off_list() -> Response:
    """Takes many numbers off the list; nothing starts again by that."""
    company, read = upload()
    removed = lift_suppression(company.id, read.numbers, clock.now())
    commit()
    counts = {"removed": len(removed), "absent": read.valid - len(removed), "invalid": read.invalid}
    return json_answer({"counts": counts, "errors": read.errors})


def upload() -> tuple[Company, NumberList]:
    """The numbers of a request, and the company whose transaction has begun; raises Refused."""
    problem = None
    body: Values | str = ""
    try:
        body = read_upload(request.environ, UPLOAD)
    except Unreadable as error:
        problem = error
    auth_token = body.pop("auth_token", None) if isinstance(body, dict) else None
    key = keys.require(request, WRITES, auth_token)
    if problem is not None:
        raise unreadable(problem)
    entries = list(entries_of(body)) if isinstance(body, str) else list(enumerate(numbers_of(body), 1))
    if not entries:
        raise invalid({"numbers": [f"holds no number. {HOW}"]})
    try:
        # Before the transaction: nobody waits while thousands of numbers are read.
        read = read_numbers(entries, region(key.company_id))
    except TooMany as error:
        raise invalid({"numbers": [f"must be at most {MOST_NUMBERS}; send the rest in a further request"]}) from error
    return editing.begin_edit(key.company_id), read


def numbers_of(body: Values) -> list[Any]:
    """The list in a JSON body; raises Refused."""
    bad = first_bad_character(body)
    if bad is not None:
        raise invalid_character(bad)
    numbers = body.get("numbers")
    if not isinstance(numbers, list):
        raise invalid({"numbers": [f"{'is missing' if numbers is None else 'must be a list'}. {HOW}"]})
    strange = [name for name in body if name != "numbers"]
    if strange:
        raise invalid({name[:64]: [f"is unknown here. {HOW}"] for name in strange})
    return numbers
