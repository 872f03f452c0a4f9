"""What is peculiar to each kind of thing that a company configures, and what a lead meets of it."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from string import Template
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from server.lead_tokens.models import LeadToken
from tests.api.calls import Json, refused, send, take
from tests.api.kinds import API, KINDS, Kind, new_number, shown, wrong
from tests.factories import Account, make_account
from tests.unit import table

BY_NAME = {kind.many: kind for kind in KINDS}
WRONG = table("wrong_configuration.csv")
RIGHT = table("right_configuration.csv")


def make(client: FlaskClient, account: Account, many: str, **body: Any) -> Json:
    """One of a kind."""
    return BY_NAME[many].make(client, account, **body)


def change(client: FlaskClient, account: Account, many: str, row_id: Any, **body: Any) -> Json:
    """It, changed."""
    answer = client.put(f"{API}/{many}/{row_id}", json=body, headers=account.bearer)
    return shown(answer, BY_NAME[many].one)


def delete(client: FlaskClient, account: Account, many: str, row_id: Any) -> Json:
    """It, deleted."""
    return shown(client.delete(f"{API}/{many}/{row_id}", headers=account.bearer), BY_NAME[many].one)


def restore(client: FlaskClient, account: Account, many: str, row_id: Any) -> Json:
    """It, in use again."""
    return shown(client.post(f"{API}/{many}/{row_id}/restore", headers=account.bearer), BY_NAME[many].one)


def filled(client: FlaskClient, account: Account, text: str) -> Any:
    """A cell of a table: JSON with the ids of this company in it."""
    if "$" not in text:
        return json.loads(text)
    gone = {many: make(client, account, many)["id"] for many in ("offers", "numbers")}
    for many, row_id in gone.items():
        delete(client, account, many, row_id)
    known = {
        "offer": account.offer_id,
        "schedule": account.schedule_id,
        "number": make(client, account, "numbers")["id"],
        "deleted_offer": gone["offers"],
        "deleted_number": gone["numbers"],
        "long": "x" * 256,
        "wide": "x" * 64,
    }
    return json.loads(Template(text).substitute(known))


@pytest.mark.parametrize("row", WRONG, ids=lambda row: f"{row['many']}: {row['case']}")
def test_what_is_wrong_is_named_and_nothing_is_kept(client: FlaskClient, account: Account, row: dict[str, str]) -> None:
    kind = BY_NAME[row["many"]]
    body, expected = filled(client, account, f"[{row['body']}, {row['errors']}]")
    there = make(client, account, row["many"])
    before = rows(account, kind)
    answers = [client.post(kind.path, json=kind.body(account) | body, headers=account.bearer)]
    if kind.many != "schedule_actions" or "schedule_id" not in body:
        answers.append(client.put(f"{kind.path}/{there['id']}", json=body, headers=account.bearer))
    for answer in answers:
        errors = {name: texts[0] for name, texts in wrong(answer).items()}
        assert errors == {name: errors[name] if text == "*" else text for name, text in expected.items()}
    assert rows(account, kind) == before


def rows(account: Account, kind: Kind) -> list[Json]:
    """All that the company has of a kind."""
    return account.rows(f'select * from "{kind.one}" where company_id = :company_id order by id')


@pytest.mark.parametrize("row", RIGHT, ids=lambda row: f"{row['many']}: {row['case']}")
def test_what_is_right_is_kept_in_its_own_spelling(client: FlaskClient, account: Account, row: dict[str, str]) -> None:
    kind = BY_NAME[row["many"]]
    body, expected = filled(client, account, f"[{row['body']}, {row['shown']}]")
    made = make(client, account, row["many"], **body)
    assert {name: made[name] for name in expected} == expected
    again = shown(client.get(f"{kind.path}/{made['id']}", headers=account.bearer), kind.one)
    assert {name: again[name] for name in expected} == expected


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.many)
def test_what_is_missing_is_named(client: FlaskClient, account: Account, kind: Kind) -> None:
    missing = {
        "schedule_actions": ["schedule_id", "kind"],
        "contact_field_types": ["key", "name"],
        "contact_fields": ["offer_id", "key", "name"],
        "numbers": ["number"],
        "number_pools": ["schedule_id", "kind", "name"],
        "contacts": ["caller_id"],
        "users": ["email", "name", "role"],
        "api_keys": ["name", "scopes"],
    }.get(kind.many, ["name"])
    errors = wrong(client.post(kind.path, json={}, headers=account.bearer))
    assert errors == {name: ["is missing"] for name in missing}


# Filters of each list


FILTERS: list[tuple[str, Json, str]] = [
    ("offers", {"name": "Solar 2"}, "name=Solar 2"),
    ("schedules", {"name": "At noon"}, "name=At noon"),
    ("schedules", {"offer_id": "offers"}, "offer_id={offers}"),
    ("schedule_actions", {"schedule_id": "schedules"}, "schedule_id={schedules}"),
    ("schedule_actions", {"kind": "email"}, "kind=email"),
    ("traffic_sources", {"user_traffic_source_id": "bing"}, "user_traffic_source_id=bing"),
    ("traffic_sources", {"name": "Bing 2"}, "name=Bing 2"),
    ("contact_field_types", {"key": "auto"}, "key=auto"),
    ("contact_field_types", {"name": "Auto"}, "name=Auto"),
    ("contact_fields", {"offer_id": "offers"}, "offer_id={offers}"),
    ("contact_fields", {"contact_field_type_id": "contact_field_types"}, "contact_field_type_id={contact_field_types}"),
    ("contact_fields", {"key": "state"}, "key=state"),
    ("contact_fields", {"name": "State"}, "name=State"),
    ("numbers", {"number": "+17192221234"}, "number=(719) 222-1234"),
    ("numbers", {"number": "+17192221234"}, "number=+17192221234"),
    ("numbers", {"name": "Billboard"}, "name=Billboard"),
    ("number_pools", {"schedule_id": "schedules"}, "schedule_id={schedules}"),
    ("number_pools", {"kind": "sms"}, "kind=sms"),
    ("number_pools", {"name": "West"}, "name=West"),
]


@pytest.mark.parametrize(("many", "body", "query"), FILTERS, ids=[f"{case[0]}?{case[2]}" for case in FILTERS])
def test_a_list_is_filtered(client: FlaskClient, account: Account, many: str, body: Json, query: str) -> None:
    named = {each: make(client, account, each)["id"] for each in ("offers", "schedules", "contact_field_types")}
    body = {name: named.get(str(value), value) for name, value in body.items()}
    make(client, account, many)
    wanted = make(client, account, many, **body)["id"]
    make(client, account, many)
    listed = client.get(f"{API}/{many}?{query.format(**named)}", headers=account.bearer).get_json()
    assert [row["id"] for row in listed[many]] == [wanted]
    assert listed["metadata"]["total_count"] == 1


WRONG_FILTERS = [
    ("schedules", "offer_id", "x", "must be a whole number from 1 to 2147483647"),
    ("schedule_actions", "schedule_id", "2147483648", "must be a whole number from 1 to 2147483647"),
    ("number_pools", "kind", "fax", "must be one of: `dial`, `sms`"),
    ("offers", "acceptance", "1", "Unknown field."),
]


@pytest.mark.parametrize("case", WRONG_FILTERS, ids=[f"{case[0]}?{case[1]}" for case in WRONG_FILTERS])
def test_a_filter_that_nothing_can_have_is_named(
    client: FlaskClient, account: Account, case: tuple[str, str, str, str]
) -> None:
    many, name, value, text = case
    assert wrong(client.get(f"{API}/{many}?{name}={value}", headers=account.bearer)) == {name: [text]}


# Offers and schedules


@pytest.mark.parametrize("many", ["offers", "schedules"])
def test_the_first_token_comes_with_its_owner_and_takes_leads(client: FlaskClient, account: Account, many: str) -> None:
    made = make(client, account, many)
    query = "select * from lead_token where company_id = :company_id and value = :value"
    [token] = account.rows(query, value=made["lead_token"])
    assert (token["owner_kind"], token["owner_id"]) == (BY_NAME[many].one, made["id"])
    assert (token["name"], token["kind"], bool(token["shows_stored_lead"])) == ("First", "server", True)
    answer = take(client, made["lead_token"])
    assert answer["lead"][f"{BY_NAME[many].one}_id"] == made["id"]


def test_a_deleted_schedule_takes_no_leads_until_it_is_restored(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token)
    delete(client, account, "schedules", account.schedule_id)
    refused(send(client, account.schedule_token), "lead_token_invalid")
    restore(client, account, "schedules", account.schedule_id)
    take(client, account.schedule_token)


def test_a_schedule_that_moves_takes_its_leads_to_the_other_offer(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token)
    offer = make(client, account, "offers")["id"]
    change(client, account, "schedules", account.schedule_id, offer_id=offer)
    made = take(client, account.schedule_token, caller_id=new_number())
    assert made["lead"]["offer_id"] == offer
    change(client, account, "schedules", account.schedule_id, offer_id=None)
    assert take(client, account.schedule_token, caller_id=new_number())["lead"]["offer_id"] is None


def test_acceptance_is_replaced_as_a_whole(client: FlaskClient, account: Account) -> None:
    first = {"duplicate_seconds": 60, "require_traffic_source": True}
    change(client, account, "offers", account.offer_id, acceptance=first)
    second = change(client, account, "offers", account.offer_id, acceptance={"only_known_keys": True})["acceptance"]
    assert {name for name, value in second.items() if value not in (None, False, [], "owner")} == {"only_known_keys"}
    # What is off is not kept.
    [row] = account.rows("select acceptance from offer where id = :id", id=account.offer_id)
    assert row["acceptance"] in ({"only_known_keys": True}, '{"only_known_keys": true}')


# What is still needed


def needed_offer(client: FlaskClient, account: Account) -> tuple[str, Any, str, Callable[[], object]]:
    schedule = account.schedule_id
    text = f"is still the offer of the schedules {schedule}; change or delete them first"
    return "offers", account.offer_id, text, lambda: change(client, account, "schedules", schedule, offer_id=None)


def needed_offer_of_many(client: FlaskClient, account: Account) -> tuple[str, Any, str, Callable[[], object]]:
    offer = make(client, account, "offers")["id"]
    many = [make(client, account, "schedules", offer_id=offer)["id"] for _ in range(2)]
    text = f"is still the offer of the schedules {many[0]}, {many[1]}; change or delete them first"
    return "offers", offer, text, lambda: [delete(client, account, "schedules", each) for each in many]


def needed_type(client: FlaskClient, account: Account) -> tuple[str, Any, str, Callable[[], object]]:
    row_id = make(client, account, "contact_field_types")["id"]
    field = make(client, account, "contact_fields", contact_field_type_id=row_id)["id"]
    text = f"is still the type of the contact fields {field}; change or delete them first"
    return "contact_field_types", row_id, text, lambda: delete(client, account, "contact_fields", field)


def needed_source(client: FlaskClient, account: Account) -> tuple[str, Any, str, Callable[[], object]]:
    value = account.token(default_traffic_source_id=account.source_id)
    [token] = account.rows("select id from lead_token where value = :value", value=value)
    text = f"is still the default source of the lead tokens {token['id']}; change or delete them first"
    [now] = account.rows("select created_at from company where id = :company_id")
    return (
        "traffic_sources",
        account.source_id,
        text,
        lambda: account.change(LeadToken, token["id"], disabled_at=now["created_at"]),
    )


@pytest.mark.parametrize("needed", [needed_offer, needed_offer_of_many, needed_type, needed_source])
def test_what_others_need_is_not_deleted(
    client: FlaskClient, account: Account, needed: Callable[..., tuple[str, Any, str, Callable[[], object]]]
) -> None:
    many, row_id, text, release = needed(client, account)
    assert wrong(client.delete(f"{API}/{many}/{row_id}", headers=account.bearer)) == {"id": [text]}
    release()
    assert "deleted_at" in delete(client, account, many, row_id)


def test_what_belongs_to_something_deleted_is_not_restored(client: FlaskClient, account: Account) -> None:
    offer = make(client, account, "offers")["id"]
    schedule = make(client, account, "schedules", offer_id=offer)["id"]
    delete(client, account, "schedules", schedule)
    delete(client, account, "offers", offer)
    url = f"{API}/schedules/{schedule}/restore"
    errors = {"offer_id": ["is not an offer of this company"]}
    assert wrong(client.post(url, headers=account.bearer)) == errors
    restore(client, account, "offers", offer)
    assert restore(client, account, "schedules", schedule)["offer_id"] == offer


def test_an_offer_is_not_deleted_while_a_schedule_is_put_under_it(app: Flask, account: Account) -> None:
    client = app.test_client()
    for _ in range(5):
        offer = make(client, account, "offers")["id"]
        calls: list[tuple[str, str, Json | None]] = [
            ("DELETE", f"{API}/offers/{offer}", None),
            ("POST", f"{API}/schedules", {"name": "Late", "offer_id": offer}),
        ]
        with ThreadPoolExecutor(2) as pool:
            answers = list(
                pool.map(
                    lambda call: app.test_client().open(call[1], method=call[0], json=call[2], headers=account.bearer),
                    calls,
                )
            )
        assert sorted(answer.status_code for answer in answers) == [200, 422]


# Places


def test_many_at_once_get_a_place_each(app: Flask, account: Account) -> None:
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda _: make(app.test_client(), account, "schedule_actions"), range(6)))
    assert sorted(each["position"] for each in made) == [2, 3, 4, 5, 6, 7]


def test_many_at_once_get_an_id_each(app: Flask, account: Account) -> None:
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda _: make(app.test_client(), account, "traffic_sources"), range(6)))
    assert sorted(each["user_traffic_source_id"] for each in made) == [str(number) for number in range(1000, 1006)]


def test_an_action_stays_in_its_schedule(client: FlaskClient, account: Account) -> None:
    schedule = make(client, account, "schedules")["id"]
    url = f"{API}/schedule_actions/{account.action_id}"
    answer = client.put(url, json={"schedule_id": schedule, "kind": "sms"}, headers=account.bearer)
    assert wrong(answer) == {"schedule_id": ["cannot be changed"]}
    same = change(client, account, "schedule_actions", account.action_id, schedule_id=account.schedule_id, kind="sms")
    assert (same["schedule_id"], same["kind"]) == (account.schedule_id, "sms")


def test_each_schedule_and_each_kind_of_pool_counts_its_own_places(client: FlaskClient, account: Account) -> None:
    schedule = make(client, account, "schedules")["id"]
    assert make(client, account, "schedule_actions", schedule_id=schedule)["position"] == 1
    places = [
        make(client, account, "number_pools", kind=kind, schedule_id=owner)["position"]
        for kind, owner in (("dial", None), ("dial", None), ("sms", None), ("dial", schedule))
        for owner in [owner or account.schedule_id]
    ]
    assert places == [1, 2, 1, 1]


def test_a_place_is_free_again_after_a_deletion(client: FlaskClient, account: Account) -> None:
    delete(client, account, "schedule_actions", account.action_id)
    assert make(client, account, "schedule_actions")["position"] == 1
    url = f"{API}/schedule_actions/{account.action_id}/restore"
    assert wrong(client.post(url, headers=account.bearer)) == {"position": ["is taken: another schedule action has it"]}


def test_the_number_of_a_deleted_source_is_not_given_again(client: FlaskClient, account: Account) -> None:
    first = make(client, account, "traffic_sources")
    delete(client, account, "traffic_sources", first["id"])
    assert make(client, account, "traffic_sources")["user_traffic_source_id"] == "1001"
    assert restore(client, account, "traffic_sources", first["id"])["user_traffic_source_id"] == "1000"


# What a lead meets


def test_the_next_lead_knows_a_source_that_was_just_made_and_one_that_was_deleted(
    client: FlaskClient, account: Account
) -> None:
    def source_of(caller_id: str) -> Any:
        take(client, account.schedule_token, caller_id=caller_id, traffic_source_id="bing")
        [lead] = account.rows("select traffic_source_id from lead where caller_id = :number", number=caller_id)[-1:]
        return lead["traffic_source_id"]

    assert source_of(new_number()) is None
    made = make(client, account, "traffic_sources", user_traffic_source_id="bing")["id"]
    assert source_of(new_number()) == made
    delete(client, account, "traffic_sources", made)
    assert source_of(new_number()) is None


def test_the_next_lead_starts_at_the_action_that_is_first_now(client: FlaskClient, account: Account) -> None:
    first = change(client, account, "schedule_actions", account.action_id, position=5)["id"]
    second = make(client, account, "schedule_actions", position=2)["id"]
    take(client, account.schedule_token)
    assert [lead["next_action_id"] for lead in account.leads()] == [second]
    assert first != second


# Values


def test_one_and_true_are_two_values(client: FlaskClient, account: Account) -> None:
    one = make(client, account, "schedule_actions", config={"retry": 1, "list": [1]})
    changed = change(client, account, "schedule_actions", one["id"], config={"retry": True, "list": [True]})
    assert json.dumps(changed["config"]) == '{"retry": true, "list": [true]}' or changed["config"]["retry"] is True
    shown_again = client.get(f"{API}/schedule_actions/{one['id']}", headers=account.bearer).get_json()
    config = shown_again["schedule_action"]["config"]
    assert (config["retry"] is True, config["list"][0] is True) == (True, True)
    assert changed["updated_at"] > one["updated_at"]


def test_what_only_a_float_can_hold_is_kept_and_edited(client: FlaskClient, account: Account) -> None:
    config = {"large": 1e30, "small": 5e-324}
    action = make(client, account, "schedule_actions", config=config)
    assert action["config"] == config
    edited = change(client, account, "schedule_actions", action["id"], delay_seconds=7)
    assert (edited["delay_seconds"], edited["config"]) == (7, config)
    again = change(client, account, "schedule_actions", action["id"], config=config)
    assert again["updated_at"] == edited["updated_at"]


def test_a_fields_parts_are_judged_with_those_that_are_kept(client: FlaskClient, account: Account) -> None:
    made = make(client, account, "contact_fields", value_type="integer", minimum=5, maximum=10)
    url = f"{API}/contact_fields/{made['id']}"
    for body, errors in (
        ({"maximum": 4}, {"maximum": ["must not be less than minimum"]}),
        (
            {"value_type": "boolean"},
            {name: ["has no meaning for a boolean; leave it out"] for name in ("minimum", "maximum")},
        ),
    ):
        assert wrong(client.put(url, json=body, headers=account.bearer)) == errors
    assert change(client, account, "contact_fields", made["id"], maximum=5)["maximum"] == 5
    cleared = {"value_type": "boolean", "minimum": None, "maximum": None}
    assert change(client, account, "contact_fields", made["id"], **cleared)["minimum"] is None


def test_a_number_is_read_in_the_companys_region(app: Flask, client: FlaskClient) -> None:
    account = make_account(app, region="GB")
    made = make(client, account, "numbers", number="020 7183 8750")
    assert made["number"] == "+442071838750"
    listed = client.get(f"{API}/numbers?number=02071838750", headers=account.bearer).get_json()
    assert [row["id"] for row in listed["numbers"]] == [made["id"]]


def test_a_deleted_number_stays_in_its_pools_and_joins_no_other(client: FlaskClient, account: Account) -> None:
    number, other = make(client, account, "numbers")["id"], make(client, account, "numbers")["id"]
    pool = make(client, account, "number_pools", number_ids=[number])
    delete(client, account, "numbers", number)
    # What was read may still be sent back, with more.
    assert change(client, account, "number_pools", pool["id"], number_ids=[number, other])["number_ids"] == [
        number,
        other,
    ]
    body = BY_NAME["number_pools"].body(account) | {"number_ids": [number]}
    errors = wrong(client.post(f"{API}/number_pools", json=body, headers=account.bearer))
    assert errors == {"number_ids": [f"{number} is not a number of this company"]}
    delete(client, account, "number_pools", pool["id"])
    assert restore(client, account, "number_pools", pool["id"])["number_ids"] == [number, other]


def test_a_form_spells_lists_and_objects(client: FlaskClient, account: Account) -> None:
    number = make(client, account, "numbers")["id"]
    form = {
        "schedule_id": str(account.schedule_id),
        "kind": "dial",
        "name": "West",
        "filters[state][]": "CA",
        "filters[state][1]": "NV",
        "number_ids[]": str(number),
    }
    pool = shown(client.post(f"{API}/number_pools", data=form, headers=account.bearer), "number_pool")
    assert (pool["filters"], pool["number_ids"]) == ({"state": ["CA", "NV"]}, [number])
    answer = client.put(f"{API}/number_pools/{pool['id']}", data={"number_ids": ""}, headers=account.bearer)
    assert shown(answer, "number_pool")["number_ids"] == []


TOO_MANY: list[tuple[str, Json, str, str]] = [
    ("contact_fields", {"options": [str(number) for number in range(501)]}, "options", "must hold at most 500"),
    (
        "contact_fields",
        {"value_type": "time", "minimum": "2" * 65},
        "minimum",
        "must be a number, or for a time its text",
    ),
    ("number_pools", {"number_ids": [1] * 10_001}, "number_ids", "must hold at most 10000"),
    ("number_pools", {"filters": {f"a{number}": ["x"] for number in range(51)}}, "filters", "must hold at most 50"),
    ("number_pools", {"filters": {"state": ["x"] * 1_001}}, "filters.state", "must hold at most 1000"),
]


@pytest.mark.parametrize("case", TOO_MANY, ids=[f"{case[0]}: {case[2]}" for case in TOO_MANY])
def test_what_is_too_long_is_named_with_what_fits(
    client: FlaskClient, account: Account, case: tuple[str, Json, str, str]
) -> None:
    many, body, name, text = case
    kind = BY_NAME[many]
    errors = wrong(client.post(kind.path, json=kind.body(account) | body, headers=account.bearer))
    assert errors == {name: [text]}


def test_of_a_list_ten_wrong_members_are_named(client: FlaskClient, account: Account) -> None:
    kind = BY_NAME["number_pools"]
    for ids, names in (
        (["x"] * 20, [f"number_ids.{index}" for index in range(10)]),
        (list(range(9_000, 9_020)), ["number_ids"]),
    ):
        errors = wrong(client.post(kind.path, json=kind.body(account) | {"number_ids": ids}, headers=account.bearer))
        assert list(errors) == names
        assert sum(map(len, errors.values())) == 10
