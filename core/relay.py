"""What a chat may ask of core."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Literal
from weakref import WeakValueDictionary

import structlog

from core import attachment, preset
from core.errors import NothingAsked, StorageUnavailable, TooLong, UnknownPreset
from core.turn import NOTHING_SHOWN, Accepted, Question, Reply
from core.words import whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from core.preset import Choice, Preset
    from core.storage.ledger import Ledger
    from core.thread import PlaceId, Thread, ThreadId
    from core.turn import QuestionKey, Turn, TurnId


log = structlog.get_logger(__name__)

PAUSE = 0.5  # seconds between two tries to record a question


class Relay:
    """Takes questions and wishes from the chats. Everything it returns from is recorded."""

    def __init__(
        self,
        ledger: Ledger,
        wake: Callable[[ThreadId], None],
        presets: Mapping[str, Preset],
        *,
        interrupt: Callable[[TurnId], None] = lambda _: None,
        longest_question: int,
        on_edit: Literal["redo", "offer", "ignore"] = "offer",
        on_delete: Literal["withdraw", "keep"] = "withdraw",
    ) -> None:
        """Say how wishes are met.

        *wake* tells the engine that a thread has a turn to see to, *interrupt* the worker that a turn, should it
        run in this process, is to be broken off. *longest_question* in characters. *on_edit* and *on_delete*: what
        becomes of an answer whose question was edited or deleted.
        """
        self._ledger = ledger
        self._wake = wake
        self._presets = dict(presets)
        self._interrupt = interrupt
        self._longest_question = longest_question
        self._on_edit = on_edit
        self._on_delete = on_delete
        # Questions that a thread hands in at the same moment are recorded in the order in which it did.
        self._in_order: WeakValueDictionary[ThreadId, asyncio.Lock] = WeakValueDictionary()

    async def ask(self, question: Question, reply: Reply = NOTHING_SHOWN, *, patience: float = 0.0) -> Accepted:
        """Record *question* and have it answered in its turn.

        Recording the same key again changes nothing. *reply* is what the adapter already knows of where
        the answer goes. A question that can't be asked is answered by Bobbin itself, with a hint.
        Raises StorageUnavailable: then it is not recorded, and must not be acknowledged. *patience* is for how many
        seconds to try before that: for a chat that would not deliver the question again.
        """
        question = _in_words(question)
        return await self._accept(question, reply, told=self._refusal(question), patience=patience)

    async def tell(self, question: Question, answer: str, reply: Reply = NOTHING_SHOWN) -> Accepted:
        """Record *question* with Bobbin's own *answer*, shown once like any other."""
        return await self._accept(question, reply, told=answer)

    async def is_known(self, key: QuestionKey) -> bool:
        """Has a question been recorded under *key*?"""
        return await self._ledger.turn(key) is not None

    async def revise(self, question: Question) -> None:
        """Take note that the asker has edited a question, to be called with whatever it says now.

        Not begun yet, it is answered as it is now; else what the deployment wishes: the answer is done anew, or
        that is offered. A question that was never accepted is left alone, and so is an edit that changes nothing.
        """
        question = _in_words(question)
        turn = await self._ledger.turn(question.key)
        if turn is None or self._refusal(question) is not None or self._on_edit == "ignore":
            return
        unchanged = turn.question.text == question.text
        if turn.is_over and (self._on_edit == "offer" or unchanged):
            self._changed(await self._ledger.offer(question.key, question.text))
        elif not unchanged:
            self._changed(await self._ledger.reopen(question.key, question.text))

    async def again(self, key: QuestionKey) -> bool:
        """Have a question answered anew, as its asker has revised it; return whether there is such a question.

        One that is being answered is left to that: two people may press the same button.
        """
        turn = await self._ledger.turn(key)
        if turn is not None and not turn.is_over:
            return True
        return self._changed(await self._ledger.reopen(key))

    async def retry(self, thread: Thread) -> bool:
        """Have the newest question of *thread* answered anew; return whether there is one that the thread remembers.

        Its conversation begins anew and is told what was said before: that mends as well what can't be seen from
        outside, a conversation that goes on under its id without knowing its past.
        """
        turn = await self._ledger.newest_asked(thread.id)
        return turn is not None and await self.again(turn.question.key)

    async def withdraw(self, key: QuestionKey) -> None:
        """Take note that a question was deleted: nobody needs its answer any more, and it is no part of the thread."""
        if self._on_delete == "withdraw":
            self._changed(await self._ledger.withdraw(key))

    async def active_threads(self, chat: str, since: datetime, at_most: int) -> list[tuple[Thread, QuestionKey]]:
        """The threads of *chat* that were asked in since then, each with its newest question; newest first.

        For a chat that was away: what was said there after that question, it has not heard.
        """
        return await self._ledger.active_threads(chat, since, at_most)

    async def reset(self, thread: Thread) -> None:
        """Let the thread's next question begin without memory."""
        await self._ledger.forget_conversation(thread.id)

    async def choice(self, thread: Thread) -> Choice:
        """Say which preset answers in *thread*, and where each field of it comes from."""
        return preset.choose(self._presets, await self._ledger.presets_at(thread.layers))

    async def use_preset(self, place: PlaceId, wish: Preset, by: str) -> None:
        """Set for *place* the fields that *wish* decides, and keep its others. *by* is kept for the record.

        Naming a preset starts afresh: what had been set field by field goes. Raises UnknownPreset, TooLong.
        """
        if wish.model is not None and len(wish.model) > preset.LONGEST_MODEL:
            raise TooLong(len(wish.model), preset.LONGEST_MODEL)
        if wish.instructions is not None and len(wish.instructions) > self._longest_question:
            raise TooLong(len(wish.instructions), self._longest_question)
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

    async def _recorded(self, question: Question, reply: Reply, told: str | None, patience: float) -> Accepted:
        until = time.monotonic() + patience
        while True:
            try:
                return await self._ledger.accept(question, reply, told=told)
            except StorageUnavailable:
                if time.monotonic() >= until:
                    raise
            await asyncio.sleep(PAUSE)

    def _changed(self, turn: Turn | None) -> bool:
        if turn is None:
            return False
        self._interrupt(turn.id)
        self._wake(turn.question.thread.id)
        return True

    def _refusal(self, question: Question) -> str | None:
        if not question.text:
            return NothingAsked(attachment.declined(question.attachments)).sentence
        if len(question.text) > self._longest_question:
            return TooLong(len(question.text), self._longest_question).sentence
        return None

    async def _accept(self, question: Question, reply: Reply, told: str | None, patience: float = 0.0) -> Accepted:
        question = replace(question, text=whole(question.text), attachments=question.attachments[: attachment.MOST])
        async with self._in_order.setdefault(question.thread.id, asyncio.Lock()):
            accepted = await self._recorded(question, reply, told, patience)
        if accepted.is_new:
            turn = accepted.turn
            log.info("accepted", thread=question.thread.id, turn=turn.id, reference=turn.reference, told=turn.is_over)
            self._wake(question.thread.id)
        return accepted


def _in_words(question: Question) -> Question:
    """Have *question* say what it asks, whatever people sent in place of words."""
    return replace(question, text=whole(question.words))
