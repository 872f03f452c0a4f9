"""How long an answer takes must not tell a page which numbers are known."""

import time
from collections.abc import Callable
from itertools import count

import pytest
from flask import Flask
from flask.testing import FlaskClient

from server.lib.postgres_ledger import PostgresLedger
from server.lib.sqlite_ledger import SqliteLedger
from server.schedules.models import Schedule
from tests.api.calls import LEADS, PAGE, taken
from tests.api.test_acceptance import suppress
from tests.factories import Account, make_account

ANSWERS = 400
# How often a guess by the time alone may be right; a coin is in half of all cases.
RIGHT = 0.6

Seconds = list[tuple[float, bool]]


@pytest.fixture
def street(app: Flask) -> Account:
    return make_account(app)


def numbers(first: int) -> Callable[[], str]:
    """Numbers without end."""
    counted = count(first)
    return lambda: f"+1719{next(counted)}"


def brought(client: FlaskClient, account: Account, how: str, number: str) -> str:
    """A number of which the company knows what `how` says."""
    wish = {} if how == "live" else {how: True}
    taken(client.post(LEADS, json={"lead_token": account.schedule_token, "caller_id": number, "zip": "1", **wish}))
    return number


def measure(client: FlaskClient, account: Account, number: str, **more: object) -> float:
    """The seconds that a page waits for its answer."""
    sent = {"lead_token": account.publishable_token, "caller_id": number, "email": "ann@example.com", **more}
    began = time.perf_counter()
    answer = client.post(LEADS, json=sent, headers={"Origin": PAGE})
    passed = time.perf_counter() - began
    assert answer.status_code == 200
    return passed


def how_often_right(answers: Seconds) -> float:
    """How often the best threshold of one half of the answers tells known from unknown numbers in the other half, for
    both halves."""
    first, second = answers[: len(answers) // 2], answers[len(answers) // 2 :]
    return (rightly_judged(first, second) + rightly_judged(second, first)) / 2


def rightly_judged(learned: Seconds, judged: Seconds) -> float:

    def score(over: Seconds, threshold: float, slower_is_known: bool) -> float:
        return sum(((each >= threshold) == known) == slower_is_known for each, known in over) / len(over)

    best = max(
        ((score(learned, each, slower), each, slower) for each, _ in learned for slower in (True, False)),
        key=lambda found: found[0],
    )
    return score(judged, best[1], best[2])


@pytest.mark.parametrize("how", ["live", "blocked", "opt_out"])
@pytest.mark.parametrize("dry_run", [True, False], ids=["dry runs", "posts"])
def test_no_page_can_tell_by_the_time_whether_a_number_is_known(
    client: FlaskClient, street: Account, how: str, dry_run: bool, told: list[str]
) -> None:
    next_known, next_unknown = numbers(2_220_000), numbers(3_330_000)
    known = [brought(client, street, how, next_known()) for _ in range(ANSWERS // 2)]
    more = {"dry_run": True} if dry_run else {}
    for _ in range(20):
        measure(client, street, next_unknown(), **more)
    answers: Seconds = []
    for number in known:
        # Which of the two comes first changes from pair to pair.
        pair = [(number, True), (next_unknown(), False)]
        for each, is_known in pair if len(answers) % 4 else reversed(pair):
            answers.append((measure(client, street, each, **more), is_known))
    right = how_often_right(answers)
    medians = [
        sorted(each for each, is_known in answers if is_known is kind)[len(known) // 2] for kind in (True, False)
    ]
    told.append(f"right in {right:.0%}; medians {medians[0] * 1000:.2f} and {medians[1] * 1000:.2f} ms")
    assert right < RIGHT


# What a page is not told of: its lead is refused, and answered as if it were taken.
@pytest.mark.parametrize("acceptance", [{"duplicate_seconds": 3600}, {"refuse_suppressed": True}], ids=str)
def test_the_database_is_asked_the_same_of_a_number_that_is_refused_unheard(
    client: FlaskClient, street: Account, acceptance: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    street.change(Schedule, street.schedule_id, acceptance=acceptance)
    asked: list[str] = []
    for ledger in (SqliteLedger, PostgresLedger):
        for name in ("row", "rows", "write", "write_if"):
            monkeypatch.setattr(ledger, name, noting(getattr(ledger, name), asked))
    number = brought(client, street, "live", "+17194440001")
    if "refuse_suppressed" in acceptance:
        suppress(street)
    found = []
    for each in ("+17194440002", "+17194440003", number, "+17194440004"):
        asked.clear()
        sent = {"lead_token": street.publishable_token, "caller_id": each}
        assert client.post(LEADS, json=sent, headers={"Origin": PAGE}).status_code == 200
        found.append([*asked])
    # The one that brought the number, and three that are taken.
    assert [row["code"] for row in street.submissions()].count(None) == 4
    assert found[1] == found[2] == found[3]


@pytest.mark.parametrize("how", ["live", "blocked", "opt_out"])
@pytest.mark.parametrize("dry_run", [True, False], ids=["dry runs", "posts"])
def test_the_database_is_asked_the_same_of_every_number(
    client: FlaskClient, street: Account, how: str, dry_run: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    new = (f"+1719{last}" for last in count(4_450_000))
    for ledger in (SqliteLedger, PostgresLedger):
        for name in ("row", "rows", "write", "write_if"):
            monkeypatch.setattr(ledger, name, noting(getattr(ledger, name), asked))
    number = brought(client, street, how, "+17194440001")
    for url in (LEADS, f"{LEADS}/create_or_update"):
        found = []
        for each in ("+17194440002", number, next(new), number):
            asked.clear()
            more: dict[str, object] = {"dry_run": True} if dry_run else {"zip": next(new)}
            sent = {"lead_token": street.publishable_token, "caller_id": each, **more}
            assert client.post(url, json=sent, headers={"Origin": PAGE}).status_code == 200
            found.append([*asked])
        # The first one may note that the token is in use.
        assert found[1] == found[2] == found[3]


def noting(ask: Callable[..., object], asked: list[str]) -> Callable[..., object]:
    """The same method, which notes what a query asks, and that something is written."""

    def noted(self: object, what: object, *more: object) -> object:
        asked.append(what if isinstance(what, str) else "write")
        return ask(self, what, *more)

    return noted
