"""How much later than with a bare relay, which records nothing, a question reaches the upstream, and how busy SQLite is."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.product import quantile
from benchmarks.rig import RATES, TOKEN, arrivals, core, emulator, paced
from benchmarks.rows import Aim, Row
from core.upstream.client import Upstream
from core.upstream.prompt import Prompt

LATER = {rate: Aim(f"question → upstream call, {rate}/s on SQLite, p50", "+{:.1f} ms", 5) for rate in RATES}
BUSY = {rate: Aim(f"SQLite's thread is busy, {rate}/s", "{:.0%}", 0.7) for rate in RATES}


async def measure() -> list[Row]:
    later, busy = [], []
    async with emulator(pace=0.005) as url:
        await _bare(url, "warm", max(RATES))  # connections, caches
        for rate in RATES:
            bare = await _bare(url, f"bare at {rate}", rate)
            with tempfile.TemporaryDirectory() as folder:
                ours, share = await _ours(url, Path(folder), rate)
            more = statistics.median(ours) - statistics.median(bare)
            later.append(LATER[rate].row(more, _told(ours), _told(bare)))
            busy.append(BUSY[rate].row(share, f"{share:.0%}"))
    return later + busy


async def _bare(url: str, name: str, rate: int) -> list[float]:
    async with Upstream(url, TOKEN) as upstream:

        async def ask(number: int) -> None:
            async with upstream.ask(Prompt("gpt-5.1", f"{name} {number}")) as stream:
                async for _ in stream:
                    pass

        asked = await paced(ask, RATES[rate], rate)
    arrived = await arrivals(url)
    return [(arrived[f"{name} {number}"] - at) * 1000 for number, at in asked.items()]


async def _ours(url: str, folder: Path, rate: int) -> tuple[list[float], float]:
    """Return also the share of the time in which SQLite's thread was busy."""
    async with core(url, folder) as running:
        began = time.monotonic()
        asked = await paced(lambda number: running.ask(number, f"ours at {rate} {number}"), RATES[rate], rate)
        await running.engine.idle()
        busy = running.busy / (time.monotonic() - began)
    arrived = await arrivals(url)
    return [(arrived[f"ours at {rate} {number}"] - at) * 1000 for number, at in asked.items()], busy


def _told(times: list[float]) -> str:
    return f"{statistics.median(times):.1f} ms (p99 {quantile(times, 0.99):.1f})"
