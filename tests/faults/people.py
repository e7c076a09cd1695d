"""People who ask on both platforms, and what they see there. Every question has a token that its answer repeats."""

from __future__ import annotations

import asyncio
import itertools
import random
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

from bots.reply import page
from bots.reply.wanted import PROBLEM, STOP, TRY_AGAIN
from core.words import whole
from sandbox.discord import File, LocalDiscord, Message
from sandbox.slack import ChangeKind, LocalSlack, SharedFile, shown
from sandbox.slack import Message as SlackMessage
from tests.faults.count import Asked, Seen

PATIENCE = 3.0  # seconds that somebody waits for an answer before asking on regardless
TO_STOP = 20.0  # seconds that somebody waits for something to stop
LOOK = 0.05  # seconds between two looks
MOST_IN_A_THREAD = 5
MENTIONING = 30  # of a hundred follow-ups; the others come without a mention
WITH_FILE = 20  # of a hundred questions
FILE_NAME = "note.txt"
# They take turns, since one person may not have many questions open at once.
NAMES = [f"person-{number}" for number in range(40)]
REFERENCE = "(Reference: "  # how what went wrong ends
LONG_ANSWER = " ".join(["and so it goes on and on"] * 6)  # streams for a second


@dataclass(frozen=True, slots=True)
class Words:
    """A question: what is typed, and what a text file holds that is sent with it, if one is."""

    token: str
    text: str
    file: str = ""

    @property
    def expected(self) -> str:
        return self.without.replace(f"{{{FILE_NAME}}}", self.file) if self.file else self.without

    @property
    def without(self) -> str:
        """The answer to what is typed alone."""
        return whole(self.text.partition(": ")[2])


class Side(Protocol):
    """One platform, as the people on it see it. A place is whatever the side makes of a thread."""

    name: str

    async def open(self, words: Words) -> Any:
        """Somebody asks where nobody has asked before."""

    async def insist(self, text: str) -> Any:
        """One and the same person asks *text* in the one room in which they ask everything, again in a new thread."""

    def can_go_on(self, place: Any) -> bool:
        """Is there a thread by now?"""

    async def ask(self, place: Any, words: Words, *, mentioning: bool) -> None:
        """Whoever asked there first asks on."""

    def thread(self, place: Any) -> str: ...

    def texts(self, place: Any) -> list[str]:
        """What the bot said there."""

    def message_ids(self, place: Any) -> list[str]:
        """By which names the platform knows those messages."""

    async def retry(self, place: Any) -> None:
        """Click on “Try again” under the last thing that the bot said, if it is there."""

    async def stop(self, place: Any) -> None:
        """Click on “Stop” there, likewise."""

    def seen(self) -> Iterator[Seen]:
        """All that the bot ever said to everybody and is still there, each thread from its beginning."""

    def written(self) -> AsyncIterator[str]:
        """The thread, whenever the bot writes something in one that people see."""


class SlackSide:
    name = "slack"

    def __init__(self, local: LocalSlack) -> None:
        self.local = local
        self._rooms = 0
        self._names = itertools.cycle(NAMES)
        for name in NAMES:
            local.add_user(name)

    async def open(self, words: Words) -> SlackMessage:
        # Slack allows a message a second in a channel, so that every thread has a channel of its own here.
        self._rooms += 1
        room = self.local.add_channel(f"room-{self._rooms}", *NAMES, self.local.bot_user_id)
        return await self.local.say(next(self._names), room, _typed(words, mentioning=True), files=_shared(words))

    async def insist(self, text: str) -> SlackMessage:
        return await self.local.say("ada", "random", f"@bobbin {text}")

    def can_go_on(self, place: SlackMessage) -> bool:
        return True

    async def ask(self, place: SlackMessage, words: Words, *, mentioning: bool) -> None:
        text = _typed(words, mentioning=mentioning)
        await self.local.say(place.user, place.channel, text, place.ts, files=_shared(words))

    def thread(self, place: SlackMessage) -> str:
        return f"{place.channel}/{place.ts}"

    def texts(self, place: SlackMessage) -> list[str]:
        return [_text(one) for one in self._said(place)]

    def message_ids(self, place: SlackMessage) -> list[str]:
        return [one.ts for one in self._said(place)]

    async def retry(self, place: SlackMessage) -> None:
        with suppress(KeyError):
            await self.local.click(place.user, self._said(place)[-1], page.Wish.AGAIN)

    async def stop(self, place: SlackMessage) -> None:
        with suppress(KeyError, IndexError):
            await self.local.click(place.user, self._said(place)[-1], page.Wish.STOP)

    def _said(self, place: SlackMessage) -> list[SlackMessage]:
        return [one for one in self.local.messages(place.channel, place.ts) if one.bot_id]

    def seen(self) -> Iterator[Seen]:
        for channel in self.local.channels:
            for message in self.local.messages(channel):
                if message.bot_id and not message.ephemeral_to:
                    beside = " ".join(map(str, (block for block in message.blocks if block["type"] == "context")))
                    yield Seen(self.name, f"{channel}/{message.thread_ts}", _text(message), beside)

    async def written(self) -> AsyncIterator[str]:
        async for change in self.local.watch():
            message = change.message if change.kind in (ChangeKind.POSTED, ChangeKind.CHANGED) else None
            if message and message.bot_id:
                yield f"{message.channel}/{message.thread_ts}"


class DiscordSide:
    name = "discord"

    def __init__(self, local: LocalDiscord) -> None:
        self.local = local
        self._names = itertools.cycle(NAMES)
        for name in NAMES:
            local.add_user(name)

    async def open(self, words: Words) -> Message:
        text = _typed(words, mentioning=True)
        return await self.local.say(next(self._names), "general", text, attachments=_attached(words))

    async def insist(self, text: str) -> Message:
        return await self.local.say("ada", "random", f"@bobbin {text}")

    def can_go_on(self, place: Message) -> bool:
        return place.thread is not None

    async def ask(self, place: Message, words: Words, *, mentioning: bool) -> None:
        assert place.thread
        text = _typed(words, mentioning=mentioning)
        await self.local.say(place.author, place.thread, text, attachments=_attached(words))

    def thread(self, place: Message) -> str:
        return str(place.id)  # a thread has the id of the message that it was made from

    def texts(self, place: Message) -> list[str]:
        return [_words(one) for one in self._said(place)]

    def message_ids(self, place: Message) -> list[str]:
        return [str(one.id) for one in self._said(place)]

    async def retry(self, place: Message) -> None:
        with suppress(ValueError):
            await self.local.click(place.author, self._said(place)[-1], TRY_AGAIN)

    async def stop(self, place: Message) -> None:
        with suppress(ValueError, IndexError):
            await self.local.click(place.author, self._said(place)[-1], STOP)

    def _said(self, place: Message) -> list[Message]:
        said = self.local.messages(place.thread) if place.thread else []
        return [one for one in said if one.author.is_bot and one.content]

    def seen(self) -> Iterator[Seen]:
        for channel in self.local.world.channels.values():
            for message in channel.messages.values():
                if message.author.is_bot and message.content and not message.is_ephemeral:
                    yield Seen(self.name, str(channel.id), _words(message), message.content)

    async def written(self) -> AsyncIterator[str]:
        async with aclosing(self.local.watch()) as changes:
            async for change in changes:
                message = change.subject if change.what in ("message", "edit") else None
                if isinstance(message, Message) and message.author.is_bot and message.content:
                    yield str(message.channel.id)


@dataclass(frozen=True, slots=True)
class Wish:
    """How many questions are asked on a platform, and how many of a hundred have an answer that streams.

    And how many of a hundred are stopped by their asker, and how many come with a file.
    """

    questions: int
    streaming: int
    stopping: int = 0
    with_file: int = WITH_FILE


class Crowd:
    """Asks so many questions, spread over some time, in threads of a few questions each."""

    def __init__(self, side: Side, wish: Wish, seconds: float, seed: int) -> None:
        self.side = side
        self.asked: list[Asked] = []
        self._left = wish.questions
        self._streaming = wish.streaming
        self._stopping = wish.stopping
        self._with_file = wish.with_file
        self._seconds = seconds
        self._random = random.Random(seed)  # noqa: S311 (nothing secret)

    async def ask_all(self) -> None:
        async with asyncio.TaskGroup() as people:
            while self._left:
                size = min(self._left, self._random.randint(1, MOST_IN_A_THREAD))
                self._left -= size
                people.create_task(self._talk(size, self._random.uniform(0, self._seconds)))

    async def open(self, *, streaming: bool, beside: str = "", most: int = 1) -> tuple[Any, Asked]:
        """Ask in a new thread, for an answer with something *beside* its token, of *most* messages."""
        return await self._open(question(streaming=streaming, beside=beside), most)

    async def insist(self) -> tuple[Any, Asked]:
        """Ask as one and the same person, in a new thread."""
        words = question(streaming=False)
        place = await self.side.insist(words.text)
        return place, self.note(words, place)

    async def ask_on(self, place: Any, *, streaming: bool) -> Asked:
        return await self._ask_on(place, question(streaming=streaming), mentioning=False)

    async def _open(self, words: Words, most: int = 1) -> tuple[Any, Asked]:
        place = await self.side.open(words)
        return place, self.note(words, place, most)

    async def _ask_on(self, place: Any, words: Words, *, mentioning: bool) -> Asked:
        await self.side.ask(place, words, mentioning=mentioning)
        return self.note(words, place, is_follow_up=not mentioning)

    async def _talk(self, questions: int, after: float) -> None:
        """Some wait for each answer before they go on, some don't."""
        await asyncio.sleep(after)
        waits = self._random.random() < 0.5
        place = None
        for _ in range(questions):
            if place is not None and await self._has_thread(place):
                asked = await self._ask_on(place, self._words(), mentioning=self._chance(MENTIONING))
            else:
                place, asked = await self._open(self._words())
            if self._stopping and self._chance(self._stopping):
                await self._stop(place, asked)
            if waits:
                await self._is_answered(place, asked)

    async def _stop(self, place: Any, asked: Asked) -> None:
        """Once something of the answer is there."""
        await _came(lambda: any(asked.token in text for text in self.side.texts(place)), TO_STOP)
        await self.side.stop(place)

    async def _has_thread(self, place: Any) -> bool:
        return await _came(lambda: self.side.can_go_on(place))

    async def _is_answered(self, place: Any, asked: Asked) -> bool:
        return await _came(lambda: is_ended(asked, self.side.texts(place)))

    def _words(self) -> Words:
        # Who is to stop something needs the time for it.
        longer = " ".join([LONG_ANSWER] * 4) if self._stopping else ""
        return question(streaming=self._chance(self._streaming), beside=longer, with_file=self._chance(self._with_file))

    def _chance(self, of_a_hundred: int) -> bool:
        return self._random.randrange(100) < of_a_hundred

    def note(self, words: Words, place: Any, most: int = 1, *, is_follow_up: bool = False) -> Asked:
        """Keep in mind that this was asked there."""
        without = words.without if words.file else ""
        thread = self.side.thread(place)
        asked = Asked(words.token, self.side.name, thread, words.expected, most, without, is_follow_up)
        self.asked.append(asked)
        return asked


def is_ended(asked: Asked, texts: list[str]) -> bool:
    """Is there the answer, or at last a sentence with a reference instead?"""
    return asked.is_answered_by(texts) or bool(texts and REFERENCE in texts[-1])


async def _came(true: Callable[[], bool], patience: float = PATIENCE) -> bool:
    """Wait for it as long as people do."""
    try:
        async with asyncio.timeout(patience):
            while not true():
                await asyncio.sleep(LOOK)
    except TimeoutError:
        return False
    return True


def question(*, streaming: bool, beside: str = "", with_file: bool = False) -> Words:
    """A question whose answer has its token, with something *beside* it, and with what only its file says."""
    token = f"q{secrets.token_hex(5)}"
    more = f" {beside}" * bool(beside) + f" {{{FILE_NAME}}}" * with_file + f" {LONG_ANSWER}" * streaming
    return Words(token, f"say exactly: {token}{more}", f"f{secrets.token_hex(5)}" * with_file)


def _typed(words: Words, *, mentioning: bool) -> str:
    return f"@bobbin {words.text}" if mentioning else words.text


def _shared(words: Words) -> list[SharedFile]:
    return [SharedFile(FILE_NAME, words.file.encode())] if words.file else []


def _attached(words: Words) -> list[File]:
    return [File(FILE_NAME, words.file.encode(), "text/plain")] if words.file else []


def _words(message: Message) -> str:
    """The words of a message, without the small print under them, unless there is nothing else or it says what went wrong."""
    lines = [line for line in message.content.splitlines() if not line.startswith("-# ") or PROBLEM in line]
    return "\n".join(lines).strip() or message.content


def _text(message: SlackMessage) -> str:
    """The words of a message, and what went wrong, without buttons and the like."""
    blocks = tuple(
        block
        for block in message.blocks
        if block["type"] not in ("context", "context_actions", "actions") or PROBLEM in str(block)
    )
    return shown(replace(message, blocks=blocks)) if blocks else message.text
