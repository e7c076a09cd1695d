"""The events that a platform's payloads are parsed into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bots.listening.quiet import TO_NOBODY, Addressing, RepliesTo
from bots.reply.page import Wish

if TYPE_CHECKING:
    from bots.reply.note import Note
    from core.thread import PlaceId, Thread
    from core.turn import Question, QuestionKey


@dataclass(frozen=True, slots=True)
class Said:
    """Somebody asked something."""

    question: Question
    note: Note[Any]  # with which the answer begins
    position: int  # when that happened, on the platform's scale
    # Where what was missed comes before it: its thread, and, should nothing be known of that, first where it began.
    places: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Edited(Said):
    """The author changed a message, which says this now."""

    may_ask: bool = True  # does it ask what it says, should it not have been asked before?


@dataclass(frozen=True, slots=True)
class Overheard:
    """Somebody said something where the bot is, and not to the bot as far as the message tells."""

    said: Said  # as a question, should it be one
    addressing: Addressing = TO_NOBODY
    # Was it not heard before? None: it was just said, or just edited.
    is_new: bool | None = None
    is_bots: bool = False  # another bot's, or a workflow's: never a question
    began: int = (
        0  # when the first message of its thread was said, on the platform's scale; 0: not known, or this is it
    )

    @property
    def may_be_for_us(self) -> bool:
        is_new = not isinstance(self.said, Edited) if self.is_new is None else self.is_new
        return is_new and not self.is_bots

    @property
    def is_to_others(self) -> bool:
        return (
            self.addressing.begins_with_other
            or self.addressing.names_other
            or self.addressing.replies_to is RepliesTo.OTHER
        )


@dataclass(frozen=True, slots=True)
class Deleted:
    """Messages are gone: questions, parts of answers, or neither."""

    keys: tuple[QuestionKey, ...]


@dataclass(frozen=True, slots=True)
class Clicked:
    """Somebody has clicked on a button below an answer."""

    key: QuestionKey  # of the question
    attempt: int | None  # the one that the button was shown for; None of a button that doesn't say
    by: str  # as askers are called
    wish: Wish = Wish.AGAIN
    name: str = ""  # of who clicked, as people see it; empty where it isn't known, or not to be told
    place: PlaceId | None = None  # where it was clicked


@dataclass(frozen=True, slots=True)
class Reacted:
    """Somebody reacts to a message with what wishes something of an answer: should it be one, or the question of one."""

    key: QuestionKey  # of the question, if the message is one
    mark: str  # how the note of an answer names the message, if it is one
    within: str  # with which the ids of threads begin in which that may be
    by: str  # as askers are called
    wish: Wish


@dataclass(frozen=True, slots=True)
class Shared:
    """Somebody wants others to see a private answer."""

    key: QuestionKey  # of the question that it answers
    by: str
    thread: Thread  # where these others are
    note: Note[Any]  # with which it is shown there


@dataclass(frozen=True, slots=True)
class Ignored:
    reason: str  # for the log


Heard = Said | Overheard | Deleted | Ignored
