"""From a field of a marshmallow schema to its JSON Schema. Descriptions and examples are the field's own."""

from collections.abc import Mapping
from functools import singledispatch
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema, ValidationError, fields

from server.companies.rules import SCOPES
from server.companies.schemas import Email, Scope
from server.consent.schemas import Url
from server.embed.schemas import MOST_LANGUAGES, MOST_NAMES, Messages, Names
from server.embed.words import OCCASIONS
from server.lead_tokens.schemas import Origin
from server.leads import schemas as lead_fields
from server.lib import fields as our_fields
from server.numbers.schemas import MOST_FILTERS, Filters
from server.offers.contact_field_schemas import Bound
from server.offers.schemas import Regions

OPENAPI = "3.0.3"

Json = dict[str, Any]

# Asked for what every field has: default, null, description and example.
PLUGIN = MarshmallowPlugin()
APISpec(title="", version="", openapi_version=OPENAPI, plugins=[PLUGIN])


def taken(schema: Schema, *, partial: bool = False, more: Mapping[str, Json] | None = None) -> Json:
    """What a body may hold by a schema; `partial` asks for nothing, as a change does."""
    loaded = schema.load_fields
    required = [] if partial else [name for name, field in loaded.items() if field.required]
    properties = {name: property_of(field, default=not partial) for name, field in loaded.items()} | dict(more or {})
    return strict(properties, required)


def shown(schema: Schema, more: Mapping[str, Json] | None = None) -> Json:
    """What an answer shows by a schema: every field, always."""
    properties = {name: shown_property(field) for name, field in schema.dump_fields.items()} | dict(more or {})
    return strict(properties, [*properties])


def asked(schema: Schema) -> list[Json]:
    """The fields of a schema as parameters of the query string."""
    return [in_query(name, property_of(field), field.required) for name, field in schema.load_fields.items()]


def in_query(name: str, about: Json, required: bool = False) -> Json:
    """One parameter of the query string; its description stands beside its schema."""
    schema = {key: value for key, value in about.items() if key != "description"}
    return {"name": name, "in": "query", "required": required, "description": about["description"], "schema": schema}


def strict(properties: Mapping[str, Json], required: list[str]) -> Json:
    """An object with these properties and no other."""
    made: Json = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return made | ({"required": required} if required else {})


def property_of(field: fields.Field[Any], *, default: bool = True) -> Json:
    """A field as a request may send it; a change leaves alone what it does not send, whatever the default."""
    assert PLUGIN.converter is not None  # noqa: S101 (APISpec above has made it)
    made: Json = PLUGIN.converter.field2property(field) | shape(field)
    made.pop("$ref", None)
    made.pop("allOf", None)  # A nested schema stands in its place, and not among apispec's own.
    made["x-validations"] = validations(field)
    if made.get("nullable") and None not in made.get("enum", [None]):
        made["enum"] = [*made["enum"], None]
    return made if default else {key: value for key, value in made.items() if key != "default"}


def shown_property(field: fields.Field[Any]) -> Json:
    """A field as answers show it; what only we write may not be there yet."""
    made = property_of(field, default=False)
    if isinstance(field, fields.Nested):
        made |= shown(field.schema)
    if isinstance(field, fields.List):
        made["items"] = shown_property(field.inner)
    return made | {"nullable": True} if field.dump_only else made


# Values that are nothing, too long, too small and too large.
NO_VALUES = (object(), "x" * 100_000, -(10**30), 10**30)


def validations(field: fields.Field[Any]) -> list[str]:
    """What a field says of a value that it does not take: nobody has to write it twice."""
    if isinstance(field, lead_fields.Time):
        # Its text shows the present, and the document is the same each time.
        return [lead_fields.invalid_time(None, str(field.metadata["example"]))]
    said: dict[str, None] = {}
    for value in NO_VALUES:
        try:
            field.deserialize(value)
        except ValidationError as error:
            texts = error.messages if isinstance(error.messages, list) else error.messages.get("_schema", [])
            said |= {text: None for text in texts if isinstance(text, str)}
    return [*said]


@singledispatch
def shape(field: fields.Field[Any]) -> Json:
    """The type of a field's value and what it may be; apispec knows those of marshmallow's own fields."""
    return {}


@shape.register
def _(field: our_fields.Text) -> Json:
    return {"type": "string", "maxLength": field.longest} | ({} if field.blank else {"minLength": 1})


@shape.register
def _(field: Email) -> Json:
    return {"type": "string", "format": "email", "maxLength": field.longest}


@shape.register
def _(field: Scope) -> Json:
    return {"type": "string", "enum": [*SCOPES]}


@shape.register(Origin)
@shape.register(Url)
def _(field: our_fields.Text) -> Json:
    return {"type": "string", "format": "uri", "maxLength": field.longest}


@shape.register
def _(field: our_fields.Word) -> Json:
    return {"type": "string", "enum": [*field.words, *([None] if field.allow_none else [])]}


@shape.register
def _(field: our_fields.Whole) -> Json:
    return {"type": "integer", "minimum": field.least, "maximum": field.most}


@shape.register(our_fields.Time)
@shape.register(lead_fields.Time)
def _(field: fields.Field[Any]) -> Json:
    return {"type": "string", "format": "date-time"}


@shape.register
def _(field: our_fields.Listing) -> Json:
    return {"type": "array", "items": property_of(field.each), "maxItems": field.most}


@shape.register(our_fields.Hash)
@shape.register(lead_fields.Hash)
def _(field: fields.Field[Any]) -> Json:
    return {"type": "object", "additionalProperties": True}


@shape.register
def _(field: lead_fields.Consent) -> Json:
    return strict({name: property_of(each) for name, each in field.members.items()}, [])


@shape.register
def _(field: fields.Nested) -> Json:
    return taken(field.schema)


@shape.register
def _(field: Filters) -> Json:
    return {"type": "object", "additionalProperties": property_of(field.texts), "maxProperties": MOST_FILTERS}


@shape.register
def _(field: Names) -> Json:
    return {"type": "object", "additionalProperties": property_of(field.target), "maxProperties": MOST_NAMES}


@shape.register
def _(field: Messages) -> Json:
    texts = strict({name: property_of(field.text) for name in OCCASIONS}, [])
    return {"type": "object", "additionalProperties": texts, "maxProperties": MOST_LANGUAGES}


@shape.register
def _(field: Bound) -> Json:
    return {"anyOf": [{"type": "number"}, {"type": "string", "maxLength": 64}]}


@shape.register
def _(field: Regions) -> Json:
    return {"type": "array", "items": {"type": "string"}}


@shape.register
def _(field: lead_fields.Text) -> Json:
    return {"type": "string", "maxLength": field.longest}


@shape.register
def _(field: lead_fields.Digits) -> Json:
    return {"type": "string", "pattern": "^[0-9]{1,20}$"}


@shape.register
def _(field: lead_fields.Boolean) -> Json:
    return {"type": "boolean"}


@shape.register
def _(field: lead_fields.Integer) -> Json:
    return {"type": "integer", "minimum": field.least, "maximum": field.most}


@shape.register
def _(field: lead_fields.Decimal) -> Json:
    return {"type": "number", "minimum": -field.most, "maximum": field.most}


@shape.register
def _(field: lead_fields.OneOf) -> Json:
    return {"type": "string", "enum": [*field.words, *([None] if field.allow_none else [])]}
