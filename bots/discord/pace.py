"""How fast Discord lets us write: a budget for each channel within one for the whole bot, shared by all that streams."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING

from bots.bucket import Bucket, until_free

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.turn import TurnId

# Discord publishes no number and says to read its headers: https://discord.com/developers/docs/topics/rate-limits.
# Observed, and named by its staff in discord/discord-api-docs#20: five messages and five edits per five seconds and channel.
CALLS = 5
WINDOW = 5.0  # seconds
KEPT_FOR_ENDS = 1  # of those calls; discord.py sleeps when it has used the last one of a window
UPDATE_SPACING = 1.2  # seconds between two updates of one answer, when no other streams in its channel
FORGOTTEN_AFTER = 60.0  # seconds without an update, after which a turn no longer counts as streaming

# 50 a second for the whole bot: https://discord.com/developers/docs/topics/rate-limits#global-rate-limit. With a full
# bucket no more than 47. Beyond it discord.py sends all that were refused again in the same moment, five times.
CALLS_A_SECOND = 35
CALLS_AT_ONCE = 12
UPDATES_A_SECOND = 25  # of all answers; the rest is for first texts, ends, and what can wait
KEPT_FROM_UPDATES = 4  # what of the bucket only these may use
KEPT_FROM_THE_REST = 8  # what only answers may use


class Pace:
    """When may a turn be shown in its channel?"""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._calls: dict[int, deque[float]] = {}  # by channel: when the last ones were made
        self._updated: dict[int, dict[TurnId, float]] = {}  # by channel: the turns that stream there
        self._everywhere = Bucket(CALLS_A_SECOND, CALLS_AT_ONCE, clock)
        # The first of each line looks whether there is budget, and all others sleep.
        self._soon, self._updating, self._later = asyncio.Lock(), asyncio.Lock(), asyncio.Lock()

    async def ready(self, turn: TurnId, channel: int, *, is_over: bool, needs_thread: bool = False) -> None:
        """Wait until *turn* may be shown, and take a call from the budget, or two if its thread is to be made first."""

        def wait() -> float:
            return self.wait(turn, channel, is_over=is_over)

        while True:
            await until_free(wait)
            is_soon = is_over or turn not in self._updated.get(channel, {})
            line, kept = (self._soon, 0) if is_soon else (self._updating, KEPT_FROM_UPDATES)
            async with line:
                await until_free(lambda: self._everywhere.wait_for(kept + needs_thread))  # noqa: B023 (awaited here)
                if wait() <= 0:  # else others in the channel were quicker
                    if needs_thread:
                        self._everywhere.take()
                    self.take(turn, channel)
                    return

    async def spare(self) -> None:
        """Wait until there is a call to spare, for something that is no answer, and take it from the budget."""
        async with self._later:
            await until_free(lambda: self._everywhere.wait_for(KEPT_FROM_THE_REST))
            self._everywhere.take()

    def wait(self, turn: TurnId, channel: int, *, is_over: bool) -> float:
        """Seconds until the channel has room for *turn*. An end waits for its budget only, and so does a first text."""
        now = self._clock()
        if is_over:
            return self._budget(channel, CALLS, now)
        streams = {one: at for one, at in self._updated.get(channel, {}).items() if at > now - FORGOTTEN_AFTER}
        spaced = streams[turn] + self._spacing(len(streams)) - now if turn in streams else 0.0
        return max(0.0, spaced, self._budget(channel, CALLS - KEPT_FOR_ENDS, now))

    def take(self, turn: TurnId, channel: int) -> None:
        """Count a call for *turn*, from now."""
        self._everywhere.take()
        self._calls.setdefault(channel, deque(maxlen=CALLS)).append(self._clock())
        self._updated.setdefault(channel, {})[turn] = self._clock()

    def shown(self, turn: TurnId, channel: int, calls: int, *, is_over: bool) -> None:
        """*turn* was shown with so many calls, one of which was counted when it became ready."""
        for _ in range(calls - 1):
            self.take(turn, channel)
        if is_over:
            self._updated.get(channel, {}).pop(turn, None)
            self._tidy()

    def _spacing(self, streams: int) -> float:
        """Seconds between two updates of each of so many *streams* in a channel."""
        everywhere = sum(map(len, self._updated.values()))
        return max(UPDATE_SPACING * streams, everywhere / UPDATES_A_SECOND)

    def _budget(self, channel: int, calls: int, now: float) -> float:
        recent = [at for at in self._calls.get(channel, ()) if at > now - WINDOW]
        return 0.0 if len(recent) < calls else recent[-calls] + WINDOW - now

    def _tidy(self) -> None:
        """Forget the channels in which nothing goes on."""
        now = self._clock()
        self._calls = {channel: calls for channel, calls in self._calls.items() if calls[-1] > now - WINDOW}
        self._updated = {
            channel: alive
            for channel, turns in self._updated.items()
            if (alive := {turn: at for turn, at in turns.items() if at > now - FORGOTTEN_AFTER})
        }
