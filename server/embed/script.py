"""The script as written in `snippet/`, made small once a process; and with one configuration in it."""

from functools import cache
from pathlib import Path
from typing import Any

from server.embed.rules import spelt

FOLDER = Path(__file__).parents[2] / "snippet"
# What the script is called with as it stands in its file, and what takes its place while it is made small.
ARGUMENT = '{ token: "YOUR_TOKEN", endpoint: "https://your-domain.com/api/v1/leads" }'
PLACE = "HANDRAISER_CONFIGURATION"
LAST_LINE = f"}})({ARGUMENT});\n"


def source(name: str) -> str:
    """A file of the folder."""
    return (FOLDER / name).read_text(encoding="utf-8")


@cache
def around() -> tuple[str, str]:
    """The small script before its configuration and after it."""
    written = source("handraiser.js")
    if not written.endswith(LAST_LINE):
        raise ValueError(f"snippet/handraiser.js does not end with {LAST_LINE!r}")
    before, place, after = small(written.removesuffix(LAST_LINE) + LAST_LINE.replace(ARGUMENT, PLACE)).rpartition(PLACE)
    if not place:
        raise ValueError("the configuration of snippet/handraiser.js has no place left")
    return before, after


@cache
def check_script() -> bytes:
    """The second file, which shows what was found on a page."""
    return small(source("check.js")).encode()


def small(written: str) -> str:
    """A script without comments, blanks and long names."""
    import minify  # noqa: PLC0415 - a library of Go's with threads of its own, for whoever serves scripts

    # What it makes shorter it spells as of the year that the script is written in.
    minify.config({"js-version": 2018})
    made: str = minify.string("application/javascript", written)
    return made


def with_configuration(known: dict[str, Any]) -> bytes:
    """The whole file."""
    before, after = around()
    return f"{before}{spelt(known)}{after}\n".encode()
