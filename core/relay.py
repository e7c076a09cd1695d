"""What a chat may ask of core."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from core import preset
from core.errors import NothingAsked, TooLong, UnknownPreset
from core.turn import NOTHING_SHOWN, Accepted, Question, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from core.preset import Choice, Preset
    from core.storage.ledger import Ledger
    from core.thread import PlaceId, Thread, ThreadId


class Relay:
    """Takes questions and wishes from the chats. Everything it returns from is recorded."""

    def __init__(
        self,
        ledger: Ledger,
        wake: Callable[[ThreadId], None],
        presets: Mapping[str, Preset],
        *,
        longest_question: int,
    ) -> None:
        """*wake* tells the engine that a thread has a turn to see to; *longest_question* in characters."""
        self._ledger = ledger
        self._wake = wake
        self._presets = dict(presets)
        self._longest_question = longest_question
        # Questions that a thread hands in at the same moment are recorded in the order in which it did.
        self._in_order: WeakValueDictionary[ThreadId, asyncio.Lock] = WeakValueDictionary()

    async def ask(self, question: Question, reply: Reply = NOTHING_SHOWN) -> Accepted:
        """Record *question* and have it answered in its turn.

        Recording the same key again changes nothing. *reply* is what the adapter already knows of where
        the answer goes. A question that can't be asked is answered by Bobbin itself, with a hint.
        Raises StorageUnavailable: then it is not recorded, and must not be acknowledged.
        """
        return await self._accept(question, reply, told=self._refusal(question))

    async def tell(self, question: Question, answer: str, reply: Reply = NOTHING_SHOWN) -> Accepted:
        """Record *question* with Bobbin's own *answer*, shown once like any other."""
        return await self._accept(question, reply, told=answer)

    async def reset(self, thread: Thread) -> None:
        """Let the thread's next question begin without memory."""
        await self._ledger.forget_conversation(thread.id)

    async def choice(self, thread: Thread) -> Choice:
        """Say which preset answers in *thread*, and where each field of it comes from."""
        return preset.choose(self._presets, await self._ledger.presets_at(thread.layers))

    async def use_preset(self, place: PlaceId, wish: Preset, by: str) -> None:
        """Set for *place* the fields that *wish* decides, and keep its others. *by* is kept for the record.

        Naming a preset starts afresh: what had been set field by field goes. Raises UnknownPreset.
        """
        if wish.name is not None and wish.name not in self._presets:
            raise UnknownPreset(wish.name, self.preset_names)
        await self._ledger.set_preset(place, wish, by)

    async def clear_preset(self, place: PlaceId, by: str) -> None:
        """Let *place* inherit everything again."""
        await self._ledger.clear_preset(place, by)

    @property
    def preset_names(self) -> list[str]:
        """The named presets of this deployment."""
        return sorted(self._presets)

    def _refusal(self, question: Question) -> str | None:
        if not question.text.strip() and not question.references:
            return NothingAsked().sentence
        if len(question.text) > self._longest_question:
            return TooLong(len(question.text), self._longest_question).sentence
        return None

    async def _accept(self, question: Question, reply: Reply, told: str | None) -> Accepted:
        async with self._in_order.setdefault(question.thread.id, asyncio.Lock()):
            accepted = await self._ledger.accept(question, reply, told=told)
        if accepted.is_new:
            self._wake(question.thread.id)
        return accepted
