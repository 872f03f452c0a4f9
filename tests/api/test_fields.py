"""GET /api/v1/tokens/fields: what a form has to ask for."""

from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient

from server.lead_tokens.models import LeadToken
from server.offers.models import ContactField, ContactFieldType
from tests.api.calls import LEADS, PAGE, Json, refused
from tests.factories import Account

FIELDS = "/api/v1/tokens/fields"


@pytest.fixture
def zip_field(account: Account) -> Json:
    """A contact field of the offer, for one type; the field as the endpoint shows it."""
    kind = account.add(ContactFieldType(company_id=account.company_id, key="auto", name="Cars"))
    about: Json = {"key": "zip", "name": "ZIP code", "hint": "five digits", "pattern": "[0-9]{5}", "required": True}
    account.add(
        ContactField(company_id=account.company_id, offer_id=account.offer_id, contact_field_type_id=kind, **about)
    )
    rest: Json = {"value_type": "string", "options": [], "minimum": None, "maximum": None, "position": 0}
    return about | rest | {"contact_field_type_id": kind, "contact_field_type": "auto", "parameter": "data.zip"}


@pytest.mark.parametrize("token", ["schedule_token", "offer_token", "publishable_token", "vendor_token"])
def test_a_lead_token_shows_the_fields_of_its_offer(
    client: FlaskClient, account: Account, zip_field: Json, token: str
) -> None:
    body = client.get(FIELDS, query_string={"lead_token": getattr(account, token)}).get_json()
    [kind] = body["contact_field_types"]
    assert body == {"fields": [zip_field], "contact_field_types": [{"id": kind["id"], "key": "auto", "name": "Cars"}]}


def test_what_is_no_token_in_force_shows_nothing(client: FlaskClient, account: Account) -> None:
    [row] = account.rows("select id from lead_token where value = :value", value=account.vendor_token)
    account.change(LeadToken, row["id"], disabled_at=datetime.now(UTC))
    for sent in (
        {},
        {"lead_token": "0" * 32},
        {"lead_token": account.vendor_token},
        {"offer_lead_token": account.schedule_token},
    ):
        refused(client.get(FIELDS, query_string=sent), "lead_token_invalid")
    refused(client.get(FIELDS, query_string={"lead_token": account.offer_token, "page": 1}), "invalid_parameter")


def test_a_publishable_token_with_a_list_shows_them_only_there(client: FlaskClient, account: Account) -> None:
    token = account.token(kind="publishable", allowed_origins=[PAGE])
    sent = {"lead_token": token}
    refused(client.get(FIELDS, query_string=sent), "origin_not_allowed")
    assert client.get(FIELDS, query_string=sent, headers={"Origin": PAGE}).status_code == 200
    assert client.get(FIELDS, query_string=sent, headers={"Referer": f"{PAGE}/form"}).status_code == 200
    refused(client.get(FIELDS, query_string=sent, headers={"Origin": "https://evil.example"}), "origin_not_allowed")


def test_reading_fields_leaves_nothing_behind(client: FlaskClient, account: Account) -> None:
    client.get(FIELDS, query_string={"lead_token": account.schedule_token}, headers={"Origin": PAGE})
    assert account.submissions() == []
    assert client.get(LEADS, headers=account.bearer).get_json()["leads"] == []
