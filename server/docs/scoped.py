"""scoped_method: a method as it is with one lead token: with its contact fields and the rules that are switched on."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from server.docs.reference import Method, Param, needed
from server.docs.scope import Parameter, Scope
from server.lib.json import plain
from server.offers.value_types import READERS

# What only an acceptance rule refuses: without the rule it cannot happen.
BY_RULE = frozenset(
    {
        "duplicate_lead",
        "traffic_source_required",
        "contact_field_invalid",
        "unknown_key",
        "region_not_allowed",
        "suppressed",
        "ip_limit",
        "consent_required",
    }
)


def scoped_method(method: Method, scope: Scope) -> Method:
    """The method for who has that token; a field that has a parameter of its own adds its rules to it."""
    fields = {each.name: each for each in scope.fields}
    switched_on = {rule.code for rule in scope.rules}
    return replace(
        method,
        params=tuple(scoped_param(param, fields, scope) for param in method.params),
        errors=tuple(error for error in method.errors if error.code not in BY_RULE - switched_on),
    )


def scoped_param(param: Param, fields: Mapping[str, Parameter], scope: Scope) -> Param:
    """A parameter with what the contact fields ask of it; those without one of their own stand in `data`."""
    if param.name == "data":
        nested = tuple(nested_param(name, field) for name, field in fields.items() if name.startswith("data."))
        return replace(param, params=nested)
    known = known_values(param.name, scope)
    if known:
        return replace(param, description=f"{param.description} Known here: {known}.")
    field = fields.get(param.name)
    if field is None:
        return param
    asked = needed(param) if field.required else param
    return replace(
        asked,
        description=described(field),
        validations=(*param.validations, *rules_of(field)),
    )


def known_values(name: str, scope: Scope) -> str:
    """The values of a parameter that mean something to the company, as a sentence names them."""
    pairs = {
        "contact_field_type": [(each.key, each.name) for each in scope.contact_field_types],
        "traffic_source_id": [(each.user_traffic_source_id, each.name) for each in scope.sources],
    }
    return ", ".join(f"`{value}` ({title})" for value, title in pairs.get(name, []))


# What apipie calls the types of contact fields.
KINDS = {"integer": "numeric", "decimal": "numeric", "boolean": "boolean"}


def nested_param(name: str, field: Parameter) -> Param:
    """A contact field as a row of its own, `data[zip]`."""
    key = name.removeprefix("data.")
    return Param(
        name=key,
        full_name=f"data[{key}]",
        description=described(field),
        required=field.required,
        kind=KINDS.get(field.value_type, "string"),
        validations=tuple(rules_of(field)),
        example=field.options[0] if field.options else None,
    )


def described(field: Parameter) -> str:
    """What people call it and what helps to fill it in."""
    asked = "" if field.required or not field.wanted else "Asked for; a lead without it is taken all the same."
    only = f"Only of leads of the type `{field.contact_field_type}`." if field.contact_field_type else ""
    return " ".join(text for text in (f"{field.title}.", field.hint, asked, only) if text)


def rules_of(field: Parameter) -> Iterator[str]:
    """What its value has to be, in the words with which it is refused."""
    try:
        READERS[field.value_type]([])
    except ValueError as error:
        yield str(error)
    if field.options:
        yield f"must be one of: {', '.join(f'`{option}`' for option in field.options)}"
    if field.pattern:
        yield f"must match the pattern `{field.pattern}`"
    if field.minimum is not None:
        yield f"must be at least {plain(field.minimum)}"
    if field.maximum is not None:
        yield f"must be at most {plain(field.maximum)}"
