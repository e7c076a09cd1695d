"""Takes a thread's turns one after another, and sees each through, also one that a crash broke off."""

from __future__ import annotations

import asyncio
import math
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from core import preset, retired
from core.answer import Answer
from core.bounded import Bounded
from core.chat import appeal
from core.errors import ChatError, Overtaken, StorageUnavailable, facts
from core.files import FileReader, MakeLink, no_link
from core.language import speaking
from core.metrics import Metrics
from core.presentation import USUAL, Oddities, Presentation, Times
from core.recall import Recall
from core.retitling import Retitling

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from core.asking.service import Service
    from core.chat import Chat
    from core.preset import Preset
    from core.storage.ledger import Ledger
    from core.storage.queue import Taken
    from core.thread import ThreadId
    from core.turn import Turn, TurnId

LONGEST_ANSWER = 100_000  # characters
CONTEXT_BUDGET = 12_000  # characters
MOST_TO_STOP = 1_000  # turns that are to stop and are none of ours, as far as is known

log = structlog.get_logger(__name__)


class Worker:
    """Answers the turns of threads, one after another in each, many threads at once."""

    def __init__(
        self,
        ledger: Ledger,
        service: Service,
        chats: Mapping[str, Chat],
        presets: Mapping[str, Preset],
        *,
        transcript_budget: int,
        longest_answer: int = LONGEST_ANSWER,
        context_budget: int = CONTEXT_BUDGET,
        metrics: Metrics | None = None,
        visible: Callable[[str], str] = str,
        refused: Callable[[str], None] = lambda _: None,
        make_link: MakeLink = no_link,
        titles: bool = False,
        tells_names: bool = True,
        times: Times = USUAL,
        contact: str = "",
    ) -> None:
        """*chats* by their names; *transcript_budget* in characters, for the turns that a rebuilt conversation is told.

        *longest_answer* in characters; beyond them the service is hung up on. *context_budget* in characters, for what
        people said before a question and not to the bot.
        *visible* takes an answer so far and returns what people are shown of it. *refused* is told the name of a chat
        whose platform refuses the bot's token. *make_link* makes the links by which the service fetches files.
        *titles*: does the service give threads their titles? *tells_names*: may it be told what people are called?
        *contact*: whom people should tell of what only an operator can mend.
        """
        self._visible = visible
        self._longest_answer = longest_answer
        self._context_budget = context_budget
        self._ledger = ledger
        self._service = service
        self._chats = chats
        self._files = FileReader(chats, make_link)
        self._presets = dict(presets)
        self._transcript_budget = transcript_budget
        self._metrics = metrics or Metrics()
        self._oddities = Oddities(self._metrics, refused)
        self._retitling = Retitling(service, ledger, visible, times.title) if titles else None
        self._times = times
        self._tells_names = tells_names
        self._contact = contact
        self._running: dict[TurnId, asyncio.Task[tuple[Taken, float] | None]] = {}
        self._answers: dict[TurnId, Answer] = {}  # those that are being made
        self._to_stop: Bounded[TurnId, float] = Bounded(MOST_TO_STOP)  # when that was heard of others

    async def see_to(self, thread: ThreadId) -> None:
        """See every open turn of *thread* to its end, in the order in which they were accepted.

        Raises StorageUnavailable when the next one can't be read: to be called again then.
        """
        asked = time.monotonic()
        taken = await self._ledger.take(thread)
        following = (taken, asked) if taken else None
        while following:
            taken, asked = following
            turn = taken.turn
            with (
                speaking(turn.question.language),
                structlog.contextvars.bound_contextvars(thread=thread, turn=turn.id, reference=turn.reference),
            ):
                try:
                    following = await self._uninterrupted(taken, asked)
                except Overtaken:
                    # Not ours to take again: the engine says so, should the thread still be ours.
                    log.info("the turn is another process's by now, or is asked again; leaving it")
                    return

    def interrupt(self, turn: TurnId) -> None:
        """Cancel a turn that runs here and is no longer ours, because its question has changed or is gone."""
        if running := self._running.get(turn):
            running.cancel()

    def stop(self, turn: TurnId) -> None:
        """Have a turn that is being answered here end with what came so far."""
        if answer := self._answers.get(turn):
            answer.stop()
        else:  # it may have been taken this very moment
            self._to_stop[turn] = time.monotonic()

    async def _uninterrupted(self, taken: Taken, asked: float) -> tuple[Taken, float] | None:
        """Return what the thread has next, and when that was asked. Raises Overtaken when interrupted."""
        running = self._running[taken.turn.id] = asyncio.create_task(self._see_through(taken, asked))
        try:
            return await running
        except asyncio.CancelledError:
            ourselves = asyncio.current_task()
            if ourselves and ourselves.cancelling():
                raise
            raise Overtaken from None
        finally:
            del self._running[taken.turn.id]

    async def _see_through(self, taken: Taken, asked: float) -> tuple[Taken, float] | None:
        turn, chat, answer = taken.turn, self._chats[taken.turn.question.thread.chat], None
        presentation = Presentation(
            chat,
            self._ledger,
            turn.reply,
            since=asked,
            oddities=self._oddities,
            visible=self._visible,
            times=self._times,
        )
        taken_at = time.monotonic()
        if not turn.is_over:
            answer = self._answer(taken, presentation)
            turn = await self._complete(answer, turn.id, asked)
            self._metrics.turns.labels(turn.status).inc()
        is_shown = await presentation.end(turn)
        if presentation.first_text_at and turn is not taken.turn and taken.is_first_answer:
            self._metrics.first_text.observe((presentation.first_text_at - taken.accepted_at).total_seconds())
        if not is_shown:
            if not presentation.is_gone:
                self._metrics.given_up.inc()
            if presentation.is_forbidden:
                await self._appeal(turn)
        if answer and answer.retired:
            await retired.tell(answer.retired, self._choice(taken), turn, chat=chat, ledger=self._ledger)
        if is_shown and self._retitling and not taken.has_earlier:
            await self._retitling.see_to(turn, chat)
        seconds = round(time.monotonic() - taken_at, 2)
        log.info(
            "a turn is over",
            status=turn.status,
            model=turn.model,
            attempt=turn.attempt,
            shown=is_shown,
            seconds=seconds,
        )
        return presentation.next

    async def _complete(self, answer: Answer, number: TurnId, asked: float) -> Turn:
        self._answers[number] = answer
        if self._to_stop.get(number, -math.inf) >= asked:
            answer.stop()
        try:
            return await answer.complete()
        finally:
            del self._answers[number]

    def _answer(self, taken: Taken, presentation: Presentation) -> Answer:
        chat = self._chats[taken.turn.question.thread.chat]
        return Answer(
            taken,
            self._choice(taken),
            presentation,
            ledger=self._ledger,
            service=self._service,
            files=self._files,
            transcript_budget=self._transcript_budget,
            longest_answer=self._longest_answer,
            recall=Recall(chat, self._ledger, self._context_budget, taken.known, self._times.context),
            tells_names=self._tells_names,
            metrics=self._metrics,
            last_resort=preset.choose(self._presets, []).models,
            contact=self._contact,
        )

    def _choice(self, taken: Taken) -> preset.Choice:
        return preset.choose(self._presets, [*taken.presets, *_of_its_own(taken.turn)])

    async def _appeal(self, turn: Turn) -> None:
        """Tell the asker, once a day per channel, that we may not post there: they know who can change that."""
        thread = turn.question.thread
        note, today = f"forbidden/{thread.channel}", datetime.now(UTC).date().isoformat()
        try:
            if await self._ledger.note(note) != today:
                await self._ledger.write_note(note, today)
                await appeal(self._chats[thread.chat], turn)
        except (ChatError, StorageUnavailable) as error:
            log.warning("nobody can be told that the bot may not write there", **facts(error))


def _of_its_own(turn: Turn) -> list[tuple[str, preset.Preset]]:
    """Return the preset that the asker chose for this one question."""
    name = turn.question.preset
    return [(turn.question.key, preset.Preset(name=name))] if name else []
