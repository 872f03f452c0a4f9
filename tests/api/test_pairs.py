"""What wins when two parameters are sent whose wishes meet: `pairs.csv`, for each state in which they find a lead."""

from datetime import UTC, datetime, timedelta
from itertools import combinations, count
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from server.numbers.models import Number, NumberPool
from tests.api.calls import CALLS, LEADS, Json, refused, send, take, taken, warned
from tests.factories import DAY, Account, make_account
from tests.unit import table

ROWS = table("pairs.csv")
NUMBERS = (f"+1719{2_220_000 + number}" for number in count())

# Every parameter that acts on what is stored, and what is sent for it.
PLANNED, ASKED = datetime(2027, 2, 1, tzinfo=UTC), datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)
HELD, CALLED = datetime(2027, 3, 1, tzinfo=UTC), datetime(2027, 1, 5, tzinfo=UTC)
WISHES: Json = {
    "delete_existing": True,
    "expire_existing": True,
    "update_only": True,
    "restart_schedule": True,
    "unblock_contact": True,
    "blocked": True,
    "opt_out": True,
    "next_action_at": ASKED.isoformat(),
    "schedule_callback_at": CALLED.isoformat(),
    "schedule_callback_in_seconds": "3600",
    "update_all_matching_leads": True,
    "apply_to": "calls",
    "assign_trackdrive_number": True,
    "assign_sms_number": True,
    "hours_to_expire": 24,
    "expires_in": 60,
    "vendor_lead_id": "",  # one of its own in each row
    "max_contact_attempts": 3,
}


@pytest.fixture(scope="module")
def company(app: Flask) -> Account:
    """A company whose schedule shows a number of each kind."""
    account = make_account(app)
    ours: Json = {"company_id": account.company_id}
    for kind, number in (("dial", "+17195550101"), ("sms", "+17195550102")):
        number_id = account.add(Number(**ours, number=number))
        account.add(NumberPool(**ours, schedule_id=account.schedule_id, kind=kind, name="All", number_ids=[number_id]))
    return account


# What is there before: a lead with the token `zip`, and what each state has beside it.
LIVE: Json = {
    "next_action_at": PLANNED.isoformat(),
    "schedule_callback_at": HELD.isoformat(),
    "assign_trackdrive_number": True,
}


def make_given(client: FlaskClient, account: Account, state: str, number: str) -> tuple[str, str | None]:
    """The lead that is there, and where there are two under the offer the other one, which is the schedule's."""

    def made(token: str, **sent: Any) -> str:
        lead: str = take(client, token, caller_id=number, zip="1", **sent)["lead_id"]
        return lead

    token = account.schedule_token
    if state == "two live leads":
        other = made(token, **LIVE)
        return made(account.offer_token, schedule_callback_at=HELD.isoformat()), other
    if state == "a plain live lead":
        return made(token), None
    if state == "a blocked lead":
        return made(token, assign_trackdrive_number=True, blocked=True), None
    lead = made(token, **({"vendor_lead_id": number} if state == "the vendor's lead, ended" else LIVE))
    if state != "a live lead":
        client.put(f"{LEADS}/{lead}/lead_move_to_end_of_schedule", json={"lead_token": token})
    return lead, None


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['given']}: {row['first']} and {row['second']}")
def test_of_two_wishes_it_is_known_what_becomes_of_each(
    client: FlaskClient, company: Account, row: dict[str, str]
) -> None:
    number = next(NUMBERS)
    lead_id, other_id = make_given(client, company, row["given"], number)
    wishes = {name: WISHES[name] or number for name in (row["first"], row["second"])}
    if "apply_to" in wishes:
        assert client.post(CALLS, json={"caller_id": number}, headers=company.bearer).status_code == 200
    token = company.offer_token if other_id else company.schedule_token
    answer = send(client, token, headers=company.bearer, caller_id=number, zip="2", **wishes)
    leads = {lead["id"]: lead for lead in leads_of(company, number)}
    found = {"old": fate(leads[lead_id]), "other": fate(leads[other_id]) if other_id else ""}
    if row["answer"] == "no_matching_lead":
        refused(answer, "no_matching_lead")
        assert (found["old"], len(leads)) == (row["old"], 1)
        return
    body = taken(answer)
    lead = leads[body["lead_id"]]
    found |= {
        "answer": body["action"],
        "next": next_action(lead, body),
        "callback": callback(lead, body),
        "numbers": " ".join(name for name, column in NUMBER_OF.items() if lead[column]),
        "contact": contact_of(company, number),
        "call": call(company, number) if "apply_to" in wishes else "",
        "warnings": " ".join(sorted(f"{param}:{code}" for param, code in warned(body))),
    }
    assert found == {name: row[name] for name in found}
    assert len(leads) == 1 + (body["action"] == "created") + (other_id is not None)
    if lead["is_live"]:
        assert lead["status"] == (found["contact"] or ("waiting" if other_id else "scheduled"))
    check_terms(company, wishes, lead, leads.get(other_id or ""))
    check_callbacks(company, list(leads.values()))


NUMBER_OF = {"dial": "trackdrive_number", "sms": "sms_number"}


def leads_of(account: Account, number: str) -> list[Json]:
    """Every lead of the number."""
    return account.rows("select * from lead where company_id = :company_id and caller_id = :number", number=number)


def fate(lead: Json) -> str:
    """What has become of a lead that was there: what it holds now, and where it has stopped."""
    if lead["deleted_at"]:
        assert (lead["is_live"], lead["status"]) == (False, "removed")
        return "deleted"
    said = "updated" if lead["data"] == {"zip": "2"} else "kept"
    return said if lead["status"] in ("scheduled", "waiting") else f"{said} {lead['status']}"


def next_action(lead: Json, body: Json) -> str:
    """When the lead's next action runs."""
    at = lead["next_action_at"]
    if at is None:
        return "none"
    first = at - datetime.fromisoformat(body["lead"]["updated_at"]) == timedelta(seconds=DAY)
    return {ASKED: "asked", PLANNED: "planned"}.get(at, "first action" if first else "as it was")


def callback(lead: Json, body: Json) -> str:
    """When the lead is called back."""
    at = lead["scheduled_callback_at"]
    if at is None:
        return "none"
    hour = at - datetime.fromisoformat(body["lead"]["updated_at"]) == timedelta(hours=1)
    return "in an hour" if hour else {CALLED: "asked", HELD: "as it was"}[at]


def call(account: Account, number: str) -> str:
    """Whether the tokens were written to the number's call."""
    [row] = account.rows("select data from call where company_id = :company_id and caller_id = :number", number=number)
    return "written" if row["data"] == {"zip": "2"} else "kept"


def contact_of(account: Account, number: str) -> str:
    """What the number's contact says."""
    contacts = "select * from contact where company_id = :company_id and caller_id = :number"
    [contact] = account.rows(contacts, number=number)
    return "blocked" if contact["blocked_at"] else "opt_out" if contact["opted_out_at"] else ""


def check_terms(account: Account, wishes: Json, lead: Json, other: Json | None) -> None:
    """What no other wish contradicts is done to the lead, and to the other one where all are meant."""
    everywhere = other is not None and "update_all_matching_leads" in wishes
    for each in [lead, other] if other is not None and everywhere else [lead]:
        set_now = [name for name in ("expires_at", "deletes_at", "max_contact_attempts") if each[name] is not None]
        columns = {"hours_to_expire": "expires_at", "expires_in": "deletes_at"}
        names = ("hours_to_expire", "expires_in", "max_contact_attempts")
        assert set_now == [columns.get(name, name) for name in names if name in wishes]
    if "vendor_lead_id" in wishes:
        kept = "select lead_id from idempotency_answer where company_id = :company_id and key = :key"
        assert [row["lead_id"] for row in account.rows(kept, key=lead["caller_id"])] == [lead["id"]]


def check_callbacks(account: Account, leads: list[Json]) -> None:
    """A live lead has the open callback that it says, a lead that has ended or stopped none; none is done unasked."""
    open_ones = {}
    for lead in leads:
        for row in account.rows("select * from callback where lead_id = :lead_id", lead_id=lead["id"]):
            assert row["done_at"] is None
            if row["cancelled_at"] is None:
                open_ones[lead["id"]] = (row["id"], row["due_at"])
    said = {
        lead["id"]: (lead["scheduled_callback_id"], lead["scheduled_callback_at"])
        for lead in leads
        if lead["scheduled_callback_id"]
    }
    assert open_ones == said
    assert all(lead["is_live"] and lead["status"] in ("scheduled", "waiting") for lead in leads if lead["id"] in said)


def test_every_two_wishes_that_may_meet_are_in_the_table() -> None:
    for row in ROWS:
        assert row["first"] != row["second"]
    assert {frozenset((row["first"], row["second"])) for row in ROWS} == set(map(frozenset, combinations(WISHES, 2)))
    meetings = [(row["given"], frozenset((row["first"], row["second"]))) for row in ROWS]
    assert len(meetings) == len(set(meetings))
