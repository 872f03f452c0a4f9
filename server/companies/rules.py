"""What people may be, and what an API key may do by the scopes it carries. Pure."""

from collections.abc import Collection, Iterable

ROLES = ("viewer", "agent", "manager", "admin")

SCOPES = {
    "leads:create": "Send leads where the company requires authorization.",
    "leads:read": "List and show leads.",
    "leads:update": "Change leads, and lift a block or an opt-out.",
    "leads:delete": "Delete leads and undo it.",
    "submissions:read": "List and show submissions: everything received, with why.",
    "submissions:replay": "Replay and release submissions.",
    "outcomes:write": "Report calls and conversions.",
    "config:read": "Read offers, schedules, tokens, sources and the rest of the configuration.",
    "config:write": "Change the configuration.",
    "tokens:reveal": "See the whole value of a lead token that is there: with it leads can be sent and removed.",
    "access:read": "Read people and API keys.",
    "access:write": "Manage people and API keys.",
}


def lacking(scopes: Iterable[str], own: Collection[str]) -> list[str]:
    """The scopes that a key would hand on without having them itself."""
    return sorted(set(scopes) - set(own))
