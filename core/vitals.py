"""Tracks which parts work, and what keeps the process from being ready."""

from __future__ import annotations

import asyncio

from core.metrics import Metrics


class Vitals:
    """The parts that work and those that don't, by name; asked by the health page."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self._troubles: dict[str, str] = {}
        self._ever_up: set[str] = set()
        self._well = asyncio.Event()
        self._well.set()

    def expect(self, part: str) -> None:
        """Count *part* as not ready until it is `up`."""
        self.down(part, "starting")

    def up(self, part: str) -> None:
        """Say that *part* works."""
        self._troubles.pop(part, None)
        self._ever_up.add(part)
        self.metrics.not_ready.labels(part).set(0)
        if not self._troubles:
            self._well.set()

    def down(self, part: str, why: str) -> None:
        """Say that *part* does not work. *why* is shown to whoever asks for readiness: no secrets."""
        self._troubles[part] = why
        self.metrics.not_ready.labels(part).set(1)
        self._well.clear()

    def has_been_up(self, part: str) -> bool:
        """Has *part* ever worked in this process?"""
        return part in self._ever_up

    @property
    def troubles(self) -> dict[str, str]:
        """Part → why it isn't ready; empty when all is well."""
        return dict(self._troubles)

    async def well(self) -> None:
        """Wait until every part works."""
        await self._well.wait()
