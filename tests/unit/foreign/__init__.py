"""Payloads of other systems: samples in tests/data/payloads, variations of each in tests/data/foreign."""

import json
from typing import Any

from server.lib.wire import undot
from tests.unit import DATA

Tree = dict[str, Any]

# The real programs' payloads, after their own documentation, as they are once a request was read.
SAMPLES: dict[str, Tree] = {
    path.stem: undot(json.loads(path.read_text(encoding="utf-8")))
    for path in sorted((DATA / "payloads").glob("*.json"))
}
CASES: list[Tree] = [
    {"of": path.stem} | case | {"tree": undot(case["tree"])}
    for path in sorted((DATA / "foreign").glob("*.json"))
    for case in json.loads(path.read_text(encoding="utf-8"))
]
# What resembles a payload of a known program and is none.
NEAR_MISSES: list[Tree] = json.loads((DATA / "near_misses.json").read_text(encoding="utf-8"))
