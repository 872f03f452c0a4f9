"""Which number of a schedule's pools a lead gets: pure."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from server.lib.json import plain


class Number(NamedTuple):
    """A tracking number: its row and its E.164 text."""

    id: int
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Numbers for the leads whose tokens have one of the accepted texts under every name of `filters`."""

    id: int
    kind: str
    position: int
    name: str
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    numbers: tuple[Number, ...] = ()

    def matches(self, tokens: Mapping[str, Any]) -> bool:
        """Whether a lead with these tokens is meant; case and white space around do not count."""
        return all(
            folded(tokens.get(name)) in [folded(each) for each in accepted] for name, accepted in self.filters.items()
        )


STEPS = {"dial": "assign_trackdrive_number", "sms": "assign_sms_number"}


def choose(
    pools: Iterable[Pool], kind: str, tokens: Mapping[str, Any], caller_id: str, held: str | None
) -> tuple[Number | None, dict[str, Any]]:
    """The number for a lead, and why; `held` is the one it has, which stays while a pool of the kind has it.

    The first pool whose filters match and that has numbers wins; the last is for all whom no other takes.
    """
    ordered = sorted((pool for pool in pools if pool.kind == kind), key=lambda pool: (pool.position, pool.id))
    holder = next((pool for pool in ordered if any(each.number == held for each in pool.numbers)), None)
    matching = [pool for pool in ordered if pool.matches(tokens)]
    winner = next((pool for pool in matching if pool.numbers), None)
    number: Number | None = None
    if holder is not None:
        pool, rule = holder, "the lead keeps the number that it has"
        number = next(each for each in holder.numbers if each.number == held)
    elif winner is not None:
        pool, rule = winner, "the first pool whose filters match and that has numbers"
        number = pick(winner.numbers, caller_id)
    elif ordered and ordered[-1].numbers:
        pool, rule = ordered[-1], "no filters match: the last pool is the fallback"
        number = pick(ordered[-1].numbers, caller_id)
    else:
        pool, rule = None, f"the last pool of kind {kind} has no numbers" if ordered else f"no pool of kind {kind}"
    return number, {
        "step": STEPS[kind],
        "read": {"held": held, "pools": [each.id for each in ordered], "matching": [each.id for each in matching]},
        "decided": number.number if number else None,
        "rule": rule,
        "record": pool.id if pool else None,
    }


def pick(numbers: Sequence[Number], caller_id: str) -> Number:
    """A lead's number of a pool, always the same: rendezvous hashing, so that a new number moves few leads."""
    return max(numbers, key=lambda each: hashlib.sha256(f"{each.number} {caller_id}".encode()).digest())


def folded(value: Any) -> str:
    """A text as filters compare it."""
    return plain(value).strip().casefold()
