"""SQLite in a thread of its own, many transactions in one commit."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from contextvars import copy_context
from typing import IO, TYPE_CHECKING, Any, TypeVar

from sqlalchemy import URL, create_engine, event
from sqlalchemy.exc import DBAPIError

from core.storage.alone import OTHER, patiently
from core.storage.location import LOCK, check_location
from core.storage.trouble import translated

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from sqlalchemy import Connection

T = TypeVar("T")


class Sqlite:
    """One connection: SQLite has one writer anyway, and waiting for our own turn beats its sleeping busy handler.

    Per statement instead (aiosqlite) the same transaction took 2.4 times as long: docs/decisions/0002-sqlite-thread.md.
    What waits while others commit is committed together: docs/decisions/0017-group-commit.md.
    """

    def __init__(
        self,
        where: URL,
        file: Path | None,
        connect_timeout: float,
        worked: Callable[[float, int], None],
        joined_within: float,
    ) -> None:
        """*file* is that of *where*, whatever links lead there: what is beside it, our lock included, is beside that.

        *worked* is told, in our thread, how many seconds each commit took and how many transactions were in it.
        What waits joins those before it in one commit, which is what takes the time, for *joined_within* seconds: then these
        are waited for.
        """
        self._worked = worked
        self._joined_within = joined_within
        self._file = file
        self._opened: tuple[int, int] | None = None  # which file it was when it was opened; None before
        if self._file:
            check_location(self._file)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite")
        self._line = _Line()
        self._engine = create_engine(
            where,
            pool_size=1,
            max_overflow=0,
            hide_parameters=True,  # people's words, which an error would take into the log
            connect_args={"check_same_thread": False, "timeout": connect_timeout},
        )
        event.listen(self._engine, "do_connect", self._make)
        event.listen(self._engine, "connect", _set_up)
        event.listen(self._engine, "begin", _begin_immediate)

    async def run(self, work: Callable[[Connection], T], *, first: bool = False) -> T:
        job = _Job(work)
        if self._line.add(job, first=first):
            self._thread.submit(self._see_to_all)
        result: T = await job.future
        return result

    @asynccontextmanager
    async def sole(self, patience: float) -> AsyncIterator[None]:
        if self._file is None:
            yield
            return
        with self._file.with_name(self._file.name + LOCK).open("w") as lock:
            await patiently(lambda: _flock(lock), patience, OTHER)
            yield

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._engine.dispose)
        self._thread.shutdown()

    def _see_to_all(self) -> None:
        """Until nobody waits. In our thread."""
        while job := self._line.next_or_leave():
            done, began = [job], time.monotonic()
            try:
                self._commit(done)
            except BaseException as error:  # noqa: BLE001 (who waits for it is told)
                for one in done:
                    one.fail(error)
            for one in done:
                one.tell()
            self._worked(time.monotonic() - began, len(done))

    def _commit(self, done: list[_Job]) -> None:
        """Do what is in *done*, and what else waits by then, in one transaction. If it raises, nothing of it is done."""
        with translated():
            self._check_that_it_is_there()
            with self._engine.begin() as connection:
                self._opened = self._opened or self._found()
                until = time.monotonic() + self._joined_within
                done[0].run(connection)
                while time.monotonic() < until and (job := self._line.next()):
                    done.append(job)
                    _join(connection, job)

    def _make(self, *_: object) -> None:
        """Make the file as its owner's alone, since it holds people's words; SQLite gives what it puts beside it the same mode."""
        if self._file:
            with suppress(FileExistsError):
                os.close(os.open(self._file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))

    def _check_that_it_is_there(self) -> None:
        """Raise OSError if the file was deleted or replaced: SQLite would go on with one that has no name any more.

        https://www.sqlite.org/howtocorrupt.html#_unlinking_or_renaming_a_database_file_while_in_use
        """
        if self._opened and self._opened != self._found():
            raise FileNotFoundError(
                errno.ENOENT,
                "the database's file was deleted or replaced; put it back, or restart Bobbin",
                str(self._file),
            )

    def _found(self) -> tuple[int, int] | None:
        if self._file is None:
            return None
        try:
            found = self._file.stat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino


class _Job:
    """What somebody waits for."""

    def __init__(self, work: Callable[[Connection], Any]) -> None:
        self._work = work
        self._here = copy_context()  # what is composed in a transaction is in the language that is spoken
        self._loop = asyncio.get_running_loop()
        self._result: Any = None
        self._error: BaseException | None = None
        self.future: asyncio.Future[Any] = self._loop.create_future()

    @property
    def is_wanted(self) -> bool:
        return not self.future.cancelled()

    def run(self, connection: Connection) -> None:
        self._result = self._here.run(self._work, connection)

    def fail(self, error: BaseException) -> None:
        # A future takes no StopIteration, and would never end.
        self._error = self._error or (RuntimeError(repr(error)) if isinstance(error, StopIteration) else error)

    def tell(self) -> None:
        with suppress(RuntimeError):  # nobody waits any more: the loop is closed
            self._loop.call_soon_threadsafe(self._settle)

    def _settle(self) -> None:
        if self.future.done():
            return
        if self._error:
            self.future.set_exception(self._error)
        else:
            self.future.set_result(self._result)


def _join(connection: Connection, job: _Job) -> None:
    """Do what *job* wants; if that fails, it alone leaves nothing behind. Raises what fails for all."""
    connection.exec_driver_sql("SAVEPOINT one")
    try:
        with translated():
            job.run(connection)
    except Exception as error:  # noqa: BLE001 (who waits for it is told)
        try:
            connection.exec_driver_sql("ROLLBACK TO one")
        except DBAPIError:
            # SQLite has ended the transaction, as for a disk that is full:
            # https://www.sqlite.org/lang_transaction.html#response_to_errors_within_a_transaction
            raise error from None
        job.fail(error)
    connection.exec_driver_sql("RELEASE one")


class _Line:
    """Of those that wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._first: deque[_Job] = deque()
        self._others: deque[_Job] = deque()
        self._is_seen_to = False

    def add(self, job: _Job, *, first: bool) -> bool:
        """Return whether nobody sees to the line, and somebody now has to."""
        with self._lock:
            (self._first if first else self._others).append(job)
            was_seen_to, self._is_seen_to = self._is_seen_to, True
            return not was_seen_to

    def next(self) -> _Job | None:
        """Take out the next one, if anybody is there who still waits."""
        with self._lock:
            return self._next()

    def next_or_leave(self) -> _Job | None:
        """As `next`; if nobody is there, nobody sees to the line any more."""
        with self._lock:
            job = self._next()
            self._is_seen_to = job is not None
            return job

    def _next(self) -> _Job | None:
        for waiting in (self._first, self._others):
            while waiting:
                if (job := waiting.popleft()).is_wanted:
                    return job
        return None


async def _flock(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _set_up(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see below
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")  # accepted means recorded, through a power cut as well
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    # The write lock from the start: a transaction that first reads and then writes can't be refused half-way.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
