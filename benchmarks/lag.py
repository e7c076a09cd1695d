"""How far what people see is behind what has come, on a chat that takes an update a second and a round trip for each."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

from benchmarks.rig import core_of
from benchmarks.rows import Aim, Row
from core.relay import Relay
from core.thread import ConversationId
from core.turn import Reply, Turn
from core.upstream.client import Upstream
from core.upstream.prompt import AnswerSoFar, Prompt

WORDS, PACE = 200, 0.05  # seconds between two of them
INTERVAL, ROUND_TRIP = 1.2, 0.15  # seconds
BEHIND = Aim("text shown behind text received, mean over a round trip", "{:.2f} × the interval", 0.6)


class Typing:
    """An upstream that says one word after another, and knows when it said which."""

    def __init__(self) -> None:
        self.said_at: list[float] = []

    async def aclose(self) -> None:
        pass

    @asynccontextmanager
    async def ask(self, prompt: Prompt) -> AsyncIterator[Typing]:
        del prompt
        yield self

    async def __aiter__(self) -> AsyncIterator[None]:
        for _ in range(WORDS):
            await asyncio.sleep(PACE)
            self.said_at.append(time.monotonic())
            yield

    @property
    def most(self) -> int:
        return len(self.said().text)

    def said(self) -> AnswerSoFar:
        return AnswerSoFar("word " * len(self.said_at), ConversationId("any"))


class Slow:
    """A chat at a platform's pace."""

    name = "silent"

    def __init__(self) -> None:
        self.shown_at: list[float] = []
        self._last = 0.0

    async def listen(self, relay: Relay) -> None:
        await asyncio.Event().wait()

    async def ready(self, turn: Turn) -> None:
        del turn
        await asyncio.sleep(self._last + INTERVAL - time.monotonic())

    async def show(self, turn: Turn) -> Reply:
        self._last = time.monotonic()
        await asyncio.sleep(ROUND_TRIP)
        new = turn.answer.count("word") - len(self.shown_at)
        self.shown_at += [time.monotonic()] * new
        return Reply("shown")


async def measure() -> list[Row]:
    chat, typing = Slow(), Typing()
    with tempfile.TemporaryDirectory() as folder:
        async with core_of(cast("Upstream", typing), Path(folder), chat) as running:
            await running.ask(1, "say something")
            await running.engine.idle()
    lags = [shown - said for said, shown in zip(typing.said_at, chat.shown_at, strict=True)]
    mean = statistics.mean(lags)
    return [
        BEHIND.row(
            (mean - ROUND_TRIP) / INTERVAL,
            f"{mean:.2f} s (most {max(lags):.2f})",
            f"{INTERVAL:.1f} s between updates, {ROUND_TRIP:.2f} s each",
        )
    ]
