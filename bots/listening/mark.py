"""Remembers, across restarts, up to which message everything was heard."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from core.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator

    from bots.kit import Notes

KEPT_EVERY = 5.0  # seconds between two notes
LONGEST_AHEAD = 600.0  # seconds that the platform's clock may be before ours

log = structlog.get_logger(__name__)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


@dataclass(frozen=True, slots=True)
class Scale:
    """Turns moments into positions: a platform's ids rise with time."""

    a_second: int
    epoch: int = 0  # seconds since 1970
    read: Callable[[str], int | None] = _number  # as written in notes; None for what is no position
    write: Callable[[int], str] = str

    def at(self, moment: float) -> int:
        """*moment* in seconds since 1970."""
        return int((moment - self.epoch) * self.a_second)


class Mark:
    """The position up to which everything was heard on one connection."""

    def __init__(
        self,
        notes: Notes,
        name: str,
        scale: Scale,
        *,
        overlap: float = 0.0,
        every: float = KEPT_EVERY,
        earlier: Callable[[], Awaitable[int | None]] | None = None,
    ) -> None:
        """Say under which *name* it is written.

        *overlap*: for how many seconds what is told live may come in another order than it happened. *earlier* returns
        what was written under other names, if nothing is under this one. It is written every so many seconds, if it changed.
        """
        self._notes = notes
        self._every = every
        self._name = name
        self._scale = scale
        self._earlier = earlier
        self._overlap = int(overlap * scale.a_second)
        self._since: int | None = None  # as of the last begin of a catching up; None until that is known
        self._is_catching_up = True  # as long as older messages are still to be heard, newer ones don't count
        self._newest = 0
        self._in_hand: set[int] = set()
        self._missed: int | None = None  # the oldest that came and could not be recorded
        self._kept: int | None = None
        self._is_told = False  # that it can't be written down
        self.is_first = False  # was nobody ever here before?

    async def load(self) -> None:
        """Begin where the process before ended, unless that is known. Raises StorageUnavailable."""
        if self._since is not None:
            return
        written = self._scale.read(await self._notes.note(self._name) or "")
        if written is None and self._earlier:
            written = await self._earlier()
        self.is_first = written is None or self._lies_ahead(written)
        self._since = self._scale.at(time.time()) if written is None or self.is_first else written
        self._newest = max(self._newest, self._since)
        if self.is_first:
            # Who dies before it has caught up would begin later the next time, and never hear what was said until then.
            await self.keep()

    @property
    def since(self) -> int:
        """The position up to which nothing was missed."""
        if self._since is None:
            return self._scale.at(time.time())
        return self._since if self.is_first else max(0, self._since - self._overlap)

    def begin(self) -> None:
        """A catching up begins: from here on, what is new does not count."""
        if self._since is not None:
            self.is_first = False
        self._since, self._is_catching_up = self._up_to(), True

    def end(self) -> None:
        """All that was said before has been heard."""
        self._is_catching_up = False

    def miss(self, position: int) -> None:
        """The message at *position* came, and can't be recorded: it is to be read back."""
        self._missed = position if self._missed is None else min(self._missed, position)

    def read_back(self) -> None:
        """All that was missed is about to be read."""
        self._missed = None

    @contextmanager
    def hearing(self, position: int) -> Iterator[None]:
        """While the body runs, the message at *position* is not heard yet; nor if it fails."""
        self._in_hand.add(position)
        try:
            yield
            # What lies ahead would hide all that is missed from now on.
            if not self._lies_ahead(position):
                self._newest = max(self._newest, position)
        finally:
            self._in_hand.discard(position)

    async def keep(self) -> None:
        """Write it down."""
        up_to = self._up_to()
        if up_to is None or up_to == self._kept:
            return
        try:
            await self._notes.write_note(self._name, self._scale.write(up_to))
        except StorageUnavailable:
            if not self._is_told:
                log.warning("can't write down which messages were heard; trying again", note=self._name)
            self._is_told = True
        else:
            self._kept, self._is_told = up_to, False

    async def keep_up(self) -> None:
        """Write it down now and then, until cancelled."""
        while True:
            await asyncio.sleep(self._every)
            await self.keep()

    def _up_to(self) -> int | None:
        if self._is_catching_up or self._since is None:
            return self._since
        unheard = self._in_hand if self._missed is None else {*self._in_hand, self._missed}
        return max(self._since, min((self._newest, *(position - 1 for position in unheard))))

    def _lies_ahead(self, position: int) -> bool:
        """Can there be no such message yet?"""
        return position > self._scale.at(time.time() + LONGEST_AHEAD)
