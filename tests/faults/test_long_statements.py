"""PostgreSQL may not work on a request's statement without end."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from server.lib.db import db
from server.migrations import migrate
from tests.api.calls import LEADS, refused, send, take
from tests.conftest import new_settings, opened
from tests.factories import make_account


@pytest.fixture(scope="module")
def app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An application whose statements get a second."""
    settings = new_settings("postgresql", request, tmp_path_factory.mktemp("data"))
    object.__setattr__(settings, "statement_seconds", 1)
    with opened(settings) as app:
        migrate(app)
        yield app


def test_a_statement_that_takes_too_long_is_given_up(app: Flask) -> None:
    with (
        app.app_context(),
        pytest.raises(OperationalError, match="statement timeout"),
        db.engine.connect() as connection,
    ):
        connection.execute(text("select pg_sleep(20)"))


def test_who_waits_too_long_for_the_database_is_asked_to_come_again(app: Flask) -> None:
    account, client = make_account(app), app.test_client()
    lead = take(client, account.schedule_token)["lead_id"]
    with app.app_context(), db.engine.connect() as other:
        other.execute(text("lock table lead in access exclusive mode"))
        for answer in (
            client.get(f"{LEADS}/{lead}", headers=account.bearer),
            send(client, account.schedule_token, zip="1"),
        ):
            refused(answer, "unavailable")
            assert int(answer.headers["Retry-After"]) > 0
    assert take(client, account.schedule_token, zip="1")["action"] == "updated"
