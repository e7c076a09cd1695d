"""Rate limits on a clock of our own."""

from __future__ import annotations

from sandbox.slack.limits import POSTS_PER_CHANNEL, TIER_3, Limits


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_minutes_calls_may_come_at_once_and_then_it_says_how_long_to_wait() -> None:
    clock = Clock()
    limits = Limits(now=clock)
    assert [limits.wait(("update", TIER_3)) for _ in range(50)] == [0] * 50
    assert limits.wait(("update", TIER_3)) == 2
    clock.now += 2
    assert limits.wait(("update", TIER_3)) == 0


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
