"""The engines: they decide which process sees to which thread, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection

    from core.thread import ThreadId


# At once in one process. Each that waits for the upstream or its chat takes some 30 kB; the ledger holds the others.
MOST_THREADS = 1_000


class Engine(Protocol):
    """Has every thread with something left to do seen to, by one process at a time.

    In what order its turns run is the ledger's: whatever woke a thread, its oldest open turn is next.
    """

    async def start(self, chats: Collection[str]) -> None:
        """Begin with threads of *chats*, those included that were left open. Raises StorageUnavailable, SetupError."""

    def wake(self, thread: ThreadId) -> None:
        """Say that *thread* has something to do, once that is recorded."""

    async def stop(self, grace: float) -> None:
        """Begin nothing more, let what runs end within *grace* seconds, and leave the rest to others."""

    @property
    def busy(self) -> int:
        """How many threads are being seen to by this process."""

    async def idle(self) -> None:
        """Wait until no thread of our chats has something left to do."""
