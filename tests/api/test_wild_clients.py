"""Every shape in which the programs out there send a lead, at the socket of the real server: a table of requests."""

import json
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from tests.api.calls import LEADS
from tests.factories import Account
from tests.live import Live
from tests.raw import Answer, Wire, permits, preflight, request, understood

Case = dict[str, Any]

TABLE: dict[str, list[Case]] = json.loads(
    (Path(__file__).parents[1] / "data" / "wild_clients.json").read_text(encoding="utf-8")
)
CASES = [pytest.param(case, id=f"{section}: {case['case']}") for section, cases in TABLE.items() for case in cases]

# What a lead holds of which a row of the table says nothing.
NOTHING_ELSE = {
    "email": None,
    "data": {},
    "traffic_source_id": None,
    "sub_id": None,
    "test": False,
    "is_live": True,
    "blocked": False,
    "opt_out": False,
}

BOUNDARY = "----WebKitFormBoundaryAbCdEf0123456789"
TYPES = {
    "form": "application/x-www-form-urlencoded",
    "json": "application/json",
    "multipart": f"multipart/form-data; boundary={BOUNDARY}",
}


@pytest.mark.parametrize("case", CASES)
def test_a_request_of_the_wild_gets_its_answer_and_leaves_its_lead(live: Live, account: Account, case: Case) -> None:
    with Wire(live.port) as wire:
        if "preflight" in case:
            permits(wire.ask(preflight(target(case), case["preflight"])), case["preflight"])
        answer = wire.ask(written(case, account))
        if "page" in case:
            check_page(account, case, answer)
            return
        content = understood(answer)
        assert answer.status == case.get("status", 200 if "action" in case else 422), content
        check = check_taken if answer.status == 200 else check_refused
        check(wire, account, case, content)


def check_page(account: Account, case: Case, answer: Answer) -> None:
    """A person reads how it ended, and the lead is stored, or the refusal."""
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.status == case.get("status", 200)
    [kept] = account.submissions()
    assert kept["code"] == case.get("code")
    assert [lead["caller_id"] for lead in account.leads()] == ([case["lead"]["caller_id"]] if "lead" in case else [])


def check_taken(wire: Wire, account: Account, case: Case, content: dict[str, Any]) -> None:
    """The answer and the database hold the lead of the table and nothing else of what was sent."""
    lead = json.loads(filled(json.dumps(case["lead"]), account))
    expected = NOTHING_ELSE | {"schedule_id": account.schedule_id} | lead
    assert content["action"] == case["action"]
    assert [f"{warning['param']} {warning['code']}" for warning in content["warnings"]] == case.get("warnings", [])
    assert {name: content["lead"][name] for name in expected} == expected
    submission = read_back(wire, account, "submission", content["metadata"]["submission_id"])
    stored = read_back(wire, account, "lead", submission["lead_id"])
    assert {name: stored[name] for name in expected} == expected
    # A page is never told under which id its lead is stored.
    assert (content["lead_id"] == stored["id"]) is (case["action"] != "received")
    assert len(account.leads()) == 1
    assert ("dedupe" in content) is ("capture" in case.get("path", ""))


def check_refused(wire: Wire, account: Account, case: Case, content: dict[str, Any]) -> None:
    """The answer says what is wrong, there is no lead, and what came is kept where its token exists."""
    assert (content["code"], content["errors"]) == (case["code"], case["errors"])
    assert account.leads() == []
    kept = [row["id"] for row in account.submissions()]
    assert len(kept) == case.get("kept", True)
    for submission_id in kept:
        submission = read_back(wire, account, "submission", submission_id)
        assert (submission["lead_id"], submission["code"]) == (None, case["code"])
    # A token that does not count here is answered as one that does not exist.
    shown = [] if case["code"] == "lead_token_invalid" else kept
    assert [content["metadata"]["submission_id"]] == (shown or [None])


def read_back(wire: Wire, account: Account, what: str, row_id: str) -> dict[str, Any]:
    """A lead or a submission as the API shows it to its owner."""
    answer = wire.ask(request("GET", f"/api/v1/{what}s/{row_id}", account.bearer))
    assert answer.status == 200, answer.body
    row: dict[str, Any] = answer.json[what]
    return row


def written(case: Case, account: Account) -> bytes:
    """The bytes of a row of the table, with the account's tokens in them."""
    kind = next((kind for kind in TYPES if kind in case), None)
    headers = ({"Content-Type": TYPES[kind]} if kind else {}) | case.get("headers", {})
    body = body_of(case, kind)
    return request(
        case.get("method", "POST"),
        filled(target(case), account),
        headers,
        None if body is None else filled(body, account).encode(),
    )


def target(case: Case) -> str:
    """Path and query string."""
    path: str = case.get("path", LEADS)
    return f"{path}?{case['query']}" if "query" in case else path


def body_of(case: Case, kind: str | None) -> str | None:
    """The body as text: of its kind, or as it stands in the table."""
    if kind == "json":
        return json.dumps(case["json"])
    if kind == "multipart":
        parts = [
            (f"--{BOUNDARY}", f'Content-Disposition: form-data; name="{name}"', "", value)
            for name, value in case["multipart"]
        ]
        return "\r\n".join([*chain.from_iterable(parts), f"--{BOUNDARY}--", ""])
    text: str | None = case.get(kind or "body")
    return text


def filled(text: str, account: Account) -> str:
    """The text with what only the test knows."""
    known = {
        "YOUR_TOKEN": account.schedule_token,
        "OFFER_TOKEN": account.offer_token,
        "SOURCE_ID": str(account.source_id),
        "LONG_TEXT": "x" * 8193,
        "CUT_TEXT": "x" * 8192,
    }
    for name, value in known.items():
        text = text.replace(name, value)
    return text
