"""The budget: fast enough to look alive, never faster than Slack allows, and no end waits. On a clock of its own."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.slack.pace import (
    APPEND,
    FORGOTTEN_AFTER,
    KEPT_FOR_FINDING,
    POSTS_AT_ONCE,
    START,
    STOP,
    STREAM_ENDS_AFTER,
    TIER_2,
    TIER_3,
    TIER_4,
    UPDATE,
    UPDATE_SPACING,
    Pace,
)
from bots.slack.window import GENTLE_FOR, SPAN
from core.turn import TurnId
from tests.bots.slack.simulated import Answer, Asked, Server, now, simulate, timeless
from tests.clock import Clock

ONE, TWO = TurnId(1), TurnId(2)


@pytest.fixture
def pace(clock: Clock) -> Pace:
    return Pace(clock)


async def waited(pace: Pace, turn: TurnId, *, is_posted: bool = True, is_over: bool = False, pages: int = 1) -> float:
    """Show *turn*; return how long that had to wait."""
    before = now()
    await pace.ready(turn, f"C{turn}", is_posted=is_posted, is_over=is_over, pages=pages)
    seconds = now() - before
    if is_posted:
        await pace.update(turn)
    else:
        await pace.post(turn, f"C{turn}")
    pace.shown(turn, is_over=is_over)
    return seconds


def test_one_message_changes_as_often_as_the_tier_allows() -> None:
    async def body() -> None:
        pace = Pace(now)
        assert await waited(pace, ONE, is_posted=False) == 0
        assert await waited(pace, ONE) == pytest.approx(UPDATE_SPACING, abs=0.01)
        assert await waited(pace, ONE) == pytest.approx(UPDATE_SPACING, abs=0.01)
        assert await waited(pace, ONE, is_over=True) == 0

    timeless(body)


@pytest.mark.parametrize("lasts", [10.0, 40.0])
@pytest.mark.parametrize("answers", [1, 5, 10, 20, 50, 100])
def test_no_minute_sees_more_than_the_tier_and_no_end_waits(answers: int, lasts: float) -> None:
    run = simulate([Asked(0.0, lasts) for _ in range(answers)])
    assert run.server.busiest <= TIER_3
    assert not run.server.refusals
    assert run.late() < 0.5  # an update that is under way, and the end's own


def test_a_lone_answer_is_fresh() -> None:
    assert simulate([Asked(0.0, 10.0)]).stale < 0.75


def test_eight_at_once_soon_go_on_and_leave_little_unused() -> None:
    run = simulate([Asked(0.3 * number, 35.0) for number in range(8)])
    assert max(one.stood_still for one in run.seen) < 4
    assert len(run.server.calls) > TIER_3 * 0.9


def test_a_post_that_finds_no_room_carries_the_whole_answer() -> None:
    run = simulate([Asked(0.0, 10.0) for _ in range(100)])
    late = [one for one in run.seen if not one.was_posted]
    assert len(late) == 100 - TIER_3
    assert not any(one.updates for one in late)


arrivals = st.lists(
    st.builds(Asked, st.floats(0, 200), st.floats(0.5, 90), st.integers(1, 4), st.sampled_from(["", "C-one"])),
    min_size=1,
    max_size=60,
)


@settings(max_examples=60)
@given(arrivals, st.floats(0, 4))
def test_whenever_they_come_no_call_is_one_too_many(asked: list[Asked], latency: float) -> None:
    run = simulate(asked, Server(latency))
    assert run.server.busiest <= TIER_3
    assert not run.server.refusals


@settings(max_examples=60)
@given(st.lists(st.builds(Asked, st.floats(0, 200), st.floats(0.5, 90)), min_size=1, max_size=120))
def test_whenever_they_come_no_end_waits(asked: list[Asked]) -> None:
    assert simulate(asked).late() < 0.5


def test_an_end_of_several_messages_finds_a_call_for_each() -> None:
    """One of which there was none left as it grew waits until some come back."""
    run = simulate([Asked(0.0, 60.0, pages=4) for _ in range(10)])
    assert run.server.busiest <= TIER_3
    assert run.late(0.8) < 1.0
    assert run.late() < 10
    assert simulate([Asked(0.0, 40.0, pages=4) for _ in range(3)]).late() < 1.0


def test_what_goes_on_uses_what_comes_back() -> None:
    """Ten at once for two minutes. Whoever knows beforehand how long they last has them stale by 6.5 s, if no end waits."""
    asked = [Asked(41.0 * number, 40.0) for number in range(3) for _ in range(10)]
    run = simulate(asked)
    assert len(run.server.calls) > 90
    assert run.stale < 7.2
    assert run.late() < 0.5


def test_a_process_that_takes_up_what_another_has_begun_knows_that_it_has_called_as_well() -> None:
    server = Server()

    async def body() -> None:
        pace = Pace(now)
        answers = [Answer(number, Asked(0.0, 40.0), pace, server) for number in range(20)]
        running = [asyncio.create_task(answer.run()) for answer in answers]
        await asyncio.sleep(25)
        pace = Pace(now)
        for answer in answers:
            await answer.restart(pace)
        seen = await asyncio.gather(*running)
        assert max(one.late for one in seen) < 0.5

    timeless(body)
    assert server.busiest <= TIER_3
    assert not server.refusals


def test_a_lone_answer_that_another_process_began_soon_goes_on() -> None:
    async def body() -> None:
        pace, began = Pace(now), now()
        await pace.ready(ONE, "C1", is_posted=True, is_over=False, age=8)
        assert now() - began < 2
        await pace.update(ONE)
        pace.shown(ONE, is_over=False)
        assert await waited(pace, ONE) < 2
        assert await waited(pace, ONE, is_over=True) == 0

    timeless(body)


def test_an_answer_that_is_done_anew_in_the_same_process_does_not_wait() -> None:
    async def body() -> None:
        pace = Pace(now)
        await asyncio.sleep(2)
        await waited(pace, ONE, is_posted=False, is_over=True)
        before = now()
        await pace.ready(ONE, "C1", is_posted=True, is_over=False, age=1)
        assert now() - before < 0.1

    timeless(body)


def test_a_slack_that_counts_otherwise_is_learned_from_and_everything_ends() -> None:
    """A bucket of 10 and 50 a minute would be stricter than the window: at first it refuses, then no more."""
    many = [Asked(at, 10.0) for at in (0.0, 60.0, 120.0) for _ in range(20)]
    run = simulate(many, Server(burst=10))
    assert all(one.late < 40 for one in run.seen)
    assert not [one for one in run.seen[40:] if one.late > 25]
    first = run.server.refusals
    assert first < 20


def test_after_a_refusal_nothing_comes_before_its_time_then_ends_first_and_one_by_one() -> None:
    async def body() -> None:
        pace = Pace(now)
        turns = [TurnId(number) for number in range(8)]
        for turn in turns:
            await waited(pace, turn, is_posted=False)
        pace.refused(UPDATE, 10)
        assert pace.silence(UPDATE) == 10
        shown: list[tuple[float, TurnId]] = []
        began = now()

        async def show(turn: TurnId, *, is_over: bool) -> None:
            await waited(pace, turn, is_over=is_over)
            shown.append((now() - began, turn))

        await asyncio.gather(*(show(turn, is_over=turn >= 4) for turn in turns))
        assert {turn for _, turn in shown[:4]} == set(turns[4:])
        times = [at for at, _ in shown]
        assert times[0] == pytest.approx(10, abs=0.1)
        gaps = [after - before for before, after in pairwise(times)]
        assert min(gaps) >= 60 / TIER_3 - 0.01

    timeless(body)


def test_in_the_end_it_is_as_fast_as_before() -> None:
    async def body() -> None:
        pace = Pace(now)
        for turn in (ONE, TWO):
            await waited(pace, turn, is_posted=False)
        pace.refused(UPDATE, 10)
        await asyncio.sleep(10 + GENTLE_FOR - 1)
        assert await waited(pace, ONE) == 0
        assert await waited(pace, TWO) == pytest.approx(1.0, abs=0.3)
        await asyncio.sleep(10)
        assert await waited(pace, ONE) == await waited(pace, TWO) == 0

    timeless(body)


def test_an_end_that_is_tried_again_keeps_its_place() -> None:
    async def body() -> None:
        pace = Pace(now)
        for number in range(TIER_3):
            await waited(pace, TurnId(number), is_posted=False)
        await pace.ready(ONE, "C1", is_posted=True, is_over=True)
        await pace.update(ONE)
        pace.shown(ONE, is_over=False)  # Slack was away for a moment
        for number in range(2, TIER_3):
            assert await waited(pace, TurnId(number), is_over=True) == 0
        assert await waited(pace, ONE, is_over=True) == 0

    timeless(body)


def test_what_was_paid_and_not_needed_is_given_back() -> None:
    async def body() -> None:
        pace = Pace(now)
        await waited(pace, ONE, is_posted=False)
        for _ in range(100):
            await pace.ready(ONE, "C1", is_posted=True, is_over=False)
            pace.shown(ONE, is_over=False)  # nothing had changed
        # Broken off while it waits, and ready again as an end: one call.
        await pace.ready(ONE, "C1", is_posted=True, is_over=False)
        assert await waited(pace, ONE, is_over=True) == 0
        assert pace._updates.used == 1
        assert pace._updates.kept == 0
        assert not pace._answers

    timeless(body)


async def test_what_another_process_has_taken_over_is_forgotten(pace: Pace, clock: Clock) -> None:
    await pace.ready(ONE, "C1", is_posted=False, is_over=False)
    assert pace._updates.kept == 1
    clock.now += FORGOTTEN_AFTER + 1
    await pace.ready(TWO, "C1", is_posted=False, is_over=False)
    assert list(pace._answers) == [TWO]
    assert pace._updates.kept == 1


def test_a_channel_takes_a_few_posts_at_once_and_then_one_a_second() -> None:
    async def body() -> None:
        pace = Pace(now)

        async def post(number: int, channel: str) -> float:
            began = now()
            await pace.ready(TurnId(number), channel, is_posted=False, is_over=False)
            return now() - began

        for number in range(POSTS_AT_ONCE):
            assert await post(number, "C1") == 0
        assert await post(10, "C2") == 0
        assert await post(11, "C1") == pytest.approx(1.0, abs=0.01)

    timeless(body)


def test_a_refusal_is_of_a_channel_where_that_is_posting(pace: Pace) -> None:
    pace.refused("chat.postMessage", 20, "C1")
    assert pace.silence("chat.postMessage", "C1") == pytest.approx(20)
    assert pace.silence("chat.postMessage", "C2") == 0
    assert pace.silence(UPDATE) == 0


# Native streams


def test_streams_have_what_the_tiers_say_and_each_its_stop(pace: Pace, clock: Clock) -> None:
    begun = 0
    while pace.may(START):
        begun += 1
    assert begun == TIER_2
    assert sum(pace.may(APPEND) for _ in range(2 * TIER_4)) == TIER_4
    clock.now += 30
    assert sum(pace.may(STOP) for _ in range(2 * TIER_2)) == TIER_2
    clock.now += SPAN - 30
    # Those that were stopped half a minute ago leave no room for another stop, soon.
    assert not pace.may(START)
    assert pace.may(APPEND)
    clock.now += 11
    assert pace.may(START)
    assert not pace.may(STOP)
    clock.now += 20
    assert pace.may(STOP)


def test_streams_that_go_on_share_what_comes_back() -> None:
    """Ten at once for two minutes. Whoever knows beforehand how long they last has them stale by 2.5 s."""

    async def stream(pace: Pace) -> float:
        began = shown = now()
        await asyncio.sleep(0.9)
        assert pace.may(START)
        stale = 0.0
        while True:
            stale, shown = stale + (now() - shown) ** 2 / 2, now()
            while now() - began < 40 and (now() - shown < pace.append_spacing or not pace.may(APPEND)):
                await asyncio.sleep(0.1)
            if now() - began >= 40:
                break
        assert pace.may(STOP)
        stale += (now() - shown) ** 2 / 2
        await asyncio.sleep(2.5)
        return stale / 40

    async def rounds(pace: Pace) -> list[float]:
        return [await stream(pace) for _ in range(3)]

    async def body() -> list[float]:
        pace = Pace(now)
        return [one for each in await asyncio.gather(*(rounds(pace) for _ in range(10))) for one in each]

    stale = timeless(body)
    assert sum(stale) / len(stale) < 3.0


def test_who_streams_slows_nobody_in_channels() -> None:
    """Ten answers in channels, while ten others stream: what those keep are other calls."""

    async def body() -> None:
        pace = Pace(now)
        for number in range(10):
            await pace.ready(TurnId(number), f"D{number}", is_posted=False, is_over=False, streams=True)
        alone = Pace(now)
        for number in range(10, 20):
            for one in (pace, alone):
                await waited(one, TurnId(number), is_posted=False)
        beside, by_itself = await asyncio.gather(*(waited(one, TurnId(10)) for one in (pace, alone)))
        assert beside == pytest.approx(by_itself)

    timeless(body)


def test_a_stream_that_died_gives_its_stop_back(pace: Pace) -> None:
    for _ in range(2 * TIER_2):
        pace.let_go()
    assert sum(pace.may(START) for _ in range(TIER_2)) == TIER_2
    assert pace._windows[STOP].kept == TIER_2
    pace.let_go()
    assert pace._windows[STOP].kept == TIER_2 - 1


def test_a_stream_that_nobody_ended_is_over_by_itself(pace: Pace, clock: Clock) -> None:
    assert pace.may(START)
    clock.now += STREAM_ENDS_AFTER + 1
    assert pace.may(START)
    assert pace._windows[STOP].kept == 1


def test_what_slack_refuses_of_streams_is_not_called_for_a_while(pace: Pace, clock: Clock) -> None:
    assert pace.may(START)
    pace.refused(STOP, 7)
    assert not pace.may(STOP)
    assert not pace.may(START)
    clock.now += 7
    assert pace.may(STOP)


# Reading

THREAD = "1795791277.165974"


def test_finding_a_lost_answer_goes_before_reading_back(pace: Pace, clock: Clock) -> None:
    while pace.wait_to_read(KEPT_FOR_FINDING) == 0:
        pace.reads(THREAD).take()
    assert pace.reads(THREAD).wait_for() == 0
    pace.refused("conversations.replies", 30.0)
    assert pace.reads(THREAD).wait_for() == pytest.approx(30.0, rel=0.01)
    clock.now += 31
    assert pace.reads(THREAD).wait_for() == 0


def test_a_limit_on_channels_leaves_threads_alone(pace: Pace) -> None:
    """It holds for each method: https://docs.slack.dev/apis/web-api/rate-limits"""
    pace.refused("conversations.history", 30.0)
    assert pace.reads("").wait_for() == pytest.approx(30.0, rel=0.01)
    assert pace.wait_to_read() == pytest.approx(30.0, rel=0.01)
    assert pace.reads(THREAD).wait_for() == 0


@pytest.mark.parametrize(("lasts", "most"), [(float("inf"), 50), (20.0, 70), (2.0, 70)])
def test_no_minute_sees_more_than_fifty_reads(clock: Clock, lasts: float, most: int) -> None:
    """And not many more, however soon one process follows another: https://docs.slack.dev/apis/web-api/rate-limits"""
    reads: list[float] = []
    starts = [clock.now]
    pace = Pace(clock)
    for _ in range(3_000):
        if clock.now - starts[-1] >= lasts:
            pace = Pace(clock)
            pace.begin_after(sum(one > clock.now - 60 for one in starts))
            starts.append(clock.now)
        if pace.reads(THREAD).wait_for() == 0:
            pace.reads(THREAD).take()
            reads.append(clock.now)
        clock.now += 0.1
    assert max(sum(start <= read < start + 60 for read in reads) for start in reads) <= most
