"""A company with very many leads, and how long its lists take over them on both databases."""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

from flask import Flask
from sqlalchemy import text

from server.app import create_app
from server.config import Settings
from server.lib.db import begin_write, commit, db
from server.migrations import migrate
from tests.factories import Account, make_account
from tests.postgres import running_postgres

# Seconds between two leads of the made-up past.
APART = 30
# At the end of the made-up past; what is measured must not depend on the day.
NEWEST = 1_795_000_000

NUMBERS = {
    "sqlite": "with recursive made(n) as (select 1 union all select n + 1 from made where n < :count)",
    "postgresql": "with made as (select generate_series(1, cast(:count as integer)) as n)",
}
AT = {
    "sqlite": f"strftime('%Y-%m-%d %H:%M:%S.000000', {NEWEST} - :count * {APART} + n * {APART}, 'unixepoch')",
    "postgresql": f"to_timestamp({NEWEST} - cast(:count as bigint) * {APART} + n * {APART})",
}
# In the order of time, as ours are.
ID = {
    "sqlite": "printf('{kind}%07x-%04x-7000-8000-%012x', n, :company_id % 65536, :company_id)",
    "postgresql": "cast('{kind}' || lpad(to_hex(n), 7, '0') || '-'"
    " || lpad(to_hex(cast(:company_id as integer) % 65536), 4, '0') || '-7000-8000-'"
    " || lpad(to_hex(cast(:company_id as integer)), 12, '0') as uuid)",
}
NUMBER = {"sqlite": "'+1719' || (2000000 + n)", "postgresql": "'+1719' || (2000000 + n)"}
DATA = """'{"first_name":"Ann","last_name":"Lee ' || n || '","zip":"80202","loan_amount":"' || (n % 5000) || '"}'"""


def statements(dialect: str) -> Iterator[str]:
    """What makes contacts, leads and submissions, one of each for a number."""
    numbers, at, number = NUMBERS[dialect], AT[dialect], NUMBER[dialect]
    contact, lead, submission = (ID[dialect].format(kind=kind) for kind in "abc")
    data = f"cast({DATA} as jsonb)" if dialect == "postgresql" else DATA
    yield (
        f"{numbers} insert into contact (id, company_id, caller_id, version, created_at, updated_at)"
        f" select {contact}, :company_id, {number}, 1, {at}, {at} from made"
    )
    yield (
        f"{numbers} insert into lead (id, company_id, contact_id, owner_kind, owner_id, offer_id, schedule_id,"
        " lead_token_id, caller_id, email, status, is_live, test, contact_attempts, next_action_at, traffic_source_id,"
        f" traffic_source_text, sub_id, data, remote_ip, created_at, updated_at) select {lead}, :company_id, {contact},"
        f" 'schedule', :schedule_id, :offer_id, :schedule_id, :token_id, {number}, 'person' || n || '@example.com',"
        f" 'scheduled', true, false, 0, {at}, :source_id, 'google_ads', 'sub' || (n % 100), {data}, '203.0.113.7',"
        f" {at}, {at} from made"
    )
    yield (
        f"{numbers} insert into submission (id, company_id, lead_token_id, lead_id, endpoint, powers, action,"
        " caller_id, content_hash, lead_updated_at, received, why, remote_ip, request_id, created_at, vendor_id)"
        f" select {submission}, :company_id, :token_id, {lead}, 'create', 'server', 'created', {number}, 'x', {at},"
        f" {DATA}, '[]', '203.0.113.7', 'x', {at}, :token_id from made"
    )


def fill(account: Account, count: int) -> None:
    """Gives the schedule of an empty company so many leads, at most a million, half a minute apart."""
    [token] = account.rows("select id from lead_token where value = :value", value=account.schedule_token)
    values = {
        "company_id": account.company_id,
        "schedule_id": account.schedule_id,
        "offer_id": account.offer_id,
        "source_id": account.source_id,
        "token_id": token["id"],
        "count": count,
    }
    with account.app.app_context():
        begin_write()
        for statement in statements(db.engine.dialect.name):
            db.session.execute(text(statement), values)
        commit()
        begin_write()
        db.session.execute(text("analyze"))
        commit()


LISTS = (
    ("leads", {}),
    ("leads", {"per_page": "200"}),
    ("leads", {"fulltext": "%"}),
    ("leads", {"fulltext": "nobody at all"}),
    ("leads", {"fulltext": "Lee 7"}),
    ("leads", {"email": "nobody@example.com"}),
    ("leads", {"email": "person7@example.com"}),
    ("leads", {"status": "completed"}),
    ("leads", {"status": "scheduled"}),
    ("leads", {"sub_id": "none"}),
    ("leads", {"offer_id": "999999"}),
    ("leads", {"traffic_source_id": "none"}),
    ("leads", {"number": "+17192000007"}),
    ("leads", {"created_at_from": "2026-01-01", "created_at_to": "2026-02-01", "fulltext": "nobody"}),
    ("submissions", {}),
    ("submissions", {"action": "refused"}),
    ("submissions", {"caller_id": "+17192000007"}),
    ("contacts", {}),
    ("contacts", {"suppressed": "true"}),
    ("contacts", {"blocked": "false", "per_page": "200"}),
    ("contacts", {"number": "+17192000007"}),
)


def measure(app: Flask, account: Account, runs: int) -> None:
    """Prints the median of each list's time."""
    client = app.test_client()
    for many, asked in LISTS:
        took = []
        for _ in range(runs):
            began = time.perf_counter()
            answer = client.get(f"/api/v1/{many}?{urlencode(asked)}", headers=account.bearer)
            took.append(time.perf_counter() - began)
        content = answer.get_json()
        metadata = content.get("metadata", {})
        shown = f"{len(content.get(many, [])):4} rows, total {metadata.get('total_count')}"
        more = "more" if metadata.get("next_cursor") else "end"
        print(f"  {many + '?' + urlencode(asked):70} {median(took) * 1000:9.1f} ms  {shown}, {more}", flush=True)


@contextmanager
def databases(which: str) -> Iterator[Iterator[tuple[str, str]]]:
    """Name and URL of the empty databases to measure on."""
    if which == "sqlite":
        yield iter([("SQLite", "")])
        return
    with running_postgres() as postgres:
        named = [("PostgreSQL", postgres.create_database())]
        yield iter(named if which == "postgresql" else [("SQLite", ""), *named])


def main(arguments: list[str]) -> int:
    """Fills a company and measures its lists."""
    parser = argparse.ArgumentParser(prog="dev bench million", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--database", choices=("both", "sqlite", "postgresql"), default="both")
    asked = parser.parse_args(arguments)
    with databases(asked.database) as named:
        for name, url in named:
            with tempfile.TemporaryDirectory() as folder:
                app = create_app(Settings(data_dir=Path(folder), database_url=url, log_level="error"))
                migrate(app)
                account = make_account(app)
                began = time.perf_counter()
                fill(account, asked.count)
                print(f"{name}: {asked.count:,} leads in {time.perf_counter() - began:.0f} s, {os.cpu_count()} cores")
                measure(app, account, asked.runs)
                with app.app_context():
                    app.extensions["ledger"].close()
                    db.engine.dispose()
    return 0
