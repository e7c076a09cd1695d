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
from typing import Any

from tests.faults.bots import Process, Topology
from tests.faults.harm import scenarios
from tests.faults.play import Report
from tests.faults.run import run, tell

SEED = 7
RESULT = Path("build/faults.json")

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
    results: dict[str, Any] = {"seed": given.seed, "share": given.share}
    is_well, began = True, time.monotonic()
    given.result.parent.mkdir(parents=True, exist_ok=True)
    for topology in TOPOLOGIES:
        if topology.name in given.topologies:
            folder = Path(tempfile.mkdtemp(prefix=f"bobbin-faults-{topology.name}-"))
            reports = results[topology.name] = []

            def keep(report: Report, reports: list[object] = reports) -> None:
                nonlocal is_well
                tell(report)
                reports.append(report.as_json())
                is_well = is_well and report.is_well
                given.result.write_text(json.dumps(results, indent=1))

            asyncio.run(run(topology, wanted, given.seed, folder, keep))
    print(f"\n{'All is well' if is_well else 'NOT WELL'}: {given.result}, {time.monotonic() - began:.0f} s")
    return 0 if is_well else 1


sys.exit(main())
