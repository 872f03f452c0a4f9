"""What the pages list and count is what the code has: names, limits, settings, codes."""

import re

import pytest

from server.api.batch import BATCH, MOST_LEADS
from server.config import Settings
from server.docs.handmade import read_page
from server.docs.words import WORDS
from server.leads.models import STATUSES
from server.leads.params import CONTROLS
from server.leads.substitute import SYSTEM_TOKENS
from server.leads.tokens import LARGEST_VALUE, LONGEST_NAME, MOST_TOKENS
from server.leads.wishes import CALLBACKS, PUBLIC_FIELDS, PUBLIC_IF_TRUE
from server.lib.wire import LIMITS
from server.offers.schemas import AcceptanceSchema
from server.periods import KEY_KEPT, NAMED, spoken
from tests.docs.pages import pages

PAGES = pages()
TOKENS = dict(PAGES["lead-tokens"].sections(3))


def named(text: str) -> list[str]:
    """What stands there as code and could be a name."""
    return re.findall(r"`([a-z_][a-z_0-9]*)(?:=true)?`", text)


def rows(text: str) -> dict[str, list[str]]:
    """A table by its first column, without its head."""
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in re.findall(r"^\|.*\|$", text, re.M)]
    return {cells[0]: cells[1:] for cells in found[2:]}


def test_every_system_token_is_listed_and_no_other() -> None:
    listed = [name for cell in rows(TOKENS["System tokens"]) for name in named(cell)]
    assert sorted(listed) == sorted(SYSTEM_TOKENS)


def test_every_reserved_name_that_is_no_parameter_is_listed_and_no_other() -> None:
    listed = TOKENS["Reserved names"].partition("One that is sent")[0]
    assert sorted(named(listed)) == sorted(CONTROLS)


def test_what_a_publishable_token_may_wish_is_listed_and_no_more() -> None:
    wishes = TOKENS["Kinds of token"].partition("may wish:**")[2].partition("Anything else")[0]
    assert sorted(named(wishes)) == sorted(PUBLIC_FIELDS | PUBLIC_IF_TRUE | CALLBACKS)


def test_the_limits_of_tokens_are_those_of_the_code() -> None:
    told = {name: re.findall(r"\d[\d,]*\d|\d", cells[0]) for name, cells in rows(TOKENS["Limits"]).items()}
    assert told == {
        "a name": [str(LONGEST_NAME)],
        "a value": [f"{LARGEST_VALUE:,}"],
        "tokens of one request": [str(MOST_TOKENS)],
        "token names of a company": [f"{Settings().token_names:,}"],
        "a request": [str(LIMITS.body_bytes // 1024), str(LIMITS.fields), str(LIMITS.depth)],
    }


def test_the_limits_of_a_batch_are_those_of_the_code() -> None:
    told = rows(dict(PAGES["batches-and-reconciliation"].sections(3))["Limits of a batch"])
    assert told["leads"] == [f"1 to {MOST_LEADS:,}"]
    assert told["the body"] == [f"{BATCH.body_bytes // 1024**2} MB"]
    assert told["each lead"][0].startswith(f"{LIMITS.body_bytes // 1024} KB")


def test_the_rate_limits_are_the_settings_with_their_defaults() -> None:
    told = rows(dict(PAGES["rate-limits"].sections(2))["Which limits there are"])
    text = dict(PAGES["rate-limits"].sections(2))["Which limits there are"]
    assert told
    for name in ("address_limit", "number_limit", "token_limit", "guess_limit"):
        setting, default = f"HANDRAISER_{name.upper()}", f"{getattr(Settings(), name):,}"
        lines = [line for line in text.splitlines() if f"`{setting}`" in line]
        assert lines, setting
        assert all(f" {default}" in line for line in lines), setting


# A period as somebody would type it: `14 days`, `ten minutes`.
TYPED = re.compile(r"\b(\d+|seven|ten|fourteen|thirty)( (?:minutes|hours|days|weeks))\b")
DIGITS = {"seven": "7", "ten": "10", "fourteen": "14", "thirty": "30"}


@pytest.mark.parametrize("slug", sorted(set(PAGES) - {"changelog"}))
def test_a_page_types_no_period_that_the_code_knows(slug: str) -> None:
    typed = {DIGITS.get(number, number) + unit for number, unit in TYPED.findall(PAGES[slug].text)}
    assert typed & {spoken(each) for each in NAMED.values()} == set()


def test_the_documentation_prints_every_period_of_the_code() -> None:
    printed = {name for page in PAGES.values() for name in re.findall(r"{{ period\.(\w+) }}", page.text)}
    assert printed == set(NAMED)


def test_a_period_is_printed_as_it_is_said() -> None:
    page = read_page("idempotency-and-retries", "https://leads.example", "TOKEN")
    assert f"<td>{spoken(KEY_KEPT)}</td>" in page.html
    assert all("{{ period" not in read_page(slug, "https://leads.example", "TOKEN").html for slug in PAGES)


def test_every_acceptance_rule_is_named_for_who_moves() -> None:
    text = PAGES["moving-from-trackdrive"].text
    for name in AcceptanceSchema().fields:
        # Two that belong together are written as one and the end of the other.
        assert f"`{name}`" in text or name == "number_length_max", name
    assert "`number_length_min` and `…_max`" in text


def test_the_glossary_is_in_the_order_of_its_words() -> None:
    words = [re.sub(r"[^a-z]", "", cell.lower().partition("(")[0]) for cell in rows(PAGES["glossary"].text)]
    assert words == sorted(words)
    assert len(words) >= 40


def test_the_changelog_has_the_newest_first() -> None:
    dates = [text for level, text in PAGES["changelog"].headings if level == 2]
    assert dates == sorted(dates, reverse=True)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", date) for date in dates)


def test_every_status_of_a_lead_is_named_and_no_other() -> None:
    assert sorted(named(WORDS["lead.status"])) == sorted(STATUSES)
