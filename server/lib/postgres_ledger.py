"""The ledger on PostgreSQL: all arms are one statement, which goes through libpq itself."""

import secrets
import select
import time
from collections.abc import Callable, Sequence
from typing import Any, LiteralString, cast

import psycopg
from psycopg.adapt import Transformer
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult
from sqlalchemy import make_url

from server.lib.db import CONNECT
from server.lib.ledger import (
    Arm,
    Conflict,
    Ledger,
    Result,
    Row,
    Values,
    WriteFailed,
    Writes,
    decided,
    sorted_rows,
)
from server.lib.postgres_statements import Numbered, copy_of, numbered, one_statement, one_statement_if

# A connection forgets its prepared statements when there are so many: each takes up memory in PostgreSQL.
PREPARED_MOST = 100

# Intake finds every row by its key. A plan that was made while the tables were small reads them whole, and is kept
# until they are analysed, which a fresh installation feels most; the penalty that forbids it would wake the compiler.
BY_KEY: tuple[LiteralString, ...] = ("set enable_seqscan = off", "set jit = off")
# Nobody waits for another's lock longer than on SQLite: each who waits has a thread that answers nobody else.
PATIENT: LiteralString = "set lock_timeout = 5000"

# Seconds that a connection lives.
LIFE = 1800.0

# Seconds after which a connection that nobody used is looked at: the server may have hung up.
RESTED = 1.0

# How PostgreSQL says that somebody else was faster.
LOST = (
    psycopg.errors.UniqueViolation,
    psycopg.errors.DivisionByZero,
    psycopg.errors.SerializationFailure,
    psycopg.errors.DeadlockDetected,
)


class PostgresLedger:
    """All arms are one statement. A ledger lives as long as its connection and knows what that has prepared."""

    dialect = "postgresql"
    guesses = True

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self.connection = connection
        self.cursor = connection.cursor()
        # Kept, because a new one would look up again how each type is read.
        self.loader = Transformer(connection)
        self.prepared: dict[bytes, bytes] = {}
        self.opened_at = self.used = time.monotonic()
        self.line = select.poll()
        self.line.register(connection.pgconn.socket, select.POLLIN)

    def ended(self) -> bool:
        """Whether the server has hung up, as far as can be told without a question: it says nothing else unasked."""
        return bool(self.line.poll(0))

    def row(self, sql: str, values: Values) -> Row | None:
        """The first row of a query."""
        rows = self.rows(sql, values)
        return rows[0] if rows else None

    def rows(self, sql: str, values: Values) -> list[Row]:
        """All rows of a query."""
        result = self.execute(numbered(sql), values)
        if not result.ntuples:
            return []
        self.loader.set_pgresult(result)
        return self.loader.load_rows(0, result.ntuples, tuple)

    def touch(self, sql: str) -> None:
        """A statement that shows whether the database takes writes."""
        self.command(sql)

    def write(self, arms: Sequence[Arm], values: Values) -> None:
        """All arms or none; raises Conflict."""
        self.judged(one_statement(tuple(arms)), values)

    def write_if(self, premise: str, arms: Sequence[Arm], values: Values) -> bool:
        """All arms if the premise has a row, else none; raises Conflict."""
        return self.judged(one_statement_if(premise, tuple(arms)), values) == 1

    def write_rows(self, writes: Writes) -> None:
        """The inserts of many writes as one transaction, all or none; raises Conflict."""
        if not writes:
            return
        if self.connection.pgconn.transaction_status != TransactionStatus.IDLE:
            raise ValueError("rows are written in a transaction of their own: what is to be undone would be committed")
        self.command("begin")
        try:
            for row, many in sorted_rows(writes).items():
                with self.cursor.copy(copy_of(row)) as copy:
                    for cells in row.cells(many):
                        copy.write_row(cells)
            self.command("commit")
        except BaseException as error:
            self.command("rollback")
            if isinstance(error, LOST):
                raise Conflict from error
            raise

    def judged(self, statement: Numbered, values: Values) -> int:
        """The one number that a statement answers with; raises Conflict where the database says no."""
        try:
            return self.number(statement, values)
        except LOST as error:
            raise Conflict from error

    def number(self, statement: Numbered, values: Values) -> int:
        """The one number that a statement answers with."""
        return int(self.execute(statement, values).get_value(0, 0) or 0)

    def execute(self, statement: Numbered, values: Values) -> PGresult:
        """Run a statement, prepared on first use, through libpq itself: psycopg's cursor converts each value and waits
        in Python, which costs a twentieth of a lead's time."""
        name = self.prepared.get(statement.text) or self.prepare(statement.text)
        # psycopg's annotation leaves NULL out.
        sent = cast(list[bytes], statement.encode(values))
        return self.checked(self.connection.pgconn.exec_prepared(name, sent))

    def prepare(self, text: bytes) -> bytes:
        """The name of a statement that is prepared now."""
        if len(self.prepared) >= PREPARED_MOST:
            for name in self.prepared.values():
                self.command(f"deallocate {name.decode()}")
            self.prepared.clear()
        name = f"arms{len(self.prepared)}".encode()
        self.checked(self.connection.pgconn.prepare(name, text))
        self.prepared[text] = name
        return name

    def command(self, sql: str) -> None:
        """A statement without values and without an answer."""
        self.checked(self.connection.pgconn.exec_(sql.encode()))

    def checked(self, result: PGresult) -> PGresult:
        """The result, if it is one; raises what psycopg would."""
        if result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
            return result
        if self.connection.pgconn.status != ConnStatus.OK:
            raise psycopg.OperationalError(result.get_error_message())
        raise psycopg.errors.error_from_result(result)


def pause(lost: int) -> None:
    """Steps aside for a random while, up to 0.1 s: many that want one row at once would starve one another."""
    longest = min(100_000, 1_000 << min(lost, 7))
    time.sleep(secrets.randbelow(longest) / 1e6)


class PostgresRunner:
    """Each job has a connection for its reading and its one writing statement, and those that rest are kept: as many as
    there are threads. SQLAlchemy's pool does more than that, for a twentieth of what a lead costs."""

    shares_commits = False

    def __init__(self, url: str, statement_seconds: int = 30) -> None:
        known = make_url(url)
        self.settings = (*BY_KEY, PATIENT, f"set statement_timeout = {statement_seconds * 1000}")
        self.arguments, self.options = known.get_dialect()().create_connect_args(known)
        # The one that rested last is taken first.
        self.resting: list[PostgresLedger] = []

    def run(self, job: Callable[[Ledger], Result], keep: bool = True) -> Result:
        """The job's result once its writes are committed, or undone; raises WriteFailed."""
        try:
            ledger = self.rested() or self.opened()
        except psycopg.Error as error:
            raise WriteFailed(str(error)) from error
        sound = True
        try:
            return decided(job, ledger, pause) if keep else self.undone(job, ledger)
        except (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError) as error:
            sound = False
            ledger.connection.close()
            raise WriteFailed(str(error)) from error
        finally:
            if sound:
                ledger.used = time.monotonic()
                self.resting.append(ledger)

    def rested(self) -> PostgresLedger | None:
        """A connection that is there, young enough, and whose server has not gone since: nothing is sent yet, so that
        another will do."""
        while True:
            try:
                ledger = self.resting.pop()
            except IndexError:
                return None
            now = time.monotonic()
            if now - ledger.opened_at < LIFE and (ledger.used > now - RESTED or not ledger.ended()):
                return ledger
            ledger.connection.close()

    def opened(self) -> PostgresLedger:
        """A new connection, which commits each statement by itself: for one statement that is as atomic as a
        transaction, and two round trips shorter."""
        options: dict[str, Any] = {**self.options, **CONNECT, "autocommit": True, "prepare_threshold": 0}
        connection = psycopg.connect(*self.arguments, **options)
        for setting in self.settings:
            connection.execute(setting.encode())
        return PostgresLedger(connection)

    def give_way(self) -> None:
        """Any moment is good: each job has a connection of its own."""

    def close(self) -> None:
        """Lets go of the database; the next job opens it again."""
        while self.resting:
            self.resting.pop().connection.close()

    def undone(self, job: Callable[[Ledger], Result], ledger: PostgresLedger) -> Result:
        """Runs the job for real in a transaction of its own and takes it back: how a dry run stays true."""

        def restart(lost: int) -> None:
            ledger.command("rollback to savepoint job")
            pause(lost)

        # Not through psycopg, which forgets what it has prepared at each rollback, and has the server forget all.
        ledger.command("begin")
        try:
            ledger.command("savepoint job")
            return decided(job, ledger, restart)
        finally:
            ledger.command("rollback")
