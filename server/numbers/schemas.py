"""Tracking numbers and their pools, as the API and the console show them."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields

from server.lib.fields import Listing, RowId, Text, Whole, Word, described

LAST_POSITION = 1_000_000
MOST_NUMBERS = 10_000
MOST_FILTERS = 50
MOST_TEXTS = 1_000
FILTERS = "must be an object: a token's name to the list of texts that are accepted"


class Filters(fields.Field[dict[str, list[str]]]):
    """Which leads a pool is for: the accepted texts of each token."""

    def __init__(self, description: str, example: dict[str, list[str]], **more: Any) -> None:
        super().__init__(**described(description, example, FILTERS, more))
        self.texts = Listing("The texts that are accepted.", ["CA"], Text("A text.", "CA", blank=True), most=MOST_TEXTS)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            raise ValidationError(FILTERS)
        if len(value) > MOST_FILTERS:
            raise ValidationError(f"must hold at most {MOST_FILTERS}")
        return {name: self.read(name, texts) for name, texts in value.items()}

    def read(self, name: str, texts: Any) -> list[str]:
        """The accepted texts of one token; raises ValidationError naming it."""
        try:
            read: list[str] = self.texts.deserialize(texts)
        except ValidationError as error:
            raise ValidationError({name: error.messages}) from error
        if not read:
            raise ValidationError({name: ["must hold one text at least"]})
        return read


class NumberSchema(Schema):
    """A tracking number."""

    number = Text(
        "The number in any usual spelling; it is kept as E.164.", "+17192221234", longest=64, strip=False, required=True
    )
    name = Text("What people call it.", "Radio spot", blank=True, load_default="")


class NumberFilter(Schema):
    """The filters of the list of numbers."""

    number = Text("Only this number, in any usual spelling.", "+17192221234", strip=False)
    name = Text("Only numbers of exactly this name.", "Radio spot")


class NumberPoolSchema(Schema):
    """Numbers that a schedule shows to the leads that it is for."""

    schedule_id = RowId("The schedule whose leads get its numbers.", 1, required=True)
    kind = Word("What its numbers are for: dial or sms.", "dial", ("dial", "sms"), required=True)
    name = Text("What people call it.", "California", required=True)
    position = Whole(
        "Its place among the schedule's pools of its kind: the first that fits a lead gives the number,"
        " and the last takes all whom no other takes. Null or absent: after the last.",
        1,
        least=1,
        most=LAST_POSITION,
        allow_none=True,
        load_default=None,
    )
    filters = Filters(
        "Which leads it is for: each named token has to be one of the texts, in any case.",
        {"state": ["CA", "California"]},
        load_default=dict,
    )
    number_ids = Listing(
        "Its numbers, by their ids.", [1, 2], RowId("A number's id.", 1), most=MOST_NUMBERS, load_default=list
    )


class NumberPoolFilter(Schema):
    """The filters of the list of number pools."""

    schedule_id = RowId("Only pools of this schedule.", 1)
    kind = Word("Only pools of this kind.", "dial", ("dial", "sms"))
    name = Text("Only pools of exactly this name.", "California")
