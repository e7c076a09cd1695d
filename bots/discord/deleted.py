"""Remembers which messages were deleted of late, no matter who wrote them: parts of answers are among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.bounded import BoundedSet

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_REMEMBERED = 10_000


class Deleted:
    """Ids of messages. Discord says of none whose it was."""

    def __init__(self) -> None:
        self._ids: BoundedSet[int] = BoundedSet(MOST_REMEMBERED)

    def __contains__(self, message: object) -> bool:
        return message in self._ids

    def add(self, messages: Iterable[int]) -> None:
        self._ids.add_all(messages)
