"""Catches up on what was said while the bot was away: read back within bounds, and handled like live messages."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic
from weakref import WeakValueDictionary

import structlog

from bots.listening.events import Deleted, Edited, Ignored, Overheard, Said
from bots.listening.reader import P, Round
from bots.listening.unreadable import HISTORY, skipped
from core.bounded import BoundedSet
from core.errors import BobbinError, ChatBusy, ChatError, StorageUnavailable, facts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bots.listening.mark import Mark
    from bots.listening.reader import Backlog, Reader
    from bots.listening.router import Router
    from core.metrics import Metrics
    from core.relay import Relay
    from core.thread import Thread
    from core.turn import QuestionKey

MOST_TOLD = 100  # kinds of refusals; their codes come from outside

log = structlog.get_logger(__name__)


class CatchUp(Generic[P]):
    """Catches up for one connection: from the moment at which it brings new messages until the old ones are heard.

    In each place, the old ones come first: who asks there meanwhile waits, and nobody else does.
    """

    def __init__(self, reader: Reader[P], router: Router, relay: Relay, mark: Mark, metrics: Metrics) -> None:
        self.mark = mark
        self._reader = reader
        self._router = router
        self._relay = relay
        self._bounds = reader.bounds
        self._metrics = metrics
        self._round: Round[P] = Round(is_over=True)
        self._is_stopped = asyncio.Event()
        self._has_missed = asyncio.Event()
        self._one_at_a_time: WeakValueDictionary[P, asyncio.Lock] = WeakValueDictionary()
        self._told: BoundedSet[str] = BoundedSet(MOST_TOLD)  # codes that were logged

    async def begin(self) -> None:
        """The connection is there: to be called before anything live is let through."""
        this = self._round = Round()
        self.mark.begin()
        self._router.connected()
        try:
            await self._plan(this)
        except StorageUnavailable:
            log.warning("the database is away; reading later what was missed", chat=self._reader.chat)
        finally:
            this.tried.set()

    async def run(self) -> None:
        """Read what was missed, within bounds, however long the platform or the database makes us wait."""
        this = self._round
        await this.tried.wait()
        while this is self._round and not (this.is_over or self._is_stopped.is_set()):
            try:
                await self._read_all(this)
            except StorageUnavailable:
                await self._pause(self._bounds.pause_without_database)
            except ChatError as trouble:
                self._tell(trouble)
                this.refusals += 1
                this.is_over = this.refusals >= self._bounds.refusals
                await self._pause(0.0 if this.is_over else trouble.retry_after or self._bounds.pause)
        if this.is_over and (this.open or not this.is_listed):
            log.warning(
                "not all places where something was said while the bot was away can be read",
                chat=self._reader.chat,
                places=len(this.open),
            )
        elif this.is_over and this is self._round:
            self.mark.end()
            await self.mark.keep()

    async def before(self, said: Said) -> None:
        """Take what was missed in the places of *said*, which came live and is taken after that. Raises StorageUnavailable."""
        this = self._round
        await this.tried.wait()
        if this.is_over or not this.is_planned:
            return
        is_known = any(place in this.asked for place in said.places[-1:])
        for place in said.places[-1:] if is_known else said.places:
            try:
                await self._close(place, this, is_urgent=True)
            except ChatError as trouble:
                self._tell(trouble)

    @contextmanager
    def hearing(self, position: int) -> Iterator[None]:
        """While the body runs, the message at *position*, which came live, is not heard yet.

        If it can't be recorded, it is read back by `mend`: the platform brings it again for a while only, if at all.
        """
        with self.mark.hearing(position):
            try:
                yield
            except StorageUnavailable:
                self.mark.miss(position)
                self._has_missed.set()
                raise

    async def mend(self) -> None:
        """Whenever something could not be recorded, read it back as soon as the database takes it; until stopped."""
        while not self._is_stopped.is_set():
            await self._has_missed.wait()
            await self.again()

    async def again(self) -> None:
        """The connection was lost, and is there again."""
        await self.begin()
        await self.run()

    def stop(self) -> None:
        """Have no more read."""
        self._is_stopped.set()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._is_stopped.wait(), seconds)

    async def _plan(self, this: Round[P]) -> None:
        """Learn where people have talked with the bot of late. Raises StorageUnavailable."""
        await self.mark.load()
        this.oldest = self._router.oldest
        this.since = max(self.mark.since, this.oldest)
        oldest = datetime.now(UTC) - timedelta(hours=self._router.hours)
        for one in await self._relay.active_threads(self._reader.chat, oldest, self._bounds.places):
            if (place := await self._reader.place(one.thread)) is not None:
                this.asked.setdefault(place, one.newest)
                this.called.setdefault(place, one.first)
        this.is_planned = True
        self._has_missed.clear()
        self.mark.read_back()

    async def _read_all(self, this: Round[P]) -> None:
        """Raises StorageUnavailable and ChatBusy: then the rest is to be read later."""
        if not this.is_planned:
            await self._plan(this)
        if not this.is_listed:
            # Who was never here before has missed nothing.
            for place in list(this.asked) if self.mark.is_first else await self._reader.places(this):
                if place not in this.done:
                    this.open.setdefault(place, self._after(place, this))
            this.is_listed = True
        while this.open and this.calls < self._bounds.calls and not self._is_stopped.is_set():
            await self._close(next(iter(this.open)), this, is_urgent=False)
        this.is_over = not self._is_stopped.is_set()

    async def _close(self, place: P, this: Round[P], *, is_urgent: bool) -> None:
        """Raises StorageUnavailable and ChatBusy: then it is still open."""
        # Before it is this one's turn: who asks here meanwhile is not to wait for what can wait.
        if place in this.done or not await self._reader.ready(is_urgent=is_urgent):
            return
        async with self._one_at_a_time.setdefault(place, asyncio.Lock()):
            if place in this.done:
                return
            try:
                await self._read(place, this)
            except (ChatBusy, StorageUnavailable):
                raise
            except ChatError as refusal:
                self._tell(refusal)
            except Exception as error:  # noqa: BLE001  # a place that can't be read must not end listening
                skipped(self._reader.chat, HISTORY, error, self._metrics)
            this.open.pop(place, None)
            this.done.add(place)

    async def _read(self, place: P, this: Round[P]) -> None:
        after, newest = this.open.get(place, self._after(place, this)), this.asked.get(place)
        told = await self._reader.read(place, after, this)
        if told.after is None or told.after > max(this.since, after):
            log.warning(
                "more was said in a place while the bot was away than it reads back; leaving out the oldest",
                chat=self._reader.chat,
                place=place,
                read=len(told.messages),
            )
        if newest and self._is_deleted(place, newest, told):
            await self._router.hear(Deleted((newest,)))
        for position, message in told.messages:
            await self._take(place, position, message, after, this)
        this.calls += told.calls
        for below, from_ in told.below.items():
            if from_ is None:
                this.open.pop(below, None)
                this.done.add(below)
            elif below not in this.done:
                this.open.setdefault(below, from_)

    def _after(self, place: P, this: Round[P]) -> int:
        """From the newest question on, since that one may have been changed."""
        asked_at = self._asked_at(place, this)
        known = this.since if asked_at is None else min(this.since, asked_at - 1)
        return max(known, this.oldest)

    def _asked_at(self, place: P, this: Round[P]) -> int | None:
        """Return where the newest question of *place* stands; None if there is none, or no message asked it."""
        newest = this.asked.get(place)
        return self._reader.position(newest) if newest else None

    async def _called_at(self, thread: Thread, this: Round[P]) -> int:
        """Return where the bot was first asked in *thread*; 0 if it wasn't, as far as is known, or by no message."""
        place = await self._reader.place(thread)
        first = None if place is None else this.called.get(place)
        return (self._reader.position(first) if first else None) or 0

    def _is_deleted(self, place: P, newest: QuestionKey, told: Backlog[P]) -> bool:
        """Does its absence prove that it was deleted? Only where what comes after it was told."""
        told_of, position = [at for at, _ in told.messages], self._reader.position(newest)
        if position is None or told.after is None or not told.after < position < max(told_of, default=0):
            return False
        return position not in told_of and self._reader.proves_deleted(place, newest)

    async def _take(self, place: P, position: int, message: Any, after: int, this: Round[P]) -> None:
        with self.mark.hearing(position):
            try:
                heard = await self._reader.heard(place, message)
                if isinstance(heard, Edited):
                    heard = replace(heard, may_ask=heard.may_ask and position > after)
                elif isinstance(heard, Said) and (position <= after or heard.question.key in this.asked.values()):
                    heard = Ignored("heard before")
                elif isinstance(heard, Overheard):
                    # What was said before the bot was called, it was not asked.
                    called = await self._called_at(heard.said.question.thread, this)
                    is_known = heard.said.question.key in this.asked.values()
                    heard = replace(heard, is_new=position > max(after, this.since, called) and not is_known)
                await self._router.hear(heard)
            except BobbinError:
                raise
            except Exception as error:  # noqa: BLE001  # one message must not keep the others
                skipped(self._reader.chat, HISTORY, error, self._metrics)

    def _tell(self, trouble: ChatError) -> None:
        if self._told.add(trouble.code):
            log.warning(
                "what was said while the bot was away can't be read",
                chat=self._reader.chat,
                **facts(trouble),
            )
