"""Create or update: API.md §7, at the client, on both databases."""

from flask.testing import FlaskClient

from tests.factories import Account

LEADS = "/api/v1/leads"


def test_a_first_post_makes_a_lead_and_plans_the_first_action(client: FlaskClient, account: Account) -> None:
    answer = client.post(
        f"{LEADS}?lead_token={account.schedule_token}&caller_id=+18004506787&email=john@example.com&loan_amount=500"
    )
    assert answer.status_code == 200
    body = answer.get_json()
    assert body["action"] == "created"
    [lead] = account.leads()
    assert lead["caller_id"] == "+18004506787"
    assert lead["next_action_id"] == account.action_id


def test_a_second_post_updates_the_live_lead(client: FlaskClient, account: Account) -> None:
    first = client.post(f"{LEADS}?lead_token={account.schedule_token}&caller_id=7192221234&zip=1")
    second = client.post(f"{LEADS}?lead_token={account.schedule_token}&caller_id=7192221234&zip=2&city=x")
    assert second.get_json()["action"] == "updated"
    assert second.get_json()["lead_id"] == first.get_json()["lead_id"]
    assert second.get_json()["lead"]["data"] == {"zip": "2", "city": "x"}


def test_a_double_click_has_one_effect(client: FlaskClient, account: Account) -> None:
    url = f"{LEADS}?lead_token={account.schedule_token}&caller_id=7192221234&zip=1"
    client.post(url)
    again = client.post(url)
    assert again.get_json()["action"] == "unchanged"
    assert len(account.submissions()) == 2
    assert len(account.rows("select * from outbox_event where company_id = :company_id")) == 1


def test_a_refused_request_is_kept(client: FlaskClient, account: Account) -> None:
    answer = client.post(f"{LEADS}?lead_token={account.schedule_token}&caller_id=911")
    assert answer.status_code == 422
    assert answer.get_json()["code"] == "invalid_caller_id"
    [submission] = account.submissions()
    assert submission["code"] == "invalid_caller_id"
    assert submission["id"] == answer.get_json()["metadata"]["submission_id"]
