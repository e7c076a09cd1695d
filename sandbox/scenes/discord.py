"""The local Discord as a scene."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from core.errors import SetupError
from sandbox import discord
from sandbox.discord.commands import CHAT_INPUT
from sandbox.discord.components import each
from sandbox.line import Deed, Line
from sandbox.scenes.scene import NOTHING_OF_THEIRS, NOTHING_THERE, Glimpse, check, no_label, words_of
from sandbox.script import NO_THREAD

TITLE = 100  # characters, https://discord.com/developers/docs/resources/channel#channel-object
_SET = re.compile(r"(?<=\s)(\w+)=")


@dataclass(frozen=True, slots=True)
class Clickable:
    """Something in a message that people can press, or choose."""

    label: str
    custom_id: str
    values: tuple[str, ...]  # of the choice; none for a button


class DiscordScene:
    """The local Discord."""

    name = "discord"

    def __init__(self, local: discord.LocalDiscord) -> None:
        self._discord = local
        self._last: discord.Channel | None = None
        # What was said outside of threads: where, and the message; for a command, an id of the time when it was given.
        self._begun: list[tuple[discord.Channel, discord.Message | int]] = []

    @property
    def people(self) -> list[str]:
        return [user.name for user in self._discord.world.users.values() if not user.is_bot]

    @property
    def channels(self) -> list[str]:
        kinds = (discord.ChannelKind.TEXT, discord.ChannelKind.FORUM)
        return [f"#{one.name}" for one in self._discord.world.channels.values() if one.kind in kinds]

    @property
    def commands(self) -> list[str]:
        book = self._discord.world.commands
        declared = [*book.all(None), *book.all(self._discord.guild_id)]
        return [f"/{one['name']}" for one in declared if one["type"] == CHAT_INPUT]

    def check(self, line: Line) -> None:
        check(line, self)

    async def act(self, line: Line) -> None:
        self.check(line)
        try:
            await self._act(line)
        except (LookupError, ValueError, discord.Refusal) as error:
            raise SetupError(words_of(error)) from error

    async def _act(self, line: Line) -> None:
        match line.deed:
            case Deed.SAY | Deed.FILE:
                await self._say(line)
            case Deed.EDIT:
                await self._discord.edit(line.person, self._own(line), line.text)
            case Deed.DELETE:
                await self._discord.delete(line.person, self._own(line))
            case Deed.REACT:
                newest = self._there(line)[-1:]
                if not newest:
                    raise SetupError(NOTHING_THERE)
                await self._discord.react(line.person, newest[0], line.text)
            case Deed.CLICK:
                message, found = self._clickable(line)
                await self._discord.click(line.person, message, found.custom_id, values=list(found.values))

    def said(self, channel: discord.Channel, message: discord.Message | None) -> None:
        """Somebody has said this there, or given a command if it is None: a thread may come of it."""
        self._last = channel
        if channel.thread is None:
            self._begun.append((channel, message or self._discord.world.snowflakes.next()))

    def posted(self, thread: discord.Channel) -> None:
        """Somebody has begun this thread in a forum."""
        self._last = thread
        self._begun.append((thread, 0))

    def number(self, thread: discord.Channel) -> int | None:
        """What a script calls this thread by; None if it has no name for it."""
        found = [self._of(number) for number in range(1, len(self._begun) + 1)]
        return found.index(thread) + 1 if thread in found else None

    async def see(self) -> AsyncIterator[Glimpse]:
        async for change in self._discord.watch():
            message = change.subject
            if change.what in ("message", "edit", "delete") and isinstance(message, discord.Message):
                text = self._named(discord.shown(message))
                if message.thread is None or not message.author.is_bot:
                    yield Glimpse(self.name, self._place(message), str(message.id), message.author.name, text)

    def labels(self) -> list[str]:
        messages = [one for channel in self._discord.world.channels.values() for one in channel.messages.values()]
        return [found.label for one in sorted(messages, key=_time)[-20:] for found in clickables(one)]

    async def _say(self, line: Line) -> None:
        channel = self._channel(line)
        files = [discord.File(one.name, one.content, one.kind) for one in [line.file] if one]
        if line.deed is Deed.SAY and line.text.startswith("/"):
            text = line.text if line.text.startswith("/ask") else _SET.sub(r"\1:", line.text)
            words, options = discord.read_command(self._discord.world, channel, text, files)
            self.said(channel, None)
            await self._discord.slash(line.person, channel, words, **options)
        elif channel.kind is discord.ChannelKind.FORUM:
            title, _, text = line.text.partition("\n")
            self.posted(await self._discord.post(line.person, channel, title[:TITLE], text or title))
        else:
            self.said(channel, await self._discord.say(line.person, channel, line.text, attachments=files))

    def _of(self, number: int) -> discord.Channel | None:
        channel, message = self._begun[number - 1]
        if channel.thread is not None or channel.is_dm:
            return channel
        if isinstance(message, discord.Message):
            return message.thread
        threads = [one for one in self._discord.threads(channel) if one.id > message]
        said = {one.id for _, one in self._begun if isinstance(one, discord.Message)}
        return min((one for one in threads if one.id not in said), key=_number, default=None)

    def _channel(self, line: Line) -> discord.Channel:
        if line.place == "dm":
            return self._discord.open_dm(line.person)
        if line.thread is None:
            return self._discord.channel(line.place.removeprefix("#"))
        if line.thread:
            if line.thread > len(self._begun):
                raise SetupError(f"There is no {line.place} on Discord yet.")
            return self._of(line.thread) or self._begun[line.thread - 1][0]
        if self._last is None:
            raise SetupError(NO_THREAD.format("Discord"))
        threads = self._discord.threads(self._last) if self._last.thread is None and not self._last.is_dm else []
        return threads[-1] if threads else self._last

    def _there(self, line: Line) -> list[discord.Message]:
        """The messages that *line* may be about, oldest first, as far as its person sees them."""
        channels = [self._channel(line)] if line.place else list(self._discord.world.channels.values())
        person = self._discord.user(line.person).id
        found = [one for channel in channels for one in channel.messages.values() if one.only_for in (None, person)]
        return sorted(found, key=_time)

    def _own(self, line: Line) -> discord.Message:
        found = [one for one in self._there(line) if one.author.name == line.person]
        if not found:
            raise SetupError(NOTHING_OF_THEIRS.format(person=line.person))
        return found[-1]

    def _clickable(self, line: Line) -> tuple[discord.Message, Clickable]:
        there: list[str] = []
        for message in reversed(self._there(line)):
            for found in clickables(message):
                if found.label.casefold() == line.text.casefold():
                    return message, found
                there.append(found.label)
        raise no_label(line.text, there)

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


def clickables(message: discord.Message) -> Iterator[Clickable]:
    """What can be pressed or chosen in *message*."""
    for _, one in each(message.components):
        if not one.get("custom_id") or one.get("disabled"):
            continue
        if "options" in one:
            for option in one["options"]:
                yield Clickable(option["label"], one["custom_id"], (option["value"],))
        elif label := one.get("label") or (one.get("emoji") or {}).get("name"):
            yield Clickable(label, one["custom_id"], ())


def _time(message: discord.Message) -> int:
    return message.id


def _number(channel: discord.Channel) -> int:
    return channel.id
