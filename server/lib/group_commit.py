"""Group commit for SQLite: what waits is written in one transaction, so that many answers share one fsync."""

import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from server.lib.db import undo_sqlite
from server.lib.filelock import FileLock

# A batch is whatever waits when the last one is done, up to this many: the fsync itself is the gathering time.
BATCH = 64

# Takes back what one job of the batch has written; the job may go on.
UNDO_JOB = "rollback to job"


class RolledBack(Exception):
    """The transaction of a whole batch did not commit: nothing of it is stored."""


class Waiting:
    """A job in the queue, and the thread that sleeps until it is done or promoted to leader."""

    __slots__ = ("done", "error", "job", "keep", "leads", "result")

    def __init__(self, job: Callable[[sqlite3.Cursor], Any], keep: bool) -> None:
        self.job = job
        self.keep = keep
        self.result: Any = None
        self.error: BaseException | None = None
        self.leads = False
        # A lock is let go by another thread than took it, and costs a tenth of a semaphore.
        self.done = threading.Lock()
        self.done.acquire()


class GroupCommit:
    """Leader and followers: the first thread to come commits for all that wait; no thread of its own."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], lock: FileLock) -> None:
        self.connect = connect
        self.lock = lock
        self.connection: sqlite3.Connection | None = None
        self.mutex = threading.Lock()
        self.queue: deque[Waiting] = deque()
        self.busy = False
        self.jobs = threading.Lock()

    def give_way(self) -> None:
        """Waits while a batch's jobs run, if they do: SQLite lets go of the interpreter at each step, and whoever is
        busy beside the leader takes it and hands it back each time, which costs more than the step."""
        with self.jobs:
            pass

    def run(self, job: Callable[[sqlite3.Cursor], Any], keep: bool = True) -> Any:
        """What the job returned, once it is committed; or its exception. With `keep=False` its writes are undone.

        The job may run on another request's thread: it must touch nothing but its cursor and plain values.
        """
        mine = Waiting(job, keep)
        with self.mutex:
            self.queue.append(mine)
            mine.leads = not self.busy
            self.busy = True
        if not mine.leads:
            mine.done.acquire()
        if mine.leads:
            self.lead()
        if mine.error is not None:
            raise mine.error
        return mine.result

    def lead(self) -> None:
        """Commits one batch, this thread's job among it, then hands the lead to the next that waits."""
        with self.mutex:
            batch = [self.queue.popleft() for _ in range(min(len(self.queue), BATCH))]
        try:
            self.commit(batch)
        except BaseException as error:
            failure = RolledBack(str(error))
            failure.__cause__ = error
            for each in batch:
                each.error = each.error or failure
            if not isinstance(error, sqlite3.Error | OSError):
                raise
        finally:
            for each in batch:
                if not each.leads:
                    each.done.release()
            self.promote()

    def promote(self) -> None:
        """Wakes the thread that waits longest as the new leader, if there is one."""
        with self.mutex:
            if not self.queue:
                self.busy = False
                return
            heir = self.queue[0]
            heir.leads = True
        heir.done.release()

    def commit(self, batch: list[Waiting]) -> None:
        """One transaction; raises if the whole did not commit."""
        with self.lock.held():
            connection = self.connection = self.connection or self.connect()
            cursor = connection.cursor()
            try:
                cursor.execute("begin immediate")
                with self.jobs:
                    if not self.all_well(cursor, batch):
                        self.start_again(cursor)
                        for each in batch:
                            self.attempt(cursor, each)
                cursor.execute("commit")
            except BaseException:
                self.reset(connection)
                raise
            cursor.close()

    def all_well(self, cursor: sqlite3.Cursor, batch: list[Waiting]) -> bool:
        """Runs the jobs without savepoints, which cost half as much again as the jobs themselves. Whether none of them
        has left anything that must be undone; if one has, nothing that was done counts."""
        if not all(each.keep for each in batch):
            return False
        for each in batch:
            before = cursor.connection.total_changes
            try:
                each.result = each.job(cursor)
            except sqlite3.Error:
                return False
            except Exception as error:
                each.error = error
                if cursor.connection.total_changes != before:
                    return False
        return True

    def start_again(self, cursor: sqlite3.Cursor) -> None:
        """Takes back what the transaction has done so far; SQLite has done so itself after some errors."""
        if cursor.connection.in_transaction:
            cursor.execute("rollback")
        cursor.execute("begin immediate")

    def attempt(self, cursor: sqlite3.Cursor, each: Waiting) -> None:
        """One job in its savepoint. A database that cannot write fails the batch, any other error only this job."""
        cursor.execute("savepoint job")
        each.error = None
        try:
            each.result = each.job(cursor)
        except sqlite3.OperationalError:
            raise
        except Exception as error:
            each.error = error
        if each.error is not None or not each.keep:
            cursor.execute(UNDO_JOB)
        cursor.execute("release job")

    def reset(self, connection: sqlite3.Connection) -> None:
        """Closes the connection, which undoes what it had begun; the next batch opens a new one."""
        self.connection = None
        undo_sqlite(connection)
        connection.close()

    def close(self) -> None:
        """Closes the connection between batches."""
        with self.lock.held():
            if self.connection is not None:
                self.reset(self.connection)
