"""Leads of one number under one offer: update_all_matching_leads, and create_or_update, which matches across it."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from server.offers.models import Offer
from server.schedules.models import Schedule, ScheduleAction
from tests.api.calls import LEADS, OTHER_NUMBER, Json, change, end, send, take, taken, warned
from tests.factories import DAY, Account, make_account

MATCHING = f"{LEADS}/create_or_update"
CROWD = 20
AT = "2027-01-02T03:04:05+00:00"


@dataclass(frozen=True)
class Family:
    """An offer with two schedules, and a schedule that is none of its own."""

    account: Account
    offer: str
    first: str
    second: str
    stranger: str

    @property
    def tokens(self) -> dict[str, str]:
        """Those of the offer and its schedules."""
        return {"offer": self.offer, "first": self.first, "second": self.second}


@pytest.fixture
def family(account: Account) -> Family:
    ours: Json = {"company_id": account.company_id}
    second = account.add(Schedule(**ours, offer_id=account.offer_id, name="Second"))
    account.add(ScheduleAction(**ours, schedule_id=second, position=1, kind="sms", delay_seconds=DAY))
    other_offer = account.add(Offer(**ours, name="Another"))
    stranger = account.add(Schedule(**ours, offer_id=other_offer, name="Stranger"))
    return Family(
        account,
        account.offer_token,
        account.schedule_token,
        account.token(owner_id=second, shows_stored_lead=True),
        account.token(owner_id=stranger, shows_stored_lead=True),
    )


def match(client: FlaskClient, token: str, **sent: Any) -> Json:
    """The answer of create_or_update to a lead that must be taken."""
    return taken(send(client, token, url=MATCHING, **sent))


def make_all(client: FlaskClient, family: Family, **sent: Any) -> dict[str, str]:
    """A lead of the offer, of each of its schedules and of the stranger."""
    tokens = family.tokens | {"stranger": family.stranger}
    return {name: take(client, token, zip="1", **sent)["lead_id"] for name, token in tokens.items()}


def leads(account: Account) -> dict[str, dict[str, Any]]:
    return {lead["id"]: lead for lead in account.leads()}


def having(account: Account, ids: Mapping[str, str], **values: Any) -> set[str]:
    """Which of the leads have these values."""
    stored = leads(account)
    return {name for name, id in ids.items() if all(stored[id][key] == value for key, value in values.items())}


# update_all_matching_leads


def test_an_offers_token_updates_the_leads_of_the_offer_and_its_schedules(client: FlaskClient, family: Family) -> None:
    ids = make_all(client, family)
    body = take(client, family.offer, update_all_matching_leads=True, zip="2", city="Denver")
    assert (body["action"], body["lead_id"], body["warnings"]) == ("updated", ids["offer"], [])
    data = {"zip": "2", "city": "Denver"}
    assert having(family.account, ids, data=data) == {"offer", "first", "second"}
    assert len(leads(family.account)) == 4


def test_a_schedules_token_updates_the_lead_of_the_schedule(client: FlaskClient, family: Family) -> None:
    ids = make_all(client, family)
    take(client, family.first, update_all_matching_leads=True, zip="2")
    assert having(family.account, ids, data={"zip": "2"}) == {"first"}


@pytest.mark.parametrize("wish", [False, None])
def test_without_the_wish_an_offers_token_updates_its_own(
    client: FlaskClient, family: Family, wish: bool | None
) -> None:
    ids = make_all(client, family)
    take(client, family.offer, update_all_matching_leads=wish, zip="2")
    assert having(family.account, ids, data={"zip": "2"}) == {"offer"}


def test_where_the_offer_has_none_of_its_own_the_schedules_are_updated(client: FlaskClient, family: Family) -> None:
    ids = {name: take(client, family.tokens[name], zip="1")["lead_id"] for name in ("first", "second")}
    body = take(client, family.offer, update_all_matching_leads=True, zip="2")
    assert (body["action"], body["lead_id"]) == ("updated", ids["second"])
    assert having(family.account, ids, data={"zip": "2"}) == {"first", "second"}
    assert len(leads(family.account)) == 2


def test_where_there_is_none_at_all_one_is_made(client: FlaskClient, family: Family) -> None:
    body = take(client, family.offer, update_all_matching_leads=True, zip="2")
    assert (body["action"], body["lead"]["status"], len(leads(family.account))) == ("created", "waiting", 1)


def test_leads_that_have_ended_and_other_numbers_are_left_alone(client: FlaskClient, family: Family) -> None:
    ids = make_all(client, family)
    others = make_all(client, family, caller_id=OTHER_NUMBER)
    end(family.account, ids["second"])
    take(client, family.offer, update_all_matching_leads=True, zip="2")
    assert having(family.account, ids, data={"zip": "2"}) == {"offer", "first"}
    assert having(family.account, others, data={"zip": "1"}) == set(others)


@pytest.mark.parametrize("term", ["expires_at", "deletes_at"])
def test_a_lead_that_has_run_out_of_time_is_left_alone(client: FlaskClient, family: Family, term: str) -> None:
    ids = make_all(client, family)
    change(family.account, ids["first"], **{term: datetime.now(UTC) - timedelta(seconds=1)})
    take(client, family.offer, update_all_matching_leads=True, zip="2")
    assert having(family.account, ids, data={"zip": "2"}) == {"offer", "second"}


def test_another_companys_leads_are_left_alone(client: FlaskClient, family: Family) -> None:
    stranger = make_account(family.account.app)
    take(client, stranger.schedule_token, zip="1")
    make_all(client, family)
    take(client, family.offer, update_all_matching_leads=True, zip="2")
    assert [lead["data"] for lead in stranger.leads()] == [{"zip": "1"}]


def test_fields_go_to_all_of_them_and_attribution_stays(client: FlaskClient, family: Family) -> None:
    ids = make_all(client, family, traffic_source_id="google_ads", sub_id="first")
    terms = {"hours_to_expire": 1, "expires_in": 90, "max_contact_attempts": 2, "lead_priority": 3}
    body = take(
        client,
        family.offer,
        update_all_matching_leads=True,
        email="john@example.com",
        traffic_source_id="bing",
        **terms,
    )
    values = {name: body["lead"][name] for name in ("email", "max_contact_attempts", "lead_priority")}
    times = {name: datetime.fromisoformat(body["lead"][name]) for name in ("expires_at", "deletes_at")}
    assert values == {"email": "john@example.com", "max_contact_attempts": 2, "lead_priority": 3}
    assert having(family.account, ids, **values, **times) == {"offer", "first", "second"}
    assert having(family.account, ids, traffic_source_text="google_ads", sub_id="first") == set(ids)


def test_what_is_planned_for_the_others_stays(client: FlaskClient, family: Family) -> None:
    ids = make_all(client, family)
    before = leads(family.account)
    take(client, family.offer, update_all_matching_leads=True, zip="2")
    after = leads(family.account)
    for name in ("first", "second"):
        assert after[ids[name]]["next_action_at"] == before[ids[name]]["next_action_at"] is not None
        assert after[ids[name]]["updated_at"] > before[ids[name]]["updated_at"]


@pytest.mark.parametrize("stop", ["blocked", "opt_out"])
def test_a_stop_beside_it_stops_every_lead_of_the_number(client: FlaskClient, family: Family, stop: str) -> None:
    ids = make_all(client, family, schedule_callback_at=AT)
    take(client, family.offer, update_all_matching_leads=True, zip="2", **{stop: True})
    assert having(family.account, ids, status=stop, next_action_at=None, scheduled_callback_at=None) == set(ids)
    assert having(family.account, ids, data={"zip": "2"}) == {"offer", "first", "second"}
    open_ones = "select id from callback where company_id = :company_id and cancelled_at is null"
    assert family.account.rows(open_ones) == []


def test_each_lead_that_is_updated_is_told_of(client: FlaskClient, family: Family) -> None:
    ids = make_all(client, family)
    body = take(client, family.offer, update_all_matching_leads=True, zip="2")
    events = "select lead_id, kind from outbox_event where submission_id = :id"
    told = family.account.rows(events, id=body["metadata"]["submission_id"])
    assert {row["lead_id"]: row["kind"] for row in told} == dict.fromkeys(
        (ids[name] for name in ("offer", "first", "second")), "lead.updated"
    )
    assert len(told) == 3


def test_explain_names_the_others(client: FlaskClient, family: Family) -> None:
    ids = make_all(client, family)
    body = take(client, family.offer, update_all_matching_leads=True, zip="2", explain=True)
    [step] = [step for step in body["why"] if step["step"] == "update_all"]
    assert set(step["decided"]) == {ids["first"], ids["second"]}


def test_a_dry_run_updates_none(client: FlaskClient, family: Family) -> None:
    make_all(client, family)
    before = family.account.leads()
    take(client, family.offer, update_all_matching_leads=True, zip="2", dry_run=True)
    assert family.account.leads() == before


def test_the_same_again_is_a_double_click(client: FlaskClient, family: Family) -> None:
    make_all(client, family)
    first, second = (take(client, family.offer, update_all_matching_leads=True, zip="2") for _ in range(2))
    assert (first["action"], second["action"]) == ("updated", "unchanged")


def test_a_page_updates_none_of_them(client: FlaskClient, family: Family) -> None:
    account = family.account
    ids = make_all(client, family)
    page = account.token(kind="publishable", owner_kind="offer", owner_id=account.offer_id)
    body = take(client, page, update_all_matching_leads=True, city="Denver")
    assert warned(body) == [("update_all_matching_leads", "needs_server_token")]
    assert having(account, ids, data={"zip": "1", "city": "Denver"}) == {"offer"}


# create_or_update


@pytest.mark.parametrize("owner", ["offer", "first", "second"])
@pytest.mark.parametrize("sender", ["offer", "first", "second"])
def test_a_live_lead_anywhere_under_the_offer_is_meant(
    client: FlaskClient, family: Family, owner: str, sender: str
) -> None:
    lead = take(client, family.tokens[owner], zip="1")["lead_id"]
    body = match(client, family.tokens[sender], zip="2")
    assert (body["action"], body["lead_id"]) == ("updated", lead)
    assert [each["data"] for each in leads(family.account).values()] == [{"zip": "2"}]


def test_a_lead_under_another_offer_is_not(client: FlaskClient, family: Family) -> None:
    take(client, family.stranger, zip="1")
    body = match(client, family.first, zip="2")
    assert (body["action"], body["lead"]["schedule_id"]) == ("created", family.account.schedule_id)
    assert len(leads(family.account)) == 2


def test_the_plain_endpoint_matches_the_tokens_own_owner_only(client: FlaskClient, family: Family) -> None:
    take(client, family.first, zip="1")
    assert take(client, family.second, zip="2")["action"] == "created"
    assert take(client, family.offer, zip="3")["action"] == "created"


def test_the_senders_own_lead_comes_before_one_elsewhere(client: FlaskClient, family: Family) -> None:
    ids = make_all(client, family)
    for name, token in family.tokens.items():
        assert match(client, token, zip=name)["lead_id"] == ids[name]


def test_of_two_elsewhere_the_latest_is_meant(client: FlaskClient, family: Family) -> None:
    ids = {name: take(client, family.tokens[name], zip="1")["lead_id"] for name in ("first", "second")}
    assert match(client, family.offer, zip="2")["lead_id"] == ids["second"]


def test_where_all_have_ended_the_token_makes_its_own(client: FlaskClient, family: Family) -> None:
    end(family.account, take(client, family.first)["lead_id"])
    body = match(client, family.second, zip="2")
    assert (body["action"], body["lead"]["next_action_at"] is not None) == ("created", True)
    [_, new] = family.account.leads()
    assert (new["schedule_id"], new["offer_id"]) == (body["lead"]["schedule_id"], family.account.offer_id)


def test_a_schedule_without_an_offer_matches_itself(client: FlaskClient, family: Family) -> None:
    account = family.account
    alone = account.add(Schedule(company_id=account.company_id, name="Alone"))
    token = account.token(owner_id=alone)
    take(client, family.first)
    first = match(client, token, zip="1")
    assert first["action"] == "created"
    assert match(client, token, zip="2")["lead_id"] == first["lead_id"]


def test_who_may_only_update_updates_across_the_offer(client: FlaskClient, family: Family) -> None:
    lead = take(client, family.first)["lead_id"]
    assert match(client, family.second, update_only=True, zip="1")["lead_id"] == lead
    answer = send(client, family.second, url=MATCHING, caller_id=OTHER_NUMBER, update_only=True)
    assert answer.get_json()["code"] == "no_matching_lead"


def test_a_double_click_is_one_across_the_offer(client: FlaskClient, family: Family) -> None:
    lead = take(client, family.first)["lead_id"]
    answers = [match(client, family.second, zip="2") for _ in range(2)]
    assert [(body["action"], body["lead_id"]) for body in answers] == [("updated", lead), ("unchanged", lead)]


def test_a_lead_elsewhere_starts_again_in_its_own_schedule(client: FlaskClient, family: Family) -> None:
    lead = take(client, family.first, next_action_at=AT)["lead_id"]
    body = match(client, family.second, restart_schedule=True)
    stored = leads(family.account)[lead]
    assert (body["lead_id"], body["warnings"], stored["next_action_id"]) == (lead, [], family.account.action_id)
    assert stored["next_action_at"] - stored["updated_at"] == timedelta(seconds=DAY)


def test_a_page_matches_across_the_offer_and_learns_nothing(client: FlaskClient, family: Family) -> None:
    lead = take(client, family.second, zip="1")["lead_id"]
    known = match(client, family.account.publishable_token, city="Denver")
    unknown = match(client, family.account.publishable_token, city="Denver", caller_id=OTHER_NUMBER)
    assert leads(family.account)[lead]["data"] == {"zip": "1", "city": "Denver"}
    told = ("action", "warnings")
    assert [known[name] for name in told] == [unknown[name] for name in told]
    differ = ("id", "caller_id", "created_at", "updated_at", "next_action_at")
    assert {n: v for n, v in known["lead"].items() if n not in differ} == {
        n: v for n, v in unknown["lead"].items() if n not in differ
    }


@pytest.mark.parametrize("known", [True, False], ids=["a known number", "a new number"])
def test_of_a_crowd_that_uses_two_schedules_one_live_lead_comes(app: Flask, family: Family, known: bool) -> None:
    if known:
        lead = take(app.test_client(), family.first)["lead_id"]
        end(family.account, lead)

    def post(index: int) -> Json:
        token = (family.first, family.second)[index % 2]
        return match(app.test_client(), token, **{f"field_{index}": str(index)})

    with ThreadPoolExecutor(CROWD) as pool:
        answers = list(pool.map(post, range(CROWD)))
    [live] = [lead for lead in family.account.leads() if lead["is_live"]]
    assert {body["lead_id"] for body in answers} == {live["id"]}
    assert sorted(body["action"] for body in answers) == ["created"] + ["updated"] * (CROWD - 1)
    assert live["data"] == {f"field_{index}": str(index) for index in range(CROWD)}
    contacts = family.account.rows("select id from contact where company_id = :company_id")
    assert len(contacts) == 1


@pytest.mark.parametrize("wish", ["delete_existing", "expire_existing"])
def test_where_the_live_lead_is_elsewhere_there_is_nothing_to_clear(
    client: FlaskClient, account: Account, wish: str
) -> None:
    lead = take(client, account.schedule_token, zip="1")["lead_id"]
    body = taken(send(client, account.offer_token, f"{LEADS}/create_or_update", zip="2", **{wish: True}))
    assert (body["action"], body["lead_id"], warned(body)) == ("updated", lead, [(wish, "no_effect")])
    [row] = account.leads()
    assert (row["is_live"], row["data"]) == (True, {"zip": "2"})
