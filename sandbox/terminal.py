"""The sandbox in a terminal: plays a script, then lets one type, and prints what people would see."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files
from io import TextIOWrapper
from typing import Any

from core.errors import SetupError
from core.settings import terminal_can_more
from sandbox.bot import Event, State
from sandbox.completion import completions
from sandbox.line import HOW, SAYS, Deed, Line
from sandbox.page.acts import CantBeDone
from sandbox.printed import Printer, has_colours, safe
from sandbox.recording import Recording
from sandbox.scenes import BOT, Scene
from sandbox.script import MOST_BYTES, Reader, pasted, read_script
from sandbox.stage import Stage

WELCOME = "welcome.txt"
TAKEN_UP_WITHIN = 3.0  # seconds; what the bot has not begun to answer by then, it won't
LAST_LOOK = 0.05  # seconds for the last change to be seen
LOOK_SECONDS = 0.05
PATIENCE = 4.0  # seconds without a word while the bot starts
SEEN = (*SAYS, Deed.EDIT, Deed.DELETE, Deed.AS)  # what shows by itself that it was done
UNANSWERED = (Deed.AS, Deed.FAULT, Deed.KILL, Deed.START, Deed.FILL, Deed.CLOSE)  # what the bot does not hear of
NOBODY_TYPES = "\nStandard input is not a terminal, so nothing is read from it; `--script -` would play what comes there. Ctrl-C ends."


async def play(stage: Stage, recording: Recording, script: tuple[str, str] | None, stop: asyncio.Event) -> None:
    """Play *script*, a file's name and text, and end; without one, play the welcome, then take lines until *stop* is set.

    The real AI service is asked nothing by itself: then there is no welcome. Raises SetupError.
    """
    name, text = script or (WELCOME, files("sandbox").joinpath(WELCOME).read_text() if stage.is_emulated else "")
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # there are terminals that lack most letters
    theatre = Theatre(stage, recording)
    try:
        lines = list(read_script(text, name, recording.scenes))
        theatre.check(lines)
        with theatre.hearing_the_bot():
            await _until_any(
                stop.wait(),
                theatre.perform(lines, go_on=script is None),
                *(theatre.watch(scene) for scene in recording.scenes.values()),
            )
    except SetupError as error:
        raise SetupError(safe(error.sentence)) from error


async def _until_any(*works: Coroutine[Any, Any, Any]) -> None:
    """Run all of them until one ends. Raises what that one raises."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until_ready(stage: Stage) -> None:
    """Wait until the bot is, and say so every few seconds. Raises SetupError."""
    print("The bot is starting; that takes a few seconds.", flush=True)
    ready, seconds = asyncio.create_task(stage.until_ready()), 0.0
    try:
        while not (await asyncio.wait({ready}, timeout=PATIENCE))[0]:
            seconds += PATIENCE
            print(f"Still starting, after {seconds:.0f} seconds.", flush=True)
        await ready
    finally:
        ready.cancel()


class Theatre:
    """Has lines done on the scenes, and prints what is seen there."""

    def __init__(self, stage: Stage, recording: Recording) -> None:
        self._stage, self._recording = stage, recording
        self._scenes = recording.scenes
        self._printer = Printer(in_colour=has_colours())
        self._reader = Reader(self._scenes)
        self._seen = asyncio.Event()  # set when the bot says something
        self._settling: asyncio.Task[None] | None = None

    @contextmanager
    def hearing_the_bot(self) -> Iterator[None]:
        """While the context lasts, say what becomes of its process."""
        self._stage.hearing.process.append(self._became)
        try:
            yield
        finally:
            self._stage.hearing.process.remove(self._became)

    async def watch(self, scene: Scene) -> None:
        """Print what is seen on *scene*, until cancelled."""
        async for glimpse in scene.see():
            if glimpse.author == BOT:
                self._seen.set()
            self._printer.show(glimpse)

    def check(self, lines: list[Line]) -> None:
        """Raises SetupError if a person or place in *lines* isn't there."""
        for line in lines:
            if line.platform:
                with _placed(line):
                    self._scenes[line.platform].check(line)

    async def perform(self, lines: list[Line], *, go_on: bool) -> None:
        """Do every one of *lines*; then, to *go_on*, every line that is typed."""
        await asyncio.sleep(0)  # let the watchers take their seats
        await until_ready(self._stage)
        print(_programme(self._stage), flush=True)
        for line, following in zip(lines, [*lines, None][1:], strict=True):
            with _placed(line):
                await self._until_possible(line)
                await self._do(line)
            if following and following.is_meanwhile:
                await self._until_seen()
            else:
                await self._settle(line)
        if not go_on:
            return
        if not sys.stdin.isatty():
            print(NOBODY_TYPES, flush=True)
            await asyncio.Event().wait()
        print(f"\nYour turn. Say something:\n{HOW}\n", flush=True)
        try:
            async for typed in self._typed():
                await self._take(typed)
        finally:
            if self._settling:
                self._settling.cancel()

    async def _take(self, typed: str) -> None:
        """Do what is typed, and print what comes of it while the next line can be typed."""
        for text in pasted(typed):
            try:
                line = self._reader.read(text)
                if line.deed in (Deed.HELP, Deed.MEANWHILE):
                    self._printer.say(HOW if line.deed is Deed.HELP else "That is for scripts; here nothing waits.")
                    continue
                await self._do(line)
            except SetupError as error:
                self._printer.say(error.sentence)
                continue
            if self._settling:
                self._settling.cancel()
            self._settling = asyncio.create_task(self._settle_aloud(line))

    async def _settle_aloud(self, line: Line) -> None:
        try:
            await self._settle(line)
        except SetupError as error:  # the bot does not start
            self._printer.say(error.sentence)

    async def _do(self, line: Line) -> None:
        self._seen.clear()
        self._printer.turn()
        if line.deed not in SEEN or (line.deed is Deed.SAY and line.text.startswith("/")):
            self._printer.act(line)
        if line.platform:
            self._scenes[line.platform].check(line)
        try:
            told = await self._recording.do(line)
        except CantBeDone as error:
            raise SetupError(str(error)) from error
        if told:
            self._printer.hint(told)
        self._reader.done(line)  # one that could not be done is nothing to go on from

    async def _until_seen(self) -> None:
        """Wait until the bot says something; not for longer than it takes it to decide that it won't."""
        while self._stage.bot.is_running and not self._seen.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._seen.wait(), TAKEN_UP_WITHIN)
                return
            if not self._is_busy:
                return

    async def _until_possible(self, line: Line) -> None:
        """Wait for what *line* is about, such as a button or a form, while that may still come."""
        if not line.platform:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(TAKEN_UP_WITHIN) as patience:
                while self._stage.bot.is_running and not self._scenes[line.platform].is_possible(line):
                    await asyncio.sleep(LOOK_SECONDS)
                    if self._is_busy:
                        patience.reschedule(asyncio.get_running_loop().time() + TAKEN_UP_WITHIN)

    @property
    def _is_busy(self) -> bool:
        return self._stage.bot.is_running and self._stage.ledger.is_busy

    async def _settle(self, line: Line) -> None:
        """Wait until everything is answered that can be, and print the rest of it."""
        bot, ledger = self._stage.bot, self._stage.ledger
        if bot.state is State.STARTING:
            await self._stage.until_ready()
        is_said = line.deed in SAYS
        if line.deed not in UNANSWERED and bot.is_running:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._seen.wait(), TAKEN_UP_WITHIN)
            if is_said and not self._seen.is_set() and not ledger.is_busy:
                self._printer.finish()
                self._printer.hint("Bobbin wasn't mentioned, so it stays quiet – add @bobbin")
        while self._is_busy:  # noqa: ASYNC110  # nobody tells: another process writes it
            await asyncio.sleep(LOOK_SECONDS)
        await asyncio.sleep(LAST_LOOK)
        self._printer.finish()
        if is_said and not bot.is_running:
            self._printer.hint("the bot is not running; :start starts it")
        if self._printer.is_same_again:
            self._printer.hint("answered again, same text")

    def _became(self, event: Event) -> None:
        words = {
            State.STARTING: "the bot is starting",
            State.READY: "the bot is ready",
            State.KILLED: "the bot is killed",
            State.ENDED: "the bot has ended; :start starts it",
        }
        if event.life > 1 or event.state in (State.KILLED, State.ENDED):
            self._printer.news(words[event.state])

    def _typed(self) -> AsyncIterator[str]:
        if not (sys.stdout.isatty() and terminal_can_more()):
            return _read_lines()
        from sandbox.prompt import prompted  # noqa: PLC0415  # only where there is a terminal for it

        return prompted(self._prompt, lambda typed: completions(typed, self._scenes, self._reader.last))

    def _prompt(self) -> str:
        last = self._reader.last
        words = f"{last.person} on {last.platform}" if last else "slack or discord"
        return f"\x1b[2m{safe(words)}\x1b[0m › " if has_colours() else f"{safe(words)} › "


def _programme(stage: Stage) -> str:
    answers = "an emulator answers" if stage.is_emulated else "the real AI service answers, and costs credits"
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


async def _read_lines() -> AsyncIterator[str]:
    """What is typed, line by line, in a terminal that can do no more than that."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=MOST_BYTES)
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    try:
        while line := await reader.readline():
            yield line.decode(errors="replace")
    finally:
        transport.close()
