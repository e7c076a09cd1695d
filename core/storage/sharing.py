"""Shares a private answer: as a turn of its own, in the thread where the others are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import update

from core.storage import intake, rows
from core.storage.tables import threads, turns
from core.turn import Accepted, QuestionKey, Turn, TurnId

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from core.storage.deeds import Summon
    from core.thread import Thread
    from core.turn import Reply


def share(
    connection: Connection, summon: Summon, key: QuestionKey, by: str, *, thread: Thread, reply: Reply
) -> Accepted | None:
    """As `Relay.share`."""
    found = rows.find_turns(connection, turns.c.key == key)
    if not found or not found[0].offers_share or found[0].question.asker != by:
        return None
    turn = _shared(found[0], thread, reply)
    # Looked for first, so that a click too many leaves no empty thread.
    if before := rows.find_turns(connection, turns.c.key == turn.question.key):
        return Accepted(before[0], is_new=False)
    accepted = intake.accept(connection, summon, turn, intake.Bounds())
    if accepted.is_new:
        # Its conversation knows nothing of this: the next question there is told.
        memory = update(threads).where(threads.c.id == thread.id)
        connection.execute(memory.values(conversation=None, epoch=threads.c.epoch + 1))
    return accepted


def _shared(turn: Turn, thread: Thread, reply: Reply) -> Turn:
    asked = turn.question
    question = replace(
        asked,
        key=QuestionKey(f"{asked.key}/shared"),
        thread=thread,
        attachments=(),  # nobody agreed to show these
        quotes=tuple(replace(quote, attachments=()) for quote in asked.quotes),
        is_private=False,
        is_unseen=True,
    )
    return Turn(
        TurnId(0),
        question,
        turn.status,
        turn.answer,
        reply=reply,
        model=turn.model,
        reference=turn.reference,
    )
