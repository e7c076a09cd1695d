"""Records what people ask and command: once, and no more of it at a time than there is room for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import and_, bindparam, case, func, select

from core.access import is_bot
from core.errors import BotsAlone
from core.quota import Open
from core.storage import rates, rows
from core.storage.deeds import Deeds
from core.storage.stops import IS_OPEN
from core.storage.tables import turns
from core.turn import Accepted, Status, Turn

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from core.quota import Quota, Whose
    from core.rates import Rate, Rates
    from core.storage.deeds import Deed, Summon
    from core.thread import Thread
    from core.turn import QuestionKey, TurnId


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The bounds of what is taken; by default, there are none."""

    quota: Quota | None = None
    rates: Rates | None = None
    bot_turns: int = 0  # that bots may ask in a thread in a row; 0: any number
    refuses: bool = False  # is what is beyond them not recorded, but TooMany raised?


@dataclass(frozen=True, slots=True)
class Obeyed:
    """The ledger's reply to a command that was handed in."""

    accepted: Accepted
    reopened: Turn | None = None  # what it wants to be answered again
    stopped: tuple[TurnId, ...] = ()  # and what not any further


def accept(connection: Connection, summon: Summon, turn: Turn, bounds: Bounds) -> Accepted:
    """Record *turn*, unless its question is known."""
    return _record(connection, summon, turn, bounds) or _known(connection, turn.question.key)


def obey(connection: Connection, summon: Summon, turn: Turn, bounds: Bounds, deed: Deed) -> Obeyed:
    """Record *turn*, a command, unless it is known, and do *deed*, whose words answer it, unless there is no room for it.

    Raises TooMany for one by which more would be asked than the rates allow.
    """
    accepted = _record(connection, summon, turn, bounds)
    if accepted is None:
        return Obeyed(_known(connection, turn.question.key))
    if accepted.exceeded:
        return Obeyed(accepted)
    done = Deeds(connection, summon)
    told = deed(done)
    if done.reopened:
        check_rates(connection, bounds.rates, turn.question.asker, turn.question.thread)
    turn = replace(accepted.turn, answer=told.sentence, shown=told.is_seen)
    rows.end(connection, turn)
    answered = replace(accepted, turn=turn)
    return Obeyed(answered, done.reopened, tuple(done.stopped))


def check_rates(connection: Connection, limits: Rates | None, asker: str, thread: Thread) -> None:
    """Count that *asker* has something answered again in *thread*. Raises TooMany."""
    if limits and (over := rates.spend(connection, limits, asker, thread)):
        raise limits.refusal(over, rates.clock())


def _record(connection: Connection, summon: Summon, turn: Turn, bounds: Bounds) -> Accepted | None:
    """Record *turn*, or in its place that there is no room for it; None if its question is known. Raises BotsAlone."""
    thread, quota = turn.question.thread, bounds.quota
    rows.lock_thread(connection, thread)
    exceeded: Whose | Rate | None = None
    opened = _opened(connection, turn) if quota else None
    before = 0
    if not turn.is_over:
        before = opened.before if opened else connection.scalar(_BEFORE, {"thread": thread.id}) or 0
        turn = replace(turn, waited=before > 0)
    if quota and opened and (exceeded := quota.exceeded(opened)):
        if bounds.refuses:
            raise quota.refusal(exceeded)
        # That is said once at a time to each, or refusing would itself be what floods the thread.
        turn = replace(turn, status=Status.ANSWERED, answer=quota.refusal(exceeded).sentence, shown=opened.told > 0)
    number = rows.add_turn(connection, turn)
    if number is None:
        return None
    turn = replace(turn, id=number)
    if bounds.bot_turns and is_bot(turn.question.asker):
        _check_for_people(connection, turn, bounds.bot_turns)
    if bounds.rates and not turn.is_over:
        if bounds.refuses:
            check_rates(connection, bounds.rates, turn.question.asker, thread)
        else:
            turn, exceeded = _within_rates(connection, bounds.rates, turn)
    if not turn.shown:
        summon(connection, thread, opened.person if opened else 0)
    return Accepted(turn=turn, is_new=True, exceeded=exceeded, before=before)


def _within_rates(connection: Connection, limits: Rates, turn: Turn) -> tuple[Turn, Rate | None]:
    """Count *turn*, which asks the upstream; if it may not, have Bobbin itself answer it: once in that time, in words."""
    asker, thread = turn.question.asker, turn.question.thread
    over = rates.spend(connection, limits, asker, thread)
    if over is None:
        return turn, None
    told = limits.refusal(over, rates.clock()).sentence
    is_silent = not rates.is_news(connection, over, asker, thread)
    turn = replace(turn, status=Status.ANSWERED, answer=told, shown=is_silent)
    rows.end(connection, turn)
    return turn, over.rate


def _check_for_people(connection: Connection, turn: Turn, bot_turns: int) -> None:
    """Raises BotsAlone if nobody but bots has asked so many of the thread's newest turns before *turn*."""
    before = select(turns.c.asker).where(turns.c.thread == turn.question.thread.id, turns.c.id < turn.id)
    askers = connection.scalars(before.order_by(turns.c.id.desc()).limit(bot_turns)).all()
    if len(askers) == bot_turns and all(map(is_bot, askers)):
        raise BotsAlone


def _known(connection: Connection, key: QuestionKey) -> Accepted:
    return Accepted(turn=rows.find_turns(connection, turns.c.key == key)[0], is_new=False)


def _opened(connection: Connection, turn: Turn) -> Open:
    question = turn.question
    of = {"workspace": question.thread.workspace, "asker": question.asker, "thread": question.thread.id}
    return Open(*connection.execute(_OPENED, of).one())


def _counted(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((and_(*conditions), 1)))


_IS_THEIRS = turns.c.asker == bindparam("asker")
_IS_BEFORE = and_(turns.c.thread == bindparam("thread"), ~turns.c.shown, ~turns.c.stopping, IS_OPEN)
_BEFORE = select(func.count()).where(_IS_BEFORE)
_OPENED = select(
    _counted(_IS_THEIRS),
    _counted(turns.c.thread == bindparam("thread")),
    func.count(),
    _counted(_IS_THEIRS, turns.c.status == Status.ANSWERED.value, turns.c.model == ""),
    _counted(_IS_BEFORE),
).where(turns.c.workspace == bindparam("workspace"), ~turns.c.shown)
