"""Sees turns to their end: asks the upstream, keeps the thread up to date, records how it went."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from core import preset
from core.asking.limits import refuses_token
from core.asking.patience import TRIES
from core.attachment import declined, left_out
from core.errors import (
    BobbinError,
    CannotBeKept,
    ChatError,
    ChatForbidden,
    ConversationTooLarge,
    EmptyAnswer,
    NothingAsked,
    Overtaken,
    Resting,
    StorageUnavailable,
    TakesProcessesDown,
    ThreadGone,
    UnknownConversation,
    UpstreamBusy,
    UpstreamCut,
    UpstreamError,
    UpstreamFailed,
    UpstreamUnreachable,
)
from core.showing import Oddities, Showing, insist
from core.thread import Conversation
from core.transcript import retell
from core.upstream.prompt import Prompt, Said
from core.vitals import Metrics
from core.words import is_keepable, keepable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.asking.service import Answering, Service
    from core.chat import Chat
    from core.preset import Choice, Preset
    from core.storage.ledger import Ledger, Taken
    from core.thread import ThreadId
    from core.turn import Turn, TurnId

log = structlog.get_logger(__name__)

MOST_INTERRUPTIONS = 10  # a turn that was cut off so often takes its process down with it: fail it instead
MOST_TURNS_RETOLD = 100
TRIES_OF_A_FALLBACK = 2  # people have waited for the first model already


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
        metrics: Metrics | None = None,
    ) -> None:
        """*chats* by their names; *transcript_budget* in characters, for the turns that a rebuilt conversation is told."""
        self._ledger = ledger
        self._service = service
        self._chats = chats
        self._presets = dict(presets)
        self._transcript_budget = transcript_budget
        self._metrics = metrics or Metrics()
        self._oddities = Oddities(self._metrics)
        self._running: dict[TurnId, asyncio.Task[None]] = {}

    async def see_to(self, thread: ThreadId) -> None:
        """See every open turn of *thread* to its end, in the order in which they were accepted.

        Raises StorageUnavailable when the next one can't be read: to be called again then.
        """
        while (taken := await self._ledger.take(thread)) is not None:
            turn = taken.turn
            with structlog.contextvars.bound_contextvars(thread=thread, turn=turn.id, reference=turn.reference):
                try:
                    await self._uninterrupted(taken)
                except Overtaken:
                    # Not ours to take again: the engine says so, should the thread still be ours.
                    log.info("the turn is somebody else's by now, or was asked anew")
                    return

    def interrupt(self, turn: TurnId) -> None:
        """Break off a turn that runs here and is no longer ours: its question has changed or is gone."""
        if running := self._running.get(turn):
            running.cancel()

    async def _uninterrupted(self, taken: Taken) -> None:
        """Raises Overtaken when interrupted."""
        running = self._running[taken.turn.id] = asyncio.create_task(self._see_through(taken))
        try:
            await running
        except asyncio.CancelledError:
            ourselves = asyncio.current_task()
            if ourselves and ourselves.cancelling():
                raise
            raise Overtaken from None
        finally:
            del self._running[taken.turn.id]

    async def _see_through(self, taken: Taken) -> None:
        turn = taken.turn
        showing = Showing(self._chats[turn.question.thread.chat], self._ledger, turn, self._oddities)
        taken_at = time.monotonic()
        if not turn.is_over:
            turn = await self._answer(taken, showing)
            self._metrics.turns.labels(turn.status).inc()
        is_shown = await showing.end(turn)
        if showing.first_text_at and turn is not taken.turn and taken.is_first_answer:
            self._metrics.first_text.observe((showing.first_text_at - taken.accepted_at).total_seconds())
        if not is_shown:
            self._metrics.given_up.inc()
            if showing.is_forbidden:
                await self._appeal(turn)
        seconds = round(time.monotonic() - taken_at, 2)
        log.info("over", status=turn.status, model=turn.model, attempt=turn.attempt, shown=is_shown, seconds=seconds)

    async def _appeal(self, turn: Turn) -> None:
        """Have it told that the channel is closed to us, once a day: whoever asked there knows who can mend that."""
        thread = turn.question.thread
        note, today = f"forbidden/{thread.channel}", datetime.now(UTC).date().isoformat()
        try:
            if await self._ledger.note(note) != today:
                await self._ledger.write_note(note, today)
                await self._chats[thread.chat].appeal(turn)
        except (ChatError, StorageUnavailable) as error:
            log.warning("nobody could be told that the bot may not write there", error=str(error))

    async def _answer(self, taken: Taken, showing: Showing) -> Turn:
        choice = preset.choose(self._presets, taken.presets)
        showing.turn = taken.turn.start(choice.model)
        going_on, trace = _usable(taken, choice.model), ""
        try:
            if taken.interruptions > MOST_INTERRUPTIONS:
                raise TakesProcessesDown  # noqa: TRY301  # told like any other problem
            if not taken.turn.question.words:  # recorded by a version that would have asked it
                raise NothingAsked(declined(taken.turn.question.attachments))  # noqa: TRY301  # as above
            said = await self._ask_models(choice, taken, showing)
            turn = showing.turn.finish(said.text)
            going_on = self._named(said, turn.model)
        except (ThreadGone, ChatForbidden) as error:
            log.info("nothing can be shown in the thread any more: stopped", error=str(error))
            turn, going_on = showing.turn.stop(), None
        except (Overtaken, StorageUnavailable):
            raise
        except BobbinError as error:
            turn, trace = self._failed(showing.turn, error), getattr(error, "trace_id", None) or ""
            was_cut = isinstance(error, UpstreamCut | EmptyAnswer | ConversationTooLarge)
            if was_cut or turn.model != choice.model:
                going_on = None  # the question may or may not be in its history: rebuild next time
        except Exception:  # whatever it is, the thread must not wait for ever
            log.exception("a turn failed in a way that nobody thought of")
            turn, going_on = self._failed(showing.turn, BobbinError()), None
        try:
            await insist(lambda: self._ledger.conclude(turn, going_on, epoch=taken.epoch, trace=trace))
        except CannotBeKept as error:
            # Whatever it was that came, nothing of it is written a second time: that can't be refused.
            log.error("the database refuses an answer", why=str(error))
            turn = self._failed(showing.turn.start(turn.model), error)
            await insist(lambda: self._ledger.conclude(turn, None, epoch=taken.epoch))
        return turn

    def _named(self, said: Said, model: str) -> Conversation | None:
        """Return the conversation to go on with; None, if the service has not named one, or by what is no id."""
        if said.conversation and is_keepable(said.conversation):
            return Conversation(said.conversation, model)
        length = len(said.conversation or "")
        log.warning("the service named no conversation that can go on; the next one is told it all", length=length)
        self._metrics.unnamed.inc()
        return None

    async def _ask_models(self, choice: Choice, taken: Taken, showing: Showing) -> Said:
        """Ask the preset's models, one after another, until one answers."""
        *others, last = choice.models
        for model, following in zip(others, choice.models[1:], strict=True):
            try:
                return await self._converse(choice, _usable(taken, model), showing, has_earlier=taken.has_earlier)
            except (UpstreamBusy, UpstreamFailed, UpstreamUnreachable, UpstreamCut, EmptyAnswer, Resting) as error:
                if showing.turn.answer:
                    raise  # people have read the beginning of its answer: that stays
                log.warning("a model does not answer; asking the next", model=model, next=following, error=str(error))
            showing.turn = showing.turn.start(following)
        return await self._converse(choice, _usable(taken, last), showing, has_earlier=taken.has_earlier)

    async def _converse(
        self, choice: Choice, going_on: Conversation | None, showing: Showing, *, has_earlier: bool
    ) -> Said:
        if going_on is not None:
            try:
                return await self._ask(choice, going_on, showing.turn.question.words, showing)
            except (UnknownConversation, ConversationTooLarge, UpstreamCut, EmptyAnswer) as error:
                # What was cut off may be in the conversation's history: asked there again, it would be in it twice.
                log.warning("the conversation can't go on; rebuilding it", error=str(error))
                return await self._ask_anew(choice, showing, has_earlier=has_earlier)
        try:
            return await self._ask_anew(choice, showing, has_earlier=has_earlier)
        except (UpstreamCut, EmptyAnswer) as error:
            log.warning("the answer was cut off; asking once more", error=str(error))
            return await self._ask_anew(choice, showing, has_earlier=has_earlier)

    async def _ask_anew(self, choice: Choice, showing: Showing, *, has_earlier: bool) -> Said:
        """Ask in a new conversation, which is told what the thread said so far."""
        turn = showing.turn
        question = await self._retold(turn) if has_earlier else turn.question.words
        return await self._ask(choice, None, question, showing)

    async def _retold(self, turn: Turn) -> str:
        """Return the question with what the thread's earlier turns were, since nobody upstream knows them."""
        earlier = await self._ledger.transcript(turn.question.thread.id, turn.id, MOST_TURNS_RETOLD + 1)
        return retell(earlier, turn.question.words, budget=self._transcript_budget, most=MOST_TURNS_RETOLD)

    async def _ask(self, choice: Choice, going_on: Conversation | None, question: str, showing: Showing) -> Said:
        waiting = showing.turn.remark("")
        answered = waiting.remark(_beside(waiting, choice))
        answering: Answering | None = None

        def now() -> Turn:
            return answered.grow(answering.said().text) if answering else waiting

        def told(before: int | None) -> None:
            nonlocal waiting
            waiting = waiting.remark(_waits_behind(before))
            tell()

        prompt, thread = _prompt(waiting, choice, going_on, question), waiting.question.thread
        tries = TRIES if waiting.model == choice.model else TRIES_OF_A_FALLBACK
        rests = waiting.model == choice.models[-1]  # else another can step in at once
        async with (
            showing.live(now) as tell,
            self._service.ask(prompt, thread=thread, told=told, tries=tries, rests=rests) as stream,
        ):
            answering, is_known = stream, going_on is None
            async for _ in stream:
                if not is_known:  # looked at before people read what has no memory
                    is_known = _same_conversation(stream, going_on)
                tell()
            _same_conversation(stream, going_on)
            return stream.said()

    def _failed(self, turn: Turn, error: BobbinError) -> Turn:
        # A token that is refused has been said loudly once, and would be here once a question.
        loud = isinstance(error, UpstreamError) and error.for_operator and not refuses_token(error)
        log.log(40 if loud else 30, "a turn failed", error=str(error), kind=type(error).__name__)
        told = turn if turn.answer else turn.remark("")  # nobody waits any more, and no other model stepped in
        return told.fail(f"{error.sentence} (Reference: `{turn.reference}`)")


def _prompt(turn: Turn, choice: Choice, going_on: Conversation | None, question: str) -> Prompt:
    return Prompt(
        model=turn.model,
        question=question,
        conversation=going_on.id if going_on else None,
        instructions=choice.instructions,
        references=turn.question.references,
    )


def _beside(turn: Turn, choice: Choice) -> str:
    """Return what to tell beside the answer."""
    is_ours = turn.model == choice.model
    stepped_in = "" if is_ours else f"Answered by {turn.model}, since {choice.model} did not answer."
    return " ".join(part for part in (stepped_in, left_out(turn.question.attachments)) if part)


def _waits_behind(before: int | None) -> str:
    if before is None:
        return "It is this question's turn now."
    if before == 0:
        return "This question is next."
    return f"There {'is' if before == 1 else 'are'} {before} question{'' if before == 1 else 's'} before this one."


def _usable(taken: Taken, model: str) -> Conversation | None:
    """Return the conversation to go on with; None when a new one must be told what was said."""
    if taken.was_interrupted:
        return None  # we can't know whether the upstream heard the question
    if taken.conversation is not None and taken.conversation.model != model:
        return None  # a conversation is bound to its model
    return taken.conversation


def _same_conversation(answering: Answering, going_on: Conversation | None) -> bool:
    """Return whether it is known yet in which conversation the answer is. Raises UnknownConversation if in another."""
    answered = answering.said().conversation
    if going_on is not None and answered is not None and answered != going_on.id:
        raise UnknownConversation(
            f"asked in {going_on.id}, answered in {keepable(answered)}", code="other_conversation"
        )
    return answered is not None
