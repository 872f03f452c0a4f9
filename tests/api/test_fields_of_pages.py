"""What the names of a page's fields mean: its visitor's first and last name, a number in parts, encoded labels."""

from flask.testing import FlaskClient

from tests.api.calls import send, take, taken
from tests.factories import Account

SAID = {"your-name": "Jane Roe", "company_name": "Acme Solar"}
KEPT = {"your_name": "Jane Roe", "company_name": "Acme Solar"}
NAMES = {"first_name": "Jane", "last_name": "Roe"}


def test_a_pages_lead_has_its_visitors_first_and_last_name_beside_the_token(
    client: FlaskClient, account: Account
) -> None:
    body = {"lead_token": account.publishable_token, "caller_id": "719 222 1234", "data[contact][Name]": "Jane Roe"}
    taken(client.post("/api/v1/leads", data=body))
    [lead] = account.leads()
    assert lead["data"] == {"contact": {"Name": "Jane Roe"}} | NAMES


def test_a_name_that_was_sent_stays_and_a_blank_one_is_none(client: FlaskClient, account: Account) -> None:
    take(client, account.publishable_token, **SAID, first_name="Ann", last_name=" ")
    [lead] = account.leads()
    assert lead["data"] == KEPT | {"first_name": "Ann", "last_name": "Roe"}
    take(client, account.publishable_token, **{"your-name": " ", "first_name": ""})
    [lead] = account.leads()
    assert lead["data"] == KEPT | {"first_name": "Ann", "last_name": "Roe"}


def test_what_a_server_sends_is_kept_as_it_is(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token, data=SAID)
    [lead] = account.leads()
    assert lead["data"] == KEPT


def test_the_names_take_no_room_of_the_companys_token_names(client: FlaskClient, account: Account) -> None:
    known = take(client, account.publishable_token, **SAID)
    assert known["warnings"] == []
    again = send(client, account.publishable_token, **SAID, headers={"Idempotency-Key": "one"}).get_json()
    once_more = send(client, account.publishable_token, **SAID, headers={"Idempotency-Key": "one"}).get_json()
    assert once_more["lead_id"] == again["lead_id"]


def test_a_page_sends_its_number_in_parts_and_its_labels_encoded(client: FlaskClient, account: Account) -> None:
    form = {"caller_id": "719", "data[phone2]": "222", "data[phone3]": "1234", "data[TG9hbiBhbW91bnQ=]": "500"}
    taken(client.post("/api/v1/leads", data={"lead_token": account.publishable_token} | form))
    [lead] = account.leads()
    assert lead["caller_id"] == "+17192221234"
    assert lead["data"] == {"phone2": "222", "phone3": "1234", "loan_amount": "500"}
    widget = {"caller_id": "07911 123456", "data[full_phone]": "+447911123456", "explain": "true"}
    answer = taken(client.post("/api/v1/leads", data={"lead_token": account.publishable_token} | widget))
    assert answer["lead"]["caller_id"] == "+447911123456"
