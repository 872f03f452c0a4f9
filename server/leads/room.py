"""How much is kept of what is refused: strangers must not fill the disk with it.

What a stranger sends, with a token that has ended or with publishable powers, has room by token and address, and by
token for all addresses together. What no sender may hear of has more, for it may be a lead. A server token in force has
so much that no vendor's wrong form meets the end of it. Each process counts for itself.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from limits.strategies import RateLimiter, SlidingWindowCounterRateLimiter

from server.errors import Refused
from server.lead_tokens.rules import PUBLIC, Grant
from server.leads.admission import authorises, dry_run, powers_of
from server.leads.plan import Plan
from server.leads.posting import Posting
from server.lib.rate_limits import HOUR, Budget, Memory, network

# How many times the room of one address others have.
ALL_ADDRESSES, HIDDEN, SERVER = 10, 10, 250
# What a submission takes up beside what came: its other columns, and its places in the indexes.
ROW_BYTES = 1000
# So many owners without room are remembered before those are forgotten that have some again.
MOST_SPENT = 10_000


class Share(NamedTuple):
    """An owner of room, and how many times that of one address it has; a server token's rows are not counted."""

    owner: tuple[str, ...]
    times: int
    counts_rows: bool = True


@dataclass(slots=True)
class Refusals:
    """What an hour may leave on disk of what is refused, in rows and bytes; 0 is no limit."""

    rows: int
    bytes: int
    counts: RateLimiter = field(default_factory=lambda: SlidingWindowCounterRateLimiter(Memory()))
    # Until when an owner has no room left: most requests ask only for this.
    spent: dict[tuple[str, ...], float] = field(default_factory=dict)

    def has_room(self, shares: Sequence[Share]) -> bool:
        """Whether one more is kept whole."""
        now = time.time()
        return all(self.spent.get(share.owner, 0.0) <= now for share in shares)

    def take(self, shares: Sequence[Share], rows: int, size: int) -> None:
        """Takes what is kept; of a budget with less than that in it all that is left."""
        for share in shares:
            for budget, cost in self.budgets(share, rows, size):
                budget.drain(self.counts, cost)
                if not budget.test(self.counts):
                    self.note_spent(share.owner, time.time() + budget.seconds_left(self.counts))

    def budgets(self, share: Share, rows: int, size: int) -> Iterator[tuple[Budget, int]]:
        """What a share has, and what is to be taken of each."""
        if self.rows and share.counts_rows:
            yield Budget(self.rows * share.times, share.owner, HOUR), rows
        if self.bytes:
            yield Budget(self.bytes * share.times, (*share.owner, "bytes"), HOUR), size

    def note_spent(self, owner: tuple[str, ...], until: float) -> None:
        """Remembers until when there is no room."""
        if len(self.spent) >= MOST_SPENT:
            now = time.time()
            self.spent = {each: end for each, end in self.spent.copy().items() if end > now}
        self.spent[owner] = max(until, self.spent.get(owner, 0.0))


@dataclass(slots=True)
class Keeping:
    """What is kept of one request if it is refused: aloud, or so that its sender hears nothing of it."""

    refusals: Refusals
    aloud: Sequence[Share]
    hidden: Sequence[Share]
    keeps_aloud: bool
    keeps_hidden: bool
    # Bytes that were taken for it before it was settled, so that many at once do not all find the same room.
    taken: int = 0

    def charge(self, posting: Posting, refusal: Refused | None, size: int) -> None:
        """Takes what a refusal has left on disk."""
        if not size or dry_run(posting):
            return
        if refusal is None:
            self.refusals.take(self.hidden, 1, size)
        else:
            self.refusals.take(self.aloud, 0 if self.taken else 1, max(0, size - self.taken))


def keeping(refusals: Refusals, posting: Posting, grant: Grant, planned: Plan | Refused) -> Keeping | None:
    """How much would be kept of a refusal; None where all of it is: a server's lead that has come as far as a plan is
    refused by its owner's own rules."""
    # There is a plan only where the token authorises.
    if posting.by_key or (isinstance(planned, Plan) and planned.powers != PUBLIC):
        return None
    powers = planned.powers if isinstance(planned, Plan) else powers_of(posting, grant)[0]
    stranger = powers == PUBLIC or not authorises(grant, posting)
    servers = [Share(("server", str(grant.token_id)), SERVER, counts_rows=False)]
    aloud = strangers("refused", posting, grant, 1) if stranger else servers
    hidden = strangers("hidden", posting, grant, HIDDEN) if isinstance(planned, Plan) else []
    made = Keeping(refusals, aloud, hidden, refusals.has_room(aloud), refusals.has_room(hidden))
    if isinstance(planned, Refused) and made.keeps_aloud and not dry_run(posting):
        made.taken = sent_bytes(posting) + ROW_BYTES
        refusals.take(aloud, 1, made.taken)
    return made


def strangers(name: str, posting: Posting, grant: Grant, times: int) -> list[Share]:
    """The shares of a stranger's address with a token, and of all strangers with it."""
    token = str(grant.token_id)
    of_address = (name, token, network(posting.remote_ip or ""))
    return [Share(of_address, times), Share((name, token), times * ALL_ADDRESSES)]


def sent_bytes(posting: Posting) -> int:
    """How long the body was, as far as it was read."""
    return posting.size if posting.unreadable is None else len(posting.unreadable.body)
