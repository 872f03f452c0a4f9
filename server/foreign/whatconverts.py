"""WhatConverts' webhook: a lead of any kind, with the tracking number that was called and where it was forwarded."""

from server.foreign.reading import Leaf, Reading, Tree, beneath, blank, rest_of, told
from server.foreign.walk import walk
from server.foreign.words import Key, fits

# What the contact is known by; of several members the first that is there counts.
CONTACT = {
    "caller_id": ("contact_phone_number", "caller_number", "phone_number", "phone"),
    "email": ("contact_email_address", "email_address", "email"),
    "full_name": ("contact_name", "caller_name"),
    "city": ("city",),
    "state": ("state",),
    "zip": ("zip",),
}
PROFILE = frozenset({"profile_id", "profile", "account_id", "lead_status"})
# What a form or a chat asked.
ASKED = ("additional_fields", "field_mapping", "custom_fields")


def is_whatconverts(tree: Tree) -> bool:
    """Whether it is a lead of a profile."""
    return isinstance(tree.get("lead_id"), str | int) and "lead_type" in tree and not PROFILE.isdisjoint(tree)


def read_whatconverts(tree: Tree, path: str = "") -> Reading:
    """The contact, what was asked, the lead's own id, and the rest by its name, most of which is the business's."""
    field_of = {name: field for field, names in CONTACT.items() if (name := first(tree, field, names)) is not None}
    field_of["lead_id"] = "vendor_lead_id"
    leaves: list[Leaf] = []
    asked: list[Leaf] = []
    for name, value in rest_of(tree, []).items():
        place = beneath(path, name)
        if name in field_of:
            leaves.append(told(field_of[name], place, name, value, name))
        elif name in ASKED and isinstance(value, dict):
            asked += walk(value, place)
        else:
            leaves += walk(value, place, name, Key(name))
    return Reading("whatconverts", (*asked, *leaves))


def first(tree: Tree, field: str, names: tuple[str, ...]) -> str | None:
    """The first of the members that can fill the field: who hides the number is called Anonymous."""
    return next((name for name in names if not blank(tree.get(name)) and fits(field, tree[name])), None)
