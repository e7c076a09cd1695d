"""Answers that grow in one workspace, and a Slack that counts calls: the true pace, on a clock that nobody waits for."""

from __future__ import annotations

import asyncio
import json
import selectors
import statistics
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bots.kit import Change
from bots.slack.caller import LONGEST_IN_CALL
from bots.slack.pace import UPDATE, Pace
from core.errors import StorageUnavailable
from core.turn import TurnId

T = TypeVar("T")

FIRST_WORDS = 0.8  # seconds that the first words wait for a sentence, as in core/presentation.py


class Idle(selectors.SelectSelector):
    """Instead of waiting it moves the clock."""

    now = 100.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now += timeout or 0.0
        return super().select(0)


class Timeless(asyncio.SelectorEventLoop):
    """An event loop on which a minute takes no time."""

    def __init__(self) -> None:
        self._idle = Idle()
        super().__init__(self._idle)

    def time(self) -> float:
        return self._idle.now


def timeless(body: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run *body* on a clock that moves only while all wait."""
    with asyncio.Runner(loop_factory=Timeless) as runner:
        return runner.run(body())


def now() -> float:
    return asyncio.get_running_loop().time()


class TooManyError(Exception):
    """429."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


@dataclass
class Server:
    """Counts by the minute, or as a bucket that holds *burst* and fills as fast as the tier says."""

    latency: float = 0.1
    limit: int = 50
    burst: int | None = None
    calls: list[float] = field(default_factory=list)
    refusals: int = 0
    _level: float = 0.0
    _level_at: float = float("-inf")

    def fits(self) -> float:
        """Seconds until a call would be taken."""
        at = now()
        if self.burst is not None:
            level = min(self.burst, self._level + (at - self._level_at) * self.limit / 60)
            return max(0.0, (1 - level) * 60 / self.limit)
        recent = [call for call in self.calls if call > at - 60]
        return recent[-self.limit] + 60 - at if len(recent) >= self.limit else 0.0

    async def call(self) -> None:
        await asyncio.sleep(self.latency / 2)
        if (seconds := self.fits()) > 0:
            self.refusals += 1
            raise TooManyError(max(1.0, seconds))
        at = now()
        if self.burst is not None:
            self._level = min(self.burst, self._level + (at - self._level_at) * self.limit / 60) - 1
            self._level_at = at
        self.calls.append(at)
        await asyncio.sleep(self.latency / 2)

    @property
    def busiest(self) -> int:
        """The most calls in any 60 seconds."""
        return max((sum(start <= at < start + 60 for at in self.calls) for start in self.calls), default=0)


@dataclass
class Seen:
    """What people saw of one answer, in seconds."""

    stale: float  # mean age of what is on the screen while the answer grows
    late: float  # from the end of the answer to its last words on the screen
    updates: int
    was_posted: bool  # before it was over
    stood_still: float  # from its first words on the screen to the next


@dataclass
class Asked:
    at: float  # seconds from the beginning
    lasts: float
    pages: int = 1  # messages at the end
    channel: str = ""


class Answer:
    """Does with the pace what the presentation and the adapter do with it."""

    def __init__(self, number: int, asked: Asked, pace: Pace, server: Server) -> None:
        self._turn = TurnId(number)
        self._asked = asked
        self.pace = pace
        self._server = server
        self._channel = asked.channel or f"C{number}"
        self._messages = 0
        self._posted_at = 0.0
        self._shown: list[tuple[float, float]] = []  # when it could be seen, and of when it was
        self._updates = 0
        self._following: asyncio.Task[None]

    async def run(self) -> Seen:
        began = now()
        self._following = asyncio.create_task(self._follow(began))
        await asyncio.sleep(self._asked.lasts)
        ended = now()
        self._following.cancel()
        await asyncio.gather(self._following, return_exceptions=True)
        was_posted = self._messages > 0
        while not await self._show(is_over=True):
            continue
        first, then = [at for at, _ in self._shown[:2]] if len(self._shown) > 1 else (ended, ended)
        return Seen(self._stale(began, ended), now() - ended, self._updates, was_posted, then - first)

    async def restart(self, pace: Pace) -> None:
        """The process is killed; another goes on in the same messages."""
        self._following.cancel()
        await asyncio.gather(self._following, return_exceptions=True)
        self.pace = pace
        self._following = asyncio.create_task(self._follow(now()))

    async def _follow(self, began: float) -> None:
        await asyncio.sleep(FIRST_WORDS)
        while True:
            await self._ready(is_over=False)
            # What is under way comes to its end.
            showing = asyncio.create_task(self._show_now(is_over=False, began=began))
            try:
                await asyncio.shield(showing)
            except asyncio.CancelledError:
                await showing
                raise

    async def _show(self, *, is_over: bool) -> bool:
        await self._ready(is_over=is_over)
        return await self._show_now(is_over=is_over, began=now())

    async def _ready(self, *, is_over: bool) -> None:
        await self.pace.ready(
            self._turn,
            self._channel,
            is_posted=self._messages > 0,
            is_over=is_over,
            pages=self._messages,
            age=now() - self._posted_at,
        )

    async def _show_now(self, *, is_over: bool, began: float) -> bool:
        """As a page fills up the next is posted, and at the end two of them may have changed."""
        grown = 1.0 if is_over else (now() - began) / self._asked.lasts
        pages, of = max(1, int(grown * self._asked.pages)), now()
        is_shown = False
        try:
            for number in range(max(0, self._messages - (2 if is_over else 1)), self._messages):
                del number
                await self.pace.update(self._turn)
                await self._patiently()
                self._updates += 1
            while self._messages < pages:
                await self.pace.post(self._turn, self._channel)
                await asyncio.sleep(self._server.latency)
                self._messages += 1
                self._posted_at = self._posted_at or now()
            is_shown = True
        except TooManyError:
            return False
        finally:
            self.pace.shown(self._turn, is_over=is_over and is_shown)
        self._shown.append((now(), of))
        return True

    async def _patiently(self) -> None:
        try:
            await self._server.call()
        except TooManyError as refusal:
            self.pace.refused(UPDATE, refusal.seconds)
            until = now() + LONGEST_IN_CALL
            while (seconds := self.pace.silence(UPDATE)) > 0:
                if now() + seconds > until:
                    raise
                await asyncio.sleep(seconds)
            self.pace.again(UPDATE)
            await self._server.call()

    def _stale(self, began: float, ended: float) -> float:
        """The mean of how old it is what can be seen, looked at every 50 ms."""
        ages, at = [], began
        while at < ended:
            seen = max((of for since, of in self._shown if since <= at), default=began)
            ages.append(at - seen)
            at += 0.05
        return statistics.mean(ages)


@dataclass
class Run:
    seen: Sequence[Seen]
    server: Server

    @property
    def stale(self) -> float:
        return statistics.mean(one.stale for one in self.seen)

    def late(self, share: float = 1.0) -> float:
        """So many of the answers were whole so soon after their end."""
        lates = sorted(one.late for one in self.seen)
        return lates[max(0, round(share * len(lates)) - 1)]


class Row:
    """What several processes share, as the database keeps it."""

    def __init__(self, latency: float = 0.01, *, is_away: bool = False) -> None:
        self.latency = latency
        self.is_away = is_away
        self.changes = 0
        self.state: dict[str, Any] = {}

    async def change(self, change: Change) -> None:
        await asyncio.sleep(self.latency)
        if self.is_away:
            raise StorageUnavailable
        self.changes += 1
        self.state = json.loads(json.dumps(change(self.state, now())))
        await asyncio.sleep(self.latency)


def simulate(
    asked: Sequence[Asked], server: Server | None = None, *, processes: int = 1, row: Row | None = None
) -> Run:
    """Have all be answered, by turns in so many processes, which share *row*."""
    server = server or Server()

    async def all_of_them() -> list[Seen]:
        paces = [Pace(now, row.change if row else None) for _ in range(processes)]

        async def one(number: int, what: Asked) -> Seen:
            await asyncio.sleep(what.at)
            return await Answer(number, what, paces[number % processes], server).run()

        return await asyncio.gather(*(one(number, what) for number, what in enumerate(asked)))

    return Run(timeless(all_of_them), server)
