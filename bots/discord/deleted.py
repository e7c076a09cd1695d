"""Remembers which messages were deleted of late, whosever they were: parts of answers are among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_REMEMBERED = 10_000


class Deleted:
    """Ids of messages. Discord says of none whose it was."""

    def __init__(self) -> None:
        self._ids: dict[int, None] = {}  # the newest last

    def __contains__(self, message: object) -> bool:
        return message in self._ids

    def add(self, messages: Iterable[int]) -> None:
        self._ids |= dict.fromkeys(messages)
        while len(self._ids) > MOST_REMEMBERED:
            del self._ids[next(iter(self._ids))]
