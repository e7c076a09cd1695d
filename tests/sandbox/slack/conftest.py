"""A local Slack, the real libraries connected to it, and a bot that remembers what reached it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack import LocalSlack

PAYLOADS = Path(__file__).parents[2] / "data" / "slack"


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    async with LocalSlack(ack_seconds=0.3, retry_seconds=(0.0, 0.01, 0.01)) as running:
        yield running


@pytest.fixture
async def client(slack: LocalSlack) -> AsyncIterator[AsyncWebClient]:
    async with aiohttp.ClientSession() as session:
        yield AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, session=session)


@pytest.fixture
def payload() -> Callable[[str], dict[str, Any]]:
    """Reads a documented payload by the name of its file."""

    def read(name: str) -> dict[str, Any]:
        body: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text())
        del body["_source"]
        return body

    return read


@dataclass
class Bot:
    """A Bolt app, and the bodies of the events and interactions that came to it."""

    app: AsyncApp
    heard: list[dict[str, Any]] = field(default_factory=list)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [body["event"] for body in self.heard if "event" in body]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]


Connect = Callable[..., Awaitable[AsyncSocketModeHandler]]


@pytest.fixture
def bot(slack: LocalSlack, client: AsyncWebClient, monkeypatch: pytest.MonkeyPatch) -> Bot:
    for name in ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"):  # with these set, Bolt ignores the token
        monkeypatch.delenv(name, raising=False)
    app = AsyncApp(client=client, ignoring_self_events_enabled=False)
    bot = Bot(app)

    @app.middleware
    async def remember(body: dict[str, Any], next: Callable[[], Awaitable[None]]) -> None:  # noqa: A002 — Bolt's name
        bot.heard.append(body)
        await next()

    for event in (
        "message",
        "app_mention",
        "reaction_added",
        "app_home_opened",
        "member_joined_channel",
        "agent_session_stopped",
    ):
        app.event(event)(_listen)
    return bot


async def _listen() -> None:
    """Bolt complains of events that nobody listens to."""


@pytest.fixture
async def connect(slack: LocalSlack, bot: Bot) -> AsyncIterator[Connect]:
    """Opens sockets of the bot; all are closed at the end."""
    async with contextlib.AsyncExitStack() as stack:

        async def connect(**options: Any) -> AsyncSocketModeHandler:
            before = slack.sockets
            handler = AsyncSocketModeHandler(bot.app, slack.app_token, **options)
            stack.push_async_callback(handler.close_async)
            await handler.client.connect_to_new_endpoint()
            await slack.wait_for(lambda: slack.sockets > before)
            return handler

        yield connect
