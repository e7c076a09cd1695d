"""From the command to being ready, on a fresh database and joined to both platforms."""

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
from benchmarks.rows import Aim, Row
from bots.slack.manifest import EVENTS, SCOPES
from sandbox.discord import LocalDiscord
from sandbox.slack import LocalSlack
from sandbox.stage import variables as to_join

RUNS = 5
READY = Aim("start → ready on both platforms", "{:.2f} s", 2, is_told=True)


async def _until_ready(command: list[str], environment: dict[str, str], port: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *command,
            env={**os.environ, **environment, "PYTHONPATH": str(Path.cwd())},
            cwd=folder,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                while True:
                    try:
                        if (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200:
                            return time.perf_counter() - started
                    except httpx.TransportError:
                        pass
                    await asyncio.sleep(0.02)
        finally:
            process.terminate()
            await process.wait()


async def _bare() -> float:
    """What Python and the two libraries take by themselves."""
    started = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import discord, slack_bolt.async_app, sqlalchemy, alembic, httpx, pydantic_settings"
    )
    await process.wait()
    return time.perf_counter() - started


async def measure() -> list[Row]:
    async with LocalSlack(scopes=SCOPES, events=EVENTS) as slack, LocalDiscord() as discord:
        port = free_port()
        environment = {
            "BOBBIN_WEB__PORT": str(port),
            "BOBBIN_UPSTREAM__TOKEN": "any",
            "BOBBIN_UPSTREAM__URL": "http://127.0.0.1:9",
            **to_join(slack, discord),
        }
        command = [sys.executable, "-m", "bots", "run"]
        ours = statistics.median([await _until_ready(command, environment, port) for _ in range(RUNS)])
        bare = statistics.median([await _bare() for _ in range(RUNS)])
    return [READY.row(ours, f"{ours:.2f} s", f"{bare:.2f} s for the imports")]
