"""A local Slack, a local Discord and an emulated AI service, and the real bot joined to them."""

from __future__ import annotations

import base64
import secrets
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bots.slack.manifest import EVENTS, SCOPES, SHORTCUTS
from core import preset
from core.errors import SetupError
from core.settings import Settings, for_a_child
from sandbox.bot import Bot, DidNotStart, Entry, Event
from sandbox.discord import LocalDiscord
from sandbox.ledger import Ledger
from sandbox.slack import LocalSlack
from sandbox.upstream import Emulator

PACE = 0.02  # seconds between two pieces of an emulated answer: some 50 a second, as models go
FIRST_DELAY = 0.4  # seconds


@dataclass(slots=True)
class Hearing:
    """Who is told what the bot's process logs, and what becomes of it."""

    log: list[Any] = field(default_factory=list)
    process: list[Any] = field(default_factory=list)

    def heard(self, entry: Entry) -> None:
        for tell in self.log:
            tell(entry)

    def became(self, event: Event) -> None:
        for tell in self.process:
            tell(event)


@dataclass(frozen=True, slots=True)
class Stage:
    """What is on it, all of it running, but for the bot: that is about to be ready."""

    bot: Bot
    hearing: Hearing
    ledger: Ledger
    slack: LocalSlack
    discord: LocalDiscord
    emulator: Emulator
    upstream: str  # the address of the service that answers
    presets: dict[str, preset.Preset]  # the named ones
    shortcuts: tuple[dict[str, str], ...] = SHORTCUTS  # of the Slack app

    @property
    def is_emulated(self) -> bool:
        return self.upstream == self.emulator.url

    async def until_ready(self) -> None:
        """Raises SetupError if the bot does not start."""
        try:
            await self.bot.until_ready()
        except DidNotStart as error:
            raise SetupError(f"The bot did not start: {error}") from error

    def levels(self, layers: tuple[str, ...], written: Mapping[str, dict[str, str]]) -> list[tuple[str, str, str]]:
        """Of each field that a preset has: its value in a place with *layers*, and the layer that set it.

        *written* is what the ledger has of presets.
        """
        there = [(place, _preset(written[place])) for place in layers if place in written]
        choice = preset.choose(self.presets, there)
        return [(name, origin.value, origin.place) for name, origin in choice.origins.items()]


@asynccontextmanager
async def staged(settings: Settings, file: Path | None = None) -> AsyncIterator[Stage]:
    """Set it up, and take it down at the end. With a token for the real AI service, that one answers.

    *file* is the one that was named on the command line; the bot reads it as well.
    """
    async with AsyncExitStack() as parts:
        slack = await parts.enter_async_context(LocalSlack(scopes=SCOPES, events=EVENTS))
        discord = await parts.enter_async_context(LocalDiscord())
        emulator = await parts.enter_async_context(Emulator(pace=PACE, first_delay=FIRST_DELAY))
        folder = Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="bobbin-sandbox-")))
        upstream = settings.upstream.url if settings.upstream.every_token else emulator.url
        environment = for_a_child(
            variables(slack, discord)
            | {"BOBBIN_SLACK__SIGNING_SECRET": slack.signing_secret}
            | _own(folder / "sandbox.db")
            | _answered_by(upstream, emulator)
        )
        hearing = Hearing()
        words = (*(("--config", str(file)) if file else ()), "run", "--no-sandbox", "--no-checks")
        bot = Bot(environment, words, heard=hearing.heard, became=hearing.became)
        parts.push_async_callback(bot.stop)
        await bot.start()
        ledger = Ledger(folder / "sandbox.db")
        yield Stage(bot, hearing, ledger, slack, discord, emulator, upstream, settings.named_presets)


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


def _own(database: Path) -> dict[str, str]:
    """What has to be otherwise than somebody may have set it for their own bot."""
    return {
        "BOBBIN_DATABASE__URL": f"sqlite:///{database}",
        "BOBBIN_ENGINE": "embedded",
        "BOBBIN_SHUTDOWN_GRACE": "1",
        "BOBBIN_WEB__HOST": "127.0.0.1",
        "BOBBIN_WEB__PORT": "0",
        "BOBBIN_WEB__HEALTH_PORT": "0",
        "BOBBIN_LOG__LEVEL": "INFO",
        # One for all its lives: what one has sealed, the next has to open.
        "BOBBIN_SECRET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    }


def _answered_by(upstream: str, emulator: Emulator) -> dict[str, str]:
    if upstream != emulator.url:
        return {}
    return {
        "BOBBIN_UPSTREAM__URL": emulator.url,
        "BOBBIN_UPSTREAM__TOKEN": "emulated",
        # With the port that the bot gets. The real service could fetch nothing there.
        "BOBBIN_WEB__PUBLIC_URL": "http://127.0.0.1:0",
    }


def _preset(fields: Mapping[str, str]) -> preset.Preset:
    follow = fields.get("follow")
    return preset.Preset(
        model=fields.get("model"),
        instructions=fields.get("instructions"),
        name=fields.get("name"),
        follow=preset.Follow(follow) if follow else None,
    )
