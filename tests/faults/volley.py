"""Many requests at one instant: each waits on a connection of its own, complete but for its last byte."""

from collections.abc import Sequence
from contextlib import ExitStack
from urllib.parse import urlencode

from tests.raw import Answer, Wire, request


def lead_request(token: str, key: str | None = None, **parameters: str) -> bytes:
    """A lead with all its parameters in the query string, so that nothing runs before the last byte of the head."""
    query = urlencode({"lead_token": token, **parameters})
    headers = {"Content-Length": "0"} | ({"Idempotency-Key": key} if key else {})
    return request("POST", f"/api/v1/leads?{query}", headers)


def volley(ports: Sequence[int], requests: Sequence[bytes]) -> list[Answer]:
    """Sends all requests as close together as one thread can, in turn to each port; their answers in order."""
    with ExitStack() as stack:
        wires = [stack.enter_context(Wire(ports[place % len(ports)])) for place in range(len(requests))]
        for wire, content in zip(wires, requests, strict=True):
            wire.send(content[:-1])
        for wire, content in zip(wires, requests, strict=True):
            wire.send(content[-1:])
        return [wire.read() for wire in wires]
