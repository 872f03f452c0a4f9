"""Reviewing a text lets the leads go that were held for it: as one act, counted, each on record with who and why."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.leads import reviewed
from tests.api.calls import LEADS, SUBMISSIONS, Json, refused, take
from tests.api.kinds import API, wrong
from tests.api.test_consent import Pages, shown
from tests.factories import Account, make_account

OWN, OTHER = "Call me.", "Call me, and my neighbour too."


@pytest.fixture
def pages(client: FlaskClient, account: Account) -> Pages:
    """A page whose reviewed text is published, so that any other one holds its leads."""
    made = Pages(client, account)
    made.publish()
    return made


def number(place: int) -> str:
    return f"+1719222{place:04}"


def held(client: FlaskClient, pages: Pages, place: int, text: str = OWN, **more: Any) -> Json:
    """A lead that is held for a text."""
    body = take(client, pages.page, caller_id=number(place), consent=pages.say(text), **more)
    lead = shown(client, pages.account, body)
    assert (lead["status"], lead["next_action_at"]) == ("held", None)
    return lead


def learned(pages: Pages, text: str = OWN) -> str:
    """The path of the version that a page's own text has become."""
    [version] = [each for each in pages.versions() if each["text"] == text]
    return f"{API}/disclosures/{version['disclosure_id']}/versions/{version['id']}"


def review(client: FlaskClient, pages: Pages, text: str = OWN, headers: Any = None, **sent: Any) -> TestResponse:
    sent = {"release_leads": True} | sent
    return client.post(f"{learned(pages, text)}/review", json=sent, headers=headers or pages.account.bearer)


def released(answer: TestResponse) -> Json:
    body: Json = answer.get_json()
    assert answer.status_code == 200, body
    assert body["version"]["reviewed_at"] is not None
    leads: Json = body["leads"]
    return leads


def states(account: Account) -> dict[str, str]:
    """The status of each lead by the end of its number."""
    return {lead["caller_id"][-1]: lead["status"] for lead in account.leads()}


def test_a_review_lets_the_leads_go_that_were_held_for_the_text(client: FlaskClient, pages: Pages) -> None:
    leads = [held(client, pages, place) for place in (1, 2, 3)]
    held(client, pages, 4, OTHER)
    before = len(pages.account.submissions())
    assert released(review(client, pages)) == {"released": 3, "still_held": 0, "more": False}
    assert states(pages.account) == {"1": "scheduled", "2": "scheduled", "3": "scheduled", "4": "held"}
    for row in pages.account.leads()[:3]:
        assert (row["next_action_id"], row["held_at"], row["held_by"]) == (pages.account.action_id, None, None)
        assert row["next_action_at"] is not None
    # Who and why, as for a lead that somebody releases by itself.
    rows = pages.account.submissions()[before:]
    assert sorted(row["lead_id"] for row in rows) == sorted(lead["id"] for lead in leads)
    [key] = pages.account.rows("select id from api_key where company_id = :company_id")
    version_id = learned(pages).rpartition("/")[2]
    for row in rows:
        assert (row["endpoint"], row["action"], row["api_key_id"]) == ("release", "updated", key["id"])
        step = json.loads(row["why"])[-1]
        assert (step["step"], step["record"]) == ("release", row["lead_id"])
        assert f"the text that its visitor agreed to was reviewed as the version {version_id}" in step["rule"]
    listed = client.get(SUBMISSIONS, query_string={"lead_id": leads[0]["id"]}, headers=pages.account.bearer).get_json()
    assert listed["submissions"][0]["endpoint"] == "release"
    assert released(review(client, pages)) == {"released": 0, "still_held": 0, "more": False}


def test_a_review_alone_lets_nobody_go_and_the_next_one_may(client: FlaskClient, pages: Pages) -> None:
    held(client, pages, 1)
    answer = review(client, pages, release_leads=False)
    assert (answer.status_code, answer.get_json()["leads"]) == (200, None)
    assert states(pages.account) == {"1": "held"}
    assert released(review(client, pages))["released"] == 1
    assert states(pages.account) == {"1": "scheduled"}


def test_a_lead_that_is_held_for_another_text_as_well_stays_held(client: FlaskClient, pages: Pages) -> None:
    held(client, pages, 1)
    held(client, pages, 1, OTHER, zip="2")
    held(client, pages, 2)
    assert released(review(client, pages)) == {"released": 1, "still_held": 1, "more": False}
    assert states(pages.account) == {"1": "held", "2": "scheduled"}
    assert released(review(client, pages, OTHER)) == {"released": 1, "still_held": 0, "more": False}
    assert states(pages.account) == {"1": "scheduled", "2": "scheduled"}


def test_a_number_that_is_stopped_stays_stopped(client: FlaskClient, pages: Pages) -> None:
    held(client, pages, 1)
    account = pages.account
    account.execute("update contact set blocked_at = created_at, version = version + 1 where company_id = :company_id")
    assert released(review(client, pages))["released"] == 1
    [lead] = account.leads()
    assert (lead["next_action_at"], lead["held_at"]) == (None, None)


def test_what_has_ended_or_is_another_companys_is_left_alone(client: FlaskClient, pages: Pages) -> None:
    other = Pages(client, make_account(pages.account.app))
    other.publish()
    held(client, other, 1)
    lead = held(client, pages, 1)
    assert client.delete(f"{LEADS}/{lead['id']}", headers=pages.account.bearer).status_code == 200
    before = (pages.account.leads(), other.account.leads())
    assert released(review(client, pages)) == {"released": 0, "still_held": 0, "more": False}
    assert (pages.account.leads(), other.account.leads()) == before
    refused(client.post(f"{learned(other)}/review", json={}, headers=pages.account.bearer), "not_found")


def test_a_vendors_text_that_is_taken_up_and_reviewed_lets_its_leads_go(client: FlaskClient, pages: Pages) -> None:
    said = {"granted": True, "disclosure": pages.version["content_hash"], "text": "Vendor text, with a box."}
    lead = take(client, pages.account.schedule_token, caller_id=number(1), consent=said)["lead"]
    assert lead["status"] == "held"
    path = f"disclosures/{pages.disclosure_id}/versions"
    version = pages.manage(path, text="with a box.", label="Vendor text,")["version"]
    body = pages.manage(f"{path}/{version['id']}/review", release_leads=True)
    assert body["leads"] == {"released": 1, "still_held": 0, "more": False}
    assert states(pages.account) == {"1": "scheduled"}


def test_of_many_leads_so_many_go_and_the_answer_asks_to_come_again(
    client: FlaskClient, pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in range(1, 6):
        held(client, pages, place)
    held(client, pages, 1, OTHER, zip="2")
    monkeypatch.setattr(reviewed, "MOST_RELEASED", 3)
    monkeypatch.setattr(reviewed, "PAGE", 2)
    assert released(review(client, pages)) == {"released": 3, "still_held": 1, "more": True}
    assert released(review(client, pages)) == {"released": 1, "still_held": 1, "more": False}
    assert [*states(pages.account).values()].count("held") == 1


def test_who_may_not_change_leads_lets_none_go(client: FlaskClient, pages: Pages) -> None:
    held(client, pages, 1)
    reader = pages.account.key("config:read", "config:write")
    body = refused(review(client, pages, headers=reader), "scope_missing")
    assert body["errors"] == {"auth_token": ["lacks the scope leads:update"]}
    assert [row["reviewed_at"] for row in pages.versions() if row["text"] == OWN] == [None]
    assert review(client, pages, headers=reader, release_leads=False).status_code == 200
    assert states(pages.account) == {"1": "held"}


def test_who_saw_another_state_reviews_nothing_and_lets_nobody_go(client: FlaskClient, pages: Pages) -> None:
    held(client, pages, 1)
    seen = "2026-01-01T00:00:00.000Z"
    refused(review(client, pages, updated_at=seen), "edit_conflict")
    refused(review(client, pages, headers=pages.account.bearer | {"If-Match": f'"{seen}"'}), "edit_conflict")
    assert [row["reviewed_at"] for row in pages.versions() if row["text"] == OWN] == [None]
    assert states(pages.account) == {"1": "held"}


@pytest.mark.parametrize(
    ("sent", "name"), [({"release_leads": "perhaps"}, "release_leads"), ({"reviewed": 1}, "reviewed")]
)
def test_a_review_takes_nothing_else(client: FlaskClient, pages: Pages, sent: Json, name: str) -> None:
    held(client, pages, 1)
    assert [*wrong(review(client, pages, **sent))] == [name]
    assert states(pages.account) == {"1": "held"}
