from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest

from core.asking.limits import ASIDE, Limits, Token
from core.thread import PlaceId, Thread, ThreadId
from core.upstream import Upstream
from core.upstream.errors import UpstreamError, UsedUp

NOBODY = cast("Upstream", None)  # these tests ask nothing


def thread(workspace: str, name: str = "1") -> Thread:
    return Thread(ThreadId(f"{workspace}/{name}"), "chat", (PlaceId(workspace),))


def token(number: int = 1, *, in_flight: int = 2, per_second: int = 1000) -> Token:
    return Token(number, NOBODY, in_flight=in_flight, per_second=per_second)


class Askers:
    """Tasks that want a slot, and keep it until they are let go."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.admitted: list[str] = []
        self.told: list[int | None] = []
        self._ends: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, name: str, where: Thread) -> None:
        self._ends[name] = asyncio.Event()
        self._tasks[name] = asyncio.create_task(self._ask(name, where))
        await settle()

    async def go(self, name: str) -> None:
        self._ends[name].set()
        await settle()

    async def give_up(self, name: str) -> None:
        self._tasks[name].cancel()
        await settle()

    async def result(self, name: str) -> None:
        await self._tasks[name]

    async def _ask(self, name: str, where: Thread) -> None:
        async with self.limits.slot(where, "ada", self.told.append):
            self.admitted.append(name)
            await self._ends[name].wait()

    async def end(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@asynccontextmanager
async def askers(*tokens: Token, told_after: float = 60) -> AsyncIterator[Askers]:
    some = Askers(Limits(tokens, told_after=told_after))
    yield some
    await some.end()
    assert (some.limits.in_flight, some.limits.waiting) == (0, 0)


def test_a_token_takes_so_many_at_once() -> None:
    one = token(in_flight=2)
    one.take(0)
    assert one.free_in(0) == 0
    one.take(0)
    assert one.free_in(0) == math.inf
    one.give_back()
    assert one.free_in(0) == 0


def test_a_token_takes_so_many_in_any_second() -> None:
    one = token(in_flight=100, per_second=3)
    for moment in (0.0, 0.2, 0.9):
        assert one.free_in(moment) == 0
        one.take(moment)
    assert one.free_in(0.95) == pytest.approx(0.05)
    one.take(1.0)
    assert one.free_in(1.0) == pytest.approx(0.2)


async def test_no_more_run_at_once_than_there_are_slots() -> None:
    async with askers(token(1), token(2)) as people:
        for number in range(6):
            await people.come(str(number), thread("work"))
        assert (people.admitted, people.limits.waiting) == (["0", "1", "2", "3"], 2)
        await people.go("2")
        assert people.admitted[4:] == ["4"]


async def test_who_may_not_begin_yet_begins_as_soon_as_the_rate_allows() -> None:
    async with askers(token(in_flight=100, per_second=2)) as people:
        for number in range(3):
            await people.come(str(number), thread("work"))
        assert people.limits.waiting == 1
        began = asyncio.get_running_loop().time()
        while people.limits.waiting:
            await asyncio.sleep(0.01)
        assert asyncio.get_running_loop().time() - began > 0.5


async def test_five_hundred_questions_of_one_workspace_delay_another_by_one_slot_at_most() -> None:
    async with askers(token(in_flight=3)) as people:
        for number in range(500):
            await people.come(str(number), thread("busy", str(number)))
        await people.come("other", thread("quiet"))
        await people.go("0")
        await people.go("1")
        assert "other" in people.admitted[3:5]


async def test_who_gives_up_waiting_takes_nobody_elses_slot() -> None:
    async with askers(token(in_flight=1)) as people:
        for name in ("first", "gone", "last"):
            await people.come(name, thread("work"))
        await people.give_up("gone")
        await people.go("first")
        assert people.admitted == ["first", "last"]


async def test_who_gives_up_at_the_very_moment_hands_the_slot_on() -> None:
    async with askers(token(in_flight=1)) as people:
        for name in ("first", "gone", "last"):
            await people.come(name, thread("work"))
        people._ends["first"].set()
        while people.limits.waiting == 2:
            await asyncio.sleep(0)
        await people.give_up("gone")
        assert people.admitted == ["first", "last"]


async def test_who_waits_long_is_told_how_many_are_before_whenever_that_changes() -> None:
    async with askers(token(in_flight=1), told_after=0.02) as people:
        for number in range(3):
            await people.come(str(number), thread("work"))
        while 1 not in people.told:
            await asyncio.sleep(0.01)
        people.told.clear()
        await people.go("0")
        while people.told != [None, 0]:  # its turn has come, and who was behind it is next
            await asyncio.sleep(0.01)


async def test_a_token_that_is_set_aside_is_passed_over_for_a_while() -> None:
    one, other = token(1), token(2)
    one.set_aside(UsedUp(code="used_up"), 100)
    assert one.refusal(100 + ASIDE - 1)
    assert one.refusal(100 + ASIDE) is None
    limits = Limits([one, other], clock=lambda: 101)
    for _ in range(3):
        async with limits.slot(thread("work"), "ada", lambda _: None) as given:
            assert given is other
    assert limits.aside == 1


async def test_with_no_token_left_everybody_is_told_and_nobody_waits() -> None:
    async with askers(one := token(in_flight=1)) as people:
        await people.come("first", thread("work"))
        await people.come("waiting", thread("work"))
        people.limits.set_aside(one, UsedUp("nothing left", code="used_up"))
        await people.come("later", thread("work"))
        raised: list[UpstreamError] = []
        for name in ("waiting", "later"):
            with pytest.raises(UsedUp, match="nothing left") as refused:
                await people.result(name)
            raised.append(refused.value)
        assert raised[0] is not raised[1]
