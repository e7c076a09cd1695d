"""Decides what a click under a finished answer does, on any platform."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bots.listening.router import NO_SUCH_QUESTION
from bots.reply.details import details
from bots.reply.export import exported
from bots.reply.page import Wish
from core.aftermath import MOST_SEEN, STALE, Verdict
from core.errors import Refused
from core.language import marked, say

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bots.listening.events import Clicked
    from bots.reply.details import Details
    from bots.reply.note import Note
    from core.aftermath import Manages
    from core.relay import Relay
    from core.thread import Thread
    from core.turn import Turn

THANKS = marked("Thanks! You can change that at any time.")
NOTED = marked("Thanks, I've noted that.")
NOT_NOTED = marked("That answer is gone, and what people thought of it as well.")
CONTINUED_BEFORE = marked("That answer goes on already, further down.")
BRANCHED_BEFORE = marked("You have branched off there already.")
NO_BRANCH = marked("There is no place for a new thread here.")
BEING_ANSWERED = marked("I'm answering that again right now.")
_ONCE_IN = timedelta(seconds=10)  # a file is wanted, however often somebody clicks for it


@dataclass(frozen=True, slots=True)
class Means:
    """The platform's part in what a click does."""

    manages: Manages  # the channel?
    going_on: Callable[[Turn], Awaitable[Note[Any]]]  # with which more of an answer begins
    # The thread in which to go on, and the note with which it begins. Raises Refused where there can be none.
    branching: Callable[[Turn], Awaitable[tuple[Thread, Note[Any]]]]
    branches: Callable[[Turn], bool]  # is that to be offered?


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a click, to be shown to who clicked and to no one else."""

    sentence: str = ""
    details: Details | None = None
    file: str = ""  # Markdown
    asks_why: bool = False  # may they say what was wrong?


async def finish(relay: Relay, clicked: Clicked, means: Means) -> Outcome:
    """Do what is wished for with a finished answer. Raises StorageUnavailable, and a ChatError of *means*."""
    try:
        turn = await relay.turn(clicked.key)
        return await _DEEDS[clicked.wish](relay, clicked, _shown(turn, clicked), means)
    except Refused as refused:
        return Outcome(refused.sentence)


def _shown(turn: Turn | None, clicked: Clicked) -> Turn:
    """Return *turn* if it is the answer that was clicked. Raises Refused."""
    # An id that was made up may be another place's.
    if turn is None or turn.is_withdrawn or clicked.place not in turn.question.thread.layers:
        raise Refused(say(NO_SUCH_QUESTION))
    if not turn.is_over:
        raise Refused(say(BEING_ANSWERED))
    if turn.attempt != clicked.attempt:
        raise Refused(say(STALE))
    return turn


async def _go_on(relay: Relay, clicked: Clicked, turn: Turn, means: Means) -> Outcome:
    is_new = await relay.aftermath.go_on(
        turn,
        clicked.attempt or 0,
        clicked.by,
        name=clicked.name,
        reply=(await means.going_on(turn)).write(),
        manages=means.manages,
    )
    return Outcome("" if is_new else say(CONTINUED_BEFORE))


async def _praise(relay: Relay, clicked: Clicked, turn: Turn, means: Means) -> Outcome:
    del means
    await relay.aftermath.judge(turn, turn.attempt, clicked.by, Verdict.GOOD)
    return Outcome(say(THANKS))


async def _blame(relay: Relay, clicked: Clicked, turn: Turn, means: Means) -> Outcome:
    del means
    await relay.aftermath.judge(turn, turn.attempt, clicked.by, Verdict.BAD)
    return Outcome(asks_why=True)


async def _tell_more(relay: Relay, clicked: Clicked, turn: Turn, means: Means) -> Outcome:
    await relay.aftermath.admit(turn, clicked.by)
    choice = await relay.choice(turn.question.thread)
    return Outcome(details=details(turn, choice, branches=means.branches(turn)))


async def _branch(relay: Relay, clicked: Clicked, turn: Turn, means: Means) -> Outcome:
    thread, note = await means.branching(turn)
    is_new = await relay.aftermath.branch(turn, clicked.by, thread, note.write(), name=clicked.name)
    return Outcome("" if is_new else say(BRANCHED_BEFORE))


async def _export(relay: Relay, clicked: Clicked, turn: Turn, means: Means) -> Outcome:
    del means
    seen = await relay.aftermath.seen(turn, clicked.by, within=_ONCE_IN)
    return Outcome(file=exported(seen, is_all=len(seen) < MOST_SEEN) if seen else "")


_DEEDS: dict[Wish, Callable[[Relay, Clicked, Turn, Means], Awaitable[Outcome]]] = {
    Wish.CONTINUE: _go_on,
    Wish.GOOD: _praise,
    Wish.BAD: _blame,
    Wish.MORE: _tell_more,
    Wish.BRANCH: _branch,
    Wish.EXPORT: _export,
}
