"""A short turn, from the mention to the answer on the screen: alone, ten a second, and fifty a second.

Alone and with a streaming answer, the baseline is a naive bot on the same stand-in: what Bobbin's care costs. Under load it
is the bot itself alone: what the load costs. The stand-ins refuse nothing here, since no platform takes fifty a second; the bot
minds the limits all the same. In Discord it makes 35 calls a second in all, so that more than some ten questions a second wait.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import dataclass

from benchmarks.product import Seen, Speech, Stage, quantile, stage
from benchmarks.rows import Aim, Row

SHORT = Speech(3)
STREAMED = Speech(30, 0.1)  # three seconds
WARM, ALONE, STREAMING = 10, 40, 5
LOADS = {10: 80, 50: 300}  # questions a second → how many
IDLE = 10.0  # seconds
PATIENCE = 60.0  # seconds
BUSY = 0.7  # of the time; beyond that what is asked waits ever longer


@dataclass(frozen=True, slots=True)
class Turns:
    """What came of those that were asked one after another, in seconds."""

    whole: float  # from the mention to the answer, p50
    first: float  # from the mention to the first text of an answer that streams, p50
    cpu: float  # of each
    transactions: float  # of each, beside those of an idle bot


def aims(platform: str, *, transactions: float, p95: float) -> dict[str, Aim]:
    """*p95*: in seconds, at ten a second."""
    what = f"{platform}, a short turn"
    naive, alone = "{:.1f} × the naive bot's", "{:.1f} × alone"
    return {
        "alone": Aim(f"{what}: mention → answer, p50", naive, is_told=True),
        "first": Aim(f"{platform}, a streamed turn: mention → first text, p50", "{:.2f} s", 1.5, is_told=True),
        "cpu": Aim(f"{what}: CPU", naive, is_told=True),
        "transactions": Aim(f"{what}: transactions", "{:.1f}", transactions),
        "p50 at 10": Aim(f"{what} at 10/s: mention → answer, p50", alone),
        "p95 at 10": Aim(f"{what} at 10/s: mention → answer, p95", "{:.2f} s", p95),
        "done at 10": Aim(f"{what} at 10/s: answered within a minute", "{:.0%}", least=1),
        "busy at 10": Aim(f"{what} at 10/s: time in which SQLite's thread is busy", "{:.0%}", BUSY),
        "p50 at 50": Aim(f"{what} at 50/s: mention → answer, p50", alone),
        "p95 at 50": Aim(f"{what} at 50/s: mention → answer, p95", "{:.2f} s", is_told=True),
        "done at 50": Aim(f"{what} at 50/s: answered within a minute", "{:.0%}", least=1, is_told=True),
        "busy at 50": Aim(f"{what} at 50/s: time in which SQLite's thread is busy", "{:.0%}", BUSY),
    }


# In Discord others have asked in the same channel, and what they were answered there is part of the question.
AIMS = {"Slack": aims("Slack", transactions=4.1, p95=1.0), "Discord": aims("Discord", transactions=5.1, p95=2.0)}


async def measure() -> list[Row]:
    return [row for platform, wanted in AIMS.items() for row in await _platform(platform, wanted)]


async def _platform(platform: str, aims: dict[str, Aim]) -> list[Row]:
    people = max(WARM + ALONE + STREAMING, *LOADS.values())
    async with stage(platform, SHORT, people, naive=True, limits=False) as there:
        naive = await _one_by_one(there)
    async with stage(platform, SHORT, people, limits=False) as there:
        ours = await _one_by_one(there)
        rows = [
            aims["alone"].row(ours.whole / naive.whole, _ms(ours.whole), f"{_ms(naive.whole)} naive"),
            aims["first"].row(ours.first, _ms(ours.first), f"{_ms(naive.first)} naive"),
            aims["cpu"].row(ours.cpu / naive.cpu, _ms(ours.cpu), f"{_ms(naive.cpu)} naive"),
            aims["transactions"].row(ours.transactions, f"{ours.transactions:.1f}"),
        ]
        for rate, questions in LOADS.items():
            rows += await _loaded(there, rate, questions, ours.whole, aims)
    return rows


async def _one_by_one(there: Stage) -> Turns:
    for person in range(WARM):
        await there.ask(person, PATIENCE)
    idle = await _idle_transactions(there)
    before, began = await there.bot.transactions(), time.monotonic()

    async def ask_each() -> list[Seen]:
        return [await there.ask(WARM + person, PATIENCE) for person in range(ALONE)]

    seen, cpu = await there.cpu_of(ask_each())
    transactions = await there.bot.transactions() - before - idle * (time.monotonic() - began)
    there.upstream.speech = STREAMED
    streaming = [there.ask(WARM + ALONE + person, PATIENCE) for person in range(STREAMING)]
    streamed = await asyncio.gather(*streaming)
    there.upstream.speech = SHORT
    return Turns(
        statistics.median(one.whole for one in seen),
        statistics.median(one.first for one in streamed),
        cpu / ALONE,
        transactions / ALONE,
    )


async def _idle_transactions(there: Stage) -> float:
    """How many the bot makes in a second while nobody asks: it checks the database, and notes how far it has heard."""
    before = await there.bot.transactions()
    await asyncio.sleep(IDLE)
    return (await there.bot.transactions() - before) / IDLE


async def _loaded(there: Stage, rate: int, questions: int, alone: float, aims: dict[str, Aim]) -> list[Row]:
    busy, began = await there.bot.database_seconds(), time.monotonic()
    seen, cpu = await there.cpu_of(there.ask_at(rate, questions, PATIENCE))
    busy = (await there.bot.database_seconds() - busy) / (time.monotonic() - began)
    whole = [one.whole for one in seen]
    done = sum(one.is_whole for one in seen)
    p50, p95 = quantile(whole, 0.5), quantile(whole, 0.95)
    return [
        aims[f"p50 at {rate}"].row(p50 / alone, _ms(p50), f"{_ms(alone)} alone"),
        aims[f"p95 at {rate}"].row(p95, f"{_ms(p95)} ({_ms(cpu / questions)} CPU each)", f"{_ms(alone)} alone"),
        aims[f"done at {rate}"].row(done / questions, f"{done} of {questions}"),
        aims[f"busy at {rate}"].row(busy, f"{busy:.0%}"),
    ]


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"
