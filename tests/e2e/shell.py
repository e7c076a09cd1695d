"""Runs the command, as a shell does."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

HOUSE = Path(__file__).parent.parent.parent


async def start(*words: str, **variables: str) -> asyncio.subprocess.Process:
    return await start_reading(asyncio.subprocess.DEVNULL, *words, **variables)


async def start_reading(stdin: int, *words: str, **variables: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bots", *words),
        env={
            **os.environ,
            "PYTHONPATH": str(HOUSE),
            "BOBBIN_WEB__HOST": "127.0.0.1",
            "BOBBIN_WEB__PORT": "0",
            "BOBBIN_LOG__FORMAT": "console",
            **variables,
        },
        stdin=stdin,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def run(*words: str, **variables: str) -> tuple[int, str, str]:
    """Run to the end; return exit code, output and errors."""
    process = await start(*words, **variables)
    out, err = await asyncio.wait_for(process.communicate(), 40)
    assert process.returncode is not None
    assert "Traceback" not in err.decode(), err.decode()
    return process.returncode, out.decode(), err.decode()


async def until(stream: asyncio.StreamReader | None, text: str) -> str:
    """Read until *text* was read; return all of it."""
    assert stream
    read = ""
    async with asyncio.timeout(40):
        while text not in read:
            line = (await stream.readline()).decode()
            assert line, f"it ended before saying {text!r}:\n{read}"
            read += line
    return read


@asynccontextmanager
async def started(*words: str, **variables: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """While the context lasts it runs; then it is asked to end, and ends well."""
    process = await start(*words, **variables)
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        _, err = await asyncio.wait_for(process.communicate(), 20)
        assert process.returncode == 0, err.decode()
        assert "Traceback" not in err.decode(), err.decode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
