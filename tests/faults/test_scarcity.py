"""A server that may open no more files, as when too many connections rest on it: nothing that was taken gets lost."""

import resource
import socket
from contextlib import ExitStack

import pytest

from tests.faults.audit import Audit
from tests.faults.disk import limited
from tests.faults.load import Load
from tests.faults.place import END_CONNECTIONS, Place, loaded, until, web_processes
from tests.faults.volley import lead_request
from tests.raw import Wire, request, understood

CLIENTS = 4
# Connections that nobody uses; they wait until somebody takes them.
IDLE = 100


@pytest.mark.early
def test_who_cannot_open_a_file_answers_503_until_it_can(place: Place, database: str) -> None:
    load = Load(place.live.port, place.account.schedule_token)

    def starve() -> None:
        # One answers while another loads, which would die of this: that is a start, and not what this is about.
        until(lambda: all(loaded(worker) for worker in web_processes(place.live)))
        load.goes_on()
        workers = web_processes(place.live)
        with Wire(place.live.port) as wire, ExitStack() as idle:
            assert wire.ask(request("GET", "/healthz")).status == 200
            # They keep what they have open, and open nothing else.
            with limited(lambda: workers, resource.RLIMIT_NOFILE, 3):
                for _ in range(IDLE):
                    idle.enter_context(socket.create_connection(("127.0.0.1", place.live.port)))
                if database == "postgresql":
                    place.account.rows(END_CONNECTIONS)
                for content in (
                    lead_request(place.account.schedule_token, caller_id="+13035550100"),
                    request("POST", "/api/v1/offers", place.account.bearer, b"name=Solar"),
                ):
                    answer = wire.ask(content)
                    assert answer.status == 503, answer.json
                    assert answer.headers["Retry-After"] == "5"
                    understood(answer)
                assert wire.ask(request("GET", "/healthz")).status == 200
            load.goes_on()
        assert web_processes(place.live) == workers

    load.run(CLIENTS, starve)
    assert Audit(place.account, load.told).faults() == {}
