"""Whose number it is: the words for the lead and for everybody else, in the names above a value. Pure.

The rule, read from the outermost name to the nearest: the word that stands nearest to the value decides. A word for
somebody else always decides against what stands further out; a word for the lead takes the value back from it
(`store_customer_phone`), but `contact` and `from` do so for records only (`account.contact`), since everybody has
contact data (`vendor.contact`). What is taken back goes last.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from server.foreign.owner_words import CJK, LEADS, NOUNS, OURS, PHRASES, RECORDS, SMALL, STRANGERS, WEAK, YOU
from server.foreign.words import spelt

# Whose a value is, the surest first; a stranger's is never taken.
LEAD, OPEN, TAKEN_BACK, STRANGER = range(4)

POSTAL = frozenset({"address", "city", "state", "zip"})
LONGEST_COMPOUND = 40
# A name of so many words is a question.
SENTENCE = 5


class Whose(NamedTuple):
    """Whose a value is, and the word that says so."""

    standing: int
    word: str = ""


def whose(trail: Iterable[str], postal: bool = False) -> Whose:
    """Whose a value is, by the names that lead to it, the outermost first."""
    standing, word = Whose(OPEN)
    for name in trail:
        for said in owner_words(spelt(name)):
            if said in STRANGERS:
                # A lead has a location too, and the property of a form is mostly the lead's: places, not numbers.
                if not (postal and (said == "property" or (said == "location" and standing == LEAD))):
                    standing, word = STRANGER, said
            elif standing == STRANGER:
                if said in LEADS or (said in WEAK and word in RECORDS):
                    standing, word = TAKEN_BACK, said
            elif standing == OPEN:
                standing, word = LEAD, said
    return Whose(standing, word)


@lru_cache(maxsize=2048)
def owner_words(words: str) -> tuple[str, ...]:
    """The words for owners in a name, the one nearest to what is asked for last."""
    for phrase, meant in PHRASES:
        words = phrase.sub(meant, words)
    parts = [part for word in CJK.sub(r" \g<0> ", words).split() for part in parts_of(word)]
    asks_you = len(parts) >= SENTENCE and not YOU.isdisjoint(parts)
    noun = max((index for index, part in enumerate(parts) if part in NOUNS), default=len(parts))
    before: list[str] = []
    after: list[str] = []
    for index, part in enumerate(parts):
        if is_owner(parts, index) and not (asks_you and part in STRANGERS):
            (before if index < noun else after).append(part)
    # In `phone_of_agent` what follows the noun is nearest, and no word for the lead there outweighs a stranger's.
    return (*before, *sorted(after, key=lambda part: part in STRANGERS))


def is_owner(parts: list[str], index: int) -> bool:
    """Whether a word of a name says whose the value is; small ones do so in a few places only."""
    part = parts[index]
    if part in SMALL:
        last = index == len(parts) - 1
        return len(parts) < SENTENCE and (index == 0 or last or parts[index + 1] in NOUNS)
    if len(parts) >= SENTENCE and index and parts[index - 1] in OURS:
        # "The phone on which our agent may call": who asks says so of himself.
        return False
    return part in STRANGERS or part in LEADS or part in WEAK


def only_says_whose(text: str) -> bool:
    """Whether a text is about owners and numbers alone: `sales rep` and `home phone` are, a `business loan` is not."""
    return all(part in KNOWN for word in spelt(text).split() for part in parts_of(word))


def is_noun(name: str) -> bool:
    """Whether a name says what a value is, and nothing else."""
    return all(part in NOUNS for word in spelt(name).split() for part in parts_of(word))


def parts_of(word: str) -> Iterator[str]:
    """A word in the singular, and in its parts where several were written as one (`agentphone`, `kundentelefon`)."""
    plain = word.strip("0123456789") or word
    found = known(plain)
    if found is not None:
        yield found
        return
    parts = split(plain) if len(plain) <= LONGEST_COMPOUND and plain.isalpha() else None
    if parts is None:
        yield plain
    else:
        yield from parts


def known(word: str) -> str | None:
    """The word of our lists that it is, in the singular or the plural."""
    for singular in (word, word.removesuffix("s"), word.removesuffix("es"), re.sub("ies$", "y", word)):
        # A wrapper that is called `properties` is about no house.
        if singular in KNOWN and word != "properties":
            return singular
    return None


def split(word: str) -> list[str] | None:
    """The words of our lists that a compound is made of; None when it is not made of them alone."""
    ways: list[list[str] | None] = [[], *[None] * len(word)]
    for end in range(3, len(word) + 1):
        for start in range(max(0, end - 20), end - 2):
            before = ways[start]
            found = known(word[start:end]) if before is not None else None
            if before is not None and found is not None:
                ways[end] = [*before, found]
                break
    return ways[len(word)]


KNOWN = STRANGERS | LEADS | WEAK | NOUNS
