"""Reading leads back: filters, columns and pages of `GET /api/v1/leads`, and one lead by its id."""

import base64
import json
import time
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from server.leads import payload
from server.lib import clock, paging
from server.sources.models import TrafficSource
from tests.api.calls import LEADS, NOW, NUMBER, OTHER_NUMBER, Json, change, end, refused, take
from tests.bench.million import fill
from tests.factories import Account, make_account

UNKNOWN = "00000000-0000-7000-8000-000000000000"
SHOWN = (*payload.SHOWN, "consent")


def listed(client: FlaskClient, account: Account, query: str = "") -> Json:
    """A page of leads."""
    answer = client.get(f"{LEADS}?{query}", headers=account.bearer)
    assert answer.status_code == 200, answer.get_json()
    body: Json = answer.get_json()
    assert set(body) == {"leads", "metadata"}
    assert set(body["metadata"]) == {"total_count", "per_page", "next_cursor"}
    return body


# Filters


@pytest.fixture(scope="module")
def world(app: Flask) -> Account:
    """A company in New York with four leads, one a day, the second of an offer, the third ended, the fourth a test."""
    account = make_account(app, time_zone="America/New_York")
    other = make_account(app)
    client = app.test_client()
    sent: list[tuple[str, Json]] = [
        (
            account.schedule_token,
            {"caller_id": NUMBER, "email": "a@example.com", "traffic_source_id": "google_ads", "sub_id": "s1"},
        ),
        (
            account.offer_token,
            {"caller_id": OTHER_NUMBER, "traffic_source_id": "bing", "sub_id": "50%_off", "note": "ÉCOLE"},
        ),
        (account.schedule_token, {"caller_id": "+442071838750", "email": "B@example.com", "note": 'say "hi" \\ there'}),
        (account.schedule_token, {"caller_id": "7195550100", "data": {"zip": 80_202, "loan amount": "500"}}),
    ]
    for day, (token, params) in enumerate(sent):
        with time_machine.travel(NOW + timedelta(days=day), tick=False):
            made = take(client, token, **params)
            if day == 2:
                end(account, made["lead_id"])
        take(client, other.schedule_token, caller_id=params["caller_id"], sub_id="s1", note="ÉCOLE")
    return account


FILTERS = [
    ("", [3, 2, 1, 0]),
    ("number=%2B17192221234", [0]),
    ("number=+17192221234", [0]),
    ("number=(719) 222-1234", [0]),
    ("number=%2B442071838750", [2]),
    ("number=7190000000", []),
    ("number=x", []),
    ("email=a@example.com", [0]),
    ("email=nobody@example.com", []),
    ("status=scheduled", [3, 0]),
    ("status=waiting", [1]),
    ("status=completed", [2]),
    ("status=none", []),
    ("offer_id={offer}", [3, 2, 1, 0]),
    ("offer_id=2147483647", []),
    ("schedule_id={schedule}", [3, 2, 0]),
    ("traffic_source_id=google_ads", [0]),
    ("traffic_source_id={source}", [0]),
    ("traffic_source_id=bing", [1]),
    ("traffic_source_id=Bing", []),
    ("sub_id=s1", [0]),
    ("sub_id=50%25_off", [1]),
    ("created_at_from=2026-11-24T06:00:00Z", [3, 2, 1]),
    ("created_at_to=2026-11-24T06:00:00Z", [0]),
    ("created_at_from=2026-11-24&created_at_to=2026-11-25", [1]),
    ("created_at_from=2026-11-24T01:00:00&created_at_to=2026-11-24T01:00:01", [1]),
    ("created_at_from=2026-11-27", []),
    ("created_at_from=0001-01-01", [3, 2, 1, 0]),
    ("fulltext=719222", [1, 0]),
    ("fulltext=A@EXAMPLE", [0]),
    ("fulltext=S1", [0]),
    ("fulltext=%25", [1]),
    ("fulltext=_", [3, 1]),
    ("fulltext=0%25_o", [1]),
    ("fulltext=5%25off", []),
    ("fulltext=\\", [2]),
    ('fulltext=hi"%20\\%20th', [2]),
    ("fulltext=/", []),
    ("fulltext='", []),
    ("fulltext=ÉCOLE", [1]),
    ("fulltext=80202", [3]),
    ("fulltext=loan_amount", [3]),
    ("status=scheduled&sub_id=s1", [0]),
    ("status=scheduled&offer_id=2147483647", []),
    ("sub_id=x&sub_id=s1", [0]),
    ("sub_id=s1&sub_id=", [3, 2, 1, 0]),
    ("email=%20", [3, 2, 1, 0]),
]


@pytest.mark.parametrize(("query", "expected"), FILTERS, ids=[query for query, _ in FILTERS])
def test_leads_are_listed_newest_first_and_filtered(
    client: FlaskClient, world: Account, query: str, expected: list[int]
) -> None:
    ids = {"offer": world.offer_id, "schedule": world.schedule_id, "source": world.source_id}
    body = listed(client, world, query.format(**ids))
    numbers = [lead["caller_id"] for lead in world.leads()]
    assert [lead["caller_id"] for lead in body["leads"]] == [numbers[position] for position in expected]
    assert body["metadata"] == {"total_count": len(expected), "per_page": 50, "next_cursor": None}


DIGITS = "Must be a String of digits, from 1 to 2147483647"
PER_PAGE = "Must be a Integer from 1 to 200"
CURSOR = "Must be the next_cursor of a list"


def cursor(text: str) -> str:
    """A cursor of anybody's making."""
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("query", "name", "text"),
    [
        ("nothing=1", "nothing", "Unknown field."),
        ("company_id=1", "company_id", "Unknown field."),
        ("page=2", "page", "Unknown field."),
        ("order=phone;drop", "order", "Unknown field."),
        ("caller_id=1", "caller_id", "Unknown field."),
        ("a%00=1", "a\ufffd", "holds a NUL or half of a surrogate pair"),
        ("columns=secret", "columns", f"Must be of: {', '.join(SHOWN)}"),
        ("columns=id,company_id", "columns", f"Must be of: {', '.join(SHOWN)}"),
        ("columns=id,", "columns", f"Must be of: {', '.join(SHOWN)}"),
        ("per_page=0", "per_page", PER_PAGE),
        ("per_page=-1", "per_page", PER_PAGE),
        ("per_page=201", "per_page", PER_PAGE),
        ("per_page=1000000000", "per_page", PER_PAGE),
        ("per_page=x", "per_page", "Must be a Integer"),
        ("offer_id=x", "offer_id", DIGITS),
        ("offer_id=0", "offer_id", DIGITS),
        ("offer_id=2147483648", "offer_id", DIGITS),
        ("schedule_id=1.5", "schedule_id", DIGITS),
        ("root=maybe", "root", "Must be a boolean value: 1, true, yes, on, 0, false, no, off"),
        (f"fulltext={'x' * 201}", "fulltext", "Must be a String of at most 200 characters"),
        ("cursor=x", "cursor", CURSOR),
        ("cursor=é", "cursor", CURSOR),
        (f"cursor={cursor('x')}", "cursor", CURSOR),
        (f"cursor={cursor(f'2026-11-23 {UNKNOWN}')}", "cursor", CURSOR),
        (f"cursor={cursor(f'2026-11-23T06:00:00 {UNKNOWN}')}", "cursor", CURSOR),
        (f"cursor={cursor('2026-11-23T06:00:00+00:00 x')}", "cursor", CURSOR),
        (f"cursor={cursor('2026-11-23T06:00:00+00:00 a' + chr(0))}", "cursor", CURSOR),
        (f"cursor={cursor(f'0001-01-01T00:00:00+14:00 {UNKNOWN}')}", "cursor", CURSOR),
        ("sub_id=a%00", "sub_id", "holds a NUL or half of a surrogate pair"),
        ("fulltext=%00", "fulltext", "holds a NUL or half of a surrogate pair"),
        ("cursor=%00", "cursor", "holds a NUL or half of a surrogate pair"),
    ],
)
def test_a_wrong_filter_is_named(client: FlaskClient, world: Account, query: str, name: str, text: str) -> None:
    body = client.get(f"{LEADS}?{query}", headers=world.bearer).get_json()
    assert (body["status"], body["errors"]) == (422, {name: [text]})


@pytest.mark.parametrize("name", ["created_at_from", "created_at_to"])
@pytest.mark.parametrize("time", ["yesterday", "1627050403", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_that_is_none_is_named(client: FlaskClient, world: Account, name: str, time: str) -> None:
    answer = client.get(f"{LEADS}?{name}={quote(time)}", headers=world.bearer)
    [text] = refused(answer, "invalid_parameter")["errors"][name]
    assert text.startswith("Must be a valid time: ")


def test_a_number_is_read_in_the_companys_region(app: Flask, client: FlaskClient) -> None:
    account = make_account(app, region="GB")
    take(client, account.schedule_token, caller_id="020 7183 8750")
    assert len(listed(client, account, "number=02071838750")["leads"]) == 1


# What is shown


def test_a_lead_is_shown_in_full_unless_columns_are_named(client: FlaskClient, world: Account) -> None:
    for lead in listed(client, world)["leads"]:
        assert tuple(lead) == SHOWN
        assert lead == client.get(f"{LEADS}/{lead['id']}", headers=world.bearer).get_json()["lead"]


@pytest.mark.parametrize("columns", ["id", "email,id", "data, caller_id", ",".join(SHOWN)])
def test_columns_are_those_that_were_named(client: FlaskClient, world: Account, columns: str) -> None:
    names = [name.strip() for name in columns.split(",")]
    full = listed(client, world)["leads"]
    assert listed(client, world, f"columns={columns}")["leads"] == [
        {name: lead[name] for name in names} for lead in full
    ]


@pytest.mark.parametrize(("root", "bare"), [("false", True), ("0", True), ("true", False), ("", False)])
def test_without_a_root_a_list_is_a_list(client: FlaskClient, world: Account, root: str, bare: bool) -> None:
    answer = client.get(f"{LEADS}?root={root}&columns=id", headers=world.bearer).get_json()
    leads = listed(client, world, "columns=id")["leads"]
    assert answer == (leads if bare else listed(client, world, "columns=id"))
    assert leads


def test_a_source_that_was_renamed_has_its_new_name(client: FlaskClient, account: Account) -> None:
    made = take(client, account.schedule_token, traffic_source_id="google_ads")
    account.change(TrafficSource, account.source_id, user_traffic_source_id="google")
    shown = client.get(f"{LEADS}/{made['lead_id']}", headers=account.bearer).get_json()["lead"]
    assert shown["traffic_source_id"] == "google"
    for name in ("google", "google_ads", str(account.source_id)):
        assert len(listed(client, account, f"traffic_source_id={name}")["leads"]) == 1


def test_a_block_is_shown_with_every_lead_of_the_number(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token)
    take(client, account.offer_token, blocked=True)
    leads = listed(client, account)["leads"]
    assert [(lead["blocked"], lead["opt_out"], lead["status"]) for lead in leads] == [(True, False, "blocked")] * 2


def test_a_deleted_lead_is_not_listed_and_still_shown(client: FlaskClient, account: Account) -> None:
    made = take(client, account.schedule_token)
    kept = take(client, account.offer_token)
    deleted_at = clock.now()
    end(account, made["lead_id"], status="removed", deleted_at=deleted_at)
    assert [lead["id"] for lead in listed(client, account)["leads"]] == [kept["lead_id"]]
    shown = client.get(f"{LEADS}/{made['lead_id']}", headers=account.bearer).get_json()["lead"]
    assert shown["deleted_at"] == clock.text(deleted_at)
    assert set(shown) == {*SHOWN, "deleted_at"}
    assert "deleted_at" not in client.get(f"{LEADS}/{kept['lead_id']}", headers=account.bearer).get_json()["lead"]


def test_another_companys_lead_is_not_there(client: FlaskClient, account: Account) -> None:
    other = make_account(account.app)
    theirs = take(client, other.schedule_token)["lead_id"]
    assert listed(client, account)["metadata"]["total_count"] == 0
    for lead_id in (theirs, theirs.upper(), UNKNOWN, "x", "%00", "1", theirs.replace("-", ""), f"{{{theirs}}}"):
        answer = client.get(f"{LEADS}/{lead_id}", headers=account.bearer)
        assert refused(answer, "not_found")["errors"] == {"id": ["names no lead"]}
    for spelling in (theirs, theirs.upper()):
        assert client.get(f"{LEADS}/{spelling}", headers=other.bearer).get_json()["lead"]["id"] == theirs


def test_the_suffix_json_reads_the_same(client: FlaskClient, world: Account) -> None:
    assert client.get(f"{LEADS}.json", headers=world.bearer).get_json() == listed(client, world)


# Pages


def test_pages_show_every_lead_once_while_leads_are_being_added(client: FlaskClient, account: Account) -> None:
    # Several have the same time, so that the time alone does not say where to go on.
    for number in range(9):
        with time_machine.travel(NOW + timedelta(seconds=number // 3), tick=False):
            take(client, account.schedule_token, caller_id=f"+1719222{number:04}")
    there = {lead["id"] for lead in account.leads()}
    seen: list[str] = []
    query = "per_page=2"
    for page in range(20):
        body = listed(client, account, query)
        assert body["metadata"]["total_count"] == 9 + page
        seen += [lead["id"] for lead in body["leads"]]
        if body["metadata"]["next_cursor"] is None:
            break
        assert len(body["leads"]) == 2
        query = f"per_page=2&cursor={body['metadata']['next_cursor']}"
        with time_machine.travel(NOW + timedelta(hours=1 + page), tick=False):
            take(client, account.schedule_token, caller_id=f"+1719333{page:04}")
    assert len(seen) == len(set(seen)) == 9
    assert set(seen) == there


@pytest.mark.parametrize("per_page", [1, 3, 4, 200])
def test_pages_of_any_size_are_the_list(client: FlaskClient, world: Account, per_page: int) -> None:
    whole = [lead["id"] for lead in listed(client, world)["leads"]]
    seen: list[str] = []
    pages = 0
    query = f"per_page={per_page}"
    while query:
        body = listed(client, world, query)
        assert body["metadata"]["per_page"] == per_page
        seen += [lead["id"] for lead in body["leads"]]
        pages += 1
        after: Any = body["metadata"]["next_cursor"]
        query = f"per_page={per_page}&cursor={after}" if after else ""
    assert (seen, pages) == (whole, -(-len(whole) // per_page))


def test_a_cursor_goes_on_within_the_same_filters(client: FlaskClient, world: Account) -> None:
    first = listed(client, world, "status=scheduled&per_page=1")
    second = listed(client, world, f"status=scheduled&per_page=1&cursor={first['metadata']['next_cursor']}")
    assert second["metadata"] == {"total_count": 2, "per_page": 1, "next_cursor": None}
    assert [lead["caller_id"] for lead in first["leads"] + second["leads"]] == ["+17195550100", NUMBER]


def test_a_lead_that_is_changed_keeps_its_place(client: FlaskClient, account: Account) -> None:
    made = [take(client, account.schedule_token, caller_id=number)["lead_id"] for number in (NUMBER, OTHER_NUMBER)]
    change(account, made[0], email="a@example.com")
    take(client, account.schedule_token, zip="1")
    assert [lead["id"] for lead in listed(client, account)["leads"]] == made[::-1]


# Very many


SHORT = paging.SHORT_REACH


@pytest.fixture(scope="module")
def many(app: Flask) -> Account:
    """A company with more leads than one request looks through for a text."""
    account = make_account(app)
    fill(account, SHORT + 2_000)
    return account


def test_a_search_looks_so_far_and_its_cursor_goes_on(client: FlaskClient, many: Account) -> None:
    # That of the oldest lead.
    first = listed(client, many, "fulltext=person1%40")
    assert (first["leads"], first["metadata"]["total_count"]) == ([], None)
    second = listed(client, many, f"fulltext=person1%40&cursor={first['metadata']['next_cursor']}")
    assert [lead["email"] for lead in second["leads"]] == ["person1@example.com"]
    assert second["metadata"] == {"total_count": None, "per_page": 50, "next_cursor": None}


def test_pages_of_a_search_miss_none_and_show_none_twice(client: FlaskClient, many: Account) -> None:
    seen: list[str] = []
    query = "fulltext=Lee%2077"
    while query:
        body = listed(client, many, query)
        seen += [lead["data"]["last_name"] for lead in body["leads"]]
        cursor = body["metadata"]["next_cursor"]
        query = cursor and f"fulltext=Lee%2077&cursor={cursor}"
    # On either side of where the first look ends.
    numbers = [77, *range(770, 780), *range(7700, 7800)]
    assert seen == [f"Lee {number}" for number in sorted(numbers, reverse=True)]


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("", SHORT + 2_000),
        ("sub_id=sub7", (SHORT + 2_000) // 100),
        ("email=person1@example.com", 1),
        ("number=%2B17192000001", 1),
        ("status=completed", 0),
        ("created_at_to=2000-01-01", 0),
    ],
)
def test_a_total_is_exact_as_far_as_one_request_sees(
    client: FlaskClient, many: Account, query: str, total: int
) -> None:
    assert listed(client, many, query)["metadata"]["total_count"] == total


def test_times_narrow_down_what_a_search_looks_at(client: FlaskClient, many: Account) -> None:
    oldest = many.leads()[99]["created_at"].strftime("%Y-%m-%dT%H:%M:%SZ")
    body = listed(client, many, f"fulltext=person1%40&created_at_to={oldest}")
    assert len(body["leads"]) == body["metadata"]["total_count"] == 1
    assert body["metadata"]["next_cursor"] is None


@pytest.mark.parametrize(
    "text", ["%", "_", "\\", '"', "'", "%%", "Lee_7", "L%7", "(Lee)+", ".*", "*", "?", "[a-z]", "\\u0000"]
)
def test_no_wildcard_dumps_the_leads(client: FlaskClient, many: Account, text: str) -> None:
    body = listed(client, many, f"fulltext={quote(text)}")
    held = [lead for lead in body["leads"] if text not in json.dumps(lead, separators=(",", ":"))]
    assert held == []
    # There is one in the name of a token.
    assert bool(body["leads"]) == (text == "_")


def test_no_list_takes_long_however_many_leads_there_are(
    client: FlaskClient, account: Account, many: Account, long: bool
) -> None:
    if long:
        fill(account, 1_000_000)
    asked = "", "fulltext=%25", "fulltext=nobody", "email=nobody@example.com", "status=completed", "sub_id=none"
    for query in asked:
        began = time.perf_counter()
        body = listed(client, account if long else many, query)
        # A tenth of that is what it takes.
        assert time.perf_counter() - began < (1 if long else 5), query
        assert (body["metadata"]["total_count"] is None) == (long or "fulltext" in query)
