"""A thread's next turn where a million threads and ten million turns are stored, beside a database with few."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg
from sqlalchemy import Connection, text

from benchmarks.rig import postgresql
from benchmarks.rows import Row
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
REACH = 1.5

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


async def _fill(database: Database, kind: str, threads: int) -> None:
    def fill(connection: Connection) -> None:
        # Built at the end, as a restored database's is.
        connection.execute(text("drop index ix_turns_thread_id"))
        name = _NAME[kind].format(f"i * {SCATTER} % {NAMES}")
        statement = _THREADS.format(numbers=_NUMBERS[kind], name=name)
        connection.execute(text(statement), {"last": threads - 1})
        name = _NAME[kind].format(f"(i % {threads}) * {SCATTER} % {NAMES}")
        statement = _TURNS.format(numbers=_NUMBERS[kind], name=name, accepted=_ACCEPTED[kind])
        connection.execute(text(statement), {"last": threads * TURNS_EACH - 1})
        connection.execute(text("create index ix_turns_thread_id on turns (thread, id)"))
        connection.execute(text("analyze"))

    await database.run(fill)


async def _filled(url: str, threads: int) -> Database:
    database = open_database(url)
    await migrate(database)
    kind = url.partition(":")[0]
    await _fill(database, kind, threads)
    if kind == "postgresql":  # else it would do that of itself, some time while we measure
        connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
        async with connection:
            await connection.execute("vacuum (freeze, analyze)")
            await connection.execute("checkpoint")
    return database


async def _measure(few_url: str, many_url: str) -> tuple[Times, Times]:
    """Use both in turns: whatever else the machine does slows the one as it slows the other."""
    databases = await _filled(few_url, FEW), await _filled(many_url, THREADS)
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
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        rows += _rows("SQLite", *await _measure(f"sqlite:///{folder}/few.db", f"sqlite:///{folder}/many.db"))
    async with postgresql() as fresh:
        rows += _rows("PostgreSQL", *await _measure(await fresh(), await fresh()))
    return rows


def _rows(kind: str, few: Times, many: Times) -> list[Row]:
    stored = f"{THREADS:,} threads, {THREADS * TURNS_EACH:,} turns on {kind}"
    return [
        _row(f"a thread's next turn, p50; {stored}", many.next_turn, few.next_turn),
        _row("… what a rebuilt conversation is told, p50", many.transcript, few.transcript),
        _row("… what a start has to know, p50", many.start, few.start),
    ]


def _row(what: str, many: list[float], few: list[float]) -> Row:
    ours, baseline = statistics.median(many), statistics.median(few)
    ratio = ours / baseline
    cells = f"{ours:.2f} ms", f"{baseline:.2f} ms with {FEW} threads"
    return Row(what, *cells, f"{ratio:.2f} ×", f"≤ {REACH} ×", ratio <= REACH)
