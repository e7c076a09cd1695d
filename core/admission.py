"""Lets in who may ask, and has others told so: once a day, and no more than that."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from core.access import is_bot
from core.bounded import Bounded
from core.chat import describe
from core.errors import ChatError, StorageUnavailable, Unwelcome, facts
from core.language import say
from core.metrics import Metrics
from core.words import as_markdown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from core.access import Rules, Why
    from core.chat import Chat
    from core.storage.ledger import Ledger
    from core.thread import Thread

TOLD_AGAIN = timedelta(days=1)
UNSURE_AGAIN = timedelta(minutes=5)
MOST_REMEMBERED = 10_000  # people who were told
log = structlog.get_logger(__name__)


class Admission:
    """The door of every chat."""

    def __init__(
        self,
        rules: Mapping[str, Rules],
        chats: Mapping[str, Chat],
        ledger: Ledger,
        *,
        contact: str = "",
        metrics: Metrics | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """*rules* and *chats* by the names of the chats; *contact*: whom somebody should ask who is refused."""
        self._chats = chats
        self._rules = rules
        self._ledger = ledger
        self._contact = as_markdown(contact)
        self._metrics = metrics or Metrics()
        self._clock = clock
        self._told: Bounded[str, float] = Bounded(MOST_REMEMBERED)  # until then nobody needs to be asked

    async def admit(self, asker: str, thread: Thread) -> None:
        """Raises Unwelcome if *asker* may not ask in *thread*."""
        rules = self._rules[thread.chat]
        try:
            why = rules.refuses(await describe(self._chats.get(thread.chat), asker, thread, rules))
        except (ChatError, TimeoutError) as trouble:
            log.warning(
                "can't find out whether somebody may ask; refusing the question", chat=thread.chat, **facts(trouble)
            )
            why = "unsure"
        if why:
            raise await self._refusal(asker, thread, why)

    async def _refusal(self, asker: str, thread: Thread, why: Why) -> Unwelcome:
        """Whatever the reason, it is told in the same words: they say nothing of who is on a list."""
        self._metrics.refused_askers.labels(thread.chat, why).inc()
        is_unsure = why == "unsure"
        within = UNSURE_AGAIN if is_unsure else TOLD_AGAIN
        is_news = not is_bot(asker) and await self._is_first(
            f"{'unsure' if is_unsure else 'unwelcome'}/{thread.chat}/{asker}", within
        )
        tell = log.info if is_news else log.debug
        tell("somebody asks who may not", chat=thread.chat, thread=thread.id, why=why)
        return Unwelcome(self._sentence(is_unsure=is_unsure), is_news=is_news)

    def _sentence(self, *, is_unsure: bool) -> str:
        if is_unsure:
            return say("I can't find out right now whether I may answer you. Please try again in a few minutes.")
        if not self._contact:
            return Unwelcome().sentence
        return say("I may not answer you here. If you think that I should, please ask {whom}.", whom=self._contact)

    async def _is_first(self, occasion: str, within: timedelta) -> bool:
        """Who goes on asking costs no transaction each time."""
        if self._told.get(occasion, 0.0) > self._clock():
            return False
        try:
            is_first = await self._ledger.is_first(occasion, within)
        except StorageUnavailable:  # nothing is lost by silence
            return False
        # For how long the others hold that it was told is not known here.
        self._told[occasion] = self._clock() + (within.total_seconds() if is_first else 60.0)
        return is_first
