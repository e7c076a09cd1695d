"""A bot that crashes again and again keeps its token."""

from __future__ import annotations

import itertools

from bots.discord.gateway import FREE_STARTS, PAUSE_BETWEEN_STARTS, STARTS_WINDOW, pause_before

DAY = 86_400.0
IDENTIFIES_A_DAY = 1_000  # https://discord.com/developers/docs/events/gateway#session-start-limit


def test_a_usual_start_does_not_wait() -> None:
    assert pause_before([], 1_000.0) == 0
    assert pause_before([990.0] * (FREE_STARTS - 1), 1_000.0) == 0


def test_many_starts_of_long_ago_do_not_matter() -> None:
    assert pause_before([0.0] * FREE_STARTS, STARTS_WINDOW + 1) == 0


def test_a_crash_loop_stays_far_below_what_discord_allows() -> None:
    now, starts = 1e9, list[float]()
    while now < 1e9 + DAY:
        now += pause_before(starts[-FREE_STARTS:], now) + 0.5
        starts.append(now)
    assert FREE_STARTS < len(starts) < IDENTIFIES_A_DAY / 1.5
    assert all(later - earlier >= 0.5 for earlier, later in itertools.pairwise(starts))


def test_the_pause_is_counted_from_the_last_start() -> None:
    starts = [1_000.0] * FREE_STARTS
    assert pause_before(starts, 1_010.0) == PAUSE_BETWEEN_STARTS - 10
