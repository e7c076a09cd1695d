"""Stops answers, for whoever may want that: those that are being written, and those that wait for their turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import NotAllowed
from core.language import marked, say
from core.obeying import NOT_THEIRS_TO_STOP, Told
from core.storage.stops import Outcome
from core.turn import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from core.aftermath import Manages
    from core.storage.ledger import Ledger
    from core.turn import QuestionKey, Turn, TurnId

_OF_STOPPING = {
    Outcome.NOT_BEGUN: marked("I won't answer that question."),
    Outcome.OVER: marked("That answer had come to its end already."),
    Outcome.ANEW: marked("I'm answering that question anew. To stop it, write `stop`."),
    Outcome.UNKNOWN: marked("I can't find that question any more."),
}


class Stopping:
    """Stops answers: whatever a method has returned from is recorded. Each raises StorageUnavailable."""

    def __init__(self, ledger: Ledger, stop: Callable[[TurnId], None]) -> None:
        """*stop* tells the worker that a turn, should it run in this process, is to end with what came so far."""
        self._ledger = ledger
        self._stop = stop

    async def stop(
        self, key: QuestionKey, *, by: str, of_attempt: int | None = None, manages: Manages | None = None
    ) -> Told:
        """Have the answer to a question end with what came so far, or not begin; return what to tell who wants it.

        That is nothing where the thread shows it. It is for who asked, and for who *manages* the channel; raises
        NotAllowed for others. *of_attempt* as for `again`: one that another process has gone on with is the same.
        """
        if not (turn := await self._asked(key)):
            return Told(say(_OF_STOPPING[Outcome.UNKNOWN]))
        if not turn.is_over and turn.question.asker != by and not (manages and await manages()):
            raise NotAllowed(say(NOT_THEIRS_TO_STOP))
        outcome, stopped = await self._ledger.stop(key, by, of_attempt=of_attempt)
        return self._stopped(stopped, say(_OF_STOPPING[outcome]) if outcome in _OF_STOPPING else "")

    async def instead(self, key: QuestionKey, *, by: str, manages: Manages | None = None) -> Told:
        """Have a question that waits be answered instead of what *by* asked before it in its thread; as `stop`.

        Who *manages* the channel stops what is being answered, whoever asked it. What others asked keeps its place.
        """
        if not (turn := await self._asked(key)):
            return Told(say(_OF_STOPPING[Outcome.UNKNOWN]))
        if turn.status is not Status.QUEUED:
            return Told("")
        stopped = await self._ledger.stop_before(turn, by)
        if stopped is None and manages and await manages():
            stopped = await self._ledger.stop_before(turn, by, whosever=True)
        if stopped is None:
            raise NotAllowed(say(NOT_THEIRS_TO_STOP))
        return self._stopped(stopped)

    async def _asked(self, key: QuestionKey) -> Turn | None:
        """Return the turn of a question that still stands."""
        turn = await self._ledger.turn(key)
        return None if turn is None or turn.is_withdrawn else turn

    def _stopped(self, turns: Collection[TurnId], sentence: str = "") -> Told:
        for one in turns:
            self._stop(one)
        return Told(sentence, is_done=bool(turns))

    async def being_answered(self, key: QuestionKey, mark: str, within: str) -> Turn | None:
        """Return the turn of *key*, or one in whose reply the chat has written *mark*, in threads whose id begins so.

        Only while there is something of it to stop: for a chat that knows a message, and not what it is.
        """
        return await self._ledger.open_turn_noting(key, mark, within)
