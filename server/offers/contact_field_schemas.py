"""Contact field types and contact fields, as the API and the console show them."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields

from server.lib.fields import Listing, RowId, Switch, Text, Whole, described
from server.lib.pattern import LONGEST_PATTERN
from server.offers.contact_fields import KEY
from server.offers.value_types import READERS

MOST_OPTIONS = 500
AS_KEY = {"pattern": f"^{KEY.pattern}$"}
BOUND = "must be a number, or for a time its text"


def must_be_key(text: str) -> None:
    """Raises ValidationError for what is no token's name."""
    if not KEY.fullmatch(text):
        raise ValidationError("must be a token's name: 1 to 64 of a-z, 0-9 and _, without _ at either end")


class Bound(fields.Field[Any]):
    """The least or the most that a value may be; what that is depends on the value's type."""

    def __init__(self, description: str, example: int, **more: Any) -> None:
        super().__init__(**described(description, example, BOUND, more))

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if isinstance(value, str) and len(value) <= 64:
            return value.strip() or None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValidationError(BOUND)
        return value


class ContactFieldTypeSchema(Schema):
    """A kind of lead that has contact fields of its own."""

    key = Text(
        "Its name in `contact_field_type`.",
        "auto_insurance",
        longest=64,
        required=True,
        validate=must_be_key,
        metadata=AS_KEY,
    )
    name = Text("What people call it.", "Auto insurance", required=True)


class ContactFieldTypeFilter(Schema):
    """The filters of the list of contact field types."""

    key = Text("Only the one with this key.", "auto_insurance")
    name = Text("Only types of exactly this name.", "Auto insurance")


class ContactFieldSchema(Schema):
    """A value that an offer, with its schedules, expects of a lead. What its parts mean together is judged later."""

    offer_id = RowId("The offer whose leads are asked for it.", 1, required=True)
    contact_field_type_id = RowId(
        "Asked only of leads of this type; null asks it of all.", 1, allow_none=True, load_default=None
    )
    key = Text(
        "The token that holds the value, or `caller_id`, `email`, `traffic_source_id`, `sub_id`.",
        "zip",
        longest=64,
        required=True,
        validate=must_be_key,
        metadata=AS_KEY,
    )
    name = Text("What people read beside the field.", "ZIP code", required=True)
    hint = Text("What helps people to fill it in.", "Five digits", longest=1000, blank=True, load_default="")
    value_type = Text(
        f"What a value has to be: {', '.join(READERS)}.", "string", load_default="string", metadata={"enum": [*READERS]}
    )
    required = Switch("Whether a lead has to have it.", load_default=False)
    pattern = Text(
        "A regular expression that the whole value has to match; no back references nor look-around.",
        "[0-9]{5}",
        longest=LONGEST_PATTERN,
        allow_none=True,
        load_default=None,
    )
    options = Listing(
        "The values that it may have; empty is any.",
        ["80202", "80203"],
        Text("One of the values.", "80202"),
        most=MOST_OPTIONS,
        load_default=list,
    )
    minimum = Bound("The least that a number may be, or the first time.", 0, allow_none=True, load_default=None)
    maximum = Bound("The most that a number may be, or the last time.", 99_999, allow_none=True, load_default=None)
    position = Whole("Its place among the offer's fields, the least first.", 1, load_default=0)


class ContactFieldFilter(Schema):
    """The filters of the list of contact fields."""

    offer_id = RowId("Only fields of this offer.", 1)
    contact_field_type_id = RowId("Only fields of this type.", 1)
    key = Text("Only fields with this key.", "zip")
    name = Text("Only fields of exactly this name.", "ZIP code")
