"""The true bot over sockets: local platforms and an emulated upstream around it, and people who ask."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest

import sandbox
from bots import platforms
from bots.app import USUAL, Bobbin, Times
from bots.slack.manifest import EVENTS, SCOPES
from sandbox import discord, slack
from sandbox.upstream import Emulator
from tests.conftest import POSTGRES

PATIENCE = 60.0  # seconds
SECRET_KEY = base64.urlsafe_b64encode(bytes(32)).decode()
# A platform need have no stand-in: what is shown of it then is shown by the tests that it brings.
STAND_INS = [name for name in platforms.names() if (Path(sandbox.__file__).parent / name).is_dir()]

Running = Callable[..., AbstractAsyncContextManager[Bobbin]]


class Side(Protocol):
    """One platform, as the people on it see it. A place is whatever the side makes of a thread."""

    name: str

    async def open(self, number: int, text: str) -> Any:
        """Ask *text* where nobody has asked before; return the thread where the answer will be."""

    async def ask(self, thread: Any, text: str) -> None:
        """Ask on in a thread."""

    async def command(self, thread: Any, word: str) -> None:
        """Give a command of one word in a thread."""

    def said(self, thread: Any) -> list[tuple[bool, str]]:
        """What stands in a thread, oldest first: was it the bot, and the text."""

    async def until(self, true: Callable[[], object]) -> None:
        """Wait until *true* is, looking after every change."""

    def seen_growing(self, thread: Any) -> list[str]:
        """All that the bot's last message ever showed."""

    def revoke(self) -> Callable[[], None]:
        """Have the platform refuse the bot's token; return what restores it."""

    def pings(self, thread: Any) -> list[object]:
        """What calls somebody in what the bot said."""


class SlackSide:
    name = "slack"

    def __init__(self, local: slack.LocalSlack) -> None:
        self.local = local

    async def open(self, number: int, text: str) -> slack.Message:
        # Slack allows a message a second in a channel, so that every thread has a channel of its own here.
        name = f"room-{number}"
        if name not in [channel.name for channel in self.local.channels.values()]:
            self.local.add_channel(name, "ada", "ben", self.local.bot_user_id)
        return await self.local.say("ada", name, f"@bobbin {text}")

    async def ask(self, thread: slack.Message, text: str) -> None:
        await self.local.say("ben", thread.channel, f"@bobbin {text}", thread.ts)

    async def command(self, thread: slack.Message, word: str) -> None:
        await self.local.say("ada", thread.channel, f"@bobbin {word}", thread.ts)

    def said(self, thread: slack.Message) -> list[tuple[bool, str]]:
        return [
            (message.user == self.local.bot_user_id, slack.shown(message).split("\n:")[0])
            for message in self.local.messages(thread.channel, thread.ts)
        ]

    async def until(self, true: Callable[[], object]) -> None:
        await self.local.wait_for(true, PATIENCE)

    def seen_growing(self, thread: slack.Message) -> list[str]:
        messages = self.local.messages(thread.channel, thread.ts)
        last = [message for message in messages if message.user == self.local.bot_user_id][-1]
        words = [[block for block in version.blocks if block["type"] != "actions"] for version in last.versions]
        return [slack.shown(replace(last, blocks=tuple(blocks))) for blocks in words]

    def pings(self, thread: slack.Message) -> list[object]:
        messages = self.local.messages(thread.channel, thread.ts)
        own = [message for message in messages if message.user == self.local.bot_user_id]
        kinds = [
            kind for message in own for kind in re.findall("'type': '(user|usergroup|broadcast)", str(message.blocks))
        ]
        return kinds + [message.text for message in own if "<" in message.text]

    def revoke(self) -> Callable[[], None]:
        installation, good = self.local.installation, self.local.bot_token
        installation.bot_token = "revoked"
        return lambda: setattr(installation, "bot_token", good)


class DiscordSide:
    name = "discord"

    def __init__(self, local: discord.LocalDiscord) -> None:
        self.local = local

    async def open(self, number: int, text: str) -> discord.Message:
        del number
        return await self.local.say("ada", "general", f"@bobbin {text}")

    async def ask(self, thread: discord.Message, text: str) -> None:
        await self.until(lambda: thread.thread)
        assert thread.thread
        await self.local.say("ada", thread.thread, text)

    async def command(self, thread: discord.Message, word: str) -> None:
        assert thread.thread
        await self.local.slash("ada", thread.thread, word)

    def said(self, thread: discord.Message) -> list[tuple[bool, str]]:
        if not thread.thread:
            return []
        return [
            (message.author.is_bot, message.content)
            for message in self.local.messages(thread.thread)
            if message.content
        ]

    async def until(self, true: Callable[[], object]) -> None:
        await self.local.wait_for(true, PATIENCE)

    def seen_growing(self, thread: discord.Message) -> list[str]:
        assert thread.thread
        last = [message for message in self.local.messages(thread.thread) if message.author.is_bot][-1]
        return [version.content for version in last.history]

    def revoke(self) -> Callable[[], None]:
        world, good = self.local.world, self.local.token
        world.token = "revoked"
        return lambda: setattr(world, "token", good)

    def pings(self, thread: discord.Message) -> list[object]:
        assert thread.thread
        own = [message for message in self.local.messages(thread.thread) if message.author.is_bot]
        return [message.content for message in own if message.pings or message.mention_everyone]


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of whoever runs the tests."""
    import os  # noqa: PLC0415

    for name in list(os.environ):
        if name.startswith("BOBBIN_"):
            monkeypatch.delenv(name)
    # What most tests say of an answer is what it says.
    monkeypatch.setenv("BOBBIN_QUESTIONS__BUTTONS", "false")
    monkeypatch.chdir(tmp_path)


@pytest.fixture(params=POSTGRES)
def postgres_url(request: pytest.FixtureRequest) -> str:
    """As the contract's: of the oldest version and of the newest."""
    return str(request.getfixturevalue(f"{request.param}_postgres"))


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with Emulator() as running:
        yield running


@pytest.fixture
async def local_slack() -> AsyncIterator[slack.LocalSlack]:
    async with slack.LocalSlack(scopes=SCOPES, events=EVENTS, retry_seconds=(0.2, 0.5, 1, 2, 3)) as running:
        yield running


@pytest.fixture
async def local_discord() -> AsyncIterator[discord.LocalDiscord]:
    async with discord.LocalDiscord() as running:
        yield running


def section(name: str, local: Any) -> dict[str, str]:
    """What an operator sets for the platform *name* to join its stand-in."""
    fields = ("gateway_url", "token") if name == "discord" else ("bot_token", "app_token")
    return {field: getattr(local, field) for field in ("api_url", *fields)}


@pytest.fixture(params=["slack", "discord"])
def side(request: pytest.FixtureRequest) -> Side:
    """Each platform in turn."""
    local = request.getfixturevalue(f"local_{request.param}")
    return SlackSide(local) if request.param == "slack" else DiscordSide(local)


@pytest.fixture
def running(request: pytest.FixtureRequest, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Running:
    """`async with running(database_url, "slack", …)`: the bot, ready, joined to those platforms."""
    # discord.py has its addresses in class attributes; what a test sets must not outlive it.
    import discord.gateway  # noqa: PLC0415
    import discord.http  # noqa: PLC0415

    monkeypatch.setattr(discord.http.Route, "BASE", discord.http.Route.BASE)
    monkeypatch.setattr(
        discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY
    )

    def sections(names: tuple[str, ...]) -> dict[str, dict[str, str]]:
        return {name: section(name, request.getfixturevalue(f"local_{name}")) for name in names}

    @asynccontextmanager
    async def run(
        database_url: str, *names: str, only: Sequence[str] = (), times: Times = USUAL, **given: Any
    ) -> AsyncIterator[Bobbin]:
        settings = platforms.settings(
            **{
                "upstream": {"url": emulator.url, "token": "emulated"},
                "database": {"url": database_url},
                "web": {"host": "127.0.0.1", "port": 0},
                "secret_key": SECRET_KEY,
                **sections(names),
                **{
                    name: {**sections(names).get(name, {}), **more} if isinstance(more, dict) else more
                    for name, more in given.items()
                },
            }
        )
        bobbin = Bobbin(settings, names, only, times=times)
        stop = asyncio.Event()
        task = asyncio.create_task(bobbin.run(stop))
        try:
            await asyncio.wait_for(bobbin.vitals.well(), PATIENCE)
            yield bobbin
        finally:
            stop.set()
            await task

    return run
