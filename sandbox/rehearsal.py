"""The sandbox as the command runs it: the stage, the page, and the terminal where there is no browser."""

from __future__ import annotations

import asyncio
from pathlib import Path

from core.settings import Settings
from sandbox.stage import staged
from sandbox.terminal import play


async def rehearse(
    settings: Settings, config: Path | None, script: tuple[str, str] | None, stop: asyncio.Event, *, in_terminal: bool
) -> None:
    """Run it until *stop* is set, or until *script* (a file's name and text) is played. Raises SetupError."""
    async with staged(settings, config) as stage:
        if script:
            await play(stage, script, stop)
            return
        await play(stage, None, stop)
