"""How long a page's answer waits beyond what it takes."""

import time

import pytest
from flask.testing import FlaskClient

from server.leads.blur import LONGEST, blur_time
from tests.api.calls import PAGE, send, taken
from tests.factories import Account

NUMBERS = [f"+1719222{last:04}" for last in range(1000)]


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of each pause, which is left out."""
    seconds: list[float] = []
    monkeypatch.setattr(time, "sleep", seconds.append)
    return seconds


def test_a_number_waits_as_long_each_time_and_another_number_differently(pauses: list[float]) -> None:
    for number in [*NUMBERS, *NUMBERS]:
        blur_time(number)
    first, again = pauses[: len(NUMBERS)], pauses[len(NUMBERS) :]
    assert first == again
    assert 0 <= min(first) < 0.0005
    assert 0.0035 < max(first) < LONGEST / 1_000_000
    assert len(set(first)) > 800


def test_a_page_waits_and_a_server_does_not(client: FlaskClient, account: Account, pauses: list[float]) -> None:
    for dry_run in (False, True):
        taken(send(client, account.schedule_token, dry_run=dry_run))
    assert pauses == []
    for dry_run in (False, True):
        taken(send(client, account.publishable_token, dry_run=dry_run, headers={"Origin": PAGE}))
    assert len(pauses) == 2
    assert pauses[0] == pauses[1]
