"""What every kind of database promises: its schema, and that one process at a time runs its turns."""

from __future__ import annotations

import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, func, select, text

from core.errors import SetupError, StorageUnavailable
from core.storage import database as databases
from core.storage.database import Database, open_database, readable
from core.storage.migrate import is_current, migrate
from core.storage.tables import is_ours, metadata, notes


async def test_from_empty_to_newest_equals_the_tables_as_declared(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        # On SQLite alembic takes an empty default for none.
        defaults = connection.dialect.name != "sqlite"
        options = {"compare_type": True, "compare_server_default": defaults, "include_object": is_ours}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, metadata))

    assert await database.run(differences) == []


async def test_it_knows_whether_it_is_up_to_date(database_url: str) -> None:
    database = open_database(database_url)
    assert not await is_current(database)
    await migrate(database)
    assert await is_current(database)
    await migrate(database)  # nothing left to do
    await database.close()


async def test_two_processes_may_migrate_at_once(postgres_url: str) -> None:
    both = [open_database(postgres_url) for _ in range(2)]
    await asyncio.gather(*(migrate(one) for one in both))
    assert await is_current(both[0])
    for one in both:
        await one.close()


async def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    def half(connection: Connection) -> None:
        connection.execute(notes.insert().values(name="a", text="b"))
        raise LookupError

    with pytest.raises(LookupError):
        await database.run(half)
    assert await database.run(lambda connection: connection.scalar(select(func.count()).select_from(notes))) == 0


async def test_one_process_at_a_time_runs_the_turns(database: Database, database_url: str) -> None:
    other = open_database(database_url)
    async with database.sole(patience=0):
        with pytest.raises(SetupError, match="Another Bobbin"):
            async with other.sole(patience=0):
                pass
    async with other.sole(patience=10):
        pass  # free again
    await other.close()


async def test_a_database_that_comes_back_is_used_again(postgres_url: str) -> None:
    """Every pooled connection is dead, as after a restart of the server; the next question must not be lost to that."""
    database, other = open_database(postgres_url), open_database(postgres_url)
    await migrate(database)

    def end_the_others(connection: Connection) -> None:
        connection.exec_driver_sql(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )

    await other.run(end_the_others)
    assert await is_current(database)
    for one in (database, other):
        await one.close()


async def test_however_much_is_to_do_a_process_takes_few_connections(postgres_url: str) -> None:
    database = open_database(postgres_url)
    slowly_count = text(
        "select count(*) from pg_stat_activity, pg_sleep(0.02) where datname = current_database()"
        " and backend_type = 'client backend'"
    )
    found = await asyncio.gather(
        *(database.run(lambda connection: connection.scalar(slowly_count)) for _ in range(5 * databases.CONNECTIONS))
    )
    assert max(count for count in found if count) == databases.CONNECTIONS
    await database.close()


async def test_who_came_first_is_first(postgres_url: str) -> None:
    """Whoever asks again and again may not keep another waiting until it counts as a database that is away."""
    database, begun = open_database(postgres_url), list[int]()

    async def one() -> None:
        for number in range(3):
            await database.run(lambda _, number=number: begun.append(number))  # type: ignore[misc]

    await asyncio.gather(*(one() for _ in range(20 * databases.CONNECTIONS)))
    assert begun.index(2) > max(index for index, number in enumerate(begun) if number == 0)
    await database.close()


def test_a_password_is_not_shown() -> None:
    assert "hush" not in readable("postgresql://bobbin:hush@127.0.0.1/bobbin")


@pytest.mark.parametrize("url", ["bobbin.db", "mysql://127.0.0.1/bobbin"])
def test_a_database_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(SetupError, match=r"database\.url"):
        open_database(url)


async def test_sqlite_that_is_locked_by_another_program_counts_as_away(sqlite_url: str) -> None:
    database, other = open_database(sqlite_url), open_database(sqlite_url, connect_timeout=0.1)
    await migrate(database)
    await database.close()

    async def meanwhile() -> None:
        with pytest.raises(StorageUnavailable):
            await other.run(lambda connection: connection.execute(select(1)))

    again = open_database(sqlite_url)
    loop = asyncio.get_running_loop()
    await again.run(lambda _: asyncio.run_coroutine_threadsafe(meanwhile(), loop).result(10))
    for one in (again, other):
        await one.close()
