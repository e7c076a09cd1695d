"""The upstream is down for ten minutes, in real time: who hammers it, who waits, and whether “Try again” works after."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import TYPE_CHECKING, Any

from tests.faults.people import Crowd, is_ended
from tests.faults.world import World, until

if TYPE_CHECKING:
    from tests.faults.count import Asked
    from tests.faults.harm import Play

LASTS = 600.0  # seconds
BETWEEN_QUESTIONS = 4.0  # seconds
OPENS_WITHIN = 20.0  # seconds; asked later, people should be told at once
BACK_WITHIN = 90.0  # seconds: the longest rest, and what is added to it
PATIENCE = 60.0  # seconds in which somebody has to be told


async def outage(world: World, play: Play) -> None:
    """Every question is refused for ten minutes; then it is back, and people click on “Try again”."""
    world.upstream.faults.set("api_error")
    began, calls_before = time.monotonic(), len(world.upstream.requests)
    told: list[tuple[Crowd, Any, Asked]] = []
    waits: list[float] = []
    calls_while_opening = 0
    while time.monotonic() < began + LASTS:
        is_opening = time.monotonic() < began + OPENS_WITHIN
        asking = time.monotonic()
        batch = [(crowd, *await crowd.open(streaming=False)) for crowd in play.crowds]
        for crowd, place, asked in batch:
            await until(lambda: is_ended(asked, crowd.side.texts(place)), PATIENCE)  # noqa: B023 (awaited here)
            if not is_opening:
                waits.append(time.monotonic() - asking)
        told += batch
        if is_opening:
            calls_while_opening = len(world.upstream.requests) - calls_before
        await asyncio.sleep(max(0.0, BETWEEN_QUESTIONS - (time.monotonic() - asking)))
    calls = len(world.upstream.requests) - calls_before
    play.remarks.append(
        f"down for {LASTS:.0f} s: {len(told)} asked, {calls} calls reached it, {calls_while_opening} of them in the first"
        f" {OPENS_WITHIN:.0f} s; told after p50 {statistics.median(waits):.2f} s, max {max(waits):.2f} s"
    )
    world.upstream.faults.clear()
    back = time.monotonic()
    crowd, place, asked = told.pop()
    while asked.expected not in crowd.side.texts(place):
        if time.monotonic() > back + BACK_WITHIN:
            raise TimeoutError
        await crowd.side.retry(place)
        await asyncio.sleep(0.5)
    play.remarks.append(f"the first “Try again” that was answered: {time.monotonic() - back:.1f} s after it was back")
    for crowd, place, _ in told:
        await crowd.side.retry(place)
        await asyncio.sleep(1.3 if crowd.side.name == "slack" else 0)  # Slack allows 50 updates a minute
