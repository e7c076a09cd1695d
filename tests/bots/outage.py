"""The real ledger, with switches: what each adapter's tests do when the database is away or slow."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from core.errors import StorageUnavailable
from core.storage.ledger import Ledger

if TYPE_CHECKING:
    from core.following import Talk
    from core.preset import Preset
    from core.stance import Stance
    from core.storage.database import Database
    from core.storage.deeds import Deed, Done
    from core.storage.intake import Obeyed
    from core.thread import PlaceId, Thread
    from core.turn import Accepted, Question, QuestionKey, Reply, Turn


class Outage(Ledger):
    """The true ledger, with switches."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.is_away = False
        self.is_quick = asyncio.Event()  # cleared: what is handed in is recorded only when it is set again
        self.is_quick.set()
        self.handed_in = 0
        self.looked = 0  # for a turn by its key

    async def accept(
        self, question: Question, reply: Reply, told: str | None = None, *, is_seen: bool = False
    ) -> Accepted:
        await self._hand_in()
        return await super().accept(question, reply, told, is_seen=is_seen)

    async def obey(self, question: Question, reply: Reply, deed: Deed) -> Obeyed:
        await self._hand_in()
        return await super().obey(question, reply, deed)

    async def obey_once(self, occasion: str, deed: Deed, within: timedelta, *, by: str = "") -> Done | None:
        await self._hand_in()
        return await super().obey_once(occasion, deed, within, by=by)

    async def standing(self, thread: Thread) -> tuple[list[tuple[str, Preset]], dict[PlaceId, Stance], Talk]:
        self._check()
        return await super().standing(thread)

    async def reopen(
        self,
        key: QuestionKey,
        text: str | None = None,
        *,
        edition: int = 0,
        of_attempt: int | None = None,
        by: str = "",
    ) -> Turn | None:
        self._check()
        return await super().reopen(key, text, edition=edition, of_attempt=of_attempt, by=by)

    async def offer(self, key: QuestionKey, text: str, *, edition: int = 0) -> Turn | None:
        self._check()
        return await super().offer(key, text, edition=edition)

    async def withdraw(self, key: QuestionKey) -> Turn | None:
        self._check()
        return await super().withdraw(key)

    async def turn(self, key: QuestionKey) -> Turn | None:
        self.looked += 1
        self._check()
        return await super().turn(key)

    def _check(self) -> None:
        if self.is_away:
            raise StorageUnavailable

    async def _hand_in(self) -> None:
        self.handed_in += 1
        self._check()
        await self.is_quick.wait()
