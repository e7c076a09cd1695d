"""Finds turns by more than their key: by when something was asked, or by what a chat has written into their replies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, exists, select

from core.storage import rows
from core.storage.stops import IS_OPEN
from core.storage.tables import threads, turns

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection

    from core.thread import ThreadId
    from core.turn import QuestionKey, Turn


def active(connection: Connection, chat: str, since: datetime, at_most: int) -> list[Turn]:
    """Return the newest turns of the threads of *chat* in which something was asked since then; newest first."""
    # Turns are numbered as they are accepted: from the newest one that is older, back, none is of interest. Asked
    # by itself, since the database should know how few are left before it decides how to look for them.
    older = select(turns.c.id).where(turns.c.accepted_at < since).order_by(turns.c.id.desc()).limit(1)
    # By subqueries, since SQLite would begin a join at the other end, with all threads there are.
    later = turns.alias("later")
    newest = (
        select(turns.c.id)
        .where(turns.c.id > (connection.scalar(older) or 0))
        .where(select(threads.c.chat).where(threads.c.id == turns.c.thread).scalar_subquery() == chat)
        .where(~exists().where(later.c.thread == turns.c.thread, later.c.id > turns.c.id))
        .order_by(turns.c.id.desc())
        .limit(at_most)
    )
    return rows.find_turns(connection, turns.c.id.in_(connection.scalars(newest).all()))


def firsts(connection: Connection, of: Iterable[ThreadId]) -> dict[ThreadId, QuestionKey]:
    """Return the key of the first question of each thread."""
    # One by one, since there are few, and a thread may have very many turns.
    first = select(turns.c.key).where(turns.c.thread == bindparam("thread")).order_by(turns.c.id).limit(1)
    return {thread: connection.scalars(first, {"thread": thread}).one() for thread in of}


def noting(connection: Connection, mark: str, ranges: Iterable[tuple[QuestionKey, QuestionKey]]) -> Turn | None:
    """As `Ledger.turn_noting`."""
    # By itself and unsorted, so that the database looks for it by the key.
    found = [
        number
        for first, last in ranges
        for number in connection.scalars(
            select(turns.c.id).where(turns.c.key.between(first, last), turns.c.reply.contains(mark, autoescape=True))
        )
    ]
    return next(iter(rows.find_turns(connection, turns.c.id == max(found))), None) if found else None


def open_noting(connection: Connection, key: QuestionKey, mark: str, within: str) -> Turn | None:
    """As `Ledger.open_turn_noting`."""
    is_it = (turns.c.key == key) | (
        turns.c.thread.startswith(within, autoescape=True) & turns.c.reply.contains(mark, autoescape=True)
    )
    return next(iter(rows.find_turns(connection, ~turns.c.shown, ~turns.c.withdrawn, IS_OPEN, is_it)), None)
