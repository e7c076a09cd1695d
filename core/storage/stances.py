"""The stances of the bot, as rows: what it was told in a place about listening there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import and_, bindparam, exists, func, select

from core.stance import Stance
from core.storage import rows
from core.storage.tables import stances, turns
from core.thread import PlaceId
from core.turn import TurnId
from core.words import keepable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from core.thread import ThreadId

_CALLED_SINCE = exists().where(turns.c.thread == stances.c.place, turns.c.id > stances.c.left, ~turns.c.withdrawn)
_FIND = select(stances, and_(stances.c.left > 0, ~_CALLED_SINCE).label("has_left")).where(
    stances.c.place.in_(bindparam("places", expanding=True))
)


def find(connection: Connection, places: Iterable[PlaceId]) -> dict[PlaceId, Stance]:
    """What is known of each of *places*."""
    wanted = tuple(places)
    found = {
        row.place: Stance(row.muted, row.has_left, row.told) for row in connection.execute(_FIND, {"places": wanted})
    }
    return {place: found[kept] for place in wanted if (kept := keepable(place)) in found}


def change(connection: Connection, place: PlaceId, by: str, **fields: object) -> None:
    values = {**fields, "changed_by": by, "changed_at": datetime.now(UTC)}
    insert = rows.insert_into(connection, stances).values(place=place, **values)
    connection.execute(insert.on_conflict_do_update(index_elements=["place"], set_=values))


def newest_turn(connection: Connection, thread: ThreadId) -> TurnId:
    """Return 1 where there is none yet, which is no less true of what comes later."""
    newest = connection.scalar(select(func.max(turns.c.id)).where(turns.c.thread == thread))
    return TurnId(newest or 1)


def tell_once(connection: Connection, place: PlaceId) -> bool:
    """Record that people are told what is not heard at *place*; return whether they were not told before."""
    insert = rows.insert_into(connection, stances)
    insert = insert.values(place=place, told=True, changed_by="", changed_at=datetime.now(UTC))
    insert = insert.on_conflict_do_update(index_elements=["place"], set_={"told": True}, where=~stances.c.told)
    return connection.scalar(insert.returning(stances.c.place)) is not None
