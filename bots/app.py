"""The one place where the parts are wired together: settings in, a running Bobbin out."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import structlog

from bots import checkup, database, platforms
from bots.files import NO_PUBLIC_URL, PATH, FileDoor, with_port
from bots.kit import Kit
from bots.roles import Roles
from bots.supervisor import keep_up, run_until
from bots.text.reasoning import visible
from bots.web import Web
from core import presentation
from core.admission import Admission
from core.asking.limits import ASIDE
from core.asking.service import Service
from core.asking.trial import Trial
from core.engine.embedded import Embedded
from core.errors import SetupError
from core.language import usually
from core.relay import Relay
from core.secret_box import SecretBox
from core.settings import NO_KEY, proxy_for
from core.storage.budgets import Budgets
from core.storage.database import open_database
from core.storage.ledger import Ledger
from core.upstream.client import Upstream
from core.vitals import Vitals
from core.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.chat import Chat
    from core.engine import Engine
    from core.engine.jobs import Jobs
    from core.settings import Settings

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Of the parts that are joined here."""

    database: database.Times = database.USUAL
    checkup: checkup.Times = checkup.USUAL
    presentation: presentation.Times = presentation.USUAL
    aside: float = ASIDE  # seconds that a token is left alone which the AI service refuses


USUAL = Times()


class Bobbin:
    """The bot: every part of it, made from the settings."""

    def __init__(
        self,
        settings: Settings,
        names: Sequence[str],
        only: Sequence[str] = (),
        *,
        checks: bool = False,
        times: Times = USUAL,
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
        if settings.hiding(names):
            log.info(NO_PUBLIC_URL)
        self.vitals = Vitals()
        self.web = Web(self.vitals)
        self._settings = settings
        self._database = open_database(settings.database.url.get_secret_value(), worked=self.vitals.metrics.worked)
        self._watch = database.DatabaseWatch(settings, self._database, self.vitals, times.database)
        self._jobs = _jobs(settings)
        summon = self._jobs.summon if self._jobs else None
        self._ledger = Ledger(
            self._database,
            summon,
            quota=settings.limits.quota,
            rates=settings.limits.rates,
            bot_turns=settings.access.bot_turns,
        )
        self._service = _service(settings, self.vitals, times.aside)
        self._models = settings.models
        self._trial = Trial(self._service, self._models)
        self._roles = Roles.of(names, only, shares_its_work=settings.shares_its_work)
        self._checkup = checkup.Checkup(self.vitals, times.checkup)
        secret_box = SecretBox.of(settings.secret_key.get_secret_value())
        self._chats = self._join_chats(names, secret_box)
        self._files = FileDoor(self._public_url, secret_box, lambda: self._chats)
        self.web.get(PATH, self._files.answer)
        worker = self._make_worker(times.presentation)
        self._engine = _engine(self._jobs, self._ledger, worker)
        for part in (database.PART, *self._roles.listens):
            self.vitals.expect(part)
        if checks:
            self._checkup.watch_chats(self._chats, self._roles.listens)
            if self._roles.works:
                self._checkup.watch_upstream(settings, self._service)
        self._relay = self._make_relay(worker)

    def _public_url(self) -> str:
        return with_port(self._settings.web.public_url, self.web.port)

    def _join_chats(self, names: Sequence[str], secret_box: SecretBox) -> dict[str, Chat]:
        kit = Kit(
            notes=self._ledger,
            secret_box=secret_box,
            vitals=self.vitals,
            routes=self.web,
            budgets=Budgets(self._database) if self._settings.shares_its_work else None,
            most_pages=self._settings.limits.pages,
            hears_alone=not self._settings.shares_its_work,
            names=self._settings.questions.names,
            bots=frozenset(self._settings.access.bots),
            buttons=self._settings.questions.buttons,
            contact=self._settings.access.contact,
        )
        return {name: platforms.platform(name).build(self._settings.section(name), kit) for name in names}

    def _make_worker(self, times: presentation.Times) -> Worker:
        return Worker(
            self._ledger,
            self._service,
            self._chats,
            self._settings.named_presets,
            transcript_budget=self._settings.limits.transcript,
            longest_answer=self._settings.limits.answer,
            context_budget=self._settings.limits.context,
            metrics=self.vitals.metrics,
            visible=partial(visible, streaming=True),
            refused=self._checkup.hurry,
            make_link=self._files.link,
            titles=self._settings.questions.titles == "model",
            tells_names=self._settings.questions.names,
            contact=self._settings.access.contact,
            times=times,
        )

    def _make_relay(self, worker: Worker) -> Relay:
        settings, metrics = self._settings, self.vitals.metrics
        rules = {name: settings.access.rules.of(settings.section(name).forms) for name in self._chats}
        return Relay(
            self._ledger,
            self._engine.wake,
            settings.named_presets,
            interrupt=worker.interrupt,
            stop=worker.stop,
            is_alone=not settings.shares_its_work,
            longest_question=settings.limits.question,
            on_edit=settings.questions.on_edit,
            on_delete=settings.questions.on_delete,
            admission=Admission(rules, self._chats, self._ledger, contact=settings.access.contact, metrics=metrics),
            models=self._models,
            trial=self._trial,
            metrics=metrics,
        )

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
            parts.enter_context(usually(self._settings.language))  # for every task that is begun from here on
            parts.push_async_callback(self._database.close)
            parts.push_async_callback(self._service.aclose)
            parts.push_async_callback(self._trial.aclose)
            door = self._settings.web
            await parts.enter_async_context(self.web.open(door.host, door.port, door.health_port))
            await parts.enter_async_context(self._checkup.going_on())
            if not await self._watch.open(parts, stop):
                return
            if self._roles.works and not await self._watch.start(self._engine, self._chats.keys(), stop):
                await self._engine.stop(0)
                return
            try:
                await run_until(
                    stop,
                    self._watch.watch(self._ledger),
                    self._announce(),
                    *(self._keep_listening(name) for name in self._roles.listens),
                )
            finally:
                self.vitals.down("process", "ending")
                log.info("ending", threads=self._engine.busy)
                await self._engine.stop(self._settings.shutdown_grace)

    async def _keep_listening(self, name: str) -> None:
        await keep_up(name, lambda: self._chats[name].listen(self._relay), self.vitals)

    async def _announce(self) -> None:
        await self.vitals.well()
        log.info(
            "ready",
            listens=self._roles.listens,
            answers=self._roles.works,
            health=f"http://127.0.0.1:{self.web.health_port}/readyz",
        )
        await asyncio.Event().wait()


def _service(settings: Settings, vitals: Vitals, aside: float) -> Service:
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
        aside=aside,
    )


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

    return Procrastinate(jobs, ledger, worker.see_to, worker.stop)
