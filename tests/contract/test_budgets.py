"""What processes use up together is changed by one of them at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any, cast

import pytest
from sqlalchemy import select

from bots.slack.pace import TIER_3, UPDATE, Pace
from core.errors import StorageUnavailable
from core.storage.budgets import Budgets
from core.storage.database import Database, open_database
from core.storage.migrate import migrate
from core.storage.tables import budgets
from core.turn import TurnId

NAME = "slack/T1"


@pytest.fixture
async def processes(postgres_url: str) -> AsyncIterator[list[Database]]:
    """Three, each with connections of its own."""
    databases = [open_database(postgres_url, patience=60) for _ in range(3)]  # a machine may be slow
    await migrate(databases[0])
    yield databases
    for database in databases:
        await database.close()


async def row(database: Database, name: str = NAME) -> dict[str, Any]:
    state = await database.run(lambda connection: connection.scalar(select(budgets.c.state).filter_by(name=name)))
    return cast("dict[str, Any]", state)


async def test_a_row_begins_empty_and_is_changed_by_one_at_a_time(processes: list[Database]) -> None:
    def more(row: dict[str, Any], _: float) -> dict[str, Any]:
        return {"count": row.get("count", 0) + 1}

    changed = [Budgets(database).change(NAME, more) for database in processes for _ in range(30)]
    await asyncio.gather(*changed, Budgets(processes[0]).change("slack/T2", more))
    assert [await row(processes[1], name) for name in (NAME, "slack/T2")] == [{"count": 90}, {"count": 1}]


async def test_the_time_is_the_servers(processes: list[Database]) -> None:
    times: list[float] = []

    def look(row: dict[str, Any], now: float) -> dict[str, Any]:
        times.append(now)
        return row

    for database in processes:
        await Budgets(database).change(NAME, look)
    assert times == sorted(times)
    assert times[-1] > 1_700_000_000
    assert times[-1] - times[0] < 60


async def test_an_error_changes_nothing(processes: list[Database]) -> None:
    some = Budgets(processes[0])
    await some.change(NAME, lambda _, __: {"a": 1})

    def fail(_: dict[str, Any], __: float) -> dict[str, Any]:
        raise LookupError

    with pytest.raises(LookupError):
        await some.change(NAME, fail)
    assert await row(processes[1]) == {"a": 1}


async def test_many_that_race_for_the_last_calls_are_granted_all_but_a_few_and_none_too_many(
    processes: list[Database],
) -> None:
    """Each posts as many answers as it can: what their ends need is never more than there is."""
    paces = [Pace(share=partial(Budgets(one).change, NAME)) for one in processes]

    def kept() -> int:
        return sum(pace._windows[UPDATE].kept for pace in paces)

    posting = [
        asyncio.create_task(paces[number % 3].ready(TurnId(number), f"C{number}", is_posted=False, is_over=False))
        for number in range(90)
    ]
    async with asyncio.timeout(30):
        while kept() < TIER_3 - len(paces):
            await asyncio.sleep(0.05)
            assert kept() <= TIER_3
    await asyncio.sleep(2.5)  # some more looks
    assert kept() <= TIER_3
    for task in posting:
        task.cancel()
    await asyncio.gather(*posting, return_exceptions=True)


async def test_without_a_database_it_goes_on_by_a_share() -> None:
    away = open_database("postgresql://nobody@127.0.0.1:1/nowhere")
    with pytest.raises(StorageUnavailable):
        await Budgets(away).change(NAME, lambda row, _: row)
    pace = Pace(share=partial(Budgets(away).change, NAME))
    async with asyncio.timeout(10):
        await pace.ready(TurnId(1), "C1", is_posted=False, is_over=False)
    await away.close()
