"""A token bucket: the budget of calls that a platform's rate limit leaves us."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


async def until_free(wait: Callable[[], float]) -> None:
    """Sleep until *wait* says 0 seconds; asked again after each sleep, since others may have been quicker."""
    while (seconds := wait()) > 0:  # noqa: ASYNC110 (time passes; nobody could set an event)
        await asyncio.sleep(seconds)


class Bucket:
    """Tokens that come back at a steady rate."""

    def __init__(self, rate: float, capacity: int, clock: Callable[[], float] = time.monotonic) -> None:
        """*rate* in tokens a second."""
        self._rate = rate
        self._capacity = capacity
        self._clock = clock
        self._level = float(capacity)
        self._filled_at = clock()
        self._held_until = self._filled_at

    def wait_for(self, kept: int = 0) -> float:
        """Seconds until there is a token beside the *kept* ones; 0 when there is one now."""
        self._fill()
        missing = 1 + kept - self._level
        # A sleep that ends a hair too early must not be followed by one of no length.
        return 0.0 if missing < 1e-6 else missing / self._rate + 1e-3

    def take(self) -> None:
        self._fill()
        self._level -= 1

    def try_take(self) -> bool:
        """Take a token if there is one."""
        if self.wait_for() > 0:
            return False
        self.take()
        return True

    def lower(self, level: float) -> None:
        """Have no more than so many tokens for now."""
        self._fill()
        self._level = min(self._level, level)

    def hold(self, seconds: float) -> None:
        """Give nothing for *seconds*."""
        self._fill()
        self._level = min(self._level, 1 - seconds * self._rate)
        self._held_until = max(self._held_until, self._filled_at + seconds)

    @property
    def held(self) -> float:
        """Seconds for which it was told to give nothing, from now."""
        return max(0.0, self._held_until - self._clock())

    @property
    def is_full(self) -> bool:
        self._fill()
        return self._level >= self._capacity

    def _fill(self) -> None:
        now = self._clock()
        self._level = min(self._capacity, self._level + (now - self._filled_at) * self._rate)
        self._filled_at = now
