"""A list of numbers as people upload it: JSON or one number a line, to E.164 with every wrong line named. Pure."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from server.lib import phone

MOST_NUMBERS = 10_000
MOST_ERRORS = 100
LONGEST_SHOWN = 64
# Of a line so much is read: the first column stands in it, or is no number.
LONGEST_LINE = 1000
# What spreadsheets write between columns; no number holds one of them.
SEPARATORS = str.maketrans(";\t", ",,")

Entry = tuple[int, Any]


class TooMany(ValueError):
    """The list is longer than one request may be."""


@dataclass(slots=True)
class NumberList:
    """The valid numbers, each once, and what was wrong with the other lines."""

    numbers: list[str] = field(default_factory=list)
    repeated: int = 0
    invalid: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)

    @property
    def valid(self) -> int:
        """How many entries were numbers, each time that one came."""
        return len(self.numbers) + self.repeated

    @property
    def size(self) -> int:
        """How many entries there were."""
        return self.valid + self.invalid


def entries_of(text: str) -> Iterator[Entry]:
    """The first column of each line that is not blank, with the line's number; a header, which holds no digit in it,
    is left out.

    Each line is read by itself: a quote that is never closed spoils its own line and swallows no other.
    """
    first = True
    for number, line in enumerate(text.splitlines(), 1):
        cells = next(csv.reader([line[:LONGEST_LINE].translate(SEPARATORS)]), [])
        if not any(cell.strip() for cell in cells):
            continue
        header = first and not any(map(str.isdigit, cells[0]))
        first = False
        if not header:
            yield number, cells[0]


def read_numbers(entries: Iterable[Entry], region: str) -> NumberList:
    """The numbers of a list; one in it without its country's code is dialled from the region. Raises TooMany."""
    read = NumberList()
    seen: set[str] = set()
    for line, value in entries:
        if read.size >= MOST_NUMBERS:
            raise TooMany
        known = phone.parse(written(value), region)
        if known is None:
            wrong(read, line, value)
        elif known.e164 in seen:
            read.repeated += 1
        else:
            seen.add(known.e164)
            read.numbers.append(known.e164)
    return read


def written(value: Any) -> str:
    """A number as it was typed; a JSON integer is read as its digits, and nothing else is a number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


def wrong(read: NumberList, line: int, value: Any) -> None:
    """Counts an entry that is no number, and names it while there is room."""
    read.invalid += 1
    if len(read.errors) < MOST_ERRORS:
        shown = str(value)[:LONGEST_SHOWN]
        read.errors.append({"line": line, "value": shown, "message": "is not a valid phone number"})
