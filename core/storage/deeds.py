"""Deeds: changes to turns, threads and presets inside of a transaction, and so together with other things."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from sqlalchemy import and_, case, delete, func, literal, or_, select, update

from core.language import spoken
from core.storage import rows, stances, stops
from core.storage.tables import Words, notes, presets, threads, turns
from core.thread import PlaceId, ThreadId
from core.turn import OVER, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import timedelta

    from sqlalchemy import ColumnElement, Connection

    from core.obeying import Told
    from core.preset import Preset
    from core.stance import Stance
    from core.thread import Thread
    from core.turn import QuestionKey, Turn, TurnId

    Deed = Callable[["Deeds"], Told]

    class Summon(Protocol):
        def __call__(self, connection: Connection, thread: Thread, behind: int = 0, /) -> None:
            """Ask, inside the transaction that gives *thread* something to do, for it to be seen to.

            *behind* so many turns that the same person has open.
            """


IS_OVER = turns.c.status.in_(tuple(status.value for status in OVER))
_IS_FOR_UPSTREAM = or_(turns.c.model != "", ~IS_OVER)
MOST_LOOKED_AT = 20_000  # turns
_ONCE = "once/"  # before the names of notes that expire: their text says when


class Done(NamedTuple):
    """The outcome of a command."""

    told: Told
    reopened: Turn | None  # what is to be answered again
    stopped: tuple[TurnId, ...]  # what is not to be answered any further


class Deeds:
    """As `core.commands.Deeds` describes them."""

    def __init__(self, connection: Connection, summon: Summon) -> None:
        self._connection = connection
        self._summon = summon
        self.reopened: Turn | None = None  # what is to be answered again
        self.stopped: list[TurnId] = []  # what is not to be answered any further

    def presets_at(self, places: Iterable[PlaceId]) -> list[tuple[str, Preset]]:
        return rows.find_presets(self._connection, tuple(places))

    def set_preset(self, place: PlaceId, wish: Preset, by: str) -> None:
        changed = _changed(by)
        fields = {
            "name": wish.name,
            "model": wish.model,
            "instructions": wish.instructions,
            "follow": wish.follow,
        }
        decided = {name: value for name, value in fields.items() if value is not None}
        changes = fields if wish.name is not None else decided
        insert = rows.insert_into(self._connection, presets).values(place=place, **fields, **changed)
        self._connection.execute(insert.on_conflict_do_update(index_elements=["place"], set_={**changes, **changed}))

    def clear_preset(self, place: PlaceId, by: str) -> None:
        """Leave every field open; who did it stays on record."""
        opened = dict.fromkeys(("name", "model", "instructions", "follow"))
        self._connection.execute(update(presets).where(presets.c.place == place).values(opened | _changed(by)))

    def clear_model(self, place: PlaceId, by: str) -> None:
        values = {"model": None, **_changed(by)}
        self._connection.execute(update(presets).where(presets.c.place == place).values(values))

    def may_switch(self, thread: ThreadId, by: str) -> bool:
        return self._beginner(thread) in (None, by)

    def may_forget(self, thread: ThreadId, by: str) -> bool:
        others = select(turns.c.id).join(threads).where(*_is_asked_in(thread), turns.c.asker != by).exists()
        return not self._connection.scalar(select(others)) or self.began(thread, by)

    def may_answer_again(self, thread: ThreadId, by: str) -> bool:
        newest = newest_asked(self._connection, thread)
        return newest is None or newest.question.asker == by or self.began(thread, by)

    def began(self, thread: ThreadId, by: str) -> bool:
        """Did *by* ask first in *thread*?"""
        return self._beginner(thread) == by

    def _beginner(self, thread: ThreadId) -> str | None:
        first = select(turns.c.asker).where(turns.c.thread == thread).order_by(turns.c.id).limit(1)
        return self._connection.scalar(first)

    def forget(self, thread: ThreadId) -> None:
        newest = select(func.coalesce(func.max(turns.c.id), 0)).where(turns.c.thread == thread).scalar_subquery()
        change = update(threads).where(threads.c.id == thread)
        self._connection.execute(
            change.values(conversation=None, epoch=threads.c.epoch + 1, forgotten=newest, branch_of=None)
        )

    def newest_place(self, asker: str, within: ThreadId) -> ThreadId | None:
        """Looked for among the newest turns only, whosever they are: there is no index for it."""
        oldest = select(func.max(turns.c.id) - MOST_LOOKED_AT).scalar_subquery()
        query = (
            select(turns.c.thread)
            .where(turns.c.id > oldest, turns.c.asker == asker, ~turns.c.withdrawn, _IS_FOR_UPSTREAM)
            .where(or_(turns.c.thread == within, turns.c.thread.startswith(f"{within}/", autoescape=True)))
            .order_by(turns.c.id.desc())
            .limit(1)
        )
        thread = self._connection.scalar(query)
        return None if thread is None else ThreadId(thread)

    def answer_again(self, thread: ThreadId, asker: str = "", *, turn: int | None = None) -> bool | None:
        """One that was stopped, and has yet to end, doesn't have to.

        Its conversation begins anew and is told what was said before: that mends as well what can't be seen from
        outside, a conversation that goes on under its id without knowing its past.
        """
        # The thread before the turn, see `Ledger.conclude`.
        self._connection.execute(select(threads.c.id).where(threads.c.id == thread).with_for_update(key_share=True))
        newest = newest_asked(self._connection, thread, asker, turn=turn)
        if newest is None:
            return None
        self.reopened = reopen(self._connection, self._summon, newest.question.key)
        return self.reopened is not None

    def stances_at(self, places: tuple[PlaceId, ...]) -> dict[PlaceId, Stance]:
        return stances.find(self._connection, places)

    def set_muted(self, place: PlaceId, by: str, *, is_muted: bool) -> None:
        stances.change(self._connection, place, by, muted=is_muted)

    def leave(self, thread: Thread, by: str) -> None:
        newest = stances.newest_turn(self._connection, thread.id)
        stances.change(self._connection, PlaceId(thread.id), by, left=newest)

    def stop_answers(self, thread: ThreadId) -> bool:
        self.stopped += stops.stop_all(self._connection, thread)
        return bool(self.stopped)

    def may_stop(self, thread: ThreadId, by: str) -> bool:
        return stops.may_stop(self._connection, thread, by)

    def stop_asked(self, thread: ThreadId, by: str, *, whosever: bool) -> int:
        stopped = stops.stop_of(self._connection, thread, by)
        if not stopped and whosever:
            stopped = stops.stop_first(self._connection, thread, by)
        self.stopped += stopped
        return len(stopped)


def _changed(by: str) -> dict[str, Any]:
    return {"changed_by": by, "changed_in": spoken(), "changed_at": datetime.now(UTC)}


def newest_asked(connection: Connection, thread: ThreadId, asker: str = "", *, turn: int | None = None) -> Turn | None:
    """The newest turn of *thread* that is for the upstream, and that the thread remembers; None if there is none.

    With *asker*, of that person's; with *turn*, that one alone.
    """
    among = [turns.c.asker == asker] if asker else []
    among += [turns.c.id == turn] if turn is not None else []
    found = rows.find_turns(connection, *_is_asked_in(thread), *among, at_most=1)
    return found[0] if found else None


def _is_asked_in(thread: ThreadId) -> tuple[ColumnElement[bool], ...]:
    """Conditions on turns, joined with their thread: *thread* remembers them, and they are for the upstream."""
    return turns.c.thread == thread, turns.c.id > threads.c.forgotten, ~turns.c.withdrawn, _IS_FOR_UPSTREAM


def reopen(
    connection: Connection,
    summon: Summon,
    key: QuestionKey,
    text: str | None = None,
    *,
    edition: int = 0,
    of_attempt: int | None = None,
) -> Turn | None:
    """As `Ledger.reopen`."""
    where: list[ColumnElement[bool]] = [~turns.c.withdrawn, *is_no_earlier(edition)]
    wording: ColumnElement[str] = case((turns.c.revised != "", turns.c.revised), else_=turns.c.question)
    if text is None:
        where.append(or_(IS_OVER, turns.c.stopping))
    else:
        wording = literal(text, Words)
    if of_attempt is not None:
        where.append(turns.c.attempt == of_attempt)
    return change(
        connection,
        summon,
        key,
        *where,
        question=wording,
        revised="",
        status=Status.QUEUED.value,
        answer="",
        problem="",
        aside="",
        model="",
        gave_up="",
        interruptions=0,
        stopping=False,
        stopped_by="",
        waited=and_(turns.c.waited, turns.c.status == Status.QUEUED.value),  # its mark goes when it begins
        done_at=None,
    )


def is_no_earlier(edition: int) -> tuple[ColumnElement[bool], ...]:
    """Conditions on turns: no later edit is known."""
    return (turns.c.edition <= edition,) if edition else ()


def change(
    connection: Connection,
    summon: Summon,
    key: QuestionKey,
    *where: ColumnElement[bool],
    keep_memory: bool = False,
    **values: object,
) -> Turn | None:
    """Change a turn and have it shown anew: nobody who took it before may write to it, nor to its conversation."""
    # The thread before the turn, see `Ledger.conclude`.
    of_turn = select(turns.c.thread).where(turns.c.key == key).scalar_subquery()
    lock = select(threads.c.id).where(threads.c.id == of_turn).with_for_update(key_share=True)
    if connection.scalar(lock) is None:
        return None
    changed = update(turns).where(turns.c.key == key, *where)
    changed = changed.values(shown=False, attempt=turns.c.attempt + 1, **values)
    thread = connection.scalar(changed.returning(turns.c.thread))
    if thread is None:
        return None
    if not keep_memory:
        memory = update(threads).where(threads.c.id == thread)
        connection.execute(memory.values(conversation=None, epoch=threads.c.epoch + 1))
    turn = rows.find_turns(connection, turns.c.key == key)[0]
    summon(connection, turn.question.thread)
    return turn


def is_first(connection: Connection, occasion: str, within: timedelta) -> bool:
    """Record *occasion*; return whether nobody has so recently. Of several who do so at once, one is the first."""
    now = datetime.now(UTC)
    # All are written in one form and zone, in which what is earlier sorts first.
    connection.execute(
        delete(notes).where(notes.c.name.startswith(_ONCE), notes.c.text <= now.isoformat(" ", "microseconds"))
    )
    insert = rows.insert_into(connection, notes)
    insert = insert.values(name=_ONCE + occasion, text=(now + within).isoformat(" ", "microseconds"))
    return connection.scalar(insert.on_conflict_do_nothing().returning(notes.c.name)) is not None
