"""Paces posts and edits in Discord: a budget for each channel within one for the whole bot, shared by all that streams."""

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
UPDATES_A_SECOND = 25  # calls for updates of all answers; the rest is for first texts, ends, and what can wait
KEPT_FROM_UPDATES = 4  # what of the bucket only these may use
KEPT_FROM_THE_REST = 8  # what only answers may use
IN_HAND_FOR = 0.2  # seconds; what was counted longer ago may no longer be called: many might have waited for one thing
LONGEST_TO_SPARE = 2.0  # seconds; where nothing is to spare for so long, something that can wait goes all the same


class Pace:
    """When may a turn be shown in its channel?"""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._calls: dict[int, deque[float]] = {}  # by channel: when the last ones were made
        self._updated: dict[int, dict[TurnId, float]] = {}  # by channel: the turns that stream there
        self._in_hand: dict[TurnId, tuple[int, float]] = {}  # counted when it became ready: in which channel, and when
        self._everywhere = Bucket(CALLS_A_SECOND, CALLS_AT_ONCE, clock)
        self._updates = Bucket(UPDATES_A_SECOND, CALLS_AT_ONCE - KEPT_FROM_UPDATES, clock)
        # The first of each line looks whether there is budget, and all others sleep.
        self._soon, self._updating, self._later = asyncio.Lock(), asyncio.Lock(), asyncio.Lock()

    async def ready(self, turn: TurnId, channel: int, *, is_over: bool) -> None:
        """Wait until *turn* may be shown, and take the first call for that from the budget."""

        def wait() -> float:
            return self.wait(turn, channel, is_over=is_over)

        while True:
            await until_free(wait)
            is_update = not is_over and turn in self._updated.get(channel, {})
            line, room = (
                (self._updating, self._room_for_update) if is_update else (self._soon, self._everywhere.wait_for)
            )
            async with line:
                await until_free(room)
                if wait() <= 0:  # else others in the channel were quicker
                    self.take(turn, channel, is_update=is_update)
                    self._in_hand[turn] = channel, self._clock()
                    return

    async def call(self, turn: TurnId, channel: int, *, is_over: bool) -> None:
        """Before each call in *channel* that shows *turn*: wait for the budget, and take it, unless it is in hand.

        What was begun does not wait behind updates of others; a long update makes the next ones wait instead.
        """
        if self._take_from_hand(turn) != channel:
            async with self._soon:
                await until_free(self._everywhere.wait_for)
                self.take(turn, channel, is_update=not is_over)

    async def soon(self, turn: TurnId | None = None) -> None:
        """Wait until there is a call, other than those above, for which somebody waits, and take it from the budget.

        What *turn* has in hand will do.
        """
        if turn is not None and (channel := self._take_from_hand(turn)) is not None:
            if calls := self._calls.get(channel):
                calls.pop()  # it isn't made there
            return
        async with self._soon:
            await until_free(self._everywhere.wait_for)
            self._everywhere.take()

    async def spare(self, is_wanted: Callable[[], bool] = lambda: True) -> bool:
        """Wait until there is a call to spare, for something that can wait, and take it from the budget.

        Return False, and take none, if it *is_wanted* no longer.
        """
        async with self._later:
            until = self._clock() + LONGEST_TO_SPARE

            def wait() -> float:
                is_enough = self._clock() >= until or not is_wanted()
                return 0.0 if is_enough else self._everywhere.wait_for(KEPT_FROM_THE_REST)

            await until_free(wait)
            async with self._soon:
                await until_free(lambda: self._everywhere.wait_for() if is_wanted() else 0.0)
                if wanted := is_wanted():
                    self._everywhere.take()
                return wanted

    def wait(self, turn: TurnId, channel: int, *, is_over: bool) -> float:
        """Seconds until the channel has room for *turn*. An end waits for its budget only, and so does a first text."""
        now = self._clock()
        if is_over:
            return self._budget(channel, CALLS, now)
        streams = {one: at for one, at in self._updated.get(channel, {}).items() if at > now - FORGOTTEN_AFTER}
        spaced = streams[turn] + UPDATE_SPACING * len(streams) - now if turn in streams else 0.0
        return max(0.0, spaced, self._budget(channel, CALLS - KEPT_FOR_ENDS, now))

    def take(self, turn: TurnId, channel: int, *, is_update: bool = False) -> None:
        """Count a call for *turn*, from now."""
        self._everywhere.take()
        if is_update:
            self._updates.take()
        self._calls.setdefault(channel, deque(maxlen=CALLS)).append(self._clock())
        self._updated.setdefault(channel, {})[turn] = self._clock()

    def shown(self, turn: TurnId, *, is_over: bool) -> None:
        """*turn* was shown, or could not be: what it has in hand it does not need."""
        self._in_hand.pop(turn, None)
        if is_over:
            for streams in self._updated.values():  # it may have moved from a thread that could not be made
                streams.pop(turn, None)
            self._tidy()

    def _take_from_hand(self, turn: TurnId) -> int | None:
        """Return in which channel *turn* had a call in hand."""
        channel, at = self._in_hand.pop(turn, (None, 0.0))
        return channel if self._clock() - at < IN_HAND_FOR else None

    def _room_for_update(self) -> float:
        return max(self._updates.wait_for(), self._everywhere.wait_for(KEPT_FROM_UPDATES))

    def _budget(self, channel: int, calls: int, now: float) -> float:
        recent = [at for at in self._calls.get(channel, ()) if at > now - WINDOW]
        return 0.0 if len(recent) < calls else recent[-calls] + WINDOW - now

    def _tidy(self) -> None:
        """Forget the channels in which nothing goes on."""
        now = self._clock()
        self._calls = {channel: calls for channel, calls in self._calls.items() if calls and calls[-1] > now - WINDOW}
        self._updated = {
            channel: alive
            for channel, turns in self._updated.items()
            if (alive := {turn: at for turn, at in turns.items() if at > now - FORGOTTEN_AFTER})
        }
        # Nobody shows a turn any more that another process has taken over.
        self._in_hand = {turn: hand for turn, hand in self._in_hand.items() if hand[1] > now - FORGOTTEN_AFTER}
