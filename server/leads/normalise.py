"""What validated values mean: a number in E.164, an address, an instant. Pure."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from server.errors import Refused
from server.foreign.countries import beside, countries_in, may_be_country
from server.leads.params import PHONE_NAMES, Asked, invalid
from server.leads.schemas import invalid_time
from server.leads.spelling import meant
from server.lib import email
from server.lib.phone import Phone, parse
from server.offers.contact_fields import ContactFieldType, find_type

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = timedelta(days=5 * 365 + 1)

TIMES = ("schedule_callback_at", "next_action_at")

zone = lru_cache(maxsize=64)(ZoneInfo)


def normalise_phone(asked: Asked, region: str) -> Phone:
    """The lead's number; raises Refused, which says where else a number was found."""
    raw = asked.fields.get("caller_id")
    if raw is None:
        raise missing_phone(asked.tokens)
    phone = parse(raw, region)
    if phone is None:
        text = "is not a valid phone number"
        detail = f"caller_id {raw[:64]!r} {text} in {region}. Send it in E.164, such as +17192221234."
        raise Refused("invalid_caller_id", f"Caller ID {text}", {"caller_id": [text]}, detail)
    asked.fields["caller_id"] = phone.e164
    if phone.vanity:
        asked.warn("caller_id", "vanity", f"caller_id was spelt with letters; it is read as {phone.e164}.")
    return phone


def dialled_from(asked: Asked, region: str) -> str:
    """The region of the number: the one that a token beside it says (`phone_country`, `calling_code` …), else the
    company's. Where the lead lives counts only where the number is none at home."""
    raw = asked.fields.get("caller_id")
    if raw is None or "+" in raw or not any(map(may_be_country, asked.tokens)):
        return region
    own, postal = beside(countries_in(asked.tokens), "caller_id")
    if own is not None:
        return own
    return postal if postal is not None and parse(raw, region) is None and parse(raw, postal) is not None else region


def missing_phone(tokens: dict[str, Any]) -> Refused:
    """The refusal without a number; it names the key that looks as if it were meant."""
    text = "is missing"
    for name in (*PHONE_NAMES, *(name for name in tokens if meant(name) == "caller_id")):
        if name in tokens:
            text = f"is missing; you sent `{name}`"
            break
    detail = f"caller_id {text}. Send the lead's phone number as caller_id."
    return Refused("caller_id_missing", f"caller_id {text}", {"caller_id": [text]}, detail)


def normalise_email(asked: Asked) -> None:
    """Keeps an address that is none as the token `email_raw`: a typo loses no lead."""
    raw = asked.fields.get("email")
    if raw is None:
        return
    address = email.normalise(raw.strip())
    if address is not None:
        asked.fields["email"] = address
        return
    del asked.fields["email"]
    asked.tokens["email_raw"] = raw
    asked.made.add("email_raw")
    asked.warn("email", "invalid_email", "email is not a valid address; it is kept as the token email_raw.")


def normalise_times(asked: Asked, time_zone: str, now: datetime) -> None:
    """Gives every time its instant; raises Refused for one out of range."""
    for name in TIMES:
        if name not in asked.fields:
            continue
        try:
            instant = in_zone(asked.fields[name], time_zone)
        except OverflowError:
            instant = None
        if instant is None or not EARLIEST <= instant <= now + LATEST:
            raise invalid({name: [f"{invalid_time('')}, from the year 2000 to five years from now"]})
        asked.fields[name] = instant


def normalise_type(asked: Asked, types: tuple[ContactFieldType, ...]) -> ContactFieldType | None:
    """The contact field type that is named, by its key or its id; an unknown one is kept as it was sent."""
    sent = asked.fields.get("contact_field_type")
    if sent is None:
        return None
    found = find_type(types, sent)
    if found is None:
        text = f"contact_field_type {sent[:64]!r} is no contact field type of this company; it is kept as it was sent."
        asked.warn("contact_field_type", "unknown_type", text)
    else:
        asked.fields["contact_field_type"] = found.key
    return found


def normalise_callback(asked: Asked, now: datetime) -> datetime | None:
    """When a callback is wished; a time says more than seconds."""
    at: datetime | None = asked.fields.get("schedule_callback_at")
    seconds = asked.fields.get("schedule_callback_in_seconds")
    if at is not None and seconds is not None:
        text = "schedule_callback_in_seconds has no effect: schedule_callback_at was sent too."
        asked.warn("schedule_callback_in_seconds", "no_effect", text)
    if at is None and seconds is not None:
        return now + timedelta(seconds=int(seconds))
    return at


def in_zone(time: datetime, time_zone: str) -> datetime:
    """The instant of a time. A local one in a gap moves to the next that exists, in an overlap the first is meant."""
    if time.tzinfo is not None:
        return time.astimezone(UTC)
    local = time.replace(tzinfo=zone(time_zone), fold=0)
    instant = local.astimezone(UTC)
    if instant.astimezone(local.tzinfo).replace(tzinfo=None) == time:
        return instant
    # In a gap the two readings lie on either side of the change; the change itself is the next valid time.
    before, after = instant - timedelta(hours=26), instant
    offset = before.astimezone(local.tzinfo).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(local.tzinfo).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)
