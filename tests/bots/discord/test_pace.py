"""A channel's budget is shared, and the end of an answer comes first."""

from __future__ import annotations

import asyncio

import pytest

from bots.discord.pace import CALLS, FORGOTTEN_AFTER, KEPT_FOR_ENDS, UPDATE_SPACING, WINDOW, Pace
from core.turn import TurnId

HERE, ELSEWHERE = 1, 2
FIRST, SECOND = TurnId(1), TurnId(2)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


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


def test_further_messages_of_one_answer_count_as_well(pace: Pace) -> None:
    pace.take(FIRST, HERE)
    pace.shown(FIRST, HERE, CALLS, is_over=False)
    assert pace.wait(SECOND, HERE, is_over=True) > 0


def test_an_answer_that_has_ended_slows_nobody_down(pace: Pace) -> None:
    pace.take(FIRST, HERE)
    pace.take(SECOND, HERE)
    pace.shown(SECOND, HERE, 1, is_over=True)
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
