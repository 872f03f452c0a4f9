"""From a request's parameters to what was asked for."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.errors import Refused
from server.leads.params import (
    CONTROLS,
    FILLED_FROM_DATA,
    READ_CONTROLS,
    RESERVED,
    Asked,
    blank,
    read_asked,
    sent_token,
)
from server.leads.schemas import FIELDS
from server.leads.tokens import token_name

NUMBER = "7192221234"
TOKEN = "0" * 32

# The contract's list, word for word, but for the parameters that LeadSchema declares.
RESERVED_BY_CONTRACT = (
    "lead_token schedule_lead_token offer_lead_token data_json auth_token number id uuid lead_id format controller"
    " action utf8 _method authenticity_token serializer root columns idempotency_key vendor_lead_id dry_run explain"
    " redirect_to redirect_error consent hp"
)
# What proves the payloads of Google and Meta is no token either.
PROOFS = {"google_key", "hub_verify_token", "handshakekey"}

MISLEADING = ("dry_run", "update_only", "delete_existing", "expire_existing")
FLAGS = sorted(name for name, field in FIELDS.items() if type(field).__name__ == "Boolean")


def warned(asked: Asked) -> list[tuple[str, str]]:
    """Parameter and code of each warning."""
    return [(warning["param"], warning["code"]) for warning in asked.warnings]


def refusal(tree: dict[str, Any]) -> Refused:
    """Why a request is refused."""
    with pytest.raises(Refused) as caught:
        read_asked(tree)
    return caught.value


def asked_or_refused(tree: dict[str, Any]) -> Asked | Refused:
    """How a request ends, either way."""
    try:
        return read_asked(tree)
    except Refused as error:
        return error


# Reserved keys and tokens


def as_it_is(name: str) -> dict[str, Any]:
    return {name: "1"}


def in_capitals(name: str) -> dict[str, Any]:
    return {name.upper(): "1"}


def in_data(name: str) -> dict[str, Any]:
    return {"data": {name: "1"}}


def test_a_raw_line_break_in_data_json_is_read_and_named() -> None:
    asked = read_asked({"data_json": '{"note": "one\ntwo"}'})
    assert asked.tokens == {"note": "one\ntwo"}
    assert warned(asked) == [("data.note", "json_repaired")]


def test_the_reserved_keys_are_the_contracts() -> None:
    assert {*RESERVED_BY_CONTRACT.split(), *FIELDS, *PROOFS} == RESERVED


@pytest.mark.parametrize("name", sorted(RESERVED - {"data", "data_json"}))
@pytest.mark.parametrize("spelling", [as_it_is, in_capitals, in_data])
def test_a_reserved_key_never_becomes_a_token(name: str, spelling: Any) -> None:
    asked = asked_or_refused(spelling(name))
    if isinstance(asked, Refused):
        assert [path.removeprefix("data.").lower() for path in asked.errors] == [name]
    else:
        assert asked.tokens == {}


@pytest.mark.parametrize("name", sorted(CONTROLS - READ_CONTROLS))
def test_a_reserved_key_without_effect_is_named(name: str) -> None:
    assert warned(read_asked({name: "1"})) == [(name, "no_effect")]
    assert warned(read_asked({name: " "})) == []


@pytest.mark.parametrize("name", sorted(RESERVED - {*FILLED_FROM_DATA, "dry_run", "data", "data_json"}))
def test_a_reserved_key_inside_data_is_left_out_aloud(name: str) -> None:
    asked = read_asked({"data": {name: "1", "zip": "1"}})
    assert (asked.tokens, name in asked.fields, name in asked.controls) == ({"zip": "1"}, False, False)
    assert warned(asked) == [(f"data.{name}", "no_effect")]


@pytest.mark.parametrize("name", FLAGS)
def test_a_flag_is_never_filled_from_data_or_from_a_namesake(name: str) -> None:
    asked = read_asked({"data": {name: True}} | ({} if name in MISLEADING else {name.upper(): True}))
    assert name not in asked.fields
    assert {path.removeprefix("data.").lower() for path, _ in warned(asked)} == {name}
    assert {code for _, code in warned(asked)} == {"no_effect"}


@pytest.mark.parametrize("name", MISLEADING)
@pytest.mark.parametrize("value", [True, "true", 1, "x", ["1"]])
def test_a_flag_that_is_counted_on_and_has_no_effect_is_refused(name: str, value: object) -> None:
    """Spelt otherwise, or put where flags do not count."""
    packed = json.dumps({name[1:]: value})
    for tree, key in (
        ({name.upper(): value}, name.upper()),
        ({name.replace("_", ""): value}, name.replace("_", "")),
        ({"data": {name.replace("_", "-"): value}}, f"data.{name.replace('_', '-')}"),
        ({"data_json": packed}, f"data.{name[1:]}"),
        ({"data": {"dry_run": value}}, "data.dry_run"),
    ):
        with pytest.raises(Refused) as caught:
            read_asked(tree)
        assert (caught.value.code, list(caught.value.errors)) == ("invalid_parameter", [key])
        assert f"did you mean {'dry_run' if key == 'data.dry_run' else name}" in caught.value.message


@pytest.mark.parametrize("value", [False, "false", "0", "no", "", None])
def test_a_misspelt_flag_that_says_no_misleads_nobody(value: object) -> None:
    assert read_asked({"dryrun": value, "data": {"dry_run": value}}).controls == {}


def test_a_name_near_to_one_of_ours_is_kept_and_asked_about() -> None:
    asked = read_asked({"callerid": "1", "data": {"trafficSourceId": "x", "emails": "y"}})
    assert asked.tokens == {"callerid": "1", "trafficsourceid": "x", "emails": "y"}
    assert warned(asked) == [("callerid", "did_you_mean"), ("data.trafficSourceId", "did_you_mean")]
    assert "Did you mean caller_id?" in asked.warnings[0]["message"]


# The four fields that data fills


@pytest.mark.parametrize("name", FILLED_FROM_DATA)
def test_data_fills_the_field_that_is_absent(name: str) -> None:
    for tree in ({"data": {name: "1"}}, {"data_json": f'{{"{name}": "1"}}'}, {"data": {name.title(): "1"}, name: ""}):
        asked = read_asked(tree)
        assert (asked.fields[name], asked.tokens, asked.warnings) == ("1", {}, [])


@pytest.mark.parametrize("name", FILLED_FROM_DATA)
def test_the_top_level_wins_over_data(name: str) -> None:
    asked = read_asked({name: "1", "data": {name: "2"}})
    assert (asked.fields[name], warned(asked)) == ("1", [(f"data.{name}", "no_effect")])
    assert read_asked({name: "1", "data": {name: "1"}}).warnings == []


def test_a_value_from_data_is_validated_under_its_name() -> None:
    assert refusal({"data": {"email": ["a"]}}).errors == {"email": ["Must be a String"]}


def test_exactly_these_four_are_filled() -> None:
    assert set(FILLED_FROM_DATA) == {"caller_id", "email", "traffic_source_id", "sub_id"}


def test_number_is_caller_id_by_another_name() -> None:
    assert read_asked({"number": NUMBER}).fields["caller_id"] == NUMBER
    assert read_asked({"number": int(NUMBER)}).fields["caller_id"] == NUMBER
    assert read_asked({"number": NUMBER, "caller_id": "1"}).fields["caller_id"] == "1"
    assert read_asked({"number": NUMBER, "caller_id": ""}).fields["caller_id"] == NUMBER
    assert read_asked({"number": NUMBER, "data": {"caller_id": "1"}}).fields["caller_id"] == NUMBER
    assert "caller_id" not in read_asked({"data": {"number": NUMBER}}).fields


# data and data_json


def test_data_and_data_json_and_stray_keys_are_one() -> None:
    tree = {"data": {"a": "1", "b": "1"}, "data_json": '{"b": "2", "c": 3, "d": {"e": [null]}}', "f": "4"}
    assert read_asked(tree).tokens == {"a": "1", "b": "1", "c": 3, "d": {"e": [None]}, "f": "4"}


def test_a_blank_of_data_hides_nothing_of_data_json() -> None:
    assert read_asked({"data": {"a": " "}, "data_json": '{"a": "1"}'}).tokens == {"a": "1"}


def test_of_a_token_at_both_levels_the_one_in_data_wins() -> None:
    assert read_asked({"zip": "1", "data": {"Zip": "2"}}).tokens == {"zip": "2"}
    assert read_asked({"zip": "1", "data": {"zip": ""}}).tokens == {"zip": "1"}


@pytest.mark.parametrize("packed", [{"a": 1}, '{"a": 1}', ' \ufeff{"a": 1}'.replace("\ufeff", ""), '{"a": 2, "a": 1}'])
def test_data_json_is_an_object_or_its_text(packed: object) -> None:
    assert read_asked({"data_json": packed}).tokens == {"a": 1}


@pytest.mark.parametrize("packed", ["null", " ", "", "{}"])
def test_data_json_may_hold_nothing(packed: str) -> None:
    assert read_asked({"data_json": packed, "a": "1"}).tokens == {"a": "1"}


@pytest.mark.parametrize("packed", ["[1]", "1", '"a"', "{", "{'a': 1}", '{"a": NaN}', "a=1", "[" * 50, 1, ["a"], True])
def test_data_json_that_is_none_is_refused(packed: object) -> None:
    error = refusal({"data_json": packed})
    assert (error.code, error.errors) == ("invalid_parameter", {"data_json": ["Must be a JSON object as text"]})


@pytest.mark.parametrize("escape", [r"\u0000", r"\ud800", r"x\udfff"])
def test_what_no_database_keeps_does_not_hide_in_data_json(escape: str) -> None:
    for packed, path in (('{"a": {"b": "?"}}', "data.a.b"), ('{"?": 1}', "data.\ufffd")):
        error = refusal({"data_json": packed.replace("?", escape)})
        assert error.code == "invalid_character"
        assert [name.replace("x", "") for name in error.errors] == [path]


@pytest.mark.parametrize("data", ["{}", "a", 1, True, ["a"], [["a", 1]]])
def test_data_is_a_hash(data: object) -> None:
    error = refusal({"data": data})
    assert (error.code, error.errors) == ("invalid_parameter", {"data": ["Must be a Hash"]})


# Fields


def test_every_wrong_field_is_named_at_once() -> None:
    error = refusal({"lead_priority": "high", "blocked": "maybe", "email": 1, "caller_id": NUMBER})
    assert error.code == "invalid_parameter"
    assert error.errors == {
        "lead_priority": ["Must be a decimal number."],
        "blocked": ["Must be a boolean value: 1, true, yes, on, 0, false, no, off"],
        "email": ["Must be a String"],
    }
    for name, [text] in error.errors.items():
        assert f"{name}: {text}" in error.message


@pytest.mark.parametrize("name", sorted(FIELDS))
@pytest.mark.parametrize("value", ["", " \t\r\n", "\u00a0", None])
def test_blank_counts_as_absent(name: str, value: str | None) -> None:
    asked = read_asked({name: value})
    assert (asked.fields, asked.tokens, asked.warnings) == ({}, {}, [])


@pytest.mark.parametrize("value", [0, False, [], {}])
def test_what_is_empty_and_yet_something_is_not_blank(value: object) -> None:
    assert not blank(value)


# Credentials


def test_a_token_is_looked_for_under_its_three_names_and_one_only() -> None:
    assert sent_token({"lead_token": "a"}) == ("a", None)
    assert sent_token({"schedule_lead_token": "a"}) == ("a", "schedule")
    assert sent_token({"offer_lead_token": "a"}) == ("a", "offer")
    assert sent_token({"lead_token": "a", "offer_lead_token": "b"}) == ("a", None)
    assert sent_token({"lead_token": "", "offer_lead_token": "b"}) == ("b", "offer")
    assert sent_token({"lead_token": ["a"]}) == (["a"], None)
    assert sent_token({"token": "a"}) == (None, None)


# Whatever comes


KEYS = st.sampled_from([*sorted(RESERVED), "zip", "Zip ", "Имя", "data", "phone"]) | st.text(max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=6) | st.sampled_from(["1", NUMBER]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(KEYS, VALUES, max_size=6))
@settings(deadline=None, max_examples=400)
def test_every_request_is_sorted_or_refused_by_name(tree: dict[str, Any]) -> None:
    before = json.dumps(tree)
    asked = asked_or_refused(tree)
    assert json.dumps(tree) == before
    if isinstance(asked, Refused):
        assert (asked.status, bool(asked.errors)) == (422, True)
        assert all(texts and all(text for text in texts) for texts in asked.errors.values())
        return
    assert not asked.tokens.keys() & RESERVED
    assert all(name == token_name(name) and name for name in asked.tokens)
    assert asked.fields.keys() <= FIELDS.keys()
    assert not any(blank(value) for value in [*asked.fields.values(), *asked.tokens.values()])
