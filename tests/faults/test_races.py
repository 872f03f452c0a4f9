"""What happens at once comes out as if it had happened in some order: two web processes, fifty connections."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from server.lead_tokens.models import LeadToken
from server.lead_tokens.operations import rotate_token
from server.lib import clock
from server.lib.db import begin_write, commit, db
from tests.factories import Account
from tests.faults.place import name_held
from tests.faults.volley import lead_request, volley
from tests.live import Live
from tests.raw import Answer, request

CROWD = 50
NUMBER = "+17192221234"

# A live lead whose number is blocked and that would be contacted all the same.
CALLED_THOUGH_BLOCKED = """
    select lead.caller_id, lead.owner_kind from lead join contact on contact.id = lead.contact_id
    where lead.company_id = :company_id and contact.blocked_at is not null
    and lead.is_live and lead.next_action_at is not null
"""


def ids(answers: list[Answer]) -> set[str]:
    return {answer.json["lead_id"] for answer in answers}


def actions(answers: list[Answer]) -> Counter[str]:
    """What was done, of answers that all say 200."""
    assert {answer.status for answer in answers} == {200}, [answer.json for answer in answers if answer.status != 200]
    return Counter(answer.json["action"] for answer in answers)


def events(account: Account) -> Counter[str]:
    found = account.rows("select kind from outbox_event where company_id = :company_id")
    return Counter(row["kind"] for row in found)


def contacts(account: Account) -> list[dict[str, Any]]:
    return account.rows("select * from contact where company_id = :company_id")


@pytest.mark.parametrize("servers", ["as shipped", "two processes"])
def test_fifty_posts_of_one_number_make_one_lead(servers: str, live: Live, ports: list[int], account: Account) -> None:
    requests = [lead_request(account.schedule_token, caller_id=NUMBER, sub_id=f"click-{i}") for i in range(CROWD)]
    answers = volley([live.port] if servers == "as shipped" else ports, requests)
    assert actions(answers) == {"created": 1, "updated": CROWD - 1}
    [lead] = account.leads()
    assert ids(answers) == {lead["id"]}
    assert lead["next_action_id"] == account.action_id
    assert events(account) == {"lead.created": 1, "lead.updated": CROWD - 1}
    assert len(contacts(account)) == 1
    assert len(account.rows("select id from touch where company_id = :company_id")) == CROWD


def test_no_update_is_lost_among_fifty_that_each_bring_a_token_of_their_own(ports: list[int], account: Account) -> None:
    sent = {f"field_{i}": str(i) for i in range(CROWD)}
    requests = [lead_request(account.schedule_token, caller_id=NUMBER, **{name: sent[name]}) for name in sent]
    actions(volley(ports, requests))
    [lead] = account.leads()
    assert lead["data"] == sent


def test_fifty_equal_posts_have_one_effect(ports: list[int], account: Account) -> None:
    answers = volley(ports, [lead_request(account.schedule_token, caller_id=NUMBER, zip="1")] * CROWD)
    assert actions(answers) == {"created": 1, "unchanged": CROWD - 1}
    [lead] = account.leads()
    assert ids(answers) == {lead["id"]}
    assert events(account) == {"lead.created": 1}
    assert len(account.submissions()) == CROWD


def test_fifty_posts_with_one_key_have_one_effect_and_one_answer(ports: list[int], account: Account) -> None:
    content = lead_request(account.schedule_token, "one-key", caller_id=NUMBER, sub_id="click")
    answers = volley(ports, [content] * CROWD)
    assert actions(answers) == {"created": CROWD}
    assert len({answer.body for answer in answers}) == 1
    assert Counter(answer.headers["Idempotent-Replayed"] for answer in answers) == {"true": CROWD - 1, None: 1}
    [lead] = account.leads()
    assert ids(answers) == {lead["id"]}
    assert events(account) == {"lead.created": 1}
    [first] = [row for row in account.submissions() if row["action"] == "created"]
    rest = [row for row in account.submissions() if row["action"] == "replayed"]
    assert [row["original_id"] for row in rest] == [first["id"]] * (CROWD - 1)


def test_of_fifty_different_posts_with_one_key_one_is_taken(ports: list[int], account: Account) -> None:
    requests = [lead_request(account.schedule_token, "one-key", caller_id=NUMBER, zip=str(i)) for i in range(CROWD)]
    answers = volley(ports, requests)
    [taken] = [answer.json for answer in answers if answer.status == 200]
    assert taken["action"] == "created"
    assert Counter(answer.json.get("code") for answer in answers) == {"idempotency_key_reused": CROWD - 1, None: 1}
    [lead] = account.leads()
    assert lead["data"] == taken["lead"]["data"]


def test_fifty_posts_with_one_id_of_a_vendor_make_one_lead(ports: list[int], account: Account) -> None:
    requests = [
        lead_request(account.vendor_token, caller_id=f"+1719222{1000 + i}", vendor_lead_id="lead-1")
        for i in range(CROWD)
    ]
    answers = volley(ports, requests)
    assert actions(answers) == {"created": 1, "updated": CROWD - 1}
    [lead] = account.leads()
    assert ids(answers) == {lead["id"]}
    assert lead["is_live"]


@pytest.mark.parametrize("known_by", ["vendor_lead_id", "key"])
def test_two_tokens_of_one_vendor_make_one_lead_at_once(ports: list[int], account: Account, known_by: str) -> None:
    """The old token and its successor, each from programs of its own, bring the same lead."""
    with account.app.app_context():
        begin_write()
        old = db.session.scalars(select(LeadToken).where(LeadToken.value == account.vendor_token)).one()
        new = rotate_token(old, timedelta(hours=1), None, clock.now()).value
        commit()
    by_id = known_by == "vendor_lead_id"
    requests = [
        lead_request(token, None if by_id else "one-key", **lead)
        for place in range(CROWD // 2)
        for token in (account.vendor_token, new)
        # What is one key's is the same content; an id of the vendor's own holds whatever the number.
        for lead in [
            {"caller_id": f"+1719222{1000 + place}", "vendor_lead_id": "L-1"} if by_id else {"caller_id": NUMBER}
        ]
    ]
    answers = volley(ports, requests)
    done = actions(answers)
    [lead] = account.leads()
    assert ids(answers) == {lead["id"]}
    assert events(account)["lead.created"] == 1
    assert done["created"] == (1 if by_id else CROWD)
    assert len(account.rows("select id from idempotency_answer where company_id = :company_id")) == 1


def test_a_schedule_and_an_offer_share_the_number_and_not_the_lead(ports: list[int], account: Account) -> None:
    requests = [
        lead_request(token, caller_id=NUMBER, sub_id=f"click-{i}")
        for i in range(CROWD // 2)
        for token in (account.schedule_token, account.offer_token)
    ]
    answers = volley(ports, requests)
    assert actions(answers) == {"created": 2, "updated": CROWD - 2}
    assert {lead["owner_kind"]: lead["id"] for lead in account.leads()} == {
        "schedule": answers[0].json["lead_id"],
        "offer": answers[1].json["lead_id"],
    }
    assert len(account.leads()) == 2
    assert len(contacts(account)) == 1


def test_names_that_fifty_posts_bring_at_once_are_registered_once(ports: list[int], account: Account) -> None:
    names = ["city", "state", "zip"]
    requests = [
        # The orders differ: whoever locks names in the order of arrival would lock out one another.
        lead_request(account.schedule_token, caller_id=f"+1719222{1000 + i}", **dict.fromkeys(names[:: (-1) ** i], "x"))
        for i in range(CROWD)
    ]
    assert actions(volley(ports, requests)) == {"created": CROWD}
    found = account.rows("select name from token where company_id = :company_id order by name")
    assert [row["name"] for row in found] == names


def test_a_number_that_is_blocked_while_leads_come_in_is_never_called(ports: list[int], account: Account) -> None:
    numbers = [f"+1719222{1000 + i}" for i in range(100)]
    # Every second number is known already: then blocking is an update of its row, else an insert.
    for start in range(0, 100, CROWD):
        known = numbers[start : start + CROWD : 2]
        actions(volley(ports, [lead_request(account.offer_token, caller_id=number) for number in known]))
    for number in numbers:
        answers = volley(
            ports,
            [
                lead_request(account.schedule_token, caller_id=number, zip="1"),
                lead_request(account.offer_token, caller_id=number, blocked="true"),
                lead_request(account.vendor_token, caller_id=number, zip="2"),
                lead_request(account.schedule_token, caller_id=number, blocked="true", zip="3"),
            ],
        )
        actions(answers)
    assert account.rows(CALLED_THOUGH_BLOCKED) == []
    assert len(account.rows("select id from contact where company_id = :company_id and blocked_at is not null")) == 100


@pytest.mark.parametrize("first", ["lead", "block"])
def test_of_a_lead_and_a_block_the_one_that_waits_for_the_other_heeds_it(
    first: str, live: Live, account: Account
) -> None:
    """The first one's statement has locked the number's row and is held up behind it. So the second one has read,
    decided and begun to write before the first has happened, and goes on when it has."""

    def post(token: str, **parameters: str) -> Answer:
        return volley([live.port], [lead_request(token, caller_id=NUMBER, **parameters)])[0]

    posts = [partial(post, account.schedule_token), partial(post, account.offer_token, blocked="true")]
    early, late = posts if first == "lead" else reversed(posts)
    actions([post(account.offer_token)])
    with ThreadPoolExecutor(2) as pool:
        with name_held(account, "slow") as until_waiting:
            held_up = pool.submit(early, slow="1")
            until_waiting(1)
            waiting = pool.submit(late)
            until_waiting(2)
            assert not held_up.done()
            assert not waiting.done()
        assert actions([held_up.result(), waiting.result()]) == {"created": 1, "updated": 1}
    assert account.rows(CALLED_THOUGH_BLOCKED) == []
    assert {lead["status"] for lead in account.leads()} == {"blocked"}


def test_an_update_that_waits_while_the_lead_gets_another_number_leaves_that_lead_alone(
    live: Live, account: Account
) -> None:
    """The vendor corrects the number of a lead and is held up; a second post still means the old number."""
    vendor = partial(lead_request, account.vendor_token)
    [first] = volley([live.port], [vendor(caller_id=NUMBER, vendor_lead_id="lead-1")])
    with ThreadPoolExecutor(2) as pool:
        with name_held(account, "slow") as until_waiting:
            correcting = [vendor(caller_id="+17192225678", vendor_lead_id="lead-1", slow="1")]
            held_up = pool.submit(volley, [live.port], correcting)
            until_waiting(1)
            waiting = pool.submit(volley, [live.port], [vendor(caller_id=NUMBER, city="Denver")])
            until_waiting(2)
        assert actions(held_up.result()) == {"updated": 1}
        assert actions(waiting.result()) == {"created": 1}
    corrected, new = account.leads()
    assert (corrected["id"], corrected["caller_id"]) == (first.json["lead_id"], "+17192225678")
    assert corrected["data"] == {"slow": "1"}
    assert (new["caller_id"], new["data"]) == (NUMBER, {"city": "Denver"})


def test_four_batches_of_the_same_numbers_at_once_make_each_lead_once(ports: list[int], account: Account) -> None:
    numbers = [f"+1719222{place:04}" for place in range(200)]
    batches = [
        json.dumps({"leads": [{"caller_id": number, "sub_id": f"batch-{batch}"} for number in numbers]}).encode()
        for batch in range(4)
    ]
    target = f"/api/v1/leads/batch?lead_token={account.schedule_token}"
    headers = {"Content-Type": "application/json"}
    answers = volley(ports, [request("POST", target, headers, body) for body in batches])
    found = [each for answer in answers for each in answer.json["results"]]
    assert Counter(each["action"] for each in found) == {"created": 200, "updated": 600}
    assert len({each["lead_id"] for each in found}) == len(account.leads()) == 200
    assert events(account) == {"lead.created": 200, "lead.updated": 600}
    assert len(account.rows("select id from touch where company_id = :company_id")) == 800
