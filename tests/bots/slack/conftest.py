"""The true adapter and the true ledger against the local Slack; only who answers is missing."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bots.kit import Kit, Route
from bots.slack.chat import SlackChat
from bots.slack.manifest import EVENTS, SCOPES
from bots.slack.settings import Section
from bots.slack.times import USUAL, Times
from core.preset import Preset
from core.relay import Relay
from core.secret_box import SecretBox
from core.storage.database import open_database
from core.storage.migrate import migrate
from core.thread import ThreadId
from core.turn import Turn
from core.vitals import Vitals
from sandbox.slack import Channel, LocalSlack, Message, User
from tests.bots.house import Housed
from tests.bots.outage import Outage

PAYLOADS = Path(__file__).parents[2] / "data" / "slack"


@pytest.fixture
def payload() -> Callable[[str], dict[str, Any]]:
    """Reads a documented payload by the name of its file."""

    def read(name: str) -> dict[str, Any]:
        body: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text())
        return body

    return read


class Door:
    """A web server into which the adapter hangs its route after the server has an address."""

    def __init__(self) -> None:
        self.answers: dict[str, Route] = {}
        self.url = ""

    def post(self, path: str, answer: Route) -> None:
        self.answers[path] = answer

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        app = web.Application()
        app.router.add_post("/{path:.*}", self._serve)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield
        await runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        return await self.answers[request.path](request)


@dataclass
class House(Housed[SlackChat]):
    """Everything that a test may look at."""

    slack: LocalSlack
    section: Section
    ledger: Outage
    door: Door
    vitals: Vitals = field(default_factory=Vitals)
    woken: list[ThreadId] = field(default_factory=list)
    most_pages: int = 10  # of what is built from now on
    buttons: bool = False  # likewise: are people offered what they can do with a finished answer?
    times: Times = USUAL

    def __post_init__(self) -> None:
        presets = {"default": Preset(model="model-a"), "terse": Preset(instructions="Be brief.")}
        self.relay = Relay(self.ledger, self.woken.append, presets, longest_question=10_000)
        self.chat = self.build()

    def build(self) -> SlackChat:
        """A chat that remembers nothing, as after a restart."""
        kit = Kit(
            notes=self.ledger,
            secret_box=SecretBox([]),
            vitals=self.vitals,
            routes=self.door,
            most_pages=self.most_pages,
            buttons=self.buttons,
        )
        return SlackChat(self.section, kit, self.times)

    def have_times(self, **changed: Any) -> None:
        """Build the chat with other times than the usual."""
        self.times = replace(self.times, **changed)
        self.chat = self.build()

    async def asked(self, text: str = "@bobbin why?", user: User | str = "ada", to: Channel | str = "general") -> Turn:
        """Ask, and take the turn as a worker would."""
        await self.slack.say(user, to, text)
        (turn,) = await self.accepted()
        return turn

    def replies(self, turn: Turn) -> list[Message]:
        """What the bot said in the turn's thread."""
        _, channel, thread_ts = turn.question.thread.id.split("/")
        return [each for each in self.slack.messages(channel, thread_ts) if each.bot_id == self.slack.bot_id]

    async def all_delivered(self, count: int) -> None:
        """Until *count* deliveries were tried, acknowledged or not."""
        await self.slack.wait_for(lambda: len(self.slack.deliveries) >= count)

    def calls(self, method: str) -> int:
        return sum(call.method == method for call in self.slack.calls)


@pytest.fixture
async def ledger(sqlite_url: str) -> AsyncIterator[Outage]:
    database = open_database(sqlite_url)
    await migrate(database)
    yield Outage(database)
    await database.close()


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    door = Door()
    async with door.open():
        yield door


@asynccontextmanager
async def _house(mode: str, ledger: Outage, door: Door) -> AsyncIterator[House]:
    request_url = f"{door.url}/slack/events" if mode == "http" else None
    async with LocalSlack(
        request_url=request_url,
        scopes=SCOPES,
        events=EVENTS,
        ack_seconds=1.0,
        retry_seconds=(0.0, 0.1, 0.1),
        trigger_seconds=30.0,  # a machine may be slow; that Slack waits for less is shown elsewhere
    ) as slack:
        if mode == "http":
            section = Section(
                bot_token=slack.bot_token,
                signing_secret=slack.signing_secret,
                api_url=slack.api_url,
            )
        else:
            section = Section(bot_token=slack.bot_token, app_token=slack.app_token, api_url=slack.api_url)
        yield House(slack, section, ledger, door)


@pytest.fixture
async def house(ledger: Outage, door: Door) -> AsyncIterator[House]:
    """By Socket Mode; not listening yet."""
    async with _house("socket", ledger, door) as house:
        yield house


@pytest.fixture
async def by_http(ledger: Outage, door: Door) -> AsyncIterator[House]:
    async with _house("http", ledger, door) as house:
        yield house


@pytest.fixture(params=["socket", "http"])
async def either(request: pytest.FixtureRequest, ledger: Outage, door: Door) -> AsyncIterator[House]:
    """By Socket Mode and by HTTP in turn."""
    async with _house(request.param, ledger, door) as house:
        yield house
