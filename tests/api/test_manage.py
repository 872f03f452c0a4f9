"""Managing by API: what holds for every kind of thing. What is peculiar to one stands in `test_configured.py`."""

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.api.calls import NOW, Json, refused
from tests.api.kinds import API, KINDS, Kind, shown, wrong
from tests.factories import Account, make_account

OFFERS = f"{API}/offers"


def having(*verbs: str) -> list[Any]:
    """The kinds that have all these verbs, as cases."""
    return [pytest.param(kind, id=kind.many) for kind in KINDS if not set(verbs) & set(kind.without)]


every = pytest.mark.parametrize("kind", having("create", "show"))
changing = pytest.mark.parametrize("kind", having("create", "show", "update"))
deleting = pytest.mark.parametrize("kind", having("create", "show", "delete"))
restoring = pytest.mark.parametrize("kind", having("create", "show", "delete", "restore"))
unique = pytest.mark.parametrize("kind", [case for case in having("create", "show") if case.values[0].unique])


def get(client: FlaskClient, account: Account, kind: Kind, row_id: Any) -> Json:
    """One thing, as it is shown."""
    return shown(client.get(f"{kind.path}/{row_id}", headers=account.bearer), kind.one)


def put(client: FlaskClient, account: Account, kind: Kind, row_id: Any, body: Json, **how: Any) -> TestResponse:
    """The answer to a change."""
    return client.put(f"{kind.path}/{row_id}", json=body, headers=account.bearer | how.pop("headers", {}), **how)


def delete(client: FlaskClient, account: Account, kind: Kind, row_id: Any, **how: Any) -> TestResponse:
    """The answer to a deletion."""
    return client.delete(f"{kind.path}/{row_id}", headers=account.bearer | how.pop("headers", {}), **how)


def restore(client: FlaskClient, account: Account, kind: Kind, row_id: Any, **how: Any) -> TestResponse:
    """The answer to the undoing of a deletion."""
    return client.post(f"{kind.path}/{row_id}/restore", headers=account.bearer | how.pop("headers", {}), **how)


def listed(client: FlaskClient, account: Account, kind: Kind, query: str = "") -> Json:
    """A page."""
    answer = client.get(f"{kind.path}?{query}", headers=account.bearer)
    body: Json = answer.get_json()
    assert answer.status_code == 200, body
    assert set(body) == {kind.many, "metadata"}
    assert set(body["metadata"]) == {"total_count", "per_page", "next_cursor"}
    return body


def ids(client: FlaskClient, account: Account, kind: Kind, query: str = "") -> list[Any]:
    """The ids of a page."""
    return [row["id"] for row in listed(client, account, kind, query)[kind.many]]


def version(account: Account) -> int:
    """The version of the company's configuration."""
    [row] = account.rows("select config_version from company where id = :company_id")
    return int(row["config_version"])


def public(kind: Kind, made: Json) -> Json:
    """What is shown of a thing once its creation is over."""
    shown = {name: value for name, value in made.items() if name not in kind.secrets}
    return shown | {name: f"{made[name][:4]}…{made[name][-2:]}" for name in kind.masked}


# Making, reading, changing


@every
def test_what_was_made_is_stored_and_shown(client: FlaskClient, account: Account, kind: Kind) -> None:
    made = kind.make(client, account)
    assert set(kind.secrets) <= set(made)
    assert next(iter(made)) == "id"
    assert "deleted_at" not in made
    row = kind.row(account, made["id"])
    assert made["created_at"] == row["created_at"].isoformat(timespec="milliseconds")
    assert made["updated_at"] == row["updated_at"].isoformat(timespec="milliseconds")
    assert row.get(kind.ended) is None
    # Secrets are shown once.
    assert get(client, account, kind, made["id"]) == public(kind, made)
    if "list" not in kind.without:
        assert public(kind, made) in listed(client, account, kind)[kind.many]


@changing
def test_a_change_changes_what_was_sent_and_nothing_else(client: FlaskClient, account: Account, kind: Kind) -> None:
    made = kind.make(client, account)
    before = kind.row(account, made["id"])
    changed = shown(put(client, account, kind, made["id"], kind.change), kind.one)
    moves = {*(kind.moves or kind.change), "updated_at"}
    assert changed == public(kind, made) | kind.change | {name: changed[name] for name in moves & changed.keys()}
    assert changed["updated_at"] > made["updated_at"]
    after = kind.row(account, made["id"])
    moved = {name for name in before if before[name] != after[name]}
    assert moved == moves
    assert get(client, account, kind, made["id"]) == changed


@changing
def test_what_was_read_may_be_sent_back_and_changes_nothing(client: FlaskClient, account: Account, kind: Kind) -> None:
    made = kind.make(client, account)
    before, configuration = kind.row(account, made["id"]), version(account)
    for body in (public(kind, made), {}):
        assert shown(put(client, account, kind, made["id"], body), kind.one) == public(kind, made)
    assert (kind.row(account, made["id"]), version(account)) == (before, configuration)


@changing
def test_what_we_write_alone_cannot_be_changed(client: FlaskClient, account: Account, kind: Kind) -> None:
    made = kind.make(client, account)
    other = made["id"] + 1 if isinstance(made["id"], int) else 1
    before = kind.row(account, made["id"])
    for name, value in (("id", other), ("id", "x"), ("created_at", "2026-11-23T06:00:00.000+00:00")):
        answer = put(client, account, kind, made["id"], kind.change | {name: value})
        assert wrong(answer) == {name: ["cannot be changed"]}, value
        assert kind.row(account, made["id"]) == before, value


@every
def test_an_unknown_key_is_named_with_those_that_there_are(client: FlaskClient, account: Account, kind: Kind) -> None:
    made = kind.make(client, account)
    for name in ("company_id", "nothing", "deleted_at", "x" * 100):
        answers = [client.post(kind.path, json=kind.body(account) | {name: 1}, headers=account.bearer)]
        if "update" not in kind.without:
            answers.append(put(client, account, kind, made["id"], {name: 1}))
        for answer in answers:
            [(said, [text])] = wrong(answer).items()
            assert said == name[:64]
            assert text.startswith("is unknown; a")
    assert kind.row(account, made["id"])["company_id"] == account.company_id


NO_IDS = ["0", "-1", "1.0", "01", "+1", "x", "2147483648", "9" * 30, "9" * 5000]
NO_IDS += ["%00", "%20", "1%20", "٣", "1;drop", "²"]


@every
def test_what_is_no_id_names_nothing(client: FlaskClient, account: Account, kind: Kind) -> None:
    calls: dict[str, Callable[[str], TestResponse]] = {
        "show": lambda url: client.get(url, headers=account.bearer),
        "update": lambda url: client.put(url, json=kind.change, headers=account.bearer),
        "delete": lambda url: client.delete(url, headers=account.bearer),
        "restore": lambda url: client.post(f"{url}/restore", headers=account.bearer),
    }
    says = (404, "not_found", {"id": [f"names no {kind.one.replace('_', ' ')}"]})
    otherwise = {}
    for row_id in NO_IDS:
        for verb, call in calls.items():
            if verb not in kind.without:
                body = call(f"{kind.path}/{row_id}").get_json()
                if (body.get("status"), body.get("code"), body.get("errors")) != says or body["success"] is not False:
                    otherwise[row_id[:31], verb] = body
    assert otherwise == {}


# Deleting and restoring


@restoring
def test_what_is_deleted_is_out_of_the_list_and_can_come_back(
    client: FlaskClient, account: Account, kind: Kind
) -> None:
    made = kind.make(client, account)
    gone = shown(delete(client, account, kind, made["id"]), kind.one)
    row = kind.row(account, made["id"])
    assert gone["deleted_at"] == row[kind.ended].isoformat(timespec="milliseconds")
    assert gone["updated_at"] > made["updated_at"]
    assert get(client, account, kind, made["id"]) == gone
    assert made["id"] not in ids(client, account, kind)
    assert ids(client, account, kind, "deleted=true") == [made["id"]]
    # Again, it is deleted already.
    assert shown(delete(client, account, kind, made["id"]), kind.one) == gone
    back = shown(restore(client, account, kind, made["id"]), kind.one)
    assert "deleted_at" not in back
    assert back["updated_at"] > gone["updated_at"]
    assert kind.row(account, made["id"])[kind.ended] is None
    assert made["id"] in ids(client, account, kind, "deleted=false")
    assert ids(client, account, kind, "deleted=yes") == []
    assert shown(restore(client, account, kind, made["id"]), kind.one) == back


@pytest.mark.parametrize("kind", having("create", "show", "update", "delete"))
def test_what_is_deleted_is_not_changed(client: FlaskClient, account: Account, kind: Kind) -> None:
    made = kind.make(client, account)
    delete(client, account, kind, made["id"])
    before = kind.row(account, made["id"])
    errors = wrong(put(client, account, kind, made["id"], kind.change))
    assert errors == {"id": [f"is deleted; restore the {kind.one.replace('_', ' ')} first"]}
    assert kind.row(account, made["id"]) == before


@restoring
def test_deleting_and_restoring_take_no_values(client: FlaskClient, account: Account, kind: Kind) -> None:
    made = kind.make(client, account)
    for call in (delete, restore):
        errors = wrong(call(client, account, kind, made["id"], json={"name": "x"}))
        assert errors == {"name": ["is unknown here; nothing but updated_at is taken"]}
    assert kind.row(account, made["id"])[kind.ended] is None


# Uniqueness is the database's to judge


@unique
def test_what_is_taken_is_refused_by_name(client: FlaskClient, account: Account, kind: Kind) -> None:
    assert kind.unique is not None
    first, second = kind.make(client, account), kind.make(client, account)
    before = kind.row(account, second["id"])
    body = kind.body(account) | {kind.unique: first[kind.unique]}
    taken = wrong(client.post(kind.path, json=body, headers=account.bearer))
    assert list(taken) == [kind.unique]
    # A contact is named, for it may have been made by a lead.
    assert taken[kind.unique][0] in (
        f"is taken: another {kind.one.replace('_', ' ')} has it",
        f"is taken: use the {kind.one} {first['id']}",
    )
    if "update" not in kind.without:
        says = {kind.unique: ["cannot be changed"]} if kind.fixed else taken
        assert wrong(put(client, account, kind, second["id"], {kind.unique: first[kind.unique]})) == says
    assert kind.row(account, second["id"]) == before


@pytest.mark.parametrize("kind", [case for case in having("create") if case.values[0].unique])
def test_two_companies_may_use_one_name(client: FlaskClient, account: Account, kind: Kind) -> None:
    assert kind.unique is not None
    first = kind.make(client, account)
    other = make_account(account.app)
    theirs = kind.make(client, other, **{kind.unique: first[kind.unique]})
    assert theirs[kind.unique] == first[kind.unique]


@pytest.mark.parametrize(
    "kind",
    [
        case
        for case in having("create", "show", "delete", "restore")
        if case.values[0].unique and not case.values[0].kept
    ],
)
def test_what_was_taken_meanwhile_is_not_restored(client: FlaskClient, account: Account, kind: Kind) -> None:
    assert kind.unique is not None
    first = kind.make(client, account)
    delete(client, account, kind, first["id"])
    second = kind.make(client, account, **{kind.unique: first[kind.unique]})
    before = kind.row(account, first["id"])
    errors = wrong(restore(client, account, kind, first["id"]))
    assert errors == {kind.unique: [f"is taken: another {kind.one.replace('_', ' ')} has it"]}
    assert kind.row(account, first["id"]) == before
    delete(client, account, kind, second["id"])
    assert shown(restore(client, account, kind, first["id"]), kind.one)[kind.unique] == first[kind.unique]


# Two people edit


@changing
def test_who_has_seen_another_state_changes_nothing(client: FlaskClient, account: Account, kind: Kind) -> None:
    made = kind.make(client, account)
    seen = made["updated_at"]
    now = shown(put(client, account, kind, made["id"], kind.change), kind.one)
    before = kind.row(account, made["id"])
    calls: list[TestResponse] = []
    for how in ({"headers": {"If-Match": f'"{seen}"'}}, {"json": {"updated_at": seen}}):
        calls.append(client.put(f"{kind.path}/{made['id']}", **with_key(account, how)))
        if "delete" not in kind.without:
            calls.append(delete(client, account, kind, made["id"], **how))
        if "restore" not in kind.without:
            calls.append(restore(client, account, kind, made["id"], **how))
    for answer in calls:
        body = refused(answer, "edit_conflict")
        assert (body["status"], body["errors"]) == (409, {"updated_at": ["is not that of the present state"]})
        assert "Read it again" in body["detail"]
        # Sent again as it is, it would fail again.
        assert "Retry-After" not in answer.headers
    assert kind.row(account, made["id"]) == before
    assert get(client, account, kind, made["id"]) == now


def with_key(account: Account, how: Json) -> Json:
    """How a request is sent, with the key of the company."""
    return how | {"headers": account.bearer | how.get("headers", {})}


@deleting
def test_who_has_seen_the_present_state_may_delete(client: FlaskClient, account: Account, kind: Kind) -> None:
    made = kind.make(client, account)
    gone = shown(delete(client, account, kind, made["id"], headers={"If-Match": f'"{made["updated_at"]}"'}), kind.one)
    assert kind.row(account, made["id"])[kind.ended] is not None
    if "restore" not in kind.without:
        shown(restore(client, account, kind, made["id"], json={"updated_at": gone["updated_at"]}), kind.one)


SEEN = [
    ("the tag", lambda tag, text: {"headers": {"If-Match": tag}}, True),
    ("a tag that a proxy has weakened", lambda tag, text: {"headers": {"If-Match": f"W/{tag}"}}, True),
    ("one of several tags", lambda tag, text: {"headers": {"If-Match": f'"x", {tag}'}}, True),
    ("any", lambda tag, text: {"headers": {"If-Match": "*"}}, True),
    ("a blank header", lambda tag, text: {"headers": {"If-Match": " "}}, True),
    ("another tag", lambda tag, text: {"headers": {"If-Match": '"x"'}}, False),
    ("the time", lambda tag, text: {"json": {"updated_at": text}}, True),
    ("the time as JavaScript writes it", lambda tag, text: {"json": {"updated_at": text.replace("+00:00", "Z")}}, True),
    ("a blank time", lambda tag, text: {"json": {"updated_at": " "}}, True),
    ("no time", lambda tag, text: {"json": {"updated_at": None}}, True),
    ("the time in a query", lambda tag, text: {"query_string": {"updated_at": text}}, True),
    ("another time", lambda tag, text: {"json": {"updated_at": "2026-11-23T06:00:00Z"}}, False),
    (
        "the tag and another time",
        lambda tag, text: {"headers": {"If-Match": tag}, "json": {"updated_at": "2026-11-23T06:00:00Z"}},
        False,
    ),
    (
        "the time and another tag",
        lambda tag, text: {"headers": {"If-Match": '"x"'}, "json": {"updated_at": text}},
        False,
    ),
]


@pytest.mark.parametrize(("how", "taken"), [case[1:] for case in SEEN], ids=[case[0] for case in SEEN])
def test_a_state_is_named_in_these_ways(
    client: FlaskClient, account: Account, how: Callable[[str, str], Json], taken: bool
) -> None:
    answer = client.get(f"{OFFERS}/{account.offer_id}", headers=account.bearer)
    sent = with_key(account, how(answer.headers["ETag"], answer.get_json()["offer"]["updated_at"]))
    body = sent.pop("json", {}) | {"name": "Renamed"}
    answer = client.put(f"{OFFERS}/{account.offer_id}", json=body, **sent)
    [row] = account.rows("select name from offer where id = :id", id=account.offer_id)
    if taken:
        assert shown(answer, "offer")["name"] == row["name"] == "Renamed"
    else:
        refused(answer, "edit_conflict")
        assert row["name"] != "Renamed"


@pytest.mark.parametrize("seen", ["yesterday", 5, True, ["x"], {"x": 1}, "0001-01-01T00:00:00+14:00"])
def test_an_updated_at_that_is_no_time_is_named(client: FlaskClient, account: Account, seen: Any) -> None:
    answer = client.put(f"{OFFERS}/{account.offer_id}", json={"updated_at": seen}, headers=account.bearer)
    assert wrong(answer) == {"updated_at": ["must be the updated_at of an answer"]}


@changing
def test_each_change_is_another_state_though_the_clock_stands_still(
    client: FlaskClient, account: Account, kind: Kind
) -> None:
    with time_machine.travel(NOW, tick=False):
        states = [kind.make(client, account)]
        for _ in range(2):
            for body in (kind.change, {name: states[0][name] for name in kind.change}):
                states.append(shown(put(client, account, kind, states[0]["id"], body), kind.one))
    times = [state["updated_at"] for state in states]
    assert len(set(times)) == len(times)
    assert times == sorted(times)


@changing
def test_of_two_who_saw_the_same_state_one_wins(app: Flask, account: Account, kind: Kind) -> None:
    made = kind.make(app.test_client(), account)
    tag = {"If-Match": f'"{made["updated_at"]}"'}
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda _: put(app.test_client(), account, kind, made["id"], kind.change, headers=tag), range(4))
        )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]


def test_who_names_no_state_wins_if_last(client: FlaskClient, account: Account) -> None:
    for name in ("One", "Two"):
        client.put(f"{OFFERS}/{account.offer_id}", json={"name": name}, headers=account.bearer)
    [row] = account.rows("select name from offer where id = :id", id=account.offer_id)
    assert row["name"] == "Two"


# Lists


@pytest.mark.parametrize("kind", having("list", "create", "show"))
def test_pages_show_each_once_while_more_are_made(client: FlaskClient, account: Account, kind: Kind) -> None:
    there = set(ids(client, account, kind))
    for number in range(5):
        # Several have the same time, so that the time alone does not say where to go on.
        with time_machine.travel(NOW + timedelta(seconds=number // 3), tick=False):
            there.add(kind.make(client, account)["id"])
    seen: list[Any] = []
    query = "per_page=2"
    for page in range(10):
        body = listed(client, account, kind, query)
        assert body["metadata"]["total_count"] == len(there) + page
        seen += [row["id"] for row in body[kind.many]]
        if body["metadata"]["next_cursor"] is None:
            break
        assert len(body[kind.many]) == 2
        query = f"per_page=2&cursor={body['metadata']['next_cursor']}"
        with time_machine.travel(NOW + timedelta(days=365), tick=False):
            kind.make(client, account)
    assert len(seen) == len(set(seen))
    assert set(seen) == there


@pytest.mark.parametrize("kind", having("list", "create"))
def test_the_newest_are_first_and_times_bound_the_list(client: FlaskClient, account: Account, kind: Kind) -> None:
    made = []
    for day in range(3):
        with time_machine.travel(NOW + timedelta(days=30 + day), tick=False):
            made.append(kind.make(client, account)["id"])
    assert ids(client, account, kind, "created_at_from=2026-12-23T06:00:00Z") == made[::-1]
    assert ids(client, account, kind, "created_at_from=2026-12-24&created_at_to=2026-12-25T06:00:00Z") == [made[1]]
    assert ids(client, account, kind, "created_at_from=2027-01-01") == []


def cursor(text: str) -> str:
    """A cursor of anybody's making."""
    return base64.urlsafe_b64encode(text.encode()).decode()


NOT_A_CURSOR = ["x", cursor("2026-11-23T06:00:00+00:00 x"), cursor("2026-11-23T06:00:00+00:00 0")]


WRONG_FILTERS = [
    ("nothing=1", {"nothing": ["Unknown field."]}),
    ("company_id=1", {"company_id": ["Unknown field."]}),
    ("per_page=201", {"per_page": ["Must be a Integer from 1 to 200"]}),
    ("per_page=0", {"per_page": ["Must be a Integer from 1 to 200"]}),
    ("deleted=perhaps", {"deleted": ["Must be a boolean value: 1, true, yes, on, 0, false, no, off"]}),
    *((f"cursor={text}", {"cursor": ["Must be the next_cursor of a list"]}) for text in NOT_A_CURSOR),
]


@pytest.mark.parametrize("kind", having("list"))
def test_a_wrong_filter_is_named(client: FlaskClient, account: Account, kind: Kind) -> None:
    expected = dict(WRONG_FILTERS)
    if "delete" in kind.without:
        expected["deleted=perhaps"] = {"deleted": ["Unknown field."]}
    answers = {query: client.get(f"{kind.path}?{query}", headers=account.bearer) for query in expected}
    assert {query: wrong(answer) for query, answer in answers.items()} == expected


@pytest.mark.parametrize("row_id", ["2147483648", "9" * 30, "01", "-1", "٣", "00000000-0000-7000-8000-000000000000"])
def test_a_cursor_of_numbers_holds_a_number(client: FlaskClient, account: Account, row_id: str) -> None:
    query = f"cursor={cursor(f'2026-11-23T06:00:00+00:00 {row_id}')}"
    errors = wrong(client.get(f"{OFFERS}?{query}", headers=account.bearer))
    assert errors == {"cursor": ["Must be the next_cursor of a list"]}


def test_a_time_that_bounds_nothing_is_named(client: FlaskClient, account: Account) -> None:
    for time in ("yesterday", "0001-01-01T00:00:00%2B14:00"):
        [text] = wrong(client.get(f"{OFFERS}?created_at_from={time}", headers=account.bearer))["created_at_from"]
        assert text.startswith("Must be a valid time: ")


# What is sent, and by whom


@every
def test_a_form_says_the_same(client: FlaskClient, account: Account, kind: Kind) -> None:
    body = kind.body(account)
    made = shown(client.post(kind.path, data=fields(body), headers=account.bearer), kind.one)
    # A form knows texts only, so its row is compared with that of the same in JSON.
    for name, value in body.items():
        if name in made and not isinstance(value, dict):
            assert made[name] == value
    if "update" not in kind.without:
        url = f"{kind.path}/{made['id']}"
        changed = shown(client.put(url, data=fields(kind.change), headers=account.bearer), kind.one)
        assert {name: changed[name] for name in kind.change} == kind.change


def fields(body: Json, prefix: str = "") -> dict[str, str]:
    """A body as a form spells it: `a[b]=c`."""
    spelt: dict[str, str] = {}
    for name, value in body.items():
        key = f"{prefix}[{name}]" if prefix else name
        inner = dict(enumerate(value)) if isinstance(value, list) else value
        spelt |= fields(inner, key) if isinstance(inner, dict) else {key: str(value)}
    return spelt


UNREADABLE = [
    (b"[1]", "application/json", "object_expected"),
    (b'"x"', "application/json", "object_expected"),
    (b"{", "application/json", "malformed_body"),
    (b'{"name": NaN}', "application/json", "malformed_body"),
    (b"x", "image/png", "unsupported_media_type"),
    (b'{"name": "' + b"x" * 300_000 + b'"}', "application/json", "too_large"),
    (b'{"name": "\\u0000"}', "application/json", "invalid_character"),
    (b'{"\\ud800": 1}', "application/json", "invalid_character"),
]


@pytest.mark.parametrize(("body", "kind", "code"), UNREADABLE, ids=[str(case[0][:20]) for case in UNREADABLE])
def test_a_body_that_cannot_be_read_is_refused(
    client: FlaskClient, account: Account, body: bytes, kind: str, code: str
) -> None:
    before, configuration = account.rows("select * from offer where company_id = :company_id"), version(account)
    url = f"{OFFERS}/{account.offer_id}"
    calls = [("POST", OFFERS), ("PUT", url), ("DELETE", url), ("POST", f"{url}/restore")]
    for method, path in calls:
        refused(client.open(path, method=method, data=body, content_type=kind, headers=account.bearer), code)
        # Whoever has no key hears nothing of his body.
        refused(client.open(path, method=method, data=body, content_type=kind), "key_required")
    assert account.rows("select * from offer where company_id = :company_id") == before
    assert version(account) == configuration


@pytest.mark.parametrize("body", [b"null", b"", b"{}", b" "])
def test_nothing_is_an_empty_object(client: FlaskClient, account: Account, body: bytes) -> None:
    sent: Json = {"data": body, "content_type": "application/json", "headers": account.bearer}
    assert wrong(client.post(OFFERS, **sent)) == {"name": ["is missing"]}
    shown(client.put(f"{OFFERS}/{account.offer_id}", **sent), "offer")


def test_what_is_sent_may_stand_in_the_query_and_the_body_wins(client: FlaskClient, account: Account) -> None:
    url = f"{OFFERS}/{account.offer_id}"
    assert shown(client.put(f"{url}?name=Query", headers=account.bearer), "offer")["name"] == "Query"
    answer = client.put(f"{url}?name=Query", json={"name": "Body"}, headers=account.bearer)
    assert shown(answer, "offer")["name"] == "Body"
    assert wrong(client.put(f"{url}?nothing=1", headers=account.bearer)).keys() == {"nothing"}
    refused(client.delete(f"{url}?updated_at=2026-11-23T06:00:00Z", headers=account.bearer), "edit_conflict")


def test_a_key_may_stand_in_the_body_and_not_in_the_url(client: FlaskClient, account: Account) -> None:
    body = {"name": "Solar", "auth_token": account.private_key}
    assert shown(client.post(OFFERS, json=body), "offer")["name"] == "Solar"
    assert shown(client.post(OFFERS, data=body), "offer")["name"] == "Solar"
    refused(client.post(OFFERS, json=body | {"auth_token": "x"}), "key_invalid")
    refused(client.post(f"{OFFERS}?auth_token={account.private_key}", json={"name": "Solar"}), "key_in_url")
    assert len(account.rows("select id from offer where company_id = :company_id and name = 'Solar'")) == 2


@changing
def test_reading_does_not_let_write(client: FlaskClient, account: Account, kind: Kind) -> None:
    made = kind.make(client, account)
    reader = account.key(kind.reads)
    assert client.get(f"{kind.path}/{made['id']}", headers=reader).status_code == 200
    assert refused(client.put(f"{kind.path}/{made['id']}", json=kind.change, headers=reader), "scope_missing")


@every
def test_a_method_that_is_not_taken_says_which_are(client: FlaskClient, account: Account, kind: Kind) -> None:
    answer = client.patch(f"{kind.path}/1", json={}, headers=account.bearer)
    refused(answer, "method_not_allowed")
    assert "PATCH" not in answer.headers["Allow"]


def test_answers_are_for_anybodys_page_and_no_cache(client: FlaskClient, account: Account) -> None:
    answer = client.get(f"{OFFERS}/{account.offer_id}", headers=account.bearer)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.content_type == "application/json"


def test_the_suffix_json_means_the_same(client: FlaskClient, account: Account) -> None:
    for path in (OFFERS, f"{OFFERS}/{account.offer_id}"):
        assert (
            client.get(f"{path}.json", headers=account.bearer).get_json()
            == client.get(path, headers=account.bearer).get_json()
        )


# What intake hears of it


@pytest.mark.parametrize(
    "kind",
    [
        case
        for case in having("create", "show", "update", "delete", "restore")
        if case.values[0].writes == "config:write" and case.values[0].configures
    ],
)
def test_each_change_of_the_configuration_is_told_to_intake(client: FlaskClient, account: Account, kind: Kind) -> None:
    versions = [version(account)]
    made = kind.make(client, account)
    versions.append(version(account))
    for call in (
        lambda: put(client, account, kind, made["id"], kind.change),
        lambda: delete(client, account, kind, made["id"]),
        lambda: restore(client, account, kind, made["id"]),
    ):
        shown(call(), kind.one)
        versions.append(version(account))
    assert versions == sorted(set(versions))


def test_what_was_refused_leaves_no_trace(client: FlaskClient, account: Account) -> None:
    before = version(account)
    rows = {
        table: account.rows(f"select * from {table} where company_id = :company_id")
        for table in ("offer", "lead_token")
    }
    wrong(client.post(OFFERS, json={"name": ""}, headers=account.bearer))
    wrong(client.put(f"{OFFERS}/{account.offer_id}", json={"name": "X", "acceptance": 1}, headers=account.bearer))
    wrong(client.delete(f"{OFFERS}/{account.offer_id}", headers=account.bearer))
    assert version(account) == before
    for table, kept in rows.items():
        assert account.rows(f"select * from {table} where company_id = :company_id") == kept


# What the documentation is made from


def test_every_parameter_and_every_filter_is_described_with_an_example(app: Flask) -> None:
    for resource in resources(app):
        assert resource.schema.__doc__
        shape, asked = resource.schema(), resource.listing()
        for name, field in [*shape.load_fields.items(), *asked.load_fields.items()]:
            where = f"{resource.many}.{name}"
            assert field.metadata.get("description", "").endswith("."), where
            assert "example" in field.metadata, where
            # The example is one that is taken.
            field.deserialize(field.metadata["example"], name)
        for name in shape.dump_fields.keys() - shape.load_fields.keys():
            assert shape.fields[name].metadata.get("description"), f"{resource.many}.{name}"


def resources(app: Flask) -> list[Any]:
    """Every resource that has a route."""
    found = {}
    for view in app.view_functions.values():
        for argument in getattr(view, "args", ()):
            found[argument.many] = argument
    return list(found.values())


def test_every_resource_is_among_the_kinds(app: Flask) -> None:
    assert {resource.many for resource in resources(app)} == {kind.many for kind in KINDS}
