"""How fresh answers are in Slack: the true bot against the local Slack, which enforces the tiers over any 60 seconds."""

from __future__ import annotations

import asyncio
import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from aiohttp import web

from benchmarks.rig import free_port
from benchmarks.rows import Row
from bots.slack.manifest import EVENTS, SCOPES
from sandbox.slack import LocalSlack, Message, shown

WORD = 0.1  # seconds between two words of an answer
SENTENCE = 12  # words
LASTS = 10.0  # seconds; and of the answers of the two minutes:
LONG, ROUNDS = 40.0, 3
IN_A_CHANNEL = 5  # answers at most: Slack takes a post a second there
SAMPLE = 0.05  # seconds
QUIET = 2.0  # seconds without a change, after which none is to come
# https://docs.slack.dev/apis/web-api/rate-limits: chat.update is tier 3.
INTERVAL = 60 / 50  # seconds between two updates in a workspace, if they are spread evenly
LONE_STALE = 0.7  # seconds
LATE = {1: 1.0, 10: 1.0, 50: 5.0}  # seconds from an answer's end to its last words on the screen, p95; by answers
# Seconds; times the interval. Slack's limits allow 2.5 s and 0.54, to who knows all beforehand: docs/decisions/0015-slack-window.md
DM_STALE, CHANNEL_STALE = 3.0, 0.6


class Upstream:
    """Says one word after another, and knows when it said which."""

    def __init__(self) -> None:
        self.said_at: defaultdict[int, list[float]] = defaultdict(list)  # by the number that was asked for
        self.lasts = LASTS

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
        if not numbers:  # the bot looks whether its token is good
            return web.json_response({"answer": "Yes."})
        number = int(numbers[-1])
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        said, began = "", time.monotonic()
        for word in range(round(self.lasts / WORD)):
            await asyncio.sleep(began + word * WORD - time.monotonic())
            delta = f"w{word}" + (". " if word % SENTENCE == SENTENCE - 1 else " ")
            said += delta
            self.said_at[number].append(time.monotonic())
            line = {"answer": said, "delta_answer": delta, "id": asked.get("id") or f"{number}"}
            await response.write(json.dumps(line).encode() + b"\r\n")
        await response.write_eof()
        return response


class Screens:
    """What can be read of each answer, and since when."""

    def __init__(self, slack: LocalSlack) -> None:
        self._slack = slack
        self._changes: defaultdict[str, list[tuple[float, Message, int]]] = defaultdict(list)  # by channel

    async def watch(self) -> None:
        async for change in self._slack.watch():
            message = change.message
            if message and message.user == self._slack.bot_user_id:
                found = re.findall(r"\bw(\d+)\b", shown(message))
                count = max((1 + int(word) for word in found), default=0)
                self._changes[message.channel].append((time.monotonic(), message, count))

    def words(self, question: Message, *, is_direct: bool) -> list[tuple[float, int]]:
        """Return since when so many words of the answer could be read; in direct messages that is what came since."""
        seen, most = [], 0
        for at, message, count in self._changes[question.channel]:
            if message.thread_ts == question.ts or (is_direct and message.ts > question.ts):
                most = max(most, count)
                seen.append((at, most))
        return seen


@dataclass(frozen=True, slots=True)
class Seen:
    """What people saw of one answer, in seconds."""

    stale: float  # for how long the screen lacked something that had come, at a mean moment
    late: float  # from its end until nothing changed any more


@dataclass
class Workspace:
    slack: LocalSlack
    upstream: Upstream
    screens: Screens
    asked: int = 0

    async def ask(self, user: str, channel: str, *, is_direct: bool = False) -> Seen:
        """Return what was seen of the answer, when it is whole and nothing more can come."""
        number, self.asked = self.asked, self.asked + 1
        where = self.slack.open_dm(user) if is_direct else channel
        question = await self.slack.say(user, where, f"{'' if is_direct else '@bobbin '}say {number}")
        count = round(self.upstream.lasts / WORD)

        def is_done() -> bool:
            """Is it whole, and has nothing changed for a while?"""
            words = self.screens.words(question, is_direct=is_direct)
            return bool(words) and words[-1][1] == count and time.monotonic() - words[-1][0] > QUIET

        async with asyncio.timeout(300):
            while not is_done():
                await asyncio.sleep(0.5)
        return self._seen(number, self.screens.words(question, is_direct=is_direct))

    def _seen(self, number: int, words: Sequence[tuple[float, int]]) -> Seen:
        said_at = self.upstream.said_at[number]
        ages, at = [], said_at[0]
        while at < said_at[-1]:
            there = max((count for since, count in words if since <= at), default=0)
            ages.append(max(0.0, at - said_at[there]) if there < len(said_at) else 0.0)
            at += SAMPLE
        return Seen(statistics.mean(ages), words[-1][0] - said_at[-1])

    @property
    def refusals(self) -> int:
        return sum(call.status == 429 for call in self.slack.calls)


@asynccontextmanager
async def workspace() -> AsyncIterator[Workspace]:
    """A fresh one, with the bot in a process of its own."""
    upstream = Upstream()
    async with upstream.listening() as url, LocalSlack(scopes=SCOPES, events=EVENTS) as slack:
        screens = Screens(slack)
        watching = asyncio.create_task(screens.watch())
        async with _bot(slack, url):
            yield Workspace(slack, upstream, screens)
        watching.cancel()


@asynccontextmanager
async def _bot(slack: LocalSlack, url: str) -> AsyncIterator[None]:
    port = free_port()
    environment = {
        "BOBBIN_WEB__HOST": "127.0.0.1",
        "BOBBIN_WEB__PORT": str(port),
        "BOBBIN_UPSTREAM__TOKEN": "any",
        "BOBBIN_UPSTREAM__URL": url,
        "BOBBIN_UPSTREAM__IN_FLIGHT": "1000",  # what is measured is Slack's limits
        "BOBBIN_LIMITS__PER_PERSON_MINUTE": "0",
        "BOBBIN_LIMITS__PER_CHANNEL_MINUTE": "0",
        "BOBBIN_SLACK__API_URL": slack.api_url,
        "BOBBIN_SLACK__BOT_TOKEN": slack.bot_token,
        "BOBBIN_SLACK__APP_TOKEN": slack.app_token,
    }
    with tempfile.TemporaryDirectory() as folder:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bots", "run"),
            env={**os.environ, **environment, "PYTHONPATH": str(Path.cwd())},
            cwd=folder,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                while not await _is_ready(client, port):
                    await asyncio.sleep(0.05)
            yield
        finally:
            process.terminate()
            await process.wait()


async def _is_ready(client: httpx.AsyncClient, port: int) -> bool:
    try:
        return (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
    except httpx.TransportError:
        return False


async def measure() -> list[Row]:
    rows = []
    for answers in LATE:
        rows += await _at_once(answers)
    return rows + await _two_minutes()


async def _at_once(answers: int) -> list[Row]:
    async with workspace() as there:
        people = [there.slack.add_user(f"person-{number}").name for number in range(answers)]
        channels = [f"room-{number}" for number in range((answers - 1) // IN_A_CHANNEL + 1)]
        for name in channels:
            there.slack.add_channel(name, *people, there.slack.bot_user_id)
        asking = (there.ask(person, channels[number % len(channels)]) for number, person in enumerate(people))
        seen = await asyncio.gather(*asking)
        refusals = there.refusals
    what = f"Slack, {answers} answer{'s' if answers > 1 else ''} of {LASTS:.0f} s"
    return [
        _stale(what, seen, INTERVAL * answers, LONE_STALE if answers == 1 else None),
        _late("… end → last words", seen, LATE[answers], refusals),
    ]


async def _two_minutes() -> list[Row]:
    """Twenty at once, ten of them in direct messages, and each is asked again as soon as it has answered."""
    async with workspace() as there:
        there.upstream.lasts = LONG
        people = [there.slack.add_user(f"person-{number}").name for number in range(20)]
        for number in range(10):
            there.slack.add_channel(f"room-{number}", people[number], there.slack.bot_user_id)

        async def asking(number: int) -> list[Seen]:
            is_direct = number >= 10
            return [await there.ask(people[number], f"room-{number}", is_direct=is_direct) for _ in range(ROUNDS)]

        seen = await asyncio.gather(*(asking(number) for number in range(20)))
        refusals = there.refusals
    channels, direct = ([one for each in part for one in each] for part in (seen[:10], seen[10:]))
    interval = INTERVAL * 10
    return [
        _stale("Slack, 20 at once for two minutes: 10 in channels", channels, interval, CHANNEL_STALE * interval),
        _stale("… 10 in direct messages", direct, interval, DM_STALE),
        _late("… end → last words", [*channels, *direct], 5.0, refusals),
    ]


def _stale(what: str, seen: Sequence[Seen], interval: float, reach: float | None) -> Row:
    mean = statistics.mean(one.stale for one in seen)
    return Row(
        f"{what}: stale",
        f"{mean:.2f} s (most {max(one.stale for one in seen):.2f})",
        f"{interval:.1f} s between updates of each",
        f"{mean / interval:.2f} ×",
        f"≤ {reach:.1f} s" if reach else "",
        reach is None or mean <= reach,
    )


def _late(what: str, seen: Sequence[Seen], reach: float, refusals: int) -> Row:
    lates = sorted(one.late for one in seen)
    p50, p95 = lates[len(lates) // 2], lates[max(0, round(0.95 * len(lates)) - 1)]
    return Row(
        what,
        f"p50 {p50:.2f} s, p95 {p95:.2f} s, most {lates[-1]:.2f} s",
        "",
        f"{refusals} × 429",
        f"≤ {reach:.0f} s, no 429",
        p95 <= reach and not refusals,
    )
