"""The six switches: what can be made to go wrong on the page, and what that does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sandbox.page.acts import Act, CantBeDone, Fields
from sandbox.page.feed import Feed
from sandbox.slack.methods import METHODS

if TYPE_CHECKING:
    from sandbox.stage import Stage

LOOK_SECONDS = 0.2
CUT_AFTER = 12  # pieces of an answer
LIMITED_SECONDS = 5
AGAIN = 2  # times that an event comes once more
REAL = "The real AI service answers; this works with the emulated one."


class Faults:
    """What is switched on, read from the stand-ins themselves."""

    def __init__(self, stage: Stage, feed: Feed) -> None:
        self._stage, self._feed = stage, feed
        self._limited_until = 0.0
        self._forgot_at = 0.0
        self.show()

    @property
    def acts(self) -> dict[str, Act]:
        return {
            "fault.kill": self._kill,
            "fault.start": self._start,
            "fault.down": self._down,
            "fault.cut": self._cut,
            "fault.amnesia": self._amnesia,
            "fault.limit": self._limit,
            "fault.redeliver": self._redeliver,
        }

    async def watch(self) -> None:
        """Go on until cancelled: what was for once is over at some time."""
        while True:
            self.show()
            await asyncio.sleep(LOOK_SECONDS)

    def show(self) -> None:
        why_not = "" if self._stage.is_emulated else REAL
        switched = self._stage.emulator.faults.as_json()
        now = time.time()
        states = {
            "down": ("busy" in switched, why_not),
            "cut": ("cut" in switched, why_not),
            "amnesia": (now - self._forgot_at < LIMITED_SECONDS, why_not),
            "limit": (now < self._limited_until, ""),
            "redeliver": (self.redelivers, ""),
        }
        for name, (is_on, disabled) in states.items():
            self._feed.put({"type": "fault", "key": f"fault {name}", "name": name, "on": is_on, "why_not": disabled})

    @property
    def redelivers(self) -> bool:
        return self._stage.slack.faults.redeliver > 0

    @contextmanager
    def doubling(self) -> Iterator[None]:
        """What happens on Discord meanwhile is told more than once, if that is switched on."""
        if not self.redelivers:
            yield
            return
        with self._stage.discord.gateway.holding_events() as held:
            yield
            held.extend(list(held) * AGAIN)

    async def _kill(self, _: Fields) -> None:
        if not self._stage.bot.is_running:
            raise CantBeDone("The bot is not running.")
        await self._stage.bot.kill()

    async def _start(self, _: Fields) -> None:
        await self._stage.bot.start()

    async def _down(self, fields: Fields) -> None:
        self._switch("busy", is_on=bool(fields.get("on")))

    async def _cut(self, fields: Fields) -> None:
        self._switch("cut", is_on=bool(fields.get("on")), value=CUT_AFTER, count=1)

    async def _amnesia(self, _: Fields) -> None:
        self._need_emulator()
        self._stage.emulator.forget()
        self._forgot_at = time.time()
        self.show()

    async def _limit(self, _: Fields) -> None:
        for method in METHODS:
            if method.startswith("chat.") and not self._stage.slack.faults.failures.get(method):
                self._stage.slack.faults.rate_limit(method, LIMITED_SECONDS)
        self._stage.discord.faults.next_calls("*", status=429, retry_after=LIMITED_SECONDS, scope="global")
        self._limited_until = time.time() + LIMITED_SECONDS
        self.show()

    async def _redeliver(self, fields: Fields) -> None:
        self._stage.slack.faults.redeliver = AGAIN if fields.get("on") else 0
        self.show()

    def _switch(self, name: str, *, is_on: bool, **how: Any) -> None:
        self._need_emulator()
        if is_on:
            self._stage.emulator.faults.set(name, how.pop("value", ""), **how)
        else:
            self._stage.emulator.faults.clear(name)
        self.show()

    def _need_emulator(self) -> None:
        if not self._stage.is_emulated:
            raise CantBeDone(REAL)
