"""The whole telephone number of a page's form, which may ask for it in parts or keep it in a second field. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from server.foreign.pieces import digits_of, join_list, join_pieces, part_of
from server.foreign.words import says_phone
from server.lib.phone import parse

# Nobody's whole number has so few digits, and what follows a country's code has more.
LONGEST_PART = 5
# So many digits at its end are the same in a number and in its international form.
TAIL = 6
MOST_PARTS = 3
DEEPEST = 3
INTERNATIONAL = re.compile(r"\s*\+?[1-9][\d ().\-]{6,24}", re.A)
DIALS = re.compile(
    r"dial(?:l?ing)?(?:.?code)?$|calling.?code|prefijo|indicati|(?:country|phone|intl).?(?:code|prefix)", re.I
)
DIALLED = re.compile(r"\D{0,60}?(\d{1,4})\D{0,5}", re.A)
CODE = re.compile(r"\s*(?:\+|00)\s*(\d{1,4})\s*", re.A)


def whole_number(said: str, tokens: Mapping[str, Any], region: str) -> str | None:
    """The number of which a page sends `said` as the caller id, with what stands in its other fields; None where that
    is all of it."""
    code = CODE.fullmatch(said)
    own = "" if code else digits_of(said)
    if not own and not code:
        return None
    fields = list(texts(tokens))
    if code:
        rest = next((digits for name, text in fields if says_phone(name) and len(digits := digits_of(text)) > 3), "")
        return sound(f"+{code[1]}{rest}", region) if rest else None
    return kept_whole(own, fields, region) or dialled(own, fields, region) or joined(own, fields, region)


def kept_whole(own: str, fields: list[tuple[str, str]], region: str) -> str | None:
    """The number that a widget keeps for the page's server: it ends as that which the visitor sees, and begins with a
    country's code."""
    if len(own) < TAIL:
        return None
    for _, text in fields:
        whole = re.sub(r"\D", "", text) if INTERNATIONAL.fullmatch(text) else ""
        if len(whole) > len(own) and whole.endswith(own[-TAIL:]) and sound(f"+{whole}", region):
            return f"+{whole}"
    return None


def dialled(own: str, fields: list[tuple[str, str]], region: str) -> str | None:
    """The number with the country's code that a menu beside it says."""
    for name, text in fields if len(own) >= TAIL else ():
        code = DIALLED.fullmatch(text) if DIALS.search(name) else None
        if code and sound(f"+{code[1]}{own}", region):
            return f"+{code[1]}{own}"
    return None


def joined(own: str, fields: list[tuple[str, str]], region: str) -> str | None:
    """The number whose first part, or whose part after the area, is `own`; none where that is a number by itself."""
    parts = [digits for name, text in fields if (part_of(name) or says_phone(name)) and (digits := digits_of(text))]
    if len(own) <= LONGEST_PART:
        candidates = [join_list([own, *parts[:count]]) for count in range(min(MOST_PARTS, len(parts)), 0, -1)]
    elif parse(own, region) is None:
        candidates = [join_pieces(dict(fields) | {"phone": own}).get("phone")]
    else:
        candidates = []
    return next((each for each in candidates if each and sound(each, region)), None)


def sound(number: str, region: str) -> str | None:
    """The number, if there is such a one."""
    return number if parse(number, region) is not None else None


def texts(tree: Mapping[str, Any], name: str = "") -> Iterator[tuple[str, str]]:
    """Each text with its name, that of a member with the names around it."""
    for key, value in tree.items():
        called = f"{name} {key}" if name else key
        if isinstance(value, dict) and called.count(" ") < DEEPEST:
            yield from texts(value, called)
        else:
            for text in value if isinstance(value, list) else [value]:
                if isinstance(text, str) and text.strip():
                    yield called, text
