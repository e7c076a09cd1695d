"""The real bot, joined to a local Slack, a local Discord and an emulated AI service."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from bots.app import Bobbin
from bots.slack.manifest import EVENTS, SCOPES
from core.settings import Settings
from sandbox.discord import LocalDiscord
from sandbox.slack import LocalSlack
from sandbox.upstream import Emulator

PACE = 0.02  # seconds between two pieces of an emulated answer: some 50 a second, as models go


@dataclass(frozen=True, slots=True)
class Stage:
    """What is on it, all of it running."""

    bobbin: Bobbin
    slack: LocalSlack
    discord: LocalDiscord
    upstream: str  # the address of the service that answers
    is_emulated: bool


@asynccontextmanager
async def staged(settings: Settings) -> AsyncIterator[Stage]:
    """Set it up, and take it down at the end. With a token for the real AI service, that one answers."""
    async with AsyncExitStack() as parts:
        slack = await parts.enter_async_context(LocalSlack(scopes=SCOPES, events=EVENTS))
        discord = await parts.enter_async_context(LocalDiscord())
        emulator = await parts.enter_async_context(Emulator(pace=PACE, first_delay=0.4))
        folder = parts.enter_context(tempfile.TemporaryDirectory(prefix="bobbin-sandbox-"))
        settings = _joined(settings, slack, discord, emulator, Path(folder))
        bobbin = Bobbin(settings, ["discord", "slack"])
        stop = asyncio.Event()
        running = asyncio.create_task(bobbin.run(stop))
        try:
            await _until_well(bobbin, running)
            yield Stage(bobbin, slack, discord, settings.upstream.url, settings.upstream.url == emulator.url)
        finally:
            stop.set()
            await running


def variables(slack: LocalSlack, discord: LocalDiscord) -> dict[str, str]:
    """What a bot in a process of its own needs in its environment to join them."""
    return {
        "BOBBIN_SLACK__API_URL": slack.api_url,
        "BOBBIN_SLACK__BOT_TOKEN": slack.bot_token,
        "BOBBIN_SLACK__APP_TOKEN": slack.app_token,
        "BOBBIN_DISCORD__API_URL": discord.api_url,
        "BOBBIN_DISCORD__GATEWAY_URL": discord.gateway_url,
        "BOBBIN_DISCORD__TOKEN": discord.token,
    }


async def _until_well(bobbin: Bobbin, running: asyncio.Task[None]) -> None:
    well = asyncio.create_task(bobbin.vitals.well())
    await asyncio.wait({well, running}, return_when=asyncio.FIRST_COMPLETED)
    well.cancel()
    if running.done():
        await running


def _joined(settings: Settings, slack: LocalSlack, discord: LocalDiscord, emulator: Emulator, folder: Path) -> Settings:
    upstream, door = settings.upstream, dict[str, object](host="127.0.0.1", port=0)
    if not upstream.every_token:
        door["public_url"] = (
            "http://127.0.0.1:0"  # with the port that it gets; the real service could fetch nothing there
        )
        upstream = upstream.model_copy(update={"url": emulator.url, "token": SecretStr("emulated")})
    there = {
        "slack": {
            "api_url": slack.api_url,
            "bot_token": SecretStr(slack.bot_token),
            "app_token": SecretStr(slack.app_token),
            "signing_secret": SecretStr(slack.signing_secret),
        },
        "discord": {
            "api_url": discord.api_url,
            "gateway_url": discord.gateway_url,
            "token": SecretStr(discord.token),
        },
        "database": {"url": SecretStr(f"sqlite:///{folder / 'sandbox.db'}")},
        "web": door,
    }
    sections = {name: settings.section(name).model_copy(update=changes) for name, changes in there.items()}
    return settings.model_copy(update={**sections, "upstream": upstream, "shutdown_grace": 1})
