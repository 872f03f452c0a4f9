"""PostgreSQL goes away and comes back, in all the ways that it does: 503 meanwhile, no lead lost, none doubled."""

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from server.config import Settings
from server.lib.postgres_ledger import RESTED
from tests.faults.audit import Audit
from tests.faults.load import Load
from tests.faults.place import END_CONNECTIONS, Place, serving, unavailable, unready
from tests.postgres import Postgres

pytestmark = pytest.mark.early

CLIENTS = 8
# Seconds within which leads are taken again once PostgreSQL is back; it is a tenth where nothing else runs.
SOON = 5.0
# Seconds after which a request for which PostgreSQL has no ear is answered; nobody waits
# longer for it than five, but perhaps for a thread first.
HANGS = 13.0

Stop = Callable[[Postgres], None]
STOPS: dict[str, Stop] = {
    "fast": lambda postgres: postgres.halt("fast"),
    "immediate": lambda postgres: postgres.halt("immediate"),
    "kill -9": Postgres.kill,
}


@pytest.fixture
def fallible(tmp_path: Path, own_postgres: Postgres) -> Iterator[Place]:
    """A server whose PostgreSQL may be stopped."""
    with serving(Settings(data_dir=tmp_path, database_url=own_postgres.create_database())) as place:
        yield place


def offer(place: Place) -> httpx.Response:
    return place.ask("POST", "/api/v1/offers", json={"name": "Solar"})


def test_a_postgresql_that_stops_under_load_is_503_until_it_is_back(
    fallible: Place, own_postgres: Postgres, long: bool
) -> None:
    load = Load(fallible.live.port, fallible.account.schedule_token)
    waits = []

    def stop_and_start() -> None:
        for stop in [*STOPS.values()] * (10 if long else 1):
            load.goes_on()
            stop(own_postgres)
            load.is_refused()
            unavailable(offer(fallible))
            unavailable(fallible.read())
            unready(fallible)
            assert fallible.ask("GET", "/healthz").status_code == 200
            own_postgres.resume()
            began = time.monotonic()
            load.goes_on(1)
            waits.append(time.monotonic() - began)

    load.run(CLIENTS, stop_and_start)
    print(f"\n{load.leads} leads, {Counter(load.broken)}, first lead after {max(waits):.2f} s at most")
    assert set(load.broken) == {"503"}
    assert max(waits) < SOON
    assert Audit(fallible.account, load.told).faults() == {}


def test_a_postgresql_that_hangs_when_one_connects_is_503_until_it_does_not(
    fallible: Place, own_postgres: Postgres
) -> None:
    assert [fallible.post(caller_id="7192221234").status_code, offer(fallible).status_code] == [200, 200]
    own_postgres.signal(signal.SIGSTOP)
    try:
        fallible.account.rows(END_CONNECTIONS)
        time.sleep(RESTED)
        began = time.monotonic()
        with ThreadPoolExecutor(3) as pool:
            asked = (
                pool.submit(fallible.post, caller_id="7192221234"),
                pool.submit(offer, fallible),
                pool.submit(fallible.ask, "GET", "/readyz"),
            )
        for each in asked:
            unavailable(each.result())
        assert time.monotonic() - began < HANGS
    finally:
        own_postgres.signal(signal.SIGCONT)
    assert [fallible.post(caller_id="7192221234").status_code, offer(fallible).status_code] == [200, 200]


def test_who_rested_while_postgresql_was_restarted_does_not_notice(fallible: Place, own_postgres: Postgres) -> None:
    numbers = iter(range(7192220000, 7192230000))

    def statuses() -> set[int]:
        # More than there are connections: each is used.
        leads = [fallible.post(caller_id=str(next(numbers))).status_code for _ in range(12)]
        return {*leads, offer(fallible).status_code}

    assert statuses() == {200}
    own_postgres.halt("fast")
    own_postgres.resume()
    time.sleep(RESTED)
    assert statuses() == {200}
