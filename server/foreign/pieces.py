"""Numbers that came in pieces: `area` and `phone`, an area, an exchange and a line, or `phone1` to `phone3`."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from server.foreign.words import says_phone, spelt

# Digits of one piece: an area has five at most, and what follows it is no whole number.
LONGEST_AREA = 5
LONGEST_REST = 9
SHORT = 4
PLAIN = re.compile(r"[\d ().\-/]{1,16}", re.A)

# How the names of pieces end, without blanks; in front of it stands whose number it is, if anything.
ENDS = (
    ("area", re.compile(r"(?:areacode|area|npa|citycode|stdcode|ddd|lada|vorwahl|prefisso|codigoarea|codigodearea)$")),
    ("middle", re.compile(r"(?:prefix|exchange|nxx|middle|first3|firstthree)$")),
    ("line", re.compile(r"(?:linenumber|line|suffix|subscriber|subscribernumber|last4|lastfour|station)$")),
    (
        "rest",
        re.compile(
            r"(?:local|phone|number|phoneno|mobile|mobil|cell|tel|telefon[eo]?|telefoon|nummer|handy|celular|movil|numero)$"
        ),
    ),
)
PHONES = re.compile(r"(?:phone|number|phoneno|telephone|tel|telefon[eo]?|telefoon|nummer|numero|local)+$")
NUMBERED = re.compile(r"(.*?)(\d)$", re.A)


def join_pieces(tree: Mapping[str, Any], parent: str = "") -> dict[str, str]:
    """The numbers that are in pieces among a thing's members, each by the member of its last piece."""
    pieces: dict[str, dict[str, tuple[str, str]]] = {}
    for name, value in tree.items():
        digits = digits_of(value)
        if digits and (part := part_of(name)) is not None:
            whose, role = part
            pieces.setdefault(whose, {}).setdefault(role, (name, digits))
    found: dict[str, str] = {}
    for parts in pieces.values():
        joined = in_order(parts)
        if joined and (says_phone(parent) or any(says_phone(name) for name, _ in joined)):
            found[joined[-1][0]] = "".join(digits for _, digits in joined)
    return found


def in_order(parts: Mapping[str, tuple[str, str]]) -> list[tuple[str, str]]:
    """The pieces of one number, if they are the pieces of one."""
    last = parts.get("line") or parts.get("rest")
    if last and ("area" in parts or "middle" in parts):
        # A prefix is an area where the rest is long, and an exchange between an area and a line.
        needed = ("area", "middle") if len(last[1]) <= SHORT else ("area",) if "area" in parts else ("middle",)
        pieces = [*(parts[role] for role in needed if role in parts), last]
        return pieces if len(pieces) > len(needed) and fit([digits for _, digits in pieces]) else []
    numbered = [parts[str(number)] for number in range(10) if str(number) in parts]
    first = "0" if "0" in parts else "1"
    if first not in parts or not fit([digits for _, digits in numbered]):
        return []
    in_a_row = all(str(int(first) + index) in parts for index in range(len(numbered)))
    return numbered if in_a_row else []


def join_list(values: Sequence[Any]) -> str | None:
    """The number that a list holds in pieces; None when it holds none, or whole ones."""
    digits = [digits_of(value) for value in values]
    return "".join(digits) if all(digits) and fit(digits) else None


def fit(digits: Sequence[str]) -> bool:
    """Whether these are the pieces of one number; two whole numbers never are."""
    long = [each for each in digits[1:] if len(each) > SHORT]
    return (
        2 <= len(digits) <= 4
        and len(digits[0]) <= LONGEST_AREA
        and len(long) <= 1
        and all(len(each) <= LONGEST_REST for each in digits)
        and 7 <= sum(map(len, digits)) <= 15
    )


def part_of(name: str) -> tuple[str, str] | None:
    """Whose number a member is a piece of, and which piece."""
    compact = spelt(name[:64]).replace(" ", "")
    if compact in ("0", "1", "2", "3", "4"):
        return "", compact
    for role, end in ENDS:
        found = end.search(compact)
        if found is not None:
            return PHONES.sub("", compact[: found.start()]), role
    numbered = NUMBERED.fullmatch(compact)
    if numbered and says_phone(numbered[1]):
        return f"{PHONES.sub('', numbered[1])}#", numbered[2]
    return None


def digits_of(value: Any) -> str:
    """The digits of a piece of a number; none of anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = str(value).strip()
    return "".join(filter(str.isdigit, text)) if PLAIN.fullmatch(text) else ""
