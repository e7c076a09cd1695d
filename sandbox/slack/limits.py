"""Slack's rate limits: how often each method may be called in one workspace.

https://docs.slack.dev/apis/web-api/rate-limits names for each tier a number a minute, and not how the minute is counted.
Here it is counted as strictly as that can be read: no 60 seconds hold more. Who keeps to that is not refused by a counter
that begins anew each minute either, nor by a bucket that holds a minute's calls.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

MINUTE = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Tier:
    """So many calls in any minute."""

    calls: int


@dataclass(frozen=True, slots=True)
class Rate:
    """What may be called at once, and how fast that comes back: a bucket."""

    burst: int
    per_minute: float


Limit: TypeAlias = Tier | Rate

TIER_1, TIER_2, TIER_3, TIER_4 = (Tier(calls) for calls in (1, 20, 50, 100))
# "Special" tiers; Slack names no exact numbers, so these are on the generous side of "hundreds".
HUNDREDS = Tier(300)
STATUS = Tier(600)  # https://docs.slack.dev/reference/methods/assistant.threads.setStatus
# One message a second into each channel, "short bursts >1 allowed": …/rate-limits#overview
POSTS_PER_CHANNEL = Rate(burst=5, per_minute=60)


class Limits:
    """What was called of each thing that is limited, and until when it is refused because of that."""

    def __init__(self, *, enforced: bool = True, now: Callable[[], float] = time.monotonic) -> None:
        self.enforced = enforced
        self._now = now
        self._calls: defaultdict[str, deque[float]] = defaultdict(deque)  # key → when, in the last minute
        self._buckets: dict[str, tuple[float, float]] = {}  # key → calls left, as of when
        self._held: dict[str, float] = {}  # key → when it is over

    def wait(self, *wanted: tuple[str, Limit]) -> int:
        """Seconds until a call is allowed that counts against all of *wanted*; 0 if it is, and then it counts.

        A caller that was told to wait is refused until then, however much may be called by that time.
        """
        if not self.enforced:
            return 0
        if held := max(self.held(key) for key, _ in wanted):
            return held
        waits = {key: seconds for key, limit in wanted if (seconds := self._until_free(key, limit)) > 0}
        for key, seconds in waits.items():
            self.hold(key, max(1, math.ceil(seconds)))
        if waits:
            return max(self.held(key) for key in waits)
        for key, limit in wanted:
            if isinstance(limit, Tier):
                self._calls[key].append(self._now())
            else:
                self._buckets[key] = (self._left(key, limit) - 1, self._now())
        return 0

    def held(self, key: str) -> int:
        """Seconds for which *key* is still refused, 0 if it isn't."""
        return max(0, math.ceil(self._held.get(key, 0.0) - self._now()))

    def hold(self, key: str, seconds: float) -> None:
        """Refuse *key* for that long: https://docs.slack.dev/apis/web-api/rate-limits#responding"""
        self._held[key] = self._now() + seconds

    def forget(self) -> None:
        """Begin anew, as if nothing had been called."""
        for kept in (self._calls, self._buckets, self._held):
            kept.clear()

    def _until_free(self, key: str, limit: Limit) -> float:
        """Seconds, not above 0 if it is free."""
        if isinstance(limit, Rate):
            return (1 - self._left(key, limit)) * MINUTE / limit.per_minute
        calls = self._calls[key]
        while calls and calls[0] <= self._now() - MINUTE:
            calls.popleft()
        return calls[-limit.calls] + MINUTE - self._now() if len(calls) >= limit.calls else 0.0

    def _left(self, key: str, rate: Rate) -> float:
        left, since = self._buckets.get(key, (float(rate.burst), self._now()))
        return min(float(rate.burst), left + (self._now() - since) * rate.per_minute / MINUTE)
