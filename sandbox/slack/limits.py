"""Slack's rate limits: how often each method may be called in one workspace.

https://docs.slack.dev/apis/web-api/rate-limits
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Rate:
    """What may be called at once, and how fast that comes back. A whole minute's calls may come at once."""

    burst: int
    per_minute: float


TIER_1, TIER_2, TIER_3, TIER_4 = (Rate(calls, calls) for calls in (1, 20, 50, 100))
# "Special" tiers; Slack names no exact numbers, so these are on the generous side of "hundreds".
HUNDREDS = Rate(300, 300)
STATUS = Rate(600, 600)  # https://docs.slack.dev/reference/methods/assistant.threads.setStatus
# One message a second into each channel, "short bursts >1 allowed": …/rate-limits#overview
POSTS_PER_CHANNEL = Rate(burst=5, per_minute=60)


class Limits:
    """A leaking bucket for each thing that is limited, and until when it is refused because of that."""

    def __init__(self, *, enforced: bool = True, now: Callable[[], float] = time.monotonic) -> None:
        self.enforced = enforced
        self._now = now
        self._buckets: dict[str, tuple[float, float]] = {}  # key → calls left, as of when
        self._held: dict[str, float] = {}  # key → when it is over

    def wait(self, *wanted: tuple[str, Rate]) -> int:
        """Seconds until a call is allowed that counts against all of *wanted*; 0 if it is, and then it counts.

        A caller that was told to wait is refused until then, however much the bucket holds by that time.
        """
        if not self.enforced:
            return 0
        if held := max(self.held(key) for key, _ in wanted):
            return held
        left = {key: self._left(key, rate) for key, rate in wanted}
        waits = {key: (1 - left[key]) * 60 / rate.per_minute for key, rate in wanted if left[key] < 1}
        for key, seconds in waits.items():
            self.hold(key, max(1, math.ceil(seconds)))
        if waits:
            return max(self.held(key) for key in waits)
        for key, _ in wanted:
            self._buckets[key] = (left[key] - 1, self._now())
        return 0

    def held(self, key: str) -> int:
        """Seconds for which *key* is still refused, 0 if it isn't."""
        return max(0, math.ceil(self._held.get(key, 0.0) - self._now()))

    def hold(self, key: str, seconds: float) -> None:
        """Refuse *key* for that long: https://docs.slack.dev/apis/web-api/rate-limits#responding"""
        self._held[key] = self._now() + seconds

    def _left(self, key: str, rate: Rate) -> float:
        left, since = self._buckets.get(key, (float(rate.burst), self._now()))
        return min(float(rate.burst), left + (self._now() - since) * rate.per_minute / 60)
