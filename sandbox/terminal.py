"""The sandbox in a terminal: plays a script, then lets one type, and prints what people would see."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

from core.commands import TRYING_AGAIN
from core.errors import SetupError
from sandbox.scenes import DiscordScene, Glimpse, Scene, SlackScene
from sandbox.script import HOW, Line, is_comment, read_line, read_script
from sandbox.stage import Stage

WELCOME = "welcome.txt"
TAKEN_UP_WITHIN = 3.0  # seconds; what the bot has not begun to answer by then, it won't
LAST_LOOK = 0.05  # seconds for the last change to be seen
BOT = "bobbin"
NOBODY_TYPES = "\nStandard input is not a terminal, so nothing is read from it. Ctrl-C ends."


async def play(stage: Stage, script: tuple[str, str] | None, stop: asyncio.Event) -> None:
    """Play *script*, a file's name and text, and end; without one, play the welcome, then take lines until *stop* is set.

    The real AI service is asked nothing by itself: then there is no welcome. Raises SetupError.
    """
    name, text = script or (WELCOME, files("sandbox").joinpath(WELCOME).read_text() if stage.is_emulated else "")
    theatre = Theatre(stage)
    lines = list(read_script(text, name, list(theatre.scenes)))
    theatre.check(lines)
    watching = [asyncio.create_task(theatre.watch(scene)) for scene in theatre.scenes.values()]
    playing = asyncio.create_task(theatre.perform(lines, go_on=script is None))
    stopping = asyncio.create_task(stop.wait())
    first: list[asyncio.Task[Any]] = [playing, stopping, *watching]
    try:
        done, _ = await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in first:
            task.cancel()
        await asyncio.gather(*first, return_exceptions=True)


class Theatre:
    """Has lines done on the scenes, and prints what is seen there."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        scenes: list[Scene] = [SlackScene(stage.slack), DiscordScene(stage.discord)]
        self.scenes = {scene.name: scene for scene in scenes}
        self._page = Page()
        self._seen = asyncio.Event()  # set when the bot says something

    async def watch(self, scene: Scene) -> None:
        """Print what is seen on *scene*, until cancelled."""
        async for glimpse in scene.see():
            if glimpse.author == BOT:
                self._seen.set()
            self._page.show(glimpse)

    def check(self, lines: list[Line]) -> None:
        """Raises SetupError if a person or place in *lines* isn't there."""
        for line in lines:
            with _placed(line):
                self.scenes[line.platform].check(line)

    async def perform(self, lines: list[Line], *, go_on: bool) -> None:
        """Do every one of *lines*; then, to *go_on*, every line that is typed."""
        await asyncio.sleep(0)  # let the watchers take their seats
        await self._stage.until_ready()
        print(_programme(self._stage), flush=True)
        last: Line | None = None
        for line in lines:
            with _placed(line):
                await self._do(line)
            last = line
        if not go_on:
            return
        print(f"\nYour turn. Say something:\n{HOW}\n" if sys.stdin.isatty() else NOBODY_TYPES, flush=True)
        async for typed in _typed():
            try:
                line = read_line(typed, last, list(self.scenes))
                await self._do(line)
                last = line  # one that could not be done is nothing to go on from
            except SetupError as error:
                print(error.sentence, flush=True)
        await asyncio.Event().wait()

    async def _do(self, line: Line) -> None:
        self._seen.clear()
        self._page.turn()
        if line.text.startswith("/"):
            self._page.command(line)
        await self.scenes[line.platform].act(line)
        try:
            await asyncio.wait_for(self._seen.wait(), TAKEN_UP_WITHIN)
        except TimeoutError:
            if not self._stage.ledger.is_busy:
                self._page.finish()
                print("        (Bobbin wasn't mentioned, so it stays quiet – add @bobbin)", flush=True)
        await self._stage.ledger.idle()
        await asyncio.sleep(LAST_LOOK)
        self._page.finish()
        if self._page.is_same_again:
            print("        (answered again, same text)", flush=True)


class Page:
    """Prints messages as they grow, a line as soon as it is whole."""

    def __init__(self) -> None:
        self._printed: dict[str, list[str]] = {}  # of each message, the lines that are on paper
        self._now: Glimpse | None = None  # the message that grows
        self._heading = ""
        self._old: set[str] = set()  # the messages that were there when the line was done
        self._announced = self._rewritten = False

    @property
    def is_same_again(self) -> bool:
        """Was a new answer announced since the page was turned, and no old message changed?"""
        return self._announced and not self._rewritten

    def turn(self) -> None:
        """Begin what follows from a new line."""
        self._old = set(self._printed)
        self._announced = self._rewritten = False

    def show(self, glimpse: Glimpse) -> None:
        """Print what is new of a message. Its last line may still grow, and behind it a fence may be closed for now."""
        if not glimpse.text and glimpse.key not in self._printed:
            return
        self._announced |= glimpse.author == BOT and TRYING_AGAIN in glimpse.text
        if self._now is not None and glimpse.key != self._now.key:
            self.finish()
        if self._now is None:
            self.head(f"{glimpse.platform} {glimpse.place}")
        self._now = glimpse
        self._print(glimpse, glimpse.text.split("\n")[:-2])

    def head(self, place: str) -> None:
        """Say where, unless that was said last."""
        if place != self._heading:
            print(f"\n── {place} ──", flush=True)
            self._heading = place

    def command(self, line: Line) -> None:
        """Print a command: it leaves no message of its own."""
        self.head(f"{line.platform} {line.place}")
        print(f"{line.person:>7} │ {line.text}", flush=True)

    def finish(self) -> None:
        """Print the rest of the message that grew."""
        if self._now is not None:
            self._print(self._now, self._now.text.split("\n") if self._now.text else [])
            self._now = None

    def _print(self, glimpse: Glimpse, lines: list[str]) -> None:
        known = self._printed.get(glimpse.key, [])
        if lines[: len(known)] != known:
            if lines and known != ["(changed)"] and len(lines) >= len(known):
                print(f"{glimpse.author:>7} ↻", flush=True)
                known = []
            else:
                return
        self._rewritten |= glimpse.key in self._old and len(lines) > len(known)
        for number, line in enumerate(lines[len(known) :], start=len(known)):
            print(f"{glimpse.author if number == 0 else '':>7} │ {line}", flush=True)
        self._printed[glimpse.key] = lines


def _programme(stage: Stage) -> str:
    answers = "an emulator answers" if stage.is_emulated else "the real AI service answers"
    return (
        f"Slack       {stage.slack.api_url}\n"
        f"Discord     {stage.discord.api_url}\n"
        f"AI service  {stage.upstream} ({answers})\n"
        f"Health      {stage.bot.health}"
    )


@contextmanager
def _placed(line: Line) -> Iterator[None]:
    """Have what is said of *line* begin with its place in the script."""
    try:
        yield
    except SetupError as error:
        raise SetupError(line.where + error.sentence) from error


async def _typed() -> AsyncIterator[str]:
    """What is typed, line by line; nothing when nobody can type."""
    if not sys.stdin.isatty():
        return
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    try:
        while line := await reader.readline():
            if not is_comment(text := line.decode(errors="replace")):
                yield text.strip()
    finally:
        transport.close()
