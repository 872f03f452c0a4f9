"""LeadSchema: every parameter of the lead endpoint, declared once: its type, its words and its example.

It validates JSON, form, CSV row and console form alike, and the documentation is made from it. The validator texts
are those that TrackDrive's own pages show. It declares fields only, no hooks: `load_sent` relies on that.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields

from server.lib import clock

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})
WHOLE = re.compile(r"[+-]?[0-9]{1,40}")
DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?)[ ]?(Z|UTC|[+-]\d\d:?\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)

YEAR_HOURS = 24 * 365
YEAR_MINUTES = 60 * YEAR_HOURS
YEAR_SECONDS = 60 * YEAR_MINUTES


class Text(fields.Field[str]):
    """Text. With `digits`, a JSON integer is read as its digits: many programs send numbers so."""

    def __init__(self, *, digits: bool = False, longest: int = 8192, **about: Any) -> None:
        super().__init__(**about)
        self.digits = digits
        self.longest = longest

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        if self.digits and isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise ValidationError("Must be a String")
        if len(value) > self.longest:
            raise ValidationError(f"Must be a String of at most {self.longest} characters")
        return value


class Digits(Text):
    """A whole number in a range, sent as text."""

    def __init__(self, *, least: int, most: int, **about: Any) -> None:
        super().__init__(digits=True, **about)
        self.least, self.most = least, most

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data)
        if not (text.isascii() and text.isdigit()) or len(text) > 20 or not self.least <= int(text) <= self.most:
            raise ValidationError(f"Must be a String of digits, from {self.least} to {self.most}")
        return text


class Boolean(fields.Field[bool]):
    """TrackDrive's own list of words, in any case."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> bool:
        word = str(value).strip().lower() if isinstance(value, bool | int | str) else ""
        if word not in TRUE and word not in FALSE:
            raise ValidationError("Must be a boolean value: 1, true, yes, on, 0, false, no, off")
        return word in TRUE


class Integer(fields.Field[int]):
    """A whole number in a range: never a float, never `1_000`."""

    def __init__(self, *, least: int, most: int, **about: Any) -> None:
        super().__init__(**about)
        self.least, self.most = least, most

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        text = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
        if not WHOLE.fullmatch(text):
            raise ValidationError("Must be a Integer")
        if not self.least <= int(text) <= self.most:
            raise ValidationError(f"Must be a Integer from {self.least} to {self.most}")
        return int(text)


class Decimal(fields.Field[float]):
    """A decimal number in a range, without an exponent when it is text."""

    def __init__(self, *, most: float, **about: Any) -> None:
        super().__init__(**about)
        self.most = most

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> float:
        number = None
        if (isinstance(value, str) and len(value) <= 40 and DECIMAL.fullmatch(value.strip())) or (
            isinstance(value, int | float) and not isinstance(value, bool)
        ):
            number = float(value)
        if number is None:
            raise ValidationError("Must be a decimal number.")
        if not -self.most <= number <= self.most:
            raise ValidationError(f"Must be a decimal number. From {-self.most:.0f} to {self.most:.0f}.")
        return number


class Time(fields.Field[datetime]):
    """A time. One without an offset comes back naive: the company's time zone gives it its meaning later."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> datetime:
        match = TIME.fullmatch(value.strip()) if isinstance(value, str) else None
        try:
            if match is None:
                raise ValueError(value)
            offset = (match[3] or "").upper().replace("UTC", "+00:00").replace("Z", "+00:00")
            return datetime.fromisoformat(f"{match[1]}T{(match[2] or '00:00').replace(',', '.')}{offset}")
        except ValueError as error:
            raise ValidationError(invalid_time(value)) from error


def invalid_time(value: object, sample: str | None = None) -> str:
    """apipie's text, which shows the present as its sample; who sends an epoch is told so."""
    text = f"Must be a valid time: {sample or f'{clock.now():%Y-%m-%d %H:%M:%S} +0000'}"
    return text + " (seconds since 1970 are not read)" if str(value).lstrip("-").isdigit() else text


class Moment(Time):
    """A time that has been, or nearly: nobody agreed before there were such forms, or will have in a year."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> datetime:
        instant = super()._deserialize(value, attr, data)
        if not 2000 <= instant.year <= clock.now().year + 1:
            raise ValidationError(f"{invalid_time('')}, from the year 2000 to the next year")
        return instant


class OneOf(fields.Field[str]):
    """A word of a list."""

    def __init__(self, *words: str, **about: Any) -> None:
        super().__init__(**about)
        self.words = words

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        if value not in self.words:
            raise ValidationError(f"Must be one of: {', '.join(f'`{word}`' for word in self.words)}.")
        return str(value)


class Hash(fields.Field[dict[str, Any]]):
    """A hash of tokens."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValidationError("Must be a Hash")
        return value


class Consent(fields.Field[dict[str, Any]]):
    """What a visitor agreed to: a hash of `members`, each read by its own field; a mere boolean says whether."""

    def __init__(self, members: Mapping[str, fields.Field[Any]], **about: Any) -> None:
        super().__init__(**about)
        self.members = members

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> dict[str, Any]:
        if not isinstance(value, dict):
            try:
                return {"granted": self.members["granted"].deserialize(value)}
            except ValidationError as error:
                raise ValidationError("Must be a Hash, such as consent[granted]=true, or a boolean value") from error
        return self.load_members(value)

    def load_members(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """Those that are not blank; raises ValidationError by name for what is wrong with them."""
        loaded: dict[str, Any] = {}
        errors: dict[str, Any] = {}
        for name, sent in value.items():
            if sent is None or (isinstance(sent, str) and not sent.strip()):
                continue
            try:
                if name not in self.members:
                    raise ValidationError(f"Must be one of: {', '.join(f'`{each}`' for each in self.members)}.")
                loaded[name] = self.members[name].deserialize(sent)
            except ValidationError as error:
                errors[name] = error.messages
        if errors:
            raise ValidationError(errors)
        return loaded


def about(description: str, example: Any, allow_none: bool = True) -> dict[str, Any]:
    """What the documentation says of a parameter. Blank means absent, so all of them may be nil."""
    return {"allow_none": allow_none, "metadata": {"description": description, "example": example}}


# What `consent` holds.
CONSENT: Mapping[str, fields.Field[Any]] = {
    "granted": Boolean(**about("Whether the visitor agreed.", True)),
    "disclosure": Text(
        longest=64,
        **about(
            "The version of your disclosure that was shown, by its `content_hash` or its `id`.",
            "64118b3c15b051e07255304706f98457d9da7580186a380d12cdecd046e21149",
        ),
    ),
    "text": Text(**about("The text as the visitor read it.", "I agree that Acme Solar may call and text me.")),
    "language": Text(longest=35, **about("The language of the text.", "en")),
    "default": OneOf("unticked", "ticked", **about("How the box stood before the visitor touched it.", "unticked")),
    "shown_at": Moment(**about("When the text was shown.", "2026-11-23T06:00:00.000Z")),
    "granted_at": Moment(**about("When the visitor agreed.", "2026-11-23T06:00:09.000Z")),
    "page_url": Text(longest=2048, **about("The page on which it was shown.", "https://shop.example/solar")),
    "stamp": Text(
        longest=255,
        **about(
            "What the hosted script was fetched with; it sends it by itself.", "2d6c8e-0123456789abcdef0123456789abcdef"
        ),
    ),
    "gpc": Boolean(**about("Whether the visitor's browser asks not to be sold or shared (GPC).", False)),
}


class LeadSchema(Schema):
    """The parameters of `POST /api/v1/leads`, in the order in which the documentation shows them."""

    lead_token = Text(
        **about(
            "The lead token of the schedule or offer that the lead is for.",
            "0123456789abcdef0123456789abcdef",
        )
    )
    schedule_lead_token = Text(
        **about("Like `lead_token`, looking only at schedules.", "0123456789abcdef0123456789abcdef")
    )
    offer_lead_token = Text(**about("Like `lead_token`, looking only at offers.", "0123456789abcdef0123456789abcdef"))
    caller_id = Text(
        digits=True,
        **about(
            "The lead's phone number, in any usual spelling; it is normalised to E.164. A number without `+` is of the"
            " company's region, or of the country that stands beside it as `phone_country`, or as a calling code in"
            " `country_code`, `calling_code` or `dial_code`.",
            "+17192221234",
        ),
    )
    number = Text(digits=True, **about("An alias of `caller_id`.", "+17192221234"))
    email = Text(
        **about(
            "The lead's e-mail address. One that is not valid is kept as the token `email_raw`.",
            "john@example.com",
        )
    )
    contact_field_type = Text(
        longest=255, **about("Selects the contact field type, by its key or its id.", "auto_insurance")
    )
    schedule_callback_at = Time(**about("Books a callback with the lead at that time.", "2026-12-01 14:26:43 +0000"))
    schedule_callback_in_seconds = Digits(
        least=0,
        most=YEAR_SECONDS,
        **about("Books a callback with the lead that many seconds from now.", "3600"),
    )
    update_all_matching_leads = Boolean(
        **about(
            "Updates every live lead of that number: under the offer and its schedules, or under the schedule.",
            True,
        )
    )
    apply_to = OneOf("calls", **about("Writes the tokens to the number's calls under that offer as well.", "calls"))
    unblock_contact = Boolean(**about("Lifts a block of the number. Needs an API key with `leads:update`.", True))
    blocked = Boolean(
        **about(
            "Blocks the number: every pending action stops at once. `false` needs an API key with `leads:update`.",
            True,
        )
    )
    opt_out = Boolean(
        **about(
            "Opts the number out: every pending action stops at once. `false` needs an API key with `leads:update`.",
            True,
        )
    )
    assign_trackdrive_number = Boolean(
        **about("Assigns a number from the schedule's pool, returned as `trackdrive_number_plain`.", True)
    )
    assign_sms_number = Boolean(
        **about("Assigns an SMS number from the schedule's pool, returned as `sms_number_plain`.", True)
    )
    expire_existing = Boolean(
        **about("Expires the live schedule leads of this token and number before a new one is made.", True)
    )
    delete_existing = Boolean(**about("Deletes the leads of this token and number before a new one is made.", True))
    update_only = Boolean(**about("Updates a live lead and never makes a new one.", True))
    lead_priority = Decimal(most=1e9, **about("The order in which leads are processed: lower is first.", "5"))
    restart_schedule = Boolean(**about("Starts the schedule of the lead again at its first action.", True))
    auto_format_nested_fields = Boolean(
        **about(
            "Lifts contact fields out of payloads of other systems: Typeform, Google Ads, Meta, HubSpot, Gravity Forms,"
            " Elementor, Jotform, Unbounce, Tally, Formstack, Webflow, Mautic, CallRail, WhatConverts, Zapier, Make,"
            " and any other by the names of its keys, also from JSON that is sent as text in one field. The answer's"
            " `matched` says what was read from where.",
            True,
        )
    )
    next_action_at = Time(**about("When the next action of the lead runs.", "2026-12-01 14:26:43 +0000"))
    hours_to_expire = Integer(
        least=1, most=10 * YEAR_HOURS, **about("The lead leaves its schedule after that many hours.", 24)
    )
    max_contact_attempts = Integer(
        least=1,
        most=10_000,
        **about("The lead leaves its schedule after that many outbound calls and SMS.", 5),
    )
    expires_in = Integer(least=1, most=10 * YEAR_MINUTES, **about("The lead is deleted after that many minutes.", 1440))
    traffic_source_id = Text(
        digits=True,
        longest=255,
        **about(
            "The traffic source, by the id that you gave it or by ours. An unknown one is kept as it was sent.",
            "google_ads",
        ),
    )
    sub_id = Text(
        digits=True,
        longest=255,
        **about("A sub-publisher, affiliate or creative within the traffic source: any text.", "a1b2c3d"),
    )
    vendor_lead_id = Text(
        digits=True,
        longest=255,
        **about("Your own id of this lead: sending it again never makes a second one.", "L-1042"),
    )
    consent = Consent(
        CONSENT,
        **about(
            "What the visitor agreed to, kept as the submission's consent record; `true` or `false` alone will do.",
            {"granted": True, "text": "I agree that Acme Solar may call and text me."},
        ),
    )
    data = Hash(
        **about(
            "Whatever else you know of the lead, kept as lead tokens: any names and values.",
            {"first_name": "John", "loan_amount": "500"},
        )
    )
    hp = Text(
        **about(
            "A honeypot: the content of a field that people do not see. Whoever fills it in from a page is a program,"
            " and its lead is quarantined.",
            "",
        ),
    )


# The one instance: its fields are what `load_sent` uses, and a look at them is all that others need.
FIELDS: Mapping[str, fields.Field[Any]] = LeadSchema().load_fields


def load_sent(sent: Mapping[str, Any]) -> dict[str, Any]:
    """What `LeadSchema().load` answers, at the price of the fields that were sent; raises ValidationError."""
    loaded: dict[str, Any] = {}
    errors: dict[str, Any] = {}
    for name, value in sent.items():
        try:
            loaded[name] = FIELDS[name].deserialize(value, name, sent)
        except ValidationError as error:
            errors[name] = error.messages
    if errors:
        raise ValidationError(errors)
    return loaded
