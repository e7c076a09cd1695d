"""Plays every scenario in every topology, prints a table, and writes JSON: `python -m tests.faults [TOPOLOGY …]`."""

# ruff: noqa: T201  (it prints a table)

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.bots import Process, Topology
from tests.faults.harm import Scenario, scenarios
from tests.faults.play import Report, play
from tests.faults.world import opened

SEED = 7
RESULT = Path("build/faults.json")
COUNTED = ("asked", "answered", "told", "unheard", "lost", "doubled", "disordered", "orphans", "repeats")

_DISTRIBUTED = {"BOBBIN_ENGINE": "procrastinate"}
TOPOLOGIES = [
    Topology("sqlite", "sqlite", (Process("bot"),)),
    Topology("postgres", "postgres", (Process("bot"),)),
    Topology(
        "procrastinate",
        "postgres",
        tuple(Process(f"bot-{number}", variables=_DISTRIBUTED) for number in range(3)),
        slack_limits=False,  # three budgets are more than one workspace has
    ),
]
BY_DEFAULT = ("sqlite", "procrastinate")


async def run(topology: Topology, wanted: list[Scenario], seed: int, folder: Path) -> list[Report]:
    print(f"\n{topology.name}: {len(topology.processes)} process(es), logs in {folder}")
    print(_line("scenario", "platform", *COUNTED, "recovery p50", "max", "settled", "took"))
    reports = []
    async with opened(topology, folder) as world:
        for number, scenario in enumerate(wanted):
            if scenario.needs_server and world.server is None:
                continue
            report = await play(world, scenario, seed + 100 * number)
            reports.append(report)
            _tell(report)
        codes = [await bot.stop() for bot in world.bots]
        if any(codes):
            print(f"  ended with {codes}")
        for bot in world.bots:
            for trouble, times in bot.troubles.most_common(8):
                print(f"  {bot.name} logged {times} ×: {trouble[:150]}")
    return reports


def _tell(report: Report) -> None:
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


def _line(scenario: object, platform: object, *figures: object) -> str:
    return f"{scenario!s:13} {platform!s:8} " + " ".join(f"{figure!s:>11}" for figure in figures)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("topologies", nargs="*", default=BY_DEFAULT, help=", ".join(one.name for one in TOPOLOGIES))
    parser.add_argument("--only", action="append", help="play this scenario; may be given again")
    parser.add_argument("--share", type=float, default=1.0, help="of the questions; 1 is about 1,000")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--result", type=Path, default=RESULT)
    given = parser.parse_args()
    wanted = [
        one for one in scenarios(given.share) if one.name in (given.only or ()) or not (given.only or one.only_if_named)
    ]
    # The local servers complain of every bot that leaves in the middle of a call.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    results: dict[str, object] = {"seed": given.seed, "share": given.share}
    is_well, began = True, time.monotonic()
    for topology in TOPOLOGIES:
        if topology.name in given.topologies:
            folder = Path(tempfile.mkdtemp(prefix=f"bobbin-faults-{topology.name}-"))
            reports = asyncio.run(run(topology, wanted, given.seed, folder))
            results[topology.name] = [report.as_json() for report in reports]
            is_well = is_well and all(report.is_well for report in reports)
    given.result.parent.mkdir(parents=True, exist_ok=True)
    given.result.write_text(json.dumps(results, indent=1))
    print(f"\n{'All is well' if is_well else 'NOT WELL'}: {given.result}, {time.monotonic() - began:.0f} s")
    return 0 if is_well else 1


sys.exit(main())
