"""The real bot as a process of its own, which can be killed at any moment and started again on the same database.

`python -m sandbox.bot …` is `bobbin …`, but for one thing: it ends when its standard input does, and so with whoever
started it, however that ended.
"""

from __future__ import annotations

import asyncio
import json
import os
import runpy
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

HOUSE = Path(__file__).parent.parent  # where this package lies, and the bot beside it
START_SECONDS = 120.0
GRACE = 10.0  # seconds for an orderly end
LINE_BYTES = 1024 * 1024  # of the log; a longer one is told as such
READY = "ready"

Entry = dict[str, Any]  # a line of the bot's log


class State(StrEnum):
    STARTING = "starting"
    READY = "ready"
    KILLED = "killed"  # by us
    ENDED = "ended"  # by itself


class DidNotStart(Exception):
    """The bot ended before it was ready, or took too long; the text is what it said last."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that became of the process. *at*: seconds since the epoch."""

    state: State
    life: int  # how often it was started until then
    at: float


class Bot:
    """One bot, over all its lives."""

    def __init__(
        self,
        environment: Mapping[str, str],
        words: Sequence[str],
        *,
        folder: Path | None = None,
        grace: float = GRACE,
        heard: Callable[[Entry], None] = lambda _: None,
        became: Callable[[Event], None] = lambda _: None,
    ) -> None:
        """*environment* is all that it gets, *words* are those of its command, *folder* is where it runs, if not here.

        *heard* is told each line of its log, and *became* what happens to it.
        """
        self.state = State.ENDED
        self.life = 0
        self.health = ""  # the address of its readiness page, once it is ready
        self._environment = {**environment, "PYTHONPATH": str(HOUSE), "BOBBIN_LOG__FORMAT": "json"}
        self._words = tuple(words)
        self._folder, self._grace = folder, grace
        self._heard, self._became = heard, became
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._last_words = ""

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        """Raises ValueError if it never ran."""
        if self._process is None:
            raise ValueError("It never ran.")
        return self._process.pid

    async def start(self) -> None:
        """Start it, if it does not run; it becomes ready later."""
        if self.is_running:
            return
        await self._read_to_the_end()
        self.life += 1
        self._last_words = ""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "sandbox.bot", *self._words),
            cwd=self._folder,
            env=self._environment,
            stdin=asyncio.subprocess.PIPE,  # never written to: see above
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            limit=LINE_BYTES,
            start_new_session=True,  # a Ctrl-C is for us alone; we ask it to end
        )
        self._become(State.STARTING)
        self._reading = asyncio.create_task(self._read(self._process))

    async def until_ready(self) -> None:
        """Raises DidNotStart."""
        try:
            async with asyncio.timeout(START_SECONDS):
                while self.state is State.STARTING:
                    await self._changed.wait()
        except TimeoutError:
            raise DidNotStart("The bot has not become ready in time.") from None
        if self.state is not State.READY:
            raise DidNotStart(self._last_words or "The bot ended before it was ready.")

    async def kill(self) -> None:
        """End it as a crash of the machine would, in the middle of whatever it does."""
        if self._process is None or self._process.returncode is not None:
            return
        self._become(State.KILLED)
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        await self._read_to_the_end()

    async def stop(self) -> int:
        """Ask it to end, and wait until it has; return its exit code, 0 if it was not running. One that takes too long is killed."""
        process = self._process
        if process is None or process.returncode is not None:
            await self._read_to_the_end()
            return 0
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), self._grace)
        except TimeoutError:
            await self.kill()
        await self._read_to_the_end()
        return await process.wait()

    async def _read_to_the_end(self) -> None:
        if self._reading:
            await self._reading
            self._reading = None

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr  # noqa: S101  # it was asked for
        while True:
            try:
                line = await process.stderr.readline()
            except ValueError:  # longer than the limit: what follows is still to be read
                line = b"a line of the log is too long to be read\n"
            if not line:
                break
            self._hear(_entry(line))
        await process.wait()
        if self.state is not State.KILLED:
            self._become(State.ENDED)

    def _hear(self, entry: Entry) -> None:
        if entry["event"] == READY and self.state is State.STARTING:
            self.health = str(entry.get("health", ""))
            self._become(State.READY)
        self._last_words = str(entry["event"])
        self._heard(entry)

    def _become(self, state: State) -> None:
        self.state = state
        self._became(Event(state, self.life, time.time()))
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def _entry(line: bytes) -> Entry:
    """A line of the log; one that is not of it is told as an error."""
    text = line.decode("utf-8", "replace").strip()
    try:
        entry = json.loads(text)
    except (ValueError, RecursionError):
        entry = None
    return entry if isinstance(entry, dict) and "event" in entry else {"event": text, "level": "error"}


def _end_with_the_parent() -> None:
    """Nobody writes to our standard input; it ends when the process at its other end does."""
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Be `bobbin`, as long as there is somebody at the other end of standard input."""
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    runpy.run_module("bots", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
