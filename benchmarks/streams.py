"""How many answers stream at once in one process, and what they cost. Each number of them in a fresh process."""

from __future__ import annotations

import asyncio
import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from benchmarks.rig import TOKEN, Silent, core, emulator, paced
from benchmarks.rows import Aim, Row
from core.log import set_up_log
from core.upstream.client import PATH, Upstream
from core.upstream.prompt import Prompt

WORDS, PACE = 50, 0.5  # and seconds between two of them
ASKED = 200  # a second, until so many stream at once as are to
MEMORY = {500: 60, 2_000: 150}  # MB over idle, by streams at once
TIMES = {streams: Aim(f"{streams:,} answers streaming at once", "{:.3f} × one", 1.05) for streams in MEMORY}
OVER_IDLE = {
    streams: Aim(f"{streams:,} answers streaming at once: memory over idle", "{:.0f} MB", most)
    for streams, most in MEMORY.items()
}
BARE, BARE_PACE = 1_000, 0.15
READ = Aim(f"{BARE:,} streams read and nothing else: CPU", "{:.2f} × one httpx client", 1)
QUESTION = "say exactly: " + " ".join(f"word{number}" for number in range(WORDS))


@dataclass(frozen=True, slots=True)
class Cost:
    mean: float  # seconds from a question to the end of its answer, shown
    p99: float
    cpu: float  # seconds in all
    memory: float  # MB over idle, at the most


async def measure() -> list[Row]:
    async with emulator(pace=PACE) as url:
        ideal = (await _apart(url, 1)).mean
        costs = {streams: await _apart(url, streams) for streams in MEMORY}
    return [row for streams, cost in costs.items() for row in _rows(streams, cost, ideal)] + [await _clients()]


async def _apart(url: str, streams: int) -> Cost:
    """As `_stream`, in a process that nothing has grown before."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.streams", url, f"{streams}"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    told, _ = await process.communicate()
    return Cost(**json.loads(told))


def _rows(streams: int, cost: Cost, ideal: float) -> list[Row]:
    return [
        TIMES[streams].row(
            cost.mean / ideal,
            f"{cost.mean:.2f} s (p99 {cost.p99:.2f}; {cost.cpu:.1f} s CPU)",
            f"{ideal:.2f} s for one",
        ),
        OVER_IDLE[streams].row(cost.memory, f"{cost.memory:.0f} MB"),
    ]


async def _stream(url: str, streams: int) -> Cost:
    """Ask so many at an even pace, in a core of their own."""
    chat = Silent()
    with tempfile.TemporaryDirectory() as folder:
        async with core(url, Path(folder), chat) as running, _watched_memory() as memory:
            cpu = time.process_time()
            asked = await paced(lambda number: running.ask(number, QUESTION), streams, ASKED)
            await running.engine.idle()
            cpu = time.process_time() - cpu
            times = [chat.ended[str(number)] - at for number, at in asked.items()]
    p99 = statistics.quantiles(times, n=100)[98] if streams > 1 else times[0]
    return Cost(statistics.mean(times), p99, cpu, max(memory) - memory[0])


@asynccontextmanager
async def _watched_memory() -> AsyncIterator[list[float]]:
    """Resident memory while the body runs, in MB; the first is from before."""
    seen = [_memory()]

    async def watch() -> None:
        while True:
            seen.append(_memory())
            await asyncio.sleep(0.2)

    watching = asyncio.create_task(watch())
    try:
        yield seen
    finally:
        watching.cancel()


def _memory() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


async def _clients() -> Row:
    """What our way to have many streams in httpx costs, beside the way that offers itself: one client as it comes."""

    async def ours(url: str) -> None:
        async with Upstream(url, TOKEN) as upstream:

            async def read() -> None:
                async with upstream.ask(Prompt("gpt-5.1", QUESTION)) as stream:
                    async for _ in stream:
                        pass

            await asyncio.gather(*(read() for _ in range(BARE)))

    async def bare(url: str) -> None:
        body = {"model": "gpt-5.1", "question": QUESTION}
        head = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/x-ndjson"}
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(limits=limits, timeout=60, trust_env=False) as client:

            async def read() -> None:
                async with client.stream("POST", url + PATH, json=body, headers=head) as response:
                    async for _ in response.aiter_bytes():
                        pass

            await asyncio.gather(*(read() for _ in range(BARE)))

    async with emulator(pace=BARE_PACE) as url:
        costs = []
        for way in (ours, bare):
            started, cpu = time.perf_counter(), time.process_time()
            await way(url)
            costs.append((time.perf_counter() - started, time.process_time() - cpu))
    (wall, cpu), (bare_wall, bare_cpu) = costs
    return READ.row(
        cpu / bare_cpu,
        f"{wall:.1f} s ({cpu:.1f} s CPU)",
        f"{bare_wall:.1f} s ({bare_cpu:.1f} s CPU) one httpx client",
    )


if __name__ == "__main__":
    set_up_log("WARNING", as_json=True)
    print(json.dumps(asdict(asyncio.run(_stream(sys.argv[1], int(sys.argv[2]))))))
