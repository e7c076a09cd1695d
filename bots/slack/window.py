"""What Slack lets an app do in a minute, looked at over the last one: so much of a method in a workspace.

https://docs.slack.dev/apis/web-api/rate-limits names a number a minute for each tier, and not how the minute is counted.
Whatever way it is, it can't count more than there were in some 60 seconds.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MINUTE = 60.0  # seconds
SPAN = MINUTE + 1.0  # seconds that a call counts: it reaches Slack a moment after it was taken
# A refusal says that Slack counts otherwise than we do, perhaps by a bucket that is empty now. For so long calls go one
# by one, as such a bucket fills.
GENTLE_FOR = 600.0  # seconds
LONGEST_SLEEP = 1.0  # seconds, before it is looked again whether there is room: what others let go nobody announces


class Window:
    """The calls of one method.

    Those that are *kept* are for ends, which find room however much else is going on. One that is under way counts until
    a minute after it was answered, since nobody knows when Slack counted it.
    """

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        """*limit*: calls in a minute."""
        self.limit = limit
        self.kept = 0
        self._clock = clock
        self._calls: deque[float] = deque()  # when they were answered, oldest first
        self._under_way = 0
        self._last = -SPAN  # when a call was taken
        self._held_until = self._gentle_until = -SPAN

    @property
    def used(self) -> int:
        """Calls of the last minute."""
        now = self._clock()
        while self._calls and self._calls[0] <= now - SPAN:
            self._calls.popleft()
        return len(self._calls) + self._under_way

    @property
    def room(self) -> int:
        """Calls that may be made now, beside those that are kept; below 0 if more are kept than there can be."""
        return self.limit - self.used - self.kept

    @property
    def silence(self) -> float:
        """Seconds for which no call may be made at all, kept or not: Slack refused one."""
        now = self._clock()
        distance = MINUTE / self.limit if now < self._gentle_until else 0.0
        return max(0.0, self._held_until - now, self._last + distance - now)

    def wait(self, calls: int = 1, *, kept: bool = False) -> float:
        """Seconds after which to look again whether so many may be made; 0 when they may. *kept*: of those for ends."""
        if (silence := self.silence) > 0:
            return silence
        missing = self.used + 1 - self.limit if kept else calls - self.room
        if missing <= 0:
            return 0.0
        until = self._calls[missing - 1] + SPAN - self._clock() if missing <= len(self._calls) else LONGEST_SLEEP
        return min(LONGEST_SLEEP, until + 1e-3)  # a sleep that ends a hair too early is not to be followed by another

    def keep(self, calls: int = 1) -> None:
        self.kept += calls

    def let_go(self, calls: int = 1) -> None:
        self.kept -= calls

    def take(self, *, kept: bool = False) -> None:
        """Count a call that is made now; say `ended` when it was answered."""
        self._last = self._clock()
        self._under_way += 1
        self.kept -= kept

    def ended(self, calls: int = 1) -> None:
        """So many calls that were under way were answered."""
        self._under_way -= calls
        self._calls.extend([self._clock()] * calls)

    def unmade(self) -> None:
        """A call that was taken is not made."""
        self._under_way -= 1

    def again(self) -> None:
        """A call that is under way is made once more, since it was refused."""
        self._last = self._clock()

    def hold(self, seconds: float) -> None:
        """Slack refused a call: give none for *seconds*, and then one by one for a while."""
        now = self._clock()
        self._held_until = max(self._held_until, now + seconds)
        self._gentle_until = self._held_until + GENTLE_FOR
