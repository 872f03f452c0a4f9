"""What validated values mean: numbers, addresses, times."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from server.errors import Refused
from server.leads.normalise import TIMES, in_zone, missing_phone, normalise_email, normalise_phone, normalise_times
from server.leads.params import PHONE_NAMES, Asked
from server.leads.schemas import Time
from tests.unit import table

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
TEXT = "Must be a valid time: 2026-11-23 06:00:00 +0000"
HINTS = {
    "invalid": "",
    "epoch": " (seconds since 1970 are not read)",
    "range": ", from the year 2000 to five years from now",
}
# Zones with large, small, odd, reversed and no changes of their clocks.
ZONES = [
    "UTC",
    "America/New_York",
    "Europe/Dublin",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Africa/Casablanca",
    "America/Sao_Paulo",
    "Antarctica/Troll",
]


def asked(**fields: Any) -> Asked:
    """A request with these fields."""
    return Asked(fields, {}, {})


def read_time(text: str, zone: str) -> datetime:
    """A time on its whole way; raises ValidationError or Refused."""
    wanted = asked(next_action_at=Time().deserialize(text))
    normalise_times(wanted, zone, NOW)
    instant: datetime = wanted.fields["next_action_at"]
    return instant


# Times


@pytest.mark.parametrize("row", table("times.csv"), ids=lambda row: row["case"])
def test_a_time_is_an_instant_or_is_refused(row: dict[str, str]) -> None:
    with time_machine.travel(NOW, tick=False):
        if row["instant"] in HINTS:
            with pytest.raises((ValidationError, Refused)) as caught:
                read_time(row["text"], row["zone"])
            assert texts_of(caught.value) == [TEXT + HINTS[row["instant"]]]
        else:
            assert read_time(row["text"], row["zone"]) == datetime.fromisoformat(row["instant"])


def texts_of(error: ValidationError | Refused) -> list[str]:
    """What the sender reads."""
    return error.errors["next_action_at"] if isinstance(error, Refused) else [str(text) for text in error.messages]


def test_both_times_of_a_request_are_read_and_named() -> None:
    assert set(TIMES) == {"next_action_at", "schedule_callback_at"}
    for name in TIMES:
        wanted = asked(**{name: datetime(2026, 12, 1, 9)})  # noqa: DTZ001 - as the reader hands over what has no offset
        normalise_times(wanted, "America/New_York", NOW)
        assert wanted.fields == {name: datetime(2026, 12, 1, 14, tzinfo=UTC)}
        with pytest.raises(Refused) as caught:
            normalise_times(asked(**{name: NOW + timedelta(days=6 * 366)}), "UTC", NOW)
        assert (caught.value.code, list(caught.value.errors)) == ("invalid_parameter", [name])


@given(
    st.datetimes(datetime(2000, 1, 2), datetime(2031, 1, 1)).map(lambda time: time.replace(microsecond=0)),  # noqa: DTZ001
    st.sampled_from(ZONES),
)
@settings(max_examples=400)
def test_a_local_time_is_the_first_instant_at_which_clocks_show_it_or_more(time: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    instant = in_zone(time, name)
    assert instant.tzinfo is UTC
    shown = instant.astimezone(zone).replace(tzinfo=None)
    before = (instant - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None)
    assert before < time <= shown
    # Were it shown earlier too, the two readings would be an overlap apart.
    earlier = [instant - timedelta(minutes=minutes) for minutes in (30, 60, 120)]
    assert all(at.astimezone(zone).replace(tzinfo=None) != time for at in earlier)


@given(st.datetimes(datetime(2000, 1, 2), datetime(2031, 1, 1), timezones=st.timezones()), st.sampled_from(ZONES))  # noqa: DTZ001
def test_a_time_with_an_offset_is_that_instant_in_every_zone(time: datetime, name: str) -> None:
    assert in_zone(time, name) == time.astimezone(UTC)


# Numbers


def test_a_number_is_normalised_and_what_was_sent_is_named_in_the_refusal() -> None:
    wanted = asked(caller_id="(719) 222-1234")
    assert normalise_phone(wanted, "US").e164 == "+17192221234"
    assert wanted.fields["caller_id"] == "+17192221234"
    with pytest.raises(Refused) as caught:
        normalise_phone(asked(caller_id="9" * 1000), "US")
    assert caught.value.code == "invalid_caller_id"
    assert caught.value.errors == {"caller_id": ["is not a valid phone number"]}
    assert "9" * 64 in caught.value.detail
    assert "9" * 65 not in caught.value.detail


@pytest.mark.parametrize("name", PHONE_NAMES)
def test_a_missing_number_is_told_where_else_one_was_found(name: str) -> None:
    with pytest.raises(Refused) as caught:
        normalise_phone(Asked({}, {"zip": "1", name: "7192221234"}, {}), "US")
    assert caught.value.code == "caller_id_missing"
    assert caught.value.errors == {"caller_id": [f"is missing; you sent `{name}`"]}


def test_a_missing_number_is_named_by_the_likeliest_key_and_its_value_by_none() -> None:
    refusal = missing_phone({"mobile": "7192221234", "phone": "7192225678"})
    assert refusal.message == "caller_id is missing; you sent `phone`"
    assert missing_phone({"zip": "1"}).message == "caller_id is missing"
    assert "719" not in refusal.detail


# Addresses


def test_an_address_is_stripped_and_spelt_one_way() -> None:
    wanted = asked(email=" John@EXAMPLE.com ")
    normalise_email(wanted)
    assert (wanted.fields, wanted.tokens, wanted.warnings) == ({"email": "John@example.com"}, {}, [])


def test_a_text_that_is_no_address_is_kept_as_a_token() -> None:
    wanted = asked(email="john@example")
    normalise_email(wanted)
    assert (wanted.fields, wanted.tokens) == ({}, {"email_raw": "john@example"})
    assert [(warning["param"], warning["code"]) for warning in wanted.warnings] == [("email", "invalid_email")]


def test_no_address_is_nothing_to_say() -> None:
    wanted = asked()
    normalise_email(wanted)
    assert (wanted.fields, wanted.tokens, wanted.warnings) == ({}, {}, [])
