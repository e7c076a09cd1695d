"""What it costs to read a streamed answer of 4,000 tokens, beside parsing every line of it."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING

from core.upstream.ndjson import Lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TOKENS = 4_000
CHUNK_BYTES = 64 * 1024
SHOWN = 40  # how often a chat shows such an answer while it grows
ROUNDS = 5
_MARKDOWN = (
    '## What to do\n\nHere is a **list** of what matters:\n\n- First, call `open("a")`: it\'s quick\n'
    '- Then close it\n\n```python\nfor each in range(3):\n    print(f"{each}")\n```\n\n'
)
_PROSE = "It is not hard to follow, and it says enough to fill a paragraph or two and then some more. "


def measure() -> list[tuple[str, float, float]]:
    """Return rows of (name, our CPU seconds, the baseline's CPU seconds)."""
    rows = []
    for kind, sample in (("Markdown", _MARKDOWN), ("prose", _PROSE)):
        chunks = list(_chunks(_stream(sample)))
        assert _ours(chunks) == _every_line(chunks)
        size = sum(map(len, chunks)) // 1_000_000
        name = f"reading {TOKENS:,} tokens of {kind}, {size} MB of lines"
        rows.append((name, _seconds(_ours, chunks), _seconds(_every_line, chunks)))
    return rows


def _stream(sample: str) -> bytes:
    tokens = re.findall(r"\s*[^\s]{1,5}|\s+", sample)
    lines = []
    answer = ""
    for number in range(TOKENS):
        piece = tokens[number % len(tokens)]
        answer += piece
        lines.append(
            json.dumps({"answer": answer, "delta_answer": piece, "id": "7cdb293b-0000-4000-8000-000000000000"})
        )
    return "".join(f"{line}\r\n" for line in lines).encode()


def _chunks(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), CHUNK_BYTES):
        yield body[start : start + CHUNK_BYTES]


def _ours(chunks: list[bytes]) -> str:
    lines = Lines()
    every = max(1, len(chunks) // SHOWN)
    for number, chunk in enumerate(chunks):
        lines.feed(chunk)
        if number % every == 0:
            lines.said()
    lines.finish()
    return lines.said().text


def _every_line(chunks: list[bytes]) -> str:
    rest = b""
    answer = ""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            answer = json.loads(line)["answer"]
    return answer


def _seconds(read: Callable[[list[bytes]], str], chunks: list[bytes]) -> float:
    """Return the least CPU time of several rounds: the machine's other work only ever adds."""
    times = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        read(chunks)
        times.append(time.process_time() - begun)
    return min(times)
