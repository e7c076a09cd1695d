"""Holds a process's share of the rate limits, and tells the other processes; idle where there is one process."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Any

import structlog

from bots.slack.sharing import TELLS_EVERY, shared
from bots.slack.window import LONGEST_SLEEP
from core.errors import ChatError, StorageUnavailable, facts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bots.kit import Change
    from bots.slack.window import Grant, Window

LOOKS_AGAIN = 1.0  # seconds between two looks at what other processes have
LOOKS_WITHIN = 2.0  # seconds; another process may have been frozen in the middle of its own

log = structlog.get_logger(__name__)


class Lease:
    def __init__(
        self,
        windows: Mapping[str, Window],
        clock: Callable[[], float],
        share: Callable[[Change], Awaitable[None]] | None,
        *,
        answers: Callable[[], int],
        growing: Callable[[str], int],
        is_busy: Callable[[], bool],
    ) -> None:
        """*windows* by method; *share* changes the row; *growing*: how many answers are shown by calls of a method?

        *is_busy*: is there anything to hold calls for?
        """
        self._windows = windows
        self._clock = clock
        self._share = share
        self._answers = answers
        self._growing = growing
        self._is_busy = is_busy
        self._me = secrets.token_hex(8)
        self._lacking: dict[str, int] = dict.fromkeys(windows, 0)  # by method, how many wait for a call of others
        self._looked_at = float("-inf")
        self._looking: asyncio.Task[None] | None = None
        self._telling: asyncio.Task[None] | None = None
        self._is_away = False  # could nobody be asked the last time?

    async def look(self) -> None:
        """Tell others what this process uses, and get some calls to spare; at most once in a while."""
        self.begin_to_tell()
        if (looking := self.look_soon()) is not None:
            await asyncio.shield(looking)

    async def get_more(self, method: str) -> None:
        """Ask whether others leave a call, or wait a moment if that was asked just now."""
        self._lacking[method] += 1
        try:
            if (looking := self.look_soon(method)) is not None:
                await asyncio.shield(looking)
            else:
                await asyncio.sleep(LONGEST_SLEEP)
        finally:
            self._lacking[method] -= 1

    def look_at_once(self) -> None:
        """There is something that others are to hear of."""
        self._looked_at = float("-inf")
        self.look_soon()

    def look_soon(self, method: str = "", *, is_idle: bool = False) -> asyncio.Task[None] | None:
        """Look, unless that was done a moment ago and nothing of *method* was left; return the look under way, if any."""
        if self._share is None:
            return None
        if self._looking and not self._looking.done():
            return self._looking
        is_left = bool(method) and self._windows[method].is_left
        if self._clock() - self._looked_at < LOOKS_AGAIN and not is_left:
            return None
        self._looked_at = self._clock()
        self._looking = asyncio.create_task(self._look(self._share, is_idle=is_idle), name="Slack's pace: look")
        return self._looking

    def begin_to_tell(self) -> None:
        """Tell others every few seconds from now on, until there is nothing more to hold calls for."""
        if self._share and (self._telling is None or self._telling.done()):
            self._telling = asyncio.create_task(self._tell(), name="Slack's pace: tell")

    async def _tell(self) -> None:
        """A last time when nothing is to be held any more."""
        is_idle = False
        while not is_idle:
            await asyncio.sleep(TELLS_EVERY)
            if self._looking:
                await asyncio.wait({self._looking})
            if is_idle := not self._is_busy():
                self._looked_at = float("-inf")  # what is held is to be given back, whenever it was looked
            self.look_soon(is_idle=is_idle)

    async def _look(self, share: Callable[[Change], Awaitable[None]], *, is_idle: bool) -> None:
        uses = {
            method: (window.limit, window.use(self._lacking[method], self._growing(method), is_idle=is_idle))
            for method, window in self._windows.items()
        }
        answers = self._answers()
        granted: dict[str, Grant] = {}

        def change(row: dict[str, Any], now: float) -> dict[str, Any]:
            row, grants = shared(row, self._me, now, uses, answers)
            granted.update(grants)
            return row

        try:
            async with asyncio.timeout(LOOKS_WITHIN):
                await share(change)
        except (StorageUnavailable, ChatError, TimeoutError) as error:
            if not self._is_away:
                log.warning(
                    "can't learn how often other processes call Slack; going on with a share of the limits",
                    **facts(error),
                )
            self._is_away = True
            for window in self._windows.values():
                window.untold()
            return
        self._is_away = False
        for method, grant in granted.items():
            self._windows[method].told(uses[method][1], grant)
