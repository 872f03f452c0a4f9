"""The document as the API reads it: it says what to send, and the API takes more than that.

An integer is read as a text's digits and a text as an integer, a boolean has many words, a blank is null, a time has
other spellings than one. Data that break what is left after that must be refused.
"""

from collections.abc import Callable
from typing import Any

from schemathesis.schemas import APIOperation

Json = dict[str, Any]

WORDS = [True, False, 1, 0, "1", "0", "true", "false", "True", "False", "on", "off", "yes", "no", "TRUE", "FALSE"]
INTEGER = {"type": "integer"}
DIGITS = {"type": "string", "pattern": r"^\s*[+-]?[0-9]{1,40}\s*$"}
DECIMALS = {"type": "string", "pattern": r"^\s*[+-]?[0-9]{1,20}(\.[0-9]{0,10})?\s*$"}
# The texts of a lead that are read of an integer; the others are not, while those of managed things all are.
OF_INTEGERS = {"caller_id", "number", "traffic_source_id", "sub_id", "vendor_lead_id", "schedule_callback_in_seconds"}
# Members of any type are taken, and counted if they are none.
COUNTED = {"numbers"}
# Texts of a lead that are cut where they are too long, in place of losing the lead.
CUT = {"email", "sub_id", "traffic_source_id", "contact_field_type"}
# A mere boolean says the one thing that matters in it.
OR_BOOLEAN = {"consent"}
# What these hold is judged elsewhere or only warned of, whatever type it has.
ANYTHING = {"redirect_to", "redirect_error", "auth_token", "data_json", "google_key"}


def loosened(document: Json) -> Json:
    """The same document, whose request bodies say what is read."""
    paths = {
        path: {method: operation(each) for method, each in item.items()} for path, item in document["paths"].items()
    }
    schemas = dict(document["components"]["schemas"])
    for name in ("LeadBody", "LeadChange"):
        lead = uncut(schemas[name])
        schemas[name] = body(lead)
        schemas[name]["properties"] |= {
            text: without_integers(schemas[name]["properties"][text])
            for text, about in lead["properties"].items()
            if about.get("type") == "string" and "enum" not in about and text not in OF_INTEGERS | ANYTHING
        }
    return document | {"paths": paths, "components": document["components"] | {"schemas": schemas}}


def uncut(lead: Json) -> Json:
    """A lead whose texts may be longer than what is kept of them."""
    properties = dict(lead["properties"])
    for name in CUT & properties.keys():
        properties[name] = {key: value for key, value in properties[name].items() if key != "maxLength"}
    return lead | {"properties": properties}


def operation(each: Json) -> Json:
    """An operation with a body that is read so."""
    if "requestBody" not in each:
        return each
    content = {
        kind: {"schema": body(about["schema"]) if kind == "application/json" else about["schema"]}
        for kind, about in each["requestBody"]["content"].items()
    }
    return each | {"requestBody": each["requestBody"] | {"content": content}}


def body_schema(operation: APIOperation) -> Json | None:
    """What an operation of the loosened document takes as JSON; None where it takes none."""
    content = operation.definition.raw.get("requestBody", {}).get("content", {})
    if "application/json" not in content:
        return None
    schema: Json = content["application/json"]["schema"]
    name = schema.get("$ref", "").rpartition("/")[2]
    return operation.schema.raw_schema["components"]["schemas"][name] if name else schema


def body(schema: Json) -> Json:
    """An object whose values are read so."""
    if "properties" not in schema:
        return schema
    return schema | {"properties": {name: named(name, each) for name, each in schema["properties"].items()}}


def named(name: str, schema: Json) -> Json:
    """A parameter as it is read."""
    if name in ANYTHING:
        return {}
    if name in OR_BOOLEAN:
        made = read(schema)
        whole, *others = made["anyOf"]
        texts = {
            text: without_integers(each) if "anyOf" in each else each for text, each in whole["properties"].items()
        }
        return made | {"anyOf": [whole | {"properties": texts}, *others, {"enum": WORDS}]}
    return schema | {"items": {}} if name in COUNTED else read(schema)


def read(schema: Json) -> Json:
    """A value as it is read."""
    null: list[Json] = [{"enum": [None, ""]}] if schema.get("nullable") else []
    if "enum" in schema:
        words: Json = {"anyOf": [{"enum": [each for each in schema["enum"] if each is not None]}, *null]}
        return words | {"example": schema.get("example")}
    if schema.get("type") not in READINGS:
        return schema | ({"anyOf": [*schema["anyOf"], *null]} if "anyOf" in schema else {})
    made: Json = {"anyOf": [*READINGS[schema["type"]](strip(schema)), *null]}
    return made | ({"example": schema["example"]} if "example" in schema else {})


def of_text(schema: Json) -> list[Json]:
    """A text; where a blank is null, it may be blank. Formats are matters of meaning."""
    return [{key: schema[key] for key in ("type", "minLength", "maxLength", "pattern") if key in schema}, INTEGER]


READINGS: dict[str, Callable[[Json], list[Json]]] = {
    "string": of_text,
    "integer": lambda schema: [schema, DIGITS],
    "number": lambda schema: [schema, DECIMALS],
    "boolean": lambda schema: [{"enum": WORDS}],
    "array": lambda schema: [schema | {"items": read(schema["items"])}, {"enum": [""]}],
    "object": lambda schema: [body(schema)],
}


def without_integers(schema: Json) -> Json:
    """The same, which takes no integer for a text."""
    return schema | {"anyOf": [each for each in schema["anyOf"] if each is not INTEGER]}


def strip(schema: Json) -> Json:
    """Without null, which has a spelling of its own here."""
    return {key: value for key, value in schema.items() if key not in ("nullable", "default", "example")}
