"""Whose number it is: tests/data/whose.csv, and what no payload may bring about."""

import json
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.foreign.owner_words import LEADS, RECORDS, SMALL, STRANGERS, WEAK
from server.foreign.owners import STRANGER, whose
from server.foreign.words import spelt
from server.leads.lifting import lift_payload
from tests.unit import table
from tests.unit.foreign import Tree

NUMBERS = {letter: f"+1719445110{index}" for index, letter in enumerate("ABCD", 1)}
ROWS = table("whose.csv")


def taken_from(tree: Tree) -> str | None:
    """The place of the number that is taken."""
    _, about = lift_payload(tree, "US")
    return next((each["from"] for each in about.matched if each["field"] == "caller_id"), None)


def tree_of(row: dict[str, str]) -> Tree:
    text = row["tree"]
    for letter, number in NUMBERS.items():
        text = text.replace(f'"{letter}"', f'"{number}"')
    tree: Tree = json.loads(text)
    return tree


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["case"])
def test_the_number_that_is_taken_is_the_leads(row: dict[str, str]) -> None:
    assert taken_from(tree_of(row)) == (row["taken"] or None)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["case"])
def test_the_order_of_members_never_changes_which_number_is_taken(row: dict[str, str]) -> None:
    tree = tree_of(row)
    for order in permutations(tree):
        assert taken_from({name: tree[name] for name in order}) == (row["taken"] or None)


@pytest.mark.parametrize("row", [row for row in ROWS if not row["taken"]], ids=lambda row: row["case"])
def test_a_number_that_is_not_taken_is_named_with_the_reason(row: dict[str, str]) -> None:
    _, about = lift_payload(tree_of(row), "US")
    assert about.passed
    for each in about.passed:
        assert each["from"]
        assert "not the lead's own: `" in each["reason"]


# Every word


def spellings(word: str) -> list[str]:
    """The keys that a word for an owner makes."""
    name = word.title().replace(" ", "")
    return [
        f"{word}_phone",
        f"{word}-mobile",
        f"{name}Phone",
        f"{word} phone number",
        f"{word.upper()}_PHONE",
        f"{word}_phone_2",
        f"{word}s_phone",
        f"phone_of_{word}",
    ]


@pytest.mark.parametrize(("place", "word"), [*enumerate(sorted(STRANGERS - SMALL))])
def test_every_word_for_somebody_else_keeps_a_number_from_being_taken(place: int, word: str, long: bool) -> None:
    number, keys = NUMBERS["A"], spellings(word)
    for key in keys:
        assert taken_from({key: number}) is None, key
    # Beside others and within a record each word stands in one spelling, and in the long form in all.
    for key in keys if long else [keys[place % len(keys)]]:
        assert taken_from({"customer": {key: number}}) is None, key
        assert taken_from({key: number, "phone": NUMBERS["B"]}) == "phone", key
    for tree in ({word: number}, {word: {"phone": number}}, {"contact": {word: {"x": {"mobile": number}}}}):
        assert taken_from(tree) is None
    assert taken_from({word: [{"contact": {"phone": number}}]}) is None or word in RECORDS


@pytest.mark.parametrize("word", sorted(LEADS | WEAK - {"callerid"}))
def test_every_word_for_the_lead_goes_before_a_bare_phone(word: str) -> None:
    for key in (f"{word}_phone", f"{word.upper()}-PHONE"):
        assert taken_from({"phone": NUMBERS["A"], key: NUMBERS["B"]}) == key
    assert taken_from({"phone": NUMBERS["A"], word: {"phone": NUMBERS["B"]}}) == f"{word}.phone"


def test_no_word_is_said_of_both() -> None:
    assert not STRANGERS & (LEADS | WEAK)


# Everything else of a stranger's


@pytest.mark.parametrize("name", ["agent", "company", "assigned_to", "owner", "location", "createdBy", "spouse"])
def test_nothing_of_a_stranger_is_the_leads(name: str) -> None:
    tree = {
        name: {
            "phone": NUMBERS["A"],
            "email": "a@example.com",
            "name": "Bo Roe",
            "first_name": "Bo",
            "last_name": "Roe",
            "address": "1 Main St",
            "city": "Denver",
            "state": "CO",
            "zip": "80014",
            "reach": "b@example.com",
        }
    }
    fields, about = lift_payload(tree, "US")
    assert fields.keys() == {"data"}
    assert not about.aliases
    assert about.matched == []
    # It is kept all the same, as what it is.
    assert len(fields["data"]) == 10
    own = {"phone": NUMBERS["B"], "email": "own@example.com", "zip": "80200"}
    fields, _ = lift_payload(tree | own, "US")
    assert (fields["caller_id"], fields["email"], fields["data"]["zip"]) == (NUMBERS["B"], "own@example.com", "80200")


def test_where_a_lead_lives_is_its_own() -> None:
    fields, _ = lift_payload({"customer": {"location": {"city": "Denver"}}, "property": {"zip": "80014"}}, "US")
    assert (fields["data"]["city"], fields["data"]["zip"]) == ("Denver", "80014")
    fields, _ = lift_payload({"location": {"city": "Denver"}}, "US")
    assert "city" not in fields["data"]


def test_a_leads_address_goes_before_a_bare_one() -> None:
    tree = {"e-mail": "a@example.com", "customer_email": "b@example.com", "agent_email": "c@example.com"}
    assert lift_payload(tree, "US")[0]["email"] == "b@example.com"


# Known payloads


def test_a_question_for_somebody_elses_number_is_not_the_leads() -> None:
    fields = [{"id": "1", "title": "Phone of your employer"}, {"id": "2", "title": "Your phone"}]
    answers = [
        {"type": "phone_number", "phone_number": NUMBERS["A"], "field": {"id": "1", "type": "phone_number"}},
        {"type": "phone_number", "phone_number": NUMBERS["B"], "field": {"id": "2", "type": "phone_number"}},
    ]
    tree = {"form_response": {"definition": {"fields": fields}, "answers": answers}}
    assert taken_from(tree) == "form_response.answers[1].phone_number"
    tree = {"form_response": {"definition": {"fields": fields}, "answers": answers[:1]}}
    assert taken_from(tree) is None


@pytest.mark.parametrize(
    ("tree", "taken"),
    [
        (
            {"fields": {"agent_phone": {"value": "A", "type": "tel"}, "phone": {"value": "B", "type": "tel"}}},
            "fields.phone.value",
        ),
        ({"properties": {"company_phone": "A", "mobilephone": "B"}, "archived": False}, "properties.mobilephone"),
        ({"properties": {"hubspot_owner_phone": {"value": "A"}}, "vid": 1}, None),
        ({"field_data": [{"name": "spouse_phone", "values": ["A"]}]}, None),
        ({"user_column_data": [{"column_id": "company_phone", "string_value": "A"}]}, None),
        ({"form_id": "1", "date_created": "x", "1": "", "agent": {"phone": "A"}}, None),
    ],
)
def test_a_known_payload_holds_strangers_numbers_too(tree: Tree, taken: str | None) -> None:
    assert taken_from(tree_of({"tree": json.dumps(tree)})) == taken


# What `matched` says


def test_matched_says_by_which_rule_and_before_what() -> None:
    _, about = lift_payload({"tracking_number": NUMBERS["A"], "work_phone": NUMBERS["C"], "phone": NUMBERS["B"]}, "US")
    [match] = about.matched
    assert match["by"] == "name phone"
    assert match["rule"] == "nobody else's; by its name"
    assert match["passed_over"] == [
        {"from": "tracking_number", "reason": "it is not the lead's own: `tracking`"},
        {
            "from": "work_phone",
            "reason": "another goes first: mobile, phone, home, work; then by its place in the payload",
        },
    ]


def test_only_so_many_are_named_that_were_passed_over() -> None:
    many = {f"agent_{index}": {"phone": NUMBERS["A"]} for index in range(300)}
    _, about = lift_payload(many | {"phone": NUMBERS["B"]}, "US")
    [match] = about.matched
    assert len(match["passed_over"]) == 10


# Whatever comes


NAMES = st.sampled_from(
    [
        *("phone", "mobile", "a", "data", "contact", "customer", "lead", "x_number", "agent", "company", "ownerPhone"),
        *("to", "work_phone", "tel", "office", "value", "label", "items", "phone1", "phone2", "userphone", "from"),
    ]
)
VALUES = st.sampled_from([*NUMBERS.values(), "", "x", 7])
PAYLOADS = st.dictionaries(
    NAMES,
    st.recursive(
        VALUES,
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=4),
        max_leaves=10,
    ),
    max_size=5,
)


def chosen(tree: Tree) -> Any:
    fields, _ = lift_payload({"payload": tree}, "US")
    return fields.get("caller_id")


@given(PAYLOADS)
@settings(deadline=None, max_examples=200)
def test_a_number_that_is_taken_never_stands_under_a_strangers_word(tree: Tree) -> None:
    _, about = lift_payload({"payload": tree}, "US")
    for each in about.matched:
        names = [spelt(name) for name in each["from"].replace("[", ".").split(".")]
        assert whose(names).standing != STRANGER or "label" in str(tree)


@given(st.dictionaries(st.sampled_from(["agent", "office", "ownerPhone", "to", "userphone", "work_company"]), VALUES))
@settings(deadline=None, max_examples=50)
def test_of_strangers_alone_nothing_is_taken(tree: Tree) -> None:
    assert chosen(tree) is None
    assert chosen({"contact": tree, "data": {"customer": tree}}) is None
