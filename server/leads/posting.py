"""What one request brings to intake, as plain values: HTTP, a CSV row and a replay all make one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from server.companies.queries import KeyHolder
from server.leads.params import blank
from server.lib.wire import Note, Unreadable, merge

if TYPE_CHECKING:
    from server.leads.room import Keeping

# What an endpoint does to the one lead that its path names; the others create or update.
VERBS = {
    "lead_update": "update",
    "lead_opt_out": "opt_out",
    "lead_remove": "remove",
    "lead_move_to_end_of_schedule": "end",
    "caller_opt_out": "opt_out",
    "caller_remove": "remove",
    "caller_move_to_end_of_schedule": "end",
    "edit": "update",
    "delete": "delete",
    "restore": "restore",
    "release": "release",
}

# What an API key does to a lead. Its submissions are on record under the lead's token, which did not send them.
EDITS = frozenset({"edit", "delete", "restore", "release"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """The submission that an API key has taken once more: what became of it, and with which powers it came.

    One that is `released` was in quarantine, and becomes what is made of it; `why` are its steps until then.
    """

    submission_id: str
    powers: str
    action: str
    code: str | None
    lead_id: str | None
    public_lead_id: str | None
    created_at: datetime
    purge_at: datetime | None
    dry_run: bool
    released: bool = False
    # What it lacked of what its token asked for when it came, whether its payload's proof held then, and whether who
    # replays it takes it all the same.
    lacked: Mapping[str, str] = field(default_factory=dict)
    proven: bool = False
    accepts_unproven: bool = False
    # What whoever replays it corrected, because nobody could read what came.
    corrected: Mapping[str, Any] = field(default_factory=dict)
    why: Sequence[dict[str, Any]] = ()


# Not frozen, which would cost more than all that reads it: nobody writes to it.
@dataclass(eq=False)
class Posting:
    """Parameters and circumstances. `unreadable` says why there is no body to speak of.

    `subject` is what the path names: a lead's id, or a number. `by_key` says that an API key and not a lead token
    opens this lead; `expected` is then the state that its editor has seen, as a time's text. `original` is what a
    replay takes once more: all else is then as it came, but for the time, the request's id and the key.
    """

    endpoint: str
    query: dict[str, Any]
    body: dict[str, Any]
    now: datetime
    request_id: str
    own_origin: str
    subject: str | None = None
    by_key: bool = False
    expected: str | None = None
    unreadable: Unreadable | None = None
    # What was read although it was not quite right.
    notes: Sequence[Note] = ()
    original: Original | None = None
    key: KeyHolder | None = None
    key_sent: bool = False
    idempotency_header: str | None = None
    origin: str | None = None
    referrer: str | None = None
    fetch_site: str | None = None
    remote_ip: str | None = None
    user_agent: str | None = None
    # Whether the visitor's browser asks not to be sold or shared (Global Privacy Control).
    gpc: bool = False
    # How many bytes of a body came.
    size: int = 0
    # What is kept of it if it is refused; None is all of it.
    keeping: "Keeping | None" = None
    # Where the order of several is to be seen in it; else it gets one of its own.
    submission_id: str | None = None
    # The headers that sign the body, by their names, and the bytes that they sign; read only where such a header came.
    signatures: dict[str, str] | None = None
    signed: bytes = b""
    # What else its sender did of which this is a part; `why` says so.
    because: str = ""

    @cached_property
    def verb(self) -> str | None:
        """What is done to the one lead that is named; None for a lead that comes in."""
        return VERBS.get(self.endpoint)

    @property
    def replays(self) -> bool:
        """Whether it has a submission taken once more."""
        return self.original is not None and not self.original.released

    @property
    def releases(self) -> bool:
        """Whether it takes a submission out of quarantine."""
        return self.original is not None and self.original.released

    @property
    def came_at(self) -> datetime:
        """When it came for the first time."""
        return self.now if self.original is None else self.original.created_at

    @property
    def for_servers(self) -> bool:
        """Whether only a server may ask for it: what names a lead or brings many is not for pages."""
        return self.verb is not None or self.endpoint == "batch"

    @property
    def names_number(self) -> bool:
        """Whether the path names the lead by its number."""
        return self.endpoint.startswith("caller_")

    @cached_property
    def tree(self) -> dict[str, Any]:
        """All parameters: the body wins over the query string, but a blank wins over nothing."""
        if self.query.keys().isdisjoint(self.body):
            return self.query | self.body
        return merge(self.query, not_hiding(self.body, self.query))


def not_hiding(body: dict[str, Any], query: dict[str, Any]) -> dict[str, Any]:
    """The body without the blanks that would hide something of the query string."""
    heard: dict[str, Any] = {}
    for name, value in body.items():
        under = query.get(name)
        if isinstance(value, dict) and isinstance(under, dict):
            heard[name] = not_hiding(value, under)
        elif not (blank(value) and name in query):
            heard[name] = value
    return heard
