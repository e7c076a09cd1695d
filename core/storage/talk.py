"""Who has talked with the bot in a thread, and how that ended, as rows."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from core.following import Exchange, Talk
from core.storage.tables import turns
from core.turn import OVER, QuestionKey, Status

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from core.thread import ThreadId

OF_LATE = 50  # turns of which it is looked at who asked
LONGEST_END = 400  # characters of an answer

_IN_THREAD = (turns.c.thread == bindparam("of_thread"), ~turns.c.withdrawn)
_NEWEST = select(turns).where(*_IN_THREAD).order_by(turns.c.id.desc()).limit(1)
_OF_LATE = select(turns.c.asker).where(*_IN_THREAD).order_by(turns.c.id.desc()).limit(OF_LATE)


def find(connection: Connection, thread: ThreadId) -> Talk:
    newest = connection.execute(_NEWEST, {"of_thread": thread}).first()
    if newest is None:
        return Talk()
    ended_at = newest.done_at if Status(newest.status) in OVER else None
    if ended_at and not ended_at.tzinfo:  # SQLite has none
        ended_at = ended_at.replace(tzinfo=UTC)
    exchange = Exchange(QuestionKey(newest.key), newest.asker, ended_at, newest.answer[-LONGEST_END:])
    return Talk(exchange, frozenset(connection.scalars(_OF_LATE, {"of_thread": thread})))
