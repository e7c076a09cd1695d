"""How much later than with a bare relay, which records nothing, a question reaches the upstream."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from benchmarks.rig import PER_SECOND, TOKEN, arrivals, core, emulator, paced
from benchmarks.rows import Row
from core.upstream.client import Upstream
from core.upstream.prompt import Prompt

REACH = 5.0  # ms at the median


async def _bare(url: str) -> list[float]:
    async with Upstream(url, TOKEN) as upstream:

        async def ask(number: int) -> None:
            async with upstream.ask(Prompt("gpt-5.1", f"bare {number}")) as stream:
                async for _ in stream:
                    pass

        asked = await paced(ask)
    arrived = await arrivals(url)
    return [(arrived[f"bare {number}"] - at) * 1000 for number, at in asked.items()]


async def _ours(url: str, folder: Path) -> list[float]:
    async with core(url, folder) as running:
        asked = await paced(lambda number: running.ask(number, f"ours {number}"))
        await running.engine.idle()
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
