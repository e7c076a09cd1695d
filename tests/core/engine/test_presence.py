from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE

import psycopg
import pytest

from core.engine.presence import check_sessions, present, sharing
from core.errors import SetupError, StorageUnavailable
from core.storage.database import open_database

SHARES = """
import asyncio, sys
from core.engine.presence import sharing
async def share():
    async with sharing(sys.argv[1], 0):
        print("shares", flush=True)
        await asyncio.Event().wait()
asyncio.run(share())
"""


async def test_many_share_a_database(postgres_url: str) -> None:
    assert await present(postgres_url) != "several"
    async with sharing(postgres_url, patience=0), sharing(postgres_url, patience=0):
        assert await present(postgres_url) == "several"
    await _free(postgres_url)


async def test_nobody_shares_what_one_has_alone(postgres_url: str) -> None:
    database = open_database(postgres_url)
    async with database.sole(patience=0):
        assert await present(postgres_url) != "several"
        with pytest.raises(SetupError, match="BOBBIN_ENGINE"):
            async with sharing(postgres_url, patience=0):
                pass
    await database.close()


async def test_nobody_has_alone_what_others_share(postgres_url: str) -> None:
    database = open_database(postgres_url)
    async with sharing(postgres_url, patience=0):
        with pytest.raises(SetupError, match="Another Bobbin"):
            async with database.sole(patience=0):
                pass
    async with database.sole(patience=10):
        pass  # free again
    await database.close()


async def test_it_waits_for_the_one_that_is_ending(postgres_url: str) -> None:
    database = open_database(postgres_url)
    entered = asyncio.Event()

    async def share() -> None:
        async with sharing(postgres_url, patience=30):
            entered.set()

    async with asyncio.TaskGroup() as tasks, database.sole(patience=0):
        tasks.create_task(share())
        await _looked(postgres_url)
        assert not entered.is_set()
    assert entered.is_set()
    await database.close()


async def test_who_is_killed_is_gone(postgres_url: str) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", SHARES, postgres_url, stdout=PIPE)
    assert process.stdout
    assert await process.stdout.readline() == b"shares\n"
    process.kill()
    await process.wait()
    await _free(postgres_url)


async def test_a_lost_connection_ends_nothing(postgres_url: str) -> None:
    async with sharing(postgres_url, patience=0):
        async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as other:
            await other.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        await _free(postgres_url)


async def test_a_connection_of_its_own_will_do(postgres_url: str) -> None:
    await check_sessions(postgres_url)


async def test_a_database_that_is_away_is_said_to_be() -> None:
    with pytest.raises(StorageUnavailable):
        await check_sessions("postgresql://127.0.0.1:9/x")
    with pytest.raises(StorageUnavailable):
        async with sharing("postgresql://127.0.0.1:9/x", patience=0):
            pass


async def _looked(url: str) -> None:
    """Wait until somebody has asked whether it may share."""
    asked = "select count(*) from pg_stat_activity where datname = current_database() and query like '%lock_shared%'"
    async with (
        asyncio.timeout(10),
        await psycopg.AsyncConnection.connect(url, autocommit=True) as connection,
    ):
        while await (await connection.execute(f"{asked} and pid <> pg_backend_pid()")).fetchone() != (1,):
            await asyncio.sleep(0.01)


async def _free(url: str) -> None:
    """The server lets a lock go a moment after its connection."""
    async with asyncio.timeout(10):
        while await present(url) == "several":
            await asyncio.sleep(0.01)
