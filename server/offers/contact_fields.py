"""Contact fields: what an offer or a schedule expects of a lead, and what a value has to be. Pure."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from server.lib.json import plain
from server.lib.pattern import LONGEST_TEXT, BadPattern, Matcher, compile_pattern
from server.offers.value_types import DATE, READERS

# Parameters of the lead itself that a contact field may ask for; every other key is a lead token's name.
FIRST_CLASS = frozenset({"caller_id", "email", "traffic_source_id", "sub_id"})

KEY = re.compile(r"[a-z0-9](?:[a-z0-9_]{0,62}[a-z0-9])?")
# Of a long pick list a message names so many.
MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class ContactFieldType:
    """A kind of lead that has contact fields of its own."""

    id: int
    key: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactField:
    """One expected value. Without a type it is asked of every lead, else only of leads of that type.

    `pattern` is what `server.lib.pattern` reads; `minimum` and `maximum` are numbers, for times ISO texts.
    """

    key: str
    name: str
    hint: str = ""
    value_type: str = "string"
    required: bool = False
    pattern: str | None = None
    options: tuple[str, ...] = ()
    minimum: float | str | None = None
    maximum: float | str | None = None
    contact_field_type_id: int | None = None
    position: int = 0

    @property
    def parameter(self) -> str:
        """How an answer's `errors` names it."""
        return parameter_of(self.key)


def parameter_of(key: str) -> str:
    """The parameter that a key is sent as: `data.zip`, but `email`."""
    return key if key in FIRST_CLASS else f"data.{key}"


def find_type(types: Iterable[ContactFieldType], sent: str) -> ContactFieldType | None:
    """The type that a request names: by its key, which its people see, else by its id."""
    known = list(types)
    by_id = {str(each.id): each for each in known}
    return {each.key: each for each in known}.get(sent) or by_id.get(sent)


def field_errors(
    fields: Iterable[ContactField],
    type_id: int | None,
    values: Mapping[str, Any],
    sent: Collection[str],
    matcher: Matcher | None = None,
) -> dict[str, list[str]]:
    """Everything that is wrong, by parameter, in the order of the fields.

    `values` is what the lead will have: for an existing lead stored and sent together, so that a required field which
    is stored already is satisfied. Only values that this request `sent` are looked at: one that was stored before its
    rule came is not the sender's mistake. All patterns share the budget of the `matcher`.
    """
    errors: dict[str, list[str]] = {}
    matcher = matcher or Matcher()
    for field in sorted(fields, key=lambda each: each.position):
        if field.contact_field_type_id not in (None, type_id):
            continue
        value = values.get(field.key)
        problem = None
        if value is None or not plain(value).strip():
            problem = "is missing" if field.required else None
        elif field.key in sent:
            problem = value_problem(field, value, matcher)
        if problem is not None:
            errors.setdefault(field.parameter, []).append(problem)
    return errors


def compare_early(
    fields: Iterable[ContactField], type_id: int | None, values: Mapping[str, Any], matcher: Matcher
) -> None:
    """Compares what was sent with the patterns of the fields, so that the `matcher` knows it when they are judged.

    Where the lead's type is not known yet, the fields of every type come after those that have none.
    """
    wanted = [
        each for each in fields if each.pattern and (type_id is None or each.contact_field_type_id in (None, type_id))
    ]
    for field in sorted(wanted, key=lambda each: each.contact_field_type_id is not None):
        value = values.get(field.key)
        if value is not None:
            value_problem(field, value, matcher)


def value_problem(field: ContactField, value: Any, matcher: Matcher) -> str | None:
    """What is wrong with a value, as the end of a sentence. White space around a text does not count."""
    try:
        read = READERS[field.value_type](value)
    except ValueError as error:
        return str(error)
    text = plain(value).strip()
    if field.options and text not in field.options:
        named = ", ".join(f"`{option}`" for option in field.options[:MOST_NAMED])
        return f"must be one of: {named}{', …' if len(field.options) > MOST_NAMED else ''}"
    if field.pattern is not None and len(text) > LONGEST_TEXT:
        return f"must be at most {LONGEST_TEXT} characters long"
    if field.pattern is not None:
        matches = matcher.matches(field.pattern, text)
        if matches is None:
            return f"takes too long to compare with the pattern {field.pattern}; send a shorter text"
        if not matches:
            return f"must match the pattern {field.pattern}" + (f" ({field.hint})" if field.hint else "")
    return range_problem(field, read)


def range_problem(field: ContactField, read: Any) -> str | None:
    """Whether a value, read by its type, lies outside of the field's bounds."""
    times = field.value_type == "time"
    for bound, sign, words in (
        (field.minimum, -1, "must not be before" if times else "must be at least"),
        (field.maximum, 1, "must not be after" if times else "must be at most"),
    ):
        if bound is None:
            continue
        # A bound that is a day means the whole day.
        day = times and DATE.fullmatch(str(bound).strip())
        compared = read.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC) if day else read
        limit = READERS[field.value_type](bound)
        if compared != limit and (compared > limit) == (sign > 0):
            return f"{words} {plain(bound)}"
    return None


# What a field of each type may have beside its type.
MAY_HAVE: Mapping[str, frozenset[str]] = {
    "string": frozenset({"pattern", "options"}),
    "decimal": frozenset({"pattern", "options", "minimum", "maximum"}),
    "integer": frozenset({"pattern", "options", "minimum", "maximum"}),
    "time": frozenset({"minimum", "maximum"}),
    "boolean": frozenset(),
    "hidden": frozenset({"pattern", "options"}),
}


def problem_with(field: ContactField) -> dict[str, list[str]]:
    """What is wrong with a field that somebody wants to keep, by its attributes; empty when it can be kept."""
    errors: dict[str, list[str]] = {}
    if not KEY.fullmatch(field.key):
        errors["key"] = ["must be a token's name: 1 to 64 of a-z, 0-9 and _, without _ at either end"]
    if not field.name.strip():
        errors["name"] = ["must not be blank: it is what people read"]
    if field.value_type not in READERS:
        return errors | {"value_type": [f"must be one of: {', '.join(f'`{each}`' for each in READERS)}"]}
    errors |= attribute_problems(field)
    # Options are judged by the other rules, so those have to be right first.
    return errors or options_problem(field)


def attribute_problems(field: ContactField) -> dict[str, list[str]]:
    """What is wrong with its pattern and its bounds, for its type."""
    may_have = MAY_HAVE[field.value_type]
    errors = {
        name: [f"has no meaning for a {field.value_type}; leave it out"]
        for name in ("pattern", "options", "minimum", "maximum")
        if getattr(field, name) not in (None, ()) and name not in may_have
    }
    if errors:
        return errors
    found = {name: bound_problem(field, getattr(field, name)) for name in ("minimum", "maximum")}
    if not any(found.values()) and not in_order(field):
        found["maximum"] = "must not be less than minimum"
    found["pattern"] = pattern_problem(field.pattern)
    return {name: [problem] for name, problem in found.items() if problem is not None}


def pattern_problem(pattern: str | None) -> str | None:
    """Why a text is no pattern."""
    try:
        if pattern is not None:
            compile_pattern(pattern)
    except BadPattern as error:
        return str(error)
    return None


def bound_problem(field: ContactField, bound: float | str | None) -> str | None:
    """Why a bound is none for the field's type."""
    try:
        if bound is not None:
            READERS[field.value_type](bound)
    except ValueError as error:
        return str(error)
    return None


def in_order(field: ContactField) -> bool:
    """Whether there can be a value between the bounds."""
    read = READERS[field.value_type]
    return field.minimum is None or field.maximum is None or bool(read(field.minimum) <= read(field.maximum))


def options_problem(field: ContactField) -> dict[str, list[str]]:
    """Why the pick list cannot be one: an option that is written twice or that no lead could send."""
    texts: Sequence[str] = field.options
    problems = [f"{text!r} is there twice" for at, text in enumerate(texts) if text in texts[:at]]
    matcher = Matcher()
    for text in texts:
        if not text.strip() or text != text.strip():
            problems.append(f"{text!r} must not be blank nor have white space around it")
        elif problem := value_problem(field, text, matcher):
            problems.append(f"{text!r} {problem}")
    return {"options": problems} if problems else {}
