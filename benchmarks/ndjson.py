"""What it costs to read a streamed answer of 4,000 tokens, a line at a time as it comes, beside parsing every line of it."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING

from benchmarks.rows import Aim, Row
from core.upstream.ndjson import Lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TOKENS = 4_000
SHOWN = 40  # how often a chat shows such an answer while it grows
ROUNDS = 5
_MARKDOWN = (
    '## What to do\n\nHere is a **list** of what matters:\n\n- First, call `open("a")`: it\'s quick\n'
    '- Then close it\n\n```python\nfor each in range(3):\n    print(f"{each}")\n```\n\n'
)
_PROSE = "It is not hard to follow, and it says enough to fill a paragraph or two and then some more. "


REACH = 1 / 5  # of what it takes to parse all
AIMS = {
    kind: Aim(f"reading {TOKENS:,} tokens of {kind}: CPU", "{:.3f} × parsing every line", REACH)
    for kind in ("Markdown", "prose")
}


async def measure() -> list[Row]:
    rows = []
    for kind, sample in (("Markdown", _MARKDOWN), ("prose", _PROSE)):
        lines = list(_stream(sample))
        assert _ours(lines) == _every_line(lines)
        size = sum(map(len, lines)) // 1_000_000
        ours, baseline = _seconds(_ours, lines), _seconds(_every_line, lines)
        told = f"{1000 * ours:.0f} ms for {size} MB"
        rows.append(AIMS[kind].row(ours / baseline, told, f"{1000 * baseline:.0f} ms parsing every line"))
    return rows


def _stream(sample: str) -> Iterator[bytes]:
    tokens = re.findall(r"\s*[^\s]{1,5}|\s+", sample)
    answer = ""
    for number in range(TOKENS):
        piece = tokens[number % len(tokens)]
        answer += piece
        line = {"answer": answer, "delta_answer": piece, "id": "7cdb293b-0000-4000-8000-000000000000"}
        yield f"{json.dumps(line)}\r\n".encode()


def _ours(lines: list[bytes]) -> str:
    read = Lines()
    for number, line in enumerate(lines):
        read.feed(line)
        if number % (TOKENS // SHOWN) == 0:
            read.said()
    read.finish()
    return read.said().text


def _every_line(lines: list[bytes]) -> str:
    answer = ""
    for line in lines:
        answer = json.loads(line)["answer"]
    return answer


def _seconds(read: Callable[[list[bytes]], str], lines: list[bytes]) -> float:
    """Return the least CPU time of several rounds: the machine's other work only ever adds."""
    times = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        read(lines)
        times.append(time.process_time() - begun)
    return min(times)
