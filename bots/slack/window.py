"""Counts the calls of the last minute: how much of each method Slack lets an app use in a workspace.

https://docs.slack.dev/apis/web-api/rate-limits names a number a minute for each tier, and not how the minute is counted.
Whatever way it is, it can't count more than there were in some 60 seconds.
"""

from __future__ import annotations

import math
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MINUTE = 60.0  # seconds
SPAN = MINUTE + 1.0  # seconds that a call counts: it reaches Slack a moment after it was taken
# A refusal says that Slack counts otherwise than we do, perhaps by a bucket that is empty now. For so long calls go one
# by one, as such a bucket fills.
GENTLE_FOR = 600.0  # seconds
LONGEST_SLEEP = 1.0  # seconds, before it is looked again whether there is room: what others let go nobody announces
# Seconds in which the answers that are open use up what is free and what comes back: then there is always some for who
# comes. Less is better for a few short answers, more for many that go on.
HORIZON = 15.0
# A call that is free is of more use now than to somebody who may come: nobody saves longer than that.
LONGEST_SPACING = 12.0  # seconds
# Of a limit that is shared: what a process holds beside what it keeps, so that it need not ask for each call.
SPARE_OF = 10  # one in so many
ALONE_OF = 4  # and what it takes for its own, one in so many, while nobody can be asked


@dataclass(frozen=True, slots=True)
class Use:
    """What a process tells others of one method."""

    ages: list[float]  # seconds since each call that counts
    has: int  # calls that it may make without asking
    spare: int  # of these, beside what it keeps for ends
    wants: int  # more of these
    lacks: bool  # does something wait for that?
    held: float  # seconds for which Slack wants no call, below 0 if that is over
    growing: int  # answers that it shows by such calls
    horizon: float


@dataclass(frozen=True, slots=True)
class Grant:
    """What it is told."""

    more: int  # calls that it may make without asking
    left: int  # calls that nobody has
    elsewhere: int  # the same, with what others have to spare, and what of theirs comes back within the horizon
    lacks: bool  # does something wait elsewhere?
    held: float  # as above, by whoever was refused last
    growing: int  # answers that others show by such calls
    processes: int  # that have answers


class Window:
    """The calls of one method.

    Those that are *kept* are for ends, which find room however much else is going on. One that is under way counts until
    a minute after it was answered, since nobody knows when Slack counted it.

    Where processes share the limit, each holds a part of it: it makes these calls without asking, and `told` gives it
    more. The calls that it has made come back to all.
    """

    def __init__(
        self,
        limit: int,
        clock: Callable[[], float] = time.monotonic,
        *,
        horizon: float = HORIZON,
        is_shared: bool = False,
    ) -> None:
        """*limit*: calls in a minute; *horizon* in seconds, as of `HORIZON`."""
        self.limit = limit
        self.horizon = horizon
        self.kept = 0
        self._clock = clock
        self._calls: deque[float] = deque()  # when they were answered, oldest first
        self._assumed: deque[float] = deque()  # likewise, of an earlier process
        self._under_way = 0
        self._last = -SPAN  # when a call was taken
        self._held_until = -SPAN - GENTLE_FOR
        self._is_shared = is_shared
        self._spare = 0  # calls that may be made without asking, beside those that are kept
        self._left = 0  # calls that nobody had when we asked
        self._elsewhere = 0  # likewise, with what others had to spare, and what of theirs comes back
        self._held_at_most = limit // SPARE_OF
        self._others_lack = False
        self._share = limit // ALONE_OF  # calls made, kept and spare, as others know of them
        self._processes = 1
        self.growing_elsewhere = 0  # answers that other processes show by such calls

    @property
    def used(self) -> int:
        """Calls of the last minute."""
        return len(_recent(self._calls, self._clock())) + len(_recent(self._assumed, self._clock())) + self._under_way

    @property
    def room(self) -> int:
        """Calls that may be made now, beside those that are kept; below 0 if more are kept than there can be."""
        return self._spare if self._is_shared else self.limit - self.used - self.kept

    @property
    def soon(self) -> int:
        """Calls that all processes may make within the horizon, beside those that are kept."""
        back = sum(
            comes_back(at, self._clock(), self.horizon) for calls in (self._calls, self._assumed) for at in calls
        )
        return self.room + back + self._elsewhere

    @property
    def is_low(self) -> bool:
        """Is it time to ask for more?"""
        return self._is_shared and self.room <= self._held_at_most // 2

    @property
    def is_left(self) -> bool:
        """Was there more to be had when we asked?"""
        return self._left > 0

    @property
    def silence(self) -> float:
        """Seconds for which no call may be made at all, kept or not: Slack refused one."""
        now = self._clock()
        is_gentle = now < self._held_until + GENTLE_FOR
        distance = self._processes * MINUTE / self.limit if is_gentle else 0.0
        return max(0.0, self._held_until - now, self._last + distance - now)

    def wait(self, calls: int = 1, *, kept: bool = False) -> float:
        """Seconds after which to look again whether so many may be made; 0 when they may. *kept*: of those for ends.

        Infinite where others have to be asked.
        """
        if (silence := self.silence) > 0:
            return silence
        missing = calls - self.room - (self.kept if kept else 0)
        if missing <= 0:
            return 0.0
        if self._is_shared:
            return math.inf
        # A sleep that ends a hair too early is not to be followed by one of no length.
        ages_out = sorted([*self._calls, *self._assumed])[missing - 1 : missing]
        return min([LONGEST_SLEEP, *(at + SPAN - self._clock() + 1e-3 for at in ages_out)])

    def spacing(self, growing: int) -> float:
        """Seconds between two calls for the same answer, if *growing* are shown here by such calls: each gets its share."""
        return min(LONGEST_SPACING, self.horizon * (growing + self.growing_elsewhere) / max(1, self.soon))

    def keep(self, calls: int = 1) -> None:
        self.kept += calls
        self._spare -= calls
        while self._assumed and self.room < 0:
            self._assumed.pop()

    def let_go(self, calls: int = 1) -> None:
        self.kept -= calls
        self._spare += calls

    def take(self, *, kept: bool = False) -> None:
        """Count a call that is made now; say `ended` when it was answered."""
        self._last = self._clock()
        self._under_way += 1
        if kept:
            self.kept -= 1
        else:
            self._spare -= 1

    def ended(self, calls: int = 1) -> None:
        """So many calls that were under way were answered."""
        self._under_way -= calls
        self._calls.extend([self._clock()] * calls)

    def unmade(self) -> None:
        """A call that was taken is not made."""
        self._under_way -= 1
        self._spare += 1

    def again(self) -> None:
        """A call that is under way is made once more, since it was refused."""
        self._last = self._clock()

    def hold(self, seconds: float) -> None:
        """Slack refused a call: give none for *seconds*, and then one by one for a while."""
        self._held_until = max(self._held_until, self._clock() + seconds)

    def assume(self, until: float, begun: Sequence[float], spacing: float) -> None:
        """An earlier process has used what there is until *until*: only it knew when.

        It has shown answers that began at *begun*, by a call every *spacing* seconds each at most; the rest went to
        others that are over by now, at any time.
        """
        self._assumed.clear()
        room, longest = self.room, until - min(begun)
        theirs = min(room, round(sum(until - at for at in begun) / spacing))
        assumed = [*_evenly(theirs, until, min(SPAN, longest)), *_evenly(room - theirs, until, SPAN)]
        self._assumed.extend(sorted(assumed))

    # Shared

    def use(self, waiting: int, growing: int, *, is_idle: bool) -> Use:
        """Return what to tell others, and leave to them what isn't needed; *waiting*: for how many calls."""
        spare = min(1, self._held_at_most) if self._others_lack else self._held_at_most
        wants = 0 if is_idle else spare + waiting
        self._spare = min(self._spare, wants)
        now = self._clock()
        ages = [now - at for at in _recent(self._calls, now)] + [0.0] * self._under_way
        spare = self._spare
        held = self._held_until - now
        return Use(
            ages, self.kept + spare, max(0, spare), wants - spare, waiting > 0, held, growing, horizon=self.horizon
        )

    def told(self, used: Use, grant: Grant) -> None:
        self._spare += grant.more
        self._left, self._elsewhere, self._others_lack = grant.left, grant.elsewhere, grant.lacks
        self._share = len(used.ages) + used.has + grant.more
        self._processes = max(1, grant.processes)
        self.growing_elsewhere = grant.growing
        self.hold(grant.held)

    def untold(self) -> None:
        """Nobody can be asked: go on with what others know to be ours."""
        self._left = self._elsewhere = 0
        self._spare = max(self._spare, self._share - self.used - self.kept)


def comes_back(at: float, now: float, horizon: float) -> bool:
    """Will a call of *at* count no more within *horizon*?"""
    return at <= now - SPAN + horizon


def _recent(calls: deque[float], now: float) -> deque[float]:
    while calls and calls[0] <= now - SPAN:
        calls.popleft()
    return calls


def _evenly(calls: int, until: float, seconds: float) -> Iterator[float]:
    return (until - seconds * (1 - (number + 1) / (calls + 1)) for number in range(calls))
