"""How a web process keeps its memory: together, whatever the number of its threads."""

import re
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

from tests.factories import Account
from tests.faults.place import web_processes
from tests.live import Live

# glibc reserves so much at a time for the memory of a thread, at a multiple of it.
HEAP = 64 * 2**20
MAPPING = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) (\S+)", re.MULTILINE)


def heaps(process: int) -> int:
    """How many such places a process has: each begins with what is in use, and the rest is reserved."""
    found = [
        (int(start, 16), int(end, 16), rights)
        for start, end, rights in MAPPING.findall(Path(f"/proc/{process}/maps").read_text())
    ]
    return sum(
        start % HEAP == 0 and rights == "rw-p" and (rest, until) == ("---p", start + HEAP)
        for (start, _, rights), (_, until, rest) in pairwise(found)
    )


# On PostgreSQL a process has two threads.
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_many_threads_share_their_memory(live: Live, account: Account) -> None:
    lead = {"lead_token": account.schedule_token}

    def send(number: int) -> None:
        assert live.post(params=lead | {"caller_id": f"+1719222{number:04}"}, verify=False).status_code == 200

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(send, range(64)))
    [process] = web_processes(live)
    assert len(list(Path(f"/proc/{process}/task").iterdir())) > 8
    # Its first place is another, and one may have been begun anew; with one for each thread there would be over ten.
    assert heaps(process) <= 3
