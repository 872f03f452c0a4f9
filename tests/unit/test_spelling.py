"""Names that come near to one of ours, and those that only look like it."""

import time

import pytest

from server.leads.spelling import meant
from tests.unit import table


@pytest.mark.parametrize("row", table("spellings.csv"), ids=lambda row: row["key"] or "nothing")
def test_a_name_is_known_by_its_letters_or_by_one_mistake(row: dict[str, str]) -> None:
    assert (meant(row["key"]) or "") == row["meant"]


def test_forty_thousand_names_that_are_nothing_like_ours_cost_little() -> None:
    began = time.process_time()
    assert not any(meant(f"dry{number}run") for number in range(10_000, 50_000))
    assert time.process_time() - began < 2
    assert meant.cache_info().currsize <= 4096
