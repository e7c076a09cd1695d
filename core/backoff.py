"""Growing pauses between tries, for everything that is tried again: what differs from one loop to another is a value.

A library for this wants to own the loop; ours differ in what ends them (a stop event, a budget of pauses, a lease) and
some sleep in no loop at all: a breaker, or what a platform lets a bot do in a day.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")
E = TypeVar("E", bound=Exception)

_MOST_DOUBLINGS = 64.0  # a float holds no more than a thousand


@dataclass(frozen=True, slots=True)
class Backoff:
    """A series of pauses, in seconds: each is twice as long as the one before."""

    first: float
    longest: float
    jitter: float = 0.2  # the share by which a pause is shorter or longer, so that not all try at the same moment
    shortest: float = 0.0  # however soon a server says that it may be tried again
    well_after: float = math.inf  # a try that lasts so long went well: the pause after it is a first one
    give_up_after: float = math.inf  # since the first try

    def grown(self, doublings: float) -> float:
        """Return the pause after so many others, without chance."""
        return min(self.first * math.pow(2.0, min(doublings, _MOST_DOUBLINGS)), self.longest)


class Pauses:
    """The pauses of one loop."""

    def __init__(
        self,
        backoff: Backoff,
        *,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """The first try begins now; *chance* is between 0 and 1."""
        self._backoff = backoff
        self._clock = clock
        self._chance = chance
        self._before = 0  # how many there were since it went well
        self._began = self._tried_at = clock()

    @property
    def are_over(self) -> bool:
        """Is it time to give up?"""
        return self._clock() - self._began >= self._backoff.give_up_after

    def next(self, told: float | None = None) -> float:
        """Return the seconds to wait after a try that failed just now: what a server has *told*, never less."""
        now = self._clock()
        if now - self._tried_at > self._backoff.well_after:
            self.went_well()
        grown = self._backoff.grown(self._before)
        spread = self._backoff.jitter * self._chance()
        pause = grown * (1 - self._backoff.jitter + 2 * spread)
        if told:
            pause = told + min(told, grown) * spread
        pause = max(pause, self._backoff.shortest)
        self._before += 1
        pause = min(pause, max(0.0, self._began + self._backoff.give_up_after - now))  # the last try is not too late
        self._tried_at = now + pause
        return pause

    def begin(self) -> None:
        """A try begins now, not when the last pause ended."""
        self._tried_at = self._clock()

    def went_well(self) -> None:
        """The next pause is a first one."""
        self._before = 0


async def retry(
    call: Callable[[], Awaitable[T]],
    backoff: Backoff,
    *,
    on: type[E] | tuple[type[E], ...],
    failed: Callable[[E, float], object] = lambda _error, _pause: None,
    hurry: asyncio.Event | None = None,
) -> T:
    """Return what *call* gives at last. Raises what is not *on*, and what is once *backoff* gives up.

    *failed* is told of each failure and of the seconds until the next try; what it raises ends this. The pause is
    the `retry_after` that the error carries, if it does, and over as soon as *hurry* is set.
    """
    pauses = Pauses(backoff)
    while True:
        try:
            return await call()
        except on as error:
            if pauses.are_over:
                raise
            pause = pauses.next(getattr(error, "retry_after", None))
            failed(error, pause)
        await sleep(pause, hurry)


async def sleep(seconds: float, hurry: asyncio.Event | None = None) -> None:
    """Sleep, but no longer than until *hurry* is set."""
    if hurry is None:
        await asyncio.sleep(seconds)
        return
    with suppress(TimeoutError):
        await asyncio.wait_for(hurry.wait(), seconds)
