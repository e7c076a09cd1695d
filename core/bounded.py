"""A memory of the newest only, so that nothing that comes from outside fills it up."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

K = TypeVar("K")
V = TypeVar("V")


class Bounded(OrderedDict[K, V]):
    """A dictionary of at most so many entries: what was set longest ago makes room."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > self._most:
            self.popitem(last=False)


class BoundedSet(Bounded[K, None]):
    """A set of the same kind."""

    def add(self, one: K) -> bool:
        """Return whether it is new."""
        is_new = one not in self
        self[one] = None
        return is_new

    def add_all(self, many: Iterable[K]) -> None:
        for one in many:
            self[one] = None
