"""Phone numbers as people type them, and texts that are none."""

import time
from datetime import date

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.lib.phone import NEW_AREAS, Phone, parse, region_of, region_of_code
from tests.pace import slowness
from tests.unit import table


@pytest.mark.parametrize("row", table("phones.csv"), ids=lambda row: row["case"])
def test_a_number_is_read_as_it_was_meant_or_not_at_all(row: dict[str, str]) -> None:
    flags = row["flags"].split()
    expected = Phone(row["e164"], "test" in flags, "vanity" in flags) if row["e164"] else None
    assert parse(row["raw"], row["region"]) == expected


def by_library(text: str, region: str = "US") -> str | None:
    """What the library makes of the text."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@pytest.mark.parametrize("exchange", ["200", "222", "299", "411", "555", "700", "911", "999"])
def test_every_area_of_the_united_states_is_judged_as_the_library_does(exchange: str) -> None:
    for area in range(200, 1000):
        if str(area) in NEW_AREAS:
            continue
        text = f"{area}{exchange}1234"
        phone = parse(text, "US")
        assert (phone and phone.e164) == by_library(text), text


@pytest.mark.parametrize("area", NEW_AREAS)
def test_an_area_that_the_library_does_not_know_yet_is_one_of_the_united_states(area: str) -> None:
    assert date.fromisoformat(NEW_AREAS[area]) < date(2026, 12, 1)
    for text in (f"{area}2221234", f"({area}) 222-1234", f"+1{area}2221234", f"1 {area} 222 1234", f"001{area}2221234"):
        assert parse(text, "US") == Phone(f"+1{area}2221234", test=False, vanity=False)
    assert parse(f"+1{area}2221234", "GB") == Phone(f"+1{area}2221234", test=False, vanity=False)
    assert region_of(f"+1{area}2221234") == "US"
    for text in (f"{area}1221234", f"{area}9111234", f"{area}222123", f"{area}22212345"):
        assert parse(text, "US") is None
    assert parse(f"{area}5550123", "US") == Phone(f"+1{area}5550123", test=True, vanity=False)


@pytest.mark.parametrize("area", ["200", "212", "242", "416", "500", "719", "800", "900", "983", "999"])
def test_every_way_to_write_a_number_is_judged_as_the_library_does(area: str) -> None:
    for text in (
        f"+1{area}2221234",
        f"1{area}2221234",
        f"({area}) 222-1234",
        f"+1 ({area}) 222-1234",
        f"{area}.222.1234",
        f"1-{area}-222-1234",
        f"1.{area}.222 1234",
        f"({area})2221234\n",
        f"{area}222-1234",
        f"{area}/222/1234",
        f"{area} - 222 - 1234",
    ):
        for region in ("US", "CA", "GB"):
            phone = parse(text, region)
            assert (phone and phone.e164) == by_library(text, region), (text, region)


@pytest.mark.parametrize(
    "number", ["0", "00", "000", "08", "100", "101", "102", "110", "111", "112", "115", "118", "119"]
)
def test_no_short_number_is_valid_anywhere(number: str) -> None:
    _assert_invalid_everywhere(number)


@pytest.mark.parametrize("number", ["117", "122", "133", "144", "190", "191", "192", "193", "911", "988", "995", "999"])
def test_no_emergency_number_is_valid_anywhere(number: str) -> None:
    _assert_invalid_everywhere(number)


def _assert_invalid_everywhere(number: str) -> None:
    for region in phonenumbers.SUPPORTED_REGIONS:
        for text in (number, f" {number}", f"+{number}", f"+1{number}"):
            assert parse(text, region) is None, (text, region)


def test_every_region_reads_its_own_example_number() -> None:
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        number = phonenumbers.example_number(region)
        assert number is not None
        national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        for text in (national, e164):
            phone = parse(text, region)
            assert phone is not None, (text, region)
            assert phone.e164 == e164


def test_a_text_of_more_than_64_characters_is_no_number() -> None:
    assert parse("7192221234".ljust(64), "US") == Phone("+17192221234", False, False)
    assert parse("7192221234".ljust(65), "US") is None


@pytest.mark.parametrize(
    "text", ["1" * 100_000, " " * 100_000, "7" + " " * 100_000, "1-800-" + "A " * 29, "(" * 64, "1 " * 32]
)
def test_no_text_takes_long(text: str) -> None:
    started = time.process_time()
    parse(text, "US")
    assert time.process_time() - started < 0.05 * slowness()


SIGNS = st.text("0123456789+ ()-./xeXT;=:tlABC\u00a0\u200b\u0661\uff0b\0\n", max_size=20)


@given(st.text(max_size=70) | SIGNS, st.sampled_from(["US", "GB", "DE", "IN", "BS", "XX", ""]))
@settings(deadline=None, max_examples=400)
def test_no_text_makes_the_reader_stumble_and_what_it_reads_exists(text: str, region: str) -> None:
    phone = parse(text, region)
    if phone is not None:
        known = phone.test or phone.e164[2:5] in NEW_AREAS
        assert known or by_library(phone.e164) == phone.e164
        assert parse(phone.e164, region) == phone._replace(vanity=False)


@pytest.mark.parametrize(
    ("e164", "region"),
    [
        ("+17192221234", "US"),
        ("+14162221234", "CA"),
        ("+442079460958", "GB"),
        ("+80012345678", None),
        ("+12425550123", "BS"),
        ("7192221234", None),
        ("", None),
    ],
)
def test_a_number_has_a_region_unless_it_belongs_to_none(e164: str, region: str | None) -> None:
    assert region_of(e164) == region


@pytest.mark.parametrize(("code", "region"), [(1, "US"), (44, "GB"), (52, "MX"), (800, None), (999, None), (0, None)])
def test_a_calling_code_has_a_main_region(code: int, region: str | None) -> None:
    assert region_of_code(code) == region
