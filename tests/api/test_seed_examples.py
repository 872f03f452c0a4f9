"""The examples of the document that this product implements, as it prints them, run by a shell against the server."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.factories import Account
from tests.live import Live

# What one who follows an example puts in place of these is his own; all else stands as it is printed.
HOST = "https://your-domain.com"
TOKEN = "YOUR_TOKEN"

FORM = r"""
curl -X POST \
  "https://your-domain.com/api/v1/leads?lead_token=YOUR_TOKEN&caller_id=+18004506787&email=john@example.com&loan_amount=500"
"""

JSON = r"""
curl -H "Content-Type: application/json" -X POST \
  -d '{
    "lead_token":"YOUR_TOKEN",
    "caller_id":"+18004506787",
    "data":{"email":"john@example.com","interest":"kittens"}
  }' \
  https://your-domain.com/api/v1/leads?lead_token=YOUR_TOKEN
"""

ATTRIBUTION = """
https://your-domain.com/api/v1/leads?lead_token=YOUR_TOKEN
  &caller_id=+17192223333
  &traffic_source_id=google_ads
  &sub_id=a1b2c3d
"""


@dataclass(frozen=True)
class Example:
    """A command of the document and the lead that it makes."""

    command: str
    lead: dict[str, Any]


EXAMPLES = {
    "form-encoded": Example(
        FORM, {"caller_id": "+18004506787", "email": "john@example.com", "data": {"loan_amount": "500"}}
    ),
    "JSON": Example(JSON, {"caller_id": "+18004506787", "email": "john@example.com", "data": {"interest": "kittens"}}),
    # A URL that is printed over four lines is one line.
    "attribution": Example(
        f'curl -X POST "{"".join(ATTRIBUTION.split())}"',
        {"caller_id": "+17192223333", "traffic_source_id": "google_ads", "sub_id": "a1b2c3d", "data": {}},
    ),
}


@pytest.mark.parametrize("owner", ["schedule", "offer"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_of_the_document_works_in_a_shell(live: Live, account: Account, name: str, owner: str) -> None:
    example = EXAMPLES[name]
    token = account.schedule_token if owner == "schedule" else account.offer_token
    answer = run(example.command.replace(HOST, live.url).replace(TOKEN, token))
    assert (answer["success"], answer["status"], answer["action"]) == (True, 200, "created")
    stored = httpx.get(f"{live.url}/api/v1/leads/{answer['lead_id']}", headers=account.bearer).json()["lead"]
    expected = {"email": None, "traffic_source_id": None, "sub_id": None} | example.lead
    assert {field: stored[field] for field in expected} == expected
    assert {field: answer["lead"][field] for field in expected} == expected
    [row] = account.leads()
    known = account.source_id if name == "attribution" else None
    assert (row["id"], row["owner_kind"], row["traffic_source_id"]) == (answer["lead_id"], owner, known)


def test_an_example_with_the_token_not_filled_in_says_so(live: Live, account: Account) -> None:
    answer = run(FORM.replace(HOST, live.url))
    assert (answer["status"], answer["code"]) == (422, "lead_token_invalid")
    assert account.leads() == []


def run(command: str) -> Any:
    """What curl prints, read as JSON."""
    assert shutil.which("curl"), "The examples are curl commands: install curl, so that it is found on the PATH."
    environ = os.environ | {"NO_PROXY": "127.0.0.1"}
    done = subprocess.run(["bash", "-c", command], env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
