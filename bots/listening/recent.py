"""Remembers what was said lately where the bot can hear it: in memory, for this process, within bounds."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bots.listening.events import Edited, Overheard
from core.bounded import BoundedSet

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from bots.listening.events import Said
    from core.thread import PlaceId, ThreadId
    from core.turn import Question, QuestionKey

MOST_PLACES = 1_000
MOST_IN_ONE = 50  # messages
MOST_CHARACTERS = 2_000_000  # of all places
MOST_GONE = 1_000  # messages that were deleted
LONGEST = 4_000  # characters of one message that are kept
BEGINNING = 0  # from this position on, nothing of a place is missing


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that somebody said, to the bot or not."""

    position: int  # on the platform's scale
    question: Question  # as one, should it have been one
    is_bots: bool = False  # another bot's, or a workflow's
    is_asked: bool = False  # is it a question to the bot?
    is_to_others: bool = False  # was it plainly said to somebody else?

    @property
    def size(self) -> int:
        return min(len(self.question.text), LONGEST)


@dataclass(frozen=True, slots=True)
class Stand:
    """The place and position of a message, whatever conversation it would belong to as a question."""

    place: ThreadId  # the channel, or the thread in it
    position: int  # its own, whenever it was edited
    begins: bool = False  # is it the first of the thread that it would belong to?


def remark_of(heard: Said | Overheard, position: int) -> Remark:
    if isinstance(heard, Overheard):
        return Remark(position, heard.said.question, is_bots=heard.is_bots, is_to_others=heard.is_to_others)
    return Remark(position, heard.question, is_asked=True)


@dataclass(slots=True)
class _Place:
    remarks: OrderedDict[QuestionKey, Remark] = field(default_factory=OrderedDict)
    size: int = 0
    whole_from: int | None = None  # from this position on, all that was said is here; None: nobody knows


def _where_it_asks(said: Said) -> Stand:
    return Stand(said.question.thread.id, said.position)


class Recent:
    """Remembers the newest messages of the places that were talked in last: a channel's, or a thread's."""

    def __init__(
        self,
        most_characters: int = MOST_CHARACTERS,
        *,
        stands: Callable[[Said], Stand] = _where_it_asks,
        is_told_all: Callable[[PlaceId], bool] = lambda _: True,
    ) -> None:
        """*stands* tells where a message stands; *is_told_all*: do we hear all that is said in a channel, by now?"""
        self._most_characters = most_characters
        self._stands = stands
        self._is_told_all = is_told_all
        self._places: OrderedDict[Hashable, _Place] = OrderedDict()
        self._size = 0
        self._gone: BoundedSet[QuestionKey] = BoundedSet(MOST_GONE)
        self._connected_at = BEGINNING
        self.connections = 0

    def connected(self, position: int) -> None:
        """A connection begins, after which what is said is heard; of what was said before, something may be missing."""
        self.connections += 1
        self._connected_at = position
        for here in self._places.values():
            here.whole_from = None

    def hear(self, heard: Said | Overheard) -> None:
        """Remember what was said just now, or while the bot was away, or what an edit made of it."""
        said = heard.said if isinstance(heard, Overheard) else heard
        question = said.question
        if question.is_private or question.key in self._gone:  # what others ask here must not hold it
            return
        stand = self._stands(said)
        remark = remark_of(heard, stand.position)
        is_live = not isinstance(said, Edited) and stand.position >= self._connected_at
        is_certain = is_live and self._is_told_all(question.thread.channel)
        self.add(stand.place, remark)
        here = self._places[stand.place]
        if is_certain and here.whole_from is None:
            here.whole_from = stand.position
        if stand.place != question.thread.id:
            self.add(question.thread.id, remark)
        if is_certain and stand.begins:
            self._places[question.thread.id].whole_from = BEGINNING

    def add(self, place: Any, remark: Remark) -> None:
        """Remember it, or what an edit made of it."""
        if remark.question.key in self._gone:
            return
        if len(remark.question.text) > LONGEST:
            remark = replace(remark, question=replace(remark.question, text=remark.question.text[:LONGEST]))
        here = self._places.setdefault(place, _Place())
        self._places.move_to_end(place)
        if known := here.remarks.get(remark.question.key):
            remark = replace(remark, position=min(known.position, remark.position))
        here.remarks[remark.question.key] = remark
        self._grow(here, remark.size - (known.size if known else 0))
        while len(here.remarks) > MOST_IN_ONE:
            self._drop_oldest(here)
        while len(self._places) > 1 and (len(self._places) > MOST_PLACES or self._size > self._most_characters):
            self._size -= self._places.popitem(last=False)[1].size

    def learn(self, place: Any, remarks: Iterable[Remark], *, whole_from: int, before: int) -> None:
        """Take in what was read of *place*: all that was said there from *whole_from* on, up to the position *before*.

        Of no use unless what came after that was heard.
        """
        here = self._places.get(place)
        if here is None or here.whole_from is None or here.whole_from > before:
            return
        here.whole_from = min(here.whole_from, whole_from)
        for remark in remarks:
            if remark.question.key not in here.remarks:
                self.add(place, remark)

    def forget(self, key: QuestionKey) -> None:
        """It was deleted, which may be heard before it is."""
        self._gone.add(key)
        for here in self._places.values():
            if remark := here.remarks.pop(key, None):
                self._grow(here, -remark.size)

    def of(self, place: Any) -> list[Remark]:
        """Return what is remembered of *place*, oldest first."""
        here = self._places.get(place)
        return sorted(here.remarks.values(), key=lambda remark: remark.position) if here else []

    def whole_from(self, place: Any) -> int | None:
        """Return from which position on all that was said in *place* is remembered; None: nobody knows."""
        here = self._places.get(place)
        return here.whole_from if here else None

    def _drop_oldest(self, here: _Place) -> None:
        oldest = min(here.remarks.values(), key=lambda remark: remark.position)
        del here.remarks[oldest.question.key]
        self._grow(here, -oldest.size)
        if here.whole_from is not None:
            here.whole_from = max(here.whole_from, oldest.position + 1)

    def _grow(self, here: _Place, size: int) -> None:
        here.size += size
        self._size += size
