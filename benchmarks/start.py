"""From the command to being ready, and what an idle process weighs, beside a bare one of the same libraries."""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx

from benchmarks.rig import free_port
from benchmarks.rows import Row
from bots.slack.manifest import EVENTS, SCOPES
from sandbox.discord import LocalDiscord
from sandbox.slack import LocalSlack
from sandbox.stage import variables as to_join
from sandbox.upstream import Emulator

RUNS = 3
REACH = 2.0  # seconds
MEMORY = 90  # MiB, of a bot of one platform
IDLE_AFTER = 2.0  # seconds without anything to do
PLATFORMS = ("slack", "discord")

Seen = tuple[float, float]  # seconds until it was ready, and the resident MiB of an idle process


async def measure() -> list[Row]:
    async with (
        LocalSlack(scopes=SCOPES, events=EVENTS) as slack,
        LocalDiscord() as discord,
        Emulator() as emulator,
    ):
        every = to_join(slack, discord)
        joins = {name: {key: value for key, value in every.items() if name.upper() in key} for name in PLATFORMS}
        ours: dict[str, list[Seen]] = {name: [] for name in (*PLATFORMS, "both")}
        bare: dict[str, list[Seen]] = {name: [] for name in PLATFORMS}
        first: list[float] = []
        for _ in range(RUNS):  # in turns
            for name, seen in ours.items():
                with tempfile.TemporaryDirectory() as folder:
                    joined = joins.get(name, every)
                    first.append((await _bobbin(joined, emulator.url, folder))[0])  # which makes the database
                    seen.append(await _bobbin(joined, emulator.url, folder))
            for name, seen in bare.items():
                seen.append(await _bare(name, joins[name]))
    rows = [row for name in ours for row in _rows(name, ours[name], bare.get(name))]
    return [*rows, _start("… the first time, which makes the database", statistics.median(first), None)]


def _rows(name: str, ours: list[Seen], bare: list[Seen] | None) -> list[Row]:
    start, memory = map(statistics.median, zip(*ours, strict=True))
    bare_start, bare_memory = map(statistics.median, zip(*bare, strict=True)) if bare else (None, None)
    where = f"{name.title()} alone" if bare else "both platforms"
    return [
        _start(f"start → ready, {where}", start, bare_start),
        Row(
            f"memory when idle, {where}",
            f"{memory:.0f} MiB",
            f"{bare_memory:.0f} MiB for the libraries" if bare_memory else "",
            f"{memory / bare_memory:.2f} ×" if bare_memory else f"{memory:.0f} MiB",
            f"≤ {MEMORY} MiB" if bare else "",
            memory <= MEMORY or not bare,
        ),
    ]


def _start(what: str, ours: float, bare: float | None) -> Row:
    return Row(
        what,
        f"{ours:.2f} s",
        f"{bare:.2f} s for the libraries" if bare else "",
        f"{ours / bare:.2f} ×" if bare else f"{ours:.2f} s",
        f"≤ {REACH:.0f} s",
        ours <= REACH,
    )


async def _bobbin(joins: dict[str, str], upstream: str, folder: str) -> Seen:
    port = free_port()
    environment = {
        "BOBBIN_WEB__PORT": str(port),
        "BOBBIN_UPSTREAM__TOKEN": "any",
        "BOBBIN_UPSTREAM__URL": upstream,
        **joins,
    }
    started = time.perf_counter()
    process = await _process("bots", "run", environment=environment, folder=folder)
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            while not await _is_ready(client, port):
                assert process.returncode is None, "it ended before it was ready"
                await asyncio.sleep(0.02)
        return time.perf_counter() - started, await _resident(process)
    finally:
        await _end(process)


async def _is_ready(client: httpx.AsyncClient, port: int) -> bool:
    try:
        return (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
    except httpx.TransportError:
        return False


async def _bare(name: str, joins: dict[str, str]) -> Seen:
    started = time.perf_counter()
    process = await _process("benchmarks.bare", name, environment=joins, folder=str(Path.cwd()))
    try:
        assert process.stdout
        assert await process.stdout.readline() == b"ready\n"
        return time.perf_counter() - started, await _resident(process)
    finally:
        await _end(process)


async def _process(module: str, *words: str, environment: dict[str, str], folder: str) -> asyncio.subprocess.Process:
    theirs = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *words),
        env={**theirs, **environment, "PYTHONPATH": str(Path.cwd())},
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )


async def _resident(process: asyncio.subprocess.Process) -> float:
    """Return the resident memory of *process*, in MiB, once it has had nothing to do for a while."""
    await asyncio.sleep(IDLE_AFTER)
    status = await asyncio.to_thread(Path(f"/proc/{process.pid}/status").read_text)
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    await process.wait()
