"""Lead tokens by API: whose they are, what they may do, their rotation, and the mark of an exposed one."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.lib.secrets import masked
from server.schedules.models import Schedule
from tests.api.calls import NOW, PAGE, Json, refused, send, take, taken
from tests.api.kinds import shown, wrong
from tests.factories import Account, make_account
from tests.unit import table

TOKENS = "/api/v1/lead_tokens"
HOUR = timedelta(hours=1)


def make(client: FlaskClient, account: Account, **sent: Any) -> Json:
    """A lead token of the schedule, unless another owner is named."""
    owned = {"schedule_id", "offer_id", "traffic_source_id"} & sent.keys()
    known = {"name": "Acme Leads"} | ({} if owned else {"schedule_id": account.schedule_id})
    return shown(client.post(TOKENS, json=known | sent, headers=account.bearer), "lead_token")


def change(client: FlaskClient, account: Account, token: Json, **sent: Any) -> Json:
    answer = client.put(f"{TOKENS}/{token['id']}", json=sent, headers=account.bearer)
    return shown(answer, "lead_token")


def show(client: FlaskClient, account: Account, token: Json) -> Json:
    return shown(client.get(f"{TOKENS}/{token['id']}", headers=account.bearer), "lead_token")


def act(client: FlaskClient, account: Account, token: Json, action: str, **sent: Any) -> TestResponse:
    """The answer to an action on a token."""
    return client.post(f"{TOKENS}/{token['id']}/{action}", json=sent or None, headers=account.bearer)


def rotate(client: FlaskClient, account: Account, token: Json, **sent: Any) -> tuple[Json, Json]:
    """The token's successor, and the token as it is then."""
    answer = act(client, account, token, "rotate", **sent)
    body: Json = answer.get_json()
    assert (answer.status_code, set(body)) == (200, {"lead_token", "previous_lead_token"}), body
    return body["lead_token"], body["previous_lead_token"]


def row_of(account: Account, token: Json) -> Json:
    [row] = account.rows("select * from lead_token where id = :id", id=token["id"])
    return row


# What one is


@pytest.mark.parametrize("kind", ["server", "publishable"])
@pytest.mark.parametrize("owner", ["schedule", "offer"])
def test_a_token_takes_leads_for_its_owner(client: FlaskClient, account: Account, owner: str, kind: str) -> None:
    owner_id = getattr(account, f"{owner}_id")
    token = make(client, account, **{f"{owner}_id": owner_id, "kind": kind})
    owners = {f"{name}_id": owner_id if name == owner else None for name in ("schedule", "offer", "traffic_source")}
    assert {name: token[name] for name in owners} == owners
    assert token["value"].startswith("pub_" if kind == "publishable" else "")
    assert take(client, token["value"])["action"] == ("received" if kind == "publishable" else "created")
    [lead] = account.leads()
    assert (lead["owner_kind"], lead["owner_id"], lead["lead_token_id"]) == (owner, owner_id, token["id"])


def test_a_postback_token_is_a_traffic_sources_and_takes_no_lead(client: FlaskClient, account: Account) -> None:
    token = make(client, account, kind="postback", traffic_source_id=account.source_id)
    assert token["value"].startswith("pb_")
    assert (token["schedule_id"], token["offer_id"], token["traffic_source_id"]) == (None, None, account.source_id)
    refused(send(client, token["value"]), "lead_token_invalid")


def test_a_token_says_of_itself_what_was_left_open(client: FlaskClient, account: Account) -> None:
    token = make(client, account)
    token_id = token.pop("id")
    del token["value"], token["created_at"], token["updated_at"]
    assert token == {
        "name": "Acme Leads",
        "kind": "server",
        "schedule_id": account.schedule_id,
        "shows_stored_lead": False,
        "allowed_origins": [],
        "allowed_redirects": [],
        "allows_callbacks": False,
        "seen_origins": [],
        "has_payload_secret": False,
        "vendor_id": token_id,
        "reads_submissions": False,
    } | dict.fromkeys(
        [
            "offer_id",
            "traffic_source_id",
            "default_traffic_source_id",
            "disclosure_id",
            "per_minute_limit",
            "expires_at",
            "replaced_at",
            "disabled_at",
            "exposed_at",
            "exposed_origin",
            "last_used_at",
        ]
    )


@pytest.mark.parametrize("row", table("wrong_lead_tokens.csv"), ids=lambda row: row["case"])
def test_what_a_token_cannot_be_is_named(client: FlaskClient, account: Account, row: dict[str, str]) -> None:
    text = row["sent"]
    for name in ("offer_id", "source_id"):
        text = text.replace(f'"{{{name}}}"', str(getattr(account, name)))
    sent = {"name": "Acme Leads", "schedule_id": account.schedule_id} | json.loads(text)
    before = account.rows("select id from lead_token where company_id = :company_id")
    errors = wrong(client.post(TOKENS, json=sent, headers=account.bearer))
    assert list(errors) == row["parameters"].split()
    assert all(texts[0].startswith(row["says"]) for texts in errors.values()), errors
    assert account.rows("select id from lead_token where company_id = :company_id") == before


def test_a_deleted_schedule_gets_no_token(client: FlaskClient, account: Account) -> None:
    token = make(client, account)
    client.delete(f"{TOKENS}/{token['id']}", headers=account.bearer)
    account.change(Schedule, account.schedule_id, deleted_at=datetime.now(UTC))
    sent = {"name": "Acme Leads", "schedule_id": account.schedule_id}
    says = {"schedule_id": ["is not a schedule of this company"]}
    assert wrong(client.post(TOKENS, json=sent, headers=account.bearer)) == says
    assert wrong(act(client, account, token, "restore")) == says


@pytest.mark.parametrize("name", ["kind", "schedule_id", "offer_id", "traffic_source_id", "value", "exposed_at"])
def test_what_a_token_is_stays(client: FlaskClient, account: Account, name: str) -> None:
    token = make(client, account)
    before = row_of(account, token)
    sent = {
        "kind": "publishable",
        "schedule_id": None,
        "offer_id": account.offer_id,
        "traffic_source_id": account.source_id,
        "value": "0" * 32,
        "exposed_at": "2026-11-24T00:00:00Z",
    }[name]
    answer = client.put(f"{TOKENS}/{token['id']}", json={name: sent}, headers=account.bearer)
    assert wrong(answer) == {name: ["cannot be changed"]}
    assert row_of(account, token) == before


def test_what_was_shown_may_be_sent_back_though_the_token_was_used_meanwhile(
    client: FlaskClient, account: Account
) -> None:
    token = make(client, account)
    take(client, token["value"])
    changed = change(client, account, token, **token | {"name": "Renamed"})
    assert changed["name"] == "Renamed"
    assert changed["last_used_at"] is not None


# What intake makes of it


def test_a_pages_origins_count_in_any_spelling_from_the_next_request_on(client: FlaskClient, account: Account) -> None:
    token = make(client, account, kind="publishable", allowed_origins=["HTTPS://Good.Example:443/"])
    assert token["allowed_origins"] == ["https://good.example"]
    refused(send(client, token["value"], headers={"Origin": PAGE}), "origin_not_allowed")
    taken(send(client, token["value"], headers={"Origin": "https://good.example"}))
    changed = change(client, account, token, allowed_origins=[f"{PAGE}/", PAGE, PAGE.upper()])
    assert changed["allowed_origins"] == [PAGE]
    taken(send(client, token["value"], headers={"Origin": PAGE}, zip="1"))
    refused(send(client, token["value"], headers={"Origin": "https://good.example"}), "origin_not_allowed")


def test_a_visitor_is_sent_on_where_the_token_allows_it(client: FlaskClient, account: Account) -> None:
    token = make(client, account, kind="publishable", allowed_redirects=["https://Shop.example"])
    answer = send(client, token["value"], redirect_to=f"{PAGE}/thanks")
    assert (answer.status_code, answer.headers.get("Location")) == (303, f"{PAGE}/thanks")


def test_a_lead_that_names_no_source_is_of_the_tokens_own(client: FlaskClient, account: Account) -> None:
    token = make(client, account, default_traffic_source_id=account.source_id, shows_stored_lead=True)
    assert take(client, token["value"])["lead"]["traffic_source_id"] == "google_ads"


def test_a_token_shows_the_stored_lead_while_it_is_told_to(client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token, email="a@example.com")
    token = make(client, account)
    assert take(client, token["value"], zip="1")["lead"]["email"] is None
    change(client, account, token, shows_stored_lead=True)
    assert take(client, token["value"], zip="2")["lead"]["email"] == "a@example.com"


def test_a_deleted_token_takes_nothing_until_it_is_restored(client: FlaskClient, account: Account) -> None:
    token = make(client, account)
    take(client, token["value"])
    answer = client.delete(f"{TOKENS}/{token['id']}", headers=account.bearer)
    assert shown(answer, "lead_token")["disabled_at"] is not None
    refused(send(client, token["value"]), "lead_token_invalid")
    assert shown(act(client, account, token, "restore"), "lead_token")["disabled_at"] is None
    take(client, token["value"])


def test_a_token_ends_when_it_was_told_to(client: FlaskClient, app: Flask) -> None:
    account = make_account(app, time_zone="America/New_York")
    with time_machine.travel(NOW, tick=False) as clock:
        token = make(client, account, expires_at="2026-11-23 02:00")
        assert token["expires_at"] == "2026-11-23T07:00:00.000+00:00"
        take(client, token["value"])
        clock.shift(HOUR)
        refused(send(client, token["value"]), "lead_token_invalid")
        assert change(client, account, token, expires_at=None)["expires_at"] is None
        take(client, token["value"])
        change(client, account, token, expires_at="2026-11-23T08:00:00+01:00")
        refused(send(client, token["value"]), "lead_token_invalid")


# Rotation


def test_both_tokens_take_leads_until_the_overlap_is_over(client: FlaskClient, account: Account) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        old = make(client, account, shows_stored_lead=True)
        first = take(client, old["value"])["lead_id"]
        new, previous = rotate(client, account, old, overlap_hours=2)
        assert previous["expires_at"] == "2026-11-23T08:00:00.000+00:00"
        assert (previous["id"], previous["value"]) == (old["id"], masked(old["value"]))
        assert new["value"] != old["value"]
        assert (new["name"], previous["name"]) == ("Acme Leads", "Acme Leads (replaced)")
        assert take(client, old["value"], zip="1")["action"] == "updated"
        assert take(client, new["value"], zip="2")["lead_id"] == first
        clock.shift(2 * HOUR - timedelta(milliseconds=1))
        take(client, old["value"], zip="3")
        clock.shift(timedelta(milliseconds=1))
        refused(send(client, old["value"], zip="4"), "lead_token_invalid")
        assert take(client, new["value"], zip="4")["lead_id"] == first
    assert len(account.leads()) == 1


@pytest.mark.parametrize(
    ("sent", "hours"), [({}, 24), ({"overlap_hours": 0}, 0), ({"overlap_hours": "8760"}, 8760)], ids=str
)
def test_the_overlap_is_a_day_or_what_was_asked_for(
    client: FlaskClient, account: Account, sent: Json, hours: int
) -> None:
    with time_machine.travel(NOW, tick=False):
        token = make(client, account)
        _, previous = rotate(client, account, token, **sent)
        assert datetime.fromisoformat(previous["expires_at"]) == NOW + hours * HOUR
        if not hours:
            refused(send(client, token["value"]), "lead_token_invalid")


def test_the_new_token_has_the_settings_of_the_old_one(client: FlaskClient, account: Account) -> None:
    settings = {
        "kind": "publishable",
        "default_traffic_source_id": account.source_id,
        "shows_stored_lead": True,
        "allowed_origins": [PAGE],
        "allowed_redirects": [PAGE],
        "per_minute_limit": 60,
        "allows_callbacks": True,
        "expires_at": "2099-01-01T00:00:00.000+00:00",
    }
    old = make(client, account, **settings)
    new, _ = rotate(client, account, old, name="Page 2")
    assert new == old | {name: new[name] for name in ("id", "name", "value", "created_at", "updated_at")}
    assert (new["name"], new["value"][:4]) == ("Page 2", "pub_")
    assert show(client, account, new) == new


def test_a_token_that_was_to_end_before_the_overlap_still_does(client: FlaskClient, account: Account) -> None:
    with time_machine.travel(NOW, tick=False):
        token = make(client, account, expires_at="2026-11-23T07:00:00Z")
        _, previous = rotate(client, account, token)
        assert previous["expires_at"] == "2026-11-23T07:00:00.000+00:00"


def test_what_cannot_be_rotated_is_told_why(client: FlaskClient, account: Account) -> None:
    token = make(client, account)
    for sent, name, says in (
        ({"overlap_hours": -1}, "overlap_hours", "must be a whole number from 0 to 8760"),
        ({"overlap_hours": 8761}, "overlap_hours", "must be a whole number from 0 to 8760"),
        ({"overlap_hours": None}, "overlap_hours", "must be a whole number from 0 to 8760, not null"),
        ({"name": ["x"]}, "name", "must be text"),
        ({"kind": "publishable"}, "kind", "is unknown; this takes: overlap_hours, name"),
    ):
        assert wrong(act(client, account, token, "rotate", **sent)) == {name: [says]}
    change(client, account, token, expires_at="2026-01-01T00:00:00Z")
    assert list(wrong(act(client, account, token, "rotate"))) == ["expires_at"]
    client.delete(f"{TOKENS}/{token['id']}", headers=account.bearer)
    for action in ("rotate", "clear_exposure"):
        assert wrong(act(client, account, token, action)) == {"id": ["is deleted; restore the lead token first"]}
    assert len(account.rows("select id from lead_token where company_id = :company_id and name = 'Acme Leads'")) == 1


def test_who_rotates_twice_by_what_was_shown_once_makes_one_token(client: FlaskClient, account: Account) -> None:
    # It ends anyway before the overlap is over, so that nothing of it has to change.
    token = make(client, account, expires_at=(datetime.now(UTC) + HOUR).isoformat())
    rotate(client, account, token, updated_at=token["updated_at"])
    refused(act(client, account, token, "rotate", updated_at=token["updated_at"]), "edit_conflict")
    [count] = account.rows(
        "select count(*) as many from lead_token where name like 'Acme%' and company_id = :company_id"
    )
    assert count["many"] == 2


# Exposure


@time_machine.travel(NOW, tick=False)
def test_a_token_whose_mark_is_cleared_has_its_powers_again(client: FlaskClient, account: Account) -> None:
    token = make(client, account)
    assert taken(send(client, token["value"], headers={"Origin": PAGE}))["action"] == "received"
    exposed = show(client, account, token)
    assert (exposed["exposed_origin"], exposed["exposed_at"] is None) == (PAGE, False)
    assert take(client, token["value"], zip="1")["action"] == "received"
    cleared = shown(act(client, account, token, "clear_exposure"), "lead_token")
    assert (cleared["exposed_origin"], cleared["exposed_at"]) == (None, None)
    assert cleared["updated_at"] > exposed["updated_at"]
    assert take(client, token["value"], zip="2")["action"] == "updated"
    # Clearing again is no change.
    assert shown(act(client, account, token, "clear_exposure"), "lead_token")["updated_at"] == cleared["updated_at"]
    assert taken(send(client, token["value"], headers={"Origin": PAGE}, zip="3"))["action"] == "received"


def test_the_new_token_of_a_rotation_is_not_exposed(client: FlaskClient, account: Account) -> None:
    token = make(client, account)
    taken(send(client, token["value"], headers={"Origin": PAGE}))
    new, previous = rotate(client, account, token)
    assert (previous["exposed_origin"], new["exposed_origin"], new["exposed_at"]) == (PAGE, None, None)
    assert take(client, token["value"], zip="1")["action"] == "received"
    assert take(client, new["value"], zip="2")["action"] == "updated"


# The list


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("schedule_id={schedule_id}", "First Page Vendor"),
        ("offer_id={offer_id}", "First"),
        ("traffic_source_id={source_id}", "Postback"),
        ("kind=publishable", "Page"),
        ("kind=postback", "Postback"),
        ("name=Vendor", "Vendor"),
        ("name=vendor", ""),
        ("exposed=true", "Vendor"),
        ("exposed=false", "First First Page Postback"),
        ("schedule_id={schedule_id}&kind=server&exposed=no", "First"),
        ("schedule_id=2147483647", ""),
    ],
)
def test_tokens_are_found_by_owner_kind_name_and_mark(
    client: FlaskClient, account: Account, query: str, found: str
) -> None:
    make(client, account, name="Postback", kind="postback", traffic_source_id=account.source_id)
    taken(send(client, account.vendor_token, headers={"Origin": PAGE}))
    ids = {name: getattr(account, name) for name in ("schedule_id", "offer_id", "source_id")}
    listed = client.get(f"{TOKENS}?{query.format(**ids)}", headers=account.bearer).get_json()
    assert sorted(token["name"] for token in listed["lead_tokens"]) == found.split()


@pytest.mark.parametrize(
    ("query", "name"), [("schedule_id=x", "schedule_id"), ("kind=secret", "kind"), ("exposed=perhaps", "exposed")]
)
def test_a_filter_that_is_none_is_named(client: FlaskClient, account: Account, query: str, name: str) -> None:
    assert list(wrong(client.get(f"{TOKENS}?{query}", headers=account.bearer))) == [name]
