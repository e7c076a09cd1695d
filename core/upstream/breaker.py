"""Stops asking a service that is down, so that people are told at once and nobody hammers it."""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.errors import Resting, UpstreamCut, UpstreamError, UpstreamFailed, UpstreamUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# A quarter of all calls fails in a bad month, and that alone must not open it: ten in a row happen once in 500,000.
FAILURES = 10
FIRST_PAUSE = 1.0  # seconds: ten calls that wait for their first byte fail at once when a cable is pulled for a moment
LONGEST_PAUSE = 60.0  # seconds: so long at most are people told that it is down when it is back


class Breaker:
    """Lets calls pass while they succeed; after repeated failures one at a time, with growing pauses between."""

    def __init__(
        self,
        *,
        failures: int = FAILURES,
        first_pause: float = FIRST_PAUSE,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Open after so many *failures* in a row. *first_pause* in seconds; *chance* is between 0 and 1."""
        self._most_failures = failures
        self._first_pause = first_pause
        self._clock = clock
        self._chance = chance
        self._failures = 0
        self._openings = 0  # in a row, without an answer between them
        self._closed_until_probe = 0.0
        self._probe: object | None = None

    @property
    def is_open(self) -> bool:
        """Is the service taken to be down?"""
        return self._openings > 0

    def check(self) -> None:
        """Raise Resting if a call could not pass now."""
        left = self._closed_until_probe - self._clock()
        if self.is_open and (left > 0 or self._probe is not None):
            raise Resting("not asked, since it is down", seconds=max(left, 1.0))

    @contextmanager
    def watching(self) -> Iterator[Callable[[], None]]:
        """Let one call pass, if it may; it calls what it is given as soon as the service answers. Raises Resting."""
        self.check()
        mine = object()
        if self.is_open:
            self._probe = mine
        has_answered = False

        def answered() -> None:
            nonlocal has_answered
            has_answered = True
            self._failures = self._openings = 0

        try:
            yield answered
        except UpstreamError as error:
            if has_answered:
                pass
            elif _is_down(error):
                self._fail(mine)
            else:
                answered()  # refused, but by somebody who is there
            raise
        finally:
            if self._probe is mine:
                self._probe = None

    def _fail(self, call: object) -> None:
        if self.is_open and self._probe is not call:
            return  # it had been under way before the breaker opened, and says nothing new
        self._failures += 1
        if self.is_open or self._failures >= self._most_failures:
            pause = min(self._first_pause * 2**self._openings, LONGEST_PAUSE)
            self._openings += 1
            self._closed_until_probe = self._clock() + pause * (0.8 + 0.4 * self._chance())


def _is_down(error: UpstreamError) -> bool:
    """Does it say that the service is down, and not merely that this question or token was refused?"""
    return isinstance(error, UpstreamFailed | UpstreamUnreachable | UpstreamCut) or (error.status or 0) >= 500
