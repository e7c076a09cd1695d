"""The local Slack as a scene."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from core.errors import SetupError
from sandbox import slack
from sandbox.line import Deed, Line
from sandbox.scenes.scene import NOTHING_OF_THEIRS, NOTHING_THERE, Glimpse, check, no_label, words_of
from sandbox.script import NO_THREAD
from sandbox.slack.arguments import ApiError

Place = tuple[str, str]  # the ids of a channel and of a thread in it
SHOWN_TIMES = (slack.ChangeKind.POSTED, slack.ChangeKind.CHANGED, slack.ChangeKind.DELETED)


@dataclass(frozen=True, slots=True)
class Clickable:
    """Something in a message that people can click, or choose."""

    label: str
    action: str
    value: str | None  # of the choice; None for a button


class SlackScene:
    """The local Slack."""

    name = "slack"

    def __init__(self, local: slack.LocalSlack) -> None:
        self._slack = local
        self._last: slack.Message | None = None
        # What was said outside of threads: where, and the message; for a command, the newest that was there before it.
        self._begun: list[tuple[str, str, bool]] = []

    @property
    def people(self) -> list[str]:
        return [user.name for user in self._slack.users.values() if not user.is_bot]

    @property
    def channels(self) -> list[str]:
        return [f"#{channel.name}" for channel in self._slack.channels.values() if channel.name]

    @property
    def commands(self) -> list[str]:
        return ["/bobbin"]

    def check(self, line: Line) -> None:
        check(line, self)

    async def act(self, line: Line) -> None:
        self.check(line)
        try:
            await self._act(line)
        except ApiError as error:
            raise SetupError(f"Slack refuses: {error.answer.get('error')}.") from error
        except (LookupError, ValueError) as error:
            raise SetupError(words_of(error)) from error

    async def _act(self, line: Line) -> None:
        match line.deed:
            case Deed.SAY if line.text.startswith("/"):
                await self._command(line)
            case Deed.SAY | Deed.FILE:
                channel, thread = self._where(line)
                files = [slack.SharedFile(one.name, one.content, one.kind) for one in [line.file] if one]
                said = await self._slack.say(line.person, channel, line.text, thread or None, files=files)
                self.said(said)
            case Deed.EDIT:
                await self._slack.edit(self._own(line), line.text)
            case Deed.DELETE:
                await self._slack.delete(self._own(line), line.person)
            case Deed.REACT:
                newest = self._there(line)[-1:]
                if not newest:
                    raise SetupError(NOTHING_THERE)
                await self._slack.react(line.person, newest[0], line.text.strip(":"))
            case Deed.CLICK:
                message, found = self._clickable(line)
                told = await self._slack.click(line.person, message, found.action, value=found.value)
                if told.problem:
                    raise SetupError(f"Slack says: {told.problem}. The bot has not answered in time.")

    def said(self, message: slack.Message) -> None:
        """Somebody has said this: a thread may come of it."""
        self._last = message
        if message.thread_ts in (None, message.ts):
            self._begun.append((message.channel, message.ts, False))

    def commanded(self, channel: str, before: str) -> None:
        """Somebody gave a command; a thread may come of what the bot says to it. *before*: the newest message there then."""
        self._begun.append((channel, before, True))

    def newest(self, channel: str) -> str:
        return max((one.ts for one in self._slack.messages(channel)), default="")

    def number(self, channel: str, thread: str) -> int | None:
        """What a script calls this thread by; None if it has no name for it."""
        roots = [self._root(number) for number in range(1, len(self._begun) + 1)]
        return roots.index((channel, thread)) + 1 if (channel, thread) in roots else None

    def there(self, channel: str, thread: str) -> list[slack.Message]:
        """The messages of a thread, or those of a channel outside of threads, oldest first."""
        if thread:
            return self._slack.messages(channel, thread)
        return [one for one in self._slack.messages(channel) if one.thread_ts in (None, one.ts)]

    async def see(self) -> AsyncIterator[Glimpse]:
        async for change in self._slack.watch():
            if (message := change.message) and change.kind in SHOWN_TIMES:
                is_gone = change.kind is slack.ChangeKind.DELETED
                text = "" if is_gone else self._named(slack.shown(message))
                author = self._slack.user(message.user).name
                yield Glimpse(self.name, self._place(message), f"{message.channel} {message.ts}", author, text)

    def labels(self) -> list[str]:
        newest = sorted((one for channel in self._slack.channels for one in self._slack.messages(channel)), key=_time)[
            -20:
        ]
        return [found.label for one in newest for found in clickables(one.blocks)]

    async def _command(self, line: Line) -> None:
        if line.thread is not None:
            raise SetupError("Slack takes no slash commands in threads. Mention the bot there instead.")
        channel, _ = self._where(line)
        before = self.newest(channel)
        command, _, words = line.text.partition(" ")
        self.commanded(channel, before)
        await self._slack.command(line.person, channel, command, words)

    def _root(self, number: int) -> Place:
        channel, ts, is_command = self._begun[number - 1]
        if not is_command:
            return channel, ts
        answers = (one.ts for one in self.there(channel, "") if one.bot_id and one.ts > ts)
        return channel, next(answers, "")

    def _where(self, line: Line) -> Place:
        if line.thread is None:
            channel = self._slack.open_dm(line.person) if line.place == "dm" else line.place.removeprefix("#")
            return self._slack.channel(channel).id, ""
        if line.thread:
            found = self._root(line.thread) if line.thread <= len(self._begun) else ("", "")
        else:
            found = (self._last.channel, self._last.thread_ts or self._last.ts) if self._last else ("", "")
        if not found[1]:
            raise SetupError(NO_THREAD.format("Slack"))
        return found

    def _there(self, line: Line) -> list[slack.Message]:
        """The messages that *line* may be about, oldest first, as far as its person sees them."""
        if line.place:
            found = self.there(*self._where(line))
        else:
            found = sorted(
                (one for channel in self._slack.channels for one in self._slack.messages(channel)), key=_time
            )
        person = self._slack.user(line.person).id
        return [one for one in found if one.ephemeral_to in ("", person)]

    def _own(self, line: Line) -> slack.Message:
        person = self._slack.user(line.person).id
        found = [one for one in self._there(line) if one.user == person]
        if not found:
            raise SetupError(NOTHING_OF_THEIRS.format(person=line.person))
        return found[-1]

    def _clickable(self, line: Line) -> tuple[slack.Message, Clickable]:
        there: list[str] = []
        for message in reversed(self._there(line)):
            for found in clickables(message.blocks):
                if found.label.casefold() == line.text.casefold():
                    return message, found
                there.append(found.label)
        raise no_label(line.text, there)

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


def clickables(blocks: Any) -> Iterator[Clickable]:
    """What can be clicked in *blocks*, and in whatever they hold."""
    for block in blocks:
        for element in [*block.get("elements", ()), block.get("accessory") or {}]:
            if not element.get("action_id"):
                continue
            choices = list(_choices(element))
            label = _words(element.get("text"))
            if not choices and label:
                yield Clickable(label, element["action_id"], None)
            for choice in choices:
                yield Clickable(_words(choice.get("text")), element["action_id"], choice.get("value"))


def _choices(element: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from element.get("options", ())
    for group in element.get("option_groups", ()):
        yield from group.get("options", ())
    yield from (element[name] for name in ("positive_button", "negative_button") if name in element)


def _words(text: Any) -> str:
    return str(text.get("text", "")) if isinstance(text, dict) else ""


def _time(message: slack.Message) -> str:
    return message.ts
