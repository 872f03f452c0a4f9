"""Rate limits: what a minute brings, when the next one comes, whose address it is, and a Redis that is not there."""

import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from limits.storage import MemoryStorage, Storage
from limits.strategies import SlidingWindowCounterRateLimiter
from structlog.testing import capture_logs

from server.lib.rate_limits import Budget, Memory, network, spend
from server.lib.redis_limits import Shared
from tests.api.calls import NOW
from tests.live import free_port
from tests.redis_server import Redis, own_redis

MINE = ("address", "192.0.2.1")
ANOTHERS = ("address", "192.0.2.2")

Counts = SlidingWindowCounterRateLimiter


@pytest.fixture
def moment() -> Iterator[time_machine.Traveller]:
    """A clock that stands still until it is moved; a minute begins."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def counts_in(storage: Storage) -> Counts:
    return Counts(storage)


def taken(counts: Counts, most: int, owner: tuple[str, ...] = MINE, tries: int = 1000) -> int:
    """How many of so many tries are let through."""
    return sum(not spend(counts, {"it": Budget(most, owner)}) for _ in range(tries))


@pytest.mark.parametrize("most", [1, 2, 7, 60, 1200])
def test_a_minute_brings_so_many_and_no_more(moment: time_machine.Traveller, most: int) -> None:
    counts = counts_in(Memory())
    assert taken(counts, most, tries=most + 100) == most
    moment.shift(59)
    assert taken(counts, most) == 0
    moment.shift(61)
    assert taken(counts, most, tries=most + 100) == most


def test_one_owners_flood_is_nobody_elses(moment: time_machine.Traveller) -> None:
    counts = counts_in(Memory())
    assert taken(counts, 3) == 3
    assert taken(counts, 3, ANOTHERS) == 3
    assert taken(counts, 4) == 4, "another limit has a count of its own"


def test_no_minute_wherever_it_begins_brings_twice_as_many(moment: time_machine.Traveller) -> None:
    counts = counts_in(Memory())
    moment.shift(59)
    assert taken(counts, 60) == 60
    moment.shift(2)
    assert taken(counts, 60) <= 1


@pytest.mark.parametrize("most", [1, 2, 3, 7, 50, 60, 61, 120, 1200])
@pytest.mark.parametrize("later", [0, 0.25, 17, 30.5, 59, 59.999, 60, 61.5, 75, 90, 119.5])
def test_after_the_seconds_that_are_told_it_is_let_through_and_no_second_before(
    moment: time_machine.Traveller, most: int, later: float
) -> None:
    counts = counts_in(Memory())
    budgets = {"it": Budget(most, MINE)}
    taken(counts, most, tries=most)
    moment.shift(later)
    taken(counts, most, tries=most + 1)
    seconds = spend(counts, budgets)["it"]
    assert 1 <= seconds <= 61
    if seconds > 1:
        moment.shift(seconds - 1.001)
        assert spend(counts, budgets) != {}
        moment.shift(1.001 - seconds)
    moment.shift(seconds)
    assert spend(counts, budgets) == {}


def test_what_one_budget_lacks_is_not_taken_from_the_others(moment: time_machine.Traveller) -> None:
    counts = counts_in(Memory())
    number, address = Budget(2, ("number",)), Budget(5, MINE)
    heard = [spend(counts, {"number": number, "address": address}).keys() for _ in range(6)]
    assert heard == [set(), set(), {"number"}, {"number"}, {"number"}, {"number"}]
    assert taken(counts, 5) == 3
    assert spend(counts, {"number": number, "address": address}).keys() == {"number", "address"}


def test_it_lets_through_what_the_library_does(moment: time_machine.Traveller) -> None:
    """With a limit that is met, and through windows that come, go and are left out."""
    ours, theirs = counts_in(Memory()), counts_in(MemoryStorage())
    for step in (0.3, 1, 2, 0.1, 45, 20, 1, 1, 1, 59, 130, 5, 400, 0.5, 61):
        moment.shift(step)
        assert taken(ours, 50, tries=17) == taken(theirs, 50, tries=17)


def test_who_finds_the_last_one_taken_meanwhile_is_limited(moment: time_machine.Traveller) -> None:
    counts = counts_in(Memory())
    last = Budget(1, MINE)
    assert spend(counts, {"it": last, "the same": last}).keys() == {"the same"}


def test_many_at_once_take_no_more_than_there_is() -> None:
    counts = counts_in(Memory())
    let_through: list[int] = []
    with time_machine.travel(NOW, tick=False):
        threads = [threading.Thread(target=lambda: let_through.append(taken(counts, 500, tries=200))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sum(let_through) == 500


def test_counting_starts_no_thread(moment: time_machine.Traveller) -> None:
    before = threading.active_count()
    taken(counts_in(Memory()), 5)
    assert threading.active_count() == before


def test_a_table_that_is_full_still_counts_newcomers_and_who_sends_on(moment: time_machine.Traveller) -> None:
    counts = counts_in(Memory(most=100))
    let_through = 0
    for number in range(300):
        taken(counts, 5, ("address", str(number)), tries=1)
        let_through += taken(counts, 5, MINE, tries=1)
    assert let_through == 5
    assert taken(counts, 5, ANOTHERS) == 5
    assert taken(counts, 5, ANOTHERS) == 0


def test_owners_are_forgotten_and_their_number_is_bounded(moment: time_machine.Traveller) -> None:
    memory = Memory(most=100)
    counts = counts_in(memory)
    assert taken(counts, 3, tries=1) == 1
    for number in range(1000):
        spend(counts, {"it": Budget(3, ("address", str(number)))})
    assert len(memory.kept[60].present) == 100
    assert taken(counts, 3) == 3, "who was quiet longest is forgotten"
    moment.shift(timedelta(minutes=2))
    assert taken(counts, 3) == 3
    assert (len(memory.kept[60].before), len(memory.kept[60].present)) == (0, 1)


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::ffff:c000:207", "192.0.2.7"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::1", "::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unknown", "unknown"),
        ("x" * 1000, "x" * 64),
    ],
)
def test_an_address_counts_as_itself_and_of_ipv6_as_its_64(address: str, counted_as: str) -> None:
    assert network(address) == counted_as


# --- Redis ----------------------------------------------------------------------------------------------------------


def test_in_redis_all_count_together(redis: Redis) -> None:
    here, there = (counts_in(Shared(url=redis.patient_url)) for _ in "ab")
    budgets = {"it": Budget(5, ("together",)), "that": Budget(100, ("that",))}
    assert [spend(each, budgets) for each in (here, there, here, there, here)] == [{}] * 5
    for each in (here, there):
        [(name, seconds)] = spend(each, budgets).items()
        assert name == "it"
        # The minute began with the first.
        assert 30 <= seconds <= 60
    assert taken(here, 100, ("that",)) == 95


def test_what_redis_keeps_ends_by_itself(redis: Redis) -> None:
    storage = Shared(url=redis.patient_url)
    spend(counts_in(storage), {"it": Budget(5, ("ends",))})
    connection: Any = storage.redis.get_connection()
    [key] = connection.keys("handraiser:*ends*")
    assert 0 < connection.ttl(key) <= 120


def test_without_redis_it_counts_here_until_redis_is_back(moment: time_machine.Traveller) -> None:
    with own_redis() as server, capture_logs() as lines:
        shared = Shared(url=server.patient_url, pause=0.3)
        counts = counts_in(shared)
        assert taken(counts, 3, tries=10) == 3
        server.halt()
        assert taken(counts, 3, tries=10) == 3, "it counts here, and begins anew"
        time.sleep(0.35)
        assert taken(counts, 3, tries=10) == 0, "it has asked in vain, and says no word of it"
        server.start()
        time.sleep(0.35)
        assert taken(counts, 3, tries=10) == 3, "it counts there, and Redis has forgotten"
        assert not shared.away
    assert [(line["event"], line["problem"]) for line in lines] == [("redis", "ConnectionError"), ("redis", None)]


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_redis_that_is_silent_is_asked_once_and_then_left_alone(silent: int, moment: time_machine.Traveller) -> None:
    counts = counts_in(Shared(url=f"redis://127.0.0.1:{silent}"))
    began = time.monotonic()
    assert taken(counts, 3, tries=1) == 1
    waited = time.monotonic() - began
    assert waited < 2
    began = time.monotonic()
    assert taken(counts, 3, tries=100) == 2
    assert time.monotonic() - began < 2, "a tenth of a second each would be more"


def test_a_redis_that_was_never_there_keeps_nothing_from_starting(moment: time_machine.Traveller) -> None:
    assert taken(counts_in(Shared(url=f"redis://127.0.0.1:{free_port()}")), 3, tries=10) == 3
