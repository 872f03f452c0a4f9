"""Which traffic source a request belongs to."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.sources.rules import Attribution, Source, attribute

GOOGLE = Source(1, "google_ads")
# A source that the company calls by the number that another one has with us.
NUMBERED = Source(2, "1")
SOURCES = {"1": NUMBERED, "2": NUMBERED, "google_ads": GOOGLE}


@pytest.mark.parametrize(
    ("sent", "default", "expected", "rule"),
    [
        ("google_ads", None, Attribution(1, "google_ads"), "a known source was named"),
        ("2", None, Attribution(2, "1"), "a known source was named"),
        ("1", None, Attribution(2, "1"), "a known source was named"),
        ("bing", None, Attribution(None, "bing"), "an unknown source is kept as it was sent"),
        ("Google_Ads", None, Attribution(None, "Google_Ads"), "an unknown source is kept as it was sent"),
        ("bing", GOOGLE, Attribution(None, "bing"), "an unknown source is kept as it was sent"),
        (None, GOOGLE, Attribution(1, "google_ads"), "the token's default source"),
        (None, None, Attribution(), "no source was named and the token has no default"),
    ],
)
def test_a_source_is_the_one_named_else_the_tokens(
    sent: str | None, default: Source | None, expected: Attribution, rule: str
) -> None:
    for sub_id in (None, "a"):
        attribution, why = attribute(sent, sub_id, SOURCES, default)
        assert attribution == replace(expected, sub_id=sub_id)
        assert (why["step"], why["rule"]) == ("attribute", rule)
        assert (why["decided"], why["record"]) == (expected.text, expected.source_id)
        assert why["read"] == {
            "traffic_source_id": sent,
            "sub_id": sub_id,
            "token_default": default.text if default else None,
        }


@given(
    st.none() | st.text(max_size=3),
    st.none() | st.text(min_size=1, max_size=3),
    st.none() | st.builds(Source, st.integers(1, 9), st.text(min_size=1, max_size=3)),
)
def test_what_was_sent_is_never_lost(sent: str | None, sub_id: str | None, default: Source | None) -> None:
    attribution, _ = attribute(sent, sub_id, SOURCES, default)
    assert attribution.sub_id == sub_id
    if sent is not None:
        assert attribution.text == (SOURCES[sent].text if sent in SOURCES else sent)
    assert attribution.empty == (sent is None and sub_id is None and default is None)
