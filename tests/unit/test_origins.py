"""The origins that a token's lists may hold: one spelling each, the one that browsers send."""

import pytest

from server.lead_tokens.origins import LONGEST, BadOrigin, read_origin
from tests.unit import table


@pytest.mark.parametrize("row", table("allowed_origins.csv"), ids=lambda row: row["case"])
def test_an_origin_gets_its_one_spelling_or_is_told_what_is_wrong(row: dict[str, str]) -> None:
    if row["origin"]:
        assert read_origin(row["written"]) == row["origin"]
        assert read_origin(row["origin"]) == row["origin"]
    else:
        with pytest.raises(BadOrigin, match=f"^{row['says']}"):
            read_origin(row["written"])


def test_an_origin_without_end_is_none() -> None:
    with pytest.raises(BadOrigin, match="is no origin"):
        read_origin("https://" + "a" * LONGEST)
