"""People who click, and clients that post each click until it is acknowledged, whatever happens to the server.

Each click has a `sub_id` of its own, as an advertiser's click id is: the touches show which click had how many effects.
"""

import http.client
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urlencode

# Seconds that a client waits before it tries again, at most.
PAUSE = 0.2
# Seconds after which a client says that the server has gone for good.
PATIENCE = 120.0
# As many numbers as this are used by all clients at once.
SHARED_NUMBERS = 20


@dataclass(frozen=True)
class Click:
    """One click. Its key and its content are the same however often it is sent."""

    name: str
    number: str
    page: str

    @property
    def body(self) -> bytes:
        """What is sent."""
        return json.dumps({"caller_id": self.number, "sub_id": self.name, "data": {"page": self.page}}).encode()


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
        else:
            client.deliver(first)


class Client:
    """One connection, which is opened again when it breaks."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.connection = http.client.HTTPConnection("127.0.0.1", load.port, timeout=10)
        self.target = f"/api/v1/leads?{urlencode({'lead_token': load.token})}"

    def deliver(self, click: Click, lost: bool = False) -> None:
        """Sends a click again and again until it is acknowledged; an answer that is `lost` is not heard of."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                if self.attempt(click, lost):
                    return
            except (OSError, http.client.HTTPException) as error:
                self.load.broken.append(type(error).__name__)
            self.close()
            time.sleep(random.uniform(0, PAUSE))
        raise TimeoutError(f"no answer to {click.name}")

    def attempt(self, click: Click, lost: bool) -> bool:
        """One try: whether it was acknowledged."""
        headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": click.name} if self.load.keys else {})
        self.connection.request("POST", self.target, click.body, headers)
        with self.connection.getresponse() as response:
            content = json.loads(response.read())
        if response.status == 503:
            told = (content["code"], response.headers["Retry-After"], response.headers["Access-Control-Allow-Origin"])
            assert told == ("unavailable", "5", "*"), (told, content)
            self.load.broken.append("503")
            return False
        if response.status != 200:
            raise AssertionError(f"{response.status}: {content}")
        if not lost:
            replayed = response.headers["Idempotent-Replayed"] == "true"
            self.load.told.append(Told(click, content["lead_id"], content["action"], replayed))
        return True

    def close(self) -> None:
        """Drops the connection."""
        self.connection.close()
