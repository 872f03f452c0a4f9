"""Rate limits of several processes: with Redis they count together, and without it each takes leads all the same."""

import json
from collections.abc import Iterator

import pytest

from server.config import Settings
from tests.api.calls import LEADS
from tests.factories import Account
from tests.live import Live, running_server
from tests.redis_server import Redis, own_redis

MOST = 7


@pytest.fixture(scope="module")
def doomed() -> Iterator[Redis]:
    """A Redis that nobody else uses, to be killed."""
    with own_redis() as server:
        yield server


@pytest.fixture
def servers(settings: Settings, doomed: Redis) -> Iterator[list[Live]]:
    """Two servers that count in one Redis."""
    more = {"HANDRAISER_REDIS_URL": doomed.patient_url, "HANDRAISER_WORKERS": "1", "HANDRAISER_LOG_LEVEL": "warning"}
    with running_server(settings, **more) as one, running_server(settings, **more) as other:
        yield [one, other]


def test_two_processes_count_together_until_redis_is_killed_and_then_each_for_itself(
    servers: list[Live], account: Account, doomed: Redis
) -> None:
    token = account.token(kind="publishable", per_minute_limit=MOST)

    def statuses(server: Live, times: int) -> list[int]:
        sent = {"lead_token": token, "caller_id": "+17192221234"}
        return [server.post(LEADS, json=sent).status_code for _ in range(times)]

    here, there = servers
    assert statuses(here, 4) + statuses(there, 4) + statuses(here, 1) == [200] * MOST + [429, 429]
    doomed.halt()
    # A minute may begin meanwhile, which lets one or two more through.
    heard = [statuses(server, MOST + 5) for server in servers]
    for each in heard:
        assert (each[:MOST], each[-1]) == ([200] * MOST, 429)
    assert len(account.submissions()) == MOST + sum(each.count(200) for each in heard)
    for server in servers:
        events = [json.loads(line) for line in server.text.splitlines() if line.startswith("{")]
        assert [(event["event"], event["problem"]) for event in events] == [("redis", "ConnectionError")]
    doomed.start()
