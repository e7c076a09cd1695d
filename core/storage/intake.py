"""How what people ask and command is recorded: once, and no more of it at a time than there is room for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import and_, bindparam, case, func, select

from core.quota import Open
from core.storage import rows
from core.storage.deeds import Deeds
from core.storage.tables import turns
from core.turn import Accepted, Status, Turn

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from core.quota import Quota, Whose
    from core.storage.deeds import Deed, Summon
    from core.turn import QuestionKey, TurnId


@dataclass(frozen=True, slots=True)
class Obeyed:
    """What the ledger says of a command that was handed in."""

    accepted: Accepted
    reopened: Turn | None = None  # what it wants to be answered again
    stopped: tuple[TurnId, ...] = ()  # and what not any further


def accept(connection: Connection, summon: Summon, turn: Turn, quota: Quota | None) -> Accepted:
    """Record *turn*, unless its question is known."""
    return _record(connection, summon, turn, quota) or _known(connection, turn.question.key)


def obey(connection: Connection, summon: Summon, turn: Turn, quota: Quota | None, deed: Deed) -> Obeyed:
    """Record *turn*, a command, unless it is known, and do *deed*, whose words answer it, unless there is no room for it."""
    accepted = _record(connection, summon, turn, quota)
    if accepted is None:
        return Obeyed(_known(connection, turn.question.key))
    if accepted.exceeded:
        return Obeyed(accepted)
    done = Deeds(connection, summon)
    told = deed(done)
    rows.answer(connection, accepted.turn.id, told.sentence)
    answered = replace(accepted, turn=replace(accepted.turn, answer=told.sentence))
    return Obeyed(answered, done.reopened, tuple(done.stopped))


def _record(connection: Connection, summon: Summon, turn: Turn, quota: Quota | None) -> Accepted | None:
    """Record *turn*, or in its place that there is no room for it; None if its question is known."""
    thread = turn.question.thread
    rows.lock_thread(connection, thread)
    exceeded: Whose | None = None
    opened = _opened(connection, turn) if quota else None
    if quota and opened and (exceeded := quota.exceeded(opened)):
        # That is said once at a time to each, or refusing would itself be what floods the thread.
        turn = replace(turn, status=Status.ANSWERED, answer=quota.refusal(exceeded).sentence, shown=opened.told > 0)
    number = rows.add_turn(connection, turn)
    if number is None:
        return None
    if not turn.shown:
        summon(connection, thread, opened.person if opened else 0)
    return Accepted(turn=replace(turn, id=number), is_new=True, exceeded=exceeded)


def _known(connection: Connection, key: QuestionKey) -> Accepted:
    return Accepted(turn=rows.find_turns(connection, turns.c.key == key)[0], is_new=False)


def _opened(connection: Connection, turn: Turn) -> Open:
    question = turn.question
    of = {"workspace": question.thread.workspace, "asker": question.asker, "thread": question.thread.id}
    return Open(*connection.execute(_OPENED, of).one())


def _counted(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((and_(*conditions), 1)))


_IS_THEIRS = turns.c.asker == bindparam("asker")
_OPENED = select(
    _counted(_IS_THEIRS),
    _counted(turns.c.thread == bindparam("thread")),
    func.count(),
    _counted(_IS_THEIRS, turns.c.status == Status.ANSWERED.value, turns.c.model == ""),
).where(turns.c.workspace == bindparam("workspace"), ~turns.c.shown)
