"""Whatever its platform, an adapter in a test: it listens for a while, and what it recorded is taken as a worker would."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

from core.chat import Chat

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from core.relay import Relay
    from core.thread import ThreadId
    from core.turn import Turn
    from core.vitals import Vitals
    from tests.bots.outage import Outage


C = TypeVar("C", bound=Chat)


class Housed(Generic[C]):
    """What the houses of all platforms have in common."""

    chat: C
    ledger: Outage
    relay: Relay
    vitals: Vitals
    woken: list[ThreadId]

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        self.vitals.expect(self.chat.name)
        listening = asyncio.create_task(self.chat.listen(self.relay))
        connected = asyncio.create_task(self.vitals.well())
        await asyncio.wait({listening, connected}, timeout=30, return_when=asyncio.FIRST_COMPLETED)
        if listening.done():
            connected.cancel()
            listening.result()
        assert connected.done()
        try:
            yield
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
        assert listening.cancelled()

    async def until(self, condition: Callable[[], object], within: float = 30) -> None:
        """For conditions of which the stand-in can't know."""
        async with asyncio.timeout(within):
            while not condition():
                await asyncio.sleep(0.005)

    async def accepted(self, count: int = 1, within: float = 30) -> list[Turn]:
        """The turns that were recorded, as soon as there are *count*."""
        await self.until(lambda: len(self.woken) >= count, within)
        turns: dict[int, Turn] = {}
        for thread in dict.fromkeys(self.woken):
            taken = await self.ledger.take(thread)
            assert taken
            turns[taken.turn.id] = taken.turn
        return list(turns.values())
