"""How many short turns one process sees to in a second, asked as fast as they are recorded."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks.rig import TOKEN, core, emulator
from benchmarks.rows import Aim, Row
from core.upstream.client import Upstream
from core.upstream.prompt import Prompt

TURNS, ASKING = 1_000, 16  # so many ask at a time
SHORT = Aim("short turns per second, embedded", "{:.0f}", least=100)


async def measure() -> list[Row]:
    async with emulator(pace=0) as url, Upstream(url, TOKEN) as upstream:

        async def bare(number: int) -> None:
            async with upstream.ask(Prompt("gpt-5.1", f"say exactly: {number}")) as stream:
                async for _ in stream:
                    pass

        baseline, _ = await _timed(bare)
        with tempfile.TemporaryDirectory() as folder:
            async with core(url, Path(folder)) as running:

                async def ask(number: int) -> None:
                    await running.ask(number, f"say exactly: {number}")

                ours, cpu = await _timed(ask, running.engine.idle)
    return [SHORT.row(ours, f"{ours:.0f} ({1000 * cpu:.1f} ms CPU each)", f"{baseline:.0f} bare relay")]


async def _timed(
    ask: Callable[[int], Awaitable[None]], idle: Callable[[], Awaitable[None]] | None = None
) -> tuple[float, float]:
    """Return turns in a second, and the CPU seconds of one."""
    started, cpu = time.perf_counter(), time.process_time()

    async def each(first: int) -> None:
        for number in range(first, TURNS, ASKING):
            await ask(number)

    await asyncio.gather(*(each(first) for first in range(ASKING)))
    if idle:
        await idle()
    return TURNS / (time.perf_counter() - started), (time.process_time() - cpu) / TURNS
