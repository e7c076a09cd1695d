"""Runs every bench and prints its figures as ratios. `python -m benchmarks [NAME …]` runs some."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path

from benchmarks import engine, grown, lag, ndjson, relay, short, slack, start, streams
from benchmarks.rows import Row
from core.log import set_up_log

NDJSON_REACH = 1 / 5
RESULT = Path("build/bench.json")


async def measure_ndjson() -> list[Row]:
    return [
        Row(
            name,
            f"{ours * 1000:.0f} ms",
            f"{baseline * 1000:.0f} ms",
            f"{ours / baseline:.3f} ×",
            f"≤ {NDJSON_REACH} ×",
            ours / baseline <= NDJSON_REACH,
        )
        for name, ours, baseline in ndjson.measure()
    ]


BENCHES = {
    "relay": relay.measure,
    "short": short.measure,
    "engine": engine.measure,
    "streams": streams.measure,
    "lag": lag.measure,
    "slack": slack.measure,
    "grown": grown.measure,
    "ndjson": measure_ndjson,
    "start": start.measure,
}


def main() -> None:
    set_up_log("WARNING", as_json=True)  # as a bot that says nothing
    rows: list[Row] = []
    for name in sys.argv[1:] or BENCHES:
        print(f"measuring {name} …", file=sys.stderr)
        rows += asyncio.run(BENCHES[name]())
    table = [("what", "ours", "baseline", "figure", "reach", ""), *map(_cells, rows)]
    widths = [max(len(row[column]) for row in table) for column in range(6)]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps([asdict(row) for row in rows], indent=1, ensure_ascii=False))
    print(f"\n{RESULT}")


def _cells(row: Row) -> tuple[str, ...]:
    return row.what, row.ours, row.baseline, row.figure, row.reach, "✓" if row.is_reached else "✗"


main()
