"""The one place where things are joined: settings in, a running Bobbin out."""

from __future__ import annotations

import asyncio
import time
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from bots import platforms
from bots.checkup import Checkup
from bots.kit import Kit
from bots.supervisor import keep_up
from bots.text.reasoning import visible
from bots.web import Web
from core.asking.service import Service
from core.engine.embedded import Embedded
from core.errors import SetupError, StorageUnavailable
from core.relay import Relay
from core.settings import NO_KEY, proxy_for
from core.storage.database import open_database, readable
from core.storage.ledger import Ledger
from core.storage.migrate import migrate
from core.upstream.client import Upstream
from core.vitals import Vitals
from core.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from core.chat import Chat
    from core.engine import Engine
    from core.engine.jobs import Jobs
    from core.settings import Settings
    from core.storage.database import Database

log = structlog.get_logger(__name__)

WORKER = "worker"  # beside the platforms, the part that answers
ENDING = 10.0  # seconds that a process takes to end, beside its answers
DATABASE_CHECK = 2.0  # seconds between two looks at whether the database answers
WRITE_CHECK = 10.0  # seconds between two that write: a disk that is full is still read


@dataclass(frozen=True, slots=True)
class Roles:
    """What of the work a process does."""

    listens: tuple[str, ...]  # the platforms whose questions it takes
    works: bool  # does it answer?

    @classmethod
    def of(cls, names: Sequence[str], only: Sequence[str], *, shares_its_work: bool) -> Roles:
        """Raises SetupError for what a single process can't leave to others."""
        if not only:
            return cls(tuple(names), works=True)
        if unknown := [part for part in only if part not in (*names, WORKER)]:
            raise SetupError(f"--only {unknown[0]}: no such part is set up; there are {', '.join((*names, WORKER))}.")
        works = WORKER in only or not shares_its_work
        listens = tuple(name for name in names if name in only)
        if not shares_its_work and not listens:
            raise SetupError(
                "--only worker: with the embedded engine one process does it all; use PostgreSQL to share it."
            )
        return cls(listens, works)


class Bobbin:
    """The bot: every part of it, made from the settings."""

    def __init__(
        self, settings: Settings, names: Sequence[str], only: Sequence[str] = (), *, checks: bool = False
    ) -> None:
        """*names* are the platforms to run, *only* the parts of that which this process is to do: platforms to listen
        to, `worker` to answer; all of it if empty. *checks*: ask the AI service and the platforms by itself whether the
        set-up is right. Nothing is connected yet; raises SetupError for what can't be right.
        """
        if not settings.upstream.every_token:
            raise SetupError("There is no token for the AI service: set BOBBIN_UPSTREAM__TOKEN.")
        if settings.lacks_key(names):
            if only:  # then there are others, for certain
                raise SetupError(NO_KEY)
            log.warning(NO_KEY)
        self.vitals = Vitals()
        self.web = Web(self.vitals)
        self._settings = settings
        self._database = open_database(settings.database.url.get_secret_value())
        self._jobs = _jobs(settings)
        summon = self._jobs.summon if self._jobs else None
        self._ledger = Ledger(self._database, summon, quota=settings.limits.quota)
        self._service = _service(settings, self.vitals)
        self._roles = Roles.of(names, only, shares_its_work=settings.shares_its_work)
        kit = Kit(
            notes=self._ledger,
            secret_box=settings.secret_box,
            vitals=self.vitals,
            routes=self.web,
            most_pages=settings.limits.pages,
        )
        self._chats: dict[str, Chat] = {
            name: platforms.platform(name).build(settings.section(name), kit) for name in names
        }
        presets = settings.named_presets
        worker = Worker(
            self._ledger,
            self._service,
            self._chats,
            presets,
            transcript_budget=settings.limits.transcript,
            longest_answer=settings.limits.answer,
            metrics=self.vitals.metrics,
            visible=partial(visible, streaming=True),
        )
        self._engine = _engine(self._jobs, self._ledger, worker)
        for part in ("database", *self._roles.listens):
            self.vitals.expect(part)
        self._checkup = Checkup(self.vitals)
        if checks:
            self._checkup.watch_chats(self._chats, self._roles.listens)
            if self._roles.works:
                self._checkup.watch_upstream(settings, self._service)
        self._relay = _relay(settings, self._ledger, self._engine, worker, self.vitals)

    @property
    def busy(self) -> int:
        """How many threads have something left to do."""
        return self._engine.busy

    async def idle(self) -> None:
        """Wait until no thread has something left to do."""
        await self._engine.idle()

    async def run(self, stop: asyncio.Event) -> None:
        """Run until *stop* is set, then end in order. Raises SetupError when a platform can never work like this."""
        async with AsyncExitStack() as parts:
            parts.push_async_callback(self._database.close)
            parts.push_async_callback(self._service.aclose)
            door = self._settings.web
            await parts.enter_async_context(self.web.open(door.host, door.port, door.health_port))
            await parts.enter_async_context(self._checkup.going_on())
            if not await self._open_database(parts, stop):
                return
            if self._roles.works:
                await self._engine.start(self._chats.keys())
            try:
                await self._listen(stop)
            finally:
                self.vitals.down("process", "ending")
                log.info("ending", threads=self._engine.busy)
                await self._engine.stop(self._settings.shutdown_grace)

    async def _open_database(self, parts: AsyncExitStack, stop: asyncio.Event) -> bool:
        """Bring the database up to date, however long it can't be reached; return False when asked to stop meanwhile.

        Raises SetupError when processes are at it that can't be there together, or when it is reached by a pooler that
        can't do.
        """
        while not stop.is_set():
            try:
                await _check_sessions(self._settings)
                await migrate(self._database)
                return await _unless(stop, parts.enter_async_context(_presence(self._settings, self._database)))
            except StorageUnavailable as error:
                self._database_is_away(error)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), DATABASE_CHECK)
        return False

    async def _listen(self, stop: asyncio.Event) -> None:
        tasks: list[asyncio.Task[Any]] = [
            asyncio.create_task(stop.wait()),
            asyncio.create_task(self._watch_database()),
            asyncio.create_task(self._announce()),
            *(asyncio.create_task(self._keep_listening(name), name=name) for name in self._roles.listens),
        ]
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in ended:
            task.result()  # one that came to an end by itself says why

    async def _keep_listening(self, name: str) -> None:
        await keep_up(name, lambda: self._chats[name].listen(self._relay), self.vitals)

    async def _watch_database(self) -> None:
        write_at = 0.0
        while True:
            by_writing = time.monotonic() >= write_at
            try:
                await self._ledger.check(by_writing=by_writing)
                self.vitals.up("database")
                write_at = time.monotonic() + WRITE_CHECK if by_writing else write_at
            except StorageUnavailable as error:
                self._database_is_away(error)
                write_at = 0.0  # only what can be written to is well again
            await asyncio.sleep(DATABASE_CHECK)

    def _database_is_away(self, error: StorageUnavailable) -> None:
        where = readable(self._settings.database.url.get_secret_value())
        log.warning(
            "the database can't be reached or written to", database=where, why=str(error.__cause__ or "").split("\n")[0]
        )
        self.vitals.down("database", "can't be reached or written to")

    async def _announce(self) -> None:
        await self.vitals.well()
        log.info(
            "ready",
            listens=self._roles.listens,
            answers=self._roles.works,
            health=f"http://127.0.0.1:{self.web.health_port}/readyz",
        )
        await asyncio.Event().wait()


async def _unless(stop: asyncio.Event, entering: Awaitable[None]) -> bool:
    """Wait for *entering*, but no longer than until *stop* is set; return whether that came to its end."""
    tasks = entered, asked = asyncio.ensure_future(entering), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if entered.done():
            await entered
        return entered.done()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(entered, asked, return_exceptions=True)


def _relay(settings: Settings, ledger: Ledger, engine: Engine, worker: Worker, vitals: Vitals) -> Relay:
    return Relay(
        ledger,
        engine.wake,
        settings.named_presets,
        interrupt=worker.interrupt,
        longest_question=settings.limits.question,
        on_edit=settings.questions.on_edit,
        on_delete=settings.questions.on_delete,
        metrics=vitals.metrics,
    )


def _service(settings: Settings, vitals: Vitals) -> Service:
    upstream = settings.upstream
    presets = settings.named_presets.values()
    return Service(
        [
            Upstream(upstream.url, token, proxy=proxy_for(upstream.url), idle_timeout=upstream.idle_timeout)
            for token in upstream.every_token
        ],
        in_flight=upstream.in_flight,
        per_second=upstream.per_second,
        models={model for one in presets for model in (one.model, *(one.fallbacks or ())) if model},
        metrics=vitals.metrics,
    )


async def _check_sessions(settings: Settings) -> None:
    if settings.is_on_postgresql:
        from core.engine.presence import check_sessions  # noqa: PLC0415  # as below

        await check_sessions(settings.database.url.get_secret_value())


def _presence(settings: Settings, database: Database) -> AbstractAsyncContextManager[None]:
    # An earlier process ends within its grace, which is ours, and with what it has open.
    patience = settings.shutdown_grace + ENDING
    if not settings.shares_its_work:
        return database.sole(patience)
    from core.engine.presence import sharing  # noqa: PLC0415  # as below

    return sharing(settings.database.url.get_secret_value(), patience)


def _jobs(settings: Settings) -> Jobs | None:
    """Return where the processes of this database find their work; None when there is but one process."""
    if not settings.shares_its_work:
        return None
    try:
        from core.engine.jobs import Jobs  # noqa: PLC0415  # who runs on SQLite doesn't have it
    except ModuleNotFoundError as error:
        raise SetupError(
            "database.url names PostgreSQL; install what it needs: pip install 'bobbin-bot[postgres]'"
        ) from error
    return Jobs(settings.database.url.get_secret_value())


def _engine(jobs: Jobs | None, ledger: Ledger, worker: Worker) -> Engine:
    if jobs is None:
        return Embedded(ledger, worker.see_to)
    from core.engine.distributed import Procrastinate  # noqa: PLC0415  # as above

    return Procrastinate(jobs, ledger, worker.see_to)
