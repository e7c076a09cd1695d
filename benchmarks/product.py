"""The real bot in a process of its own, between stand-ins in ours, and what people there see of its answers.

So the CPU time of its process is the bot's alone, with slack-bolt or discord.py and the database, and without what the
stand-ins take. A naive bot (`naive_slack.py`, `naive_discord.py`) runs in the same way: it says what the libraries, the
sockets and the stand-ins take by themselves.
"""

from __future__ import annotations

import asyncio
import base64
import json
import math
import os
import re
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx
from aiohttp import web

from benchmarks.rig import free_port
from bots.reply.page import Wish
from bots.reply.wanted import STOP
from bots.slack.manifest import EVENTS, SCOPES
from sandbox import discord, slack
from sandbox.discord import LocalDiscord
from sandbox.slack import LocalSlack

T = TypeVar("T")

SENTENCE = 12  # pieces
SAMPLE = 0.05  # seconds
LONGEST = 90.0  # seconds in which an answer has to be said
QUIET = 1.0  # seconds without a change, after which none is to come
TICKS = os.sysconf("SC_CLK_TCK")
HOUSE = Path(__file__).parent.parent
BOBBIN = ("-m", "bots", "run")
A_PIECE = re.compile(r"\bw(\d+)\b")


@dataclass
class Speech:
    """How an answer is said: in so many pieces, a *pause* between two, each a word with something *beside* it."""

    pieces: int
    pause: float = 0.0
    beside: str = ""

    def piece(self, number: int) -> str:
        return f"w{number}{self.beside}" + (". " if number % SENTENCE == SENTENCE - 1 else " ")


class Upstream:
    """Says one piece after another, and knows when it said which."""

    def __init__(self, speech: Speech) -> None:
        self.speech = speech
        self.said_at: defaultdict[int, list[float]] = defaultdict(list)  # by the number that was asked for
        self.ended: defaultdict[int, asyncio.Event] = defaultdict(asyncio.Event)  # likewise
        self.left: defaultdict[int, asyncio.Event] = defaultdict(asyncio.Event)  # likewise: the bot has hung up

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        port = free_port()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        numbers = re.findall(r"say (\d+)", asked["question"])
        if not numbers:  # the bot checks that its token is good
            return web.json_response({"answer": "Yes."})
        number = int(numbers[-1])
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        said, began, speech = "", time.monotonic(), self.speech
        for piece in range(speech.pieces):
            if speech.pause:
                await asyncio.sleep(began + piece * speech.pause - time.monotonic())
            delta = speech.piece(piece)
            said += delta
            self.said_at[number].append(time.monotonic())
            line = {"answer": said, "delta_answer": delta, "id": asked.get("id") or f"{number}"}
            try:
                await response.write(json.dumps(line).encode() + b"\r\n")
            except ConnectionError:  # who asked has gone, as at the end of a bench
                self.left[number].set()
                return response
        self.ended[number].set()
        await response.write_eof()
        return response


class Process:
    """The bot's, or a naive bot's."""

    def __init__(self, pid: int, port: int) -> None:
        self._pid = pid
        self._port = port

    @property
    def cpu(self) -> float:
        """Seconds that all of its threads have used so far."""
        after_name = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(after_name[11]) + int(after_name[12])) / TICKS

    async def transactions(self) -> float:
        """How many it has made with its database."""
        return await self._metric("bobbin_transactions_total")

    async def database_seconds(self) -> float:
        """For how long it has worked with its database."""
        return await self._metric("bobbin_database_seconds_total")

    async def _metric(self, name: str) -> float:
        if not self._port:  # a naive bot counts nothing
            return 0.0
        async with httpx.AsyncClient(trust_env=False) as client:
            page = (await client.get(f"http://127.0.0.1:{self._port}/metrics")).text
        found = re.search(rf"^{name} (\S+)$", page, re.MULTILINE)
        return float(found[1]) if found else 0.0


class Screens:
    """How much of each answer could be read, and since when."""

    def __init__(self) -> None:
        self._reads: defaultdict[str, list[tuple[float, int]]] = defaultdict(list)  # by where the answer is
        self._changed: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def show(self, where: str, text: str) -> None:
        """Something that the bot said there now reads *text*."""
        count = max((1 + int(piece) for piece in A_PIECE.findall(text)), default=0)
        reads = self._reads[where]
        reads.append((time.monotonic(), max(count, reads[-1][1] if reads else 0)))
        self._changed[where].set()

    def reads(self, where: str) -> Sequence[tuple[float, int]]:
        """Since when so many pieces could be read there; what came never goes."""
        return self._reads[where]

    async def until(self, where: str, count: int) -> None:
        """Wait until so many can be read."""
        while not (reads := self._reads[where]) or reads[-1][1] < count:
            self._changed[where].clear()
            await self._changed[where].wait()


class SlackSide:
    """One platform, and the people there."""

    naive = ("-m", "benchmarks.naive_slack")  # how its naive bot is started

    def __init__(self, *, limits: bool) -> None:
        self.local = LocalSlack(scopes=SCOPES, events=EVENTS, rate_limits=limits)
        self.screens = Screens()
        self._rooms = 1
        self._directs: dict[str, str] = {}  # a channel of direct messages → where the last answer there will be

    @property
    def variables(self) -> dict[str, str]:
        """What a bot needs in its environment to join it."""
        return {
            "BOBBIN_SLACK__API_URL": self.local.api_url,
            "BOBBIN_SLACK__BOT_TOKEN": self.local.bot_token,
            "BOBBIN_SLACK__APP_TOKEN": self.local.app_token,
        }

    def furnish(self, people: int, in_a_room: int = 1) -> None:
        """So many people, and rooms for them to ask in."""
        names = [self.local.add_user(f"person-{number}").name for number in range(people)]
        self._rooms = -(-people // in_a_room)
        for number in range(self._rooms):
            self.local.add_channel(f"room-{number}", *names[number :: self._rooms], self.local.bot_user_id)

    async def ask(self, number: int, person: int, *, is_direct: bool = False) -> str:
        """Return where the answer will be."""
        who = f"person-{person}"
        if is_direct:
            where = self.local.open_dm(who)
            question = await self.local.say(who, where, f"say {number}")
            self._directs[where.id] = place = f"{where.id}/{question.ts}"
            return place
        question = await self.local.say(who, f"room-{person % self._rooms}", f"@bobbin say {number}")
        return f"{question.channel}/{question.ts}"

    async def stop(self, person: int, where: str) -> float:
        """Click Stop under the answer there; return when that was."""
        channel, _, ts = where.partition("/")

        def answers() -> list[slack.Message]:
            said = self.local.messages(channel, ts)
            return [one for one in said if one.user == self.local.bot_user_id and Wish.STOP in str(one.blocks)]

        [answer, *_] = await self.local.wait_for(answers)
        clicked = time.monotonic()
        await self.local.click(f"person-{person}", answer, Wish.STOP)
        return clicked

    async def is_calm(self) -> None:
        """Return when all that has happened so far was told to the bot."""
        await self.local.wait_for(lambda: not self.local.under_way)

    async def watch(self) -> None:
        """Show all that the bot says, until cancelled."""
        async for change in self.local.watch():
            message = change.message
            if message and message.user == self.local.bot_user_id:
                place = self._directs.get(message.channel) or f"{message.channel}/{message.thread_ts}"
                self.screens.show(place, slack.shown(message))

    @property
    def refusals(self) -> int:
        return sum(call.status == 429 for call in self.local.calls)

    @property
    def posts(self) -> int:
        return sum(call.status == 200 and call.method == "chat.postMessage" for call in self.local.calls)


class DiscordSide:
    """The other, with all that the first has."""

    naive = ("-m", "benchmarks.naive_discord")

    def __init__(self, *, limits: bool) -> None:
        self.local = LocalDiscord(rate_limits=limits)
        self.screens = Screens()

    @property
    def variables(self) -> dict[str, str]:
        return {
            "BOBBIN_DISCORD__API_URL": self.local.api_url,
            "BOBBIN_DISCORD__GATEWAY_URL": self.local.gateway_url,
            "BOBBIN_DISCORD__TOKEN": self.local.token,
        }

    def furnish(self, people: int, in_a_room: int = 1) -> None:
        del in_a_room  # each answer has a thread, and threads have limits of their own
        for number in range(people):
            self.local.add_user(f"person-{number}")

    async def ask(self, number: int, person: int, *, is_direct: bool = False) -> str:
        where = self.local.open_dm(f"person-{person}") if is_direct else "general"
        said = f"say {number}" if is_direct else f"@bobbin say {number}"
        question = await self.local.say(f"person-{person}", where, said)
        # A thread has the id of the message that it was made from.
        return str(question.channel.id if is_direct else question.id)

    async def stop(self, person: int, where: str) -> float:
        def answers() -> list[discord.Message]:
            return [one for one in self.local.messages(int(where)) if STOP in str(one.components)]

        [answer, *_] = await self.local.wait_for(answers)
        clicked = time.monotonic()
        await self.local.click(f"person-{person}", answer, STOP)
        return clicked

    async def is_calm(self) -> None:
        """Its gateway queues nothing."""

    async def watch(self) -> None:
        async with aclosing(self.local.watch()) as changes:
            async for change in changes:
                message = change.subject if change.what in ("message", "edit") else None
                if isinstance(message, discord.Message) and message.author.is_bot:
                    files = [one.file.content.decode(errors="replace") for one in message.attachments]
                    self.screens.show(str(message.channel.id), " ".join([message.content, *files]))

    @property
    def refusals(self) -> int:
        return sum(call.status == 429 for call in self.local.calls)

    @property
    def posts(self) -> int:
        posting = "POST /channels/{channel_id}/messages"
        return sum(call.status == 200 and call.route == posting for call in self.local.calls)


SIDES: dict[str, type[SlackSide | DiscordSide]] = {"Slack": SlackSide, "Discord": DiscordSide}


@dataclass(frozen=True, slots=True)
class Seen:
    """What people saw of one answer, in seconds. What did not come in time is infinitely late."""

    first: float  # from the question to the first text
    whole: float  # from the question to the last word
    stale: float  # for how long the screen lacked something that had come, at a mean moment
    late: float  # from the last word's arrival until it could be read

    @property
    def is_whole(self) -> bool:
        return self.whole < math.inf


@dataclass
class Stage:
    """A platform, the AI service, and a bot joined to both."""

    side: SlackSide | DiscordSide
    upstream: Upstream
    bot: Process
    _asked: int = 0

    async def ask(self, person: int, patience: float, *, is_direct: bool = False) -> Seen:
        """Ask, and return what was seen of the answer once it is whole, or so many seconds after it was all said."""
        number, self._asked = self._asked, self._asked + 1
        at = time.monotonic()
        where = await self.side.ask(number, person, is_direct=is_direct)
        with suppress(TimeoutError):
            await asyncio.wait_for(self.upstream.ended[number].wait(), LONGEST)
            await asyncio.wait_for(self.side.screens.until(where, self.upstream.speech.pieces), patience)
        return self._seen(number, at, self.side.screens.reads(where))

    def _seen(self, number: int, asked_at: float, reads: Sequence[tuple[float, int]]) -> Seen:
        said_at = self.upstream.said_at[number] or [asked_at]

        def since(count: int) -> float:
            return next((at for at, there in reads if there >= count), math.inf)

        ages, at = [0.0], said_at[0]
        while at < said_at[-1]:
            there = max((count for read_at, count in reads if read_at <= at), default=0)
            ages.append(max(0.0, at - said_at[there]) if there < len(said_at) else 0.0)
            at += SAMPLE
        whole = since(self.upstream.speech.pieces)
        return Seen(since(1) - asked_at, whole - asked_at, statistics.mean(ages), whole - said_at[-1])

    async def stop(self, person: int) -> float:
        """Ask, and stop the answer while it is said; return how many seconds after the click the bot hung up."""
        number, self._asked = self._asked, self._asked + 1
        where = await self.side.ask(number, person)
        await self.side.screens.until(where, 1)
        clicked = await self.side.stop(person, where)
        await asyncio.wait_for(self.upstream.left[number].wait(), LONGEST)
        return time.monotonic() - clicked

    async def ask_at(self, per_second: float, questions: int, patience: float) -> list[Seen]:
        """So many people ask, each once, at an even pace."""
        began = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            asking = []
            for person in range(questions):
                asking.append(tasks.create_task(self.ask(person, patience)))
                await asyncio.sleep(began + (person + 1) / per_second - time.monotonic())
        return [one.result() for one in asking]

    async def cpu_of(self, work: Awaitable[T]) -> tuple[T, float]:
        """Do it; return also the CPU seconds that the bot took for it, with what it does afterwards."""
        before = self.bot.cpu
        result = await work
        await asyncio.sleep(QUIET)
        return result, self.bot.cpu - before


@asynccontextmanager
async def stage(
    name: str,
    speech: Speech,
    people: int,
    *,
    naive: bool = False,
    limits: bool = True,
    in_a_room: int = 1,
    shared: str = "",
) -> AsyncIterator[Stage]:
    """Fresh, with Bobbin or a *naive* bot. *limits*: does the platform refuse what is too much for it?

    *shared*: the URL of a database, on which one process listens and another one answers.
    """
    upstream = Upstream(speech)
    side = SIDES[name](limits=limits)
    side.furnish(people, in_a_room)
    async with upstream.listening() as url, side.local, AsyncExitStack() as parts:
        watching = asyncio.create_task(side.watch())
        parts.callback(watching.cancel)
        variables = {"BOBBIN_UPSTREAM__URL": url, **side.variables}
        if shared:
            key = base64.b64encode(os.urandom(32)).decode()
            variables |= {"BOBBIN_DATABASE__URL": shared, "BOBBIN_SECRET_KEY": key}
            await parts.enter_async_context(_bobbin(variables, "--only", "worker"))
            start = _bobbin(variables, "--only", name.lower())
        else:
            start = _naive(side.naive, variables) if naive else _bobbin(variables)
        bot = await parts.enter_async_context(start)
        await side.is_calm()
        yield Stage(side, upstream, bot)


@asynccontextmanager
async def _bobbin(variables: dict[str, str], *words: str) -> AsyncIterator[Process]:
    port = free_port()
    many = "1000000"  # what is measured is the bot and the platform's limits
    own = {
        "BOBBIN_WEB__HOST": "127.0.0.1",
        "BOBBIN_WEB__PORT": str(port),
        "BOBBIN_UPSTREAM__TOKEN": "any",
        "BOBBIN_UPSTREAM__IN_FLIGHT": many,
        "BOBBIN_UPSTREAM__PER_SECOND": many,
        "BOBBIN_LIMITS__PER_PERSON_MINUTE": "0",
        "BOBBIN_LIMITS__PER_CHANNEL_MINUTE": "0",
        "BOBBIN_LIMITS__OPEN_PER_PERSON": many,
        "BOBBIN_LIMITS__OPEN_PER_WORKSPACE": many,
    }
    async with _running((*BOBBIN, *words), variables | own) as process:
        async with httpx.AsyncClient(trust_env=False) as client:
            while not await _is_ready(client, port):
                if process.returncode is not None:
                    raise RuntimeError(f"the bot ended with {process.returncode}")
                await asyncio.sleep(0.05)
        yield Process(process.pid, port)


@asynccontextmanager
async def _naive(words: tuple[str, ...], variables: dict[str, str]) -> AsyncIterator[Process]:
    async with _running(words, variables) as process:
        assert process.stdout
        await process.stdout.readline()  # it says so when it listens
        yield Process(process.pid, 0)


@asynccontextmanager
async def _running(words: tuple[str, ...], variables: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    with tempfile.TemporaryDirectory() as folder:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, *words),
            env={**os.environ, **variables, "PYTHONPATH": str(HOUSE)},
            cwd=folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _is_ready(client: httpx.AsyncClient, port: int) -> bool:
    try:
        return (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
    except httpx.TransportError:
        return False


def quantile(values: Sequence[float], share: float) -> float:
    """Of few or many."""
    ordered = sorted(values)
    return ordered[max(0, round(share * len(ordered)) - 1)]
