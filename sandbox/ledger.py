"""Reads the bot's own record of the questions that it accepted: its SQLite file, from outside while it runs.

Neither made nor changed by this. The columns are those of `core/storage/tables.py`.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOOK_SECONDS = 0.05
PATIENCE = 2.0  # seconds; who writes holds the file for milliseconds
_TURNS = """
SELECT turns.id, turns.thread, threads.chat, threads.within, threads.conversation, turns.asker,
       substr(turns.question, 1, 4000) AS question, turns.status, turns.problem, turns.aside,
       substr(turns.answer, 1, 4000) AS answer, turns.reply, turns.shown, turns.attempt, turns.model,
       turns.preset, turns.reference, turns.accepted_at, turns.done_at
FROM turns JOIN threads ON threads.id = turns.thread WHERE turns.id > ? ORDER BY turns.id DESC LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A turn as it stands in the ledger, long words cut off. Ids and *reply* are the adapters' own, opaque here."""

    id: int
    thread: str
    chat: str
    within: tuple[str, ...]  # the places that it lies in, widest first
    conversation: str
    asker: str
    question: str
    status: str
    problem: str
    aside: str
    answer: str
    reply: str
    shown: bool
    attempt: int
    model: str  # empty: Bobbin answered by itself, or has not asked yet
    preset: str
    reference: str
    accepted_at: str
    done_at: str

    @property
    def layers(self) -> tuple[str, ...]:
        """Every place whose preset counts here, widest first, ending with the thread itself."""
        return tuple(dict.fromkeys((*self.within, self.thread)))


class Ledger:
    """Empty as long as there is no database, and while it can't be read."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def turns(self, *, after: int = 0, most: int = 100) -> list[Row]:
        """The newest turns with an id above *after*, oldest first."""
        found = [
            Row(
                **{
                    **row,
                    "within": tuple(json.loads(row["within"])),
                    "conversation": row["conversation"] or "",
                    "shown": bool(row["shown"]),
                    "done_at": row["done_at"] or "",
                }
            )
            for row in self._select(_TURNS, after, most)
        ]
        return found[::-1]

    def presets(self) -> dict[str, dict[str, str]]:
        """What is set, by place: the fields that are."""
        fields = ("name", "model", "instructions", "follow")
        rows = self._select(f"SELECT place, {', '.join(fields)} FROM presets")  # noqa: S608  # no one else's words
        return {row["place"]: {name: row[name] for name in fields if row[name] is not None} for row in rows}

    @property
    def is_busy(self) -> bool:
        """Is there a question whose end is not shown yet?"""
        return bool(self._select("SELECT 1 FROM turns WHERE shown = 0 LIMIT 1"))

    async def idle(self) -> None:
        """Return when every question that was accepted has its end shown."""
        while self.is_busy:  # noqa: ASYNC110  # nobody tells: another process writes it
            await asyncio.sleep(LOOK_SECONDS)

    def _select(self, statement: str, *values: object) -> list[dict[str, Any]]:
        # Not read-only: that would leave the files of the write-ahead log behind. https://www.sqlite.org/wal.html
        url = f"{self._file.as_uri()}?mode=rw"
        try:
            with closing(sqlite3.connect(url, timeout=PATIENCE, uri=True)) as connection:
                connection.row_factory = sqlite3.Row
                return [dict(row) for row in connection.execute(statement, values)]
        except sqlite3.OperationalError:  # it is not there yet, or the bot is just making its tables
            return []
