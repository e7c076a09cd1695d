"""A channel's budget is shared, and the end of an answer comes first."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from bots.discord.pace import (
    CALLS,
    CALLS_AT_ONCE,
    FORGOTTEN_AFTER,
    KEPT_FOR_ENDS,
    UPDATE_SPACING,
    WINDOW,
    Pace,
)
from core.turn import TurnId
from tests.clock import Clock

HERE, ELSEWHERE = 1, 2
FIRST, SECOND = TurnId(1), TurnId(2)


@pytest.fixture
def pace(clock: Clock) -> Pace:
    return Pace(clock)


def test_a_first_text_does_not_wait(pace: Pace) -> None:
    pace.take(FIRST, HERE)
    assert pace.wait(SECOND, HERE, is_over=False) == 0


def test_updates_of_one_answer_keep_their_distance(pace: Pace, clock: Clock) -> None:
    pace.take(FIRST, HERE)
    assert pace.wait(FIRST, HERE, is_over=False) == pytest.approx(UPDATE_SPACING)
    clock.now += UPDATE_SPACING
    assert pace.wait(FIRST, HERE, is_over=False) == pytest.approx(0, abs=1e-9)


def test_answers_in_one_channel_share_it(pace: Pace) -> None:
    pace.take(FIRST, HERE)
    pace.take(SECOND, HERE)
    assert pace.wait(FIRST, HERE, is_over=False) == pytest.approx(2 * UPDATE_SPACING)


def test_channels_do_not_wait_for_each_other(pace: Pace) -> None:
    for _ in range(CALLS):
        pace.take(FIRST, HERE)
    assert pace.wait(SECOND, ELSEWHERE, is_over=False) == 0


def test_an_end_does_not_keep_its_distance(pace: Pace) -> None:
    pace.take(FIRST, HERE)
    assert pace.wait(FIRST, HERE, is_over=True) == 0


def test_an_end_goes_before_the_updates_of_others(pace: Pace, clock: Clock) -> None:
    for _ in range(CALLS - KEPT_FOR_ENDS):
        pace.take(FIRST, HERE)
    assert pace.wait(SECOND, HERE, is_over=False) > 0
    assert pace.wait(SECOND, HERE, is_over=True) == 0
    pace.take(SECOND, HERE)
    clock.now += WINDOW / 2
    assert pace.wait(SECOND, HERE, is_over=True) == pytest.approx(WINDOW / 2)


def test_never_more_calls_in_a_window_than_discord_takes(pace: Pace, clock: Clock) -> None:
    calls = []
    for _ in range(50):
        for turn in (FIRST, SECOND, TurnId(3)):
            if pace.wait(turn, HERE, is_over=False) == 0:
                pace.take(turn, HERE)
                calls.append(clock.now)
        clock.now += 0.3
    assert len(calls) > 10
    assert all(sum(at <= other < at + WINDOW for other in calls) <= CALLS - KEPT_FOR_ENDS for at in calls)


async def test_further_messages_of_one_answer_count_as_well(pace: Pace) -> None:
    for _ in range(CALLS):
        await pace.call(FIRST, HERE, is_over=False)
    assert pace.wait(SECOND, HERE, is_over=True) > 0


async def test_what_an_answer_took_when_it_became_ready_is_not_taken_again(pace: Pace) -> None:
    await pace.ready(FIRST, HERE, is_over=True)
    await pace.call(FIRST, HERE, is_over=True)
    assert pace._everywhere._level == CALLS_AT_ONCE - 1
    await pace.call(FIRST, HERE, is_over=True)
    assert pace._everywhere._level == CALLS_AT_ONCE - 2


async def test_what_an_answer_took_and_did_not_need_is_not_kept_for_its_next_show(pace: Pace) -> None:
    await pace.ready(FIRST, HERE, is_over=False)
    pace.shown(FIRST, is_over=False)
    await pace.call(FIRST, HERE, is_over=False)
    assert pace._everywhere._level == CALLS_AT_ONCE - 2


async def test_what_an_answer_took_serves_to_make_its_thread(pace: Pace) -> None:
    await pace.ready(FIRST, HERE, is_over=False)
    await pace.soon(FIRST)
    assert pace._everywhere._level == CALLS_AT_ONCE - 1
    assert not pace._calls[HERE]
    pace.shown(FIRST, is_over=True)
    assert not pace._calls


async def test_an_answer_that_goes_elsewhere_after_all_is_counted_there(pace: Pace) -> None:
    """As a reply, where no thread can be made."""
    await pace.ready(FIRST, HERE, is_over=False)
    await pace.call(FIRST, ELSEWHERE, is_over=False)
    assert len(pace._calls[ELSEWHERE]) == 1
    pace.shown(FIRST, is_over=True)
    assert not pace._updated


async def test_who_is_cancelled_between_two_pages_has_taken_nothing() -> None:
    pace = Pace()
    await pace.ready(FIRST, HERE, is_over=True)
    await pace.call(FIRST, HERE, is_over=True)
    pace._everywhere.hold(0.2)
    next_page = asyncio.create_task(pace.call(FIRST, HERE, is_over=True))
    other = asyncio.create_task(pace.ready(SECOND, ELSEWHERE, is_over=True))
    await asyncio.sleep(0)
    next_page.cancel()
    async with asyncio.timeout(5):
        await other
    assert len(pace._calls[HERE]) == 1
    assert len(pace._calls[ELSEWHERE]) == 1


async def test_nothing_is_kept_of_a_turn_that_another_process_took_over(pace: Pace, clock: Clock) -> None:
    await pace.ready(FIRST, HERE, is_over=False)
    clock.now += FORGOTTEN_AFTER
    pace.shown(SECOND, is_over=True)
    assert not pace._in_hand


def test_an_answer_that_has_ended_slows_nobody_down(pace: Pace) -> None:
    pace.take(FIRST, HERE)
    pace.take(SECOND, HERE)
    pace.shown(SECOND, is_over=True)
    assert pace.wait(FIRST, HERE, is_over=False) == pytest.approx(UPDATE_SPACING)


def test_an_answer_that_was_silent_for_long_is_forgotten(pace: Pace, clock: Clock) -> None:
    pace.take(FIRST, HERE)
    clock.now += FORGOTTEN_AFTER
    pace.take(SECOND, HERE)
    assert pace.wait(SECOND, HERE, is_over=False) == pytest.approx(UPDATE_SPACING)


async def test_who_waits_goes_on_when_there_is_budget() -> None:
    pace = Pace()
    async with asyncio.timeout(5):
        await pace.ready(FIRST, HERE, is_over=False)
        await pace.ready(FIRST, HERE, is_over=False)
    assert pace.wait(FIRST, HERE, is_over=False) > 0


def test_the_whole_bot_stays_below_what_discord_takes(pace: Pace, clock: Clock) -> None:
    """50 a second, wherever they go, also when a hundred answers begin at once."""
    calls = []
    began = clock.now
    while clock.now < began + 10:
        for number in range(100):
            if pace.wait(TurnId(number), number, is_over=False) == 0 and pace._everywhere.wait_for() == 0:
                pace.take(TurnId(number), number)
                calls.append(clock.now)
        clock.now += 0.01
    assert len(calls) > 200
    assert max(sum(at <= other < at + 1 for other in calls) for at in calls) < 50


async def test_when_it_is_busy_ends_come_before_updates_and_these_before_what_can_wait() -> None:
    pace, came = Pace(), []

    async def go(name: str, waiting: Coroutine[Any, Any, object]) -> None:
        await waiting
        came.append(name)

    pace.take(FIRST, HERE)
    pace._updated[HERE][FIRST] -= UPDATE_SPACING  # it may be updated again
    for _ in range(CALLS_AT_ONCE):
        pace._everywhere.take()
    await asyncio.gather(
        go("later", pace.spare()),
        go("update", pace.ready(FIRST, HERE, is_over=False)),
        go("end", pace.ready(SECOND, ELSEWHERE, is_over=True)),
    )
    assert came == ["end", "update", "later"]


async def test_what_is_not_wanted_any_more_is_not_taken_at_the_last_moment_either(pace: Pace) -> None:
    wanted = True
    async with pace._soon:
        waiting = asyncio.create_task(pace.spare(lambda: wanted))
        await asyncio.sleep(0)
        wanted = False
    assert not await waiting
    assert pace._everywhere.is_full


async def test_who_waits_no_longer_lets_the_next_one_through() -> None:
    pace = Pace()
    pace._everywhere.hold(0.2)
    first, second = (asyncio.create_task(pace.spare()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    async with asyncio.timeout(5):
        await second
