"""Offers, and the acceptance rules of an offer or a schedule, as the API and the console show them."""

from collections.abc import Mapping
from dataclasses import fields as dataclass_fields
from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema

from server.lib.fields import Text, Whole, Word
from server.lib.phone import is_region
from server.offers.acceptance import OFF, WANTED, Acceptance

TEN_YEARS = 10 * 365 * 86_400
BOOLEAN: Any = {"invalid": "must be true or false", "null": "must be true or false"}
OBJECT = "must be an object of acceptance rules"


class Regions(fields.Field[list[str]]):
    """Regions by their ISO 3166 codes, in any case; an empty field is how a form says an empty list."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> list[str]:
        value = [] if value == "" else value
        if not isinstance(value, list):
            raise ValidationError("must be a list of ISO codes; an empty one allows all")
        codes = list(dict.fromkeys(str(each).strip().upper() for each in value))
        unknown = [f"{code!r:.20} is not the ISO code of a region, such as US" for code in codes if not is_region(code)]
        if unknown:
            raise ValidationError(unknown[:10])
        return codes

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> list[str]:
        return list(value or ())


def switch(description: str) -> fields.Boolean:
    """A rule that is on or off."""
    return fields.Boolean(error_messages=BOOLEAN, metadata={"description": description, "example": True})


def number(description: str, example: int, most: int) -> Whole:
    """A rule that is off when it is null."""
    return Whole(description, example, least=1, most=most, allow_none=True)


class AcceptanceSchema(Schema):
    """The switches, under the names of `Acceptance`; one that is missing is off."""

    error_messages = {"unknown": "is no acceptance rule", "type": OBJECT}  # noqa: RUF012 (marshmallow's)

    require_traffic_source = switch("Takes only leads of a traffic source that the company knows.")
    duplicate_seconds = number("Refuses a number again within that many seconds.", 86_400, TEN_YEARS)
    duplicate_scope = Word(
        "Where `duplicate_seconds` looks: here, or in the whole company.", "company", ["owner", "company"]
    )
    same_source_seconds = number(
        "Refuses a number again by the same traffic source, in the whole company, within that many seconds.",
        2_592_000,
        TEN_YEARS,
    )
    enforce_contact_fields = switch("Refuses a lead whose values are not what the contact fields ask for.")
    only_known_keys = switch("Refuses a lead with a key that no contact field has.")
    number_length_min = number("The fewest digits of a number, without its country's code.", 10, 15)
    number_length_max = number("The most digits of a number, without its country's code.", 10, 15)
    allowed_regions = Regions(
        error_messages={"null": "must be a list of ISO codes; an empty one allows all"},
        metadata={"description": "The regions whose numbers are taken; empty takes all.", "example": ["US", "CA"]},
    )
    ip_limit = number("How many leads one address may send within `ip_limit_seconds`.", 5, 1_000_000)
    ip_limit_seconds = number("The time of `ip_limit`, in seconds.", 3_600, TEN_YEARS)
    refuse_suppressed = switch("Refuses a number that is on the company's suppression list.")
    require_consent = Word(
        "The least evidence of consent that a new lead has to bring: `asserted` (the sender says that the visitor"
        " agreed), `third_party` (a certificate of TrustedForm or Jornaya) or `witnessed` (our script showed the text)."
        " Null asks for none.",
        "asserted",
        WANTED,
        allow_none=True,
    )

    @validates_schema
    def fit_together(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        """Refuses switches that contradict or lack one another."""
        least, most = data.get("number_length_min"), data.get("number_length_max")
        if least is not None and most is not None and least > most:
            raise ValidationError({"number_length_max": ["must not be less than number_length_min"]})
        for name, other in (("ip_limit", "ip_limit_seconds"), ("ip_limit_seconds", "ip_limit")):
            if data.get(name) is not None and data.get(other) is None:
                raise ValidationError({other: [f"must be set together with {name}"]})


def acceptance_of(stored: Mapping[str, Any] | None) -> Acceptance:
    """The switches of what AcceptanceSchema has loaded and a row keeps; what is missing is off."""
    names = {each.name for each in dataclass_fields(Acceptance)}
    known = {name: value for name, value in (stored or {}).items() if name in names}
    acceptance = Acceptance(**known | {"allowed_regions": tuple(known.get("allowed_regions", ()))})
    return OFF if acceptance == OFF else acceptance


class AcceptanceField(fields.Nested):
    """The switches of a row: all are shown, and what is sent replaces all."""

    def __init__(self) -> None:
        super().__init__(
            AcceptanceSchema,
            load_default=dict,
            error_messages={"null": OBJECT},
            metadata={
                "description": "What a lead has to be to be taken. Sent anew, it replaces all switches.",
                "example": {"require_traffic_source": True},
            },
        )

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        return AcceptanceSchema().dump(acceptance_of(value))

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        loaded = AcceptanceSchema().load(value)
        # What is off is not kept, so that what is the same looks the same.
        return {name: kept for name, kept in loaded.items() if kept != OFF_SHOWN[name]}


OFF_SHOWN = AcceptanceSchema().dump(OFF)


class OfferSchema(Schema):
    """An offer."""

    name = Text("What people call the offer.", "Auto insurance", required=True)
    acceptance = AcceptanceField()


class OfferFilter(Schema):
    """The filters of the list of offers."""

    name = Text("Only offers of exactly this name.", "Auto insurance")
