"""How fresh answers are while they grow, on a platform that enforces its limits, and beside a naive bot at the same time.

The naive bot edits every answer once a second, whatever the platform allows: what one can have without minding limits,
while one asks; and what becomes of the answers when many do. What it doesn't bring whole within some seconds is lost.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.product import Seen, Speech, quantile, stage
from benchmarks.rows import Aim, Row

WORD = 0.1  # seconds between two words of an answer
LASTS = 10.0  # seconds
PATIENCE = 8.0  # seconds after its end, in which an answer has to be whole
IN_A_ROOM = 5  # answers at most: Slack takes a post a second there


def aims(platform: str, answers: int, *, stale: float | None = None, late: float | None = None) -> dict[str, Aim]:
    """*stale* and *late*: in seconds, at the mean and at the 95th percentile."""
    what = f"{platform}, {answers} answer{'s' if answers > 1 else ''} of {LASTS:.0f} s at once"
    is_told = late is not None
    return {
        "stale": Aim(f"{what}: text on the screen is behind", "{:.2f} s", stale, is_told=is_told),
        "late": Aim(f"{what}: end → last words, p95", "{:.2f} s", late, is_told=is_told),
        "refused": Aim(f"{what}: calls refused (429)", "{:.0f}", 0),
        "work": Aim(f"{what}: CPU", "{:.2f} × the naive bot's"),
    }


@dataclass(frozen=True, slots=True)
class Watched:
    """What came of so many answers with one of the bots."""

    seen: Sequence[Seen]
    refusals: int
    cpu: float  # seconds for each

    @property
    def stale(self) -> float:
        return statistics.mean(one.stale for one in self.seen)

    @property
    def late(self) -> float:
        return quantile([one.late for one in self.seen], 0.95)

    @property
    def whole(self) -> int:
        return sum(one.is_whole for one in self.seen)

    def told_stale(self) -> str:
        return f"{self.stale:.2f} s (most {max(one.stale for one in self.seen):.2f})"

    def told_late(self) -> str:
        lates = [one.late for one in self.seen if one.is_whole]
        lost = f", {len(self.seen) - self.whole} of {len(self.seen)} lost" if self.whole < len(self.seen) else ""
        return (f"p50 {quantile(lates, 0.5):.2f} s, most {max(lates):.2f} s" if lates else "none") + lost


async def at_once(platform: str, answers: int, aims: Mapping[str, Aim], interval: float) -> list[Row]:
    """*interval*: seconds between two updates of each answer, if what the platform allows is shared evenly."""
    ours, naive = await asyncio.gather(*(_watched(platform, answers, naive=naive) for naive in (False, True)))
    return [
        aims["stale"].row(
            ours.stale, ours.told_stale(), f"{naive.told_stale()} naive; {interval:.1f} s from update to update"
        ),
        aims["late"].row(ours.late, ours.told_late(), f"{naive.told_late()} naive"),
        aims["refused"].row(ours.refusals, f"{ours.refusals}", f"{naive.refusals} naive"),
        aims["work"].row(ours.cpu / naive.cpu, f"{1000 * ours.cpu:.0f} ms each", f"{1000 * naive.cpu:.0f} ms naive"),
    ]


async def _watched(platform: str, answers: int, *, naive: bool) -> Watched:
    speech = Speech(round(LASTS / WORD), WORD)
    async with stage(platform, speech, answers, naive=naive, in_a_room=IN_A_ROOM) as there:
        asking = asyncio.gather(*(there.ask(person, PATIENCE) for person in range(answers)))
        seen, cpu = await there.cpu_of(asking)
        return Watched(seen, there.side.refusals, cpu / answers)
