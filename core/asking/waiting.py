"""Who asks next when more want to than may: workspaces take turns, and within each its threads do."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.thread import Thread

T = TypeVar("T")
Threads = OrderedDict[str, "deque[T]"]


class Waiting(Generic[T]):
    """A queue in which one busy workspace can't keep the others waiting, nor one busy thread its workspace."""

    def __init__(self) -> None:
        # In both, whoever is first has its turn next, and then goes to the end.
        self._workspaces: OrderedDict[str, Threads[T]] = OrderedDict()
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def join(self, thread: Thread, one: T) -> None:
        """Have *one* wait for its thread's turn in the turn of its workspace."""
        self._workspaces.setdefault(thread.workspace, OrderedDict()).setdefault(thread.id, deque()).append(one)
        self._length += 1

    def leave(self, thread: Thread, one: T) -> None:
        """Have *one* wait no longer. Raises ValueError if it doesn't."""
        threads = self._workspaces.get(thread.workspace, OrderedDict())
        threads.get(thread.id, deque()).remove(one)
        self._length -= 1
        self._forget_empty(thread.workspace, thread.id)

    def next(self) -> T:
        """Take out whose turn it is. Raises StopIteration when nobody waits."""
        workspace, threads = next(iter(self._workspaces.items()))
        thread, ones = next(iter(threads.items()))
        one = ones.popleft()
        self._length -= 1
        threads.move_to_end(thread)
        self._workspaces.move_to_end(workspace)
        self._forget_empty(workspace, thread)
        return one

    def before(self, thread: Thread, one: T) -> int:
        """How many have their turn before *one*, if nobody else comes or leaves. Raises ValueError if it doesn't wait."""
        threads = self._workspaces.get(thread.workspace, OrderedDict())
        in_thread = threads.get(thread.id, deque()).index(one)
        in_workspace = _before(((name, len(ones)) for name, ones in threads.items()), thread.id, in_thread)
        lengths = ((name, sum(map(len, ones.values()))) for name, ones in self._workspaces.items())
        return _before(lengths, thread.workspace, in_workspace)

    def _forget_empty(self, workspace: str, thread: str) -> None:
        threads = self._workspaces[workspace]
        if not threads[thread]:
            del threads[thread]
        if not threads:
            del self._workspaces[workspace]


def _before(lengths: Iterable[tuple[str, int]], mine: str, rank: int) -> int:
    """How many come before the one at *rank* in *mine*, when all take turns in the order of *lengths*."""
    before, is_behind = rank, False
    for name, length in lengths:
        if name == mine:
            is_behind = True
        else:
            before += min(length, rank if is_behind else rank + 1)
    return before
