"""Pauses between tries grow within bounds, heed what a server says, and end."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from core.backoff import Backoff, Pauses, retry
from core.errors import ChatBusy, StorageUnavailable
from tests.clock import Clock


def pauses(backoff: Backoff, chance: float = 0.5, clock: Clock | None = None) -> Pauses:
    return Pauses(backoff, clock=clock or Clock(), chance=lambda: chance)


def test_each_is_twice_as_long_as_the_one_before_up_to_the_longest() -> None:
    one = pauses(Backoff(1, 60))
    assert [one.next() for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_they_go_on_growing_for_years() -> None:
    one = pauses(Backoff(1, 60))
    assert [one.next() for _ in range(5000)][-1] == 60


@pytest.mark.parametrize(("chance", "first"), [(0.0, 8), (0.5, 10), (1.0, 12)])
def test_not_all_try_at_the_same_moment(chance: float, first: float) -> None:
    assert pauses(Backoff(10, 60), chance).next() == pytest.approx(first)


@pytest.mark.parametrize("chance", [0.0, 1.0])
def test_never_earlier_than_a_server_says(chance: float) -> None:
    assert 7 <= pauses(Backoff(1, 60), chance).next(7) < 7.5


def test_a_server_that_knows_when_is_not_kept_waiting() -> None:
    one = pauses(Backoff(1, 60), 1.0)
    assert [one.next(0.5) for _ in range(9)] == [pytest.approx(0.6)] * 9


@pytest.mark.parametrize(("told", "pause"), [(0.001, 0.1), (0.0, 0.8)])
def test_however_soon_a_server_says_there_is_a_pause(told: float, pause: float) -> None:
    assert pauses(Backoff(1, 60, shortest=0.1), 0.0).next(told) == pytest.approx(pause)


def test_a_try_that_lasted_long_enough_went_well() -> None:
    clock = Clock()
    one = pauses(Backoff(1, 60, well_after=60), clock=clock)
    seen = []
    for lasted in (0, 60, 61, 0):
        clock.now += lasted
        seen.append(pause := one.next())
        clock.now += pause  # the pause itself is no part of a try
    assert seen == [1, 2, 1, 2]


def test_what_is_waited_for_before_a_try_is_no_part_of_it() -> None:
    clock = Clock()
    one = pauses(Backoff(1, 60, well_after=60), clock=clock)
    assert one.next() == 1
    clock.now += 100
    one.begin()
    assert one.next() == 2


def test_they_end() -> None:
    clock = Clock()
    one = pauses(Backoff(1, 60, give_up_after=10), clock=clock)
    clock.now += 9.9
    assert not one.are_over
    assert one.next() == pytest.approx(0.1), "and then there is a last try"
    clock.now += 0.1
    assert one.are_over


async def test_a_call_is_made_until_it_succeeds_and_each_failure_is_told() -> None:
    errors = [ChatBusy(code="a"), ChatBusy(code="b", retry_after=0.01)]
    told: list[tuple[str, float]] = []

    async def call() -> str:
        if errors:
            raise errors.pop(0)
        return "done"

    backoff = Backoff(0.001, 0.002, jitter=0)
    assert (
        await retry(call, backoff, on=ChatBusy, failed=lambda error, pause: told.append((error.code, pause))) == "done"
    )
    assert told == [("a", 0.001), ("b", 0.01)]


async def test_other_errors_and_the_last_one_are_raised() -> None:
    calls = itertools.count()

    async def away() -> None:
        next(calls)
        raise StorageUnavailable

    with pytest.raises(StorageUnavailable):
        await retry(away, Backoff(0.001, 0.001), on=ChatBusy)
    assert next(calls) == 1
    async with asyncio.timeout(5):
        with pytest.raises(StorageUnavailable):
            await retry(away, Backoff(0.001, 0.001, give_up_after=0.02), on=StorageUnavailable)
    assert next(calls) > 3


async def test_whoever_is_in_a_hurry_does_not_sleep_on() -> None:
    hurry, calls = asyncio.Event(), itertools.count()

    async def call() -> None:
        if next(calls) == 0:
            asyncio.get_running_loop().call_soon(hurry.set)
            raise StorageUnavailable

    async with asyncio.timeout(5):
        await retry(call, Backoff(60, 60), on=StorageUnavailable, hurry=hurry)


async def test_what_is_told_of_a_failure_may_end_it() -> None:
    async def away() -> None:
        raise StorageUnavailable

    def enough(error: StorageUnavailable, _pause: float) -> None:
        raise error

    with pytest.raises(StorageUnavailable):
        await retry(away, Backoff(60, 60), on=StorageUnavailable, failed=enough)
