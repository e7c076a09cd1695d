"""How many answers stream at once in one process, and what they cost."""

from __future__ import annotations

import asyncio
import resource
import tempfile
import time
from pathlib import Path

from benchmarks.rig import core, emulator
from benchmarks.rows import Row

STREAMS = 500
WORDS = 60
PACE = 0.15  # seconds between two words
REACH, REACH_MEMORY = 1.05, 60  # times ideal, MB over idle


def _memory() -> float:
    """Resident memory now, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


async def _stream(url: str, folder: Path, streams: int) -> tuple[float, float, float]:
    """Return the wall and CPU seconds, and the MB that were added at the most."""
    text = " ".join(f"word{number}" for number in range(WORDS))
    async with core(url, folder) as running:
        idle = most = _memory()
        started, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(running.ask(number, f"say exactly: {text}") for number in range(streams)))
        while running.engine.busy:
            most = max(most, _memory())
            await asyncio.sleep(0.05)
        return time.perf_counter() - started, time.process_time() - cpu, most - idle


async def measure() -> list[Row]:
    async with emulator(pace=PACE) as url:
        with tempfile.TemporaryDirectory() as folder:
            ideal, _, _ = await _stream(url, Path(folder), 1)
        with tempfile.TemporaryDirectory() as folder:
            wall, cpu, memory = await _stream(url, Path(folder), STREAMS)
    return [
        Row(
            f"{STREAMS} answers streaming at once",
            f"{wall:.2f} s ({cpu:.1f} s CPU)",
            f"{ideal:.2f} s for one",
            f"{wall / ideal:.3f} ×",
            f"≤ {REACH} ×",
            wall / ideal <= REACH,
        ),
        Row(
            "… memory over idle",
            f"{memory:.0f} MB",
            "",
            f"{memory:.0f} MB",
            f"≤ {REACH_MEMORY} MB",
            memory <= REACH_MEMORY,
        ),
    ]
