"""From the settings to the first answer, and from SIGTERM to the last one."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import pytest
from sqlalchemy import make_url

from server.config import PROJECT, Settings, core_count, documented, from_environment
from server.errors import SettingError
from server.lib.db import JOURNAL_MODE, open_sqlite, wal_is_safe
from server.lib.filelock import FileLock
from server.prepare import DURABLE
from server.serve import GRACE
from tests.conftest import new_settings, opened
from tests.factories import Account, make_account
from tests.faults.place import PATIENCE, Place, name_held, serving, until, web_processes
from tests.faults.volley import lead_request
from tests.live import Live, free_port, running_server
from tests.postgres import Postgres
from tests.raw import Wire, request
from tests.unit import table

pytestmark = pytest.mark.early

NUMBER = "+17192221234"
SENTENCES = {each.metadata["variable"]: each.metadata["sentence"] for each in documented()}


@pytest.fixture
def empty(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings with a database in which there is nothing at all."""
    return new_settings(database, request, tmp_path)


# --- settings -------------------------------------------------------------------------------------------------------


@pytest.fixture
def silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that says nothing of us."""
    for variable in SENTENCES:
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.usefixtures("silence")
@pytest.mark.parametrize("row", table("wrong_settings.csv"), ids=lambda row: f"{row['variable']}={row['value']}")
def test_a_wrong_setting_is_refused_with_its_sentence(row: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(row["variable"], row["value"])
    with pytest.raises(SettingError) as caught:
        from_environment()
    variable = row["variable"].removesuffix("_FILE")
    assert str(caught.value).startswith(f"{variable} is wrong. {SENTENCES[variable]}")
    assert "hunter2" not in str(caught.value)


@pytest.mark.usefixtures("silence")
@pytest.mark.parametrize("row", table("right_settings.csv"), ids=lambda row: f"{row['variable']}={row['value']}")
def test_a_right_setting_is_read(row: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(row["variable"], row["value"])
    assert str(getattr(from_environment(), row["name"])) == row["read"]


@pytest.mark.parametrize("row", table("sqlite_versions.csv"), ids=lambda row: row["version"])
def test_sqlite_uses_wal_where_it_is_safe_and_only_there(row: dict[str, str]) -> None:
    version = tuple(int(part) for part in row["version"].split("."))
    assert wal_is_safe(version) == (row["safe"] == "yes")


def test_a_connection_to_sqlite_keeps_foreign_keys_and_waits_for_its_turn(tmp_path: Path) -> None:
    connection = open_sqlite(tmp_path / "handraiser.db")
    expected = {"journal_mode": JOURNAL_MODE.lower(), "foreign_keys": 1, "busy_timeout": 5000}
    found = {name: connection.execute(f"pragma {name}").fetchone()[0] for name in expected}
    connection.close()
    assert found == expected


# --- starts that are refused ----------------------------------------------------------------------------------------


def refusal(tmp_path: Path, **environ: str) -> str:
    """What a start says that must fail: a sentence or two, never a stack trace."""
    known = {"HANDRAISER_DATA_DIR": str(tmp_path / "data"), "HANDRAISER_PORT": str(free_port()), "DATABASE_URL": ""}
    done = subprocess.run(
        [sys.executable, "-m", "server.serve"],
        cwd=PROJECT,
        env=os.environ | known | environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert done.stderr.startswith("Handraiser cannot start. ")
    assert "Traceback" not in done.stderr
    return done.stderr.removeprefix("Handraiser cannot start. ").strip()


def test_a_wrong_setting_stops_the_start(tmp_path: Path) -> None:
    said = refusal(tmp_path, HANDRAISER_PORT="abc")
    assert said == f"HANDRAISER_PORT is wrong. {SENTENCES['HANDRAISER_PORT']} It is 'abc'."
    assert not (tmp_path / "data").exists()


def test_a_port_that_is_taken_stops_the_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refusal(tmp_path, HANDRAISER_PORT=str(port))
    assert said == f"Nobody can listen on 127.0.0.1, port {port}: Address already in use. Set another --host or --port."


def test_a_data_folder_that_cannot_be_made_stops_the_start(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    said = refusal(tmp_path, HANDRAISER_DATA_DIR=str(file / "data"))
    assert said == f"{file}/data cannot be used: Not a directory. See HANDRAISER_DATA_DIR and DATABASE_URL."


def test_a_database_that_does_not_answer_stops_the_start(tmp_path: Path) -> None:
    said = refusal(tmp_path, DATABASE_URL=f"postgresql://user:hunter2@127.0.0.1:{free_port()}/leads")
    assert said.startswith("The database does not answer: ")
    assert "hunter2" not in said


def test_a_postgresql_that_may_lose_leads_stops_the_start(tmp_path: Path, own_postgres: Postgres) -> None:
    url = own_postgres.create_database()
    conninfo = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for name in DURABLE:
            connection.execute(f"alter system set {name} = off")
        connection.execute("select pg_reload_conf()")
        until(lambda: all(connection.execute(f"show {name}").fetchone() == ("off",) for name in DURABLE))
        said = refusal(tmp_path, DATABASE_URL=url)
        connection.execute("alter system reset all")
        connection.execute("select pg_reload_conf()")
    assert (
        said == "PostgreSQL runs with fsync, full_page_writes, synchronous_commit off and may lose leads. Switch it on."
    )


# --- starts ---------------------------------------------------------------------------------------------------------


def test_the_start_says_what_runs_and_what_to_do_first(empty: Settings, database: str) -> None:
    with running_server(empty) as live:
        lines = dict(line.split(maxsplit=1) for line in live.text.splitlines() if not line.startswith("{"))
        assert lines["Handraiser"] == live.url
        if database == "sqlite":
            assert (
                f"{empty.data_dir}/handraiser.db (journal_mode {JOURNAL_MODE}, synchronous FULL)" in lines["Database"]
            )
            assert lines["Workers"] == "1 x 64 threads"
        else:
            assert f"{make_url(empty.database).database} on 127.0.0.1 (durable commits)" in lines["Database"]
            assert lines["Workers"] == f"{core_count()} x 2 threads"
        assert lines["First"].startswith("./dev demo")


def test_a_restart_is_quick_finds_all_that_was_stored_and_asks_for_nothing_to_be_done_first(place: Place) -> None:
    lead = {"lead_token": place.account.schedule_token, "caller_id": NUMBER}
    first = place.live.post(params=lead).json()
    assert place.live.end() == 0
    place.live.log.write_text("")
    began = time.monotonic()
    place.live.start()
    print(f"\nrestarted in {time.monotonic() - began:.1f} s")
    assert time.monotonic() - began < 20  # It is 3 on a machine with nothing else to do.
    again = place.live.post(params=lead).json()
    assert (again["action"], again["lead_id"]) == ("unchanged", first["lead_id"])
    assert "First" not in place.live.text


def test_two_that_start_at_once_on_an_empty_database_both_serve(empty: Settings) -> None:
    lives = [Live(empty, free_port(), empty.data_dir / f"serve-{i}.log") for i in range(2)]
    try:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(Live.start, lives))
        with opened(empty) as app:
            account = make_account(app)
            answers = [
                live.post(params={"lead_token": account.schedule_token, "caller_id": NUMBER}).json() for live in lives
            ]
        assert [answer["action"] for answer in answers] == ["created", "unchanged"]
        assert "Traceback" not in lives[0].text + lives[1].text
    finally:
        for live in lives:
            live.end(signal.SIGKILL)


def test_a_url_with_a_password_may_stand_in_a_file(empty: Settings, tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text((empty.database_url or f"sqlite:///{tmp_path}/elsewhere.db") + "\n")
    nowhere = Settings(data_dir=tmp_path)
    with running_server(nowhere, DATABASE_URL_FILE=str(file)) as live:
        name = make_url(empty.database_url).database if empty.database_url else f"{tmp_path}/elsewhere.db"
        assert f"{name} " in live.text
    assert not nowhere.data_dir.joinpath("handraiser.db").exists()


def test_each_web_process_stays_on_a_core_and_they_share_all_cores(place: Place) -> None:
    kept_to = [os.sched_getaffinity(process) for process in web_processes(place.live)]
    assert [len(cores) for cores in kept_to] == [1] * place.live.settings.worker_count
    assert len(set().union(*kept_to)) == min(len(kept_to), core_count())


def test_a_web_process_that_dies_is_replaced(place: Place) -> None:
    workers = web_processes(place.live)
    assert workers
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    until(lambda: len(web_processes(place.live) - workers) == len(workers) and place.live.ready())


def is_replaced(live: Live, worker: int, count: int) -> bool:
    """Whether as many web processes as before run, without the one that died, and answer."""
    workers = web_processes(live)
    return worker not in workers and len(workers) == count and live.ready()


def test_a_successor_that_dies_within_seconds_is_replaced_too(place: Place) -> None:
    count = len(web_processes(place.live))
    for _ in range(3):
        workers = web_processes(place.live)
        [worker, *_] = workers
        os.kill(worker, signal.SIGKILL)
        replaced = partial(is_replaced, place.live, worker, count)
        until(replaced)
    assert place.live.process is not None
    assert place.live.process.poll() is None
    assert place.post(caller_id=NUMBER).status_code == 200


@pytest.mark.parametrize("folder", ["as set", "by default"])
def test_all_that_is_written_lies_under_the_data_folder(folder: str, empty: Settings, tmp_path: Path) -> None:
    program, home, temporary = tmp_path / "program", tmp_path / "home", tmp_path / "temporary"
    shutil.copytree(PROJECT / "server", program / "server", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "wsgi.py", program)
    home.mkdir()
    temporary.mkdir()
    environ = {
        "PYTHONPATH": str(program),
        "PYTHONSAFEPATH": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "HANDRAISER_METRICS": "true",
    }
    if folder == "by default":
        environ["HANDRAISER_DATA_DIR"] = ""
    before = everything(program, home, temporary)
    with running_server(empty, **environ) as live:
        live.post(params={"lead_token": "0" * 32, "caller_id": NUMBER})
        live.end()
    added = everything(program, home, temporary) - before
    if folder == "by default":
        assert program / "var" / "migrate.lock" in added
        added = {path for path in added if program / "var" not in (path, *path.parents)}
    assert added == set()


def everything(*folders: Path) -> set[Path]:
    return {path for folder in folders for path in folder.rglob("*")}


# --- the end --------------------------------------------------------------------------------------------------------


def asked_to_stop(live: Live) -> "subprocess.Popen[bytes]":
    """Sends SIGTERM and waits until nobody is let in any more; the process, which is not ours to stop again."""
    process, live.process = live.process, None
    assert process is not None
    process.send_signal(signal.SIGTERM)
    until(lambda: not listens(live))
    assert process.poll() is None
    return process


def listens(live: Live) -> bool:
    with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", live.port), PATIENCE):
        return True
    return False


def only_lead(account: Account) -> str:
    [lead] = account.leads()
    return str(lead["id"])


def test_sigterm_waits_for_a_body_that_is_on_its_way_and_not_for_who_asks_for_nothing(empty: Settings) -> None:
    with serving(empty, HANDRAISER_BODY_SECONDS="60") as place:
        send_a_body_across_the_end(place)


def send_a_body_across_the_end(place: Place) -> None:
    """Begins a body, has the server asked to stop, and sends the rest."""
    body = urlencode({"lead_token": place.account.schedule_token, "caller_id": NUMBER}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Expect": "100-continue"}
    content = request("POST", "/api/v1/leads", headers, body)
    with Wire(place.live.port) as idle, Wire(place.live.port) as wire:
        idle.send(request("GET", "/healthz"))
        assert idle.read().status == 200
        wire.send(content.removesuffix(body))
        assert wire.read().status == 100  # Somebody reads the body: the request is in flight.
        wire.send(body[:20])
        process = asked_to_stop(place.live)
        began = time.monotonic()
        wire.send(body[20:])
        answer = wire.read()
        assert process.wait(PATIENCE) == 0
    assert (answer.status, answer.json["lead_id"]) == (200, only_lead(place.account))
    assert time.monotonic() - began < GRACE


def test_sigterm_waits_for_a_lead_that_waits_for_the_database(place: Place) -> None:
    with Wire(place.live.port) as wire:
        with name_held(place.account, "slow") as until_waiting:
            wire.send(lead_request(place.account.schedule_token, caller_id=NUMBER, slow="1"))
            until_waiting(1)
            process = asked_to_stop(place.live)
            assert place.account.leads() == []
        answer = wire.read()
    assert (answer.status, answer.json["lead_id"]) == (200, only_lead(place.account))
    assert process.wait(PATIENCE) == 0


def test_sigterm_ends_at_once_a_server_whose_web_processes_are_still_loading(empty: Settings) -> None:
    live = Live(empty, free_port(), empty.data_dir / "serve.log")
    live.log.touch()
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(live.start)
        # The process that prepares has gone when its last line is there.
        until(lambda: "Docs" in live.text and web_processes(live) != set())
        assert live.process is not None
        began = time.monotonic()
        live.process.send_signal(signal.SIGTERM)
        assert live.process.wait(PATIENCE) == 0
        assert time.monotonic() - began < GRACE
        with pytest.raises(RuntimeError, match="did not start"):
            starting.result()


def test_sigterm_ends_at_once_a_server_that_waits_for_another_to_migrate(tmp_path: Path) -> None:
    live = Live(Settings(data_dir=tmp_path), free_port(), tmp_path / "serve.log")
    with FileLock(tmp_path / "migrate.lock").held(), ThreadPoolExecutor(1) as pool:
        starting = pool.submit(live.start)
        until(lambda: web_processes(live) != set())
        [preparing] = web_processes(live)
        assert live.process is not None
        live.process.send_signal(signal.SIGTERM)
        assert live.process.wait(PATIENCE) == 0
        assert not Path(f"/proc/{preparing}").exists()
        with pytest.raises(RuntimeError, match="did not start"):
            starting.result()
    assert not (tmp_path / "handraiser.db").exists()
