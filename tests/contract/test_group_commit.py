"""SQLite commits together what waits together; what fails, fails alone, and what is told as done is on the disk."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, text

from core.errors import CannotBeKept, StorageUnavailable
from core.language import say, speaking
from core.storage.database import open_database
from core.storage.sqlite import Sqlite

ROOT = Path(__file__).parents[2]


class Mine(Exception):
    """Somebody's own."""


def write(number: int, *, fails: bool = False) -> Callable[[Connection], int]:
    def work(connection: Connection) -> int:
        connection.execute(text("insert into numbers values (:number)"), {"number": number})
        if fails:
            raise Mine
        return number

    return work


def read(connection: Connection) -> list[int]:
    return list(connection.scalars(text("select number from numbers order by rowid")))


class Table:
    """A database with a table, whose thread can be held up."""

    def __init__(self, database: Sqlite) -> None:
        self.database = database
        self.commits = 0
        event.listen(database._engine, "commit", self._committed)

    def _committed(self, _: object) -> None:
        self.commits += 1

    async def together(self, *works: Coroutine[Any, Any, Any]) -> list[Any]:
        """Have *works* wait at the same time, behind one that is under way."""
        is_held, go_on = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        def hold(_: Connection) -> None:
            loop.call_soon_threadsafe(is_held.set)
            go_on.wait()

        held = asyncio.create_task(self.database.run(hold))
        await is_held.wait()
        tasks = [asyncio.create_task(work) for work in works]
        await asyncio.sleep(0)
        self.commits = 0
        go_on.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.wait({held})
        held.exception()  # it may share the fate of the others
        return found


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Table]:
    database = open_database(url, joined_within=60)  # a slow machine joins as many
    assert isinstance(database, Sqlite)
    await database.run(lambda connection: connection.execute(text("create table numbers (number integer unique)")))
    yield Table(database)
    await database.close()


@pytest.fixture
async def table(sqlite_url: str) -> AsyncIterator[Table]:
    async with opened(sqlite_url) as one:
        yield one


async def test_what_waits_together_is_committed_together(table: Table) -> None:
    done = await table.together(*(table.database.run(write(number)) for number in range(50)))
    assert done == list(range(50)) == await table.database.run(read)
    assert table.commits <= 3  # with the one that held it up, and reading


@pytest.mark.parametrize("wrong", [0, 1, 2])
async def test_what_fails_leaves_nothing_behind_and_the_others_alone(table: Table, wrong: int) -> None:
    done = await table.together(*(table.database.run(write(one, fails=one == wrong)) for one in range(3)))
    assert isinstance(done[wrong], Mine)
    assert await table.database.run(read) == [one for one in range(3) if one != wrong] == [*filter(_is_int, done)]


def _is_int(one: object) -> bool:
    return isinstance(one, int)


async def test_what_the_database_refuses_is_told_to_who_wanted_it(table: Table) -> None:
    done = await table.together(*(table.database.run(write(number)) for number in (7, 7, 8)))
    assert (done[0], type(done[1]), done[2]) == (7, CannotBeKept, 8)


async def test_what_is_committed_together_speaks_each_its_own_language(table: Table) -> None:
    async def speak(language: str) -> str:
        with speaking(language):
            return await table.database.run(lambda _: say("Stopped."))

    assert await table.together(*map(speak, ("de", "", "fr"))) == ["Gestoppt.", "Stopped.", "Arrêté."]


async def test_what_ends_something_goes_first(table: Table) -> None:
    await table.together(*(table.database.run(write(number), first=number > 2) for number in range(5)))
    assert await table.database.run(read) == [3, 4, 0, 1, 2]


async def test_what_nobody_waits_for_any_more_is_not_begun(table: Table) -> None:
    waiting = [asyncio.create_task(table.database.run(write(number))) for number in (1, 2)]

    async def give_up() -> None:
        waiting[0].cancel()

    await table.together(give_up())
    await waiting[1]
    assert 2 in await table.database.run(read)


async def test_a_full_disk_fails_all_that_it_undoes(table: Table) -> None:
    """SQLite ends the transaction: what was done before in it is undone as well, and must not be told as done."""

    def fill(connection: Connection) -> None:
        connection.execute(text("create table if not exists blobs (blob)"))
        connection.execute(text("insert into blobs values (zeroblob(1000000))"))

    pages = await table.database.run(lambda connection: connection.scalar(text("pragma page_count")))
    await table.database.run(lambda connection: connection.execute(text(f"pragma max_page_count = {pages + 5}")))
    done = await table.together(
        table.database.run(write(1)),
        table.database.run(fill),
        table.database.run(write(2)),
        table.database.run(write(3)),
    )
    assert isinstance(done[1], StorageUnavailable)
    assert [*filter(_is_int, done)] == await table.database.run(read)


async def test_one_that_stops_iterating_does_not_hang(table: Table) -> None:
    def stop(_: Connection) -> None:
        raise StopIteration

    done = await table.together(table.database.run(write(1)), table.database.run(stop), table.database.run(write(2)))
    assert (done[0], done[2]) == (1, 2)
    assert isinstance(done[1], RuntimeError)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 20), st.booleans(), st.booleans()), max_size=30))
async def test_exactly_what_is_told_as_done_is_there(tmp_path: Path, wishes: list[tuple[int, bool, bool]]) -> None:
    async with opened(f"sqlite:///{tmp_path / 'any.db'}") as table:
        jobs = (table.database.run(write(one, fails=fails), first=first) for one, fails, first in wishes)
        done = await table.together(*jobs)
        assert sorted(filter(_is_int, done)) == sorted(await table.database.run(read))
        await table.database.run(lambda connection: connection.execute(text("drop table numbers")))


# Kills itself in the middle of the third commit of a group, after telling whatever was acknowledged.
_KILLED = """
import asyncio, os, signal, sys, time
from sqlalchemy import event, text
from core.storage.database import open_database

async def main():
    database = open_database(sys.argv[1])
    await database.run(lambda of: of.execute(text("create table numbers (number integer)")))
    commits = 0

    def commit(_):
        nonlocal commits
        commits += 1
        if commits == 3:
            time.sleep(0.5)  # whoever is told too early says so
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(database._engine, "commit", commit)

    async def add(number):
        await database.run(lambda of: of.execute(text(f"insert into numbers values ({number})")))
        os.write(1, f"{number}\\n".encode())

    for start in range(0, 1000, 100):
        await asyncio.gather(*(add(start + number) for number in range(100)))

asyncio.run(main())
"""


async def test_killed_in_the_middle_of_a_group_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    file = tmp_path / "killed.db"
    child = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", _KILLED, f"sqlite:///{file}"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
    )
    acknowledged = {int(line) for line in child.stdout.split()}
    with sqlite3.connect(file) as connection:
        there = {number for (number,) in connection.execute("select number from numbers")}
    assert child.returncode == -9
    assert acknowledged
    assert acknowledged <= there
    assert len(there) < 1000
