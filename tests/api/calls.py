"""What the tests of this folder send, and how they read the answer."""

from datetime import UTC, datetime
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.leads.models import Lead
from tests.factories import Account

LEADS = "/api/v1/leads"
CAPTURE = f"{LEADS}/capture"
SUBMISSIONS = "/api/v1/submissions"
CALLS = "/api/v1/calls"

NUMBER = "+17192221234"
OTHER_NUMBER = "+17192225678"

# A page of another site: who sends this Origin is a browser.
PAGE = "https://shop.example"

# Where tests begin that move the clock.
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)

Json = dict[str, Any]


def send(
    client: FlaskClient, token: str, url: str = LEADS, headers: dict[str, str] | None = None, **params: Any
) -> TestResponse:
    """A lead as JSON, of NUMBER unless another caller_id is given."""
    return client.post(url, json={"lead_token": token, "caller_id": NUMBER} | params, headers=headers)


def take(client: FlaskClient, token: str, **params: Any) -> Json:
    """The answer to a lead that must be taken."""
    return taken(send(client, token, **params))


def taken(answer: TestResponse) -> Json:
    """The answer's content, which must be that of a lead that was taken."""
    body: Json = answer.get_json()
    assert (answer.status_code, body["success"]) == (200, True), body
    return body


def refused(answer: TestResponse, code: str) -> Json:
    """The answer's content, which must be a refusal with this code."""
    body: Json = answer.get_json()
    assert (answer.status_code, body["success"], body["code"]) == (body["status"], False, code), body
    assert answer.status_code >= 400
    return body


def warned(body: Json) -> list[tuple[str, str]]:
    """Parameter and code of each warning."""
    return [(warning["param"], warning["code"]) for warning in body["warnings"]]


def end(account: Account, lead_id: str, **how: Any) -> None:
    """Ends a lead as a schedule does that has come to its end."""
    ended = {"is_live": False, "status": "completed", "ended_at": datetime.now(UTC), "next_action_at": None}
    change(account, lead_id, **(ended | how))


def change(account: Account, lead_id: str, **values: Any) -> None:
    """Changes a lead as a person at the console does."""
    account.change(Lead, lead_id, updated_at=datetime.now(UTC), **values)
