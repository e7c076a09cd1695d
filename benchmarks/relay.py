"""How much later than with a bare relay, which records nothing, a question reaches the upstream."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks.rig import TOKEN, arrivals, core, emulator
from benchmarks.rows import Row
from core.upstream.client import Upstream
from core.upstream.prompt import Prompt

PER_SECOND = 50
TURNS = 400
REACH = 5.0  # ms at the median


async def _paced(ask: Callable[[int], Awaitable[None]]) -> dict[int, float]:
    """Ask at an even pace; return when each was asked."""
    asked: dict[int, float] = {}

    async def one(number: int) -> None:
        asked[number] = time.time()
        await ask(number)

    async with asyncio.TaskGroup() as tasks:
        for number in range(TURNS):
            tasks.create_task(one(number))
            await asyncio.sleep(1 / PER_SECOND)
    return asked


async def _bare(url: str) -> list[float]:
    async with Upstream(url, TOKEN) as upstream:

        async def ask(number: int) -> None:
            async with upstream.ask(Prompt("gpt-5.1", f"bare {number}")) as stream:
                async for _ in stream:
                    pass

        asked = await _paced(ask)
    arrived = await arrivals(url)
    return [(arrived[f"bare {number}"] - at) * 1000 for number, at in asked.items()]


async def _ours(url: str, folder: Path) -> list[float]:
    async with core(url, folder) as running:
        asked = await _paced(lambda number: running.ask(number, f"ours {number}"))
        await running.idle()
    arrived = await arrivals(url)
    return [(arrived[f"ours {number}"] - at) * 1000 for number, at in asked.items()]


async def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        async with emulator(pace=0.005) as url:
            await _bare(url)  # a warm-up: connections, caches
            bare = await _bare(url)
            ours = await _ours(url, Path(folder))
    more = statistics.median(ours) - statistics.median(bare)
    return [
        Row(
            f"question → upstream call, {PER_SECOND}/s on SQLite, p50",
            f"{statistics.median(ours):.1f} ms (p99 {_p99(ours):.1f})",
            f"{statistics.median(bare):.1f} ms (p99 {_p99(bare):.1f})",
            f"+{more:.1f} ms",
            f"≤ +{REACH:.0f} ms",
            more <= REACH,
        )
    ]


def _p99(times: list[float]) -> float:
    return statistics.quantiles(times, n=100)[98]
