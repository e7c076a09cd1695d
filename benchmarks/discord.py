"""How fresh answers are in Discord, and when a very long one is whole: the real bot against the local Discord."""

from __future__ import annotations

import asyncio

from benchmarks import fresh
from benchmarks.fresh import WORD
from benchmarks.product import Seen, Speech, stage
from benchmarks.rows import Aim, Row

INTERVAL = 1.2  # seconds between two updates of an answer, as the bot spaces them: bots/discord/pace.py
UPDATES_A_SECOND = 25  # of all answers, likewise
AT_ONCE = {
    1: fresh.aims("Discord", 1, stale=0.7, late=1.0),
    10: fresh.aims("Discord", 10, stale=0.7, late=1.0),
    20: fresh.aims("Discord", 20),
    50: fresh.aims("Discord", 50, late=5.0),
}
PIECES, PIECE = (
    100,
    990,
)  # of a very long answer, and characters of each: together a little less than an answer may have
LONGEST = Speech(PIECES, WORD, beside=" and so on" * (PIECE // len(" and so on")))
PATIENCE = 90.0  # seconds
LONG = Aim("Discord, an answer of 100,000 characters: end → whole", "{:.1f} s", 10.2, is_told=True)


async def measure() -> list[Row]:
    rows = []
    for answers, aims in AT_ONCE.items():
        rows += await fresh.at_once("Discord", answers, aims, max(INTERVAL, answers / UPDATES_A_SECOND))
    return rows + await _long()


async def _long() -> list[Row]:
    (ours, our_messages), (naive, messages) = await asyncio.gather(*(_longest(naive=naive) for naive in (False, True)))
    return [
        LONG.row(ours.late, f"{ours.late:.1f} s, {our_messages} messages", f"{naive.late:.1f} s, {messages} naive"),
    ]


async def _longest(*, naive: bool) -> tuple[Seen, int]:
    """Return also in how many messages it is."""
    async with stage("Discord", LONGEST, 1, naive=naive) as there:
        seen = await there.ask(0, PATIENCE)
        return seen, there.side.posts
