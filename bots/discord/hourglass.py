"""The ⏳ on a question that waits for the one before it in its thread. Nice to have, never worth a failure."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from bots.discord.errors import translated
from bots.discord.ids import message_of
from core.bounded import BoundedSet
from core.errors import ChatError, facts

if TYPE_CHECKING:
    from bots.discord.api import Api
    from bots.discord.note import Where
    from bots.discord.pace import Pace
    from core.turn import QuestionKey, Turn, TurnId

WAITS = "⏳"
TIMEOUT = 3.0  # seconds for one call
MOST_TAKEN_OFF = 10_000

log = structlog.get_logger(__name__)


class Hourglass:
    """Puts it on, and takes it off: when the answer begins, and again at its end, should it have come too late.

    The process that puts it on may be another one, or be gone. Nothing is called for a question that didn't wait.
    """

    def __init__(self, api: Api, pace: Pace) -> None:
        self._api = api
        self._pace = pace
        self._taken_off: BoundedSet[TurnId] = BoundedSet(MOST_TAKEN_OFF)
        self._tasks: set[asyncio.Task[None]] = set()

    def on(self, turn: Turn, where: Where) -> None:
        """Have it put on the question soon."""
        if has_message(turn.question.key):
            task = asyncio.create_task(self._call(turn.question.key, where, is_on=True))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def off(self, turn: Turn, where: Where) -> None:
        """Take it off, if it may be there."""
        if turn.waited and has_message(turn.question.key) and (self._taken_off.add(turn.id) or turn.is_over):
            await self._call(turn.question.key, where, is_on=False)

    async def _call(self, question: QuestionKey, where: Where, *, is_on: bool) -> None:
        channel, message = where.starter.channel if where.starter else where.channel, message_of(question)
        try:
            async with asyncio.timeout(TIMEOUT):
                await self._pace.spare()
                with translated():
                    async with self._api.client() as client:
                        call = client.http.add_reaction if is_on else client.http.remove_own_reaction
                        await call(channel, message, WAITS)
        except TimeoutError:
            log.debug("the ⏳ on a question that waits can't be changed in time")
        except ChatError as trouble:
            log.debug("the ⏳ on a question that waits can't be changed", **facts(trouble))


def has_message(question: QuestionKey) -> bool:
    """Does a message ask it, so that there is something to put it on?"""
    return "/" not in question
