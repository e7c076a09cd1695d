"""The budget: fast enough to look alive, never faster than Slack allows. All on a clock that only the test moves."""

from __future__ import annotations

import pytest

from bots.slack.pace import KEPT_FOR_FINDING, POSTS_AT_ONCE, UPDATE_SPACING, UPDATES_AT_ONCE, Pace
from core.turn import TurnId

ONE, TWO = TurnId(1), TurnId(2)


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


def test_one_message_changes_every_three_seconds(pace: Pace, clock: Clock) -> None:
    assert pace.wait_to_update(ONE, is_over=False) == 0
    pace.updated(ONE)
    assert pace.wait_to_update(ONE, is_over=False) == pytest.approx(UPDATE_SPACING)
    clock.now += UPDATE_SPACING
    assert pace.wait_to_update(ONE, is_over=False) == 0


def test_the_end_does_not_wait_for_that(pace: Pace) -> None:
    pace.updated(ONE)
    assert pace.wait_to_update(ONE, is_over=True) == 0


def test_an_end_goes_before_updates_of_others(pace: Pace) -> None:
    for number in range(UPDATES_AT_ONCE - 1):
        pace.updated(TurnId(10 + number))
    assert pace.wait_to_update(ONE, is_over=True) == 0
    assert pace.wait_to_update(TWO, is_over=False) > 0


@pytest.mark.parametrize("turns", [1, 7, 100])
def test_no_minute_sees_more_than_fifty_updates(pace: Pace, clock: Clock, turns: int) -> None:
    """However many stream, and whoever ends: https://docs.slack.dev/apis/web-api/rate-limits"""
    updates: list[float] = []
    for tick in range(3_000):
        for number in range(turns):
            if pace.wait_to_update(TurnId(number), is_over=(tick + number) % 50 == 0) == 0:
                pace.updated(TurnId(number))
                updates.append(clock.now)
        clock.now += 0.1
    busiest = max(sum(start <= at < start + 60 for at in updates) for start in updates)
    assert busiest <= 50


def test_many_streams_share_fairly(pace: Pace, clock: Clock) -> None:
    counts = dict.fromkeys(range(30), 0)
    for _ in range(6_000):
        for number in counts:
            if pace.wait_to_update(TurnId(number), is_over=False) == 0:
                pace.updated(TurnId(number))
                counts[number] += 1
        clock.now += 0.1
    assert min(counts.values()) >= 10
    assert max(counts.values()) <= 2 * min(counts.values())


def test_a_channel_takes_a_few_posts_at_once_and_then_one_a_second(pace: Pace, clock: Clock) -> None:
    for _ in range(POSTS_AT_ONCE):
        assert pace.wait_to_post("C1") == 0
        pace.posted("C1", ONE)
    assert pace.wait_to_post("C1") == pytest.approx(1.0, abs=0.01)
    assert pace.wait_to_post("C2") == 0
    clock.now += 1
    assert pace.wait_to_post("C1") == pytest.approx(0)


def test_a_refusal_is_learned_from(pace: Pace, clock: Clock) -> None:
    pace.refused("chat.update", 30)
    pace.refused("chat.postMessage", 20, "C1")
    assert pace.wait_to_update(ONE, is_over=True) == pytest.approx(30, abs=0.01)
    assert pace.wait_to_post("C1") == pytest.approx(20, abs=0.01)
    assert pace.wait_to_post("C2") == 0
    clock.now += 30.1
    assert pace.wait_to_update(ONE, is_over=True) == 0
    assert pace.wait_to_post("C1") == 0


async def test_what_ready_took_is_not_taken_twice(pace: Pace) -> None:
    for _ in range(UPDATES_AT_ONCE):
        await pace.ready(ONE, "C1", is_posted=True, is_over=True)
        await pace.update(ONE)
        pace.shown(ONE, is_over=False)
    assert pace.wait_to_update(TWO, is_over=True) > 0


async def test_a_turn_that_ended_counts_no_more(pace: Pace) -> None:
    await pace.ready(ONE, "C1", is_posted=False, is_over=True)
    pace.shown(ONE, is_over=True)
    assert not pace._written_at
    assert not pace._paid


def test_finding_a_lost_answer_goes_before_reading_back(pace: Pace, clock: Clock) -> None:
    while pace.reads.wait_for(KEPT_FOR_FINDING) == 0:
        pace.reads.take()
    assert pace.reads.wait_for() == 0
    pace.refused("conversations.replies", 30.0)
    assert pace.reads.wait_for() == pytest.approx(30.0, rel=0.01)
    clock.now += 31
    assert pace.reads.wait_for() == 0


def test_no_minute_sees_more_than_fifty_reads(pace: Pace, clock: Clock) -> None:
    """https://docs.slack.dev/apis/web-api/rate-limits"""
    reads: list[float] = []
    for _ in range(3_000):
        if pace.reads.wait_for() == 0:
            pace.reads.take()
            reads.append(clock.now)
        clock.now += 0.1
    assert max(sum(start <= read < start + 60 for read in reads) for start in reads) <= 50
