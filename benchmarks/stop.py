"""How soon the AI service is hung up on after somebody has clicked Stop: the real bot against the local platforms."""

from __future__ import annotations

import statistics

from benchmarks.product import SIDES, Speech, stage
from benchmarks.rig import postgresql
from benchmarks.rows import Aim, Row

TIMES = 10
ENDLESS = Speech(4000, 0.02)  # that the bot has hung up is noticed at the next piece


def aims(platform: str) -> dict[str, Aim]:
    def aim(what: str) -> Aim:
        return Aim(f"{platform}{what}: Stop → hung up, slowest of {TIMES}", "{:.2f} s", 0.5, is_told=True)

    return {"one": aim(""), "two": aim(", while another process answers")}


AIMS = {name: aims(name) for name in SIDES}


async def measure() -> list[Row]:
    rows = []
    async with postgresql() as fresh:
        for name, wanted in AIMS.items():
            rows += [await _stopped(name, wanted["one"]), await _stopped(name, wanted["two"], await fresh())]
    return rows


async def _stopped(name: str, aim: Aim, shared: str = "") -> Row:
    async with stage(name, ENDLESS, TIMES, shared=shared) as there:
        took = [await there.stop(person) for person in range(TIMES)]
    return aim.row(max(took), f"p50 {statistics.median(took):.2f} s")
