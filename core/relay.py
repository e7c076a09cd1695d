"""The interface that chats use to hand questions and wishes to core."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import structlog

from core import attachment, preset
from core.accepting import BACKOFF, Accepting, keepable
from core.aftermath import STALE, Aftermath
from core.backoff import Backoff
from core.commands import BY_WORD, Command, Verb, given_in
from core.errors import (
    CannotBeKept,
    NothingAsked,
    Refused,
    TooLong,
    TooMany,
)
from core.following import BELIEVED_FOR, Following
from core.language import marked, say, speaking
from core.metrics import Metrics
from core.models import Models
from core.obeying import Commands, Told
from core.permission import TRIED_WITHIN, Permission
from core.stopping import Stopping
from core.turn import NOTHING_SHOWN, Accepted, Question, Reply, Status
from core.words import whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from core.admission import Admission
    from core.aftermath import Manages
    from core.asking.trial import Trial
    from core.permission import MayChange
    from core.preset import Choice, Preset
    from core.storage.deeds import Deeds
    from core.storage.ledger import Ledger
    from core.thread import Thread, ThreadId
    from core.turn import ActiveThread, QuestionKey, Turn, TurnId

log = structlog.get_logger(__name__)

# A platform brings what it brings twice within minutes; what it signed can be sent again for about as long.
OCCASIONS_KEPT = timedelta(hours=1)
MOST_SUGGESTED = 10  # models
TWICE = marked("That command came twice; I did it the first time.")


class Relay:
    """Takes questions and wishes from the chats. Whatever a method has returned from is recorded."""

    def __init__(
        self,
        ledger: Ledger,
        wake: Callable[[ThreadId], None],
        presets: Mapping[str, Preset],
        *,
        interrupt: Callable[[TurnId], None] = lambda _: None,
        stop: Callable[[TurnId], None] = lambda _: None,
        is_alone: bool = True,
        longest_question: int,
        on_edit: Literal["redo", "offer", "ignore"] = "offer",
        on_delete: Literal["withdraw", "keep"] = "withdraw",
        admission: Admission | None = None,
        models: Models | None = None,
        trial: Trial | None = None,
        metrics: Metrics | None = None,
        backoff: Backoff = BACKOFF,
    ) -> None:
        """Say how wishes are met.

        *wake* tells the engine that a thread has a turn to see to, *interrupt* the worker that a turn, should it
        run in this process, is to be broken off, *stop* that it is to end with what came so far. *is_alone*: no other
        process has the same database. *longest_question* in characters. *on_edit* and *on_delete*: what becomes of an
        answer whose question was edited or deleted. *admission*: who may ask; without it, everybody. Who may not is
        refused by every method that asks or obeys: it raises Unwelcome, and nothing of it is recorded.
        *models* are those that are set without asking; others are tried first by *trial*, if there is one.
        """
        self._ledger = ledger
        self._wake = wake
        self._presets = dict(presets)
        self.models = models or Models()
        self._commands = Commands(
            self._presets, longest_instructions=longest_question, suggested=tuple(self.models.some(MOST_SUGGESTED))
        )
        self._interrupt = interrupt
        self._stop = stop
        self.following = Following(
            ledger, presets, believed_for=math.inf if is_alone else BELIEVED_FOR, backoff=backoff
        )
        self._longest_question = longest_question
        self._on_edit = on_edit
        self._on_delete = on_delete
        self.permission = Permission(ledger, self.models, trial)
        self.stopping = Stopping(ledger, stop)
        metrics = metrics or Metrics()
        self._accepting = Accepting(ledger, wake, self.following, admission=admission, metrics=metrics, backoff=backoff)
        self.aftermath = Aftermath(ledger, self._accepting, metrics)

    async def hear(
        self,
        question: Question,
        reply: Reply = NOTHING_SHOWN,
        *,
        patience: float = 0.0,
        may_change: MayChange | None = None,
        manages: Manages | None = None,
    ) -> Accepted:
        """Take what somebody said: obey it if it is a command, else `ask` it.

        Handed in again, also to another process, it is not obeyed again. *may_change* is awaited before a preset is
        changed, and *manages* before others' questions are forgotten or answered again; without *manages*, nobody may do
        that. *patience* is as for `ask`. Raises StorageUnavailable: then it was not obeyed either.
        """
        given = given_in(question)
        if given is None:
            return await self.ask(question, reply, patience=patience)
        with speaking(question.language):
            return await self._do(given, question, reply, patience=patience, may_change=may_change, manages=manages)

    async def _do(
        self,
        given: Command,
        question: Question,
        reply: Reply,
        *,
        patience: float,
        may_change: MayChange | None,
        manages: Manages | None,
    ) -> Accepted:
        await self._accepting.admit(question.asker, question.thread)
        try:
            command = await self._accepting.patiently(
                lambda: self.permission.permitted(given, question.thread, question.asker, may_change, manages), patience
            )
            if self.permission.is_to_try(command) and (known := await self.turn(question.key, patience=patience)):
                return Accepted(known, is_new=False)
            command = await self.permission.tried(command, question.thread, question.asker, TRIED_WITHIN)
        except Refused as refused:
            is_private = given.verb is Verb.STOP
            accepted = await self._accepting.accept(question, reply, refused.sentence, patience, is_seen=is_private)
            return replace(accepted, whisper=refused.sentence) if is_private else accepted
        deed = self._deed(command, question.thread, question.asker)
        question = keepable(question)
        async with self._accepting.in_turn(question.thread):
            try:
                obeyed = await self._accepting.patiently(lambda: self._ledger.obey(question, reply, deed), patience)
            except CannotBeKept as error:
                return self._accepting.accepted(await self._accepting.refuse(question, reply, error, patience))
            except TooMany as refused:
                told = refused.sentence
                return self._accepting.accepted(
                    await self._accepting.patiently(lambda: self._ledger.accept(question, reply, told), patience)
                )
        self._changed(obeyed.reopened)
        self._obeyed(command, obeyed.stopped)
        return self._accepting.accepted(obeyed.accepted)

    async def obey(
        self,
        command: Command,
        thread: Thread,
        by: str,
        *,
        occasion: str = "",
        may_change: MayChange | None = None,
        manages: Manages | None = None,
        own: bool = False,
        within: float = TRIED_WITHIN,
    ) -> Told:
        """Obey a *command* that was not said in *thread* but given there by the platform's own means; say what to tell.

        *by*: who gave it, for the record. What changes something is done once for each *occasion*: the platform's id of
        this very use of the command; where there is none, it is empty. *may_change* and *manages* as for `hear`. *own*:
        *thread* is a place with many conversations, whose ids begin with its id and a slash; what concerns one of them is
        meant for that in which *by* asked last. *within*: so many seconds a model that is not known has to show that it is
        there, see `is_to_try`. Raises StorageUnavailable: then it was not obeyed.
        """
        await self._accepting.admit(by, thread)
        try:
            command = await self.permission.permitted(command, thread, by, may_change, manages, own=own)
            command = await self.permission.tried(command, thread, by, within)
        except Refused as refused:
            return Told(refused.sentence)
        deed = self._deed(command, thread, by, own=own)
        once = occasion if command.changes_anything else ""
        try:
            obeyed = await self._ledger.obey_once(once, deed, OCCASIONS_KEPT, by=by)
        except TooMany as refused:
            return Told(refused.sentence)
        if obeyed is None:
            return Told(say(TWICE))
        self._changed(obeyed.reopened)
        self._obeyed(command, obeyed.stopped)
        return obeyed.told

    async def ask(self, question: Question, reply: Reply = NOTHING_SHOWN, *, patience: float = 0.0) -> Accepted:
        """Record *question*, whatever it says, and have it answered in its turn.

        Recording the same key again changes nothing. *reply* is what the adapter already knows of where
        the answer goes. A question that can't be asked is answered by Bobbin itself, with a hint.
        Raises StorageUnavailable: then it is not recorded, and must not be acknowledged. *patience* is for how many
        seconds to try before that: for a chat that would not deliver the question again.
        """
        with speaking(question.language):
            await self._accepting.admit(question.asker, question.thread)
            question = _in_words(question)
            return await self._accepting.accept(question, reply, told=self._refusal(question), patience=patience)

    async def revise(self, question: Question, *, words_command: bool = True) -> None:
        """Record that the asker has edited a question; *question* is its new wording.

        Not begun yet, it is answered as it is now; else what the deployment wishes: the answer is done anew, or
        that is offered. A question that was never accepted is left alone, and so is an edit that changes nothing, or
        makes a command of it: who does that wants neither an answer to it nor, perhaps, what it would do. Where other
        words than those of `BY_WORD` are no commands, because the chat hands them to `ask` (not *words_command*), an edit
        to them is one like any. Edits may come in any order, also to several processes: one that is older than another is
        left alone.
        """
        if not await self._ledger.is_newest(question.key, question.edition):
            return
        command = given_in(question)
        if command and (words_command or command.verb in BY_WORD):
            return
        question = _in_words(question)
        turn = await self._ledger.turn(question.key)
        if turn is None or self._refusal(question) is not None or self._on_edit == "ignore":
            return
        await self._accepting.admit(question.asker, question.thread)
        unchanged = turn.question.text == question.text
        if turn.is_over and (self._on_edit == "offer" or unchanged):
            self._changed(await self._ledger.offer(question.key, question.text, edition=question.edition))
        elif not unchanged:
            # What was not begun yet is asked once all the same.
            by = "" if turn.status is Status.QUEUED else question.asker
            try:
                self._changed(await self._ledger.reopen(question.key, question.text, edition=question.edition, by=by))
            except TooMany:  # said to nobody, since the old answer stands
                self._changed(await self._ledger.offer(question.key, question.text, edition=question.edition))

    async def again(
        self, key: QuestionKey, *, of_attempt: int | None = None, by: str = "", manages: Manages | None = None
    ) -> bool:
        """Have a question answered anew, as its asker has revised it; return whether there is such a question.

        One that is being answered is left to that, and so is one that has been answered anew since *of_attempt*: two
        people may press the same button, and a platform may bring one click twice. None: not known. *by*: who wants it.
        With *manages* a good answer is theirs alone who may have it replaced. Raises TooMany if it is more than may be
        asked for them, and what else refuses it.
        """
        turn = await self._ledger.turn(key)
        if turn and by:
            await self._accepting.admit(by, turn.question.thread)
            if turn.is_over and not turn.is_withdrawn and of_attempt is not None and turn.attempt != of_attempt:
                raise Refused(say(STALE))
            if manages and turn.is_answered and not turn.revised:
                await self.aftermath.check_theirs(turn, by, manages)
        if self._changed(await self._ledger.reopen(key, of_attempt=of_attempt, by=by)):
            return True
        return turn is not None and not turn.is_withdrawn

    async def withdraw(self, key: QuestionKey) -> None:
        """Take note that a question was deleted: nobody needs its answer any more, and it is no part of the thread.

        To be called for any message: what is handed in only after its deletion is not asked.
        """
        if self._on_delete == "withdraw":
            self._changed(await self._ledger.withdraw(key))
        else:
            await self._ledger.bury(key)

    async def share(self, key: QuestionKey, by: str, thread: Thread, reply: Reply = NOTHING_SHOWN) -> Accepted | None:
        """Have *thread* show a private question and its answer, under the name of whoever asked; once, however often.

        It is another turn there, of which a follow-up is told. *reply* is as for `ask`. Returns None if it is not for
        *by* to share: who has not asked it, or of whom there is no such answer. Raises Unwelcome, StorageUnavailable.
        """
        await self._accepting.admit(by, thread)
        accepted = await self._ledger.share(key, by, thread, reply)
        return self._accepting.accepted(accepted) if accepted else None

    async def turn(self, key: QuestionKey, *, patience: float = 0.0) -> Turn | None:
        """Return the turn of a question, None if it was never accepted. *patience* as for `ask`."""
        return await self._accepting.patiently(lambda: self._ledger.turn(key), patience)

    async def turn_noting(
        self, mark: str, ranges: Sequence[tuple[QuestionKey, QuestionKey]], *, patience: float = 0.0
    ) -> Turn | None:
        """Return the newest turn in whose reply the chat has written *mark*, of those whose keys lie in one of *ranges*.

        Keys are compared as text. For a chat that knows a message of an answer, and not the question. *patience* as for
        `ask`.
        """
        return await self._accepting.patiently(lambda: self._ledger.turn_noting(mark, ranges), patience)

    async def active_threads(self, chat: str, since: datetime, at_most: int) -> list[ActiveThread]:
        """The threads of *chat* that were asked in since then; newest first.

        For a chat that was away, and has to know where something may have been said that it has not heard.
        """
        return await self._ledger.active_threads(chat, since, at_most)

    async def choice(self, thread: Thread) -> Choice:
        """Say which preset answers in *thread*, and where each field of it comes from."""
        return preset.choose(self._presets, await self._ledger.presets_at(thread.layers))

    @property
    def preset_names(self) -> list[str]:
        """The named presets of this deployment."""
        return sorted(self._presets)

    def _deed(self, command: Command, thread: Thread, by: str, *, own: bool = False) -> Callable[[Deeds], Told]:
        return lambda deeds: self._commands.obey(command, thread, by, deeds, own=own)

    def _obeyed(self, command: Command, stopped: Iterable[TurnId]) -> None:
        for turn in stopped:
            self._stop(turn)
        if command.changes_anything:
            self.following.changed()

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


def _in_words(question: Question) -> Question:
    """Have *question* say what it asks, whatever people sent in place of words."""
    return replace(question, text=whole(question.words))
