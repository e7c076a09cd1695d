"""Writes down what people do in the sandbox, on the page and in the terminal, as a script that does it again."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import SetupError
from sandbox import discord
from sandbox.line import ALONE, SAYS, Deed, Line, write
from sandbox.page.faults import Faults
from sandbox.page.feed import Feed
from sandbox.scenes import DiscordScene, Scene, SlackScene
from sandbox.script import MOST_BYTES
from sandbox.wording import Fields, NoWords, Wording, ids

if TYPE_CHECKING:
    from sandbox.stage import Stage

MOST_LINES = 2_000


class Recording:
    """What was done so far, and the scenes on which the terminal does it."""

    def __init__(self, stage: Stage, most_lines: int = MOST_LINES) -> None:
        self._stage = stage
        self._most_lines = most_lines
        self._slack, self._discord = SlackScene(stage.slack, stage.shortcuts), DiscordScene(stage.discord)
        scenes: list[Scene] = [self._slack, self._discord]
        self._wording = Wording(stage, self._slack, self._discord)
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

    async def do(self, line: Line) -> str:
        """Do what was typed, or stands in a script, and write it down; return what only the one who does it is told.

        Raises SetupError and CantBeDone.
        """
        is_meanwhile, told = self._stage.ledger.is_busy, ""
        if line.deed in ALONE:
            name, _, off = line.text.partition(" ")
            act = self._faults.acts[f"fault.{name or line.deed}"]
            await act({"on": not off})
        elif line.deed is not Deed.AS:
            with self._faults.doubling() if line.platform == DiscordScene.name else nullcontext():
                told = await self.scenes[line.platform].act(line)
        if line.deed is not Deed.AS:  # every line that is written says who
            self._write(line, is_meanwhile=is_meanwhile)
        return told

    @contextmanager
    def of(self, fields: Fields) -> Iterator[None]:
        """Write down the page's act with these *fields*, if it succeeds while the context lasts."""
        is_meanwhile = self._stage.ledger.is_busy
        try:
            lines, lost = self._wording.lines(fields), ""
        except NoWords as what:
            lines, lost = [], str(what)
        except (LookupError, ValueError, TypeError, AttributeError, SetupError):  # it is refused, or odd
            lines, lost = [], "something"
        act = str(fields.get("act"))[:50]
        before = self._before(lines, fields)
        yield
        if lines:
            try:
                self._follow(lines[-1], fields, before)
            except LookupError:  # it is gone already
                lost = "something"
            else:
                for line in lines:
                    self._write(line, is_meanwhile=is_meanwhile)
        if lost:
            self._keep(f"# not written: {act}, {lost} by {str(fields.get('person'))[:50]!r}")

    def _write(self, line: Line, *, is_meanwhile: bool) -> None:
        self._keep(write(replace(line, is_meanwhile=is_meanwhile and line.deed is not Deed.START)))

    def _keep(self, text: str) -> None:
        self._lines.append(text)
        self._size += len(text)
        while self._lines and (len(self._lines) > self._most_lines or self._size > MOST_BYTES):
            self._size -= len(self._lines.popleft())
            self._lost += 1

    def _before(self, lines: list[Line], fields: Fields) -> str:
        """What `_follow` needs to know from before the act."""
        if lines and lines[0].begins and lines[0].platform == SlackScene.name:
            return self._slack.newest(ids(fields, "place")[0])
        return ""

    def _follow(self, line: Line, fields: Fields, before: str) -> None:
        """Have the scenes know what was said, as if they had done it."""
        if line.deed is Deed.THREAD:
            channel_id, number = ids(fields, "message")
            if thread := self._stage.discord.channel(channel_id).messages[int(number)].thread:
                self._discord.opened(thread)
        if line.deed not in SAYS:
            return
        is_command = line.deed is Deed.SAY and line.text.startswith("/")
        place = ids(fields, "place")[0]
        if line.platform == SlackScene.name:
            if is_command:
                self._slack.commanded(place, before)
                return
            person = self._stage.slack.user(line.person).id
            self._slack.said([one for one in self._stage.slack.messages(place) if one.user == person][-1])
            return
        channel, person_id = self._stage.discord.channel(place), self._stage.discord.user(line.person).id
        if channel.kind is discord.ChannelKind.FORUM:
            self._discord.opened(self._stage.discord.threads(channel)[-1])
            return
        own = [one for one in self._stage.discord.messages(channel) if one.author.id == person_id]
        self._discord.said(channel, None if is_command else own[-1], begins=line.begins)
