"""The messages that a dry run shows: the schedule's actions with the lead's tokens filled in (API.md §5, §7)."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from server.lib import clock
from server.schedules.models import ScheduleAction
from tests.api.calls import NUMBER, Json, change, take
from tests.factories import Account

SMS = {"body": "Hi [first_name]{there}, {{trackdrive_number}} is [offer_name]. [missing][zip]"}
WEBHOOK = {"url": "https://crm.example/[lead_id]", "body": {"number": "[caller_id]", "list": ["{{zip}}", 7]}}


@pytest.fixture
def actions(account: Account) -> dict[int, int]:
    """Two more actions after the first; their ids by position."""
    about: dict[str, Any] = {"company_id": account.company_id, "schedule_id": account.schedule_id}
    return {
        2: account.add(ScheduleAction(**about, position=2, kind="sms", config=SMS)),
        3: account.add(ScheduleAction(**about, position=3, kind="webhook", config=WEBHOOK)),
    }


def dry(client: FlaskClient, token: str, **params: Any) -> Json:
    return take(client, token, dry_run=True, **params)


def test_a_dry_run_shows_what_would_be_sent(client: FlaskClient, account: Account, actions: dict[int, int]) -> None:
    body = dry(client, account.schedule_token, zip="80903", data={"first_name": "[zip]"})
    first, sms, webhook = body["messages"]
    assert (first["kind"], first["action_id"], first["position"]) == ("dial", account.action_id, 1)
    # What is put in is never looked at again.
    assert sms == {
        "action_id": actions[2],
        "position": 2,
        "kind": "sms",
        "content": {"body": "Hi [zip],  is Auto insurance. 80903"},
    }
    assert webhook["content"]["url"].startswith("https://crm.example/01")
    assert webhook["content"]["body"] == {"number": NUMBER, "list": ["80903", 7]}


def test_only_what_is_ahead_of_the_lead_is_shown(
    client: FlaskClient, account: Account, actions: dict[int, int]
) -> None:
    lead = take(client, account.schedule_token, zip="1")["lead_id"]

    change(account, lead, next_action_id=actions[2])
    body = dry(client, account.schedule_token, data={"first_name": "Ann"})
    assert [each["position"] for each in body["messages"]] == [2, 3]
    assert body["messages"][0]["content"]["body"] == "Hi Ann,  is Auto insurance. 1"


def test_a_deleted_action_and_a_stopped_lead_send_nothing(
    client: FlaskClient, account: Account, actions: dict[int, int]
) -> None:

    account.change(ScheduleAction, actions[2], deleted_at=clock.now())
    assert [each["position"] for each in dry(client, account.schedule_token)["messages"]] == [1, 3]
    assert dry(client, account.schedule_token, blocked=True)["messages"] == []
    assert dry(client, account.offer_token)["messages"] == []


@pytest.mark.parametrize("token", ["vendor_token", "publishable_token"])
def test_messages_are_for_who_may_see_the_stored_lead(
    client: FlaskClient, account: Account, actions: dict[int, int], token: str
) -> None:
    take(client, account.schedule_token, zip="stored")
    body = dry(client, getattr(account, token), zip="1")
    assert "messages" not in body
    assert "stored" not in str(body)


def test_a_real_run_has_no_messages(client: FlaskClient, account: Account, actions: dict[int, int]) -> None:
    assert "messages" not in take(client, account.schedule_token, explain=True)
