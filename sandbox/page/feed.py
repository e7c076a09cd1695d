"""The feed of the page, as whole states by key: a reader gets all of them, then those that changed, the last of each.

A reader who is slow, or was away, misses steps in between and nothing else.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

State = dict[str, Any]  # with at least a `type`, and a `key` that is unique among all
PAUSE_SECONDS = 0.05  # between two batches for one reader


@dataclass(slots=True)
class Kept:
    """The states of one kind, newest last; the oldest go when there are too many."""

    most: int
    states: OrderedDict[str, State] = field(default_factory=OrderedDict)


class Reader:
    """Who is told; what changes meanwhile is kept for them as keys alone."""

    def __init__(self) -> None:
        self.dirty: dict[str, None] = {}
        self.happened = asyncio.Event()


class Feed:
    """The states, by kind, and the readers."""

    def __init__(self, most: dict[str, int], others: int = 1_000) -> None:
        """*most* are kept of a type; of each that isn't named, *others*."""
        self._most, self._others = most, others
        self._kept: dict[str, Kept] = {}
        self._kinds: dict[str, str] = {}  # of each key
        self._readers: set[Reader] = set()

    def put(self, state: State) -> None:
        """Show *state* in place of what had its key."""
        key, kind = state["key"], state["type"]
        kept = self._kept.setdefault(kind, Kept(self._most.get(kind, self._others)))
        if kept.states.get(key) == state:
            return
        kept.states[key] = state
        self._kinds[key] = kind
        self._tell(key)
        while len(kept.states) > kept.most:
            self.drop(next(iter(kept.states)))

    def drop(self, key: str) -> None:
        """Show it no more."""
        if kind := self._kinds.pop(key, None):
            del self._kept[kind].states[key]
            self._tell(key)

    def get(self, key: str) -> State | None:
        kind = self._kinds.get(key)
        return self._kept[kind].states[key] if kind else None

    def all(self, kind: str) -> list[State]:
        kept = self._kept.get(kind)
        return list(kept.states.values()) if kept else []

    @asynccontextmanager
    async def reading(self, send: Callable[[list[State]], Any]) -> AsyncIterator[Callable[[], Any]]:
        """Hand over a coroutine function that calls *send* with everything, then with what changed, until cancelled."""
        reader = Reader()
        self._readers.add(reader)

        async def read() -> None:
            reader.dirty.clear()  # they are among all of them
            reader.happened.clear()
            await send([state for kept in self._kept.values() for state in kept.states.values()])
            while True:
                await reader.happened.wait()
                reader.happened.clear()
                changed, reader.dirty = reader.dirty, {}
                await send([self.get(key) or {"key": key, "gone": True} for key in changed])
                await asyncio.sleep(PAUSE_SECONDS)

        try:
            yield read
        finally:
            self._readers.discard(reader)

    def _tell(self, key: str) -> None:
        for reader in self._readers:
            reader.dirty[key] = None
            reader.happened.set()
