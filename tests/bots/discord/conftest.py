"""The true adapter and the true ledger against the local Discord; only who answers is missing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import discord
import pytest

from bots.discord.chat import DiscordChat
from bots.discord.settings import Section
from bots.discord.times import USUAL, Times
from bots.kit import Kit, Route
from core.preset import Preset
from core.relay import Relay
from core.secret_box import SecretBox
from core.storage.database import open_database
from core.storage.migrate import migrate
from core.thread import ThreadId
from core.turn import Turn
from core.vitals import Vitals
from sandbox.discord import Channel, LocalDiscord, Message, User
from sandbox.discord.model import MessageKind
from tests.bots.house import Housed
from tests.bots.outage import Outage


class NoRoutes:
    def post(self, path: str, answer: Route) -> None:
        raise AssertionError("Discord needs no route")


@dataclass
class House(Housed[DiscordChat]):
    """Everything that a test may look at."""

    discord: LocalDiscord
    section: Section
    ledger: Outage
    vitals: Vitals = field(default_factory=Vitals)
    woken: list[ThreadId] = field(default_factory=list)
    most_pages: int = 10  # of what is built from now on
    buttons: bool = False  # likewise: are people offered what they can do with a finished answer?
    times: Times = USUAL
    keys: list[str] = field(default_factory=list)  # of the secret box; none: another one with each build

    def __post_init__(self) -> None:
        presets = {"default": Preset(model="model-a"), "terse": Preset(instructions="Be brief.")}
        self.relay = Relay(self.ledger, self.woken.append, presets, longest_question=10_000)
        self.chat = self.build()

    def build(self) -> DiscordChat:
        """A chat that remembers nothing, as after a restart."""
        kit = Kit(
            notes=self.ledger,
            secret_box=SecretBox(self.keys),
            vitals=self.vitals,
            routes=NoRoutes(),
            most_pages=self.most_pages,
            buttons=self.buttons,
        )
        return DiscordChat(self.section, kit, self.times)

    def have_times(self, **changed: Any) -> None:
        """Build the chat with other times than the usual."""
        self.times = replace(self.times, **changed)
        self.chat = self.build()

    def sharded(self, count: int, *shards: int) -> House:
        """Another process of the same bot, with only those of *count* shards."""
        section = self.section.model_copy(update={"shard_count": count, "shards": shards})
        return House(self.discord, section, self.ledger, times=self.times)

    async def asked(
        self, text: str = "@bobbin why?", user: User | str = "ada", to: Channel | str | int = "general"
    ) -> Turn:
        await self.discord.say(user, to, text)
        return (await self.accepted(len(self.woken) + 1))[-1]

    async def asked_by_command(self, question: str = "why?", to: Channel | str | int = "general") -> Turn:
        await self.discord.slash("ada", to, "ask", question=question)
        return (await self.accepted(len(self.woken) + 1))[-1]

    async def show(self, turn: Turn) -> Turn:
        """As the worker does: wait for the budget, show, keep the note."""
        await self.chat.ready(turn)
        return turn.replied(await self.chat.show(turn))

    async def settle(self, turn: Turn) -> None:
        await self.ledger.conclude(turn, None, epoch=0)
        await self.ledger.settle(turn.settle())

    def said(self, where: Channel | str | int) -> list[Message]:
        """What the bot's messages there are, those that were deleted left out."""
        bot, announced = self.discord.bot_user_id, MessageKind.THREAD_STARTER_MESSAGE
        messages = self.discord.messages(where)
        return [one for one in messages if one.author.id == bot and one.kind != announced and not one.deleted]

    def thread(self) -> Channel:
        (thread,) = self.discord.threads("general")
        return thread

    def calls(self, route: str) -> int:
        """How often Discord was called so, whatever came of it."""
        return sum(call.route == route for call in self.discord.calls)


@pytest.fixture(autouse=True)
def _addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The adapter sets these for its process; the next test finds them as they were."""
    monkeypatch.setattr(discord.http.Route, "BASE", discord.http.Route.BASE)
    gateway = discord.gateway.DiscordWebSocket
    monkeypatch.setattr(gateway, "DEFAULT_GATEWAY", gateway.DEFAULT_GATEWAY)


@pytest.fixture
async def ledger(sqlite_url: str) -> AsyncIterator[Outage]:
    database = open_database(sqlite_url)
    await migrate(database)
    yield Outage(database)
    await database.close()


@pytest.fixture
async def house(ledger: Outage) -> AsyncIterator[House]:
    """Not listening yet."""
    async with LocalDiscord() as local:
        section = Section(token=local.token, api_url=local.api_url, gateway_url=local.gateway_url)
        yield House(local, section, ledger)
