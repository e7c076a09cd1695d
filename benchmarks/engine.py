"""What sharing the work between processes costs: procrastinate beside a bare relay, and beside the barest queue."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import psycopg
from sqlalchemy import Connection, select, text

from benchmarks.product import quantile
from benchmarks.rig import PRESETS, RATES, TOKEN, Silent, arrivals, emulator, paced, postgresql
from benchmarks.rows import Aim, Row
from core.asking.service import Service
from core.engine.distributed import Procrastinate
from core.engine.jobs import Jobs
from core.relay import Relay
from core.storage.database import open_database
from core.storage.ledger import Ledger
from core.storage.tables import turns
from core.thread import PlaceId, Thread, ThreadId
from core.turn import Question, QuestionKey
from core.upstream.client import Upstream
from core.upstream.prompt import Prompt
from core.worker import Worker

SAY = "say exactly: "  # the emulator does so: answers of a few words, since it is the engine that is measured
THREADS, TURNS_EACH = 5, 20  # for the hand-over inside a thread; with more, they wait for the processor instead
SHORT_TURNS, ASKING = 400, 8  # so many are asked at a time

_WHAT = "question → upstream call, {}/s on procrastinate"
BARE_P50, BARE_P99, QUEUE_P50, QUEUE_P99 = (
    {rate: Aim(f"{_WHAT.format(rate)}, {share} over {beside}", "+{:.1f} ms", most) for rate in RATES}
    for share, beside, most in (
        ("p50", "a bare relay", 12),
        ("p99", "a bare relay", 60),
        ("p50", "SKIP LOCKED", 12),
        ("p99", "SKIP LOCKED", 60),
    )
)
HAND_OVER = Aim("hand-over inside a thread on procrastinate, p50", "{:.1f} ms", 50)
SHORT = Aim("short turns per second, procrastinate", "{:.0f}", least=100)


class Asking(Protocol):
    async def ask(self, key: str, thread: str) -> None: ...

    async def idle(self) -> None: ...


Opens = Callable[[str, str], AbstractAsyncContextManager[Asking]]


class Core:
    """Core, whole, on PostgreSQL, whatever wakes it."""

    def __init__(self, ledger: Ledger, upstream: Upstream) -> None:
        self.ledger = ledger
        service = Service([upstream], in_flight=1_000, per_second=10_000)
        self.worker = Worker(ledger, service, {"silent": Silent()}, PRESETS, transcript_budget=24_000)
        self.relay = Relay(ledger, lambda _: None, PRESETS, longest_question=16_000)

    async def ask(self, key: str, thread: str) -> None:
        where = Thread(ThreadId(f"silent:{thread}"), "silent", (PlaceId("silent:w"), PlaceId("silent:w/c")))
        await self.relay.ask(Question(QuestionKey(key), where, "ada", SAY + key))

    async def idle(self) -> None:
        while await self.ledger.open_threads(["silent"]):
            await asyncio.sleep(0.02)


@asynccontextmanager
async def _procrastinate(postgres: str, url: str) -> AsyncIterator[Core]:
    jobs, database = Jobs(postgres), open_database(postgres)
    async with Upstream(url, TOKEN) as upstream:
        core = Core(Ledger(database, jobs.summon), upstream)
        engine = Procrastinate(jobs, core.ledger, core.worker.see_to)
        await engine.start(["silent"])
        yield core
        await engine.stop(grace=30)
    await database.close()


@asynccontextmanager
async def _skip_locked(postgres: str, url: str) -> AsyncIterator[Core]:
    """A table, a notification and SKIP LOCKED: no order, no heartbeat, nothing survives. It can't be had for less."""
    database = open_database(postgres)
    await database.run(lambda connection: connection.execute(text("create table todo (id bigserial, thread text)")))

    def summon(connection: Connection, thread: Thread, _behind: int = 0) -> None:
        connection.execute(text("insert into todo (thread) values (:thread)"), {"thread": thread.id})
        connection.execute(text("select pg_notify('todo', '')"))

    async with Upstream(url, TOKEN) as upstream, asyncio.TaskGroup() as tasks:
        core = Core(Ledger(database, summon), upstream)
        taking = tasks.create_task(_take(postgres, core.worker.see_to, tasks))
        yield core
        taking.cancel()
    await database.close()


async def _take(postgres: str, see_to: Callable[[ThreadId], Awaitable[None]], tasks: asyncio.TaskGroup) -> None:
    take = (
        "delete from todo where id = (select id from todo order by id for update skip locked limit 1) returning thread"
    )
    async with (
        await psycopg.AsyncConnection.connect(postgres, autocommit=True) as listening,
        await psycopg.AsyncConnection.connect(postgres, autocommit=True) as taking,
    ):
        await listening.execute("listen todo")
        while True:
            while row := await (await taking.execute(take)).fetchone():
                tasks.create_task(_see(see_to, ThreadId(row[0])))
            async for _ in listening.notifies(timeout=0.25, stop_after=1):
                pass


async def _see(see_to: Callable[[ThreadId], Awaitable[None]], thread: ThreadId) -> None:
    await see_to(thread)


async def _bare(url: str, name: str, rate: int) -> list[float]:
    async with Upstream(url, TOKEN) as upstream:

        async def ask(number: int) -> None:
            async with upstream.ask(Prompt("gpt-5.1", f"{SAY}{name} {number}")) as stream:
                async for _ in stream:
                    pass

        asked = await paced(ask, RATES[rate], rate)
    return await _delays(url, name, asked)


async def _through(opens: Opens, postgres: str, url: str, name: str, rate: int) -> list[float]:
    async with opens(postgres, url) as core:
        asked = await paced(lambda number: core.ask(f"{name} {number}", f"{name} {number}"), RATES[rate], rate)
        await core.idle()
    return await _delays(url, name, asked)


async def _delays(url: str, name: str, asked: dict[int, float]) -> list[float]:
    arrived = await arrivals(url)
    return [(arrived[f"{SAY}{name} {number}"] - at) * 1000 for number, at in asked.items()]


async def _hand_over(postgres: str, url: str) -> list[float]:
    """How long after a turn's end, in ms, its thread's next question arrives upstream."""
    async with _procrastinate(postgres, url) as core:
        for number in range(THREADS * TURNS_EACH):
            await core.ask(f"next {number}", f"next {number % THREADS}")
        await core.idle()
    database = open_database(postgres)
    query = select(turns.c.key, turns.c.done_at).where(turns.c.key.like("next %"))
    ended = await database.run(
        lambda connection: {row.key: row.done_at.timestamp() for row in connection.execute(query)}
    )
    await database.close()
    arrived = {
        question.splitlines()[-1].rpartition("next ")[2]: at
        for question, at in (await arrivals(url)).items()
        if "next " in question
    }
    pairs = [(number, number + THREADS) for number in range(THREADS * (TURNS_EACH - 1))]
    return [(arrived[str(later)] - ended[f"next {number}"]) * 1000 for number, later in pairs]


async def _short(opens: Opens, postgres: str, url: str, name: str) -> float:
    """How many short turns are over in a second."""
    async with opens(postgres, url) as core:
        started = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for first in range(ASKING):
                tasks.create_task(_ask_each(core, [f"{name} {number}" for number in range(first, SHORT_TURNS, ASKING)]))
        await core.idle()
        return SHORT_TURNS / (time.perf_counter() - started)


async def _ask_each(core: Asking, keys: list[str]) -> None:
    for key in keys:
        await core.ask(key, key)


async def measure() -> list[Row]:
    rows = []
    async with postgresql() as fresh, emulator(pace=0.005) as url:
        await _bare(url, "warm", max(RATES))
        for rate in RATES:
            bare = await _bare(url, f"bare at {rate}", rate)
            queue = await _through(_skip_locked, await fresh(), url, f"queue at {rate}", rate)
            ours = await _through(_procrastinate, await fresh(), url, f"ours at {rate}", rate)
            rows += [
                _over(BARE_P50[rate], ours, bare, 0.5),
                _over(BARE_P99[rate], ours, bare, 0.99),
                _over(QUEUE_P50[rate], ours, queue, 0.5),
                _over(QUEUE_P99[rate], ours, queue, 0.99),
            ]
        hand_over = statistics.median(await _hand_over(await fresh(), url))
        short_queue = await _short(_skip_locked, await fresh(), url, "short queue")
        short = await _short(_procrastinate, await fresh(), url, "short")
    return [
        *rows,
        HAND_OVER.row(hand_over, f"{hand_over:.1f} ms"),
        SHORT.row(short, f"{short:.0f}", f"{short_queue:.0f} SKIP LOCKED"),
    ]


def _over(aim: Aim, ours: list[float], baseline: list[float], share: float) -> Row:
    mine, its = quantile(ours, share), quantile(baseline, share)
    return aim.row(mine - its, f"{mine:.1f} ms", f"{its:.1f} ms")
