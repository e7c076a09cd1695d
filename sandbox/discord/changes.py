"""Tells those who wait or watch that something in the stand-in changed."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Change:
    """*what* is one of message, edit, preview, delete, reaction, typing, thread, channel, interaction, commands, gateway, call."""

    what: str
    subject: object  # the Message, Channel, Interaction … it is about, as it is now


class Changes:
    def __init__(self) -> None:
        self._listeners: list[asyncio.Queue[Change]] = []
        self._last = "nothing yet"

    def tell(self, what: str, subject: object) -> None:
        self._last = what
        for queue in self._listeners:
            queue.put_nowait(Change(what, subject))

    async def watch(self) -> AsyncGenerator[Change, None]:
        with self._listening() as queue:
            while True:
                yield await queue.get()

    async def wait_for(self, predicate: Callable[[], T], seconds: float) -> T:
        with self._listening() as queue:
            try:
                async with asyncio.timeout(seconds):
                    while not (found := predicate()):
                        await queue.get()
            except TimeoutError:
                raise TimeoutError(
                    f"What was waited for did not happen within {seconds} s. Last change: {self._last}."
                ) from None
            return found

    @contextmanager
    def _listening(self) -> "Iterator[asyncio.Queue[Change]]":
        queue: asyncio.Queue[Change] = asyncio.Queue()
        self._listeners.append(queue)
        try:
            yield queue
        finally:
            self._listeners.remove(queue)
