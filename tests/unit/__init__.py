"""Rules and readers by themselves: no Flask, no database; cases stand in the tables of tests/data."""

import csv
from pathlib import Path

DATA = Path(__file__).parent.parent / "data"


def table(name: str) -> list[dict[str, str]]:
    """The rows of a table of cases. Backslash escapes, such as a zero-width space's, stand for their characters."""
    with (DATA / name).open(newline="", encoding="utf-8") as file:
        return [{column: _unescaped(cell) for column, cell in row.items()} for row in csv.DictReader(file)]


def _unescaped(cell: str) -> str:
    return cell.encode("latin-1", "backslashreplace").decode("unicode_escape")
