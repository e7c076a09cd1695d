"""The sign of life: a reaction on the question while its answer is under way. Nice to have, never worth a failure.

A question that waits for the one before it in its thread wears another one, until its own answer begins.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import structlog

from bots.bucket import Bucket, until_free
from bots.slack.errors import DEAD
from core.bounded import BoundedSet
from core.errors import ChatError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bots.slack.api import Api

SIGN, WAITS = "eyes", "hourglass_flowing_sand"
# https://docs.slack.dev/apis/web-api/rate-limits: reactions.add is tier 3, reactions.remove tier 2.
ADDS_A_MINUTE, ADDS_AT_ONCE = 40, 10
REMOVALS_A_MINUTE, REMOVALS_AT_ONCE = 15, 5
MOST_WAITING = 500  # removals; beyond that a sign stays
TIMEOUT = 3.0  # seconds for one call
REST = 60.0  # seconds without signs when Slack refuses them altogether; by then somebody may have mended that
MOST_TOLD = 100  # kinds of refusals; their codes come from outside
# Slack would say so for every message; a channel that the bot isn't in is another matter.
_LASTING = frozenset({"missing_scope", "not_allowed_token_type", "access_denied", "unknown_method", *DEAD})
# Nothing is wrong: somebody was quicker.
_HARMLESS = frozenset({"already_reacted", "no_reaction", "message_not_found"})

log = structlog.get_logger(__name__)

Sign = tuple[str, str, str]  # channel, ts, and the reaction's name


class Indicator:
    """Puts signs on questions and takes them off, within Slack's budget."""

    def __init__(self, api: Api, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._adds = Bucket(ADDS_A_MINUTE / 60, ADDS_AT_ONCE)
        self._removals = Bucket(REMOVALS_A_MINUTE / 60, REMOVALS_AT_ONCE)
        self._wanted: dict[Sign, None] = {}  # signs that are still to be put on, in order
        self._more_wanted = asyncio.Event()
        self._unwanted: asyncio.Queue[Sign] = asyncio.Queue(MOST_WAITING)
        # One call at a time, so that a sign never comes after its own removal.
        self._one_call = asyncio.Lock()
        self._clock = clock
        self._resting_until = 0.0
        self._told: BoundedSet[str] = BoundedSet(MOST_TOLD)  # codes that were logged

    async def run(self) -> None:
        """Work off what waits, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._put_on())
            tasks.create_task(self._take_off_late())

    def on(self, channel: str, ts: str, name: str = SIGN) -> None:
        """Have a sign put on the message soon; not at all when there are too many: a late one says nothing."""
        if not self._is_resting and self._adds.try_take():
            self._wanted[channel, ts, name] = None
            self._more_wanted.set()

    async def off(self, channel: str, ts: str, name: str = SIGN) -> None:
        """Take the sign off, now or, when there are too many, later."""
        sign = (channel, ts, name)
        if sign in self._wanted:
            del self._wanted[sign]
        elif self._removals.try_take():
            await self._try(self._api.unreact, sign)
        elif not self._unwanted.full():
            self._unwanted.put_nowait(sign)

    async def _put_on(self) -> None:
        while True:
            # Cleared before looking: what is wanted from here on sets it again.
            self._more_wanted.clear()
            while self._wanted:
                sign = next(iter(self._wanted))
                del self._wanted[sign]
                await self._try(self._api.react, sign)
            await self._more_wanted.wait()

    async def _take_off_late(self) -> None:
        while True:
            sign = await self._unwanted.get()
            await until_free(self._removals.wait_for)
            self._removals.take()
            await self._try(self._api.unreact, sign)

    async def _try(self, call: Callable[[str, str, str], Awaitable[None]], sign: Sign) -> None:
        if self._is_resting:
            return
        try:
            async with self._one_call, asyncio.timeout(TIMEOUT):
                await call(*sign)
        except TimeoutError:
            self._tell("timeout")
        except ChatError as refusal:
            if refusal.code in _LASTING:
                self._resting_until = self._clock() + REST
            self._tell(refusal.code, refusal.detail)
        else:
            mended = [code for code in self._told if code in _LASTING]
            if mended:
                log.info("Slack takes reactions again")
            for code in mended:
                del self._told[code]

    @property
    def _is_resting(self) -> bool:
        return self._clock() < self._resting_until

    def _tell(self, code: str, detail: str = "") -> None:
        if code not in _HARMLESS and self._told.add(code):
            log.warning("Slack takes no reaction; answering without", code=code, detail=detail)
