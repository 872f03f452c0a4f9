"""`kill -9` of the whole server at random: no acknowledged lead is lost, none is doubled, if clients retry with keys.

The control sends the very same requests without the keys, to a server that nobody kills. What it doubles is no
matter of luck: a click's answer gets lost on its way (the client throws it away), and before the retry comes either
the person corrects the form, or an agent is done with the lead. Handraiser's other nets catch neither: the retry is
no double click any more, or no live lead holds its number. So one click moves the lead twice and takes the
correction back, or makes a second lead, whom somebody will call again. The same happens under `kill -9`; with keys
it must not, and that this test would notice is what the control proves.
"""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from server.config import Settings
from server.lib import clock
from server.lib.db import db
from server.lib.secrets import new_id
from server.migrations import migrate
from tests.conftest import new_settings, opened
from tests.factories import Account, make_account
from tests.faults.audit import Audit, Faults
from tests.faults.load import Client, Load
from tests.faults.place import Place, serving, until, write
from tests.live import Live
from tests.postgres import Postgres
from tests.unit import table

pytestmark = pytest.mark.early

CLIENTS = 16
KILLS, LONG_KILLS = 8, 20
CRASHES = 2
LONG_LEADS = 50_000
CONTROL_LEADS = 100

# What the next step's worker will do when an agent is done with a lead.
COMPLETE = (
    "update lead set is_live = false, status = 'completed', next_action_at = null, ended_at = :now, updated_at = :now"
    " where company_id = :company_id and caller_id = :number and is_live"
)
# One foreign key of which the database loses sight.
BLIND = {
    "sqlite": "pragma foreign_keys = off",
    "postgresql": "alter table touch drop constraint fk_touch_submission_id",
}


def complete(account: Account, number: str) -> None:
    """Ends the lead of a number."""
    now = clock.now() + timedelta(milliseconds=1)
    write(account, [COMPLETE], {"company_id": account.company_id, "number": number, "now": now})


def load_on(place: Place, keys: bool) -> Load:
    return Load(place.live.port, place.account.schedule_token, keys, partial(complete, place.account))


def kill_until(live: Live, longest_life: float, enough: Callable[[int], bool]) -> None:
    """Lets the server live for a moment, kills it, starts it again, until that was done often enough."""
    for kills in count(1):
        time.sleep(random.uniform(0, longest_life))
        live.end(signal.SIGKILL)
        live.start()
        if enough(kills):
            print(f"\n{kills} kills", end=", ")
            return


def report(load: Load, seconds: float, faults: Faults) -> None:
    """The figures, for who runs it with -s."""
    replays = sum(each.replayed for each in load.told)
    print(f"{load.leads} acknowledged leads, {len(load.told)} clicks, {replays} replays, {seconds:.0f} s", end=", ")
    print(
        f"interruptions {dict(Counter(load.broken))}, faults { {name: len(which) for name, which in faults.items()} }"
    )


def test_kill_minus_9_loses_and_doubles_nothing(place: Place, long: bool) -> None:
    load = load_on(place, keys=True)
    wanted, leads = (LONG_KILLS, LONG_LEADS) if long else (KILLS, 0)

    def enough(kills: int) -> bool:
        return kills >= wanted and load.leads >= leads

    began = time.monotonic()
    load.run(CLIENTS, lambda: kill_until(place.live, 5.0 if long else 0.5, enough))
    seconds = time.monotonic() - began
    faults = Audit(place.account, load.told).faults()
    report(load, seconds, faults)
    assert faults == {}
    # The kills did interrupt requests, and keys did stand for clicks that were stored already.
    assert len([kind for kind in load.broken if kind != ConnectionRefusedError.__name__]) >= wanted
    assert any(each.replayed for each in load.told)


def test_the_control_without_keys_doubles_leads_and_effects(place: Place) -> None:
    load = load_on(place, keys=False)
    load.run(4, lambda: until(lambda: load.leads >= CONTROL_LEADS))
    faults = Audit(place.account, load.told).faults()
    report(load, 0, faults)
    assert faults.keys() == {
        "number with several leads",
        "lead that nobody was told of",
        "click with several effects",
        "lead that was overwritten by an older click",
    }
    # Each of these befalls one person of ten at least.
    assert min(len(which) for which in faults.values()) > CONTROL_LEADS // 20


def test_a_crash_of_postgresql_loses_and_doubles_nothing(tmp_path: Path, own_postgres: Postgres) -> None:
    """SQLite has no process of its own to crash: it dies with the server, and is in the test above."""

    def crash() -> None:
        for _ in range(CRASHES):
            time.sleep(1)
            own_postgres.halt()
            own_postgres.resume()

    with serving(Settings(data_dir=tmp_path, database_url=own_postgres.create_database())) as place:
        load = Load(place.live.port, place.account.schedule_token)
        load.run(CLIENTS, crash)
        assert Audit(place.account, load.told).faults() == {}
    assert "503" in load.broken


@pytest.mark.parametrize("row", table("sabotage.csv"), ids=lambda row: row["sabotage"])
def test_the_audit_notices_that(row: dict[str, str], live: Live, account: Account) -> None:
    load = Load(live.port, account.schedule_token, finish=partial(complete, account))
    client = Client(load)
    for number in range(10):
        load.serve(client, number)
    client.close()
    assert Audit(account, load.told).faults() == {}
    [plain] = [each for each in load.told if each.click.name == "4-a"]
    values = {"lead_id": plain.lead_id, "click": plain.click.name, "company_id": account.company_id, "id": new_id()}
    write(account, row["sql"].split(";"), values)
    assert row["fault"] in Audit(account, load.told).faults()


def test_the_audit_notices_rows_that_point_nowhere(
    database: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with opened(new_settings(database, request, tmp_path)) as app:
        migrate(app)
        account = make_account(app)
        app.test_client().post(f"/api/v1/leads?lead_token={account.schedule_token}&caller_id=7192221234&sub_id=x")
        assert "row that points nowhere" not in Audit(account, []).faults()
        with app.app_context():
            connection = db.engine.raw_connection()
            connection.cursor().execute(BLIND[database])
            connection.cursor().execute(f"update touch set submission_id = '{new_id()}'")
            connection.commit()
            connection.close()
        faults = Audit(account, []).faults()
    assert faults["row that points nowhere"] == ["fk_touch_submission_id"]
    assert ("damaged file" in faults) == (database == "sqlite")
