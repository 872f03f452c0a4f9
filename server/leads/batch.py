"""take_batch: many leads in few statements, each decided by itself, as if they had come one after the other.

Most leads of a batch are new, and nothing of one bears on another. Those share one reading and one write. All that
could meet something that is stored, or another lead of the batch, goes the ordinary way after them, in its order.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from server.errors import Refused
from server.lead_tokens.queries import find_grant
from server.lead_tokens.rules import Grant
from server.leads import rows, state
from server.leads.admission import dry_run
from server.leads.intake import charge, plan_or_refusal, take_lead, turned_away
from server.leads.limits import Limits
from server.leads.params import sent_token
from server.leads.plan import Plan
from server.leads.posting import Posting
from server.leads.record import Record, use_is_due
from server.leads.refusal import refusal_arms, refusal_values
from server.leads.room import keeping
from server.leads.settle import Taken, conclude, refused, settle_or_refuse
from server.leads.state import StaleGrant, State
from server.lib import json
from server.lib.ledger import Arm, Ledger, Runner, Values, WriteFailed
from server.offers.acceptance import StoredFacts

# So many share one commit: more would gain little, and others wait as long for SQLite's one writer.
PART = 500


@dataclass(slots=True, eq=False)
class Item:
    """One lead of a batch, as far as it can be judged without the database, and in the end what became of it."""

    posting: Posting
    grant: Grant
    planned: Plan | Refused
    taken: Taken | None
    # The keys by which a repetition is known, and what ties it to another request at all: its number too.
    keys: list[str]
    marks: list[str]

    @property
    def dry(self) -> bool:
        """Whether nothing of it may be kept."""
        return dry_run(self.posting)

    @property
    def may_be_new(self) -> bool:
        """Whether it makes new rows and nothing else, if its number and its keys are new."""
        plan = self.planned
        return not self.dry and (isinstance(plan, Refused) or (plan.may_create and not plan.grant.acceptance.ip_limit))


def take_batch(runner: Runner, postings: Sequence[Posting], limits: Limits | None) -> list[Taken]:
    """How each lead ended, in order; one that the database could not take is a refusal with code `unavailable`."""
    # Else the first goes alone, and this process knows what it needs to.
    first = 0 if is_ready(runner, postings[0]) else 1
    taken = [take_alone(runner, posting, limits) for posting in postings[:first]]
    for start in range(first, len(postings), PART):
        # A database that takes nothing now would let each part wait as long again.
        if any(end.unavailable for end in taken):
            return taken + [unavailable()] * (len(postings) - len(taken))
        taken += take_part(runner, postings[start : start + PART], limits)
    return taken


def is_ready(runner: Runner, posting: Posting) -> bool:
    """Whether this process knows the token as it is now, and its use is noted."""
    grant = find_grant(sent_token(posting.tree)[0])
    if grant is None or use_is_due(grant, posting.now):
        return False
    try:
        runner.run(lambda ledger: state.check_version(ledger, grant))
    except (StaleGrant, WriteFailed):
        return False
    return True


def take_part(runner: Runner, postings: Sequence[Posting], limits: Limits | None) -> list[Taken]:
    """The same for so many that they share a commit."""
    items = [judge(posting, limits) for posting in postings]
    known = [item for item in items if item is not None and item.taken is None]
    take_new(runner, list(apart(known)))
    for dry, group in groupby((item for item in known if item.taken is None), key=lambda item: item.dry):
        take_in_turn(runner, list(group), together=runner.shares_commits and not dry)
    return [(item and item.taken) or take_alone(runner, posting) for item, posting in zip(items, postings, strict=True)]


def judge(posting: Posting, limits: Limits | None) -> Item | None:
    """A lead with its token's grant and its plan, counted, or turned away; None if there is no such token."""
    grant = find_grant(sent_token(posting.tree)[0])
    if grant is None:
        return None
    planned = plan_or_refusal(posting, grant, limits)
    limited = turned_away(limits, posting, grant, planned)
    if limits is not None and limited is None:
        posting.keeping = keeping(limits.refusals, posting, grant, planned)
    if isinstance(planned, Refused):
        return Item(posting, grant, planned, limited, keys=[], marks=[])
    keys = [key for key in (planned.idempotency_key, planned.vendor_lead_id) if key is not None]
    return Item(posting, grant, planned, limited, keys, [planned.phone.e164, *keys])


def apart(items: Sequence[Item]) -> Iterator[Item]:
    """Those that may be new, share nothing with one before them, and are under the configuration of the first."""
    seen: set[str] = set()
    for item in items:
        first = items[0].grant
        same = (item.grant.company_id, item.grant.config_version) == (first.company_id, first.config_version)
        if same and item.may_be_new and seen.isdisjoint(item.marks):
            yield item
        seen.update(item.marks)


def take_new(runner: Runner, items: Sequence[Item]) -> None:
    """Takes those whose numbers and keys turn out to be new."""
    if items:
        settle_together(runner, items, settle_new)


def take_in_turn(runner: Runner, items: Sequence[Item], together: bool) -> None:
    """Takes one after the other in the ordinary way; `together` in one commit."""
    if not together:
        finish((item, take_alone(runner, item.posting), None) for item in items)
        return
    settle_together(runner, items, settle_each)


Settled = tuple[Item, Taken, Record | None]


def settle_together(
    runner: Runner, items: Sequence[Item], settle: Callable[[Ledger, Sequence[Item]], list[Settled]]
) -> None:
    """Settles them in one job; if the configuration has changed meanwhile, they are left as they are."""
    try:
        settled = runner.run(lambda ledger: settle(ledger, items))
    except StaleGrant:
        return
    except WriteFailed:
        settled = [(item, unavailable(), None) for item in items]
    for item, taken, _ in settled:
        charge(item.posting, taken)
    finish(settled)


def finish(settled: Iterable[Settled]) -> None:
    """Notes how each ended, now that it is committed."""
    for item, taken, record in settled:
        item.taken = taken
        if record is not None:
            record.remember()


def settle_each(ledger: Ledger, items: Sequence[Item]) -> list[Settled]:
    """Takes or refuses one after the other."""
    return [(item, *settle_or_refuse(ledger, item.posting, item.grant, item.planned)) for item in items]


def settle_new(ledger: Ledger, items: Sequence[Item]) -> list[Settled]:
    """Takes those whose number and keys are new, and refuses what is refused whatever is stored: all or none."""
    known = read_known(ledger, items)
    settled: list[Settled] = []
    writes: list[tuple[Sequence[Arm], Values]] = []
    for item in items:
        if not known.isdisjoint(item.marks):
            continue
        try:
            taken, record, arms, values = settle_one(ledger, item)
        except Refused:
            # What is stored may be what was asked for.
            continue
        if all(arm.inserts for arm in arms):
            settled.append((item, taken, record))
            writes.append((arms, values))
    names = {name for _, _, record in settled if record for name in record.new_names}
    if names:
        ledger.write([rows.TOKENS_INSERT[ledger.dialect]], names_values(items[0], names))
    ledger.write_rows(writes)
    return settled


def names_values(item: Item, names: set[str]) -> Values:
    """The values that register names for all of them."""
    return {
        "company_id": item.grant.company_id,
        "now": item.posting.now,
        "token_names": json.dump(sorted(names)),
        "most_token_names": item.grant.most_token_names,
    }


def read_known(ledger: Ledger, items: Sequence[Item]) -> set[str]:
    """Which of their numbers and keys have been seen before; raises StaleGrant."""
    plans = [item.planned for item in items if isinstance(item.planned, Plan)]
    known = state.known_numbers(ledger, items[0].grant, [plan.phone.e164 for plan in plans])
    for vendor_id, grant in {item.grant.vendor_id: item.grant for item in items}.items():
        keys = [key for item in items if item.grant.vendor_id == vendor_id for key in item.keys]
        known |= state.known_keys(ledger, grant, keys)
    return known


def settle_one(ledger: Ledger, item: Item) -> tuple[Taken, Record | None, list[Arm], Values]:
    """What a lead leaves behind if its number and keys are new; raises Refused."""
    plan, posting, grant = item.planned, item.posting, item.grant
    if isinstance(plan, Refused):
        values = refusal_values(posting, grant, plan)
        arms = refusal_arms(posting, grant, values)
        return refused(posting, grant, plan, values), None, arms, values
    taken, record = conclude(ledger, plan, State(None, None, facts=StoredFacts(now=plan.now)), None)
    # The names of all are written at once.
    arms = [arm for arm in record.arms if arm is not rows.TOKENS_INSERT[ledger.dialect]]
    return taken, record, arms, record.values


def take_alone(runner: Runner, posting: Posting, limits: Limits | None = None) -> Taken:
    """One lead in the ordinary way, counted if it was not yet; what is an exception there is an end here."""
    try:
        return take_lead(runner, posting, limits)
    except Refused as error:
        return Taken(refusal=error)
    except WriteFailed:
        return unavailable()


def unavailable() -> Taken:
    """The end of a lead that the database could not take, or of which nobody knows whether it did."""
    text = "The database cannot take this now"
    refusal = Refused("unavailable", text, None, f"{text}. Send this lead again, as it is.")
    return Taken(refusal=refusal, action="unavailable")
