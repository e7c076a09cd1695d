"""How many calls of its three methods Slack allows for streams in a workspace, by a window of the last minute."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

START, APPEND, STOP = "chat.startStream", "chat.appendStream", "chat.stopStream"
# https://docs.slack.dev/reference/methods/chat.startStream and …appendStream, …stopStream: tiers 2, 4 and 2.
CALLS = {START: 20, APPEND: 100, STOP: 20}
WINDOW = 60.0  # seconds
# By Slack's clock a minute is over a little later.
_SLACK = 0.5  # seconds


class StreamBudget:
    """For each stream that begins, the call that ends it is kept."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._called: dict[str, deque[float]] = {method: deque() for method in CALLS}
        self._silent_until: dict[str, float] = {}
        self._open = 0  # streams that are not ended

    def may(self, method: str) -> bool:
        """Take one call, if there is room for it, and for the end of what it begins."""
        if self.silence(method) > 0 or self._recent(method) >= CALLS[method]:
            return False
        if method == START:
            if self.silence(STOP) > 0 or self._recent(STOP) + self._open >= CALLS[STOP]:
                return False
            self._open += 1
        self._called[method].append(self._clock())
        return True

    def end(self, method: str) -> None:
        """Take the call that was kept."""
        self._open = max(0, self._open - 1)
        self._called[method].append(self._clock())

    def refused(self, method: str, seconds: float) -> None:
        if method in CALLS:
            self._silent_until[method] = self._clock() + seconds

    def silence(self, method: str) -> float:
        """Seconds for which Slack wants no call of *method*."""
        return max(0.0, self._silent_until.get(method, 0.0) - self._clock())

    def _recent(self, method: str) -> int:
        called = self._called[method]
        while called and called[0] < self._clock() - WINDOW - _SLACK:
            called.popleft()
        return len(called)
