"""Stopping what is being answered, or waits to be, as rows; whichever process is at it hears of it at once."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, func, select, update

from core.storage.tables import turns
from core.turn import OVER, QuestionKey, Status, TurnId

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sqlalchemy import ColumnElement, Connection

    from core.thread import ThreadId
    from core.turn import Turn

# PostgreSQL tells it with the commit: https://www.postgresql.org/docs/current/sql-notify.html
CHANNEL = "bobbin_stop"
IS_OPEN = turns.c.status.in_((Status.QUEUED.value, Status.STREAMING.value))
_MAY_STOP = (~turns.c.shown, ~turns.c.withdrawn, IS_OPEN, ~turns.c.stopping)
_NOTIFY = select(func.pg_notify(CHANNEL, bindparam("turn")))


class Outcome(Enum):
    """The outcome of a wish to stop one answer."""

    STOPPED = auto()
    NOT_BEGUN = auto()  # it waited, and will not be answered
    BEFORE = auto()  # somebody was quicker
    OVER = auto()  # it had ended
    ANEW = auto()  # it is another one that is being made by now
    UNKNOWN = auto()  # there is no such question, or it was deleted


class Stopped(NamedTuple):
    """The outcome, and the turns that are to end."""

    outcome: Outcome
    turns: tuple[TurnId, ...] = ()


def stop(connection: Connection, key: QuestionKey, by: str, of_attempt: int | None) -> Stopped:
    """Have the answer to one question stop, unless it is another than that of attempt *of_attempt*, if given.

    One that a process has taken over from another is the same.
    """
    asked = select(turns.c.id, turns.c.status, turns.c.stopping, turns.c.attempt, turns.c.interruptions)
    row = connection.execute(asked.where(turns.c.key == key, ~turns.c.withdrawn).with_for_update()).first()
    if row is None:
        return Stopped(Outcome.UNKNOWN)
    if Status(row.status) in OVER:
        return Stopped(Outcome.OVER)
    if of_attempt is not None and of_attempt < row.attempt - row.interruptions:
        return Stopped(Outcome.ANEW)
    if row.stopping:
        return Stopped(Outcome.BEFORE)
    outcome = Outcome.NOT_BEGUN if Status(row.status) is Status.QUEUED else Outcome.STOPPED
    return Stopped(outcome, tuple(_stop(connection, [turns.c.id == row.id], by)))


def stop_all(connection: Connection, thread: ThreadId) -> list[TurnId]:
    """Have whoever is at a turn of *thread* stop, and nobody begin with one that waits; return them."""
    return _stop(connection, [turns.c.thread == thread], "")


def stop_of(connection: Connection, thread: ThreadId, by: str, *, before: TurnId | None = None) -> list[TurnId]:
    """The same of those that *by* asked; with *before*, of those before that one."""
    earlier = [] if before is None else [turns.c.id < before]
    return _stop(connection, [turns.c.thread == thread, turns.c.asker == by, *earlier], by)


def stop_first(connection: Connection, thread: ThreadId, by: str, *, before: TurnId | None = None) -> list[TurnId]:
    """The same of the one that is being answered, or would be next."""
    found = _askers(connection, thread, before)
    return _stop(connection, [turns.c.id == found[0][0]], by) if found else []


def may_stop(connection: Connection, thread: ThreadId, by: str, *, before: TurnId | None = None) -> bool:
    """Is nothing to be stopped, or something that *by* asked?"""
    found = _askers(connection, thread, before)
    return not found or any(asker == by for _, asker in found)


def stop_before(connection: Connection, turn: Turn, by: str, *, whosever: bool) -> tuple[TurnId, ...] | None:
    """As `Ledger.stop_before`."""
    thread = turn.question.thread.id
    if not (whosever or may_stop(connection, thread, by, before=turn.id)):
        return None
    own = stop_of(connection, thread, by, before=turn.id)
    return tuple(own or (stop_first(connection, thread, by, before=turn.id) if whosever else ()))


def stopping(connection: Connection, threads: Collection[ThreadId]) -> list[TurnId]:
    """Which turns of *threads* are to stop, and have not yet."""
    wanted = select(turns.c.id).where(turns.c.thread.in_(threads), ~turns.c.shown, IS_OPEN, turns.c.stopping)
    return [TurnId(number) for number in connection.scalars(wanted)]


def _askers(connection: Connection, thread: ThreadId, before: TurnId | None) -> Sequence[tuple[TurnId, str]]:
    """Of what can be stopped in *thread*, oldest first."""
    found = select(turns.c.id, turns.c.asker).where(turns.c.thread == thread, *_MAY_STOP).order_by(turns.c.id)
    earlier = found if before is None else found.where(turns.c.id < before)
    return [(TurnId(row.id), row.asker) for row in connection.execute(earlier)]


def _stop(connection: Connection, where: Iterable[ColumnElement[bool]], by: str) -> list[TurnId]:
    wanted = update(turns).where(*where, *_MAY_STOP).values(stopping=True, stopped_by=by)
    stopped = [TurnId(number) for number in connection.scalars(wanted.returning(turns.c.id))]
    if connection.dialect.name == "postgresql":
        for number in stopped:
            connection.execute(_NOTIFY, {"turn": str(number)})
    return stopped
