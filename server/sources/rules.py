"""Attribution: which source and sub source a lead belongs to. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Source:
    """A traffic source: our id and the company's own."""

    id: int
    text: str


@dataclass(frozen=True, slots=True)
class Attribution:
    """What is written on a lead or a touch: `source_id` is None for a source that nobody has made yet."""

    source_id: int | None = None
    text: str | None = None
    sub_id: str | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing says where the lead came from."""
        return self.text is None and self.sub_id is None


def attribute(
    sent: str | None, sub_id: str | None, sources: Mapping[str, Source], default: Source | None
) -> tuple[Attribution, dict[str, Any]]:
    """The attribution of one request, and how it came about.

    `sources` knows each source by the company's own id and by ours; where a number is both, the company's own wins,
    because that is the id its people see.
    """
    known = sources.get(sent) if sent is not None else None
    if known:
        chosen, rule = Attribution(known.id, known.text, sub_id), "a known source was named"
    elif sent is not None:
        chosen, rule = Attribution(None, sent, sub_id), "an unknown source is kept as it was sent"
    elif default:
        chosen, rule = Attribution(default.id, default.text, sub_id), "the token's default source"
    else:
        chosen, rule = Attribution(None, None, sub_id), "no source was named and the token has no default"
    read = {"traffic_source_id": sent, "sub_id": sub_id, "token_default": default.text if default else None}
    return chosen, {
        "step": "attribute",
        "read": read,
        "decided": chosen.text,
        "rule": rule,
        "record": chosen.source_id,
    }
