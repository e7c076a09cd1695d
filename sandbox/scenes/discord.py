"""The local Discord as a scene."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import SetupError
from sandbox import discord
from sandbox.discord.commands import CHAT_INPUT, MESSAGE_COMMAND
from sandbox.discord.components import LABEL, TEXT_INPUT, each
from sandbox.line import FORM, IN_A_FORM, Deed, Line
from sandbox.scenes.form import NO_FORM, Field, Filled, Values
from sandbox.scenes.scene import (
    BOT,
    NOTHING_OF_THEIRS,
    NOTHING_THERE,
    Glimpse,
    beginning,
    check,
    has_words,
    no_label,
    no_thread,
    picked,
    words_of,
)
from sandbox.script import NO_THREAD

Json = dict[str, Any]
TITLE = 100  # characters, https://discord.com/developers/docs/resources/channel#channel-object
FORUM_POST = 0  # in place of the message that began a thread
_CHOICE = (21, 22, 23)  # a group of radio buttons, one of checkboxes, a checkbox
_SET = re.compile(r"(?<=\s)(\w+)=")


@dataclass(frozen=True, slots=True)
class Clickable:
    """Something in a message that people can press, or choose."""

    label: str
    custom_id: str
    values: tuple[str, ...]  # of the choice; none for a button

    def is_called(self, label: str) -> bool:
        return self.label.casefold() == label.casefold()


class DiscordScene:
    """The local Discord."""

    name = "discord"

    def __init__(self, local: discord.LocalDiscord) -> None:
        self._discord = local
        self._filled = Filled()
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
        return [f"/{name}" for name in self._declared(CHAT_INPUT)]

    @property
    def entries(self) -> list[str]:
        return self._declared(MESSAGE_COMMAND)

    def _declared(self, kind: int) -> list[str]:
        book = self._discord.world.commands
        declared = [*book.all(None), *book.all(self._discord.guild_id)]
        return [str(one["name"]) for one in declared if one["type"] == kind]

    def fields(self, person: str) -> list[Field]:
        asked = self._discord.form(person)
        return self._inputs(asked) if asked else []

    def check(self, line: Line) -> None:
        check(line, self)
        if line.place == FORM and line.deed is Deed.CLICK:
            raise SetupError("There is nothing to click in Discord's forms.")

    def is_possible(self, line: Line) -> bool:
        try:
            if line.deed in IN_A_FORM:
                self._form(line)
            elif line.deed is Deed.CLICK:
                self._picked(line)
            elif line.deed is Deed.MENU:
                return line.text in self.entries
            elif line.place:
                self._channel(line)
        except SetupError:
            return False
        return True

    async def act(self, line: Line) -> str:
        self.check(line)
        try:
            await self._act(line)
        except (LookupError, ValueError, discord.Refusal) as error:
            raise SetupError(words_of(error)) from error
        return ""

    async def _act(self, line: Line) -> None:
        match line.deed:
            case Deed.SAY | Deed.REPLY:
                await self._say(line)
            case Deed.EDIT:
                await self._discord.edit(line.person, self._picked(line), line.text)
            case Deed.DELETE:
                await self._discord.delete(line.person, self._picked(line))
            case Deed.REACT:
                message = self._picked(line)
                has_reacted = self.has_reacted(line.person, message, line.text)
                await (self._discord.unreact if has_reacted else self._discord.react)(line.person, message, line.text)
            case Deed.CLICK:
                message = self._picked(line)
                found = next(one for one in clickables(message) if one.is_called(line.text))
                await self._discord.click(line.person, message, found.custom_id, values=list(found.values))
            case Deed.MENU:
                await self._discord.menu(line.person, self._picked(line), line.text)
            case Deed.THREAD:
                self.opened(await self._discord.start_thread(line.person, self._picked(line), line.text[:TITLE]))
            case _:
                await self._act_in_form(line)

    async def _act_in_form(self, line: Line) -> None:
        match line.deed:
            case Deed.FILL:
                asked = self._form(line)
                self._filled.fill(line.person, str(asked.id), self._inputs(asked), line.text)
            case Deed.SEND:
                asked = self._form(line)
                await self._discord.submit(asked, **self._given(line.person, asked))
            case Deed.CLOSE:
                self._discord.close_form(self._form(line))

    def _form(self, line: Line) -> discord.Interaction:
        asked = self._discord.form(line.person)
        if asked is None:
            raise SetupError(NO_FORM.format(person=line.person, platform="Discord"))
        return asked

    def _given(self, person: str, asked: discord.Interaction) -> dict[str, str | Values]:
        given = self._filled.of(person, str(asked.id))
        fields = {one.name: one for one in self._inputs(asked)}
        return {name: "".join(one) if fields[name].choices is None else one for name, one in given.items()}

    def _inputs(self, asked: discord.Interaction) -> list[Field]:
        components = [one for _, one in each((asked.modal or {}).get("components", []))]
        labels = {one["component"]["custom_id"]: one["label"] for one in components if one["type"] == LABEL}
        return [self._field(one, labels) for one in components if one.get("custom_id")]

    def _field(self, one: Json, labels: Mapping[str, str]) -> Field:
        label = str(one.get("label") or labels.get(one["custom_id"], ""))
        if one["type"] == TEXT_INPUT:
            return Field(label, one["custom_id"], (one["value"],) if one.get("value") else ())
        options = one.get("options") or []
        choices = {str(each["label"]): str(each["value"]) for each in options} or self._offered(one["type"])
        before = tuple(str(each["value"]) for each in options if each.get("default"))
        return Field(label, one["custom_id"], before, choices, one.get("max_values", 1) > 1 or one["type"] in _CHOICE)

    def _offered(self, kind: int) -> dict[str, str]:
        """What Discord itself has to choose from: https://discord.com/developers/docs/components/reference#user-select"""
        world = self._discord.world
        people = {f"@{one.name}": str(one.id) for one in world.users.values()} if kind in (5, 7) else {}
        channels = {f"#{one.name}": str(one.id) for one in world.channels.values() if not one.is_dm}
        return {**people, **(channels if kind == 8 else {})}

    def filled(self, asked: discord.Interaction, values: Mapping[str, Any]) -> Iterator[str]:
        """What fills the form in with *values*, a line each. Raises KeyError if there are no words for one."""
        for one in self._inputs(asked):
            given = values.get(one.name, one.before)
            chosen = tuple(map(str, [given] if given and isinstance(given, str) else given))
            if chosen != one.before:
                yield one.written(chosen)

    def said(self, channel: discord.Channel, message: discord.Message | None, *, begins: bool) -> None:
        """Somebody has said this there, or given a command if it is None. *begins*: a thread may come of it."""
        self._last = channel
        if begins:
            self._begun.append((channel, message or self._discord.world.snowflakes.next()))

    def opened(self, thread: discord.Channel) -> None:
        """Somebody has begun this thread by itself."""
        self._last = thread
        self._begun.append((thread, FORUM_POST))

    def has_reacted(self, person: str, message: discord.Message, name: str) -> bool:
        return self._discord.user(person).id in message.reactions.get(name, ())

    def name_of(self, thread: discord.Channel) -> str:
        """The place by which a script calls this thread; empty if it has no name for it."""
        found = [self._of(number) for number in range(1, len(self._begun) + 1)]
        if thread in found:
            return f"thread {found.index(thread) + 1}"
        words = beginning(thread.name)
        return f'thread "{words}"' if words and self._begun_with(words) is thread else ""

    def fitting(self, line: Line) -> list[discord.Message]:
        """The messages that *line* could be about, oldest first."""
        there = self._there(line)
        match line.deed:
            case Deed.EDIT | Deed.DELETE:
                author = line.text if line.deed is Deed.DELETE and line.text else line.person
                return [one for one in there if one.author.name == author]
            case Deed.CLICK:
                return [one for one in there if any(each.is_called(line.text) for each in clickables(one))]
            case Deed.REPLY | Deed.MENU | Deed.THREAD:
                return [one for one in there if not one.is_ephemeral]
        return there

    async def see(self) -> AsyncIterator[Glimpse]:
        async for change in self._discord.watch():
            message = change.subject
            if isinstance(message, discord.Interaction) and message.id in self._discord.world.forms:
                lines = [str((message.modal or {}).get("title", "")), *(one.shown for one in self._inputs(message))]
                place = f"form, for {message.user.name} only"
                yield Glimpse(self.name, place, f"form {message.id}", BOT, "\n".join(lines))
            if change.what in ("message", "edit", "delete") and isinstance(message, discord.Message):
                text = self._named(discord.shown(message))
                if message.thread is None or not message.author.is_bot:
                    yield Glimpse(self.name, self._place(message), str(message.id), message.author.name, text)

    def labels(self) -> list[str]:
        messages = [one for channel in self._discord.world.channels.values() for one in channel.messages.values()]
        return [found.label for one in sorted(messages, key=_time)[-20:] for found in clickables(one)]

    async def _say(self, line: Line) -> None:
        channel = self._channel(line)
        files = [discord.File(one.name, one.content, one.kind) for one in line.files]
        if line.deed is Deed.SAY and line.text.startswith("/"):
            text = line.text if line.text.startswith("/ask") else _SET.sub(r"\1:", line.text)
            words, options = discord.read_command(self._discord.world, channel, text, files)
            self.said(channel, None, begins=line.begins)
            await self._discord.slash(line.person, channel, words, **options)
        elif channel.kind is discord.ChannelKind.FORUM:
            title, _, text = line.text.partition("\n")
            self.opened(await self._discord.post(line.person, channel, title[:TITLE], text or title, attachments=files))
        else:
            to = self._picked(line) if line.deed is Deed.REPLY else None
            said = await self._discord.say(line.person, channel, line.text, reply_to=to, attachments=files)
            self.said(channel, said, begins=line.begins)

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
        if isinstance(line.thread, str):
            if thread := self._begun_with(line.thread):
                return thread
            raise no_thread(line.thread, "Discord")
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
        person = self._discord.user(line.person).id
        everywhere = (
            one for one in self._discord.world.channels.values() if not one.is_dm or one.recipient_id == person
        )
        channels = [self._channel(line)] if line.place else list(everywhere)
        found = [one for channel in channels for one in channel.messages.values() if one.only_for in (None, person)]
        return sorted(found, key=_time)

    def _begun_with(self, words: str) -> discord.Channel | None:
        """The newest thread whose name has these words in it."""
        return max((one for one in self._discord.threads() if has_words(one.name, words)), key=_number, default=None)

    def _picked(self, line: Line) -> discord.Message:
        found = self.fitting(line)
        if line.deed is Deed.CLICK and not found:
            raise no_label(line.text, (one.label for message in self._there(line) for one in clickables(message)))
        person = line.text if line.deed is Deed.DELETE and line.text else line.person
        is_own = line.deed in (Deed.EDIT, Deed.DELETE)
        return picked(found, line, NOTHING_OF_THEIRS.format(person=person) if is_own else NOTHING_THERE)

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
