"""Passes what people do on to core, in order for each message."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import structlog

from bots.listening.events import Clicked, Deleted, Edited, Heard, Ignored, Overheard, Said, Shared
from bots.listening.recent import Recent, Remark
from core.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from bots.listening.mark import Scale
    from bots.reply.note import Note
    from core.relay import Relay
    from core.turn import Accepted, QuestionKey, Turn

NO_SUCH_QUESTION = "I can't find that question any more. Please ask it again."
NOT_TO_SHARE = "I can't share that: only the person who asked can, once there is a whole answer."
SHARED_BEFORE = "That answer has been shared already."

log = structlog.get_logger(__name__)


class Router:
    """Returns only when what it was handed is recorded, and raises StorageUnavailable if it can't be."""

    def __init__(
        self,
        relay: Relay,
        scale: Scale,
        *,
        hours: float,
        record: Callable[[Said], Awaitable[Accepted]],
        accepted: Callable[[Turn, Note[Any]], None],
        words_command: bool = True,
    ) -> None:
        """*record* a question; *accepted* is told of each new one. An edit of what is older than so many *hours* asks nothing.

        *words_command*: does `record` obey words that are a command? Where it asks them, an edit to them is one like any.
        """
        self._relay = relay
        self._scale = scale
        self.hours = hours
        self._record = record
        self._accepted = accepted
        self._words_command = words_command
        self.recent = Recent()
        self._in_order: WeakValueDictionary[QuestionKey, asyncio.Lock] = WeakValueDictionary()

    @property
    def oldest(self) -> int:
        """Where what is not asked any more ends, if it was missed."""
        return self._scale.at(time.time() - self.hours * 3600)

    async def hear(self, heard: Heard) -> None:
        match heard:
            case Ignored(reason):
                log.debug("a message is not for the bot", why=reason)
            case Overheard(said):
                self._remember(said)
            case Deleted(keys):
                for key in keys:
                    self.recent.forget(key)
                    async with self._alone_with(key):
                        await self._relay.withdraw(key)
            case Said():
                self._remember(heard)
                async with self._alone_with(heard.question.key):
                    await self._take(heard)

    def _remember(self, said: Said) -> None:
        self.recent.add(said.question.thread.id, Remark(said.position, said.question))

    async def click(self, clicked: Clicked) -> str:
        """Have a question answered again; return a sentence to tell if it can't be."""
        return "" if await self._relay.again(clicked.key, of_attempt=clicked.attempt) else NO_SUCH_QUESTION

    async def share(self, shared: Shared) -> str:
        """Have others see a private answer; return a sentence to tell if that isn't done, or was done before."""
        accepted = await self._relay.share(shared.key, shared.by, shared.thread, shared.note.write())
        if accepted is None:
            return NOT_TO_SHARE
        return "" if accepted.is_new else SHARED_BEFORE

    async def _take(self, said: Said) -> None:
        may_ask = not isinstance(said, Edited) or (said.may_ask and said.position >= self.oldest)
        accepted = await self._record(said) if may_ask else None
        if accepted and accepted.is_new:
            self._accepted(accepted.turn, said.note)
        elif isinstance(said, Edited):
            await self._relay.revise(said.question, words_command=self._words_command)

    def _alone_with(self, key: QuestionKey) -> asyncio.Lock:
        return self._in_order.setdefault(key, asyncio.Lock())


@asynccontextmanager
async def recorded_within(seconds: float) -> AsyncIterator[None]:
    """Raises StorageUnavailable when the body takes longer than the platform waits for us.

    It may still have been recorded; then what was wanted is done as well.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as late:
        raise StorageUnavailable from late
