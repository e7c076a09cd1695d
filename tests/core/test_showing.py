from __future__ import annotations

import asyncio
from typing import Any

import pytest

from core.errors import ThreadGone
from core.showing import Showing
from core.thread import PlaceId, Thread, ThreadId
from core.turn import Question, QuestionKey, Reply, Status, Turn, TurnId


class Chat:
    """Its thread is gone as soon as it is told to be."""

    def __init__(self) -> None:
        self.is_gone = asyncio.Event()

    async def ready(self, _: Turn) -> None:
        pass

    async def show(self, _: Turn) -> Reply:
        await self.is_gone.wait()
        raise ThreadGone


@pytest.mark.parametrize("rounds", range(12))
async def test_who_is_cancelled_while_the_thread_goes_is_cancelled(rounds: int) -> None:
    """So many *rounds* of the event loop after the thread went."""
    thread = Thread(ThreadId("chat:1"), "chat", (PlaceId("chat:work"),))
    question = Question(QuestionKey("1"), thread, "ada", "Why?")
    turn = Turn(id=TurnId(1), question=question, status=Status.STREAMING, reference="0123abcd")
    chat, ledger = Chat(), Any

    async def show() -> None:
        async with Showing(chat, ledger, turn).live(lambda: turn):  # type: ignore[arg-type]  # as much as is used
            await asyncio.Event().wait()

    showing = asyncio.create_task(show())
    for _ in range(5):
        await asyncio.sleep(0)
    chat.is_gone.set()
    for _ in range(rounds):
        await asyncio.sleep(0)
    was_cancelled = showing.cancel()
    (outcome,) = await asyncio.gather(showing, return_exceptions=True)
    assert isinstance(outcome, asyncio.CancelledError if was_cancelled else ThreadGone)
