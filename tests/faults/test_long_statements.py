"""PostgreSQL may not work on a request's statement without end."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from server.lib.db import db
from server.lib.ledger import Ledger, WriteFailed
from tests.conftest import new_settings, opened


def test_a_statement_that_takes_too_long_is_given_up(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    settings = new_settings("postgresql", request, tmp_path)
    object.__setattr__(settings, "statement_seconds", 1)
    with opened(settings) as app, app.app_context():
        with pytest.raises(OperationalError, match="statement timeout"), db.engine.connect() as connection:
            connection.execute(text("select pg_sleep(20)"))

        def sleep(ledger: Ledger) -> None:
            ledger.touch("select pg_sleep(20)")

        # The answer to either is 503 `unavailable`.
        with pytest.raises(WriteFailed):
            app.extensions["ledger"].run(sleep)
