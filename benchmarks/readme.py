"""Writes the figures of the last run into README, between two markers."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- figures: written by `python -m benchmarks --readme` -->", "<!-- end of figures -->"
HEAD = ("what", "Bobbin", "beside it", "figure", "aim")


def machine() -> str:
    """Its class: what one would buy."""
    told = Path("/proc/cpuinfo").read_text()
    model = next((line.partition(": ")[2] for line in told.splitlines() if line.startswith("model name")), "")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return f"{len(os.sched_getaffinity(0))} cores ({model or 'of an unknown kind'}), {memory:.0f} GB"


def table(result: Mapping[str, Any], told: Sequence[str]) -> str:
    """Of the rows in *result*, those named in *told*. Raises LookupError if one is missing."""
    rows = {row["what"]: row for row in result["rows"]}
    if missing := [what for what in told if what not in rows]:
        raise LookupError(f"the last run measured no {missing[0]!r}: run all of the bench")
    lines = [HEAD, ("---",) * len(HEAD)]
    for row in (rows[what] for what in told):
        figure = row["figure"] if row["is_reached"] else f"{row['figure']} ✗"
        lines.append((row["what"], row["ours"], row["baseline"], figure, row["reach"]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + f"\n\n{result['date']}, {result['machine']}."


def with_table(text: str, table: str) -> str:
    """Return README's *text* with another table. Raises LookupError if there is no place for it."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise LookupError("README has no place for figures")
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"


def rows_in(text: str) -> list[str]:
    """What README's *text* has figures of."""
    table = text.partition(BEGIN)[2].partition(END)[0]
    return [line.split(" | ")[0].removeprefix("| ") for line in table.splitlines() if line.startswith("| ")][2:]
