"""Which of several values fills a field, why, and what was passed over."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from server.foreign.kinds import kind_of, order_of
from server.foreign.owner_words import WEAK
from server.foreign.owners import LEAD, POSTAL, STRANGER, TAKEN_BACK, Whose, is_noun, whose
from server.foreign.reading import SHAPED, TOLD, Claim
from server.lib import email, phone

LONGEST = 255
# To look closely costs; who sends thousands of numbers means none of them more than the first ones.
MOST_RANKED = 500
MOST_JUDGED = 20
MOST_NAMED = 10

# Words for the lead whose number is one to call.
CALLING = WEAK | {"caller", "calling", "ani", "cli", "clid", "remote", "external"}

# What a vendor says of itself is nobody's.
NOBODYS = frozenset({"traffic_source_id", "sub_id", "vendor_lead_id"})


@dataclass(frozen=True, slots=True)
class Ranked:
    """A claim, whose value it is, and its place among the others of its field: the smallest goes first."""

    claim: Claim
    whose: Whose
    place: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """What fills a field, if anything does; of a number the region that it is dialled from, if the payload says one."""

    claim: Claim | None
    region: str | None
    rule: str
    passed: tuple[dict[str, str], ...]


NO_CHOICE = Choice(None, None, "", ())


def choose(field: str, claims: Iterable[Claim], region: str) -> Choice:
    """The first claim that is sound and not a stranger's. A wrong number that is told is better than none: the sender
    hears of it."""
    own = islice((claim for claim in claims if claim.field == field and len(str(claim.value)) <= LONGEST), MOST_RANKED)
    ranked = sorted((rank(claim) for claim in own), key=lambda each: each.place)
    usable = [each for each in ranked if each.whose.standing != STRANGER]
    taken, found = None, None
    for each in usable[:MOST_JUDGED]:
        found = sound(each.claim, region)
        if found is not None:
            taken = each
            break
    if taken is None:
        taken = next((each for each in usable[:MOST_JUDGED] if each.claim.sure < SHAPED), None)
        found = taken.claim.region or region if taken else None
    dialled = found if found != region else None
    passed = tuple(passed_over(each, taken) for each in ranked if each is not taken)[:MOST_NAMED]
    return Choice(taken.claim if taken else None, dialled, rule_of(taken) if taken else "", passed)


def rank(claim: Claim) -> Ranked:
    """Where a claim stands: told, called, or only shaped so; then whose it is; then which of a person's numbers."""
    if claim.field in NOBODYS:
        return Ranked(claim, Whose(LEAD), (claim.sure,))
    owner = whose(claim.trail, claim.field in POSTAL)
    manner = 0 if claim.sure == TOLD else 2 if claim.sure == SHAPED and not is_callers(claim) else 1
    kind = (kind_of(claim.trail), order_of(claim.trail)) if claim.field == "caller_id" else (0, 0)
    # Strangers' come first among what was passed over: they are what the sender asks about.
    return Ranked(claim, owner, (owner.standing != STRANGER, manner, owner.standing, *kind, claim.sure))


def is_callers(claim: Claim) -> bool:
    """Whether a number stands right under a word for the lead, such as `from` or `caller.number`; a customer's number
    may be his id."""
    standing, word = whose(claim.trail[-2 if claim.trail and is_noun(claim.trail[-1]) else -1 :])
    return standing == LEAD and (word in CALLING or not str(claim.value).strip().isdigit())


def sound(claim: Claim, region: str) -> str | None:
    """The region in which a value is what it should be; None where it is not."""
    text = str(claim.value)
    if claim.field == "caller_id":
        # Where its owner lives helps only where the number is none at home.
        regions = (claim.region,) if claim.region else (region, claim.postal) if claim.postal else (region,)
        return next((each for each in regions if each and phone.parse(text, each) is not None), None)
    return None if claim.field == "email" and email.normalise(text.strip()) is None else region


def rule_of(taken: Ranked) -> str:
    """Why a value was taken before all others."""
    standing, word = taken.whose
    if taken.claim.sure == TOLD:
        return "the payload itself tells what it is"
    if standing == TAKEN_BACK:
        return f"`{word}` stands nearer to it than the word for somebody else"
    how = "by its shape, as no name says more" if taken.claim.sure == SHAPED else "by its name"
    return f"the lead's own, says `{word}`; {how}" if standing == LEAD and word else f"nobody else's; {how}"


def passed_over(each: Ranked, taken: Ranked | None) -> dict[str, str]:
    """What was not taken, and why."""
    return {"from": each.claim.path, "reason": reason_for(each, taken)}


def reason_for(each: Ranked, taken: Ranked | None) -> str:
    """Why a value was not taken."""
    standing, word = each.whose
    if standing == STRANGER:
        return f"it is not the lead's own: `{word}`"
    if taken is None or each.place < taken.place:
        return f"it is no {'phone number' if each.claim.field == 'caller_id' else 'value'} that can be used"
    if taken.whose.standing < standing:
        return f"`{taken.whose.word}` goes first" if taken.whose.word else f"`{word}` has a stranger above it"
    return "another goes first: mobile, phone, home, work; then by its place in the payload"


def said_of_strangers(passed: Collection[dict[str, Any]]) -> str:
    """What was seen in place of the lead's number, for who has to correct it."""
    named = [f"{each['from'][:80]} ({each['reason']})" for each in list(passed)[:3]]
    return "; ".join(named) + (f"; and {len(passed) - 3} more" if len(passed) > 3 else "")
