"""Counts questions and answers by day, preset and model, and what people thought of them. Only reads."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, func, or_, select

from core.storage.tables import feedback, turns
from core.turn import OVER, Status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from sqlalchemy import Connection

MOST_COUNTED = 500_000  # turns, the newest; that many are counted in a few seconds
MOST_DAYS = 92
_IS_OPEN = turns.c.status.notin_([status.value for status in OVER])
# Neither what Bobbin itself said, nor what was shared and so was counted where it was asked.
_WAS_ASKED = and_(
    or_(turns.c.model != "", _IS_OPEN, turns.c.status == Status.FAILED.value),
    ~turns.c.key.endswith("/shared"),
)


@dataclass(slots=True)
class Row:
    """Of one preset and model; empty names: not answered yet, or answered by an earlier version that kept none."""

    preset: str
    model: str
    ended: Counter[Status] = field(default_factory=Counter)  # questions by what became of them
    verdicts: Counter[str] = field(default_factory=Counter)  # people's, by the day of the question

    @property
    def questions(self) -> int:
        return self.ended.total()


@dataclass(frozen=True, slots=True)
class Day:
    date: date  # in UTC
    rows: list[Row]  # the busiest first


@dataclass(frozen=True, slots=True)
class Stats:
    days: list[Day]  # the newest first; those without questions are left out
    is_all: bool  # False: there were more turns in that time than are counted


def stats(connection: Connection, days: int, now: datetime, most: int = MOST_COUNTED) -> Stats:
    """Count what was asked on the last *days*, today among them, in the newest turns, *most* at most."""
    newest = connection.scalar(select(func.max(turns.c.id))) or 0
    floor = max(0, newest - most)
    counted: list[Day] = []
    last = newest
    for day in _days(now, days):
        first = _first_since(connection, datetime.combine(day, time(), UTC), floor, last)
        if last > first and (rows := _rows(connection, first, last)):
            counted.append(Day(day, rows))
        last = first
        if last <= floor:
            break
    return Stats(counted, is_all=floor == 0 or last > floor)


def _days(now: datetime, count: int) -> Iterator[date]:
    for back in range(min(count, MOST_DAYS)):
        yield now.astimezone(UTC).date() - timedelta(days=back)


def _first_since(connection: Connection, since: datetime, low: int, high: int) -> int:
    """Return the id after which turns were accepted *since* then, between those two: ids rise with that time.

    There is no index for the time, and none is needed: twenty look-ups find it among a million.
    """
    while low < high:
        middle = (low + high + 1) // 2
        at = select(turns.c.accepted_at).where(turns.c.id >= middle, turns.c.id <= high).order_by(turns.c.id).limit(1)
        accepted = connection.scalar(at)
        if accepted is None or _aware(accepted) >= since:
            high = middle - 1
        else:
            low = middle
    return low


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)  # SQLite has none


def _rows(connection: Connection, after: int, last: int) -> list[Row]:
    is_of_day = and_(turns.c.id > after, turns.c.id <= last)
    rows: dict[tuple[str, str], Row] = {}

    def row(preset: str, model: str) -> Row:
        return rows.setdefault((preset, model), Row(preset, model))

    of = (turns.c.answered_as, turns.c.model)
    ended = select(*of, turns.c.status, func.count()).where(is_of_day, _WAS_ASKED).group_by(*of, turns.c.status)
    for preset, model, status, count in connection.execute(ended):
        row(preset, model).ended[Status(status)] += count
    judged = (
        select(turns.c.answered_as, feedback.c.model, feedback.c.verdict, func.count())
        .join(turns, turns.c.id == feedback.c.turn)
        .where(feedback.c.turn > after, feedback.c.turn <= last)
        .group_by(turns.c.answered_as, feedback.c.model, feedback.c.verdict)
    )
    for preset, model, verdict, count in connection.execute(judged):
        row(preset, model).verdicts[verdict] += count
    return sorted(rows.values(), key=lambda one: (-one.questions, one.preset, one.model))
