"""Which of a person's numbers one is: mobile before phone before home before work, the first before the second."""

import re

from server.foreign.words import spelt

MOBILE, PHONE, HOME, WORK, FORMER = range(5)

# The last of these that a name says counts.
KINDS = (
    (
        MOBILE,
        re.compile(
            r"mobil|cell|\bhandy|whatsapp|celular|movil|portable|smartphone|\bgsm\b|携帯|手机|手機|휴대폰|мобильн"
        ),
    ),
    (HOME, re.compile(r"\b(?:home|house|landline|land line|residence|privat\w*|casa|domicile|thuis)\b|домашн|自宅")),
    (WORK, re.compile(r"\b(?:work|job|daytime|trabajo|travail|trabalho|lavoro|arbeit|werk|dienstlich)\b|рабоч")),
    (FORMER, re.compile(r"\b(?:old|former|previous|prior|invalid|bad|wrong|last known)\b")),
)
FIRST = re.compile(r"\b(?:primary|main|default|preferred|best|first|1st)\b")
FURTHER = re.compile(r"\b(?:secondary|second|2nd|alternate|alternative|alt|other|additional|backup|another)\b")
NUMBERED = re.compile(r"(\d{1,2})$", re.A)


def kind_of(trail: tuple[str, ...]) -> int:
    """The kind of a number, by the nearest name that says one."""
    for name in reversed(trail):
        words = spelt(name)
        # `work mobile` is a mobile, `old mobile` is none that one calls.
        found = [kind for kind, said in KINDS if said.search(words)]
        if found:
            return FORMER if FORMER in found else min(found)
    return PHONE


def order_of(trail: tuple[str, ...]) -> int:
    """Which of several it is, by its nearest name, or by any that says it is a further one: none or the first is 0."""
    if any(FURTHER.search(spelt(name)) for name in trail):
        return 2
    words = spelt(trail[-1]) if trail else ""
    number = NUMBERED.search(words)
    return int(number[1]) if number and not FIRST.search(words) else 0
