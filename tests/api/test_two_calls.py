"""A newcomer's two calls, a disclosure and a snippet: what they make works on a page, or says what is missing."""

import json

import pytest
from flask.testing import FlaskClient

from server.demo import CONSENT, LINKS
from tests.api.calls import refused, warned
from tests.api.kinds import API, VERSION, shown
from tests.factories import Account

SPANISH = {"language": "es", "seller_name": "Demo", **LINKS, **CONSENT["es"]}
CONTENT = {name: value for name, value in VERSION.items() if name != "language"}


def test_a_disclosure_with_its_text_and_a_snippet_make_a_line_that_asks_for_consent(
    client: FlaskClient, account: Account
) -> None:
    body = {"name": "Solar", **CONTENT}
    made = shown(client.post(f"{API}/disclosures", json=body, headers=account.bearer), "disclosure")
    assert list(made["current"]) == ["en"]
    body = {"name": "Page", "schedule_id": account.schedule_id, "disclosure_id": made["id"]}
    answer = client.post(f"{API}/snippets", json=body, headers=account.bearer).get_json()
    assert answer["warnings"] == []
    snippet = answer["snippet"]
    assert snippet["html"] == f'<script src="{snippet["urls"]["script"]}" async></script>'
    script = client.get(snippet["urls"]["script"].removeprefix("http://localhost")).get_data(as_text=True)
    assert json.dumps(CONTENT["label"]) in script


def test_a_snippet_without_a_published_text_says_so_until_there_is_one(client: FlaskClient, account: Account) -> None:
    body = {"name": "Page", "schedule_id": account.schedule_id}
    answer = client.post(f"{API}/snippets", json=body, headers=account.bearer).get_json()
    snippet = answer["snippet"]
    texts = f"{API}/disclosures/{snippet['disclosure_id']}/versions"
    assert warned(answer) == [("disclosure_id", "text_unpublished")]
    assert f"POST {texts}" in answer["warnings"][0]["message"]
    draft = client.post(texts, json=VERSION, headers=account.bearer).get_json()["version"]
    ways = client.get(f"{API}/snippets/{snippet['id']}/embed", headers=account.bearer).get_json()
    assert warned(ways) == [("disclosure_id", "text_unpublished")]
    client.post(f"{texts}/{draft['id']}/publish", headers=account.bearer)
    again = client.get(f"{API}/snippets/{snippet['id']}", headers=account.bearer).get_json()
    assert again["warnings"] == []


@pytest.mark.parametrize("lacking", ["text", "label", "seller_name"])
def test_a_first_text_that_lacks_something_is_refused_by_name(
    client: FlaskClient, account: Account, lacking: str
) -> None:
    body = {"name": "Lacking"} | {name: value for name, value in CONTENT.items() if name != lacking}
    errors = refused(client.post(f"{API}/disclosures", json=body, headers=account.bearer), "invalid_parameter")[
        "errors"
    ]
    assert lacking in errors
    assert account.rows("select id from disclosure where name = 'Lacking'") == []


def test_the_first_text_is_no_part_of_a_later_change(client: FlaskClient, account: Account) -> None:
    made = shown(client.post(f"{API}/disclosures", json={"name": "Solar"}, headers=account.bearer), "disclosure")
    path = f"{API}/disclosures/{made['id']}"
    errors = refused(client.put(path, json={"text": "Other"}, headers=account.bearer), "invalid_parameter")["errors"]
    assert errors == {"text": ["cannot be changed"]}
    assert shown(client.put(path, json={"name": "Sun"}, headers=account.bearer), "disclosure")["name"] == "Sun"


def test_visitors_of_another_language_than_the_one_that_is_published_are_shown_that_one(
    client: FlaskClient, account: Account
) -> None:
    body = {"name": "Page", "schedule_id": account.schedule_id}
    snippet = client.post(f"{API}/snippets", json=body, headers=account.bearer).get_json()["snippet"]
    texts = f"{API}/disclosures/{snippet['disclosure_id']}/versions"
    draft = client.post(texts, json=SPANISH, headers=account.bearer).get_json()["version"]
    client.post(f"{texts}/{draft['id']}/publish", headers=account.bearer)
    script = client.get(snippet["urls"]["script"].removeprefix("http://localhost")).get_data(as_text=True)
    assert '"language":"es"' in script
