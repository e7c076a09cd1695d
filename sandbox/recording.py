"""Writes down what people do in the sandbox, on the page and in the terminal, as a script that does it again."""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.errors import SetupError
from sandbox import discord, slack
from sandbox.line import ALONE, FAULTS, Deed, Line, Sent, write
from sandbox.page.faults import Faults
from sandbox.page.feed import Feed
from sandbox.scenes import DiscordScene, Scene, SlackScene
from sandbox.scenes import discord as on_discord
from sandbox.scenes import slack as on_slack
from sandbox.script import MOST_BYTES

if TYPE_CHECKING:
    from sandbox.stage import Stage

Fields = dict[str, Any]
MOST_LINES = 2_000
FILE_BYTES = 200 * 1024  # of one that is written into the script itself
_KIND = re.compile(r"[\w.+-]+/[\w.+-]+")


class NoWords(Exception):
    """A script has none for what was done; the text says what that was."""


class Recording:
    """What was done so far, and the scenes on which the terminal does it."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._slack, self._discord = SlackScene(stage.slack), DiscordScene(stage.discord)
        scenes: list[Scene] = [self._slack, self._discord]
        self.scenes = {scene.name: scene for scene in scenes}
        self._faults = Faults(stage, Feed({}))
        self._lines: deque[str] = deque()
        self._size = self._lost = 0
        self._began = time.strftime("%Y-%m-%d %H:%M")

    @property
    def text(self) -> str:
        """The script."""
        lost = [f"# The first {self._lost} lines are not kept."] if self._lost else []
        head = [
            f"# What was done in the sandbox from {self._began} on. `bobbin sandbox --script FILE` does it again.",
            "# Where it says “not written”, a script has no words for what was done.",
            *lost,
        ]
        return "\n".join([*head, *self._lines]) + "\n"

    async def do(self, line: Line) -> None:
        """Do what was typed, or stands in a script, and write it down. Raises SetupError and CantBeDone."""
        is_meanwhile = self._stage.ledger.is_busy
        if line.deed in ALONE:
            name, _, off = line.text.partition(" ")
            act = self._faults.acts[f"fault.{name or line.deed}"]
            await act({"on": not off})
        elif line.deed is not Deed.AS:
            with self._faults.doubling() if line.platform == DiscordScene.name else nullcontext():
                await self.scenes[line.platform].act(line)
        if line.deed is not Deed.AS:  # every line that is written says who
            self._write(line, is_meanwhile=is_meanwhile)

    @contextmanager
    def of(self, fields: Fields) -> Iterator[None]:
        """Write down the page's act with these *fields*, if it succeeds while the context lasts."""
        is_meanwhile = self._stage.ledger.is_busy
        try:
            line, lost = self._line(fields), ""
        except NoWords as what:
            line, lost = None, str(what)
        except (LookupError, ValueError, TypeError, AttributeError, SetupError):  # it is refused, or odd
            line, lost = None, "something"
        act = str(fields.get("act"))[:50]
        before = self._before(line, fields)
        yield
        if line:
            try:
                self._follow(line, fields, before)
            except LookupError:  # it is gone already
                lost = "something"
            else:
                self._write(line, is_meanwhile=is_meanwhile)
        if lost:
            self._keep(f"# not written: {act}, {lost} by {str(fields.get('person'))[:50]!r}")

    def _write(self, line: Line, *, is_meanwhile: bool) -> None:
        self._keep(write(replace(line, is_meanwhile=is_meanwhile and line.deed is not Deed.START)))

    def _keep(self, text: str) -> None:
        self._lines.append(text)
        self._size += len(text)
        while self._lines and (len(self._lines) > MOST_LINES or self._size > MOST_BYTES):
            self._size -= len(self._lines.popleft())
            self._lost += 1

    def _line(self, fields: Fields) -> Line:
        act = str(fields["act"])
        where, _, what = act.partition(".")
        if where == "fault":
            if what in FAULTS:
                has_off = what not in ("amnesia", "limit") and not fields.get("on")
                return Line("", "", "", f"{what} off" if has_off else what, deed=Deed.FAULT)
            return Line("", "", "", "", deed=Deed(what))
        if what not in ("say", "post", "edit", "delete", "react", "click"):
            raise NoWords("an act of a form or a menu")
        read = self._on_slack if where == SlackScene.name else self._on_discord
        return read(what, fields)

    def _on_slack(self, what: str, fields: Fields) -> Line:
        local, scene = self._stage.slack, self._slack
        person = local.user(fields["person"])
        line = Line(scene.name, person.name, "", str(fields.get("text", "")))
        if what == "say":
            channel = local.channel(_ids(fields, "place")[0])
            thread = _ids(fields, "thread")[1] if fields.get("thread") else ""
            return _with_file(replace(line, place=self._slack_place(channel, thread)), fields)
        if not fields.get("message"):
            raise NoWords("an act in a form or at home")
        channel_id, ts = _ids(fields, "message")
        channel = local.channel(channel_id)
        [message] = [one for one in local.messages(channel) if one.ts == ts]
        thread = "" if message.thread_ts in (None, ts) else message.thread_ts or ""
        there = scene.there(channel.id, thread)
        line = replace(line, place=self._slack_place(channel, thread))
        if what == "click":
            on = (one for one in on_slack.clickables(message.blocks) if one.action == fields["action"])
            label = next((one.label for one in on if fields.get("value") in (None, one.value)), "")
            alike = (one for one in there if label in [each.label for each in on_slack.clickables(one.blocks)])
            return _on(replace(line, deed=Deed.CLICK, text=label), ts, [one.ts for one in alike])
        if what == "react":
            if any(one.name == fields["name"] and person.id in one.users for one in message.reactions):
                raise NoWords("a reaction taken back")
            return _on(replace(line, deed=Deed.REACT, text=str(fields["name"])), ts, [one.ts for one in there])
        return _on(replace(line, deed=Deed(what)), ts, [one.ts for one in there if one.user == person.id])

    def _slack_place(self, channel: slack.Channel, thread: str) -> str:
        if thread:
            return _thread(self._slack.number(channel.id, thread))
        if channel.kind is slack.ChannelKind.DIRECT:
            return "dm"
        if not channel.name:
            raise NoWords("something in a conversation of several")
        return f"#{channel.name}"

    def _on_discord(self, what: str, fields: Fields) -> Line:
        local, scene = self._stage.discord, self._discord
        person = local.user(fields["person"])
        line = Line(scene.name, person.name, "", str(fields.get("text", "")))
        if what in ("say", "post"):
            channel = local.channel(_ids(fields, "place")[0])
            line = replace(line, place=self._discord_place(channel))
            if what == "post":
                return replace(line, text=f"{fields['title']}\n{line.text}")
            if fields.get("reply_to"):
                raise NoWords("a reply to a message")
            return _with_file(line, fields)
        channel_id, number = _ids(fields, "message")
        channel, wanted = local.channel(channel_id), int(number)
        message = channel.messages[wanted]
        there = [one for one in local.messages(channel) if one.only_for in (None, person.id)]
        line = replace(line, place=self._discord_place(channel))
        if what == "click":
            values = tuple(map(str, fields.get("values") or ()))
            on = (one for one in on_discord.clickables(message) if one.custom_id == fields["action"])
            label = next((one.label for one in on if values == one.values), "")
            alike = [one.id for one in there if label in [each.label for each in on_discord.clickables(one)]]
            return _on(replace(line, deed=Deed.CLICK, text=label), wanted, alike)
        if what == "react":
            if person.id in message.reactions.get(str(fields["name"]), ()):
                raise NoWords("a reaction taken back")
            return _on(replace(line, deed=Deed.REACT, text=str(fields["name"])), wanted, [one.id for one in there])
        return _on(replace(line, deed=Deed(what)), wanted, [one.id for one in there if one.author is person])

    def _discord_place(self, channel: discord.Channel) -> str:
        if channel.is_dm:
            return "dm"
        return _thread(self._discord.number(channel)) if channel.thread else f"#{channel.name}"

    def _before(self, line: Line | None, fields: Fields) -> str:
        """What `_follow` needs to know from before the act."""
        if line and line.begins and line.platform == SlackScene.name:
            return self._slack.newest(_ids(fields, "place")[0])
        return ""

    def _follow(self, line: Line, fields: Fields, before: str) -> None:
        """Have the scenes know what was said, as if they had done it."""
        if line.deed not in (Deed.SAY, Deed.FILE):
            return
        is_command = line.deed is Deed.SAY and line.text.startswith("/")
        place = _ids(fields, "place")[0]
        if line.platform == SlackScene.name:
            if is_command:
                self._slack.commanded(place, before)
                return
            person = self._stage.slack.user(line.person).id
            self._slack.said([one for one in self._stage.slack.messages(place) if one.user == person][-1])
            return
        channel, person_id = self._stage.discord.channel(place), self._stage.discord.user(line.person).id
        if channel.kind is discord.ChannelKind.FORUM:
            self._discord.posted(self._stage.discord.threads(channel)[-1])
            return
        own = [one for one in self._stage.discord.messages(channel) if one.author.id == person_id]
        self._discord.said(channel, None if is_command else own[-1])


def _ids(fields: Fields, name: str) -> tuple[str, str]:
    """The platform's own ids in a key of the page's: of a place, and of what is in it, or nothing."""
    _, place, *more = str(fields[name]).split(" ")
    return place, more[0] if more else ""


def _thread(number: int | None) -> str:
    if number is None:
        raise NoWords("something in a thread that nothing in the script began")
    return f"thread {number}"


def _on(line: Line, wanted: object, fitting: list[Any]) -> Line:
    """Raises NoWords if it isn't the newest of the *fitting* messages: that is what a script means."""
    if not fitting or fitting[-1] != wanted:
        raise NoWords(f"a {line.deed} that is not for the newest message")
    return line


def _with_file(line: Line, fields: Fields) -> Line:
    files = fields.get("files") or []
    if not files or line.text.startswith("/"):
        if files:
            raise NoWords("a command with a file")
        return line
    try:
        content = base64.b64decode(files[0]["content"], validate=True)
    except binascii.Error as error:
        raise ValueError from error
    if len(files) > 1 or len(content) > FILE_BYTES:
        raise NoWords(f"{len(files)} files, the first of {len(content):,} bytes")
    kind = str(files[0]["kind"])
    sent = Sent(str(files[0]["name"]), content, kind if _KIND.fullmatch(kind) else "application/octet-stream")
    return replace(line, deed=Deed.FILE, file=sent)
