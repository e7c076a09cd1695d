"""The local platforms as a terminal sees them: somebody does a line of the script, and something is seen."""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from core.errors import SetupError
from sandbox import discord, slack
from sandbox.script import Line


@dataclass(frozen=True, slots=True)
class Glimpse:
    """A message as it looks now."""

    platform: str
    place: str
    key: str  # of the message
    author: str
    text: str  # empty when it is gone


class Scene(Protocol):
    """One local platform."""

    name: str

    def check(self, line: Line) -> None:
        """Raises SetupError if its person or place isn't there."""

    async def act(self, line: Line) -> None:
        """Do what *line* says. Raises SetupError if that isn't possible there."""

    def see(self) -> AsyncIterator[Glimpse]:
        """Every message that is posted or changed, from now on."""


class SlackScene:
    """The local Slack."""

    name = "slack"

    def __init__(self, local: slack.LocalSlack) -> None:
        self._slack = local
        self._last: slack.Message | None = None

    def check(self, line: Line) -> None:
        people = [user.name for user in self._slack.users.values() if not user.is_bot]
        channels = [f"#{channel.name}" for channel in self._slack.channels.values() if channel.name]
        _check(line, people, channels)

    async def act(self, line: Line) -> None:
        self.check(line)
        try:
            if line.text.startswith("/"):
                command, _, words = line.text.partition(" ")
                await self._slack.command(line.person, self._channel(line), command, words)
                return
            channel, thread = self._channel(line), self._root if line.place == "thread" else None
            self._last = await self._slack.say(line.person, channel, line.text, thread)
        except (LookupError, ValueError) as error:
            raise SetupError(_words(error)) from error

    async def see(self) -> AsyncIterator[Glimpse]:
        kinds = (slack.ChangeKind.POSTED, slack.ChangeKind.CHANGED, slack.ChangeKind.DELETED)
        async for change in self._slack.watch():
            if (message := change.message) and change.kind in kinds:
                is_gone = change.kind is slack.ChangeKind.DELETED
                text = "" if is_gone else self._named(slack.shown(message))
                author = self._slack.user(message.user).name
                yield Glimpse(self.name, self._place(message), f"{message.channel} {message.ts}", author, text)

    @property
    def _root(self) -> str | None:
        return self._last.thread_ts or self._last.ts if self._last else None

    def _channel(self, line: Line) -> slack.Channel | str:
        if line.place == "thread":
            if self._last is None:
                raise SetupError("There is no thread on Slack yet. Say something in #general first.")
            return self._last.channel
        return self._slack.open_dm(line.person) if line.place == "dm" else line.place.removeprefix("#")

    def _named(self, text: str) -> str:
        for user in self._slack.users.values():
            text = text.replace(f"@{user.id}", f"@{user.name}")
        return text

    def _place(self, message: slack.Message) -> str:
        channel = self._slack.channel(message.channel)
        where = "direct message" if channel.kind is slack.ChannelKind.DIRECT else f"#{channel.name}"
        if message.ephemeral_to:
            return f"{where}, for {self._slack.user(message.ephemeral_to).name} only"
        return f"{where} › thread" if message.thread_ts else where


class DiscordScene:
    """The local Discord."""

    name = "discord"

    def __init__(self, local: discord.LocalDiscord) -> None:
        self._discord = local
        self._last: discord.Channel | None = None

    def check(self, line: Line) -> None:
        people = [user.name for user in self._discord.world.users.values() if not user.is_bot]
        kinds = (discord.ChannelKind.TEXT, discord.ChannelKind.FORUM)
        channels = [f"#{one.name}" for one in self._discord.world.channels.values() if one.kind in kinds]
        _check(line, people, channels)

    async def act(self, line: Line) -> None:
        self.check(line)
        try:
            channel = self._channel(line)
            if line.text.startswith("/"):
                words, options = _command(line.text.removeprefix("/"))
                await self._discord.slash(line.person, channel, words, **options)
            else:
                await self._discord.say(line.person, channel, line.text)
        except (LookupError, ValueError, discord.Refusal) as error:
            raise SetupError(_words(error)) from error
        self._last = channel

    async def see(self) -> AsyncIterator[Glimpse]:
        async for change in self._discord.watch():
            message = change.subject
            if change.what in ("message", "edit", "delete") and isinstance(message, discord.Message):
                text = self._named(discord.shown(message))
                if message.thread is None or not message.author.is_bot:
                    yield Glimpse(self.name, self._place(message), str(message.id), message.author.name, text)

    def _channel(self, line: Line) -> discord.Channel:
        if line.place == "dm":
            return self._discord.open_dm(line.person)
        if line.place != "thread":
            return self._discord.channel(line.place.removeprefix("#"))
        if self._last is None:
            raise SetupError("There is no thread on Discord yet. Say something in #general first.")
        threads = self._discord.threads(self._last) if self._last.thread is None and not self._last.is_dm else []
        return threads[-1] if threads else self._last

    def _named(self, text: str) -> str:
        for user in self._discord.world.users.values():
            text = text.replace(user.mention, f"@{user.name}")
        return text

    def _place(self, message: discord.Message) -> str:
        channel = message.channel
        if channel.is_dm:
            return "direct message"
        where = f"thread “{channel.name}”" if channel.thread else f"#{channel.name}"
        if message.only_for is not None:
            return f"{where}, for {self._discord.user(message.only_for).name} only"
        return where


def _check(line: Line, people: list[str], channels: list[str]) -> None:
    places = [*channels, "dm", "thread"]
    unknown = next((name for name, known in ((line.person, people), (line.place, places)) if name not in known), None)
    if unknown is not None:
        there = f"People: {', '.join(people)}. Channels: {', '.join(channels)}."
        raise SetupError(f"There is no “{unknown}”. {there}")


def _words(error: Exception) -> str:
    """What went wrong; the text of a KeyError would come in quotes."""
    return str(error.args[0]) if error.args else str(error)


def _command(text: str) -> tuple[str, dict[str, str]]:
    """Split `preset set model=o3` into the command and its options; of `ask`, all the rest is the question."""
    name, _, rest = text.partition(" ")
    if name == "ask":
        return name, {"question": rest.removeprefix("question:").strip()}
    words = shlex.split(rest)
    options = dict(word.split("=", 1) for word in words if "=" in word)
    return " ".join([name, *(word for word in words if "=" not in word)]), options
