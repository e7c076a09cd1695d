"""Slows down connections that end as soon as they came about: what makes them goes on without a pause."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.backoff import Backoff

WITHOUT_PAUSE = 5


class Reconnects:
    """Says how long to wait before each connection: the longer, the more there were of late."""

    def __init__(self, backoff: Backoff, lines: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        """*lines*: how many connections there are side by side, each of which may begin a few times without a pause.

        What began more than `backoff.well_after` ago counts no longer.
        """
        self._backoff = backoff
        self._free = WITHOUT_PAUSE * lines
        self._clock = clock
        self._begun: deque[float] = deque()

    def pause(self) -> float:
        """Count one more connection; return for how many seconds to wait before it."""
        now = self._clock()
        while self._begun and self._begun[0] < now - self._backoff.well_after:
            self._begun.popleft()
        too_many = len(self._begun) - self._free
        pause = 0.0 if too_many < 0 else self._backoff.grown(too_many)
        self._begun.append(now + pause)
        return pause
