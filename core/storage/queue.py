"""The queue of what there is to do: which threads come next, and which turn of a thread, with all that it needs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from core.storage import rows
from core.storage.tables import threads, turns
from core.thread import Conversation, ConversationId, ThreadId
from core.turn import Status, Turn

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Connection

    from core.preset import Preset
    from core.storage.rows import Known


MOST_KEYS = 500  # of the newest turns of a thread, which are known from its conversation


@dataclass(frozen=True, slots=True)
class Taken:
    """A turn that this process may now see to, and what it needs for that."""

    turn: Turn
    accepted_at: datetime
    interruptions: int  # how often that happened since it was asked
    was_interrupted: bool  # somebody had begun it: the upstream may have heard the question
    conversation: Conversation | None  # None: begin a new one
    epoch: int  # of what the thread remembers; see `Ledger.conclude`
    has_earlier: bool  # does the thread remember turns before this one?
    is_stopping: bool  # was it to stop, or not to be begun with at all?
    known: Known  # what a conversation knows that goes on in the thread with this turn
    presets: list[tuple[str, Preset]]  # what is set in the thread's layers, widest first

    @property
    def is_first_answer(self) -> bool:
        """Has nobody asked to have it answered anew?"""
        return self.turn.attempt == 1 + self.interruptions


def open_threads(connection: Connection, chats: Collection[str], at_most: int | None) -> list[ThreadId]:
    """As `Ledger.open_threads`."""
    oldest = (
        select(
            turns.c.thread,
            turns.c.workspace,
            turns.c.asker,
            turns.c.id,
            func.row_number().over(partition_by=turns.c.thread, order_by=turns.c.id).label("in_thread"),
        )
        .join(threads)
        .where(~turns.c.shown, threads.c.chat.in_(chats))
        .subquery()
    )
    of_person = (
        select(
            oldest,
            func.row_number()
            .over(partition_by=(oldest.c.workspace, oldest.c.asker), order_by=oldest.c.id)
            .label("nth"),
        )
        .where(oldest.c.in_thread == 1)
        .subquery()
    )
    nth_in_workspace = func.row_number().over(
        partition_by=of_person.c.workspace, order_by=(of_person.c.nth, of_person.c.id)
    )
    fairly = select(of_person.c.thread).order_by(nth_in_workspace, of_person.c.id).limit(at_most)
    return [ThreadId(name) for name in connection.scalars(fairly)]


def take(connection: Connection, thread: ThreadId) -> Taken | None:
    """As `Ledger.take`."""
    row = rows.oldest_open(connection, thread)
    if row is None:
        return None
    turn = replace(rows.as_turn(row), attempt=row.attempt + 1)
    was_interrupted = turn.status is Status.STREAMING
    interruptions = row.interruptions + was_interrupted
    rows.take(connection, turn, interruptions)
    return Taken(
        turn=turn,
        accepted_at=row.accepted_at
        if row.accepted_at.tzinfo
        else row.accepted_at.replace(tzinfo=UTC),  # SQLite has none
        interruptions=interruptions,
        was_interrupted=was_interrupted,
        conversation=Conversation(ConversationId(row.conversation), row.begun) if row.conversation else None,
        epoch=row.epoch,
        has_earlier=row.has_earlier,
        is_stopping=row.stopping,
        known=rows.find_known(connection, thread, turn.id, MOST_KEYS),
        presets=rows.find_presets(connection, turn.question.thread.layers),
    )
