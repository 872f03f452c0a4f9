"""The samples of tests/data/samples.json, what must arrive of each, and what has."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from server.docs.languages import Sample
from server.lib.json import plain
from tests.api.calls import LEADS
from tests.factories import Account

Json = dict[str, Any]

TABLE: dict[str, Json] = json.loads((Path(__file__).parents[1] / "data" / "samples.json").read_text(encoding="utf-8"))


def samples(token: str, by: str = "") -> dict[str, Sample]:
    """Every sample as a lead of this token, of a number of its own; its name goes along, to know it again."""
    made = {}
    for number, (row, about) in enumerate(TABLE.items()):
        name = row + by
        lead = {"caller_id": f"+1719222{number:04}", "vendor_lead_id": name}
        place = "body" if about.get("body") else "query"
        query = {"lead_token": token} | about.get("query", {}) | (lead if place == "query" else {})
        body = lead | about["body"] if place == "body" else about.get("body")
        sent = {"query": query, "body": body, "form": about.get("form", False), "headers": about.get("headers", {})}
        made[name] = Sample(method="POST", path=LEADS, **sent)
    return made


def to_arrive(sample: Sample) -> Json:
    """What the server keeps of a sample, of which the token is nobody's business."""
    body = as_form(sample.body or {}) if sample.form else as_json(sample.body or {})
    return {"query": as_form({**sample.query, "lead_token": "[redacted]"}), "body": body}


def to_arrive_by_url(sample: Sample) -> Json:
    """The same where all of it stands in the URL."""
    return {"query": as_form({**sample.query, **(sample.body or {}), "lead_token": "[redacted]"}), "body": {}}


def as_json(value: Any) -> Any:
    """JSON keeps every type; an integer that JavaScript would round is text."""
    if isinstance(value, dict):
        return {key: as_json(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_json(inner) for inner in value]
    return str(value) if type(value) is int and abs(value) > 2**53 else value


def as_form(value: Any) -> Any:
    """A form knows text only; what is empty leaves no trace, and names that count from 0 are a list."""
    if isinstance(value, list):
        return [as_form(inner) for inner in value if inner not in ([], {})]
    if isinstance(value, dict):
        inner = {key: as_form(each) for key, each in value.items() if each not in ([], {})}
        return [*inner.values()] if [*inner] == [str(number) for number in range(len(inner))] and inner else inner
    return plain(value)


def arrived(account: Account) -> dict[str, Json]:
    """What the server has kept, by the sample's name."""
    kept: Iterable[Json] = (json.loads(row["received"]) for row in account.submissions())
    return {(each["body"] | each["query"])["vendor_lead_id"]: each for each in kept}
