"""What one request brings to intake, as plain values: HTTP, a CSV row and a replay all make one."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from server.companies.queries import KeyHolder
from server.leads.params import blank
from server.lib.wire import Unreadable, merge


@dataclass(frozen=True)
class Posting:
    """Parameters and circumstances. `unreadable` says why there is no body to speak of."""

    endpoint: str
    query: dict[str, Any]
    body: dict[str, Any]
    now: datetime
    request_id: str
    own_origin: str
    unreadable: Unreadable | None = None
    key: KeyHolder | None = None
    key_sent: bool = False
    idempotency_header: str | None = None
    origin: str | None = None
    referrer: str | None = None
    fetch_site: str | None = None
    remote_ip: str | None = None
    user_agent: str | None = None

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
