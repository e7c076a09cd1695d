"""Remembers in which threads the bot hears what is said without a mention, and who has talked with it there."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from core import preset, stance
from core.accepting import BACKOFF
from core.backoff import Backoff, retry
from core.bounded import Bounded
from core.errors import StorageUnavailable
from core.preset import Follow
from core.thread import PlaceId

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from core.preset import Preset
    from core.stance import Stance
    from core.storage.ledger import Ledger
    from core.thread import Thread, ThreadId
    from core.turn import QuestionKey

T = TypeVar("T")

MOST_REMEMBERED = 10_000  # threads, and channels
# With several processes, what one of them has read another may have changed: for so long it is believed.
BELIEVED_FOR = 5.0  # seconds


@dataclass(frozen=True, slots=True)
class Exchange:
    """The newest question of a thread, and how far its answer is."""

    key: QuestionKey
    asker: str
    spoke_at: datetime | None  # when the bot spoke there last; None: it is still answering
    end: str  # of the answer; empty while there is none


@dataclass(frozen=True, slots=True)
class Talk:
    """A thread's talk with the bot, as far as the ledger knows it."""

    newest: Exchange | None = None  # None: the bot was never called there
    askers: frozenset[str] = frozenset()  # of late


@dataclass(frozen=True, slots=True)
class Standing:
    """The bot's standing in a thread: does it hear what is said there without a mention?"""

    follow: Follow
    stance: Stance
    talk: Talk
    is_channel: bool = False  # a channel stands for a thread, where there can be none

    @property
    def why_not(self) -> WhyNot | None:
        """Return why nothing is heard there without a mention; None if it is."""
        if self.stance.is_muted:
            return WhyNot.MUTED
        if self.talk.newest is None and self.follow is not Follow.CHANNEL:
            return WhyNot.NEVER_CALLED
        if self.follow is Follow.MENTION:
            return WhyNot.TOLD if self.stance.is_told else WhyNot.OFF
        if self.is_channel and self.follow is not Follow.CHANNEL:
            return WhyNot.NO_THREAD
        return WhyNot.LEFT if self.stance.has_left else None


class WhyNot(StrEnum):
    """The reasons for hearing nothing in a thread without a mention."""

    NEVER_CALLED = "the bot was never called there"
    OFF = "following is off"
    TOLD = "following is off, as people were told"
    MUTED = "it was muted"
    LEFT = "it was told to leave"
    NO_THREAD = "it is a channel, and no thread"


# Where it hears what is said to it by its name, or in reply to it.
HALF_DEAF = frozenset({WhyNot.LEFT, WhyNot.NO_THREAD})


class Following:
    """Remembers where nothing is followed, so that the database is not asked about every word that people say."""

    def __init__(
        self,
        ledger: Ledger,
        presets: Mapping[str, Preset],
        *,
        believed_for: float = math.inf,
        backoff: Backoff = BACKOFF,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = ledger
        self._presets = dict(presets)
        self._believed_for = believed_for
        self._backoff = backoff
        self._clock = clock
        self._not: Bounded[ThreadId, tuple[float, WhyNot]] = Bounded(MOST_REMEMBERED)
        self._modes: Bounded[PlaceId, tuple[float, Follow]] = Bounded(MOST_REMEMBERED)

    async def standing(
        self,
        thread: Thread,
        *,
        is_first: bool = False,
        is_addressed: bool = False,
        is_wanted: bool = False,
        patience: float = 0.0,
    ) -> Standing | None:
        """Return how the bot stands in *thread*; None where nothing is to be heard, as far as is remembered.

        *is_first*: nothing was said there before. *is_addressed*: it is said to the bot by its name, or in reply to it,
        which calls it back where it has left. *is_wanted*: whatever is remembered. *patience* as for `Relay.ask`.
        Raises StorageUnavailable.
        """
        if is_first and self._known(self._modes.get(thread.channel)) in (Follow.MENTION, Follow.THREAD):
            return None
        why_not = self._known(self._not.get(thread.id))
        if why_not and not is_wanted and not (is_addressed and why_not in HALF_DEAF):
            return None
        patient = replace(self._backoff, give_up_after=patience)
        standing = await retry(lambda: self._read(thread), patient, on=StorageUnavailable)
        self._modes[thread.channel] = self._clock(), standing.follow
        if standing.why_not:
            self._not[thread.id] = self._clock(), standing.why_not
        return standing

    def was_never_called(self, thread: Thread) -> bool:
        """Is that so, as far as is remembered?"""
        return self._known(self._not.get(thread.id)) is WhyNot.NEVER_CALLED

    @property
    def is_alone(self) -> bool:
        """Does no other process change what is read here?"""
        return math.isinf(self._believed_for)

    def called(self, thread: ThreadId) -> None:
        """Somebody has asked in *thread*, or may have."""
        if (known := self._not.get(thread)) and known[1] is not WhyNot.TOLD:
            del self._not[thread]

    async def is_called(self, thread: Thread) -> bool:
        """Has anybody asked in *thread*?"""
        _, _, talk = await self._ledger.standing(thread)
        return talk.newest is not None

    async def tell_once(self, thread: Thread) -> bool:
        """Record that people in *thread* are told that it needs a mention there; return whether they were not before."""
        is_first = await self._ledger.tell_once(PlaceId(thread.id))
        self._not[thread.id] = self._clock(), WhyNot.TOLD
        return is_first

    def changed(self) -> None:
        """Somebody has changed what is heard, somewhere."""
        self._not.clear()
        self._modes.clear()

    def _known(self, remembered: tuple[float, T] | None) -> T | None:
        if remembered is None or self._clock() - remembered[0] >= self._believed_for:
            return None
        return remembered[1]

    async def _read(self, thread: Thread) -> Standing:
        presets, stances, talk = await self._ledger.standing(thread)
        follow = preset.choose(self._presets, presets).follow
        return Standing(follow, stance.stance_in(thread, stances), talk, is_channel=thread.id == str(thread.channel))
