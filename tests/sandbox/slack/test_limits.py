"""Rate limits on a clock of our own."""

from __future__ import annotations

from sandbox.slack.limits import POSTS_PER_CHANNEL, TIER_3, Limits, Rate
from tests.clock import Clock


def test_a_minutes_calls_may_come_at_once_and_none_more_in_any_60_seconds() -> None:
    clock = Clock()
    limits = Limits(now=clock)
    for calls in (20, 30):
        assert [limits.wait(("update", TIER_3)) for _ in range(calls)] == [0] * calls
        clock.now += 30
    # The first 20 are a minute old; a bucket would have had 50 back by now.
    assert [limits.wait(("update", TIER_3)) for _ in range(20)] == [0] * 20
    assert limits.wait(("update", TIER_3)) == 30
    clock.now += 30
    assert limits.wait(("update", TIER_3)) == 0


def test_a_bucket_comes_back_call_by_call() -> None:
    clock = Clock()
    limits = Limits(now=clock)
    rate = Rate(burst=10, per_minute=50)
    assert [limits.wait(("update", rate)) for _ in range(10)] == [0] * 10
    assert limits.wait(("update", rate)) == 2
    clock.now += 2
    assert limits.wait(("update", rate)) == 0


def test_a_call_that_is_refused_uses_nothing_up() -> None:
    clock = Clock()
    limits = Limits(now=clock)
    wanted = (("post", TIER_3), ("post C0X", POSTS_PER_CHANNEL))
    while limits.wait(*wanted) == 0:
        pass
    clock.now += 1
    assert limits.wait(*wanted) == 0
    assert limits.wait(("post", TIER_3)) == 0


def test_limits_can_be_off() -> None:
    limits = Limits(enforced=False)
    assert not any(limits.wait(("update", TIER_3)) for _ in range(200))


def test_who_is_told_to_wait_is_refused_until_then() -> None:
    clock = Clock()
    limits = Limits(now=clock)
    seconds = 0
    while not seconds:
        seconds = limits.wait(("update", TIER_3))
    clock.now += seconds - 0.5
    assert limits.wait(("update", TIER_3)) == 1
    clock.now += 0.5
    assert limits.wait(("update", TIER_3)) == 0


def test_the_limit_of_a_channel_is_no_limit_elsewhere() -> None:
    limits = Limits(now=Clock())
    while limits.wait(("post", TIER_3), ("post C0X", POSTS_PER_CHANNEL)) == 0:
        pass
    assert limits.wait(("post", TIER_3), ("post C0X", POSTS_PER_CHANNEL)) == 1
    assert limits.wait(("post", TIER_3), ("post C0Y", POSTS_PER_CHANNEL)) == 0


def test_the_rest_of_the_time_is_told() -> None:
    clock = Clock()
    limits = Limits(now=clock)
    limits.hold("post", 30)
    clock.now += 12.5
    assert (limits.held("post"), limits.held("update")) == (18, 0)
