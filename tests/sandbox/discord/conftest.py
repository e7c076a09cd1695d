"""A local Discord and a real discord.py client connected to it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import aiohttp
import discord
import pytest
import yarl
from discord import app_commands

from sandbox.discord import LocalDiscord

Connect = Callable[["Bot"], Coroutine[Any, Any, "Bot"]]


class Bot(discord.Client):
    """Remembers what it heard; its commands are synced by the tests that need them."""

    def __init__(self, *, content: bool = True, **options: Any) -> None:
        intents = discord.Intents.default()
        intents.message_content = content
        super().__init__(intents=intents, guild_ready_timeout=0.05, **options)
        self.tree = app_commands.CommandTree(self)
        self.heard: list[discord.Message] = []
        self.edits: list[discord.RawMessageUpdateEvent] = []
        self.deletions: list[int] = []
        self.events: list[str] = []
        self.is_up = asyncio.Event()
        self.news = asyncio.Event()

    async def on_ready(self) -> None:
        self.is_up.set()

    async def on_socket_event_type(self, name: str) -> None:
        self.events.append(name)
        self.news.set()

    async def on_message(self, message: discord.Message) -> None:
        self.heard.append(message)
        self.news.set()

    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        self.edits.append(event)
        self.news.set()

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        self.deletions.append(event.message_id)
        self.news.set()

    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        self.deletions.extend(sorted(event.message_ids))
        self.news.set()

    async def until(self, predicate: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not predicate():
                self.news.clear()
                await self.news.wait()

    def texts(self) -> list[str]:
        return [message.content for message in self.heard if message.author != self.user]


@pytest.fixture
async def local(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LocalDiscord]:
    async with LocalDiscord() as local:
        point_to(local, monkeypatch)
        yield local


def point_to(local: LocalDiscord, monkeypatch: pytest.MonkeyPatch) -> None:
    """discord.py takes its addresses by class attributes only."""
    monkeypatch.setattr(discord.http.Route, "BASE", local.api_url)
    monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(local.gateway_url))


@pytest.fixture
async def connect(local: LocalDiscord) -> AsyncIterator[Connect]:
    """Start a bot and wait until it is ready; it is closed, with nothing left behind, after the test."""
    running: list[tuple[Bot, asyncio.Task[None]]] = []

    async def start(bot: Bot) -> Bot:
        task = asyncio.create_task(bot.start(local.token))
        running.append((bot, task))
        ready = asyncio.create_task(bot.is_up.wait())
        await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED, timeout=10)
        ready.cancel()
        if task.done():
            task.result()
        assert bot.is_up.is_set()
        return bot

    yield start
    for bot, task in running:
        await bot.close()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def bot(connect: Connect) -> Bot:
    return await connect(Bot())


@pytest.fixture
async def rest(local: LocalDiscord) -> AsyncIterator[aiohttp.ClientSession]:
    """Any other client: plain HTTP with the bot's token."""
    headers = {"Authorization": f"Bot {local.token}"}
    async with aiohttp.ClientSession(local.api_url + "/", headers=headers) as session:
        yield session
