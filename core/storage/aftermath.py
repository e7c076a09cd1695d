"""Actions on a finished answer, as rows: judge it, have it gone on with, or branch off there."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from core.storage import intake, rows
from core.storage.tables import feedback, threads, turns
from core.thread import ThreadId
from core.turn import GOES_ON, Accepted, QuestionKey, Turn, TurnId

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import ColumnElement, Connection

    from core.storage.deeds import Summon
    from core.storage.intake import Bounds
    from core.turn import Question, Reply, Status

DEEPEST = 20  # branches of branches that are told what was said before


def shown(connection: Connection, key: QuestionKey, of_attempt: int) -> Turn | None:
    """Return the turn of *key* if what people see of it is still *of_attempt*, and nobody changes that meanwhile."""
    lock = select(turns.c.id).where(turns.c.key == key, turns.c.attempt == of_attempt, ~turns.c.withdrawn)
    number = connection.scalar(lock.with_for_update())
    return None if number is None else rows.find_turns(connection, turns.c.id == number)[0]


def judge(connection: Connection, key: QuestionKey, of_attempt: int, by: str, verdict: str) -> bool | None:
    """Keep what *by* thinks of an answer; return whether that is news, None if it isn't that answer any more."""
    turn = shown(connection, key, of_attempt)
    if turn is None or not turn.is_answered:
        return None
    values = {
        "verdict": verdict,
        "comment": "",
        "attempt": of_attempt,
        "model": turn.model,
        "at": datetime.now(UTC),
    }
    insert = rows.insert_into(connection, feedback).values(turn=turn.id, person=by, **values)
    inserted = connection.scalar(insert.on_conflict_do_nothing().returning(feedback.c.person))
    if inserted is not None:
        return True
    is_other = (feedback.c.verdict != verdict) | (feedback.c.attempt != of_attempt)
    changed = connection.execute(update(feedback).where(*_is(turn.id, by), is_other).values(values))
    return changed.rowcount > 0


def comment(connection: Connection, key: QuestionKey, by: str, words: str) -> bool:
    """Keep what *by* adds to a verdict; return whether there is one."""
    turn = select(turns.c.id).where(turns.c.key == key, ~turns.c.withdrawn).scalar_subquery()
    change = update(feedback).where(feedback.c.turn == turn, feedback.c.person == by).values(comment=words)
    return connection.execute(change).rowcount > 0


def _is(turn: TurnId, by: str) -> tuple[ColumnElement[bool], ...]:
    return feedback.c.turn == turn, feedback.c.person == by


def go_on(
    connection: Connection, summon: Summon, question: Question, reply: Reply, *, bounds: Bounds, of: Turn
) -> Accepted | None:
    """Record *question*, which goes on with the answer of the turn *of*, once, behind all that its thread has.

    Returns None if people see another answer by now. Raises TooMany if there is no room for it, or it is more than the
    rates allow: then nothing is recorded.
    """
    if before := rows.find_turns(connection, turns.c.key == question.key):
        return Accepted(before[0], is_new=False)
    rows.lock_thread(connection, question.thread)  # before the turn, see `Ledger.conclude`
    now = shown(connection, of.question.key, of.attempt)
    if now is None or not now.may_go_on:
        return None
    turn = Turn(TurnId(0), question, reply=reply, reference=secrets.token_hex(4))
    return intake.accept(connection, summon, turn, replace(bounds, refuses=True))


def branch(connection: Connection, summon: Summon, turn: Turn, *, of: Turn) -> Accepted:
    """Record *turn*, Bobbin's own words in a thread of their own, once: a thread that knows what was said up to *of*."""
    if before := rows.find_turns(connection, turns.c.key == turn.question.key):
        return Accepted(before[0], is_new=False)
    accepted = intake.accept(connection, summon, turn, intake.Bounds())
    if accepted.is_new:
        grow(connection, turn.question.thread.id, of.question.thread.id, of.id)
    return accepted


def withdraw(connection: Connection, turn: Turn) -> list[QuestionKey]:
    """Forget what people think of the answer of a *turn* that was taken back; return the keys of what went on with it."""
    connection.execute(delete(feedback).where(feedback.c.turn == turn.id))
    prefix = f"{turn.question.key}{GOES_ON}"
    found = select(turns.c.key).where(
        turns.c.thread == turn.question.thread.id, turns.c.id > turn.id, ~turns.c.withdrawn
    )
    keys = connection.scalars(found.where(turns.c.key.startswith(prefix, autoescape=True)))
    return [QuestionKey(key) for key in keys]


def grow(connection: Connection, thread: ThreadId, of: ThreadId, after: TurnId) -> None:
    """Have *thread*, which is known, go on from what was said in another up to the turn *after*."""
    change = update(threads).where(
        threads.c.id == thread, threads.c.branch_of.is_(None), threads.c.conversation.is_(None)
    )
    connection.execute(change.values(branch_of=of, branched_at=after))


def transcript(
    connection: Connection, thread: ThreadId, before: TurnId, at_most: int, *, kinds: Collection[Status] | None = None
) -> list[Turn]:
    """As `Ledger.transcript`, and what was said before in the threads that *thread* branches off from; newest first.

    *kinds*: the turns that ended so, as people see them, in place of those that the thread remembers.
    """
    found: list[Turn] = []
    where: tuple[ColumnElement[bool], ...] = (turns.c.thread == thread, turns.c.id < before)
    for _ in range(DEEPEST):
        counts = rows.remembered(turns) if kinds is None else _seen(kinds)
        found += rows.find_turns(connection, *where, *counts, at_most=at_most - len(found))
        if len(found) >= at_most:
            break
        origin = connection.execute(
            select(threads.c.branch_of, threads.c.branched_at).where(threads.c.id == thread)
        ).first()
        if origin is None or origin.branch_of is None:
            break
        thread = ThreadId(origin.branch_of)
        # What one person alone has read there is nothing for those who read here.
        where = (turns.c.thread == thread, turns.c.id <= origin.branched_at, ~turns.c.private)
    return found


def _seen(kinds: Collection[Status]) -> tuple[ColumnElement[bool], ...]:
    return turns.c.model != "", ~turns.c.withdrawn, turns.c.status.in_([kind.value for kind in kinds])
