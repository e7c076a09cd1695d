"""A question and its answer so far, and the states it may go through."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, NewType

from core import quote
from core.attachment import MOST, Attachment, request
from core.language import speaking
from core.quote import Quote
from core.thread import Thread
from core.words import is_blank

if TYPE_CHECKING:
    from core.quota import Whose
    from core.rates import Rate

QuestionKey = NewType("QuestionKey", str)  # the platform's *message*, never the delivery: what makes a question one
TurnId = NewType("TurnId", int)  # rises in the order of acceptance
Reply = NewType("Reply", str)  # the adapter's own note of what it showed and where; opaque, stored

NOTHING_SHOWN = Reply("")
# Between the key of a question that somebody said and what makes the key of one that nobody did: that asks for more of
# its answer, or begins a branch there.
GOES_ON, BRANCHES = "/on", "/branch"


class Status(StrEnum):
    QUEUED = "queued"  # waits for earlier turns of its thread
    STREAMING = "streaming"  # the upstream is answering
    ANSWERED = "answered"  # the upstream gave its whole answer
    FAILED = "failed"  # it did not; `problem` says why, in words for the asker
    STOPPED = "stopped"  # somebody stopped it; what came so far stays


MOVES: dict[Status, frozenset[Status]] = {
    # A crash in the middle streams again, so streaming may follow itself.
    Status.QUEUED: frozenset({Status.STREAMING, Status.FAILED, Status.STOPPED}),
    Status.STREAMING: frozenset({Status.STREAMING, Status.ANSWERED, Status.FAILED, Status.STOPPED}),
    # Asked anew, a turn that was over begins another life: in the ledger, where nobody holds it.
    Status.ANSWERED: frozenset(),
    Status.FAILED: frozenset(),
    Status.STOPPED: frozenset(),
}
OVER = frozenset(status for status, moves in MOVES.items() if not moves)


@dataclass(frozen=True, slots=True)
class Question:
    """A question that one person asked once."""

    key: QuestionKey
    thread: Thread
    asker: str  # the platform's id of the person, as its adapter writes it
    text: str
    attachments: tuple[Attachment, ...] = ()
    asker_name: str = ""  # the name that people see; empty where it isn't known, or not to be told
    quotes: tuple[Quote, ...] = ()  # what others said that comes with it
    is_private: bool = False  # is the answer for the asker's eyes only?
    is_unseen: bool = False  # did nobody else in the thread see the question, so that the answer has to show it?
    edition: int = 0  # when the asker last changed it, on the platform's scale; 0: not at all, or not known
    preset: str = ""  # the name of the one to answer it with, whatever is set in its thread; empty: what is set
    language: str = ""  # in which the bot itself speaks to the asker, one of `core.language`'s; empty: not known

    @property
    def words(self) -> str:
        """What is asked: the text, or what to ask about what the message brings along where there is none to be seen.

        Empty if there is nothing to ask.
        """
        if not is_blank(self.text):
            return self.text
        with speaking(self.language):
            return request(self.attachments) or quote.request(self.quotes)

    @property
    def files(self) -> tuple[Attachment, ...]:
        """What was sent along with it, and with the messages that it replies to or forwards."""
        return tuple(dict.fromkeys((*self.attachments, *quote.files(self.quotes))))[:MOST]

    @property
    def is_about_files_alone(self) -> bool:
        """Did people write nothing, so that its words are Bobbin's own about the files?"""
        with speaking(self.language):
            return bool(self.attachments) and self.text in ("", request(self.attachments))


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and its answer so far. Frozen: every change makes a new one."""

    id: TurnId
    question: Question
    status: Status = Status.QUEUED
    answer: str = ""
    problem: str = ""  # a sentence for the asker; empty unless failed
    aside: str = ""  # a sentence beside the answer: why it takes long, which model stepped in
    is_final: bool = False  # did it fail in a way in which it would fail again?
    revised: str = ""  # what the asker has made of the question since; people are offered an answer to that
    is_withdrawn: bool = False  # the asker deleted the question: nothing of the answer is to be seen any more
    reply: Reply = NOTHING_SHOWN
    shown: bool = False  # does the thread show how this turn ended?
    attempt: int = 0  # how often a process has taken it on; only the process with the newest attempt may write
    model: str = ""  # the model that answers; empty before it was asked, and when Bobbin answers by itself
    reference: str = ""  # what people can quote and operators find in the log
    waited: bool = False  # were others of its thread before it when it was asked? Then people were shown that it waits
    stopped_by: str = ""  # the asker's id of who stopped it; empty if nobody did, or the bot was told to be quiet
    is_cut: bool = False  # did it grow longer than an answer may, so that there is more to say?
    answered_as: str = ""  # the name of the preset that it was answered with; empty as `model`
    seconds: float = 0.0  # from the beginning of this attempt to the end of its answer
    # What follows is not stored, and known only to the process that answers.
    helps_at: int = 0  # until then, in seconds since 1970, it would fail again; 0: that isn't known
    # Somebody has asked for it since anything of it was shown: for the first time, or for another answer.
    is_anew: bool = False

    @property
    def is_over(self) -> bool:
        """Has it ended, well or badly? It may still have to be shown."""
        return self.status in OVER

    @property
    def offers_again(self) -> bool:
        """Should people be offered a new answer?"""
        may_help = self.status is Status.FAILED and not self.is_final
        return self.is_over and not self.is_withdrawn and (may_help or bool(self.revised))

    @property
    def is_answered(self) -> bool:
        """Is there an answer of the AI service's, whole or stopped?"""
        is_whole = self.status is Status.ANSWERED or (self.status is Status.STOPPED and bool(self.answer))
        return is_whole and bool(self.model) and not self.is_withdrawn  # else Bobbin itself says something

    @property
    def may_go_on(self) -> bool:
        """Is there more to say than was said?"""
        return self.is_answered and (self.is_cut or self.status is Status.STOPPED)

    @property
    def offers_share(self) -> bool:
        """Should the asker be offered to show others a private answer?"""
        is_answered = self.status is Status.ANSWERED and bool(self.model)  # else Bobbin itself says something
        return self.question.is_private and is_answered and not self.is_withdrawn

    def start(self, model: str) -> Turn:
        return self._move(Status.STREAMING, model=model, answer="", problem="", aside="", is_final=False)

    def grow(self, answer: str) -> Turn:
        """Take the answer so far, whole."""
        return self._move(Status.STREAMING, answer=answer)

    def finish(self, answer: str) -> Turn:
        return self._move(Status.ANSWERED, answer=answer)

    def fail(self, problem: str, *, is_final: bool = False, helps_at: int = 0) -> Turn:
        return self._move(Status.FAILED, problem=problem, is_final=is_final, helps_at=helps_at)

    def stop(self, by: str = "") -> Turn:
        return self._move(Status.STOPPED, stopped_by=by)

    def remark(self, aside: str) -> Turn:
        """Say something beside the answer; nothing ends what was said."""
        return replace(self, aside=aside)

    def replied(self, reply: Reply) -> Turn:
        return replace(self, reply=reply)

    def settle(self) -> Turn:
        """The thread now shows how it ended."""
        if not self.is_over:
            raise ValueError(f"turn {self.id} is {self.status}: it has no end to show yet")
        return replace(self, shown=True)

    def _move(self, status: Status, **changes: str | bool | int) -> Turn:
        if status not in MOVES[self.status]:
            raise ValueError(f"turn {self.id} can't go from {self.status} to {status}")
        return replace(self, status=status, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class ActiveThread:
    """A thread in which something was asked of late."""

    thread: Thread
    first: QuestionKey  # of all that was ever asked there
    newest: QuestionKey


@dataclass(frozen=True, slots=True)
class Accepted:
    """The ledger's reply to a question that was handed in."""

    turn: Turn
    is_new: bool  # False: it had been handed in before
    exceeded: Whose | Rate | None = None  # whose quota has no room for it, or which rate, if it was refused for that
    whisper: str = ""  # a sentence for the asker alone
    before: int = 0  # of its thread, what was still to be answered before it; of a new one
