"""Has discord.py call our listeners, each in a task of its own, and waits for these tasks when listening ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import discord

LAST_TASKS_WITHIN = 3.0  # seconds that what was heard last has to be recorded, when listening ends

Listener = Callable[..., Coroutine[Any, Any, None]]


class Dispatch:
    """Of one client. discord.py starts a task for each event, and awaits none."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._attached: list[str] = []  # names of listeners
        self._tasks: set[asyncio.Task[object]] = set()

    def attach(self, **listeners: Listener) -> None:
        """Have the client call *listeners* by the names that discord.py gives its events."""
        for name, listener in listeners.items():

            async def remembered(*told: Any, listener: Listener = listener) -> None:
                self.remember_task()
                await listener(*told)

            setattr(self._client, name, remembered)
            self._attached.append(name)

    def detach(self) -> None:
        """discord.py may still have something to tell when its connection has ended, and fails if somebody listens."""
        for name in self._attached:
            delattr(self._client, name)
        self._attached.clear()
        # A client takes one tree only, and who begins to listen again may get the same client.
        self._client._connection._command_tree = None  # noqa: SLF001

    def remember_task(self) -> None:
        """Have `end` wait for the task that calls this."""
        if task := asyncio.current_task():
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def end(self) -> None:
        """Let what was heard be recorded."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=LAST_TASKS_WITHIN)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
