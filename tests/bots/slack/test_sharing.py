"""Several processes of one workspace keep within its limits together, without asking for each call."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.slack.pace import START, STOP, TIER_2, TIER_3, UPDATE, Pace
from bots.slack.sharing import HOLDS_FOR, TELLS_EVERY
from bots.slack.window import SPAN
from core.turn import TurnId
from tests.bots.slack.simulated import Asked, Row, Server, now, simulate, timeless


@pytest.mark.parametrize("lasts", [10.0, 40.0])
@pytest.mark.parametrize("answers", [1, 10, 20, 50, 100])
@pytest.mark.parametrize("processes", [2, 3])
def test_no_minute_sees_more_than_the_tier_and_no_end_waits(answers: int, lasts: float, processes: int) -> None:
    run = simulate([Asked(0.0, lasts) for _ in range(answers)], processes=processes, row=Row())
    assert run.server.busiest <= TIER_3
    assert not run.server.refusals
    assert run.late() < 0.5


def test_it_is_as_fresh_as_one_process_would_be() -> None:
    asked = [Asked(0.0, 40.0) for _ in range(20)]
    assert simulate(asked, processes=2, row=Row()).stale < 1.2 * simulate(asked).stale


def test_one_that_has_all_the_answers_may_use_all_there_is() -> None:
    asked = [Asked(0.0, 40.0 if number % 2 == 0 else 0.9) for number in range(20)]
    shared = simulate(asked, processes=2, row=Row())
    alone = simulate([one for one in asked if one.lasts > 1])
    assert shared.seen[0].stale < 1.5 * alone.seen[0].stale


@settings(max_examples=60)
@given(
    st.lists(st.builds(Asked, st.floats(0, 200), st.floats(0.5, 90), st.integers(1, 3)), min_size=1, max_size=80),
    st.integers(2, 5),
    st.floats(0, 1),
)
def test_whenever_and_wherever_they_come_no_call_is_one_too_many(
    asked: list[Asked], processes: int, latency: float
) -> None:
    run = simulate(asked, Server(latency=0.3), processes=processes, row=Row(latency))
    assert run.server.busiest <= TIER_3
    assert not run.server.refusals


def test_a_lone_answer_costs_a_transaction_every_few_seconds() -> None:
    row = Row()
    run = simulate([Asked(0.0, 40.0)], processes=2, row=row)
    assert run.stale < 0.8
    assert row.changes <= 40 / TELLS_EVERY + run.seen[0].updates / 3


def test_what_a_process_holds_that_was_killed_comes_back_to_the_others() -> None:
    async def body() -> None:
        row = Row()
        killed, other = Pace(now, row.change), Pace(now, row.change)
        for number in range(30):
            await killed.ready(TurnId(number), f"C{number}", is_posted=False, is_over=False)
        await killed.look()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        began, posted = now(), 0
        while posted < 45:
            await other.ready(TurnId(100 + posted), f"C{posted}", is_posted=False, is_over=False)
            other.shown(TurnId(100 + posted), is_over=False)
            posted += 1
        assert SPAN < now() - began < HOLDS_FOR + 2

    timeless(body)


def test_a_process_without_answers_holds_nothing() -> None:
    async def body() -> None:
        row = Row()
        idle, other = Pace(now, row.change), Pace(now, row.change)
        await idle.ready(TurnId(1), "C1", is_posted=False, is_over=True)
        idle.shown(TurnId(1), is_over=True)
        await asyncio.sleep(TELLS_EVERY + 1)
        began = now()
        for number in range(TIER_3):
            await other.ready(TurnId(number), f"C{number}", is_posted=False, is_over=False)
        assert now() - began < 30  # some looks, and no call had to become old
        assert all(
            not use["has"] for entry in row.state.values() if not entry["answers"] for use in entry["uses"].values()
        )

    timeless(body)


def test_a_refusal_is_heard_of_by_all() -> None:
    async def body() -> None:
        row = Row()
        one, other = Pace(now, row.change), Pace(now, row.change)
        for pace in (one, other):
            await pace.ready(TurnId(1), "C1", is_posted=False, is_over=False)
        one.refused(UPDATE, 30)
        await asyncio.sleep(TELLS_EVERY + 1)
        assert other.silence(UPDATE) == pytest.approx(30 - TELLS_EVERY - 1, abs=0.2)

    timeless(body)


@pytest.mark.parametrize("row", [Row(is_away=True), Row(latency=60.0)], ids=["away", "slow"])
def test_while_nobody_can_be_asked_it_goes_on_by_a_share(row: Row) -> None:
    run = simulate([Asked(0.0, 10.0) for _ in range(10)], processes=2, row=row)
    assert run.late() < 0.5
    assert all(one.was_posted for one in run.seen)
    assert run.server.busiest <= TIER_3
    assert simulate([Asked(0.0, 90.0) for _ in range(60)], processes=4, row=row).server.busiest <= TIER_3


def test_streams_are_shared_as_well() -> None:
    async def body() -> None:
        row = Row()
        paces = [Pace(now, row.change) for _ in range(3)]
        begun, began = 0, now()
        while now() - began < 30:
            for pace in paces:
                await pace.look()
                begun += pace.may(START)
            await asyncio.sleep(0.2)
        assert TIER_2 - 3 <= begun <= TIER_2
        ended = 0
        for pace in paces:
            while pace._windows[STOP].kept:
                assert pace.may(STOP)
                ended += 1
        assert ended == begun

    timeless(body)
