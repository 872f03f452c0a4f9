"""Which PostgreSQL is spoken to in TLS: each that is not on this machine, unless its URL says that it wants none."""

import pytest
from sqlalchemy import make_url

from server.config import Settings

ROWS = [
    ("postgresql://u:p@db.example/name", "require"),
    ("postgres://u:p@10.0.0.7:5433/name", "require"),
    ("postgresql+psycopg://u@db/name", "require"),
    ("postgresql://u@db.example/name?sslmode=prefer", "require"),
    ("postgresql://u@db.example/name?sslmode=allow", "require"),
    ("postgresql:///name?host=db.example", "require"),
    ("postgresql://u@localhost/name?hostaddr=10.0.0.7", "require"),
    ("postgresql://u@localhost.example/name", "require"),
    ("postgresql:///name?host=localhost,db.example", "require"),
    ("postgresql:///name?host=db.example:5433", "require"),
    ("postgresql://u@db.example/name?sslmode=verify-full", "verify-full"),
    ("postgresql://u@db.example/name?sslmode=disable", "disable"),
    ("postgresql://u@localhost/name", None),
    ("postgresql://u@127.0.0.1/name", None),
    ("postgresql://u@127.0.0.2:5433/name", None),
    ("postgresql://u@[::1]/name", None),
    ("postgresql:///name", None),
    ("postgresql:///name?host=/run/postgresql", None),
    ("postgresql://u@localhost/name?host=127.0.0.1:5433", None),
]


@pytest.mark.parametrize(("url", "mode"), ROWS, ids=[url for url, _ in ROWS])
def test_tls_is_asked_for(url: str, mode: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGHOST", "PGHOSTADDR", "PGSSLMODE"):
        monkeypatch.delenv(name, raising=False)
    asked = make_url(Settings(database_url=url).database)
    assert asked.query.get("sslmode") == mode
    assert asked.password == make_url(url).password


def test_what_libpq_is_told_by_the_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGSSLMODE", raising=False)
    monkeypatch.setenv("PGHOST", "db.example")
    assert make_url(Settings(database_url="postgresql:///name").database).query["sslmode"] == "require"
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert "sslmode" not in make_url(Settings(database_url="postgresql:///name").database).query
