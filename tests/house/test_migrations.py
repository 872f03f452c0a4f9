"""The migrations make what the models say, and can be taken back."""

from collections.abc import Iterator
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import Row, inspect, text

from server.lib import clock
from server.lib.db import db
from server.migrations import FOLDER, register
from tests.conftest import new_settings, opened


@pytest.fixture
def empty(database: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An application on a database without tables."""
    with opened(new_settings(database, request, tmp_path_factory.mktemp("empty"))) as app, app.app_context():
        register(app)
        yield app


# What the database refuses, by the words in which it keeps that: Alembic compares neither CHECKs nor the conditions of
# partial indexes.
CONDITIONS = {
    "postgresql": (
        "select case contype when 'c' then 'check' else 'key' end, conrelid::regclass::text, conname::text,"
        " pg_get_constraintdef(oid) from pg_constraint"
        " where connamespace = 'public'::regnamespace and contype in ('c', 'f', 'p', 'u')"
        " union all select 'index', tablename, indexname, indexdef from pg_indexes where schemaname = 'public'"
    ),
    "sqlite": "select 'index', tbl_name, name, sql from sqlite_master where type = 'index' and sql is not null",
}


def conditions() -> set[tuple[str, ...]]:
    """Each CHECK, key and index of the real database: its kind, table, name and text in single blanks."""
    found = {tuple(row) for row in rows(CONDITIONS[db.engine.dialect.name])}
    if db.engine.dialect.name == "sqlite":
        # SQLite keeps these within the text of their table, which SQLAlchemy reads.
        looked = inspect(db.engine)
        for table in looked.get_table_names():
            checks, keys = looked.get_check_constraints(table), looked.get_unique_constraints(table)
            found |= {("check", table, str(each["name"]), each["sqltext"]) for each in checks}
            found |= {("key", table, str(each["name"]), str(each["column_names"])) for each in keys}
            for each in looked.get_foreign_keys(table):
                points = (each["constrained_columns"], each["referred_table"], each["referred_columns"])
                found.add(("key", table, str(each["name"]), str((*points, each.get("options")))))
            found.add(("key", table, "primary", str(looked.get_pk_constraint(table))))
    named = [(kind, table, name, " ".join(said.split()).lower()) for kind, table, name, said in found]
    return {each for each in named if each[1] != "alembic_version"}


def tables() -> set[str]:
    return set(inspect(db.engine).get_table_names()) - {"alembic_version"}


def test_the_migrations_make_exactly_the_models(empty: Flask) -> None:
    upgrade(directory=FOLDER)
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, db.metadata) == []


def test_the_migrations_and_the_models_make_the_same_conditions(
    empty: Flask, database: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    upgrade(directory=FOLDER)
    made = conditions()
    with opened(new_settings(database, request, tmp_path_factory.mktemp("models"))) as app, app.app_context():
        with db.engine.connect().execution_options(writes=True) as connection:
            db.metadata.create_all(connection)
            connection.commit()
        assert conditions() == made
    assert {kind for kind, *_ in made} == {"check", "key", "index"}


def test_every_migration_goes_up_and_down(empty: Flask) -> None:
    upgrade(directory=FOLDER)
    assert tables() == set(db.metadata.tables)
    downgrade(directory=FOLDER, revision="base")
    assert tables() == set()
    upgrade(directory=FOLDER)
    assert tables() == set(db.metadata.tables)


def test_what_an_older_version_has_stored_lives_on(empty: Flask) -> None:
    upgrade(directory=FOLDER, revision="0001")
    run(*OLD_ROWS)
    upgrade(directory=FOLDER)
    for table in ("lead_token", "schedule_action", "traffic_source", "user", "api_key", "schedule", "offer"):
        [row] = rows(f'select * from "{table}"')
        assert row.updated_at is not None
    downgrade(directory=FOLDER, revision="0001")
    assert len(rows("select * from lead_token")) == 1


def test_what_vendors_have_sent_is_theirs_when_tokens_can_be_rotated(empty: Flask) -> None:
    upgrade(directory=FOLDER, revision="0009_held_by")
    run(*OF_A_VENDOR)
    upgrade(directory=FOLDER, revision="0010_rotation")
    kept = "select vendor_id from submission union all select vendor_id from idempotency_answer"
    assert [row.vendor_id for row in rows(kept)] == [7, 7]
    downgrade(directory=FOLDER, revision="0009_held_by")
    kept = "select lead_token_id from submission union all select lead_token_id from idempotency_answer"
    assert [row.lead_token_id for row in rows(kept)] == [7, 7]


def test_people_keep_their_address_their_password_and_their_role(empty: Flask) -> None:
    upgrade(directory=FOLDER, revision="0014_people-1")
    run("insert into company values (1, 'Acme', 'US', 'UTC', false, 1, :at)", user(1, 1, "'a@example.com'", "email"))
    upgrade(directory=FOLDER, revision="0014_people")
    [person] = rows("select * from person")
    [row] = rows('select * from "user"')
    assert (person.email, row.person_id, row.password_hash, row.role) == ("a@example.com", person.id, "hash", "admin")
    # Another company has the same person, and then an older version comes back.
    run("insert into company values (2, 'Best', 'US', 'UTC', false, 1, :at)", user(2, 2, str(person.id), "person_id"))
    downgrade(directory=FOLDER, revision="0014_people-1")
    found = [(row.company_id, row.email, row.password_hash) for row in rows('select * from "user" order by id')]
    assert found == [(1, "a@example.com", "hash"), (2, "a+company-2@example.com", "hash")]
    upgrade(directory=FOLDER, revision="0014_people")
    assert len(rows("select * from person")) == 2


def user(user_id: int, company_id: int, value: str, column: str) -> str:
    return (
        f'insert into "user" (id, company_id, {column}, name, password_hash, role, created_at, updated_at)'
        f" values ({user_id}, {company_id}, {value}, 'A', 'hash', 'admin', :at, :at)"
    )


def run(*statements: str) -> None:
    with db.engine.connect().execution_options(writes=True) as connection:
        for statement in statements:
            connection.execute(text(statement), {"at": clock.now()})
        connection.commit()


def rows(query: str) -> list[Row[Any]]:
    with db.engine.connect() as connection:
        return list(connection.execute(text(query)))


# Rows that point at one another, as the first version keeps them.
OLD_ROWS = (
    "insert into company values (1, 'Acme', 'US', 'UTC', false, 1, :at)",
    "insert into offer values (1, 1, 'Cars', :at, :at, null)",
    "insert into schedule values (1, 1, 1, 'Call now', :at, :at, null)",
    "insert into schedule_action values (1, 1, 1, 1, 'dial', 0, '{}')",
    "insert into traffic_source values (1, 1, 'google_ads', 'Google', :at, :at, null)",
    "insert into lead_token (id, company_id, owner_kind, owner_id, kind, name, value, default_traffic_source_id,"
    " shows_stored_lead, allowed_origins, allowed_redirects, created_at)"
    " values (1, 1, 'schedule', 1, 'server', 'First', 'x', 1, true, '[]', '[]', :at)",
    "insert into \"user\" values (1, 1, 'a@example.com', 'A', '', 'admin', :at, null)",
    "insert into api_key values (1, 1, 'K', 'p', 'h', '[]', :at, null)",
)

SOME_ID = "01a20d67-a816-7c3f-9394-decacebdb741"
# A refused submission and a key, of the token 7.
OF_A_VENDOR = (
    "insert into submission (id, company_id, lead_token_id, endpoint, powers, action, code, received, why, request_id,"
    f" created_at) values ('{SOME_ID}', 1, 7, 'create', 'server', 'refused', 'invalid_caller_id', '{{}}', '[]',"
    f" '{SOME_ID}', :at)",
    "insert into idempotency_answer (id, company_id, lead_token_id, scope, key, content_hash, submission_id,"
    f" created_at) values ('{SOME_ID}', 1, 7, 'public', 'k', 'h', '{SOME_ID}', :at)",
)
