"""Stops asking a service that is down, so that people are told at once and nobody hammers it."""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.backoff import Backoff, Pauses
from core.upstream.errors import CircuitOpen, UpstreamCut, UpstreamError, UpstreamFailed, UpstreamUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# A quarter of all calls fails in a bad month, and that alone must not open it: ten in a row happen once in 500,000.
FAILURES = 10
# At first a second: ten calls that wait for their first byte fail at once when a cable is pulled for a moment. And for a
# minute at most people are told that it is down when it is back.
BACKOFF = Backoff(first=1.0, longest=60.0)
PROBE = 1.0  # seconds that a call takes to find out, at a guess
MOMENT = 8.0  # seconds after it opened, in which it may have been for a moment only


class Breaker:
    """Lets calls pass while they succeed; after repeated failures one at a time, with growing pauses between."""

    def __init__(
        self,
        *,
        failures: int = FAILURES,
        backoff: Backoff = BACKOFF,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Open after so many *failures* in a row. *chance* is between 0 and 1."""
        self._most_failures = failures
        self._clock = clock
        self._pauses = Pauses(backoff, clock=clock, chance=chance)
        self._failures = 0
        self._opened_at: float | None = None  # None: all is well
        self._closed_until_probe = 0.0
        self._probe: object | None = None

    @property
    def is_open(self) -> bool:
        """Is the service taken to be down?"""
        return self._opened_at is not None

    def check(self) -> None:
        """Raise CircuitOpen if a call could not pass now."""
        now = self._clock()
        if self._opened_at is not None and (self._closed_until_probe > now or self._probe is not None):
            seconds = max(self._closed_until_probe - now, PROBE)
            passes = now + seconds <= self._opened_at + MOMENT
            raise CircuitOpen("not asked, since it is down", seconds=seconds, passes=passes)

    @contextmanager
    def watching(self) -> Iterator[Callable[[], None]]:
        """Let one call pass, if it may; it calls what it is given as soon as the service answers. Raises CircuitOpen."""
        self.check()
        mine = object()
        if self.is_open:
            self._probe = mine
        has_answered = False

        def answered() -> None:
            nonlocal has_answered
            has_answered = True
            self._failures, self._opened_at = 0, None
            self._end_probe(mine)  # however long its answer goes on

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
            self._end_probe(mine)

    def _end_probe(self, call: object) -> None:
        if self._probe is call:
            self._probe = None

    def _fail(self, call: object) -> None:
        if self.is_open and self._probe is not call:
            return  # it had been under way before the breaker opened, and says nothing new
        self._failures += 1
        if self.is_open or self._failures >= self._most_failures:
            now = self._clock()
            if self._opened_at is None:
                self._opened_at = now
                self._pauses.went_well()
            self._closed_until_probe = now + self._pauses.next()


def _is_down(error: UpstreamError) -> bool:
    """Does it say that the service is down, and not merely that this question or token was refused?"""
    return isinstance(error, UpstreamFailed | UpstreamUnreachable | UpstreamCut) or (error.status or 0) >= 500
