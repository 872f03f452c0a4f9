"""What a request may wish: its powers, its endpoint and its key decide; the rest is left undone, aloud. Pure."""

from typing import Any

from server.lead_tokens.rules import PUBLIC, Grant
from server.leads.params import TOKEN_PARAMETERS, Asked
from server.leads.posting import Posting

# What publishable powers may wish; every other wish is left undone and named in the warnings.
PUBLIC_FIELDS = frozenset(
    [
        "caller_id",
        "number",
        "email",
        "contact_field_type",
        "traffic_source_id",
        "sub_id",
        "assign_trackdrive_number",
        "assign_sms_number",
        "auto_format_nested_fields",
        "vendor_lead_id",
        "consent",
        "data",
        "hp",
    ]
)
PUBLIC_IF_TRUE = frozenset({"blocked", "opt_out"})
# And these where the token's owner allows it.
CALLBACKS = frozenset({"schedule_callback_at", "schedule_callback_in_seconds"})

# Lifting a block or an opt-out is for API keys that may update leads, whatever the token.
LIFTS = frozenset({"blocked", "opt_out"})

# What has no meaning for a request that names its lead: that lead is meant and no other, and it is there.
NOT_FOR_NAMED = frozenset(
    ["expire_existing", "delete_existing", "update_only", "update_all_matching_leads", "vendor_lead_id"]
)


def limit_wishes(posting: Posting, grant: Grant, asked: Asked, powers: str) -> dict[str, Any]:
    """Takes out of the fields what the request may not wish, and says so in its warnings."""
    lifts = may_lift(posting, grant, powers)
    left: list[str] = []
    if posting.verb is not None and asked.fields.get("number") == asked.fields.get("caller_id"):
        asked.fields.pop("caller_id" if posting.endpoint != "edit" else "number", None)  # One wish under two names.
    for name, value in list(asked.fields.items()):
        if name in TOKEN_PARAMETERS or (value is False and name not in LIFTS):
            continue
        problem = denied(name, value, grant, powers, lifts) or pointless(name, posting)
        if problem is not None:
            asked.warn(name, *problem)
            left.append(name)
            del asked.fields[name]
    if posting.verb not in (None, "update"):
        left += only_the_verb(posting, asked)
    rule = "wishes beyond the token's powers are left undone" if left else "all wishes are within the token's powers"
    return {
        "step": "wishes",
        "read": {"powers": powers, "lifts": lifts},
        "decided": {"left_undone": sorted(left)},
        "rule": rule,
    }


def may_lift(posting: Posting, grant: Grant, powers: str) -> bool:
    """Whether this request may lift a block or an opt-out: a public one never does, whatever key it carries."""
    key = posting.key
    return powers != PUBLIC and key is not None and key.company_id == grant.company_id and "leads:update" in key.scopes


def denied(name: str, value: Any, grant: Grant, powers: str, lifts: bool) -> tuple[str, str] | None:
    """Why the powers do not cover a wish: the warning's code and text."""
    may = PUBLIC_FIELDS | CALLBACKS if grant.allows_callbacks else PUBLIC_FIELDS
    if powers == PUBLIC and name not in may and not (name in PUBLIC_IF_TRUE and value is True):
        return "needs_server_token", f"{name} is left undone: a publishable token may not wish it."
    if name == "hp" and powers != PUBLIC:
        return "no_effect", "hp has no effect here: it is for what pages send."
    if name in LIFTS and value is False and not lifts:
        return "needs_key", f"{name}=false is left undone: it needs an API key with leads:update."
    if name == "unblock_contact" and not lifts:
        return "needs_key", "unblock_contact is left undone: it needs an API key with leads:update."
    return None


def pointless(name: str, posting: Posting) -> tuple[str, str] | None:
    """Why a wish has no effect at this endpoint: the warning's code and text."""
    if posting.verb is None:
        return None
    number = name in ("caller_id", "number") and posting.endpoint != "edit"
    if number or name in NOT_FOR_NAMED:
        return "no_effect", f"{name} has no effect here: the path says which lead is meant."
    return None


def only_the_verb(posting: Posting, asked: Asked) -> list[str]:
    """Takes out what is sent beside a verb that says it all; an opt-out is then the one wish. The names left undone."""
    beside = [name for name in asked.fields if name not in TOKEN_PARAMETERS and name not in ("data", posting.verb)]
    for name in [*beside, *asked.tokens]:
        asked.warn(name, "no_effect", f"{name} has no effect here: {posting.endpoint} changes nothing else.")
    asked.fields = {name: value for name, value in asked.fields.items() if name in TOKEN_PARAMETERS}
    left = [*beside, *asked.tokens]
    asked.tokens = {}
    if posting.verb == "opt_out":
        asked.fields["opt_out"] = True
    return left
