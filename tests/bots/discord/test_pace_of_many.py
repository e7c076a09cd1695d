"""Many at once, for minutes: what they may call, in a time that passes at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from bots.discord.pace import CALLS_A_SECOND, CALLS_AT_ONCE, LONGEST_TO_SPARE, UPDATES_A_SECOND, Pace
from core.turn import TurnId

A_CALL_TAKES = 0.15  # seconds


class Leaping(asyncio.SelectorEventLoop):
    """A loop whose time passes at once when everybody waits for it."""

    now = 100.0

    def __init__(self) -> None:
        super().__init__()
        select = self._selector.select  # type: ignore[attr-defined]

        def leap(timeout: float | None = None) -> Any:
            self.now += timeout or 0.0
            return select(0)

        self._selector.select = leap  # type: ignore[attr-defined]

    def time(self) -> float:
        return self.now


def in_no_time(run: Callable[[Pace], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner(loop_factory=Leaping) as runner:
        runner.run(run(Pace(runner.get_loop().time)))


async def stream(pace: Pace, turn: int, calls: list[int], made: list[float]) -> None:
    """Have updates shown for ever that take so many calls each, over and over."""
    number = turn  # they are not all at the same one
    while True:
        await pace.ready(TurnId(turn), turn, is_over=False)
        for _ in range(calls[number % len(calls)]):
            await pace.call(TurnId(turn), turn, is_over=False)
            made.append(asyncio.get_running_loop().time())
            await asyncio.sleep(A_CALL_TAKES)
        pace.shown(TurnId(turn), is_over=False)
        number += 1


def test_those_who_waited_for_the_same_thing_do_not_all_call_at_once() -> None:
    """A login, or a database that was away."""
    made: list[float] = []

    async def show(pace: Pace, turn: int, login: asyncio.Event) -> None:
        await pace.ready(TurnId(turn), turn, is_over=True)
        await login.wait()
        await pace.call(TurnId(turn), turn, is_over=True)
        made.append(asyncio.get_running_loop().time())

    async def many(pace: Pace) -> None:
        login = asyncio.Event()
        asyncio.get_running_loop().call_later(2, login.set)
        await asyncio.gather(*(show(pace, turn, login) for turn in range(100)))

    in_no_time(many)
    assert max(sum(at <= other < at + 1 for other in made) for at in made) < 50


@pytest.mark.parametrize("pages", [1, 2, 5])
def test_the_pages_of_ends_that_come_at_once_stay_below_what_discord_takes(pages: int) -> None:
    made: list[float] = []

    async def end(pace: Pace, turn: int) -> None:
        await pace.ready(TurnId(turn), turn, is_over=True)
        for _ in range(pages):
            await pace.call(TurnId(turn), turn, is_over=True)
            made.append(asyncio.get_running_loop().time())
            await asyncio.sleep(A_CALL_TAKES)
        pace.shown(TurnId(turn), is_over=True)

    async def many(pace: Pace) -> None:
        await asyncio.gather(*(end(pace, turn) for turn in range(60)))

    in_no_time(many)
    assert len(made) == 60 * pages
    assert made[-1] - made[0] < len(made) / CALLS_A_SECOND + 1
    assert max(sum(at <= other < at + 1 for other in made) for at in made) < 50


@pytest.mark.parametrize("calls", [[1], [1, 2], [2], [5]])
def test_while_many_long_answers_stream_there_is_something_left_for_others(calls: list[int]) -> None:
    made: list[float] = []

    async def all_of_it(pace: Pace) -> None:
        time = asyncio.get_running_loop().time
        streaming = [asyncio.create_task(stream(pace, turn, calls, made)) for turn in range(100)]
        await asyncio.sleep(20)
        began, before = time(), len(made)
        for _ in range(20):
            await pace.spare()
        assert time() - began < 3
        began = time()
        await pace.ready(TurnId(1_000), 1_000, is_over=False)
        await pace.soon()
        assert time() - began < 0.5
        await asyncio.sleep(10)
        assert len(made) - before > 10 * 0.9 * UPDATES_A_SECOND, "what there is to spare for updates they get"
        for task in streaming:
            task.cancel()
        await asyncio.gather(*streaming, return_exceptions=True)

    in_no_time(all_of_it)
    assert max(sum(at <= other < at + 1 for other in made) for at in made) < 50


def test_what_can_wait_does_not_wait_for_ever() -> None:
    """Ends and first texts alone may take all that there is."""

    async def busy(pace: Pace) -> None:
        while True:
            await pace.soon()

    async def all_of_it(pace: Pace) -> None:
        all_busy = [asyncio.create_task(busy(pace)) for _ in range(10)]
        await asyncio.sleep(5)
        for _ in range(3):
            async with asyncio.timeout(LONGEST_TO_SPARE + 1):
                assert await pace.spare()
        for task in all_busy:
            task.cancel()
        await asyncio.gather(*all_busy, return_exceptions=True)

    in_no_time(all_of_it)


def test_what_is_not_wanted_any_more_is_not_taken() -> None:
    async def all_of_it(pace: Pace) -> None:
        wanted = True
        for _ in range(CALLS_AT_ONCE):
            pace._everywhere.take()
        waiting = asyncio.create_task(pace.spare(lambda: wanted))
        await asyncio.sleep(0.01)
        wanted = False
        assert not await waiting
        await asyncio.sleep(CALLS_AT_ONCE / CALLS_A_SECOND - 0.01)
        assert pace._everywhere.is_full

    in_no_time(all_of_it)
