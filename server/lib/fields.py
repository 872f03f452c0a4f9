"""Fields of the schemas of what is managed: marshmallow's, in our words, and reading a form's text as well as JSON.

Each wants its description and an example: the documentation is made from them.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from marshmallow import ValidationError, fields

from server.lib import clock

WHOLE = re.compile(r"[+-]?[0-9]{1,20}")
# What both databases keep as an integer.
MOST = 2**31 - 1
# Of a time that somebody means; one beyond them is a slip, or milliseconds read as something else.
YEARS = (2000, 2999)
# Of the wrong members of a list so many are named.
MOST_NAMED = 10


class Text(fields.Field[str]):
    """Text without white space around it, unless that means something; an integer is read as its digits."""

    def __init__(
        self,
        description: str,
        example: str,
        *,
        longest: int = 255,
        blank: bool = False,
        strip: bool = True,
        **more: Any,
    ) -> None:
        super().__init__(**described(description, example, "must be text", more))
        self.longest, self.blank, self.strip = longest, blank, strip

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str | None:  # type: ignore[override]
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise ValidationError("must be text")
        text = value.strip() if self.strip else value
        if not text.strip() and not self.blank:
            if self.allow_none:
                return None
            raise ValidationError("must not be blank")
        if len(text) > self.longest:
            raise ValidationError(f"must be at most {self.longest} characters long")
        return text


class Whole(fields.Field[int]):
    """A whole number in a range, never a float; where null is allowed, a form's blank is null."""

    def __init__(self, description: str, example: int, *, least: int = 0, most: int = MOST, **more: Any) -> None:
        super().__init__(**described(description, example, f"must be a whole number from {least} to {most}", more))
        self.least, self.most = least, most

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int | None:  # type: ignore[override]
        # A boolean is spelt with letters.
        text = str(value).strip() if isinstance(value, int | str) else None
        if text == "" and self.allow_none:
            return None
        if text is None or not WHOLE.fullmatch(text) or not self.least <= int(text) <= self.most:
            or_null = ", or null" if self.allow_none else ""
            raise ValidationError(f"must be a whole number from {self.least} to {self.most}{or_null}")
        return int(text)


class RowId(Whole):
    """The id of another thing of the company."""

    def __init__(self, description: str, example: int, **more: Any) -> None:
        super().__init__(description, example, least=1, **more)


class Switch(fields.Boolean):
    """True or false, also as a form says it."""

    def __init__(self, description: str, example: bool = True, **more: Any) -> None:
        super().__init__(**described(description, example, "must be true or false", more))


class Time(fields.Field[datetime]):
    """A time in ISO 8601. One without an offset comes back naive: the company's time zone gives it its meaning."""

    def __init__(self, description: str, example: str, **more: Any) -> None:
        super().__init__(**described(description, example, f"must be a time, such as {example}", more))

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if value == "" and self.allow_none:
            return None
        try:
            instant = datetime.fromisoformat(value.strip().replace(" +", "+") if isinstance(value, str) else "")
        except ValueError as error:
            raise self.make_error("invalid") from error
        if not YEARS[0] <= instant.year <= YEARS[1]:
            raise ValidationError(f"must be in the years {YEARS[0]} to {YEARS[1]}")
        return instant.replace(microsecond=instant.microsecond // 1000 * 1000)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else clock.text(value)


class Word(Text):
    """One of a few words; where null is allowed, a form's blank is null."""

    def __init__(self, description: str, example: str, words: Iterable[str], **more: Any) -> None:
        self.words = tuple(words)
        super().__init__(description, example, **more)
        or_null = ", or null" if self.allow_none else ""
        self.said = f"must be one of: {', '.join(f'`{word}`' for word in self.words)}{or_null}"
        self.error_messages["null"] = self.said

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str | None:  # type: ignore[override]
        if value == "" and self.allow_none:
            return None
        if value not in self.words:
            raise ValidationError(self.said)
        return str(value)


class Listing(fields.Field[list[Any]]):
    """A list whose every member is read by one field; a form spells it `name[]=a&name[]=b`."""

    def __init__(
        self, description: str, example: list[Any], each: fields.Field[Any], *, most: int, **more: Any
    ) -> None:
        super().__init__(**described(description, example, "must be a list", more))
        self.each, self.most = each, most

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> list[Any]:
        # An empty field is how a form says an empty list.
        value = [] if value == "" else value
        if not isinstance(value, list):
            raise ValidationError("must be a list")
        if len(value) > self.most:
            raise ValidationError(f"must hold at most {self.most}")
        members: list[Any] = []
        errors: dict[int, Any] = {}
        for index, member in enumerate(value):
            try:
                members.append(self.each.deserialize(member))
            except ValidationError as error:
                errors[index] = error.messages
        if errors:
            raise ValidationError({index: errors[index] for index in [*errors][:MOST_NAMED]})
        return members


class Hash(fields.Field[dict[str, Any]]):
    """An object of any names and values; where null is allowed, a form's blank is null."""

    def __init__(self, description: str, example: dict[str, Any], **more: Any) -> None:
        super().__init__(**described(description, example, "must be an object", more))

    def _deserialize(  # type: ignore[override]
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> dict[str, Any] | None:
        if value == "" and self.allow_none:
            return None
        if not isinstance(value, dict):
            raise ValidationError("must be an object")
        return value


def described(description: str, example: Any, wrong: str, more: dict[str, Any]) -> dict[str, Any]:
    """What every field is made with: its texts for the documentation, and its refusals."""
    messages = {"required": "is missing", "null": f"{wrong}, not null", "invalid": wrong}
    return {
        "error_messages": messages | more.pop("error_messages", {}),
        "metadata": {"description": description, "example": example} | more.pop("metadata", {}),
        **more,
    }
