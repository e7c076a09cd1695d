"""What the bench says of its figures, and README of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from benchmarks import readme
from benchmarks.__main__ import BENCHES, told
from benchmarks.rows import Aim, aims_of

HOUSE = Path(__file__).parent.parent


def run(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  # words of ours
        [sys.executable, "-m", "benchmarks", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(HOUSE)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_figure_is_held_against_its_bounds() -> None:
    most, least, none = Aim("a", "{:.1f} s", most=1), Aim("b", "{:.0f}", least=100), Aim("c", "{:.0%}")
    assert [most.row(1.0, "").is_reached, most.row(1.01, "").is_reached] == [True, False]
    assert [least.row(100, "").is_reached, least.row(99, "").is_reached] == [True, False]
    assert none.row(7, "").is_reached
    assert (most.reach, least.reach, none.reach) == ("≤ 1.0 s", "≥ 100", "")
    assert most.row(0.25, "250 ms").figure == "0.2 s"


def test_aims_are_told_apart() -> None:
    names = [aim.what for bench in BENCHES.values() for aim in aims_of(bench)]
    assert len({*names}) == len(names)


def test_readme_has_the_rows_that_the_bench_has() -> None:
    assert readme.rows_in(readme.README.read_text()) == told()


def test_the_table_is_written_from_what_was_measured() -> None:
    reached, missed = Aim("quick", "{:.0f} ms", most=5).row(4, "4 ms"), Aim("slow", "{:.0f} ms", most=5).row(6, "6 ms")
    result = {"date": "2026-01-02", "machine": "2 cores", "rows": [asdict(missed), asdict(reached)]}
    table = readme.table(result, ["quick", "slow"])
    assert "| quick | 4 ms |  | 4 ms | ≤ 5 ms |" in table
    assert "| slow | 6 ms |  | 6 ms ✗ | ≤ 5 ms |" in table
    text = readme.with_table(f"before\n{readme.BEGIN}\nold\n{readme.END}\nafter", table)
    assert readme.rows_in(text) == ["quick", "slow"]
    assert "old" not in text
    assert text.startswith("before")
    assert text.endswith("after")


def test_half_a_run_does_not_make_the_table() -> None:
    with pytest.raises(LookupError, match="slow"):
        readme.table({"date": "", "machine": "", "rows": []}, ["slow"])


def test_a_bench_that_is_not_there_is_said(tmp_path: Path) -> None:
    done = run("swift", folder=tmp_path)
    assert done.returncode == 2
    assert "swift" in done.stderr
    assert "grown" in done.stderr


def test_the_exit_status_says_what_was_missed(tmp_path: Path) -> None:
    """Reading lines is the quickest of them; whether it reaches its aims, the machine decides."""
    done = run("ndjson", folder=tmp_path)
    rows = json.loads((tmp_path / "build" / "bench.json").read_text())["rows"]
    assert done.returncode == (0 if all(row["is_reached"] for row in rows) else 1), done.stderr
