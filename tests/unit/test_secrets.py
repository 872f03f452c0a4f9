"""Ids that say when they were made."""

import time
from uuid import UUID

import time_machine

from server.lib.secrets import new_id


def test_what_is_made_later_sorts_last_also_within_a_millisecond() -> None:
    ids = []
    for _ in range(500):
        ids.append(new_id())
        began = time.perf_counter_ns()
        while time.perf_counter_ns() - began < 1_000:
            pass
    assert ids == sorted(ids)
    # All of it took some milliseconds: many shared one.
    assert len({each[:13] for each in ids}) < len(ids)


def test_an_id_is_a_uuid_of_version_7_with_its_millisecond_first() -> None:
    with time_machine.travel(1_800_000_000.123, tick=False):
        ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    for each in map(UUID, ids):
        assert (each.version, each.variant) == (7, "specified in RFC 4122")
        assert abs((each.int >> 80) - 1_800_000_000_123) <= 1
