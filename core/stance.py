"""The bot's stance in a place: what people told it there about listening without a mention, and what it answers them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from core.language import marked, say
from core.preset import Follow
from core.thread import PlaceId

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.thread import Thread, ThreadId


@dataclass(frozen=True, slots=True)
class Stance:
    """The stance in a place. A mention ends having left; only `unmute` ends being muted."""

    is_muted: bool = False
    has_left: bool = False  # and nobody has called since
    is_told: bool = False  # have people been told that it needs a mention there?


NEUTRAL = Stance()
_BETWEEN_US = marked("Between the two of us, I answer whatever you write.")


class Reply(NamedTuple):
    """The sentence to tell, and whether anything changed."""

    sentence: str
    is_done: bool = True


class Deeds(Protocol):
    """The deeds that change a stance, in one transaction."""

    def stances_at(self, places: tuple[PlaceId, ...]) -> Mapping[PlaceId, Stance]:
        """Return the stance at each of *places* that has one."""

    def set_muted(self, place: PlaceId, by: str, *, is_muted: bool) -> None:
        """Have the bot keep quiet at *place*, or no more."""

    def leave(self, thread: Thread, by: str) -> None:
        """Have the bot not follow *thread* until somebody calls it there again."""

    def stop_answers(self, thread: ThreadId) -> bool:
        """Stop what is being answered in *thread*, or waits to be; return whether there is anything."""


def places(thread: Thread) -> tuple[PlaceId, ...]:
    """Where it may have been told something that counts in *thread*; the widest first."""
    return tuple(dict.fromkeys((thread.channel, PlaceId(thread.id))))


def stance_in(thread: Thread, known: Mapping[PlaceId, Stance]) -> Stance:
    """Return how the bot stands in *thread*: muted with its channel, and else as it was told there."""
    here, around = known.get(PlaceId(thread.id), NEUTRAL), known.get(thread.channel, NEUTRAL)
    return Stance(here.is_muted or around.is_muted, here.has_left, here.is_told)


def mute(thread: Thread, by: str, deeds: Deeds, follow: Follow) -> Reply:
    stopped = deeds.stop_answers(thread.id)
    if thread.is_direct:
        between_us = say(_BETWEEN_US)
        return Reply(say("I stopped. {rest}", rest=between_us) if stopped else between_us, is_done=stopped)
    deeds.set_muted(PlaceId(thread.id), by, is_muted=True)
    sentence = (
        say("OK, I'm quiet in this channel until somebody writes `unmute` to me. A mention I still answer.")
        if _is_channel(thread)
        else say("OK, I'm quiet in this thread until somebody writes `unmute` to me. A mention I still answer.")
    )
    if follow is Follow.CHANNEL and not _is_channel(thread):
        sentence += " " + say("For the whole channel, write `preset set follow mention`.")
    return Reply(sentence)


def unmute(thread: Thread, by: str, deeds: Deeds, follow: Follow) -> Reply:
    """Of the thread; else of its channel, if it is that which keeps it quiet."""
    known = deeds.stances_at(places(thread))
    muted = [place for place in reversed(places(thread)) if known.get(place, NEUTRAL).is_muted]
    if not muted:
        return Reply(say("I'm not muted here. {listening}", listening=_listening(follow)), is_done=False)
    deeds.set_muted(muted[0], by, is_muted=False)
    return Reply(say("OK, I'm no longer muted. {listening}", listening=_listening(follow)))


def leave(thread: Thread, by: str, deeds: Deeds) -> Reply:
    if thread.is_direct:
        return Reply(say(_BETWEEN_US), is_done=False)
    deeds.leave(thread, by)
    return Reply(say("OK, I've left this thread. Mention me, and I'm back."))


def _is_channel(thread: Thread) -> bool:
    return PlaceId(thread.id) == thread.channel


def _listening(follow: Follow) -> str:
    if follow is Follow.MENTION:
        return say("In this channel I answer mentions only.")
    return say("Here I listen without a mention.")
