"""Produces the answer to one turn: which models to ask, in which conversation, and the text so far."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from core.asking.patience import TRIES
from core.attachment import declined
from core.errors import (
    BobbinError,
    CannotBeKept,
    ChatForbidden,
    NothingAsked,
    NothingReadable,
    Overtaken,
    StopWanted,
    StorageUnavailable,
    TakesProcessesDown,
    ThreadGone,
    facts,
)
from core.failure import failed
from core.files import FileReader, Given
from core.language import marked, number, say, say_n
from core.quote import asked, nameless
from core.thread import Conversation
from core.transcript import retell
from core.turn import Status
from core.upstream.errors import (
    CircuitOpen,
    ConversationTooLarge,
    EmptyAnswer,
    ModelRefused,
    UnknownConversation,
    UpstreamBusy,
    UpstreamCut,
    UpstreamError,
    UpstreamFailed,
    UpstreamUnreachable,
)
from core.upstream.prompt import AnswerSoFar, Prompt
from core.words import as_markdown, is_keepable, keepable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.asking.service import Answering, Service
    from core.metrics import Metrics
    from core.presentation import Presentation
    from core.preset import Choice
    from core.recall import Recall
    from core.storage.ledger import Ledger
    from core.storage.queue import Taken
    from core.turn import Question, Turn

log = structlog.get_logger(__name__)

MOST_INTERRUPTIONS = 10  # a turn that was cut off so often takes its process down with it: fail it instead
MOST_TURNS_RETOLD = 100
_LONGEST_WORD = 100  # characters
TOO_LONG = marked("I stopped this answer at {n} characters, the most I write.")
_REFUSED = marked("Answered by {model} because the AI service refused {first}.")
_UNAVAILABLE = marked("Answered by {model} because {first} was unavailable.")
# After these, another model is asked.
_STEPPED_IN_FOR = (
    UpstreamBusy,
    UpstreamFailed,
    UpstreamUnreachable,
    UpstreamCut,
    EmptyAnswer,
    CircuitOpen,
    ModelRefused,
)
TRIES_OF_A_FALLBACK = 2  # people have waited for the first model already


class Answer:
    """Brings one turn from its question to its recorded end. Nothing else changes the turn in the meantime."""

    def __init__(
        self,
        taken: Taken,
        choice: Choice,
        presentation: Presentation,
        *,
        ledger: Ledger,
        service: Service,
        files: FileReader,
        transcript_budget: int,
        longest_answer: int,
        recall: Recall,
        tells_names: bool,
        metrics: Metrics,
        last_resort: Sequence[str] = (),
        contact: str = "",
    ) -> None:
        """*choice* says which models are asked, and how; *transcript_budget* and *longest_answer* are in characters.

        *tells_names*: may the service be told what people are called?
        *last_resort*: models to ask when the service refuses those of the choice. *contact*: whom people should tell of
        what only an operator can mend.
        """
        self._contact = as_markdown(contact)
        self._taken = taken
        self._choice = choice
        self._models = list(choice.models)  # asked one after another, until one answers
        self._last_resort = last_resort
        self._refused: set[str] = set()
        self.retired: list[str] = []  # models that the service refuses for no other reason than what they are
        self._presentation = presentation
        self._ledger = ledger
        self._service = service
        self._files = files
        self._given = Given()  # what the service gets of the question's files
        self._transcript_budget = transcript_budget
        self._recall = recall
        self._tells_names = tells_names
        self._metrics = metrics
        named = choice.origins.get("name")
        self._asked = replace(
            taken.turn,
            is_anew=not taken.was_interrupted,
            is_cut=False,
            answered_as=named.value if named else "",
            seconds=0.0,
        )
        self._began = time.monotonic()
        self._turn = self._asked.start(choice.model)
        self._longest_answer = longest_answer
        self._is_too_long = False
        self._stream: Answering | None = None  # what the turn grows from, while there is something
        self._saying: asyncio.Task[AnswerSoFar] | None = None  # while the service is asked
        self._is_stopped = taken.is_stopping

    def now(self) -> Turn:
        """Return the turn with what has come of its answer so far."""
        if self._stream is None:
            return self._turn
        return self._turn.remark(self._beside()).grow(_cut(self._stream.said().text, self._longest_answer))

    def stop(self) -> None:
        """End with what came so far."""
        self._is_stopped = True
        if self._saying:
            self._saying.cancel()

    async def complete(self) -> Turn:
        """See the turn through, record how it ended, and return it.

        Raises Overtaken, and StorageUnavailable if what the thread said before can't be read.
        """
        going_on, trace = None, ""
        try:
            said = await self._said_unless_stopped()
            self._turn = self._turn.finish(_cut(said.text, self._longest_answer))
            # Hung up on, the service may remember what nobody has read, or nothing.
            going_on = None if self._is_too_long else self._named(said)
        except (ThreadGone, ChatForbidden) as error:
            log.info("nothing can be shown in the thread any more; stopping", **facts(error))
            self._turn = self._turn.stop()
        except StopWanted:
            log.info("somebody has stopped an answer", characters=len(self._turn.answer))
            by = await self._presentation.insist(lambda: self._ledger.stopped_by(self._asked.id))
            self._turn = (self._turn if self._turn.answer else self._asked).stop(by)
        except (Overtaken, StorageUnavailable):
            raise
        except NothingReadable as hint:
            going_on = self._usable()
            self._turn = self._asked.start("").finish(hint.sentence)
        except BobbinError as error:
            self._fail(error)
            trace = getattr(error, "trace_id", None) or ""
            was_cut = isinstance(error, UpstreamCut | EmptyAnswer | ConversationTooLarge)
            if not was_cut and self._turn.model == self._choice.model:
                going_on = self._usable()  # else the question may or may not be in its history: rebuild next time
        except Exception:  # the thread must not wait for good
            log.exception("a turn fails unexpectedly")
            self._fail(BobbinError())
        try:
            await self._presentation.insist(lambda: self._conclude(going_on, trace))
        except CannotBeKept as error:
            # Whatever it was that came, nothing of it is written a second time: that can't be refused.
            log.error("the database refuses an answer", **facts(error))
            self._turn = self._asked.start(self._turn.model)
            self._fail(error)
            await self._presentation.insist(lambda: self._conclude(None))
        return self._turn.replied(self._presentation.reply)

    async def _conclude(self, going_on: Conversation | None, trace: str = "") -> None:
        self._turn = replace(
            self._turn,
            is_cut=self._is_too_long and self._turn.status is Status.ANSWERED,
            seconds=round(time.monotonic() - self._began, 2),
        )
        turn = self._turn.replied(self._presentation.reply)
        await self._ledger.conclude(turn, going_on, epoch=self._taken.epoch, trace=trace)

    async def _said_unless_stopped(self) -> AnswerSoFar:
        """Raises StopWanted, and what `_said` does."""
        if self._is_stopped:
            raise StopWanted
        self._saying = asyncio.create_task(self._said())
        try:
            return await self._saying
        except asyncio.CancelledError:
            ourselves = asyncio.current_task()
            if ourselves and ourselves.cancelling():
                raise
            raise StopWanted from None
        finally:
            self._saying = None

    async def _said(self) -> AnswerSoFar:
        """Ask the preset's models, one after another, until one answers."""
        if self._taken.interruptions > MOST_INTERRUPTIONS:
            raise TakesProcessesDown
        if not self._taken.turn.question.words:  # recorded by a version that would have asked it
            raise NothingAsked(declined(self._taken.turn.question.attachments))
        self._given = await self._files.read(self._turn.question)
        self._given.refuse_nothing(self._turn.question)
        while True:
            try:
                return await self._converse()
            except _STEPPED_IN_FOR as error:
                following = self._next(error)
                if following is None:
                    raise
                model = self._turn.model
                log.warning("a model does not answer; asking the next", model=model, next=following, **facts(error))
            self._turn = self._turn.start(following)

    def _next(self, error: UpstreamError) -> str | None:
        """Return the model that steps in, None if none does."""
        if self._turn.answer:
            return None  # people have read the beginning of its answer: that stays
        if isinstance(error, ModelRefused):
            self._refused.add(self._turn.model)
            if not self._given.references():  # else it may only be unable to read them
                self.retired.append(self._turn.model)
            self._models += [model for model in self._last_resort if model not in self._models]
        left = self._models[self._models.index(self._turn.model) + 1 :]
        return left[0] if left else None

    async def _converse(self) -> AnswerSoFar:
        if (going_on := self._usable()) is not None:
            try:
                return await self._ask(going_on, await self._worded(goes_on=True))
            except (UnknownConversation, ConversationTooLarge, UpstreamCut, EmptyAnswer) as error:
                # What was cut off may be in the conversation's history: asked there again, it would be in it twice.
                log.warning("the conversation can't go on; rebuilding it", **facts(error))
                return await self._ask(None, await self._retold())
        try:
            return await self._ask(None, await self._retold())
        except (UpstreamCut, EmptyAnswer) as error:
            log.warning("the answer is cut off; asking once more", **facts(error))
            return await self._ask(None, await self._retold())

    def _usable(self) -> Conversation | None:
        """Return the conversation to go on with; None when a new one must be told what was said."""
        known = self._taken.conversation
        if self._taken.was_interrupted:
            return None  # we can't know whether the upstream heard the question
        if known is not None and known.model != self._turn.model:
            return None  # a conversation is bound to its model
        return known

    async def _retold(self) -> str:
        """Return the question with what the thread's earlier turns were, since nobody upstream knows them."""
        question = self._turn.question
        worded = await self._worded(goes_on=False)
        if not self._taken.has_earlier:
            return worded
        earlier = await self._ledger.transcript(question.thread.id, self._turn.id, MOST_TURNS_RETOLD + 1)
        earlier = [replace(turn, question=self._tellable(turn.question)) for turn in earlier]
        return retell(earlier, worded, budget=self._transcript_budget, most=MOST_TURNS_RETOLD)

    async def _worded(self, *, goes_on: bool) -> str:
        """Return the question with what was said around it."""
        worded = asked(self._tellable(self._turn.question))
        return await self._recall.told(worded, self._turn, goes_on=goes_on)

    def _tellable(self, question: Question) -> Question:
        return question if self._tells_names else nameless(question)

    async def _ask(self, going_on: Conversation | None, question: str) -> AnswerSoFar:
        """Ask the turn's model, and have the thread show what comes while it comes."""
        self._turn, self._is_too_long = self._turn.remark(""), False
        model = self._turn.model
        asking = self._service.ask(
            self._prompt(going_on, question),
            thread=self._turn.question.thread,
            asker=self._turn.question.asker,
            told=self._waits,
            tries=TRIES if model == self._choice.model else TRIES_OF_A_FALLBACK,
            rests=model == self._models[-1],  # else another can step in at once
        )
        try:
            async with self._presentation.live(self.now), asking as self._stream:
                is_known = going_on is None
                look_at = self._longest_answer
                async for _ in self._stream:
                    if not is_known:  # looked at before people read what has no memory
                        is_known = _same_conversation(self._stream, going_on)
                    self._presentation.changed()
                    if self._stream.most >= look_at:  # only then it is worth reading
                        left = self._longest_answer - len(self._stream.said().text)
                        if left < 0:
                            self._is_too_long = True
                            break
                        look_at = self._stream.most + left + 1
                _same_conversation(self._stream, going_on)
                return self._stream.said()
        finally:
            self._turn, self._stream = self.now(), None

    def _prompt(self, going_on: Conversation | None, question: str) -> Prompt:
        return Prompt(
            model=self._turn.model,
            question=self._given.before(question),
            conversation=going_on.id if going_on else None,
            instructions=self._choice.instructions,
            references=self._given.references(),
        )

    def _waits(self, before: int | None) -> None:
        """Tell how many questions are before this one; None: no more."""
        self._turn = self._turn.remark(_waits_behind(before))
        self._presentation.changed()

    def _beside(self) -> str:
        """Return what to tell beside the answer."""
        model, first = self._turn.model, self._choice.model
        stepped_in = ""
        if model != first:
            because = _REFUSED if first in self._refused else _UNAVAILABLE
            stepped_in = say(because, model=model, first=first)
        too_long = say(TOO_LONG, n=number(self._longest_answer)) if self._is_too_long else ""
        parts = stepped_in, self._given.left_out(self._turn.question), self._recall.problem, too_long
        return " ".join(part for part in parts if part)

    def _named(self, said: AnswerSoFar) -> Conversation | None:
        """Return the conversation to go on with; None, if the service has not named one, or by what is no id."""
        if said.conversation and is_keepable(said.conversation):
            return Conversation(said.conversation, self._turn.model)
        length = len(said.conversation or "")
        log.warning(
            "the AI service gives the conversation no usable id; retelling the thread with the next question",
            length=length,
        )
        self._metrics.unnamed.inc()
        return None

    def _fail(self, error: BobbinError) -> None:
        self._turn = failed(
            self._turn,
            error,
            contact=self._contact,
            has_files=self._given.is_something,
            has_earlier=self._taken.has_earlier,
        )


def _cut(text: str, longest: int) -> str:
    """Return *text* up to the last whole word that has room."""
    if len(text) <= longest:
        return text
    words, _, rest = text[:longest].rpartition(" ")
    return words if words and len(rest) < _LONGEST_WORD else text[:longest]


def _waits_behind(before: int | None) -> str:
    if before is None:
        return say("Starting now…")
    if before == 0:
        return say("You're next.")
    return say_n("{n} question is ahead of yours.", "{n} questions are ahead of yours.", before)


def _same_conversation(answering: Answering, going_on: Conversation | None) -> bool:
    """Return whether it is known yet in which conversation the answer is. Raises UnknownConversation if in another."""
    answered = answering.said().conversation
    if going_on is not None and answered is not None and answered != going_on.id:
        raise UnknownConversation(
            f"asked in {going_on.id}, answered in {keepable(answered)}", code="other_conversation"
        )
    return answered is not None
