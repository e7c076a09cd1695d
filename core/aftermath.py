"""Actions on a finished answer, beside asking for another one: judge it, go on with it, branch off."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from core.errors import NotAllowed, Refused
from core.language import marked, say, spoken
from core.turn import BRANCHES, GOES_ON, Question, QuestionKey, TurnId
from core.words import whole

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import timedelta

    from core.accepting import Accepting
    from core.metrics import Metrics
    from core.storage.ledger import Ledger
    from core.thread import Thread, ThreadId
    from core.turn import Reply, Turn

    # Does who clicked manage the channel?
    Manages = Callable[[], Awaitable[bool]]

LONGEST_COMMENT = 2_000  # characters
MOST_SEEN = 500  # turns of a thread that are written into a file
_END = 600  # characters of an answer by which the service knows where to go on
_BEGINNING = 300  # characters of the question that it answers
STALE = marked("There is another answer by now. Please use the buttons under that one.")
NOTHING_LEFT = marked("I have nothing to add there: that answer is whole.")
_NOT_THEIRS = marked(
    "Only the person who asked, the one who started this thread, or someone who manages this channel can do that."
)
_GO_ON = (
    "Your answer to the question quoted first broke off after the words quoted last. Go on exactly there: repeat "
    "nothing, add no introduction, and if that was inside of a block of code, open it again first."
)
BRANCHED = marked("I know what was said up to that answer. Mention me in this thread to go on from it.")


class Verdict(StrEnum):
    GOOD = "good"
    BAD = "bad"


class Aftermath:
    """Does these actions. Each raises StorageUnavailable, and Refused with what to tell who may not, or comes too late."""

    def __init__(self, ledger: Ledger, accepting: Accepting, metrics: Metrics) -> None:
        self._ledger = ledger
        self._accepting = accepting
        self._metrics = metrics

    async def check_theirs(self, turn: Turn, by: str, manages: Manages) -> None:
        """Raises NotAllowed unless *by* asked, began the thread, or manages the channel."""
        thread = turn.question.thread.id
        if turn.question.asker != by and not await self._ledger.began(thread, by) and not await manages():
            raise NotAllowed(say(_NOT_THEIRS))

    async def admit(self, turn: Turn, by: str) -> None:
        """Raises Unwelcome if *by* may not ask in the thread of *turn*."""
        await self._accepting.admit(by, turn.question.thread)

    async def judge(self, turn: Turn, of_attempt: int, by: str, verdict: Verdict) -> None:
        """Keep what *by* thinks of the answer: one verdict each, the newest."""
        await self.admit(turn, by)
        is_news = await self._ledger.judge(turn.question.key, of_attempt, by, verdict)
        if is_news is None:
            raise Refused(say(STALE))
        if is_news:
            self._metrics.feedback.labels(verdict).inc()

    async def comment(self, key: QuestionKey, by: str, words: str) -> bool:
        """Keep what *by* adds to their verdict; return whether there is one, and that answer."""
        return await self._ledger.comment(key, by, whole(words[:LONGEST_COMMENT]))

    async def go_on(self, turn: Turn, of_attempt: int, by: str, *, name: str, reply: Reply, manages: Manages) -> bool:
        """Ask, behind all that the thread has, for more of an answer that broke off; once, however often that is wanted.

        It is a turn of its own, *by* whom it counts, of that *name*; *reply* as for `Relay.ask`. Return whether it was
        not asked before. Raises TooMany.
        """
        await self.admit(turn, by)
        await self.check_theirs(turn, by, manages)
        if turn.attempt == of_attempt and not turn.may_go_on:
            raise Refused(say(NOTHING_LEFT))
        question = Question(
            derived(turn, GOES_ON),
            turn.question.thread,
            by,
            f"{_GO_ON}\n\n{_quoted(turn.question.words[:_BEGINNING])}\n\n{_quoted(turn.answer[-_END:])}",
            asker_name=name,
            is_private=turn.question.is_private,
            preset=turn.question.preset,
            language=_language(turn, by),
        )
        accepted = await self._ledger.go_on(question, reply, turn) if turn.attempt == of_attempt else None
        if accepted is None:
            raise Refused(say(STALE))
        return self._accepting.accepted(accepted).is_new

    async def branch(self, turn: Turn, by: str, thread: Thread, reply: Reply, *, name: str) -> bool:
        """Have what was said up to *turn* go on in *thread*; return whether that was not begun before.

        Once for each person and answer. Where people read of it, *reply* says.
        """
        await self.admit(turn, by)
        question = Question(
            QuestionKey(f"{derived(turn, BRANCHES)}_{by}"),
            thread,
            by,
            turn.question.words[:_BEGINNING],
            asker_name=name,
            language=_language(turn, by),
        )
        return self._accepting.accepted(await self._ledger.branch(question, reply, say(BRANCHED), turn)).is_new

    async def grow(self, thread: Thread, of: ThreadId, after: TurnId) -> None:
        """Have *thread*, in which nobody has asked, go on from what was said in another up to the turn *after*."""
        await self._ledger.grow(thread, of, after)

    async def seen(self, turn: Turn, by: str, *, within: timedelta) -> list[Turn]:
        """Return the turns that people see in the thread of *turn*, up to that one; oldest first.

        Without those that somebody else than *by* has asked in private. None if *by* wanted them so recently.
        """
        await self.admit(turn, by)
        if not await self._ledger.is_first(f"export/{turn.id}/{by}", within):
            return []
        found = await self._ledger.seen(turn.question.thread.id, turn.id, MOST_SEEN)
        return [one for one in found if not one.question.is_private or one.question.asker == by]


def derived(turn: Turn, what: str) -> QuestionKey:
    """Return the key of what is done with the answer that people see: the same, however often that is wanted."""
    root = turn.question.key.partition(GOES_ON)[0]
    return QuestionKey(f"{root}{what}{turn.id}_{turn.attempt}")


def _language(turn: Turn, by: str) -> str:
    """Return that of *by*, who clicks under *turn*; of who asked it, that is known for good."""
    return turn.question.language if by == turn.question.asker else spoken()


def _quoted(words: str) -> str:
    return "\n".join(f"> {line}" for line in words.splitlines())
