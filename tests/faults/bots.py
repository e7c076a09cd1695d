"""Bots as processes of their own: started, killed, frozen, thawed, as whoever runs them would see it."""

from __future__ import annotations

import json
import os
import resource
import signal
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from sandbox import bot

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


class Bot(bot.Bot):
    """One process, over all its lives."""

    def __init__(self, process: Process, variables: Mapping[str, str], log: Path) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("BOBBIN_")}
        super().__init__(
            {**inherited, **variables, **process.variables},
            process.words,
            folder=log.parent,  # no bobbin.toml there
            grace=GRACE,
            heard=self._notice,
        )
        self.name = process.name
        self.said: Counter[str] = Counter()  # what it logged, by its words
        self.troubles: Counter[str] = Counter()  # what of it were errors
        self._log = log

    async def start(self) -> None:
        """Start it, and wait until it says that it is ready."""
        await super().start()
        try:
            await self.until_ready()
        except bot.DidNotStart as error:
            raise RuntimeError(f"{self.name} did not start; its log is {self._log}") from error

    @property
    def port(self) -> int:
        """Of its web door, once it is ready."""
        return int(self.health.rpartition(":")[2].partition("/")[0])

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    @property
    def megabytes(self) -> int:
        """How much of the memory it has."""
        status = Path(f"/proc/{self.pid}/status").read_text()
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
        _, most = resource.prlimit(self.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (size, most))

    def _notice(self, entry: bot.Entry) -> None:
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"{json.dumps(entry)}\n")
        self.said[str(entry["event"])] += 1
        if entry.get("level") in ("error", "critical"):
            kind = entry.get("kind") or str(entry.get("exception", "")).strip().rpartition("\n")[2]
            self.troubles[f"{entry['event']}  {kind}".strip()] += 1
