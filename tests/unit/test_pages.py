"""What the fields of a landing page mean: numbers in parts, names that a builder has encoded."""

import json
from typing import Any

import pytest

from server.leads.page_numbers import whole_number
from server.leads.pages import encoded_label, find_email
from server.leads.params import Asked
from tests.unit import DATA

NUMBERS = json.loads((DATA / "page_numbers.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("said", "tokens", "region", "whole"), NUMBERS)
def test_a_number_that_a_page_asks_for_in_parts_is_put_together(
    said: str, tokens: dict[str, Any], region: str, whole: str | None
) -> None:
    assert whole_number(said, tokens, region) == whole


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("WW91ciBuYW1l", "Your name"),
        ("UGhvbmUgTnVtYmVyKg==", "Phone Number*"),
        ("VGVsw6lmb25v", "Teléfono"),
        ("lastname", None),
        ("name", None),
        ("Zip1", None),
        ("loan_amount", None),
        ("YQ==", None),
        ("PGI+eDwvYj4=", None),
        ("", None),
    ],
)
def test_a_label_that_a_page_builder_has_encoded_is_read(name: str, label: str | None) -> None:
    assert encoded_label(name) == label


@pytest.mark.parametrize(
    ("fields", "tokens", "found"),
    [
        ({}, {"correo": " ana@example.com "}, "ana@example.com"),
        ({}, {"correo_electr_nico": "ana@example.com"}, "ana@example.com"),
        ({}, {"contacto": {"courriel": "ana@example.com"}}, "ana@example.com"),
        ({"email": "ann@example.com"}, {"correo": "ana@example.com"}, "ann@example.com"),
        ({}, {"correo": "none"}, None),
        ({}, {"note": "ana@example.com", "loan": "500"}, None),
    ],
)
def test_an_address_is_known_by_what_other_languages_call_it(
    fields: dict[str, Any], tokens: dict[str, Any], found: str | None
) -> None:
    asked = Asked(dict(fields), tokens, {})
    find_email(asked)
    assert asked.fields.get("email") == found
