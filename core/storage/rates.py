"""Counts what each person and each channel asks: exactly, whichever process records it."""

from __future__ import annotations

import time
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, update

from core.rates import DAY, MINUTE, Spent
from core.storage import rows
from core.storage.deeds import is_first
from core.storage.tables import rates

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row
    from sqlalchemy.sql.dml import ReturningInsert

    from core.rates import Over, Rates
    from core.thread import Thread

_MINUTE, _DAY = MINUTE * 1_000, DAY * 1_000  # milliseconds, as everything in the table
clock = time.time  # a name of its own, for tests to set the clock


def spend(connection: Connection, limits: Rates, asker: str, thread: Thread) -> Over | None:
    """Count a question of *asker*'s in *thread*; if that goes beyond one of the *limits*, return it and count nothing.

    Until the transaction ends, nobody else counts for the same person or channel; always for a person first, so that
    no two transactions wait for each other.
    """
    person, channel = limits.subjects(asker, thread)
    counted, now = [one for one in (person, channel) if one], int(clock() * 1_000)
    spent = {one: _count(connection, one, now) for one in counted}
    over = limits.over(spent.get(person), spent.get(channel))
    if over:
        connection.execute(_GIVE_BACK, [{"of": one} for one in counted])
    return over


def is_news(connection: Connection, over: Over, asker: str, thread: Thread) -> bool:
    """Is *asker* not told yet of that limit, in the time that ends with it?"""
    where = "" if over.rate.startswith("person") else f"/{thread.channel}"
    occasion = f"{over.rate}/{over.ends:.3f}/{thread.chat}/{asker}{where}"
    return is_first(connection, occasion, timedelta(seconds=max(1.0, over.ends - clock())))


def _count(connection: Connection, subject: str, now: int) -> Spent:
    row: Row[Any] = connection.execute(_counting(connection.dialect.name), {"of": subject, "now": now}).one()
    minute_ends, day_ends = row.minute_began + _MINUTE, row.day_began + _DAY
    return Spent(row.minute_count, minute_ends / 1_000, row.day_count, day_ends / 1_000)


@cache
def _counting(dialect: str) -> ReturningInsert[Any]:
    now = bindparam("now", type_=rates.c.day_began.type)
    insert = rows.insert_for(dialect, rates).values(
        subject=bindparam("of"), minute_began=now, minute_count=1, day_began=now, day_count=1
    )
    changed: dict[str, Any] = {}
    for name, length in (("minute", _MINUTE), ("day", _DAY)):
        began, count = rates.c[f"{name}_began"], rates.c[f"{name}_count"]
        # Also over when it is yet to begin by so much: then a clock was wrong.
        goes_on = began.between(now - length + 1, now + length)
        changed |= {began.name: case((goes_on, began), else_=now), count.name: case((goes_on, count + 1), else_=1)}
    return insert.on_conflict_do_update(index_elements=["subject"], set_=changed).returning(rates)


_GIVE_BACK = (
    update(rates)
    .where(rates.c.subject == bindparam("of"))
    .values(minute_count=rates.c.minute_count - 1, day_count=rates.c.day_count - 1)
)
