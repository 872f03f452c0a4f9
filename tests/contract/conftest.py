"""What both tests of the contract ask for: the document, a company to ask about, and the run's seed and counts."""

import random
from collections import Counter

import pytest
import schemathesis
from flask import Flask
from schemathesis import Case
from schemathesis.core.transport import Response
from schemathesis.schemas import BaseSchema

from server.docs.specification import build_specification
from tests.contract.checks import CHECKS
from tests.contract.loosened import loosened
from tests.contract.world import World
from tests.factories import Account


class Run:
    """One test's seed and size, and how often each operation answered what."""

    def __init__(self, seed: int, times: int, told: list[str]) -> None:
        self.seed, self.times, self.told = seed, times, told
        self.statuses: Counter[tuple[str, int]] = Counter()

    def check(self, case: Case, headers: dict[str, str]) -> Response:
        """Sends a case, counts it and checks the answer."""
        _ = case.meta  # Looked at now, it judges what is sent and not what was generated.
        response = case.call(headers=headers)
        self.statuses[case.operation.label, response.status_code] += 1
        done = sum(count for (_, status), count in self.statuses.items() if status < 400)
        self.told[:] = [f"{self.statuses.total():,} cases, {done:,} of them done, seed {self.seed}"]
        case.validate_response(response, checks=CHECKS, headers=headers)
        return response

    def done(self) -> set[str]:
        """The operations that have succeeded."""
        return {label for label, status in self.statuses if status == 200}


@pytest.fixture(scope="session")
def api(app: Flask, long: bool) -> BaseSchema:
    """The document of the application, as it reads what is sent."""
    made: BaseSchema = schemathesis.openapi.from_dict(loosened(build_specification(app)))
    made.app = app
    # The literals of our source, tried in every place that would take them: a third of the time.
    made.config.analysis.constants.enabled = long
    return made


@pytest.fixture
def world(account: Account) -> World:
    """A company with one of everything."""
    made = World(account)
    made.furnish()
    return made


@pytest.fixture
def run(long: bool, told: list[str], request: pytest.FixtureRequest) -> Run:
    """Twenty times more of everything in the long form."""
    asked = request.config.getoption("--hypothesis-seed", None)
    seed = random.SystemRandom().randrange(2**32) if asked in (None, "random") else int(asked)
    return Run(seed, 20 if long else 1, told)
