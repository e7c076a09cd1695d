"""How fresh answers are in Slack: the real bot against the local Slack, which enforces the tiers over any 60 seconds."""

from __future__ import annotations

import asyncio
import statistics

from benchmarks import fresh
from benchmarks.fresh import WORD
from benchmarks.product import Seen, Speech, quantile, stage
from benchmarks.rows import Aim, Row

# https://docs.slack.dev/apis/web-api/rate-limits: chat.update is tier 3.
INTERVAL = 60 / 50  # seconds between two updates in a workspace, if they are spread evenly
AT_ONCE = {
    1: fresh.aims("Slack", 1, stale=0.7, late=1.0),
    10: fresh.aims("Slack", 10, late=1.0),
    20: fresh.aims("Slack", 20),
    50: fresh.aims("Slack", 50, late=5.0),
}
LONG, ROUNDS = 40.0, 3  # seconds of an answer, and how many one after another, for two minutes
CHANNELS = DIRECT = 10
IN_CHANNELS = Aim(
    "Slack, 20 at once for two minutes: text in channels is behind", "{:.2f} s", 0.6 * INTERVAL * CHANNELS
)
# Slack's limits allow 2.5 s and 0.54 of the interval, to who knows all beforehand: docs/decisions/0015-slack-window.md
IN_DIRECT = Aim("Slack, 20 at once for two minutes: text in direct messages is behind", "{:.2f} s", 3.0)
LATE = Aim("Slack, 20 at once for two minutes: end → last words, p95", "{:.2f} s", 5.0)
REFUSED = Aim("Slack, 20 at once for two minutes: calls refused (429)", "{:.0f}", 0)


async def measure() -> list[Row]:
    """The two minutes go by while the others are measured: all of them mostly wait, in workspaces of their own."""
    at_once, two_minutes = await asyncio.gather(_at_once(), _two_minutes())
    return at_once + two_minutes


async def _at_once() -> list[Row]:
    return [
        row
        for answers, aims in AT_ONCE.items()
        for row in await fresh.at_once("Slack", answers, aims, INTERVAL * answers)
    ]


async def _two_minutes() -> list[Row]:
    """Twenty at once, ten of them in direct messages, and each is asked again as soon as it has answered."""
    async with stage("Slack", Speech(round(LONG / WORD), WORD), CHANNELS + DIRECT) as there:

        async def asking(person: int) -> list[Seen]:
            is_direct = person >= CHANNELS
            return [await there.ask(person, LONG, is_direct=is_direct) for _ in range(ROUNDS)]

        seen = await asyncio.gather(*(asking(person) for person in range(CHANNELS + DIRECT)))
        refusals = there.side.refusals
    channels, direct = ([one for each in part for one in each] for part in (seen[:CHANNELS], seen[CHANNELS:]))
    lates = [one.late for one in [*channels, *direct]]
    interval = INTERVAL * CHANNELS
    return [
        _stale(IN_CHANNELS, channels, interval),
        _stale(IN_DIRECT, direct, interval),
        LATE.row(quantile(lates, 0.95), f"p50 {quantile(lates, 0.5):.2f} s, most {max(lates):.2f} s"),
        REFUSED.row(refusals, f"{refusals}"),
    ]


def _stale(aim: Aim, seen: list[Seen], interval: float) -> Row:
    mean, most = statistics.mean(one.stale for one in seen), max(one.stale for one in seen)
    return aim.row(mean, f"{mean:.2f} s (most {most:.2f})", f"{interval:.1f} s from update to update")
