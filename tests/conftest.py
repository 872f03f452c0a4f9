"""What every test may ask for: both databases, an application on each, a company of its own, a running server."""

import gc
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner
from sqlalchemy import text

from server import cli
from server.app import create_app
from server.companies import operations
from server.config import Settings
from server.lib.db import begin_write, commit, db
from server.migrations import migrate
from tests import memory
from tests.factories import Account, make_accounts
from tests.live import Live, running_server
from tests.postgres import Postgres, running_postgres
from tests.redis_server import Redis, running_redis

DATABASES = ["sqlite", "postgresql"]
ORDER = [None, *DATABASES]
# A test with more cases than these runs one in so many of them on PostgreSQL (decision 0037).
MANY_CASES, POSTGRES_SHARE = 12, 3


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="Run the long forms of fault tests and simulations.")
    parser.addoption("--record", action="store_true", help="Write the answers that the documentation shows.")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """One database after the other, and with each what takes long first: a process that has nothing left to do takes
    over from the other, which helps only while that has more left than one long test."""
    if not config.getoption("--long"):
        thin(config, items)
    items.sort(key=lambda item: (ORDER.index(database_of(item)), item.get_closest_marker("early") is None))


def database_of(item: pytest.Item) -> str | None:
    """The database that a test runs on, if on any."""
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("database") if callspec else None


def thin(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves two of three cases on PostgreSQL to the long form where there are many: most of them differ in what is
    decided before any database is asked, and SQLite sees them all."""
    groups: dict[str, list[pytest.Item]] = {}
    for item in items:
        if database_of(item) == "postgresql" and item.get_closest_marker("both_databases") is None:
            groups.setdefault(group_of(item), []).append(item)
    left_out = {
        item
        for cases in groups.values()
        if len(cases) > MANY_CASES
        for place, item in enumerate(cases)
        if (place + place // POSTGRES_SHARE) % POSTGRES_SHARE
    }
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=[*left_out])


def group_of(item: pytest.Item) -> str:
    """What has its cases in common: a test, and of those with a browser a module."""
    name = item.nodeid.partition("[")[0]
    return name.partition("::")[0] if "/browser/" in name else name


def pytest_collection_finish() -> None:
    """What was collected lives until the end: the collector need not look at thousands of tests again and again."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests have told of themselves: how much they have tried, and with which seed."""
    for reports in list(terminalreporter.stats.values()):
        for report in reports:
            if getattr(report, "when", None) == "call":
                for name, lines in report.user_properties:
                    if name == "told" and lines:
                        terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {'; '.join(lines)}")


@pytest.fixture
def told(request: pytest.FixtureRequest) -> list[str]:
    """Lines that the end of the test run shows, whether the test passes or fails."""
    lines: list[str] = []
    # The list itself: the report reads it when the test is over.
    request.node.user_properties.append(("told", lines))
    return lines


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    """Whether the long form was asked for."""
    return bool(request.config.getoption("--long"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL, started when the first test wants it."""
    with running_postgres(memory.folder()) as server:
        yield server


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    """A real Redis, started when the first test wants it."""
    with running_redis() as server:
        yield server


@pytest.fixture(scope="session", params=DATABASES)
def database(request: pytest.FixtureRequest) -> str:
    """The name of the database: whatever asks for it runs on both."""
    return str(request.param)


@pytest.fixture(scope="session")
def settings(database: str, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """Settings with an empty database of their own, brought up to date."""
    prefix = f"handraiser-{database}-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=memory.folder(), ignore_cleanup_errors=True) as folder:
        made = new_settings(database, request, Path(folder))
        with opened(made) as app:
            migrate(app)
            index_companies(app)
        yield made


def index_companies(app: Flask) -> None:
    """Finds the rows of one company in every table: tests ask for them thousands of times, the product never does."""
    with app.app_context():
        begin_write()
        for table in db.metadata.sorted_tables:
            if "company_id" in table.c:
                db.session.execute(text(f'create index "of_a_company_{table.name}" on "{table.name}" (company_id)'))
        commit()


# All tests are one address, and many of them are quick: what limits do is for those to see that ask for them.
UNLIMITED = {"address_limit": 0, "number_limit": 0, "token_limit": 0, "burst_limit": 0, "guess_limit": 0}
UNLIMITED |= {"stop_limit": 0, "refused_rows": 0, "refused_kilobytes": 0}


def new_settings(database: str, request: pytest.FixtureRequest, folder: Path) -> Settings:
    """Settings with an empty database and without rate limits."""
    url = "" if database == "sqlite" else request.getfixturevalue("postgres").create_database()
    return Settings(data_dir=folder, database_url=url, log_level="warning", threads=8, **UNLIMITED)


@contextmanager
def opened(settings: Settings) -> Iterator[Flask]:
    """An application that closes its connections at the end."""
    app = create_app(settings)
    try:
        yield app
    finally:
        with app.app_context():
            app.extensions["ledger"].close()
            db.engine.dispose()


@pytest.fixture(scope="session")
def app(settings: Settings) -> Iterator[Flask]:
    """The application in this process."""
    with opened(settings) as app:
        yield app


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Hashes that are not worth an attack, in this process: a real one takes an eighth of a second, on purpose."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operations, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Calls the application without a socket."""
    return app.test_client()


@pytest.fixture
def commands(app: Flask) -> FlaskCliRunner:
    """Runs commands as `./dev flask` does."""
    cli.register(app)
    return app.test_cli_runner()


@pytest.fixture(scope="session")
def accounts(app: Flask) -> Iterator[Account]:
    """Companies without end, made twenty at a time: one by one, they took as long as what they are asked about."""

    def make() -> Iterator[Account]:
        while True:
            yield from make_accounts(app, 20)

    return make()


@pytest.fixture
def account(accounts: Iterator[Account]) -> Account:
    """A company of the test's own, with a schedule, an offer, tokens, a source and a key: tests share nothing else."""
    return next(accounts)


@pytest.fixture(scope="session")
def live(settings: Settings) -> Iterator[Live]:
    """The product as `./dev serve` runs it, on the same database as `app`."""
    with running_server(settings) as server:
        yield server
