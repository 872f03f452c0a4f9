"""Mautic's webhook: events of contacts, each of whose fields is described at length and has one value."""

import re
from collections.abc import Iterator
from typing import Any

from server.foreign.reading import Leaf, Reading, Tree, beneath, guessed, rest_of, scalars
from server.foreign.walk import unclaimed, walk
from server.foreign.words import Key

EVENT = re.compile(r"mautic\.[a-z_]+")
# How Mautic groups the fields of a contact.
GROUPS = ("core", "social", "personal", "professional")


def is_mautic(tree: Tree) -> bool:
    """Whether it tells of contacts."""
    return any(True for _ in contacts(tree, ""))


def contacts(tree: Tree, path: str) -> Iterator[tuple[str, Tree]]:
    """The contacts of all events, each with its path."""
    for name, events in tree.items():
        if EVENT.fullmatch(name):
            for index, event in enumerate(events if isinstance(events, list) else [events]):
                at = beneath(beneath(path, name), index) if isinstance(events, list) else beneath(path, name)
                for part in ("contact", "lead"):
                    contact = event.get(part) if isinstance(event, dict) else None
                    if isinstance(contact, dict) and isinstance(contact.get("fields"), dict):
                        yield beneath(at, part), contact
                        break


def read_mautic(tree: Tree, path: str = "") -> Reading:
    """The fields of the contact by their names. A post that tells of several contacts is none of one lead."""
    found = list(contacts(tree, path))
    told_of = {str(contact.get("id")) for _, contact in found}
    at, contact = found[-1]
    if len(told_of) > 1:
        return Reading("mautic", tuple(unclaimed(tree, path, "")), missing=several(len(told_of)))
    leaves = list(read_fields(contact["fields"], beneath(at, "fields")))
    # Points, owner, tags and addresses: none of them is what the contact said.
    for name, value in rest_of(contact, ["fields"]).items():
        leaves += unclaimed(value, beneath(at, name), f"contact_{name}" if name == "id" else name)
    for name, value in tree.items():
        if EVENT.fullmatch(name):
            leaves.append(Leaf(beneath(path, name), "event", name))
        else:
            leaves += unclaimed(value, beneath(path, name), name)
    return Reading("mautic", tuple(leaves))


def several(number: int) -> str:
    """Why a post of several contacts makes no lead."""
    return (
        f"This post of Mautic tells of {number} contacts at once, and one request is one lead. Set Mautic to send"
        " webhooks immediately (Configuration, Webhook settings, Queue mode), so that each contact comes by itself."
    )


def read_fields(fields: Tree, path: str) -> Iterator[Leaf]:
    """The values of the fields; `all` says those of the groups once more."""
    grouped = any(isinstance(fields.get(group), dict) for group in GROUPS)
    for group, members in fields.items():
        place = beneath(path, group)
        if isinstance(members, dict) and not (group == "all" and grouped):
            for alias, field in members.items():
                yield from read_field(alias, field, beneath(place, alias))
        elif group != "all":
            yield from walk(members, place, group, Key(group))


def read_field(alias: str, field: Any, path: str) -> Iterator[Leaf]:
    """The value of one field."""
    if isinstance(field, dict) and "value" in field:
        field, path = field["value"], beneath(path, "value")
    if isinstance(field, dict | list) and not scalars(field):
        yield from walk(field, path, alias, Key(alias))
    else:
        # A contact's company and its numbers are fields of the contact.
        yield guessed(path, alias, field, Key(alias), by="field")
