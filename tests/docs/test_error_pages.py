"""The errors page explains every code that an answer can carry, as server/errors.py has it."""

import re

import pytest

from server.api.answers import RETRIED
from server.config import PROJECT
from server.errors import STATUS_OF_CODE
from server.lib.wire.terms import NOTED
from tests.docs.pages import pages

ERRORS = pages()["errors"]
SECTIONS = ERRORS.sections(3)
# What helps when it is sent again just as it was: what says Retry-After, and what went wrong on our side.
AGAIN = RETRIED | {"unexpected"}
PARTS = ("Means", "Cause", "Cure", "Retry")
# How the source writes the code of a warning.
WARNED = re.compile(r'(?:"code": |asked\.warn\(\s*[^,()]+,\s*|return )"([a-z_]+)",')


def test_every_code_has_one_section_and_no_section_is_of_an_unknown_code() -> None:
    assert sorted(name for name, _ in SECTIONS) == sorted(STATUS_OF_CODE)


@pytest.mark.parametrize(("code", "text"), SECTIONS, ids=[name for name, _ in SECTIONS])
def test_a_section_says_the_status_of_its_code_and_what_to_do(code: str, text: str) -> None:
    assert re.findall(r"\*\*HTTP (\d{3})\*\*", text) == [str(STATUS_OF_CODE[code])]
    for part in PARTS:
        assert len(re.findall(rf"^- \*\*{part}:\*\* \S", text, re.M)) == 1, part


@pytest.mark.parametrize(("code", "text"), SECTIONS, ids=[name for name, _ in SECTIONS])
def test_only_what_may_be_sent_again_as_it_is_says_so(code: str, text: str) -> None:
    said = re.search(r"^- \*\*Retry:\*\* (Yes|No|After)\b", text, re.M)
    assert said is not None
    assert (said[1] == "Yes") == (code in AGAIN)


def test_every_code_of_a_warning_is_in_the_table_and_no_other() -> None:
    paths = [path for folder in ("api", "leads") for path in (PROJECT / "server" / folder).glob("*.py")]
    source = "\n".join(path.read_text() for path in paths)
    warnings = dict(ERRORS.sections(2))["Warnings"]
    assert sorted(re.findall(r"^\| `([a-z_]+)` \|", warnings, re.M)) == sorted({*WARNED.findall(source), *NOTED})
