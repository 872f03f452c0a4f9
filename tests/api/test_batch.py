"""`POST /leads/batch`: each lead is decided by itself, as if the leads had come one after the other."""

import json
import random
import re
from collections import Counter
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.companies.models import Company
from server.lib.postgres_ledger import PostgresLedger
from server.lib.sqlite_ledger import SqliteLedger
from server.schedules.models import Schedule
from tests.api.calls import LEADS, NOW, NUMBER, OTHER_NUMBER, PAGE, Json, refused, send, take, taken
from tests.factories import Account, make_account
from tests.snapshot import snapshot

BATCH = f"{LEADS}/batch"
ZERO = {"created": 0, "updated": 0, "unchanged": 0, "replayed": 0, "refused": 0, "unavailable": 0}


def post(
    client: FlaskClient, token: str | None, *leads: Any, headers: Json | None = None, **params: Any
) -> TestResponse:
    """A batch whose token stands beside the leads."""
    body = {"leads": list(leads)} | params | ({"lead_token": token} if token else {})
    return client.post(BATCH, json=body, headers=headers)


def results(answer: TestResponse) -> list[Json]:
    """The answers to the leads of a batch that was taken."""
    body: Json = answer.get_json()
    assert (answer.status_code, body["success"], body["status"], body["errors"]) == (200, True, 200, {}), body
    assert body["counts"]["total"] == len(body["results"]) == sum(body["counts"].values()) - body["counts"]["total"]
    assert body["metadata"]["request_id"] == answer.headers["X-Request-Id"]
    found: list[Json] = body["results"]
    return found


def counts(answer: TestResponse) -> dict[str, int]:
    """What was counted and is not zero, but for the total."""
    results(answer)
    found: dict[str, int] = answer.get_json()["counts"]
    assert found.keys() == {"total", *ZERO}
    return {name: count for name, count in found.items() if count and name != "total"}


def number(index: int) -> str:
    """A number of its own."""
    return f"+1719222{index:04}"


def test_each_lead_has_its_answer_in_order(client: FlaskClient, account: Account) -> None:
    answer = post(
        client,
        account.schedule_token,
        {"caller_id": NUMBER, "email": "a@example.com", "data": {"zip": "80202"}},
        {"caller_id": "12"},
        {"caller_id": OTHER_NUMBER, "data.zip": "80203"},
        {"caller_id": NUMBER, "sub_id": "b"},
        {"email": "b@example.com"},
    )
    first, second, third, fourth, fifth = results(answer)
    assert (first["action"], first["lead"]["caller_id"], first["lead"]["data"]) == ("created", NUMBER, {"zip": "80202"})
    assert (second["success"], second["status"], second["code"]) == (False, 422, "invalid_caller_id")
    assert second["errors"] == {"caller_id": ["is not a valid phone number"]}
    assert (third["action"], third["lead"]["data"]) == ("created", {"zip": "80203"})
    assert (fourth["action"], fourth["lead_id"], fourth["lead"]["sub_id"]) == ("updated", first["lead_id"], "b")
    assert fifth["code"] == "caller_id_missing"
    assert counts(answer) == {"created": 2, "updated": 1, "refused": 2}
    kept = {row["id"]: row for row in account.submissions()}
    assert len(kept) == 5
    for each in results(answer):
        row = kept[each["metadata"]["submission_id"]]
        assert (row["endpoint"], row["request_id"]) == ("batch", answer.headers["X-Request-Id"])
        assert (row["code"], row["lead_id"]) == (each.get("code"), each.get("lead_id"))
        assert account.schedule_token not in row["received"]


# --- The same as one after the other ---------------------------------------------------------------------------------


def some_lead(chance: random.Random, place: int) -> Json:
    """A lead that may meet another, in any of the ways in which leads meet."""
    known = number(chance.randrange(6))
    lead: Json = {"caller_id": chance.choice([known, known, number(1000 + place), number(2000 + place)])}
    for wish in chance.sample(range(16), chance.randrange(4)):
        lead |= (
            {"caller_id": chance.choice(["12", None, "911"])},
            {"vendor_lead_id": f"V-{chance.randrange(4)}"},
            {"idempotency_key": f"K-{chance.randrange(4)}"},
            {"expire_existing": True},
            {"delete_existing": True},
            {"blocked": True},
            {"opt_out": chance.choice([True, "maybe"])},
            {"update_only": True},
            {"email": chance.choice(["a@example.com", "no address"])},
            {"data": {f"field {chance.randrange(9)}": chance.choice([1, "two", None, [3], {"four": 5}])}},
            {"traffic_source_id": chance.choice(["google_ads", "unheard_of"]), "sub_id": "s"},
            {"schedule_callback_in_seconds": "60"},
            {"restart_schedule": True, "next_action_at": "2026-12-01"},
            {"dry_run": True},
            {"schedule_lead_token": "0" * 32},
            {"offer": True},
        )[wish]
    if "blocked" in lead or "opt_out" in lead:
        # Stopping another owner's lead in the very millisecond in which it came leaves its time as it was, so that
        # only there a repetition is still a double click.
        lead.pop("offer", None)
    return lead


def twins(app: Flask) -> list[Account]:
    """Two companies that are alike."""
    return [make_account(app) for _ in range(2)]


def addressed(lead: Json, account: Account) -> Json:
    """The lead with its token, where it is not for the batch's."""
    sent = dict(lead)
    return sent | {"lead_token": account.offer_token} if sent.pop("offer", False) else sent


SECONDS = re.compile(r"(T\d\d:\d\d):[\d.]+")
IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


def comparable(answers: list[Json], account: Account) -> list[Json]:
    """Answers without what must differ; which ids are the same stays to be seen. A dry run's lead has a new one."""
    seen: dict[str, str] = {}
    cleared = []
    for answer in answers:
        left = {name: value for name, value in answer.items() if name not in ("metadata", "type", "why", "messages")}
        text = SECONDS.sub(r"\1", json.dumps(left)).replace(f'"offer_id": {account.offer_id}', '"offer_id": 0')
        text = text.replace(f'"schedule_id": {account.schedule_id}', '"schedule_id": 0')
        new = answer.get("dry_run") and answer["action"] == "created"
        cleared.append(json.loads(IDS.sub(partial(name_of, {} if new else seen), text)))
    return cleared


def name_of(seen: dict[str, str], match: re.Match[str]) -> str:
    """An id's place among those that were seen."""
    return seen.setdefault(match[0], str(len(seen)))


def stored(account: Account) -> dict[str, Counter[tuple[Any, ...]]]:
    """How often each row is there, but for what must differ."""
    queries = {
        "lead": "caller_id, owner_kind, status, is_live, email, sub_id, traffic_source_text, next_action_at,"
        " deleted_at, scheduled_callback_at, created_at, updated_at, cast(data as text) as tokens",
        "submission": "caller_id, action, code, powers, endpoint, vendor_lead_id, idempotency_key, purge_at",
        "contact": "caller_id, blocked_at, opted_out_at",
        "touch": "traffic_source_text, sub_id",
        "outbox_event": "kind",
        "callback": "caller_id, due_at, cancelled_at",
        "idempotency_answer": "scope, key, content_hash, expires_at",
        "token": "name, kind",
    }
    return {
        table: Counter(
            tuple(map(to_the_minute, row.values()))
            for row in account.rows(f"select {columns} from {table} where company_id = :company_id")
        )
        for table, columns in queries.items()
    }


def to_the_minute(value: Any) -> Any:
    """A value; a time without its seconds, for leads that come one after the other come later."""
    return value.replace(second=0, microsecond=0) if isinstance(value, datetime) else value


# Of the random batches so many are tried, and in the long form all.
TRIED, ALL = 4, 12


@pytest.mark.parametrize("first", range(TRIED))
def test_a_batch_does_what_its_leads_would_have_done_one_after_the_other(
    app: Flask, client: FlaskClient, first: int, monkeypatch: pytest.MonkeyPatch, long: bool
) -> None:
    # In small parts, so that leads of one part meet those of another.
    monkeypatch.setattr("server.leads.batch.PART", 20)
    for seed in range(first, ALL if long else TRIED, TRIED):
        compare(app, client, seed)


def compare(app: Flask, client: FlaskClient, seed: int) -> None:
    """Sends the same leads as a batch and one by one, to companies that are alike."""
    chance = random.Random(seed)
    leads = [some_lead(chance, place) for place in range(60)]
    apart, together = twins(app)
    singly = []
    with time_machine.travel(NOW, tick=False) as clock:
        for lead in leads:
            singly.append(send(client, apart.schedule_token, **addressed(lead, apart)))
            clock.shift(timedelta(milliseconds=1))
        clock.move_to(NOW)
        batch = post(client, together.schedule_token, *(addressed(lead, together) for lead in leads))
    one_by_one = [answer.get_json() for answer in singly]
    assert comparable(results(batch), together) == comparable(one_by_one, apart)
    replayed = [bool(each["metadata"].get("idempotent_replayed")) for each in results(batch)]
    assert replayed == ["Idempotent-Replayed" in answer.headers for answer in singly]
    expected = stored(apart)
    expected["submission"] = Counter(
        {tuple("batch" if v == "create" else v for v in row): count for row, count in expected["submission"].items()}
    )
    assert stored(together) == expected


def test_a_lead_that_is_like_no_other_takes_the_short_way(
    client: FlaskClient, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []

    def watch(ledger: Any, writes: Any) -> None:
        written.append(len(writes))
        whole(ledger, writes)

    kind = SqliteLedger if account.app.extensions["ledger"].shares_commits else PostgresLedger
    whole = kind.write_rows
    monkeypatch.setattr(kind, "write_rows", watch)
    leads = [{"caller_id": number(place), "zip": str(place)} for place in range(30)]
    assert counts(post(client, account.schedule_token, *leads, {"caller_id": "1"})) == {"created": 30, "refused": 1}
    # The first goes alone; a wrong number needs no look at what is stored.
    assert written == [30]
    again = [lead | {"city": "Denver"} for lead in leads]
    assert counts(post(client, account.schedule_token, *again)) == {"updated": 30}
    assert written == [30, 0]
    # Now that the token is known, the first goes with the others, but for one lead after its settings have changed.
    assert counts(post(client, account.schedule_token, *new(100))) == {"created": 5}
    account.change(Company, account.company_id, region="CA")
    assert counts(post(client, account.schedule_token, *new(200))) == {"created": 5}
    assert counts(post(client, account.schedule_token, *new(300))) == {"created": 5}
    assert written == [30, 0, 5, 4, 5]


def new(start: int) -> list[Json]:
    """Five leads with numbers of their own."""
    return [{"caller_id": number(start + place)} for place in range(5)]


def test_rows_that_others_point_at_are_written_before_them_whichever_came_first(
    client: FlaskClient, account: Account
) -> None:
    leads = [{"caller_id": number(0)}, {"caller_id": "1"}, {"caller_id": number(2), "vendor_lead_id": "V-1"}]
    assert counts(post(client, account.schedule_token, *leads)) == {"created": 2, "refused": 1}


@pytest.mark.parametrize(
    "odd", ["a\tb", "a\r\nb", "\\", "\\N", "a\n\\.\nb", "\\x41\\n", '"a","b"', "null", "\x1f\u2028é😀"]
)
def test_what_has_a_meaning_on_the_way_to_the_database_is_kept_as_it_was_sent(
    client: FlaskClient, account: Account, odd: str
) -> None:
    leads = [{"caller_id": number(place), "sub_id": odd, "data": {"odd": odd}} for place in range(3)]
    found = results(post(client, account.schedule_token, *leads))
    assert [(each["lead"]["sub_id"], each["lead"]["data"]["odd"]) for each in found] == [(odd, odd)] * 3
    assert [(lead["sub_id"], lead["data"]) for lead in account.leads()] == [(odd, {"odd": odd})] * 3


# --- What stands beside the leads -----------------------------------------------------------------------------------


def test_what_stands_beside_the_leads_counts_for_each_that_does_not_say_it(
    client: FlaskClient, account: Account
) -> None:
    leads = [{"caller_id": NUMBER}, {"caller_id": OTHER_NUMBER, "sub_id": "own", "data": {"b": "own"}}]
    url = f"{BATCH}.json?lead_token={account.schedule_token}&sub_id=all"
    first, second = results(client.post(url, json={"leads": leads, "data": {"a": "all", "b": "all"}}))
    assert (first["lead"]["sub_id"], first["lead"]["data"]) == ("all", {"a": "all", "b": "all"})
    assert (second["lead"]["sub_id"], second["lead"]["data"]) == ("own", {"a": "all", "b": "own"})


def test_each_lead_may_have_a_token_of_its_own(client: FlaskClient, account: Account) -> None:
    other = make_account(account.app)
    tokens = [account.schedule_token, account.offer_token, other.schedule_token, "0" * 32, account.publishable_token]
    # Twice, so that no kind goes the first one's way only.
    leads = [{"caller_id": number(i), "lead_token": token} for i, token in enumerate(tokens * 2)]
    found = results(post(client, None, *leads))
    assert [each.get("code", each.get("action")) for each in found] == [
        "created", "created", "created", "lead_token_invalid", "scope_missing",
    ] * 2  # fmt: skip
    assert [each["lead"]["schedule_id"] for each in found[:3]] == [account.schedule_id, None, other.schedule_id]
    assert (len(account.leads()), len(other.leads())) == (4, 2)
    assert found[3]["metadata"]["submission_id"] is None


def test_a_dry_run_of_a_batch_keeps_nothing(app: Flask, client: FlaskClient, account: Account) -> None:
    take(client, account.schedule_token)
    before = snapshot(app, account.company_id)
    leads = [{"caller_id": NUMBER, "sub_id": "b"}, {"caller_id": OTHER_NUMBER}, {"caller_id": "1"}]
    answer = post(client, account.schedule_token, *leads, dry_run=True)
    assert counts(answer) == {"updated": 1, "created": 1, "refused": 1}
    assert [each.get("dry_run") for each in results(answer)] == [True, True, None]
    assert snapshot(app, account.company_id) == before


def test_explain_says_why_for_each(client: FlaskClient, account: Account) -> None:
    found = results(post(client, account.schedule_token, {"caller_id": NUMBER}, {"caller_id": OTHER_NUMBER}, explain=1))
    assert all({"token", "powers", "match"} <= {step["step"] for step in each["why"]} for each in found)


def test_a_key_opens_a_batch_as_it_opens_a_lead(client: FlaskClient, account: Account) -> None:
    account.change(Company, account.company_id, require_authorization=True)
    leads = [{"caller_id": number(place)} for place in range(3)]
    refused(post(client, account.schedule_token, *leads), "key_required")
    refused(post(client, account.schedule_token, *leads, auth_token="x"), "key_invalid")
    url = f"{BATCH}?auth_token={account.private_key}"
    body = {"leads": leads, "lead_token": account.schedule_token}
    refused(client.post(url, json=body), "key_in_url")
    assert account.leads() == []
    assert counts(post(client, account.schedule_token, *leads[:1], headers=account.bearer)) == {"created": 1}
    assert counts(post(client, account.schedule_token, *leads[1:2], auth_token=account.private_key)) == {"created": 1}
    own = [leads[2] | {"auth_token": account.private_key}, {"caller_id": number(9)}]
    found = results(post(client, account.schedule_token, *own))
    assert [each.get("action", each.get("code")) for each in found] == ["created", "key_required"]


# --- Repetition -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["header", "parameter"])
def test_a_batch_that_is_sent_again_under_its_key_has_one_effect(
    client: FlaskClient, account: Account, where: str
) -> None:
    leads = [{"caller_id": number(place), "sub_id": str(place)} for place in range(5)] + [{"caller_id": "1"}]
    how: Json = {"headers": {"Idempotency-Key": "day-1"}} if where == "header" else {"idempotency_key": "day-1"}
    first = results(post(client, account.schedule_token, *leads, **how))
    touched = account.rows("select * from touch where company_id = :company_id")
    leads_before = account.leads()
    # Whatever has happened meanwhile, the same key has the same answer.
    again = post(client, account.schedule_token, *leads, **how)
    assert counts(again) == {"replayed": 5, "refused": 1}
    for before, after in zip(first[:5], results(again)[:5], strict=True):
        assert after["metadata"].pop("idempotent_replayed") is True
        assert after == before
    assert account.leads() == leads_before
    assert account.rows("select * from touch where company_id = :company_id") == touched
    # The refused one is mended and comes again under the same key.
    mended = post(client, account.schedule_token, *leads[:5], {"caller_id": number(5)}, **how)
    assert counts(mended) == {"replayed": 5, "created": 1}
    other = post(client, account.schedule_token, {"caller_id": number(0), "sub_id": "other"}, **how)
    assert [each["code"] for each in results(other)] == ["idempotency_key_reused"]


def test_a_leads_own_key_goes_before_the_batchs(client: FlaskClient, account: Account) -> None:
    leads = [{"caller_id": NUMBER, "idempotency_key": "own"}, {"caller_id": OTHER_NUMBER}]
    post(client, account.schedule_token, *leads, headers={"Idempotency-Key": "all"})
    assert [row["idempotency_key"] for row in account.submissions()] == ["own", "all/1"]
    alone = send(client, account.schedule_token, headers={"Idempotency-Key": "own"})
    assert alone.headers["Idempotent-Replayed"] == "true"


def test_a_key_that_is_none_refuses_each_lead(client: FlaskClient, account: Account) -> None:
    found = results(post(client, account.schedule_token, {"caller_id": NUMBER}, headers={"Idempotency-Key": "a,b"}))
    assert [each["code"] for each in found] == ["bad_idempotency_key"]


def test_the_same_lead_twice_in_a_batch_is_a_double_click(client: FlaskClient, account: Account) -> None:
    lead = {"caller_id": NUMBER, "zip": "1"}
    assert counts(post(client, account.schedule_token, lead, lead, lead)) == {"created": 1, "unchanged": 2}
    assert len(account.leads()) == 1


# --- Who may not --------------------------------------------------------------------------------------------------


def test_a_publishable_token_opens_no_batch(client: FlaskClient, account: Account) -> None:
    refused(
        post(client, account.publishable_token, {"caller_id": NUMBER}, {"caller_id": OTHER_NUMBER}), "scope_missing"
    )
    assert account.leads() == []
    assert [row["code"] for row in account.submissions()] == ["scope_missing"] * 2


def test_a_page_opens_no_batch_and_exposes_its_token(client: FlaskClient, account: Account) -> None:
    leads = [{"caller_id": number(place)} for place in range(4)]
    answer = refused(post(client, account.schedule_token, *leads, headers={"Origin": PAGE}), "scope_missing")
    assert answer["status"] == 403
    [row] = account.rows("select exposed_origin from lead_token where value = :value", value=account.schedule_token)
    assert row["exposed_origin"] == PAGE
    refused(post(client, account.schedule_token, *leads), "scope_missing")
    assert account.leads() == []


def test_an_unknown_token_opens_no_batch_and_nothing_is_kept(app: Flask, client: FlaskClient, account: Account) -> None:
    before = snapshot(app)
    refused(post(client, "0" * 32, {"caller_id": NUMBER}, {"caller_id": OTHER_NUMBER}), "lead_token_invalid")
    refused(post(client, None, {"caller_id": NUMBER}), "lead_token_invalid")
    assert snapshot(app) == before


# --- What is no batch -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_parameter"),
        ({"leads": None}, "invalid_parameter"),
        ({"leads": {"caller_id": NUMBER}}, "invalid_parameter"),
        ({"leads": "x"}, "invalid_parameter"),
        ({"leads": []}, "invalid_parameter"),
        ({"leads": [{"caller_id": NUMBER}] * 1001}, "too_large"),
    ],
)
def test_what_is_no_list_of_leads_is_refused_on_record(
    client: FlaskClient, account: Account, body: Json, code: str
) -> None:
    answer = refused(client.post(f"{BATCH}?lead_token={account.schedule_token}", json=body), code)
    assert answer["errors"]["leads"][0].startswith("Must be an Array of 1 to 1000 leads.")
    [row] = account.submissions()
    assert (row["code"], row["id"]) == (code, answer["metadata"]["submission_id"])
    assert account.leads() == []


def test_a_thousand_leads_are_taken(client: FlaskClient, account: Account) -> None:
    leads = [{"caller_id": number(place)} for place in range(1000)]
    assert counts(post(client, account.schedule_token, *leads)) == {"created": 1000}
    assert len(account.leads()) == 1000


@pytest.mark.parametrize(
    ("lead", "code", "errors"),
    [
        (None, "object_expected", "leads[1]"),
        ([], "object_expected", "leads[1]"),
        ("+17192221234", "object_expected", "leads[1]"),
        ({"caller_id": NUMBER, "data": {"a": "x" * 262_144}}, "too_large", "leads[1]"),
        ({"caller_id": NUMBER, "a": "\0"}, "invalid_character", "a"),
        ({"caller_id": NUMBER, "lead_token": ["x"]}, "lead_token_invalid", "lead_token"),
    ],
)
def test_what_is_no_lead_spoils_no_other(
    client: FlaskClient, account: Account, lead: Any, code: str, errors: str
) -> None:
    answer = post(client, account.schedule_token, {"caller_id": number(0)}, lead, {"caller_id": number(2)})
    assert [each.get("code", each.get("action")) for each in results(answer)] == ["created", code, "created"]
    assert set(results(answer)[1]["errors"]) == {errors}


def test_a_lead_may_be_as_deep_as_one_that_comes_alone(client: FlaskClient, account: Account) -> None:
    def nested(depth: int) -> Any:
        return {"a": nested(depth - 1)} if depth else "x"

    # The lead itself is the first level.
    for depth, code in ((19, None), (20, "malformed_body")):
        lead = {"caller_id": NUMBER, "data": nested(depth)}
        alone = client.post(f"{LEADS}?lead_token={account.schedule_token}", json=lead)
        batch = client.post(f"{BATCH}?lead_token={account.schedule_token}", json={"leads": [lead]})
        assert (alone.get_json().get("code"), batch.get_json().get("code")) == (code, code)


def test_a_form_may_be_a_batch(client: FlaskClient, account: Account) -> None:
    form = {"lead_token": account.schedule_token, "leads[0][caller_id]": NUMBER, "leads[1][caller_id]": OTHER_NUMBER}
    assert counts(client.post(BATCH, data=form)) == {"created": 2}


def test_a_body_that_cannot_be_read_is_kept_with_its_first_part(client: FlaskClient, account: Account) -> None:
    text = '{"leads": [{"caller_id": "+17192221234", "auth_token": "s3cret"}' + " " * 300_000
    url = f"{BATCH}?lead_token={account.schedule_token}"
    answer = refused(client.post(url, data=text, content_type="application/json"), "malformed_body")
    [row] = account.submissions()
    assert row["id"] == answer["metadata"]["submission_id"]
    assert len(row["received"]) < 270_000
    assert "s3cret" not in row["received"]
    too_long = client.post(url, data=b" " * (8 * 1024 * 1024 + 1), content_type="application/json")
    assert refused(too_long, "too_large")["status"] == 413


@pytest.mark.parametrize(
    ("method", "code"),
    [("PUT", "key_required"), ("DELETE", "key_required"), ("PATCH", "method_not_allowed")],
)
def test_a_batch_is_posted(client: FlaskClient, account: Account, method: str, code: str) -> None:
    # By another method, its path is that of a lead of this name.
    refused(client.open(f"{BATCH}?lead_token={account.schedule_token}", method=method), code)
    assert account.submissions() == []


# --- With what else there is ----------------------------------------------------------------------------------------


def test_each_lead_of_a_batch_counts_for_its_tokens_limit(client: FlaskClient, account: Account) -> None:
    limited = account.token(per_minute_limit=3)
    leads = [{"caller_id": number(place)} for place in range(5)]
    found = results(post(client, limited, *leads))
    assert [each.get("code", each.get("action")) for each in found] == ["created"] * 3 + ["rate_limited"] * 2
    assert len(account.submissions()) == 3
    again = post(client, limited, *leads)
    assert refused(again, "rate_limited")["status"] == 429
    assert 1 <= int(again.headers["Retry-After"]) <= 60


def test_payloads_of_other_systems_may_come_in_a_batch(client: FlaskClient, account: Account) -> None:
    leads = [{"contact": {"phone": number(place), "mail": f"{place}@example.com"}} for place in range(3)]
    found = results(post(client, account.schedule_token, *leads, auto_format_nested_fields=True))
    assert [each["lead"]["caller_id"] for each in found] == [number(place) for place in range(3)]
    assert [each["matched"][0]["from"] for each in found] == ["contact.phone"] * 3


def test_a_batch_proves_its_origin_lead_by_lead(client: FlaskClient, account: Account) -> None:
    token = {"name": "Google", "schedule_id": account.schedule_id, "payload_secret": "abcdefgh"}
    made = client.post("/api/v1/lead_tokens", json=token, headers=account.bearer).get_json()["lead_token"]["value"]
    leads = [{"caller_id": number(0), "google_key": "abcdefgh"}, {"caller_id": number(1)}]
    # A signature of the whole says nothing of any lead.
    answer = post(client, made, *leads, headers={"Typeform-Signature": "sha256=x"})
    assert [each.get("code", each.get("action")) for each in results(answer)] == ["created", "key_required"]


def test_a_refused_lead_of_a_batch_can_be_replayed(client: FlaskClient, account: Account) -> None:
    account.change(Schedule, account.schedule_id, acceptance={"require_traffic_source": True})
    leads = [{"caller_id": number(place), "traffic_source_id": "new_source", "zip": "80202"} for place in range(2)]
    first, second = results(post(client, account.schedule_token, *leads))
    assert (first["code"], second["code"]) == ("traffic_source_required", "traffic_source_required")
    account.change(Schedule, account.schedule_id, acceptance={})
    path = f"/api/v1/submissions/{second['metadata']['submission_id']}/replay"
    again = taken(client.post(path, headers=account.bearer))
    assert (again["action"], again["lead"]["caller_id"], again["lead"]["data"]) == (
        "created",
        number(1),
        {"zip": "80202"},
    )
    assert len(account.leads()) == 1
