"""Edited and deleted questions, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import case, literal, select, update

from core.storage import aftermath, deeds, rows
from core.storage.deeds import IS_OVER
from core.storage.tables import Words, turns
from core.turn import Status

if TYPE_CHECKING:
    from datetime import timedelta

    from sqlalchemy import Connection

    from core.storage.deeds import Summon
    from core.turn import QuestionKey, Turn


def is_newest(connection: Connection, key: QuestionKey, edition: int) -> bool:
    """As `Ledger.is_newest`."""
    of_turn = turns.c.key == key
    connection.execute(update(turns).where(of_turn, turns.c.edition < edition).values(edition=edition))
    newest = connection.scalar(select(turns.c.edition).where(of_turn))
    return not edition or newest is None or newest <= edition


def offer(connection: Connection, summon: Summon, key: QuestionKey, text: str, *, edition: int) -> Turn | None:
    """As `Ledger.offer`."""
    wording = case((turns.c.question == text, ""), else_=literal(text, Words))
    return deeds.change(
        connection,
        summon,
        key,
        ~turns.c.withdrawn,
        IS_OVER,
        turns.c.revised != wording,
        *deeds.is_no_earlier(edition),
        revised=wording,
        keep_memory=True,
    )


def withdraw(connection: Connection, summon: Summon, key: QuestionKey, tombstones_kept: timedelta) -> Turn | None:
    """As `Ledger.withdraw`."""
    turn = _withdrawn(connection, summon, key)
    if turn is None and not rows.bury(connection, key, tombstones_kept):
        # It was withdrawn before; or it was accepted just now, by somebody for whose end we have waited.
        turn = _withdrawn(connection, summon, key)
    for later in aftermath.withdraw(connection, turn) if turn else ():
        _withdrawn(connection, summon, later)
    return turn


def _withdrawn(connection: Connection, summon: Summon, key: QuestionKey) -> Turn | None:
    return deeds.change(
        connection,
        summon,
        key,
        ~turns.c.withdrawn,
        withdrawn=True,
        status=case((IS_OVER, turns.c.status), else_=Status.STOPPED.value),
        question="",
        references=[],
        attachments=[],
        asker_name="",
        quotes=[],
        answer="",
        problem="",
        aside="",
        revised="",
    )
