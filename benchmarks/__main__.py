"""Runs every bench and prints its figures as ratios; exits with 1 if one of them is not reached.

`python -m benchmarks [NAME …]` runs some. With `--readme` it measures nothing, and writes the figures of the last whole run
into README.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

from benchmarks import discord, engine, grown, lag, ndjson, readme, relay, short, slack, start, stop, streams, turn
from benchmarks.rows import Row, aims_of
from core.log import set_up_log

RESULT = Path("build/bench.json")
BENCHES: dict[str, ModuleType] = {
    "turn": turn,
    "slack": slack,
    "discord": discord,
    "stop": stop,
    "relay": relay,
    "short": short,
    "engine": engine,
    "streams": streams,
    "lag": lag,
    "grown": grown,
    "ndjson": ndjson,
    "start": start,
}


def main(words: list[str]) -> int:
    if words == ["--readme"]:
        table = readme.table(json.loads(RESULT.read_text()), told())
        readme.README.write_text(readme.with_table(readme.README.read_text(), table))
        return 0
    if unknown := set(words) - {*BENCHES}:
        print(f"There is no bench {', '.join(sorted(unknown))}; there are: {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    set_up_log("WARNING", as_json=True)  # as a bot that says nothing
    rows: list[Row] = []
    for name in words or BENCHES:
        print(f"measuring {name} …", end=" ", file=sys.stderr, flush=True)
        began = time.monotonic()
        found: list[Row] = asyncio.run(BENCHES[name].measure())
        print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
        if missing := {aim.what for aim in aims_of(BENCHES[name])} - {row.what for row in found}:
            raise RuntimeError(f"{name} did not measure {missing}")
        rows += found
        _keep(rows)
    _print(rows)
    missed = sum(not row.is_reached for row in rows)
    print(f"\n{len(rows) - missed} of {len(rows)} reached; {RESULT}")
    return 1 if missed else 0


def _keep(rows: list[Row]) -> None:
    """After each bench, so that the figures so far are kept if it is interrupted."""
    date = datetime.now(UTC).date().isoformat()
    result = {"date": date, "machine": readme.machine(), "rows": [asdict(row) for row in rows]}
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1, ensure_ascii=False))


def told() -> list[str]:
    """The names of the rows that README tells of, in their order."""
    return [aim.what for bench in BENCHES.values() for aim in aims_of(bench) if aim.is_told]


def _print(rows: list[Row]) -> None:
    table = [("what", "ours", "baseline", "figure", "reach", ""), *map(_cells, rows)]
    widths = [max(len(row[column]) for row in table) for column in range(6)]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _cells(row: Row) -> tuple[str, ...]:
    return row.what, row.ours, row.baseline, row.figure, row.reach, "✓" if row.is_reached else "✗"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
