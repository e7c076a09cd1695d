"""Remembers over restarts up to which message everything was heard."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import discord
import structlog

from core.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bots.kit import Notes

SEEN_NOTE = "discord/seen"
COUNTS_NOTE = "discord/seen/counts"  # in how many shards the bot ran; each number once
KEPT_EVERY = 5.0  # seconds at least between two notes
LONGEST_AHEAD = timedelta(minutes=10)  # that Discord's clock may be before ours

log = structlog.get_logger(__name__)


def note_of(shard: int, count: int) -> str:
    return SEEN_NOTE if count == 1 else f"{SEEN_NOTE}/{shard}/{count}"


class Seen:
    """Of one shard, since each can be away while the others hear; which servers it has depends on how many there are.

    Ids of messages rise with time: https://discord.com/developers/docs/reference#snowflakes.
    """

    def __init__(
        self, notes: Notes, shard: int = 0, count: int = 1, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._notes = notes
        self._shard, self._count = shard, count
        self._clock = clock
        self._since = 0  # as of the last begin of a catching up
        self._is_catching_up = True  # and as long as older messages are still to be heard, newer ones don't count
        self._newest = 0
        self._in_hand: set[int] = set()
        self._kept, self._kept_at = 0, -KEPT_EVERY

    async def load(self, now: int) -> None:
        """Begin where the process before ended; without one, *now*, as an id."""
        try:
            mark = await self._mark()
        except StorageUnavailable:
            log.warning("can't tell which messages were heard already; not looking for those of the time away")
            mark = None
        self._since = self._newest = now if mark is None or _lies_ahead(mark) else mark

    async def _mark(self) -> int | None:
        """Return what was kept: of this shard, or the oldest of all shards when there were more or fewer of them."""
        counts: list[int] = json.loads(await self._notes.note(COUNTS_NOTE) or "[1]")
        if self._count not in counts:
            await self._notes.write_note(COUNTS_NOTE, json.dumps([*counts, self._count]))
        if own := await self._notes.note(note_of(self._shard, self._count)):
            return int(own)
        others = [note_of(shard, count) for count in counts if count != self._count for shard in range(count)]
        return min([int(mark) for name in others if (mark := await self._notes.note(name))], default=None)

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
            if not _lies_ahead(message):
                self._newest = max(self._newest, message)

    async def keep(self, *, at_once: bool = False) -> None:
        """Write it down, unless that was done just now."""
        up_to = self._up_to()
        if up_to == self._kept or not (at_once or self._clock() - self._kept_at >= KEPT_EVERY):
            return
        self._kept, self._kept_at = up_to, self._clock()
        try:
            await self._notes.write_note(note_of(self._shard, self._count), str(up_to))
        except StorageUnavailable:
            log.warning("can't write down which messages were heard")

    def _up_to(self) -> int:
        if self._is_catching_up:
            return self._since
        return min((self._newest, *(message - 1 for message in self._in_hand)))


def _lies_ahead(message: int) -> bool:
    """Can there be no such message yet? A mark on it would hide all that is missed from now on."""
    return message > discord.utils.time_snowflake(discord.utils.utcnow() + LONGEST_AHEAD)
