"""What strangers send in floods: how much of it is kept, what it costs, and what it takes from others."""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from server.config import Settings
from server.lib import clock
from server.lib.db import db
from server.schedules.models import Schedule
from tests.api.calls import LEADS, NUMBER, PAGE, SUBMISSIONS, Json, refused, taken
from tests.conftest import new_settings, opened
from tests.factories import make_account

ROWS, KILOBYTES, PUBLIC_KILOBYTES, STOPS = 5, 20, 4, 3
# What no database makes smaller.
PAD = secrets.token_hex(4_000)


@pytest.fixture(scope="module")
def strict(settings: Settings) -> Iterator[Flask]:
    """An application that keeps little of what strangers send."""
    few = {"refused_rows": ROWS, "refused_kilobytes": KILOBYTES, "public_kilobytes": PUBLIC_KILOBYTES}
    few |= {"stop_limit": STOPS}
    with opened(replace(settings, **few)) as app:
        yield app


class Flood:
    """A company, and strangers at many addresses."""

    def __init__(self, app: Flask) -> None:
        self.account = make_account(app)
        self.client: FlaskClient = app.test_client()
        self.numbers = (f"+1719222{last:04}" for last in count(1000))

    def post(self, token: str, address: str = "203.0.113.1", key: str = "", **sent: Any) -> Any:
        """The answer to a lead of a new number from an address."""
        known = {"lead_token": token, "caller_id": next(self.numbers)}
        headers = {"Idempotency-Key": key} if key else {}
        return self.client.post(LEADS, json=known | sent, environ_base={"REMOTE_ADDR": address}, headers=headers)

    def codes(self) -> list[str | None]:
        """Why each kept submission was refused."""
        return [row["code"] for row in self.account.submissions()]

    def unkept(self, **asked: Any) -> Json:
        """How many were only counted, by code."""
        url = f"{SUBMISSIONS}/counts"
        body = self.client.get(url, query_string=asked, headers=self.account.bearer).get_json()
        found: Json = {}
        for each in body["not_kept"]:
            assert each["hour_at"][14:19] == "00:00"
            found[each["code"]] = found.get(each["code"], 0) + each["count"]
        return found

    def ended(self, how: str) -> str:
        """A token of each kind that counts for nothing, or only for pages."""
        account = self.account
        if how == "postback":
            return account.token(kind="postback", owner_kind="traffic_source", owner_id=account.source_id)
        about: dict[str, Any] = {"disabled_at": clock.now()} if how == "disabled" else {"expires_at": clock.now()}
        return account.token(**about) if how in ("disabled", "expired") else account.publishable_token


@pytest.fixture
def flood(strict: Flask) -> Flood:
    return Flood(strict)


# What is refused


@pytest.mark.parametrize("kind", ["disabled", "expired", "postback", "publishable"])
def test_so_many_refusals_of_a_stranger_are_kept_and_further_ones_are_counted(flood: Flood, kind: str) -> None:
    token = flood.ended(kind)
    code = "invalid_parameter" if kind == "publishable" else "lead_token_invalid"
    for _ in range(ROWS + 3):
        answer = refused(flood.post(token, lead_priority="high"), code)
    assert answer["metadata"]["submission_id"] is None
    assert (flood.codes(), flood.unkept()) == ([code] * ROWS, {code: 3})
    # Another address has room of its own, and so has another token.
    refused(flood.post(token, "203.0.113.2", lead_priority="high"), code)
    refused(flood.post(flood.account.token(disabled_at=clock.now())), "lead_token_invalid")
    assert (len(flood.codes()), flood.unkept()) == (ROWS + 2, {code: 3})
    [row] = flood.account.rows("select id from lead_token where value = :value", value=token)
    assert (flood.unkept(lead_token_id=row["id"]), flood.unkept(lead_token_id=row["id"] - 1)) == ({code: 3}, {})


def test_long_refusals_use_up_the_room_sooner(flood: Flood) -> None:
    token = flood.ended("disabled")
    for _ in range(4):
        flood.post(token, note="x" * 9_000)
    assert (len(flood.codes()), flood.unkept()) == (2, {"lead_token_invalid": 2})


def test_all_addresses_together_have_room_for_ten(flood: Flood) -> None:
    token = flood.ended("disabled")
    for address in range(12 * ROWS):
        flood.post(token, f"2001:db8:0:{address:x}::1")
    assert (len(flood.codes()), flood.unkept()) == (10 * ROWS, {"lead_token_invalid": 2 * ROWS})


def test_what_a_page_sends_right_is_taken_when_there_is_no_room_for_refusals(flood: Flood) -> None:
    token = flood.account.publishable_token
    for _ in range(ROWS + 1):
        flood.post(token, lead_priority="high")
    taken(flood.post(token))
    assert flood.codes() == ["invalid_parameter"] * ROWS + [None]


def test_a_vendors_wrong_form_loses_no_lead(flood: Flood) -> None:
    for _ in range(3 * ROWS):
        refused(flood.post(flood.account.schedule_token, lead_priority="high"), "invalid_parameter")
    assert (len(flood.codes()), flood.unkept()) == (3 * ROWS, {})


def test_a_batch_with_a_token_that_has_ended_has_no_more_room(flood: Flood) -> None:
    token = flood.ended("disabled")
    leads = [{"lead_token": token, "caller_id": f"+1719222{last:04}"} for last in range(2000, 2040)]
    assert flood.client.post(f"{LEADS}/batch", json={"leads": leads}).status_code < 500
    kept, counted = len(flood.codes()), sum(flood.unkept().values())
    assert kept <= ROWS
    # Who sends such a batch may be refused as a whole, before anything is kept of any lead.
    assert kept + counted in (0, len(leads))


def test_a_dry_run_takes_no_room(flood: Flood) -> None:
    token = flood.ended("disabled")
    for _ in range(2 * ROWS):
        flood.post(token, dry_run=True)
    flood.post(token)
    assert (flood.codes(), flood.unkept()) == (["lead_token_invalid"], {})


def test_counts_of_refusals_are_shown_for_92_days(flood: Flood) -> None:
    token = flood.ended("disabled")
    for _ in range(ROWS + 2):
        refused(flood.post(token), "lead_token_invalid")
    asked = {"created_at_from": (clock.now() - timedelta(hours=1)).isoformat()}
    asked["created_at_to"] = (clock.now() + timedelta(hours=1)).isoformat()
    for days, found in ((91, {"lead_token_invalid": 2}), (93, {})):
        with time_machine.travel(clock.now() + timedelta(days=days)):
            assert flood.unkept(**asked) == found


# What is refused so that nobody hears of it


def test_a_refusal_that_nobody_hears_of_has_more_room_and_goes_on_unheard(flood: Flood) -> None:
    account, page = flood.account, flood.account.publishable_token
    account.change(Schedule, account.schedule_id, acceptance={"duplicate_seconds": 3600})
    known = taken(flood.post(account.schedule_token, caller_id=NUMBER))
    answers = [flood.post(page, caller_id=NUMBER, key=str(number)).get_json() for number in range(10 * ROWS + 2)]
    unknown = flood.post(page).get_json()
    assert {frozenset(answer) for answer in answers} == {frozenset(unknown)}
    assert all(answer["metadata"]["submission_id"] for answer in answers)
    again = flood.post(page, caller_id=NUMBER, key=str(10 * ROWS + 1)).get_json()
    assert again["lead_id"] == answers[-1]["lead_id"] != known["lead_id"]
    emptied = [row for row in account.submissions() if "emptied" in row["received"]]
    # The two beyond the room, and the repetition of the last.
    assert len(emptied) == 3
    url = f"{SUBMISSIONS}/{emptied[0]['id']}/replay"
    body = refused(flood.client.post(url, headers=account.bearer), "invalid_parameter")
    assert "was kept without what it held" in body["detail"]


# How long a page's body may be


def test_a_page_may_send_so_much_and_a_server_more(flood: Flood) -> None:
    long = "x" * PUBLIC_KILOBYTES * 1000
    body = refused(flood.post(flood.account.publishable_token, note=long), "too_large")
    assert (body["status"], body["detail"].split(",")[0]) == (413, "The body is longer than 4000 bytes")
    taken(flood.post(flood.account.publishable_token, note=long[:3000]))
    taken(flood.post(flood.account.schedule_token, note=long))
    exposed = {"exposed_at": clock.now(), "exposed_origin": PAGE}
    refused(flood.post(flood.account.token(**exposed), note=long), "too_large")


# Opt-outs by the list


def stopped(flood: Flood) -> int:
    """How many numbers of the company are to be called no more."""
    [found] = flood.account.rows(
        "select count(*) as count from contact where company_id = :company_id"
        " and (blocked_at is not null or opted_out_at is not null)"
    )
    return int(found["count"])


def settle(flood: Flood, **asked: Any) -> Json:
    """What became of the submissions in quarantine that are meant."""
    answer = flood.client.post(f"{SUBMISSIONS}/quarantine", json=asked, headers=flood.account.key("leads:update"))
    body: Json = answer.get_json()
    assert answer.status_code == 200, body
    return dict(body["counts"])


@pytest.mark.parametrize("wish", ["opt_out", "blocked"])
def test_an_address_that_stops_a_list_of_numbers_is_quarantined(flood: Flood, wish: str) -> None:
    page = flood.account.publishable_token
    answers = [flood.post(page, **{wish: True}) for _ in range(STOPS + 2)]
    assert {frozenset(taken(answer)) for answer in answers} == {frozenset(taken(answers[0]))}
    assert (stopped(flood), flood.codes()) == (STOPS, [None] * STOPS + ["quarantined"] * 2)
    # A person elsewhere is heard at once, and so is whoever else sends a lead from there.
    taken(flood.post(page, "203.0.113.2", **{wish: True}))
    taken(flood.post(page))
    assert (stopped(flood), flood.codes()[-2:]) == (STOPS + 1, [None, None])


def test_a_page_of_the_owners_own_with_a_server_token_stops_as_many_as_it_likes(flood: Flood) -> None:
    for _ in range(3 * STOPS):
        taken(flood.post(flood.account.schedule_token, opt_out=True))
    assert stopped(flood) == 3 * STOPS


def test_a_dry_run_stops_nobody_and_counts_for_nothing(flood: Flood) -> None:
    for _ in range(2 * STOPS):
        flood.post(flood.account.publishable_token, opt_out=True, dry_run=True)
    taken(flood.post(flood.account.publishable_token, opt_out=True))
    assert stopped(flood) == 1


def test_a_flood_of_opt_outs_is_released_in_one_act(flood: Flood) -> None:
    page = flood.account.publishable_token
    for _ in range(STOPS + 4):
        flood.post(page, opt_out=True)
    flood.post(page, "203.0.113.9", hp="x")
    meant: Json = {"act": "release", "reason": "opt_outs", "remote_ip": "203.0.113.1"}
    looked = settle(flood, **meant, dry_run=True)
    assert (looked, stopped(flood)) == ({"matching": 4, "done": 0, "refused": 0, "left": 4}, STOPS)
    for wrong in (3, None):
        url = f"{SUBMISSIONS}/quarantine"
        body = flood.client.post(url, json=meant | {"count": wrong}, headers=flood.account.bearer)
        refused(body, "edit_conflict" if wrong else "invalid_parameter")
    assert settle(flood, **meant, count=4) == {"matching": 4, "done": 4, "refused": 0, "left": 0}
    assert (stopped(flood), flood.codes()) == (STOPS + 4, [None] * (STOPS + 4) + ["quarantined"])
    assert settle(flood, act="release", dry_run=True)["matching"] == 1


@pytest.mark.parametrize("wish", ["opt_out", "blocked"])
def test_the_wish_and_its_number_are_kept_of_each_opt_out_that_has_no_room(flood: Flood, wish: str) -> None:
    page, many = flood.account.publishable_token, STOPS + 10 * ROWS + 3
    for number in range(many):
        taken(flood.post(page, key=f"key-{number}", note="x" * 500, **{wish: True}))
    short = [row for row in flood.account.submissions() if "shortened" in row["received"]]
    assert len(short) >= 3
    assert all("xxx" not in row["received"] for row in short)
    quarantined = many - STOPS
    found = settle(flood, act="release", reason="opt_outs", count=quarantined)
    assert found == {"matching": quarantined, "done": quarantined, "refused": 0, "left": 0}
    assert (stopped(flood), flood.codes()) == (many, [None] * many)


def test_a_flood_of_opt_outs_is_dismissed_in_one_act(flood: Flood) -> None:
    page, other = flood.account.publishable_token, make_account(flood.account.app)
    for _ in range(STOPS + 4):
        flood.post(page, opt_out=True)
    flood.post(other.publishable_token, hp="x")
    assert settle(flood, act="dismiss", dry_run=True)["matching"] == 4
    assert settle(flood, act="dismiss", count=4) == {"matching": 4, "done": 4, "refused": 0, "left": 0}
    assert settle(flood, act="dismiss", dry_run=True)["matching"] == 0
    assert stopped(flood) == STOPS
    kept = [row for row in flood.account.submissions() if row["code"] == "quarantined"]
    assert all(row["purge_at"] <= clock.now() for row in kept)
    [elsewhere] = other.submissions()
    assert elsewhere["purge_at"] > clock.now()


def test_a_repetition_in_quarantine_counts_with_what_it_repeats(flood: Flood) -> None:
    for _ in range(3):
        taken(flood.post(flood.account.publishable_token, key="a-click", caller_id=NUMBER, hp="x"))
    assert flood.codes() == ["quarantined"] * 3
    assert settle(flood, act="release", dry_run=True)["matching"] == 1
    assert settle(flood, act="release", count=1) == {"matching": 1, "done": 1, "refused": 0, "left": 0}
    assert settle(flood, act="release", dry_run=True)["matching"] == 0
    assert len(flood.account.leads()) == 1


# On disk


@pytest.fixture
def usual(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """An application with the limits that it has unless they are set, on a database of its own."""
    made = new_settings(database, request, tmp_path)
    with opened(Settings(data_dir=made.data_dir, database_url=made.database_url, log_level="error")) as app:
        from server.migrations import migrate

        migrate(app)
        yield app


def size_of(app: Flask) -> int:
    """Bytes of the database on disk."""
    if db_is_sqlite(app):
        return sum(each.stat().st_size for each in Path(app.config["DATA_DIR"]).glob("handraiser.db*"))
    with app.app_context(), db.engine.connect() as connection:
        return int(connection.scalar(text("select pg_database_size(current_database())")) or 0)


def db_is_sqlite(app: Flask) -> bool:
    return str(app.config["SQLALCHEMY_DATABASE_URI"]).startswith("sqlite")


def test_thirty_two_megabytes_to_a_deleted_token_cost_less_than_eight_on_disk(usual: Flask, told: list[str]) -> None:
    account = make_account(usual)
    token = account.token(disabled_at=clock.now())
    before = size_of(usual)

    def post(number: int) -> int:
        sent = {"lead_token": token, "caller_id": NUMBER, **{f"pad{part}": PAD[part:] for part in range(25)}}
        return int(usual.test_client().post(LEADS, json=sent).status_code)

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(post, range(160))) == {422}
    grown = size_of(usual) - before
    told.append(f"{grown / 1e6:.1f} MB on disk")
    assert grown < 8_000_000
    [counted] = account.rows("select sum(count) as count from refusal_count where company_id = :company_id")
    assert int(counted["count"]) + len(account.submissions()) == 160
