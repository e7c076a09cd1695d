from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from core.errors import Overtaken, ThreadGone
from core.presentation import LAST_REQUEST, USUAL, Presentation, Times
from core.thread import PlaceId, Thread, ThreadId
from core.turn import NOTHING_SHOWN, Question, QuestionKey, Reply, Status, Turn, TurnId

THREAD = Thread(ThreadId("chat:1"), "chat", (PlaceId("chat:work"),))
TURN = Turn(TurnId(1), Question(QuestionKey("1"), THREAD, "ada", "Why?"), Status.STREAMING, reference="0123abcd")


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
    chat = Chat()

    async def show() -> None:
        async with Presentation(chat, Any, NOTHING_SHOWN, since=time.monotonic()).live(lambda: TURN):  # type: ignore[arg-type]  # as much as is used
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


async def test_what_hangs_at_the_end_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only then the answer is recorded."""
    waits: list[float] = []
    wait = asyncio.wait

    async def hurried(tasks: set[asyncio.Task[None]], timeout: float | None = None) -> object:  # noqa: ASYNC109  # asyncio's
        waits.append(timeout or 0)
        return await wait(tasks, timeout=None if timeout is None else 0)

    monkeypatch.setattr(asyncio, "wait", hurried)
    async with Presentation(Chat(), Any, NOTHING_SHOWN, since=time.monotonic()).live(lambda: TURN):  # type: ignore[arg-type]  # as much as is used
        await asyncio.sleep(0.01)
    assert LAST_REQUEST <= sum(waits) < LAST_REQUEST + 1


class Ledger:
    """Says at first that the turn is ours: in an answer that waits until the process is awake again."""

    def __init__(self, clock: list[float]) -> None:
        self.clock = clock
        self.asked = 0

    async def holds(self, _: Turn) -> None:
        self.asked += 1
        if self.asked > 1:
            raise Overtaken
        self.clock[0] += 2 * USUAL.lease


class Shown(Chat):
    def __init__(self) -> None:
        self.times = 0

    async def show(self, turn: Turn) -> Reply:
        self.times += 1
        return turn.reply


async def test_who_was_frozen_while_the_ledger_answered_asks_again() -> None:
    clock, chat = [1000.0], Shown()
    ledger = Ledger(clock)
    since = clock[0] - 2 * USUAL.lease
    presentation = Presentation(chat, ledger, NOTHING_SHOWN, since=since, clock=lambda: clock[0])  # type: ignore[arg-type]
    with pytest.raises(Overtaken):
        await presentation.end(TURN.finish("Because."))
    assert (ledger.asked, chat.times) == (2, 0)


class Board(Chat):
    """Keeps what it showed, and when."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    async def show(self, turn: Turn) -> Reply:
        if turn.answer:
            self.shown.append(turn.answer)
        return turn.reply


async def streamed(board: Board, first_words: float, *pieces: str, visible: Callable[[str], str] = str) -> Presentation:
    """Say the pieces, each when the one before has had its time."""
    turn, times = TURN, Times(first_words=first_words)
    presentation = Presentation(board, Any, NOTHING_SHOWN, since=time.monotonic(), visible=visible, times=times)  # type: ignore[arg-type]  # as much as is used
    async with presentation.live(lambda: turn):
        for piece in pieces:
            turn = turn.grow(turn.answer + piece)
            presentation.changed()
            for _ in range(20):
                await asyncio.sleep(0)
    return presentation


async def test_people_are_notified_with_a_sentence() -> None:
    board = Board()
    await streamed(board, 60.0, "The", " plan", " is simple", ". ", "First", ", we")
    assert board.shown == ["The plan is simple. ", "The plan is simple. First", "The plan is simple. First, we"]


async def test_an_answer_that_is_over_before_that_is_shown_at_its_end_only() -> None:
    board = Board()
    await streamed(board, 60.0, "The", " plan", " is simple.")
    assert not board.shown


async def test_who_thinks_about_the_first_sentence_is_shown_without_it() -> None:
    board = Board()
    await streamed(board, 0.0, "The", " plan")
    assert board.shown == ["The", "The plan"]


async def test_the_time_for_it_is_none_of_the_time_for_what_is_not_shown() -> None:
    board = Board()
    presentation = await streamed(
        board, 60.0, "(Well. ", "Hm. )", "The", " plan", visible=lambda text: text.partition(")")[2]
    )
    assert board.shown == ["(Well. ", "(Well. Hm. )"]
    assert presentation.first_text_at is None
