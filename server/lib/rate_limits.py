"""Rate limits: how much of something there may be in a minute or an hour, by the sliding windows of the library
`limits`.

Counts are kept in this process; `redis_limits.py` keeps them for all processes that name the same Redis.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from math import floor
from typing import Any, NamedTuple, cast

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import Storage
from limits.storage.base import SlidingWindowCounterSupport
from limits.strategies import RateLimiter

# No burst at a window's edge, as fixed windows have it, and no list of every request, as moving ones keep it.
STRATEGY = "sliding-window-counter"

# So many owners are counted in a window, which is some 40 MB; beyond that the one that was quiet longest is forgotten.
OWNERS_MOST = 100_000

# In seconds.
MINUTE, HOUR = 60, 3600


class SlidingOnly(Storage, SlidingWindowCounterSupport):
    """A storage for STRATEGY and no other."""

    @property
    def base_exceptions(self) -> type[Exception]:
        """What it raises when it fails."""
        return Exception

    def check(self) -> bool:
        """It always answers."""
        return True

    def _not_offered(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError(f"only for {STRATEGY}")

    incr = get = get_expiry = clear = reset = clear_sliding_window = _not_offered


class Windows(NamedTuple):
    """Counts by owner in the window before and in the present one, of which so many seconds are left."""

    number: int
    before: OrderedDict[str, int]
    present: OrderedDict[str, int]
    left: float


class Memory(SlidingOnly):
    """Counts in this process.

    The library's own starts a thread every 10 ms that looks at every owner. This one lets go of a whole window, and of
    all owners in it, when the next but one begins.
    """

    STORAGE_SCHEME = ["handraiser-memory"]  # noqa: RUF012

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, most: int = OWNERS_MOST) -> None:
        super().__init__(uri, wrap_exceptions)
        self.most = most
        self.lock = threading.Lock()
        self.kept: dict[int, Windows] = {}

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Counts, unless that would be too much."""
        with self.lock:
            windows = self._windows(expiry)
            count = windows.present.get(key, 0)
            if count:
                windows.present.move_to_end(key)
            if floor(windows.before.get(key, 0) * windows.left / expiry) + count + amount > limit:
                return False
            if not count and len(windows.present) >= self.most:
                windows.present.popitem(last=False)
            windows.present[key] = count + amount
            return True

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """The count in the window before and in the present one, each with the seconds for which it still counts."""
        with self.lock:
            windows = self._windows(expiry)
            if key in windows.present:
                windows.present.move_to_end(key)
            return windows.before.get(key, 0), windows.left, windows.present.get(key, 0), windows.left + expiry

    def _windows(self, expiry: int) -> Windows:
        number, gone = divmod(time.time(), expiry)
        kept = self.kept.get(expiry)
        before: OrderedDict[str, int] = OrderedDict()
        present: OrderedDict[str, int] = OrderedDict()
        if kept is not None and kept.number == number:
            before, present = kept.before, kept.present
        elif kept is not None and kept.number == number - 1:
            before = kept.present
        windows = self.kept[expiry] = Windows(int(number), before, present, expiry - gone)
        return windows


@dataclass(frozen=True, slots=True)
class Budget:
    """What a minute brings, or an hour, and whose it is."""

    most: int
    owner: tuple[str, ...]
    seconds: int = MINUTE

    @property
    def item(self) -> RateLimitItem:
        """The same as the library calls it."""
        return per_time(self.most, self.seconds)

    def test(self, counts: RateLimiter) -> bool:
        """Whether there is something left."""
        return counts.test(self.item, *self.owner)

    def take(self, counts: RateLimiter, cost: int = 1) -> bool:
        """Takes so much, if there is so much left."""
        return counts.hit(self.item, *self.owner, cost=cost)

    def drain(self, counts: RateLimiter, cost: int) -> None:
        """Takes so much, or all that is left."""
        if cost > 0 and not self.take(counts, cost):
            left = counts.get_window_stats(self.item, *self.owner).remaining
            if left > 0:
                self.take(counts, min(cost, left))

    def seconds_left(self, counts: RateLimiter) -> int:
        """In how many seconds there is something left again."""
        return seconds_until(counts, self.item, self.item.key_for(*self.owner))


def spend(counts: RateLimiter, budgets: Mapping[str, Budget]) -> dict[str, int]:
    """Takes one from each budget, or from none if one is spent: those that are, with the seconds until they are not."""
    spent = [name for name, budget in budgets.items() if not budget.test(counts)]
    # Others may have taken the last one since.
    spent = spent or [name for name, budget in budgets.items() if not budget.take(counts)]
    return {name: budgets[name].seconds_left(counts) for name in spent}


def seconds_until(counts: RateLimiter, item: RateLimitItem, key: str) -> int:
    """In how many whole seconds a limit that was met lets one through again.

    The library's own answer is "now" at the very moment at which a window begins, and a burst is over in a moment.
    """
    expiry = item.get_expiry()
    storage = cast(SlidingWindowCounterSupport, counts.storage)
    before, before_left, present, present_left = storage.get_sliding_window(key, expiry)
    room = item.amount - present
    wait = before_left - room * expiry / max(before, 1) if room > 0 else present_left - expiry
    return max(1, floor(wait) + 1)


@lru_cache(1000)
def per_time(most: int, seconds: int) -> RateLimitItem:
    """So many a minute or an hour, as the library calls it."""
    return RateLimitItemPerMinute(most) if seconds == MINUTE else RateLimitItemPerHour(most)


@lru_cache(10_000)
def network(address: str) -> str:
    """Who an address counts as: itself, or of IPv6 its /64, which is what one customer has."""
    try:
        known = ip_address(address)
    except ValueError:
        return address[:64]
    if not isinstance(known, IPv6Address):
        return str(known)
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return f"{IPv6Address(int(known) >> 64 << 64)}/64"
