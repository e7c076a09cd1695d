"""The fair queue: workspaces take turns, then people, then threads."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")


class Place(NamedTuple):
    """Where somebody waits, the widest first; ids that mean something only within the one before."""

    workspace: str
    person: str
    thread: str


class Waiting(Generic[T]):
    """A queue in which nobody is kept waiting by one busy workspace, person or thread."""

    def __init__(self) -> None:
        self._everybody: _Round[T] = _Round()

    def __len__(self) -> int:
        return len(self._everybody)

    def join(self, place: Place, one: T) -> None:
        """Have *one* wait for the turn of its *place*."""
        self._everybody.join(place, one)

    def leave(self, place: Place, one: T) -> None:
        """Have *one* wait no longer. Raises ValueError if it doesn't."""
        self._everybody.leave(place, one)

    def next(self) -> T:
        """Take out whose turn it is. Raises StopIteration when nobody waits."""
        return self._everybody.next()

    def before(self, place: Place, one: T) -> int:
        """How many have their turn before *one*, if nobody else comes or leaves. Raises ValueError if it doesn't wait."""
        return self._everybody.before(place, one)


class _Round(Generic[T]):
    """Takes turns among what is in it: further rounds, or at the end of a path those who wait in line."""

    def __init__(self) -> None:
        # Who is first has its turn next, and then goes to the end.
        self._rounds: OrderedDict[str, _Round[T]] = OrderedDict()
        self._line: deque[T] = deque()
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def join(self, path: tuple[str, ...], one: T) -> None:
        self._length += 1
        if not path:
            self._line.append(one)
        else:
            self._rounds.setdefault(path[0], _Round()).join(path[1:], one)

    def leave(self, path: tuple[str, ...], one: T) -> None:
        if not path:
            self._line.remove(one)
        elif path[0] not in self._rounds:
            raise ValueError("nobody waits there")
        else:
            self._rounds[path[0]].leave(path[1:], one)
            self._forget_if_empty(path[0])
        self._length -= 1

    def next(self) -> T:
        if self._line:
            one = self._line.popleft()
        else:
            name, first = next(iter(self._rounds.items()))
            one = first.next()
            self._rounds.move_to_end(name)
            self._forget_if_empty(name)
        self._length -= 1
        return one

    def before(self, path: tuple[str, ...], one: T) -> int:
        if not path:
            return self._line.index(one)
        if path[0] not in self._rounds:
            raise ValueError("nobody waits there")
        rank = self._rounds[path[0]].before(path[1:], one)
        return _before(((name, len(each)) for name, each in self._rounds.items()), path[0], rank)

    def _forget_if_empty(self, name: str) -> None:
        if not self._rounds[name]:
            del self._rounds[name]


def _before(lengths: Iterable[tuple[str, int]], mine: str, rank: int) -> int:
    """How many come before the one at *rank* in *mine*, when all take turns in the order of *lengths*."""
    before, is_behind = rank, False
    for name, length in lengths:
        if name == mine:
            is_behind = True
        else:
            before += min(length, rank if is_behind else rank + 1)
    return before
