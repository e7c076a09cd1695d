"""Budgets that processes use up together: a row for each, changed by one process at a time. On PostgreSQL only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select, update

from core.storage import rows
from core.storage.tables import budgets

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from core.storage.database import Database

# Until the transaction ends nobody else has the row. What it holds is over within minutes, so that nobody waits for the
# disk: https://www.postgresql.org/docs/current/wal-async-commit.html
_TAKE = (
    select(
        budgets.c.state,
        func.extract("epoch", func.clock_timestamp()),
        func.set_config("synchronous_commit", "off", True),  # noqa: FBT003  # for this transaction
    )
    .where(budgets.c.name == bindparam("of"))
    .with_for_update()
)
_WRITE = update(budgets).where(budgets.c.name == bindparam("of"))


class Budgets:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def change(self, name: str, change: Callable[[dict[str, Any], float], dict[str, Any]]) -> None:
        """Have *change* take the row *name* as it is, empty at first, and the server's time; write what it returns.

        It may be called again, and is called in a transaction: it is to be quick. Raises StorageUnavailable.
        """

        def work(connection: Connection) -> None:
            row = connection.execute(_TAKE, {"of": name}).one_or_none()
            if row is None:
                begin = rows.insert_into(connection, budgets).values(name=name, state={})
                connection.execute(begin.on_conflict_do_nothing())
                row = connection.execute(_TAKE, {"of": name}).one()
            connection.execute(_WRITE, {"of": name, "state": change(row[0], float(row[1]))})

        await self._database.run(work)
