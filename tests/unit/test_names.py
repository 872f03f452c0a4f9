"""Which names of people are read from what pages call their fields."""

import json
from typing import Any

import pytest

from server.leads.names import names_of
from tests.unit import DATA

ROWS = json.loads((DATA / "person_names.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("tokens", "names"), ROWS, ids=[json.dumps(tokens)[:70] for tokens, _ in ROWS])
def test_a_persons_names_are_read_by_what_the_page_calls_them(tokens: dict[str, Any], names: dict[str, str]) -> None:
    assert names_of(tokens) == names
