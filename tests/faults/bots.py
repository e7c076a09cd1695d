"""Bots as processes of their own: started, killed, frozen, thawed, as whoever runs them would see it."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

HOUSE = Path(__file__).parent.parent.parent
PATIENCE = 120.0  # seconds for a start, which may have to wait until another process has ended
GRACE = 40.0  # seconds for an orderly end


@dataclass(frozen=True, slots=True)
class Process:
    """One process of a topology: what is typed, and which variables it has beside those of its world."""

    name: str
    words: tuple[str, ...] = ("run",)
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Topology:
    """Which processes run on which database."""

    name: str
    database: str  # sqlite, postgres
    processes: tuple[Process, ...]
    slack_limits: bool = True  # off where several processes, each with a budget of its own, would only be slow


class Bot:
    """One process, over all its lives."""

    def __init__(self, process: Process, variables: Mapping[str, str], log: Path) -> None:
        self.name = process.name
        self.port = 0  # of its web door, once it is ready
        self.said: Counter[str] = Counter()  # what it logged, by its words
        self.troubles: Counter[str] = Counter()  # what of it were errors
        self._words = process.words
        self._variables = {**variables, **process.variables}
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    async def start(self) -> None:
        """Start it, and wait until it says that it is ready."""
        self._ready.clear()
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("BOBBIN_")}
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "bots", *self._words),
            cwd=self._log.parent,  # no bobbin.toml there
            env={**inherited, "PYTHONPATH": str(HOUSE), "BOBBIN_LOG__FORMAT": "json", **self._variables},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        assert self._process.stderr
        self._reading = asyncio.create_task(self._read(self._process.stderr))
        ready = asyncio.create_task(self._ready.wait())
        try:
            await asyncio.wait({ready, self._reading}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        if not self._ready.is_set():
            raise RuntimeError(f"{self.name} did not start; its log is {self._log}")

    async def kill(self) -> None:
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """Ask it to end; return its exit code. One that does not end in time is killed, and that is told by the code."""
        return await self._end(signal.SIGTERM)

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    @property
    def megabytes(self) -> int:
        """How much of the memory it has."""
        assert self._process
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) // 1024

    async def troubles_told(self) -> dict[str, str]:
        """What its readiness page says is wrong, by part."""
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{self.port}/readyz") as answer:
            page: dict[str, dict[str, str]] = await answer.json()
            assert (answer.status == 200) is (not page["troubles"])
            return page["troubles"]

    def write_nothing(self) -> None:
        """Have every write to a file fail, as on a disk that is full."""
        self._limit_files(0)

    def write_again(self) -> None:
        self._limit_files(resource.RLIM_INFINITY)

    def _limit_files(self, size: int) -> None:
        assert self._process
        _, most = resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (size, most))

    def _signal(self, number: signal.Signals) -> None:
        assert self._process
        self._process.send_signal(number)

    async def _end(self, number: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        if process.returncode is None:
            process.send_signal(number)
        try:
            code = await asyncio.wait_for(process.wait(), GRACE)
        except TimeoutError:
            process.kill()
            code = await process.wait()
        if self._reading:
            await self._reading
        return code

    async def _read(self, stream: asyncio.StreamReader) -> None:
        with self._log.open("ab") as log:
            while line := await stream.readline():
                log.write(line)
                self._notice(line)

    def _notice(self, line: bytes) -> None:
        try:
            entry = json.loads(line)
        except ValueError:
            entry = {"event": line.decode(errors="replace").strip(), "level": "error"}
        self.said[str(entry.get("event"))] += 1
        if entry.get("event") == "ready":
            self.port = int(entry["health"].rpartition(":")[2].partition("/")[0])
            self._ready.set()
        if entry.get("level") in ("error", "critical"):
            kind = entry.get("kind") or str(entry.get("exception", "")).strip().rpartition("\n")[2]
            self.troubles[f"{entry.get('event', '')}  {kind}".strip()] += 1
