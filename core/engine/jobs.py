"""The jobs that procrastinate keeps for us in PostgreSQL: which threads need work, and which process does it."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import TYPE_CHECKING, Any

import psycopg
import structlog
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Status
from procrastinate.manager import JobManager
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from procrastinate.sql import queries
from procrastinate.worker import Worker
from psycopg_pool import PoolTimeout

from core.backoff import Backoff, retry
from core.engine import MOST_THREADS
from core.engine.presence import AWAY
from core.errors import SetupError, StorageUnavailable, facts
from core.storage.database import conninfo
from core.storage.postgresql import over_driver
from core.storage.stops import CHANNEL
from core.turn import TurnId

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable
    from datetime import datetime

    from procrastinate.connector import Notify
    from procrastinate.jobs import Job
    from procrastinate.manager import NotificationCallback

    from core.storage.database import Transaction
    from core.thread import Thread, ThreadId

log = structlog.get_logger(__name__)
logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # each try to connect, of which we tell ourselves

TASK = "see to a thread"
DEAD_AFTER = 6.0  # seconds of silence after which a process counts as dead; see core.presentation.Times.lease
LOOKS_EVERY = 0.5  # seconds; for what no notification tells, such as a job's time that has come
CONNECTIONS = 4  # for finding jobs and finishing them; one more listens
CONNECT_TIMEOUT = 2  # seconds
POOL_TIMEOUT = 5.0  # seconds to wait for a connection until it is tried again; when ending, it is not
BACKOFF = Backoff(first=1.0, longest=10.0)  # of a database that is away, and of a thread that could not be seen to

# One statement: of several processes that look at the same moment, one gets each job.
RESCUE = """
update procrastinate_jobs as job set status = 'todo', attempts = attempts + 1, worker_id = null
where status = 'doing' and not exists (
    select from procrastinate_workers as worker
    where worker.id = job.worker_id and worker.last_heartbeat > now() - make_interval(secs => %(dead_after)s)
)
returning lock
"""
# Only of the worker that holds it: one that was taken for dead, and isn't, would end the job of another.
FINISH = "delete from procrastinate_jobs where id = %(job)s and worker_id = %(worker)s and status = 'doing'"
HAND_BACK = """
update procrastinate_jobs set status = 'todo', attempts = attempts + 1, scheduled_at = %(at)s, worker_id = null
where id = %(job)s and worker_id = %(worker)s and status = 'doing'
"""
WAITING = "select lock from procrastinate_jobs where queue_name = %(chat)s and status in ('todo', 'doing')"
OUR_CHANGES = """
select (
    select count(*) from pg_trigger
    where tgrelid = to_regclass('procrastinate_jobs') and tgname like 'bobbin_lock_is_free_%%' and tgenabled <> 'D'
) = 2 as wakes, exists (
    select from pg_proc where proname = %(fetch)s and 'enable_sort=off' = any(proconfig)
) as is_pinned
"""


class Jobs:
    """The jobs of this database. A job names a thread: its lock is the thread, its queue the thread's chat."""

    def __init__(
        self,
        url: str,
        *,
        at_once: int = MOST_THREADS,
        looks_every: float = LOOKS_EVERY,
        backoff: Backoff = BACKOFF,
    ) -> None:
        """So many threads of a process run *at_once*."""
        self._at_once = at_once
        self._looks_every = looks_every
        self.backoff = backoff
        self._conninfo = conninfo(url)
        self._connector = _Patient(
            conninfo=self._conninfo,
            kwargs={"connect_timeout": CONNECT_TIMEOUT},
            configure=_commit_each,
            min_size=1,
            max_size=CONNECTIONS,
            timeout=POOL_TIMEOUT,
        )
        self._connector.backoff = backoff
        self._app = App(connector=self._connector)
        self._app.job_manager = _Manager(self._connector)

    async def open(self) -> None:
        """Connect. Raises StorageUnavailable; SetupError unless the tables are as our migration leaves them."""
        try:
            # The pool would try for half a minute, and not say why it can't.
            async with await psycopg.AsyncConnection.connect(self._conninfo, connect_timeout=CONNECT_TIMEOUT):
                pass
            await self._connector.open_async()
            fetch = re.findall(r"procrastinate_fetch_job\w*", queries["fetch_job"])[0]
            found = await self._connector.execute_query_one_async(OUR_CHANGES, fetch=fetch)
        except (PoolTimeout, ConnectorException, *AWAY) as error:
            await self._connector.close_async()  # else it would count as open the next time
            raise StorageUnavailable from error
        if not found["wakes"] or not found["is_pinned"]:
            raise SetupError(
                "The engine's tables are not as Bobbin's migrations leave them. Run `bobbin migrate`; if it says that "
                "there is nothing to do, install the version of procrastinate that requirements.lock names."
            )

    async def close(self) -> None:
        await self._connector.close_async()

    def summon(self, transaction: Transaction, thread: Thread, behind: int = 0) -> None:
        """Have *thread* seen to once *transaction* is committed. Raises StorageUnavailable.

        *behind* so many turns that the same person has open: everybody's first comes before anybody's second.
        """
        try:
            over_driver(transaction, lambda driver: self._defer(thread.chat, thread.id, behind, connection=driver))
        except ConnectorException as error:
            if _passes(error):
                raise StorageUnavailable from error
            raise

    async def summon_forgotten(self, chat: str, threads: Iterable[ThreadId]) -> None:
        """Have those of *threads* seen to that have no job: another kind of engine has left them."""
        waiting = {row["lock"] for row in await self._connector.execute_query_all_async(WAITING, chat=chat)}
        for thread in threads:
            if thread not in waiting:
                await self._defer(chat, thread)

    async def rescue(self) -> list[str]:
        """Let others take up the threads of processes that are dead; return these threads."""
        rows = await self._connector.execute_query_all_async(RESCUE, dead_after=DEAD_AFTER)
        return [row["lock"] for row in rows]

    async def beat(self, worker: Worker) -> None:
        """Say that *worker* is alive."""
        if worker.worker_id is not None:
            await self._app.job_manager.update_heartbeat(worker.worker_id)

    def have(self, see_to: Callable[[str], Awaitable[None]]) -> None:
        """Say what is done for a thread."""

        async def task(thread: str) -> None:
            await see_to(thread)

        self._app.task(name=TASK, retry=_Again(self.backoff))(task)

    def on_stop(self, stop: Callable[[TurnId], None]) -> None:
        """Have *stop* called with each turn that somebody, in whatever process, wants to stop."""
        self._connector.stop = stop

    def worker(self, chats: Collection[str]) -> Worker:
        """Return what takes jobs of *chats* and runs them."""
        return Worker(
            self._app,
            queues=list(chats),
            concurrency=self._at_once,
            fetch_job_polling_interval=self._looks_every,
            # One that ends by itself has been taken for dead, so its threads are others' by now.
            shutdown_graceful_timeout=0,
            install_signal_handlers=False,
            stalled_worker_timeout=DEAD_AFTER,
        )

    def hurry(self) -> None:
        """Wait for the database no more."""
        self._connector.hurry.set()

    async def _defer(self, chat: str, thread: ThreadId, behind: int = 0, connection: Any = None) -> None:
        job = self._app.configure_task(TASK, queue=chat, lock=thread, priority=-behind, connection=connection)
        await job.defer_async(thread=thread)


class _Patient(PsycopgConnector):
    """Waits while the database is away.

    procrastinate's worker would not survive it: its heartbeat and its listener would end unnoticed, its loop would
    give up what runs, and a job whose end can't be written would hold its thread's lock for ever.
    """

    backoff = BACKOFF
    stop: Callable[[TurnId], None] = staticmethod(lambda _: None)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.hurry = asyncio.Event()  # set: nothing is waited for any more
        self._told: set[type[object]] = set()  # what has kept us from it since it was last reached

    async def execute_query_async(self, query: Any, **arguments: Any) -> None:
        await self._patiently(super().execute_query_async, query, **arguments)

    async def execute_query_one_async(self, query: Any, **arguments: Any) -> dict[str, Any]:
        return dict(await self._patiently(super().execute_query_one_async, query, **arguments))

    async def execute_query_all_async(self, query: Any, **arguments: Any) -> list[dict[str, Any]]:
        return list(await self._patiently(super().execute_query_all_async, query, **arguments))

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        async def notified(*, channel: str, payload: str) -> None:
            if channel != CHANNEL:
                await on_notification(channel=channel, payload=payload)
            elif payload.isdecimal():
                self.stop(TurnId(int(payload)))

        try:
            await self._patiently(super().listen_notify, notified, [*channels, CHANNEL])
        except ConnectorException as error:
            if not self.hurry.is_set():
                raise
            # Nothing is taken any more, so there is nothing to listen for; procrastinate would log a traceback.
            log.warning("the engine can't listen any more; ending without", **facts(error))

    async def _patiently(self, call: Callable[..., Awaitable[Any]], *values: Any, **arguments: Any) -> Any:
        def again(error: ConnectorException, _pause: float) -> None:
            if self.hurry.is_set() or not _passes(error):
                raise error
            if (kind := type(error.__cause__)) not in self._told:
                log.warning("the engine can't reach the database; trying again", **facts(error))
            self._told.add(kind)

        found = await retry(
            lambda: call(*values, **arguments), self.backoff, on=ConnectorException, failed=again, hurry=self.hurry
        )
        self._told.clear()
        return found


class _Manager(JobManager):
    """Ends only jobs that its worker still holds, and misses no notification."""

    _notified = 0  # how many notifications have come

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:  # noqa: FBT001  # procrastinate's
        del status, delete_job  # what became of a turn is in the ledger
        await self.connector.execute_query_async(FINISH, job=job.id, worker=job.worker_id)

    async def retry_job(
        self,
        job: Job,
        retry_at: datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        del priority, queue, lock  # ours never change
        await self.connector.execute_query_async(HAND_BACK, job=job.id, worker=job.worker_id, at=retry_at)

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        # The worker forgets what it is told while it looks, and what it was told of may be too new to be seen.
        while True:
            notified = self._notified
            job = await super().fetch_job(queues, worker_id)
            if job is not None or notified == self._notified:
                return job

    async def listen_for_jobs(
        self, *, on_notification: NotificationCallback, queues: Iterable[str] | None = None
    ) -> None:
        async def count(*, channel: str, notification: Any) -> None:
            self._notified += 1
            await on_notification(channel=channel, notification=notification)

        await super().listen_for_jobs(on_notification=count, queues=queues)


class _Again(BaseRetryStrategy):
    """Whatever cut a job off, its thread still has something to do."""

    def __init__(self, backoff: Backoff) -> None:
        self._backoff = backoff

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, asyncio.CancelledError):  # handed back
            return RetryDecision()
        return RetryDecision(retry_in={"seconds": round(self._backoff.grown(job.attempts))})


def _passes(error: ConnectorException) -> bool:
    """Will it be well again by itself? Two processes that take jobs of one thread at the same moment are as well."""
    return isinstance(error, UniqueViolation) or isinstance(error.__cause__, AWAY)


async def _commit_each(connection: psycopg.AsyncConnection[Any]) -> None:
    # Each of procrastinate's queries is a transaction of its own: one round trip instead of three.
    await connection.set_autocommit(True)
