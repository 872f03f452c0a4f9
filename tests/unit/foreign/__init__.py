"""Payloads of other systems: samples in tests/data/payloads, variations of each in tests/data/foreign."""

import json
from typing import Any

from tests.unit import DATA

Tree = dict[str, Any]

# The real programs' payloads, from their own documentation.
SAMPLES: dict[str, Tree] = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((DATA / "payloads").glob("*.json"))
}
CASES: list[Tree] = [
    {"of": path.stem} | case
    for path in sorted((DATA / "foreign").glob("*.json"))
    for case in json.loads(path.read_text(encoding="utf-8"))
]
