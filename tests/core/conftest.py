"""A chat and an upstream of our own, without network: they remember, and do as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from core.relay import Relay
from core.thread import ConversationId
from core.turn import Reply, Turn
from core.upstream.prompt import AnswerSoFar, Prompt


async def to_its_end(showing: Coroutine[Any, Any, Reply]) -> Reply:
    """As the port has it: cancelled once, it comes to its end, and returns what it knows."""
    task = asyncio.ensure_future(showing)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        return await task


class FakeChat:
    """Remembers what each thread would show. Its note is the number of the message that it would edit."""

    def __init__(self, name: str = "chat") -> None:
        self.name = name
        self.messages: list[list[str]] = []  # of each message all that it ever showed
        self.turns: list[Turn] = []  # everything that was shown, in order
        self.refusals: list[Exception] = []  # raised one by one, before anything is shown
        self.appeals: list[Turn] = []
        self.gate = asyncio.Event()  # `ready` waits for it while a turn streams
        self.gate.set()
        self.changed = asyncio.Condition()

    async def listen(self, relay: Relay) -> None:
        await asyncio.Event().wait()

    async def ready(self, turn: Turn) -> None:
        if not turn.is_over:
            await self.gate.wait()

    async def show(self, turn: Turn) -> Reply:
        return await to_its_end(self._show(turn))

    async def _show(self, turn: Turn) -> Reply:
        await asyncio.sleep(0)
        if self.refusals:
            raise self.refusals.pop(0)
        self.turns.append(turn)
        reply = turn.reply
        if text := turn.answer + turn.problem:
            if not reply:
                self.messages.append([])
                reply = Reply(str(len(self.messages) - 1))
            self.messages[int(reply)].append(text)
        async with self.changed:
            self.changed.notify_all()
        return reply

    async def appeal(self, turn: Turn) -> None:
        self.appeals.append(turn)

    async def until(self, text: str) -> None:
        """Wait until something shows *text*."""
        async with self.changed:
            await self.changed.wait_for(lambda: any(text in shown for message in self.messages for shown in message))

    @property
    def now(self) -> list[str]:
        """What each message shows now."""
        return [message[-1] for message in self.messages]


class FakeStream:
    """Says what it was given, piece by piece; an exception among the pieces is raised, an event waited for."""

    def __init__(self, pieces: Iterable[str | Exception | asyncio.Event], conversation: ConversationId | None) -> None:
        self._pieces = pieces
        self._said = AnswerSoFar("", conversation)

    async def __aiter__(self) -> AsyncIterator[None]:
        for piece in self._pieces:
            await asyncio.sleep(0)
            if isinstance(piece, Exception):
                raise piece
            if isinstance(piece, asyncio.Event):
                await piece.wait()
                continue
            self._said = AnswerSoFar(self._said.text + piece, self._said.conversation)
            yield

    def said(self) -> AnswerSoFar:
        return self._said

    @property
    def most(self) -> int:
        return len(self._said.text)


class FakeUpstream:
    """Gives one prepared answer after another, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[list[str | Exception | asyncio.Event]] = []
        self.prompts: list[Prompt] = []
        self.conversation: str | None = "c-1"  # None: the one that it was asked in
        self.streaming = 0
        self.most_streaming = 0

    @asynccontextmanager
    async def ask(self, prompt: Prompt, **_: object) -> AsyncIterator[FakeStream]:
        self.prompts.append(prompt)
        pieces = self.answers.pop(0) if self.answers else ["Because."]
        if isinstance(pieces[0], Exception):
            raise pieces[0]
        self.streaming += 1
        self.most_streaming = max(self.most_streaming, self.streaming)
        try:
            if isinstance(pieces[0], asyncio.Event):
                await pieces[0].wait()  # not even the head of the answer comes before
            yield FakeStream(pieces, ConversationId(self.conversation) if self.conversation else prompt.conversation)
        finally:
            self.streaming -= 1


@pytest.fixture
def chat() -> FakeChat:
    return FakeChat()


@pytest.fixture
def upstream() -> FakeUpstream:
    return FakeUpstream()
