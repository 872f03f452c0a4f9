"""Schemathesis sends what the document allows and what it forbids, and every answer is what the document says.

The data are new in each run. What a run has found comes again with the seed that its summary names:
`./dev test tests/contract --hypothesis-seed=…`.
"""

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.core.transport import Response
from schemathesis.generation.stateful import APIStateMachine
from schemathesis.schemas import APIOperation, BaseSchema

from server.docs.resources import RESOURCES
from tests.contract.conftest import Run
from tests.contract.world import World, plain_order
from tests.factories import make_account

pytestmark = pytest.mark.early

# Of each operation, allowed data so often on each database, and forbidden ones.
TIMES = 1
# Chains of requests, and how long each is.
CHAINS, LINKS = 5, 10

QUIET: Any = {
    "deadline": None,
    "database": None,
    "suppress_health_check": list(HealthCheck),
    # What is found is found in the state that the requests before it have left: a smaller one is another one.
    "phases": [Phase.generate],
}


def operations(api: BaseSchema, part: str) -> Iterator[APIOperation]:
    """The operations of one tag."""
    for each in api.include(tag=part).get_all_operations():
        yield each.ok()


def test_every_part_is_asked(api: BaseSchema) -> None:
    tags = {tag for each in api.get_all_operations() for tag in each.ok().tags}
    assert tags == RESOURCES.keys()


def test_the_plainest_request_of_each_operation_is_done(api: BaseSchema, world: World, run: Run) -> None:
    # An operation that only ever refuses has proved nothing.
    for operation in plain_order(api):
        world.take_lead()
        response = run.check(world.plainest(operation), world.account.bearer)
        assert response.status_code == 200, (operation.label, response.json())


@pytest.mark.parametrize("part", RESOURCES)
def test_every_answer_is_what_the_document_says(api: BaseSchema, world: World, run: Run, part: str) -> None:
    for operation in operations(api, part):
        if operation.path.startswith("/api/v1/leads"):
            world.take_lead()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            ask(operation, mode, world, run)
    assert still_open(world)


def ask(operation: APIOperation, mode: GenerationMode, world: World, run: Run) -> None:
    """Sends cases to one operation, and checks each answer."""
    seen: list[tuple[Case, Response]] = []
    cases = operation.as_strategy(generation_mode=mode)

    # The data of each operation are its own.
    @seed(f"{run.seed} {operation.label} {mode}")
    @settings(max_examples=TIMES * run.times, **QUIET)
    @given(case=cases if run.times > 1 else beyond_the_simplest(cases), chance=st.randoms(use_true_random=False))
    def each(case: Case, chance: Random) -> None:
        headers = world.settle(case, chance)
        seen.append((case, run.check(case, headers)))

    each()
    for case, response in seen:
        world.learn(case, response)


def beyond_the_simplest(cases: st.SearchStrategy[Case]) -> st.SearchStrategy[Case]:
    """The cases without the simplest. Every run begins with it: of a single draw, nothing would be left to chance."""
    return st.integers(0, 20).flatmap(lambda chance: cases if chance else st.nothing())


def test_what_an_answer_leads_on_to_is_there(api: BaseSchema, app: Flask, run: Run) -> None:
    class Chain(api.as_state_machine()):  # type: ignore[misc]
        """Requests of which each names what another has answered, in a company of its own: what a chain meets is what
        it has done itself."""

        def setup(self) -> None:
            self.chance, self.world = Random(run.seed), World(make_account(app))

        def before_call(self, case: Case) -> None:
            self.headers = self.world.settle(case, self.chance, linked=True)

        def call(self, case: Case, **kwargs: Any) -> Response:
            return run.check(case, self.headers)

        def validate_response(self, response: Response, case: Case, *args: Any, **kwargs: Any) -> None:
            """It has been."""

    machine: type[APIStateMachine] = Chain
    seed(run.seed)(machine)
    machine.run(settings=settings(max_examples=CHAINS * run.times, stateful_step_count=LINKS, **QUIET))


def still_open(world: World) -> bool:
    """Whether the key of the test is good still: without it, all answers would be alike."""
    account = world.account
    keys = account.rows(
        "select 1 from api_key where company_id = :company_id and public = :public and revoked_at is null",
        public=account.public_key,
    )
    return bool(keys)
