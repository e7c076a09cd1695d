"""How soon the AI service is hung up on after somebody has clicked Stop: the real bot against the local platforms."""

from __future__ import annotations

import statistics

from benchmarks.product import SIDES, Speech, stage
from benchmarks.rows import Aim, Row

TIMES = 10
ENDLESS = Speech(4000, 0.02)  # whoever hangs up is missed with the next piece
AIMS = {name: Aim(f"{name}: Stop → hung up, slowest of {TIMES}", "{:.2f} s", 0.5, is_told=True) for name in SIDES}


async def measure() -> list[Row]:
    return [await _stopped(name, aim) for name, aim in AIMS.items()]


async def _stopped(name: str, aim: Aim) -> Row:
    async with stage(name, ENDLESS, TIMES) as there:
        took = [await there.stop(person) for person in range(TIMES)]
    return aim.row(max(took), f"p50 {statistics.median(took):.2f} s")
