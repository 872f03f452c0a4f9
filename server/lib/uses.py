"""How often things are used of which strangers can invent further ones: of a full list the least used goes. Pure.

Uses are counted sparsely, so that what is in use is seldom written. Whoever invents things for a day can bring each of
them to 34 uses at most.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

# The first uses count once a minute, for a list is short at first; further ones once an hour.
EARLY_USES = 10
EARLY, LATER = timedelta(minutes=1), timedelta(hours=1)


class Use(NamedTuple):
    """How often something was used, as far as was noted, and when that was noted last."""

    times: int
    noted_at: datetime


Uses = dict[str, Use]


def pause(use: Use | None) -> timedelta:
    """Within this time further uses count for nothing."""
    return EARLY if use is None or use.times < EARLY_USES else LATER


def is_due(use: Use | None, now: datetime) -> bool:
    """Whether a use is to be noted."""
    return use is None or now - use.noted_at >= pause(use)


def note(uses: Uses, name: str, now: datetime, most: int) -> str | None:
    """Counts a use; the name of what had to make room, if something had: of the least used the one that was not used
    for longest."""
    known = uses.get(name)
    uses[name] = Use(1 if known is None else known.times + 1, now)
    if len(uses) <= most:
        return None
    gone = min((use, each) for each, use in uses.copy().items() if each != name)[1]
    uses.pop(gone, None)
    return gone
