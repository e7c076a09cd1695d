"""Records what threads hand in: in their order, patiently, and once; and tells who is to answer it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakValueDictionary

import structlog

from core import attachment, quote
from core.backoff import Backoff, retry
from core.bounded import BoundedSet
from core.errors import BotsAlone, CannotBeKept, StorageUnavailable, facts
from core.words import whole

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from core.admission import Admission
    from core.following import Following
    from core.metrics import Metrics
    from core.storage.ledger import Ledger
    from core.thread import Thread, ThreadId
    from core.turn import Accepted, Question, Reply

T = TypeVar("T")

log = structlog.get_logger(__name__)

# Between two tries to record a question; in a platform's two or three seconds there is room for a few.
BACKOFF = Backoff(first=0.5, longest=1.0)
# Questions that are being recorded: a database that does one thing at a time has the turns under way wait behind them.
AT_ONCE = 8
MOST_NAMED = 1_000  # threads in which bots were left alone, and of which the log was told


class Accepting:
    """Records questions: whatever a method has returned from is recorded."""

    def __init__(
        self,
        ledger: Ledger,
        wake: Callable[[ThreadId], None],
        following: Following,
        *,
        admission: Admission | None,
        metrics: Metrics,
        backoff: Backoff,
    ) -> None:
        """As for `Relay`."""
        self._ledger = ledger
        self._wake = wake
        self._following = following
        self._admission = admission
        self._metrics = metrics
        self._backoff = backoff
        self._bots_alone: BoundedSet[ThreadId] = BoundedSet(MOST_NAMED)
        # Questions that a thread hands in at the same moment are recorded in the order in which it did.
        self._in_order: WeakValueDictionary[ThreadId, asyncio.Lock] = WeakValueDictionary()
        self._at_once = asyncio.Semaphore(AT_ONCE)

    async def admit(self, asker: str, thread: Thread) -> None:
        """Raises Unwelcome if *asker* may not ask in *thread*."""
        if self._admission:
            await self._admission.admit(asker, thread)

    async def accept(
        self, question: Question, reply: Reply, told: str | None, patience: float, *, is_seen: bool = False
    ) -> Accepted:
        """Record *question*, as `Relay.ask`; *told* and *is_seen* as for `Ledger.accept`."""
        question = keepable(question)
        async with self.in_turn(question.thread):
            try:
                accepted = await self.patiently(
                    lambda: self._ledger.accept(question, reply, told, is_seen=is_seen), patience
                )
            except CannotBeKept as error:
                accepted = await self.refuse(question, reply, error, patience)
        return self.accepted(accepted)

    @asynccontextmanager
    async def in_turn(self, thread: Thread) -> AsyncIterator[None]:
        """Record in the body what *thread* hands in, when its turn has come. Raises BotsAlone, of which the log is told."""
        async with self._in_order.setdefault(thread.id, asyncio.Lock()), self._at_once:
            try:
                yield
            except BotsAlone:
                self._tell_of_bots(thread)
                raise

    async def refuse(self, question: Question, reply: Reply, error: CannotBeKept, patience: float) -> Accepted:
        """Record, and have told, that the database does not take what *question* says."""
        log.error("the database refuses a question", thread=question.thread.id, **facts(error))
        bare = replace(question, text="", attachments=(), asker_name="", quotes=())
        return await self.patiently(lambda: self._ledger.accept(bare, reply, told=error.sentence), patience)

    async def patiently(self, record: Callable[[], Awaitable[T]], patience: float) -> T:
        """Call *record* again while there is no database, for as many seconds. Raises StorageUnavailable."""
        return await retry(record, replace(self._backoff, give_up_after=patience), on=StorageUnavailable)

    def accepted(self, accepted: Accepted) -> Accepted:
        """Tell who is to answer what is recorded, if it is new; return the same."""
        if accepted.is_new:
            turn, thread = accepted.turn, accepted.turn.question.thread.id
            self._following.called(thread)
            if whose := accepted.exceeded:
                self._metrics.over_quota.labels(whose).inc()
                # In silence: else the log would be flooded as well; the metric counts all of them.
                tell = log.debug if turn.shown else log.warning
                tell("refused, since it is more than is allowed", of=whose, thread=thread, turn=turn.id)
            else:
                log.info(
                    "a question is accepted",
                    thread=thread,
                    turn=turn.id,
                    reference=turn.reference,
                    asker=turn.question.asker,
                    told=turn.is_over,
                )
            if not turn.shown:
                self._wake(thread)
        return accepted

    def _tell_of_bots(self, thread: Thread) -> None:
        self._metrics.refused_askers.labels(thread.chat, "bots alone").inc()
        if self._bots_alone.add(thread.id):
            log.warning("only bots ask in a thread; keeping quiet until a person asks", thread=thread.id)


def keepable(question: Question) -> Question:
    """Return *question* as the database can take it."""
    return replace(
        question,
        text=whole(question.text),
        attachments=question.attachments[: attachment.MOST],
        quotes=quote.keepable(question.quotes),
    )
