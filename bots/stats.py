"""`bobbin stats`: tells operators in a table what was asked, answered and thought of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.aftermath import Verdict
from core.storage.look import read
from core.storage.stats import MOST_COUNTED, stats
from core.turn import OVER, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.settings import Settings
    from core.storage.stats import Row, Stats

_HEAD = ("day (UTC)", "preset", "model", "questions", "answers", "failures", "stopped", "open", "good", "bad")
_NAMES = 3  # columns; the others are numbers
NOTHING = "Nothing was asked in that time."


async def tell(settings: Settings, days: int) -> str:
    """Return the table. Raises SetupError."""
    url, now = settings.database.url.get_secret_value(), datetime.now(UTC)
    return "\n".join(table(await read(url, lambda connection: stats(connection, days, now))))


def table(counted: Stats) -> Iterator[str]:
    """Yield the lines of it: a line for each preset and model of a day."""
    lines = [_HEAD, *_lines(counted)]
    if len(lines) == 1:
        yield NOTHING
        return
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    for line in lines:
        cells = (
            cell.ljust(width) if column < _NAMES else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()
    if not counted.is_all:
        yield f"Of more than {MOST_COUNTED:,} questions and answers, only the newest were counted."


def _lines(counted: Stats) -> Iterator[tuple[str, ...]]:
    for day in counted.days:
        for row in day.rows:
            yield (day.date.isoformat(), _name(row.preset), _name(row.model), *(f"{one:,}" for one in _numbers(row)))


def _numbers(row: Row) -> tuple[int, ...]:
    opened = sum(count for status, count in row.ended.items() if status not in OVER)
    ended = (row.ended[status] for status in (Status.ANSWERED, Status.FAILED, Status.STOPPED))
    return row.questions, *ended, opened, row.verdicts[Verdict.GOOD], row.verdicts[Verdict.BAD]


def _name(name: str) -> str:
    """People may name any model, so that it is told without what a terminal would obey."""
    return "".join(sign if sign.isprintable() else "?" for sign in name)[:40] or "-"
