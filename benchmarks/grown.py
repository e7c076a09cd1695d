"""A thread's next turn where a million threads and ten million turns are stored, beside a database with few."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import psycopg
from sqlalchemy import Connection, text

from benchmarks.rig import postgresql
from benchmarks.rows import Aim, Row
from core.answer import MOST_TURNS_RETOLD
from core.storage.database import Database, open_database
from core.storage.ledger import Ledger
from core.storage.migrate import migrate
from core.thread import Conversation, ConversationId, PlaceId, Thread, ThreadId
from core.turn import Question, QuestionKey, Reply

THREADS, TURNS_EACH = 1_000_000, 10
FEW = 500  # threads with a past of their own, which are asked in; all there are in the other database
SCATTER = 7_368_787  # a prime: neighbours in time lie far apart in the index of threads, as with real ids
NAMES = 10_000_000_000
WARM, STARTS = 50, 20

Execute = Callable[[str, dict[str, int]], object]  # of a statement and its values

KINDS = ("SQLite", "PostgreSQL")
STORED = f"with {THREADS:,} threads and {THREADS * TURNS_EACH:,} turns"
NEXT, TOLD, START = (
    {kind: Aim(f"{what}, {kind} {STORED}, p50", f"{{:.2f}} × {FEW} threads", 1.5) for kind in KINDS}
    for what in ("a thread's next turn", "what a rebuilt conversation is told", "what a start has to know")
)

# Ten turns each, thread by thread in rounds, an answer a second, up to now.
_NUMBERS = {
    "sqlite": "with recursive n(i) as (select 0 union all select i + 1 from n where i < :last) ",
    "postgresql": "with n(i) as (select generate_series(cast(0 as bigint), :last)) ",
}
_NAME = {"sqlite": "printf('bench:%010d', {})", "postgresql": "'bench:' || lpad(({})::text, 10, '0')"}
_THREADS = """insert into threads (id, chat, within, conversation, model)
{numbers} select {name}, 'bench', '["bench:w", "bench:w/c"]', 'conversation-' || i, 'gpt-5.1' from n"""
_TURNS = """insert into turns
(key, thread, asker, question, "references", status, answer, reply, shown, attempt, model, reference, accepted_at, done_at)
{numbers} select 'key:' || i, {name}, 'ada', 'Why is the sky blue, and why is it red in the evening? ' || i, '[]', 'answered',
'Sunlight is scattered by the molecules of the air, blue far more than red; in the evening its way is so long that the '
|| 'blue is gone before it reaches us, and what is left is red.', '{{"channel": 1, "posts": [[1, ""]]}}', true, 1, 'gpt-5.1',
'0123abcd', {accepted}, {accepted} from n"""
_ACCEPTED = {
    "sqlite": "datetime('now', (i - :last) || ' seconds')",
    "postgresql": "now() + (i - :last) * interval '1 second'",
}


@dataclass(frozen=True, slots=True)
class Times:
    """Of each verb, in ms."""

    next_turn: list[float]
    transcript: list[float]
    start: list[float]


def _fill(execute: Execute, kind: str, threads: int) -> None:
    # Built at the end, as a restored database's is.
    execute("drop index ix_turns_thread_id", {})
    name = _NAME[kind].format(f"i * {SCATTER} % {NAMES}")
    execute(_THREADS.format(numbers=_NUMBERS[kind], name=name), {"last": threads - 1})
    name = _NAME[kind].format(f"(i % {threads}) * {SCATTER} % {NAMES}")
    statement = _TURNS.format(numbers=_NUMBERS[kind], name=name, accepted=_ACCEPTED[kind])
    execute(statement, {"last": threads * TURNS_EACH - 1})
    execute("create index ix_turns_thread_id on turns (thread, id)", {})
    execute("analyze", {})


async def _migrate(url: str) -> None:
    database = open_database(url)
    await migrate(database)
    await database.close()


async def _filled(url: str, threads: int) -> Database:
    kind = url.partition(":")[0]
    if kind == "postgresql":
        database = open_database(url)
        await database.run(lambda connection: _fill(partial(_execute, connection), kind, threads))
        # Else it would do that of itself, some time while we measure.
        connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
        async with connection:
            await connection.execute("vacuum (freeze, analyze)")
            await connection.execute("checkpoint")
        return database
    await asyncio.to_thread(_fill_file, url.removeprefix("sqlite:///"), kind, threads)
    return open_database(url)


def _execute(connection: Connection, statement: str, values: dict[str, int]) -> None:
    connection.execute(text(statement), values)


def _fill_file(path: str, kind: str, threads: int) -> None:
    """Without the journal, which would write all of it once more."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("pragma journal_mode = off")
        connection.execute("pragma synchronous = off")
        connection.execute("begin")
        _fill(connection.execute, kind, threads)
        connection.execute("commit")


async def _measure(databases: tuple[Database, Database]) -> tuple[Times, Times]:
    """Use both in turns: whatever else the machine does slows the one as it slows the other."""
    few, many = _Asked(databases[0], FEW), _Asked(databases[1], THREADS)
    for nth in range(FEW):
        for asked in (few, many):
            await asked.next(nth)
    for _ in range(STARTS):
        for asked in (few, many):
            await asked.start()
    for database in databases:
        await database.close()
    return few.times, many.times


class _Asked:
    """One of the two databases, asked in some of its threads."""

    def __init__(self, database: Database, threads: int) -> None:
        self._ledger = Ledger(database)
        self._some = random.Random(7).sample(range(threads), FEW)  # noqa: S311 (nothing secret)
        self.times = Times([], [], [])

    async def next(self, nth: int) -> None:
        if nth < WARM:
            await _ask(self._ledger, self._some[-nth], "warm", Times([], [], []))
        await _ask(self._ledger, self._some[nth], "next", self.times)

    async def start(self) -> None:
        began = time.perf_counter()
        await self._ledger.open_threads(["bench"])
        await self._ledger.active_threads("bench", datetime.now(UTC) - timedelta(seconds=FEW), FEW)
        self.times.start.append((time.perf_counter() - began) * 1000)


async def _ask(ledger: Ledger, number: int, name: str, times: Times) -> None:
    """A turn's four transactions, and what a rebuilt conversation would be told."""
    thread = ThreadId(f"bench:{number * SCATTER % NAMES:010d}")
    where = Thread(thread, "bench", (PlaceId("bench:w"), PlaceId("bench:w/c")))
    began = time.perf_counter()
    await ledger.accept(Question(QuestionKey(f"{name}:{number}"), where, "ada", "And at night?"), Reply("{}"))
    taken = await ledger.take(thread)
    assert taken
    answered = taken.turn.start("gpt-5.1").finish("At night there is no sunlight to be scattered.")
    await ledger.conclude(answered, Conversation(ConversationId(f"{name}-{number}"), "gpt-5.1"), epoch=taken.epoch)
    await ledger.settle(answered.settle())
    times.next_turn.append((time.perf_counter() - began) * 1000)
    began = time.perf_counter()
    earlier = await ledger.transcript(thread, taken.turn.id, MOST_TURNS_RETOLD)
    assert len(earlier) >= TURNS_EACH
    times.transcript.append((time.perf_counter() - began) * 1000)


async def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        async with postgresql() as fresh:
            files = [f"sqlite:///{folder}/{name}.db" for name in ("few", "many")]
            for file in files:  # one after another, as the others are: migrations can't be made side by side
                await _migrate(file)
            urls = [*files, await fresh(), await fresh()]
            filling = zip(urls, (FEW, THREADS) * len(KINDS), strict=True)
            filled = await asyncio.gather(*(_filled(url, threads) for url, threads in filling))
            return [
                *_rows(KINDS[0], *await _measure((filled[0], filled[1]))),
                *_rows(KINDS[1], *await _measure((filled[2], filled[3]))),
            ]


def _rows(kind: str, few: Times, many: Times) -> list[Row]:
    return [
        _row(NEXT[kind], many.next_turn, few.next_turn),
        _row(TOLD[kind], many.transcript, few.transcript),
        _row(START[kind], many.start, few.start),
    ]


def _row(aim: Aim, many: list[float], few: list[float]) -> Row:
    ours, baseline = statistics.median(many), statistics.median(few)
    return aim.row(ours / baseline, f"{ours:.2f} ms", f"{baseline:.2f} ms with {FEW} threads")
