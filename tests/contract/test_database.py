"""What every kind of database promises: its schema, and that one process at a time runs its turns."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, func, make_url, select, text

from core.errors import CannotBeKept, SetupError, StorageUnavailable
from core.storage import postgresql
from core.storage.database import Database, open_database, readable
from core.storage.ledger import Ledger
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


@pytest.mark.parametrize("link", ["file", "folder"])
async def test_one_process_at_a_time_is_at_a_file_by_whichever_name(sqlite_url: str, tmp_path: Path, link: str) -> None:
    file, other = tmp_path / "bobbin.db", tmp_path / "link"
    other.symlink_to(file if link == "file" else tmp_path)
    name = other if link == "file" else other / "bobbin.db"
    databases = [open_database(sqlite_url), open_database(f"sqlite:///{name}")]
    await migrate(databases[0])
    async with databases[0].sole(patience=0):
        with pytest.raises(SetupError, match="Another Bobbin"):
            async with databases[1].sole(patience=0):
                pass
    for one in databases:
        await one.close()


@pytest.mark.parametrize("become", ["deleted", "moved", "replaced"])
async def test_nothing_is_taken_into_a_file_that_is_gone(sqlite_url: str, tmp_path: Path, become: str) -> None:
    """SQLite itself goes on writing to it."""
    file, database = tmp_path / "bobbin.db", open_database(sqlite_url)
    await migrate(database)
    ledger = Ledger(database)
    await ledger.check()
    kept = file.rename(tmp_path / "moved.db")
    if become == "deleted":
        kept.unlink()
    elif become == "replaced":
        file.touch()
    for by_writing in (False, True):
        with pytest.raises(StorageUnavailable) as away:
            await ledger.check(by_writing=by_writing)
        assert "deleted or replaced" in str(away.value.__cause__)
    assert file.exists() is (become == "replaced"), "and no new one is made in its place"
    if become == "moved":
        kept.rename(file)
        await ledger.check(by_writing=True)
    await database.close()


async def test_a_full_disk_is_noticed_by_writing(sqlite_url: str) -> None:
    database = open_database(sqlite_url)
    await migrate(database)
    ledger = Ledger(database)

    # As a full disk does, it refuses what needs more room.
    await database.run(lambda connection: connection.exec_driver_sql("pragma max_page_count = 1"))
    await ledger.check()
    with pytest.raises(StorageUnavailable):
        await ledger.check(by_writing=True)
    await database.run(lambda connection: connection.exec_driver_sql("pragma max_page_count = 1000000"))
    for _ in range(2):
        await ledger.check(by_writing=True)
    await database.close()


async def test_a_server_that_only_reads_is_noticed_by_writing(postgres_url: str) -> None:
    """As a primary that became a standby."""
    database = open_database(postgres_url)
    await migrate(database)
    name = make_url(postgres_url).database
    await database.run(
        lambda connection: connection.execute(text(f'alter database "{name}" set default_transaction_read_only = on'))
    )
    await database.close()
    reading = open_database(postgres_url)
    ledger = Ledger(reading)
    await ledger.check()
    with pytest.raises(StorageUnavailable):
        await ledger.check(by_writing=True)
    await reading.close()


@pytest.mark.parametrize("value", ["\ud83d", 2**70, -(2**70)], ids=["half a surrogate", "large", "small"])
async def test_a_value_that_can_not_be_sent_is_refused_for_good(database: Database, value: object) -> None:
    into = {
        str: "insert into notes (name, text) values ('a', :value)",
        int: "insert into threads (id, chat, within, epoch) values ('t', 'chat', '[]', :value)",
    }
    with pytest.raises(CannotBeKept) as refused:
        await database.run(lambda connection: connection.execute(text(into[type(value)]), {"value": value}))
    assert "\ud83d" not in str(refused.value)


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
        *(database.run(lambda connection: connection.scalar(slowly_count)) for _ in range(5 * postgresql.CONNECTIONS))
    )
    assert max(count for count in found if count) == postgresql.CONNECTIONS
    await database.close()


async def test_who_came_first_is_first(postgres_url: str) -> None:
    """Whoever asks again and again may not keep another waiting until it counts as a database that is away."""
    database, begun = open_database(postgres_url), list[int]()

    async def one() -> None:
        for number in range(3):
            await database.run(lambda _, number=number: begun.append(number))  # type: ignore[misc]

    await asyncio.gather(*(one() for _ in range(20 * postgresql.CONNECTIONS)))
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
