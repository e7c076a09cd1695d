"""Plays scenarios one after another, whatever becomes of any of them, and prints what came of each."""

# ruff: noqa: T201  (it prints a table)

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.faults.bots import Topology
from tests.faults.harm import Scenario
from tests.faults.play import Report, failed, play, told
from tests.faults.world import World, opened

COUNTED = (
    *("asked", "follow_ups", "files", "answered", "without", "told", "stopped", "silent", "unheard"),
    *("lost", "doubled", "disordered", "orphans", "repeats"),
)


async def run(
    topology: Topology, wanted: Sequence[Scenario], seed: int, folder: Path, keep: Callable[[Report], None]
) -> None:
    """Play each of *wanted*, whatever becomes of those before, and have each report kept as soon as there is one."""
    print(f"\n{topology.name}: {len(topology.processes)} process(es), logs in {folder}")
    print(_line("scenario", "platform", *COUNTED, "recovery p50", "max", "settled", "took"))
    left = deque(enumerate(wanted))
    while left:
        place = Path(tempfile.mkdtemp(prefix="world-", dir=folder))
        before = len(left)
        try:
            async with opened(topology, place) as world:
                await _play_on(world, left, seed, keep)
                await _end(world)
        except Exception as error:  # noqa: BLE001  # the world itself: it did not open, or did not close
            if len(left) == before:
                _, scenario = left.popleft()
                keep(failed(scenario, error))
            print(f"  {told(error)}", flush=True)


async def _play_on(world: World, left: deque[tuple[int, Scenario]], seed: int, keep: Callable[[Report], None]) -> None:
    """Play what is *left*, until one fails: what that leaves behind is no place for the next."""
    while left:
        number, scenario = left.popleft()
        if (scenario.needs_server and world.server is None) or (scenario.needs_file and world.server):
            continue
        try:
            report = await play(world, scenario, seed + 100 * number)
        except Exception as error:  # noqa: BLE001  # the others are to be played, whatever it is
            report = failed(scenario, error)
        keep(report)
        if report.failure:
            return


async def _end(world: World) -> None:
    codes = [await bot.stop() for bot in world.bots]
    if any(codes):
        print(f"  ended with {codes}")
    for bot in world.bots:
        for trouble, times in bot.troubles.most_common(8):
            print(f"  {bot.name} logged {times} ×: {trouble[:150]}")


def tell(report: Report) -> None:
    for platform, tally in report.tallies.items():
        figures = [getattr(tally, name) for name in COUNTED]
        recovery = report.recovery
        seconds = [f"{recovery.median:.2f} s", f"{recovery.longest:.2f} s", f"{report.seconds_to_settle:.1f} s"]
        print(_line(report.scenario, platform, *figures, *seconds, f"{report.seconds:.0f} s"), flush=True)
        for reason, often in tally.reasons.items():
            print(f"    told {often} ×: {reason}")
        for detail in tally.details[:12]:
            print(f"    {detail}")
    for remark in report.remarks:
        print(f"    {remark}", flush=True)
    if report.failure:
        print(f"{report.scenario}: NOT PLAYED TO ITS END: {report.failure}", flush=True)


def _line(scenario: object, platform: object, *figures: object) -> str:
    return f"{scenario!s:13} {platform!s:8} " + " ".join(f"{figure!s:>11}" for figure in figures)
