"""Limits how often the bot identifies, so that Discord doesn't revoke its token."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from core.backoff import Backoff
from core.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from bots.kit import Notes

# Who identifies more than 1,000 times in 24 hours, all shards together, loses all sessions and the token:
# https://discord.com/developers/docs/events/gateway#session-start-limit
STARTS_NOTE = "discord/starts"  # what begins so
STEADY_A_DAY = 500  # of all shards, in the worst of days; for the others there is …
FREE = 100  # … of all shards, what waits for nothing, and some more until the pauses have grown
MOST_FREE = 20  # of a shard
FORGOTTEN_AFTER = 86_400.0 / STEADY_A_DAY  # seconds, times the number of shards: so often one start is forgiven
BACKOFF = Backoff(first=5.0, longest=FORGOTTEN_AFTER)  # times the number of shards

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Tally:
    """The starts of a shard, of which one is forgiven now and then."""

    count: float = 0.0  # as of the last one
    last: float = 0.0  # in seconds since 1970

    def plus_one(self, now: float, shards: int) -> Tally:
        forgiven = max(0.0, now - self.last) / (FORGOTTEN_AFTER * shards)
        return Tally(max(0.0, self.count - forgiven) + 1, now)

    def pause(self, now: float, shards: int, backoff: Backoff = BACKOFF) -> float:
        """Seconds to wait before another start. In the long run they equal what it takes to be forgiven one."""
        over = self.count - max(1, min(MOST_FREE, FREE // shards))
        if over < 0:
            return 0.0
        pause = backoff.grown(over) * shards
        return min(max(0.0, self.last + pause - now), backoff.longest * shards)  # the clock may have been wrong


class IdentifyBudget:
    """Of all shards of this process. Each has a note of its own, since other processes count others."""

    def __init__(
        self, notes: Notes, shards: int, *, clock: Callable[[], float] = time.time, backoff: Backoff = BACKOFF
    ) -> None:
        self._notes = notes
        self._backoff = backoff
        self._shards = shards
        self._clock = clock
        self._tallies: dict[int, Tally] = {}  # for when the ledger is away

    async def pause(self, shard: int) -> float:
        """Seconds that *shard* has to wait before it may identify."""
        try:
            if note := await self._notes.note(_note_of(shard)):
                self._tallies[shard] = Tally(*json.loads(note))
        except StorageUnavailable:
            log.warning("can't read how often the bot connected to Discord lately")
        return self._tally(shard).pause(self._clock(), self._shards, self._backoff)

    async def count(self, shard: int) -> None:
        """It identifies now."""
        tally = self._tallies[shard] = self._tally(shard).plus_one(self._clock(), self._shards)
        try:
            await self._notes.write_note(_note_of(shard), json.dumps([tally.count, tally.last]))
        except StorageUnavailable:
            log.warning("can't record a connection to Discord")

    def _tally(self, shard: int) -> Tally:
        return self._tallies.get(shard, Tally())


def _note_of(shard: int) -> str:
    return f"{STARTS_NOTE}/{shard}"
