"""A submission that is taken out of quarantine: the posting that it was, which becomes what it is to be now. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from server.errors import Refused
from server.leads.posting import Posting
from server.leads.replay import Wanted, original_of, posting_again
from server.lib import json


def original_id(kept: Mapping[str, Any]) -> str | None:
    """The submission that is meant by one that only repeated it, under the same key; None for any other."""
    held = kept["code"] == "quarantined" or kept["released_at"] is not None
    first: str | None = kept["original_id"] if held else None
    return first


def posting_to_release(kept: Mapping[str, Any], wanted: Wanted) -> Posting:
    """The request as it came, from a row of `submission`; raises Refused for one that was never in quarantine."""
    if kept["code"] != "quarantined" and kept["released_at"] is None:
        raise not_quarantined(kept["action"] == "refused")
    original = replace(original_of(kept, wanted), submission_id=kept["id"], released=True, why=json.load(kept["why"]))
    return posting_again(kept, wanted, original)


def not_quarantined(refused: bool) -> Refused:
    """The refusal to release what is not in quarantine."""
    text = "was not quarantined but refused" if refused else "was not quarantined: it was taken when it came"
    replay, release = "/api/v1/submissions/{id}/replay", "/api/v1/leads/{id}/release"
    how = f"Have it taken once more with POST {replay}." if refused else f"If its lead is held, POST {release}."
    return Refused("invalid_parameter", f"The submission {text}", {"id": [text]}, f"The submission {text}. {how}")
