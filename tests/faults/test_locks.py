"""What takes long holds no lock for which other leads wait."""

import threading
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from server.companies import operations
from server.lib.pattern import LONGEST_TEXT, Pattern
from server.offers.models import ContactField
from server.schedules.models import Schedule
from tests.api.calls import LEADS, NUMBER, OTHER_NUMBER
from tests.factories import Account

# Seconds that a lead may wait for others.
PATIENCE = 5


class Bystander:
    """Sends a lead of its own while something else is at work, and tells whether it was taken meanwhile."""

    def __init__(self, app: Flask, account: Account) -> None:
        self.app = app
        self.sent = {"lead_token": account.schedule_token, "caller_id": OTHER_NUMBER}
        self.taken: list[bool] = []

    def send(self) -> None:
        """Sends one, once, and waits for its answer."""
        if self.taken:
            return
        done = threading.Event()
        self.taken.append(False)

        def post() -> None:
            if self.app.test_client().post(LEADS, json=self.sent).status_code == 200:
                done.set()

        threading.Thread(target=post, daemon=True).start()
        self.taken[0] = done.wait(PATIENCE)


@pytest.fixture
def bystander(app: Flask, account: Account) -> Bystander:
    return Bystander(app, account)


@pytest.mark.parametrize("action", ["", "/{id}/reset_password"])
def test_leads_come_in_while_a_password_is_hashed(
    client: FlaskClient, account: Account, bystander: Bystander, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    person = {"email": f"{account.public_key}@example.com", "name": "Ann", "role": "viewer"}
    if action:
        user = client.post("/api/v1/users", json=person, headers=account.bearer).get_json()["user"]

    class Watched(PasswordHasher):
        """Somebody sends a lead while it works."""

        def hash(self, *about: Any, **more: Any) -> str:
            bystander.send()
            return super().hash(*about, **more)

    monkeypatch.setattr(operations, "HASHER", Watched(time_cost=1, memory_cost=8, parallelism=1))
    url = "/api/v1/users" + (action.format(id=user["id"]) if action else "")
    answer = client.post(url, json={} if action else person, headers=account.bearer)
    assert (answer.status_code in (200, 201), bystander.taken) == (True, [True])


@pytest.mark.parametrize("token", ["schedule_token", "publishable_token"])
def test_leads_come_in_while_a_pattern_is_compared(
    client: FlaskClient, account: Account, bystander: Bystander, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    account.change(Schedule, account.schedule_id, acceptance={"enforce_contact_fields": True})
    about = {"company_id": account.company_id, "offer_id": account.offer_id, "value_type": "string"}
    account.add(ContactField(**about, key="note", name="Note", pattern=".*" * 99, position=1, options=[]))
    compare = Pattern.matches

    def watched(self: Pattern, *about: Any) -> bool:
        bystander.send()
        return compare(self, *about)

    monkeypatch.setattr(Pattern, "matches", watched)
    sent = {"lead_token": getattr(account, token), "caller_id": NUMBER, "note": "x" * LONGEST_TEXT}
    assert client.post(LEADS, json=sent).status_code == 200
    assert bystander.taken == [True]
