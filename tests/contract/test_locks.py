"""What transactions on one thread promise each other: none waits for another that waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta

import psycopg
import pytest

from core.obeying import Told
from core.storage.database import open_database
from core.storage.deeds import Deeds
from core.storage.ledger import Ledger
from core.storage.migrate import migrate
from core.thread import PlaceId, Thread, ThreadId
from core.turn import NOTHING_SHOWN, Question, QuestionKey

THREAD = Thread(ThreadId("chat:1"), "chat", (PlaceId("chat:w"),))
QUESTION = Question(QuestionKey("1"), THREAD, "ada", "Why?")
WAITING = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"


@pytest.fixture
async def ledger(postgres_url: str) -> AsyncIterator[Ledger]:
    """A ledger in which nothing is tried once more."""
    database = open_database(postgres_url, tries=1)
    await migrate(database)
    yield Ledger(database)
    await database.close()


async def conclude(ledger: Ledger) -> None:
    taken = await ledger.take(THREAD.id)
    assert taken
    await ledger.conclude(taken.turn.start("m").finish("Because."), None, epoch=taken.epoch)


async def reopen(ledger: Ledger) -> None:
    assert await ledger.reopen(QUESTION.key, "Why not?")


async def withdraw(ledger: Ledger) -> None:
    assert await ledger.withdraw(QUESTION.key)


def again(deeds: Deeds) -> Told:
    deeds.answer_again(THREAD.id)
    deeds.forget(THREAD.id)
    return Told("Done.")


async def obey(ledger: Ledger) -> None:
    await ledger.obey(Question(QuestionKey("2"), THREAD, "ben", "retry"), NOTHING_SHOWN, again)


async def obey_once(ledger: Ledger) -> None:
    assert await ledger.obey_once("chat/1", again, timedelta(hours=1))


@pytest.mark.parametrize("change", [conclude, reopen, withdraw, obey, obey_once])
async def test_a_question_may_come_again_while_its_turn_changes(
    ledger: Ledger, postgres_url: str, change: Callable[[Ledger], Coroutine[None, None, None]]
) -> None:
    """A platform delivers it twice, and the second time meets the end of its answer, its asker's edit, or a command."""
    accepted = await ledger.accept(QUESTION, NOTHING_SHOWN)
    async with asyncio.TaskGroup() as both, held(postgres_url) as waiting:
        again = both.create_task(ledger.accept(QUESTION, NOTHING_SHOWN))
        await waiting(1)
        both.create_task(change(ledger))
        await waiting(2)
    assert again.result().turn.id == accepted.turn.id
    assert not again.result().is_new


@asynccontextmanager
async def held(url: str) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    """Hold the thread's row; yield what waits until so many transactions stand in line."""
    async with (
        await psycopg.AsyncConnection.connect(url) as holding,
        await psycopg.AsyncConnection.connect(url, autocommit=True) as looking,
    ):
        await holding.execute("select from threads where id = %s for no key update", [THREAD.id])

        async def waiting(transactions: int) -> None:
            async with asyncio.timeout(30):
                while await (await looking.execute(WAITING)).fetchone() != (transactions,):
                    await asyncio.sleep(0.01)

        yield waiting
