"""What was said of late where the bot can hear it, as far as it is remembered: in memory, for this process, within bounds."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Hashable

    from core.turn import Question, QuestionKey

MOST_PLACES = 1_000
MOST_IN_ONE = 50  # messages
MOST_CHARACTERS = 2_000_000  # of all places
LONGEST = 4_000  # characters of one message that are kept


@dataclass(frozen=True, slots=True)
class Remark:
    """What somebody said, to whomever."""

    position: int  # on the platform's scale
    question: Question  # as one, should it have been one
    is_bots: bool = False  # another bot's, or a workflow's
    is_asked: bool = False  # is it a question to the bot?
    is_to_others: bool = False  # was it plainly said to somebody else?

    @property
    def size(self) -> int:
        return min(len(self.question.text), LONGEST)


@dataclass(slots=True)
class _Place:
    remarks: OrderedDict[QuestionKey, Remark] = field(default_factory=OrderedDict)
    size: int = 0


class Recent:
    """Remembers the newest messages of the places that were talked in last: a channel's, or a thread's."""

    def __init__(self, most_characters: int = MOST_CHARACTERS) -> None:
        self._most_characters = most_characters
        self._places: OrderedDict[Hashable, _Place] = OrderedDict()
        self._size = 0

    def add(self, place: Any, remark: Remark) -> None:
        """Remember it, or what an edit made of it."""
        here = self._places.setdefault(place, _Place())
        self._places.move_to_end(place)
        if known := here.remarks.get(remark.question.key):
            remark = replace(remark, position=min(known.position, remark.position))
        here.remarks[remark.question.key] = remark
        self._grow(here, remark.size - (known.size if known else 0))
        while len(here.remarks) > MOST_IN_ONE:
            self._grow(here, -here.remarks.popitem(last=False)[1].size)
        while len(self._places) > 1 and (len(self._places) > MOST_PLACES or self._size > self._most_characters):
            self._size -= self._places.popitem(last=False)[1].size

    def forget(self, key: QuestionKey) -> None:
        """It was deleted."""
        for here in self._places.values():
            if remark := here.remarks.pop(key, None):
                self._grow(here, -remark.size)

    def of(self, place: Any) -> list[Remark]:
        """Return what is remembered of *place*, oldest first."""
        here = self._places.get(place)
        return sorted(here.remarks.values(), key=lambda remark: remark.position) if here else []

    def _grow(self, here: _Place, size: int) -> None:
        here.size += size
        self._size += size
