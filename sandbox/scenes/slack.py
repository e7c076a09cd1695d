"""The local Slack as a scene."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.errors import SetupError
from sandbox import slack
from sandbox.line import FORM, IN_A_FORM, Deed, Line
from sandbox.scenes.form import NO_FORM, Field, Filled
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
from sandbox.slack import forms
from sandbox.slack.arguments import ApiError

Place = tuple[str, str]  # the ids of a channel and of a thread in it
STOP = "Stop"  # Slack's own button beside an agent at work
SHOWN_TIMES = (slack.ChangeKind.POSTED, slack.ChangeKind.CHANGED, slack.ChangeKind.DELETED)


@dataclass(frozen=True, slots=True)
class Clickable:
    """Something in a message that people can click, or choose."""

    label: str
    action: str
    value: str | None  # of the choice; None for a button

    def is_called(self, label: str) -> bool:
        return self.label.casefold() == label.casefold()


class SlackScene:
    """The local Slack."""

    name = "slack"

    def __init__(self, local: slack.LocalSlack, shortcuts: Sequence[dict[str, str]] = ()) -> None:
        self._slack = local
        self.shortcuts = {one["callback_id"]: one["name"] for one in shortcuts}
        self._anywhere = [one["name"] for one in shortcuts if one["type"] == "global"]
        self._filled = Filled()
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

    @property
    def entries(self) -> list[str]:
        return list(self.shortcuts.values())

    def fields(self, person: str) -> list[Field]:
        form = self._slack.form(person)
        return [one for one, _ in self._inputs(form)] if form else []

    def check(self, line: Line) -> None:
        check(line, self)
        if line.deed in (Deed.REPLY, Deed.THREAD):
            raise SetupError(f"There is no :{line.deed} on Slack. Write in a thread there.")
        if line.deed is Deed.MENU and line.text not in self.entries:
            raise SetupError(f"There is no “{line.text[:80]}”. There is: {', '.join(self.entries) or 'nothing'}.")

    def is_possible(self, line: Line) -> bool:
        try:
            if line.deed in IN_A_FORM or line.place == FORM:
                self._form(line)
            elif line.deed is Deed.CLICK:
                self._clicked(line)
            elif line.place:
                self._where(line)
        except SetupError:
            return False
        return True

    async def act(self, line: Line) -> str:
        self.check(line)
        try:
            return await self._act(line)
        except ApiError as error:
            raise SetupError(f"Slack refuses: {error.answer.get('error')}.") from error
        except (LookupError, ValueError) as error:
            raise SetupError(words_of(error)) from error

    async def _act(self, line: Line) -> str:
        match line.deed:
            case Deed.SAY if line.text.startswith("/"):
                await self._command(line)
            case Deed.SAY:
                channel, thread = self._where(line)
                files = [slack.SharedFile(one.name, one.content, one.kind) for one in line.files]
                said = await self._slack.say(line.person, channel, line.text, thread or None, files=files)
                self.said(said)
            case Deed.EDIT:
                await self._slack.edit(self._picked(line), line.text)
            case Deed.DELETE:
                await self._slack.delete(self._picked(line), line.person)
            case Deed.REACT:
                message, name = self._picked(line), line.text.strip(":")
                await self._slack.react(
                    line.person, message, name, take_back=self.has_reacted(line.person, message, name)
                )
            case Deed.CLICK:
                return await self._click(line)
            case Deed.MENU:
                on = None if line.text in self._anywhere else self._picked(line)
                callback = next(one for one, name in self.shortcuts.items() if name == line.text)
                _complain(await self._slack.shortcut(line.person, callback, on))
            case _:
                return await self._act_in_form(line)
        return ""

    async def _act_in_form(self, line: Line) -> str:
        match line.deed:
            case Deed.FILL:
                form = self._form(line)
                self._filled.fill(line.person, form["id"], self.fields(line.person), line.text)
            case Deed.SEND:
                return await self._send(line)
            case Deed.CLOSE:
                await self._slack.close_view(line.person, self._form(line)["id"])
        return ""

    async def _click(self, line: Line) -> str:
        if line.place == FORM:
            form = self._form(line)
            found = _labelled(line.text, clickables(form["blocks"]))
            if found is None:
                raise no_label(line.text, (one.label for one in clickables(form["blocks"])))
            _complain(await self._slack.click(line.person, form["id"], found.action, value=found.value))
            return ""
        on, found = self._clicked(line)
        if isinstance(on, slack.Message):
            _complain(await self._slack.click(line.person, on, found.action, value=found.value))
        else:
            await self._slack.stop_session(line.person, *on)
        return ""

    async def _send(self, line: Line) -> str:
        form = self._form(line)
        given = self._filled.of(line.person, form["id"])
        values = {
            block["block_id"]: {block["element"]["action_id"]: forms.stated(block["element"], given[one.name])}
            for one, block in self._inputs(form)
            if one.name in given
        }
        told = await self._slack.submit(line.person, form["id"], values)
        _complain(told)
        wrong: dict[str, str] = (told.ack or {}).get("errors") or {}
        labels = {one.name: one.label for one, _ in self._inputs(form)}
        return "\n".join(f"{labels.get(name, name)}: {sentence}" for name, sentence in wrong.items())

    def _form(self, line: Line) -> dict[str, Any]:
        form = self._slack.form(line.person)
        if form is None:
            raise SetupError(NO_FORM.format(person=line.person, platform="Slack"))
        return form

    def _inputs(self, view: dict[str, Any]) -> list[tuple[Field, dict[str, Any]]]:
        blocks = [block for block in view["blocks"] if block["type"] == "input"]
        return [(self._field(block), block) for block in blocks]

    def _field(self, block: dict[str, Any]) -> Field:
        element = block["element"]
        kind = element["type"].removeprefix("multi_")
        choices: dict[str, str] | None = None
        if kind == "users_select":
            choices = {f"@{user.name}": user.id for user in self._slack.users.values()}
        elif kind in ("conversations_select", "channels_select"):
            choices = {f"#{one.name}": one.id for one in self._slack.channels.values() if one.name}
        elif offered := forms.options(element):
            choices = {_words(one["text"]): one["value"] for one in offered}
        label, before = _words(block["label"]), forms.values(element, None)
        return Field(label, block["block_id"], before, choices, forms.takes_many(element))

    def filled(self, view: dict[str, Any], values: dict[str, Any]) -> Iterator[str]:
        """What fills *view* in with the states *values*, a line each. Raises KeyError if there are no words for one."""
        for one, block in self._inputs(view):
            element = block["element"]
            state = values.get(one.name, {}).get(element["action_id"])
            chosen = one.before if state is None else forms.values(element, state)
            if chosen != one.before:
                yield one.written(chosen)

    def said(self, message: slack.Message) -> None:
        """Somebody has said this: a thread may come of it."""
        self._last = message
        if message.thread_ts in (None, message.ts):
            self._begun.append((message.channel, message.ts, False))

    def has_reacted(self, person: str, message: slack.Message, name: str) -> bool:
        user = self._slack.user(person).id
        return any(one.name == name and user in one.users for one in message.reactions)

    def commanded(self, channel: str, before: str) -> None:
        """Somebody gave a command; a thread may come of what the bot says to it. *before*: the newest message there then."""
        self._begun.append((channel, before, True))

    def newest(self, channel: str) -> str:
        return max((one.ts for one in self._slack.messages(channel)), default="")

    def name_of(self, person: str, channel: str, thread: str) -> str:
        """The place by which a script calls this thread; empty if it has no name for it."""
        roots = [self._root(number) for number in range(1, len(self._begun) + 1)]
        if (channel, thread) in roots:
            return f"thread {roots.index((channel, thread)) + 1}"
        root = next((one for one in self.there(channel, "") if one.ts == thread), None)
        words = beginning(self._said_in(root)) if root else ""
        return f'thread "{words}"' if words and self._begun_with(person, words) == (channel, thread) else ""

    def fitting(self, line: Line) -> list[slack.Message]:
        """The messages that *line* could be about, oldest first."""
        there = self._there(line)
        match line.deed:
            case Deed.EDIT | Deed.DELETE:
                author = self._slack.user(line.person).id
                return [one for one in there if one.user == author]
            case Deed.CLICK:
                return [one for one in there if _labelled(line.text, clickables(one.blocks))]
            case Deed.MENU:
                return [one for one in there if not one.ephemeral_to]
        return there

    def there(self, channel: str, thread: str) -> list[slack.Message]:
        """The messages of a thread, or those of a channel outside of threads, oldest first."""
        if thread:
            return self._slack.messages(channel, thread)
        return [one for one in self._slack.messages(channel) if one.thread_ts in (None, one.ts)]

    async def see(self) -> AsyncIterator[Glimpse]:
        async for change in self._slack.watch():
            view = self._slack.views.get(change.detail) if change.kind is slack.ChangeKind.VIEW else None
            if view and view["type"] == "modal":
                yield self._form_seen(view)
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

    def _form_seen(self, view: dict[str, Any]) -> Glimpse:
        person = self._slack.user(self._slack.owner(view["id"])).name
        lines = [_words(view["title"]), *(one.shown for one, _ in self._inputs(view))]
        return Glimpse(self.name, f"form, for {person} only", view["id"], BOT, "\n".join(lines))

    async def _command(self, line: Line) -> None:
        if line.thread is not None:
            raise SetupError("Slack takes no slash commands in threads. Mention the bot there instead.")
        if line.files:
            raise SetupError("Slack's commands take no files. Mention the bot instead.")
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
        if isinstance(line.thread, str):
            if place := self._begun_with(line.person, line.thread):
                return place
            raise no_thread(line.thread, "Slack")
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
            seen = self._seen_by(line.person)
            found = sorted((one for channel in seen for one in self._slack.messages(channel)), key=_time)
        person = self._slack.user(line.person).id
        return [one for one in found if one.ephemeral_to in ("", person)]

    def _begun_with(self, person: str, words: str) -> Place | None:
        """The newest thread that *person* sees and that begins with *words*."""
        roots = (one for channel in self._seen_by(person) for one in self.there(channel.id, "") if not one.ephemeral_to)
        found = [one for one in roots if has_words(self._said_in(one), words)]
        return max(((one.channel, one.ts) for one in found), key=lambda place: place[1], default=None)

    def _seen_by(self, person: str) -> list[slack.Channel]:
        user, open_to_all = self._slack.user(person).id, slack.ChannelKind.PUBLIC
        return [one for one in self._slack.channels.values() if one.kind is open_to_all or user in one.members]

    def _said_in(self, message: slack.Message) -> str:
        """What it says, without what others put below it."""
        return self._named(slack.shown(replace(message, reactions=())))

    def _picked(self, line: Line) -> slack.Message:
        otherwise = NOTHING_OF_THEIRS if line.deed in (Deed.EDIT, Deed.DELETE) else NOTHING_THERE
        return picked(self.fitting(line), line, otherwise.format(person=line.person))

    def _clicked(self, line: Line) -> tuple[slack.Message | Place, Clickable]:
        """What is clicked, and in which message, or beside which thread."""
        if line.text.casefold() == STOP.casefold() and not line.back:
            where = self._where(line) if line.place else None
            for place, session in reversed(list(self._slack.sessions.items())):
                if session.status == "processing" and where in (None, (place[0], ""), place):
                    return place, Clickable(STOP, "", None)
        found = self.fitting(line)
        if not found:
            raise no_label(
                line.text, (one.label for message in self._there(line) for one in clickables(message.blocks))
            )
        message = picked(found, line, "")
        clickable = _labelled(line.text, clickables(message.blocks))
        assert clickable  # noqa: S101  # it fits
        return message, clickable

    def _named(self, text: str) -> str:
        for user in self._slack.users.values():
            text = text.replace(f"@{user.id}", f"@{user.name}")
        for channel in self._slack.channels.values():
            text = text.replace(f"#{channel.id}", f"#{channel.name}")
        return text

    def _place(self, message: slack.Message) -> str:
        channel = self._slack.channel(message.channel)
        where = "direct message" if channel.kind is slack.ChannelKind.DIRECT else f"#{channel.name}"
        if message.ephemeral_to:
            return f"{where}, for {self._slack.user(message.ephemeral_to).name} only"
        return f"{where} › thread" if message.thread_ts else where


def _complain(told: slack.Interaction) -> None:
    if told.problem:
        raise SetupError(f"Slack says: {told.problem}. The bot has not answered in time.")


def _labelled(label: str, found: Iterator[Clickable]) -> Clickable | None:
    return next((one for one in found if one.is_called(label)), None)


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
