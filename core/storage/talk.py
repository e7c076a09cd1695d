"""Finds who has talked with the bot in a thread, and how that ended, in rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, case, func, select

from core.following import Exchange, Talk
from core.storage.tables import turns
from core.turn import OVER, QuestionKey, Status

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from core.thread import ThreadId

OF_LATE = 20  # turns that are looked at
LONGEST_END = 400  # characters of an answer

_LENGTH = func.length(turns.c.answer)
_END = func.substr(turns.c.answer, case((_LENGTH > LONGEST_END, _LENGTH - LONGEST_END + 1), else_=1))
_OF_LATE = (
    select(turns.c.key, turns.c.asker, turns.c.status, turns.c.model, turns.c.done_at, _END.label("end"))
    .where(turns.c.thread == bindparam("of_thread"), ~turns.c.withdrawn)
    .order_by(turns.c.id.desc())
    .limit(OF_LATE)
)


def find(connection: Connection, thread: ThreadId) -> Talk:
    """A command, which Bobbin answers by itself, is no exchange, unless there is no other."""
    found = connection.execute(_OF_LATE, {"of_thread": thread}).all()
    if not found:
        return Talk()
    newest = next((row for row in found if row.model or Status(row.status) not in OVER), found[0])
    spoke_at = (
        None
        if Status(newest.status) not in OVER
        else max((_utc(row.done_at) for row in found if row.done_at), default=None)
    )
    exchange = Exchange(QuestionKey(newest.key), newest.asker, spoke_at, newest.end)
    return Talk(exchange, frozenset(row.asker for row in found))


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)  # SQLite has none
