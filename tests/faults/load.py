"""People who click, and clients that post each click until it is acknowledged, whatever happens to the server.

Each click has a `sub_id` of its own, as an advertiser's click id is: the touches show which click had how many effects.
"""

import http.client
import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlencode

# Seconds that a client waits before it tries again, at most.
PAUSE = 0.2
# Seconds after which a client says that the server has gone for good.
PATIENCE = 120.0
# Where those live who come in one batch.
AREAS = tuple(enumerate((212, 312, 415, 503, 602, 713)))
# As many numbers as this are used by all clients at once.
SHARED_NUMBERS = 20


@dataclass(frozen=True)
class Click:
    """One click. Its key and its content are the same however often it is sent."""

    name: str
    number: str
    page: str

    @property
    def lead(self) -> dict[str, Any]:
        """What is sent."""
        return {"caller_id": self.number, "sub_id": self.name, "data": {"page": self.page}}


@dataclass(frozen=True)
class Told:
    """What a client heard of a click, and counts as done."""

    click: Click
    lead_id: str
    action: str
    replayed: bool


@dataclass
class Load:
    """Clients that work in threads until they are told to stop; each finishes what it has begun.

    Without keys they send the very same requests but for the header: that is the control.
    """

    port: int
    token: str
    keys: bool = True
    finish: Callable[[str], None] = lambda number: None
    told: list[Told] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    numbers: Iterator[int] = field(default_factory=count)

    @property
    def leads(self) -> int:
        """How many leads are acknowledged."""
        return len({each.lead_id for each in tuple(self.told)})

    def goes_on(self, count: int = 20) -> None:
        """Waits for so many more leads."""
        before = self.leads
        began = time.monotonic()
        while self.leads < before + count:
            assert time.monotonic() < began + PATIENCE, "no lead is acknowledged any more"
            time.sleep(0.01)

    def is_refused(self, count: int = 20) -> None:
        """Waits for so many more answers that say: later, please."""
        before = self.broken.count("503")
        began = time.monotonic()
        while self.broken.count("503") < before + count:
            assert time.monotonic() < began + PATIENCE, "no answer is 503"
            time.sleep(0.01)

    def run(self, clients: int, meanwhile: Callable[[], object]) -> None:
        """Runs so many clients while something is done to the server."""
        threads = [threading.Thread(target=self.work) for _ in range(clients)]
        for thread in threads:
            thread.start()
        try:
            meanwhile()
        finally:
            self.stop.set()
            for thread in threads:
                thread.join()
        assert self.surprises == []

    def work(self) -> None:
        """One client: person after person."""
        client = Client(self)
        try:
            while not self.stop.is_set():
                self.serve(client, next(self.numbers))
        except Exception as error:
            self.surprises.append(repr(error))
        finally:
            client.close()

    def serve(self, client: "Client", number: int) -> None:
        """One person of ten kinds: most click once and hear of it; the others meet what makes a retry harmful."""
        own = f"+1719{2_000_000 + number}"
        first = Click(f"{number}-a", own, "first")
        kind = number % 10
        if kind == 0:  # many people who share a number
            client.deliver(Click(f"{number}-a", f"+1303{2_000_000 + number // 10 % SHARED_NUMBERS}", "shared"))
        elif kind == 1:  # the answer is lost on its way
            client.deliver(first, lost=True)
            client.deliver(first)
        elif kind == 2:  # the answer is lost, and before the retry comes the person corrects the form
            client.deliver(first, lost=True)
            client.deliver(Click(f"{number}-b", own, "corrected"))
            client.deliver(first)
        elif kind == 3:  # the answer is lost, and before the retry comes an agent is done with the lead
            client.deliver(first, lost=True)
            self.finish(own)
            client.deliver(first)
        elif kind == 9:  # a vendor brings several, and hears of them only the second time
            several = [first, *(Click(f"{number}-{i}", f"+1{area}{2_000_000 + number}", "x") for i, area in AREAS)]
            client.deliver(*several, lost=True)
            client.deliver(*several)
        else:
            client.deliver(first)


class Client:
    """One connection, which is opened again when it breaks."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.connection = http.client.HTTPConnection("127.0.0.1", load.port, timeout=10)
        self.query = urlencode({"lead_token": load.token})

    def deliver(self, *clicks: Click, lost: bool = False) -> None:
        """Sends a click, or several as a batch, again and again until they are acknowledged; an answer that is `lost`
        is not heard of."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                if self.attempt(clicks, lost):
                    return
            except (OSError, http.client.HTTPException) as error:
                self.load.broken.append(type(error).__name__)
            self.close()
            time.sleep(random.uniform(0, PAUSE))
        raise TimeoutError(f"no answer to {clicks[0].name}")

    def attempt(self, clicks: Sequence[Click], lost: bool) -> bool:
        """One try: whether all were acknowledged."""
        if len(clicks) == 1:
            header = {"Idempotency-Key": clicks[0].name} if self.load.keys else {}
            status, headers, content = self.ask("/api/v1/leads", clicks[0].lead, header)
            answers = [content | {"replayed": headers["Idempotent-Replayed"] == "true"}]
        else:
            keys = [{"idempotency_key": click.name} if self.load.keys else {} for click in clicks]
            leads = [click.lead | key for click, key in zip(clicks, keys, strict=True)]
            status, headers, content = self.ask("/api/v1/leads/batch", {"leads": leads}, {})
            answers = [
                each | {"replayed": "idempotent_replayed" in each["metadata"]} for each in content.get("results", [])
            ]
        if status == 503:
            told = (content["code"], headers["Retry-After"], headers["Access-Control-Allow-Origin"])
            assert told == ("unavailable", "5", "*"), (told, content)
        if 503 in (status, *(each["status"] for each in answers)):
            self.load.broken.append("503")
            return False
        if {status, *(each["status"] for each in answers)} != {200}:
            raise AssertionError(f"{status}: {content}")
        if not lost:
            self.load.told += [
                Told(click, each["lead_id"], each["action"], each["replayed"])
                for click, each in zip(clicks, answers, strict=True)
            ]
        return True

    def ask(self, path: str, content: Any, headers: dict[str, str]) -> tuple[int, http.client.HTTPMessage, Any]:
        """One request: status, headers and content of its answer."""
        how = {"Content-Type": "application/json"} | headers
        self.connection.request("POST", f"{path}?{self.query}", json.dumps(content), how)
        with self.connection.getresponse() as response:
            return response.status, response.headers, json.loads(response.read())

    def close(self) -> None:
        """Drops the connection."""
        self.connection.close()
