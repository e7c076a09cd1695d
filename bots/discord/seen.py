"""Remembers over restarts up to which message everything was heard."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from core.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bots.kit import Notes

SEEN_NOTE = "discord/seen"
KEPT_EVERY = 5.0  # seconds at least between two notes

log = structlog.get_logger(__name__)


class Seen:
    """Ids of messages rise with time: https://discord.com/developers/docs/reference#snowflakes."""

    def __init__(self, notes: Notes, clock: Callable[[], float] = time.monotonic) -> None:
        self._notes = notes
        self._clock = clock
        self._since = 0  # as of the last begin of a catching up
        self._is_catching_up = True  # and as long as older messages are still to be heard, newer ones don't count
        self._newest = 0
        self._in_hand: set[int] = set()
        self._kept, self._kept_at = 0, -KEPT_EVERY

    async def load(self, now: int) -> None:
        """Begin where the process before ended; without one, *now*, as an id."""
        try:
            note = await self._notes.note(SEEN_NOTE)
        except StorageUnavailable:
            log.warning("can't tell which messages were heard already; those of the time away are not looked for")
            note = None
        self._since = self._newest = int(note or now)

    def begin(self) -> int:
        """A catching up begins; return the id up to which there is nothing to catch up with."""
        self._since, self._is_catching_up = self._up_to(), True
        return self._since

    def end(self) -> None:
        """All that was said before has been heard."""
        self._is_catching_up = False

    @contextmanager
    def hearing(self, message: int) -> Iterator[None]:
        """While the body runs, *message* is not heard yet."""
        self._in_hand.add(message)
        try:
            yield
        finally:
            self._in_hand.discard(message)
            self._newest = max(self._newest, message)

    async def keep(self, *, at_once: bool = False) -> None:
        """Write it down, unless that was done just now."""
        up_to = self._up_to()
        if up_to == self._kept or not (at_once or self._clock() - self._kept_at >= KEPT_EVERY):
            return
        self._kept, self._kept_at = up_to, self._clock()
        try:
            await self._notes.write_note(SEEN_NOTE, str(up_to))
        except StorageUnavailable:
            log.warning("can't write down which messages were heard")

    def _up_to(self) -> int:
        if self._is_catching_up:
            return self._since
        return min((self._newest, *(message - 1 for message in self._in_hand)))
