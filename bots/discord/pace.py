"""How fast Discord lets us write: a budget for each channel, shared by the answers that stream in it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING

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


class Pace:
    """When may a turn be shown in its channel?"""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._calls: dict[int, deque[float]] = {}  # by channel: when the last ones were made
        self._updated: dict[int, dict[TurnId, float]] = {}  # by channel: the turns that stream there

    async def ready(self, turn: TurnId, channel: int, *, is_over: bool) -> None:
        """Wait until *turn* may be shown, and take a call from the budget."""
        # Asked again after each sleep: others may have been quicker.
        while (seconds := self.wait(turn, channel, is_over=is_over)) > 0:  # noqa: ASYNC110 (it is time that passes)
            await asyncio.sleep(seconds)
        self.take(turn, channel)

    def wait(self, turn: TurnId, channel: int, *, is_over: bool) -> float:
        """Seconds until *turn* may be shown. An end waits for the channel's budget only, and so does a first text."""
        now = self._clock()
        if is_over:
            return self._budget(channel, CALLS, now)
        streams = {one: at for one, at in self._updated.get(channel, {}).items() if at > now - FORGOTTEN_AFTER}
        spaced = streams[turn] + UPDATE_SPACING * len(streams) - now if turn in streams else 0.0
        return max(0.0, spaced, self._budget(channel, CALLS - KEPT_FOR_ENDS, now))

    def take(self, turn: TurnId, channel: int) -> None:
        """Count a call for *turn*, from now."""
        self._calls.setdefault(channel, deque(maxlen=CALLS)).append(self._clock())
        self._updated.setdefault(channel, {})[turn] = self._clock()

    def shown(self, turn: TurnId, channel: int, calls: int, *, is_over: bool) -> None:
        """*turn* was shown with so many calls, one of which was counted when it became ready."""
        for _ in range(calls - 1):
            self.take(turn, channel)
        if is_over:
            self._updated.get(channel, {}).pop(turn, None)
            self._tidy()

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
